//! The words for repositories, tokens and apps in which worlds are described.

use super::{Access, App, Reach, Repository, Run, Token};
use crate::World;

/// The number of the first repository; the next ones follow.
const FIRST_REPOSITORY_ID: u64 = 501;

impl World {
    /// Adds a private repository, as `owner/name`, that the standing token may administer.
    #[must_use]
    pub fn with_repository(mut self, full_name: &str) -> Self {
        let id = FIRST_REPOSITORY_ID + self.github.repositories.len() as u64;
        self.github.repositories.push(Repository::new(id, full_name));
        self
    }

    /// Adds an environment to a repository that was added before.
    ///
    /// # Panics
    /// If there is no such repository.
    #[must_use]
    pub fn with_environment(mut self, full_name: &str, environment: &str) -> Self {
        let now = self.clock.now();
        self.repository_added(full_name).add_environment(environment, now);
        self
    }

    /// Adds an Actions secret, written now, to a repository that was added before.
    ///
    /// # Panics
    /// If there is no such repository.
    #[must_use]
    pub fn with_secret(mut self, full_name: &str, name: &str, value: &str) -> Self {
        let now = self.clock.now();
        self.repository_added(full_name).secrets.set(name, value, now);
        self
    }

    /// Adds an Actions variable, written now, to a repository that was added before.
    ///
    /// # Panics
    /// If there is no such repository.
    #[must_use]
    pub fn with_variable(mut self, full_name: &str, name: &str, value: &str) -> Self {
        let now = self.clock.now();
        self.repository_added(full_name).variables.set(name, value, now);
        self
    }

    /// Adds a workflow run to a repository that was added before.
    ///
    /// # Panics
    /// If there is no such repository.
    #[must_use]
    pub fn with_run(mut self, full_name: &str, run: Run) -> Self {
        self.repository_added(full_name).runs.push(run);
        self
    }

    /// Adds a GitHub token.
    #[must_use]
    pub fn with_github_token(mut self, token: Token) -> Self {
        self.github.tokens.push(token);
        self
    }

    /// Adds the `GITHUB_TOKEN` of a run in that repository, with `actions: read`.
    #[must_use]
    pub fn with_workflow_token(self, value: &str, full_name: &str) -> Self {
        self.with_github_token(Token::workflow(value, full_name, &[("actions", Access::Read)]))
    }

    /// Adds a fine-grained personal access token for all repositories.
    #[must_use]
    pub fn with_fine_grained_token(self, value: &str, permissions: &[(&str, Access)]) -> Self {
        self.with_github_token(Token::fine_grained(value, Reach::All, permissions))
    }

    /// Adds a GitHub App.
    #[must_use]
    pub fn with_github_app(mut self, app: App) -> Self {
        self.github.apps.push(app);
        self
    }

    fn repository_added(&mut self, full_name: &str) -> &mut Repository {
        self.github
            .repository_mut(full_name)
            .expect("the repository was added before")
    }
}
