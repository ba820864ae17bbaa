//! GitHub: repositories with their secrets, variables and runs, and the face that serves them.

mod app;
mod app_calls;
mod ask;
mod authorize;
mod environments;
mod face;
mod jwt;
mod limits;
mod names;
mod organization;
mod paging;
mod place;
mod refusal;
mod repository;
mod repository_calls;
mod route;
mod run;
mod run_calls;
mod sealed_box;
mod secret;
mod secret_calls;
mod token;
mod variable;
mod variable_calls;
mod world;

use std::collections::BTreeMap;

pub use app::{App, Installation};
pub(crate) use face::answer;
pub use organization::{Organization, Sharing};
pub use repository::{Environment, Repository, Role};
pub use run::Run;
pub use sealed_box::KeyPair;
pub use secret::{Secret, Secrets};
pub use token::{Access, Holder, Permissions, Reach, Token};
pub use variable::{Variable, Variables};

use limits::Meter;

/// All of GitHub that the sandbox knows.
#[derive(Debug, Clone)]
pub struct GitHub {
    /// The repositories.
    pub repositories: Vec<Repository>,
    /// The organizations that have secrets or variables of their own.
    pub organizations: Vec<Organization>,
    /// The tokens that are accepted, installation tokens included once they are minted.
    pub tokens: Vec<Token>,
    /// The registered apps.
    pub apps: Vec<App>,
    /// What each token, by its value, has used of its limits.
    meters: BTreeMap<String, Meter>,
}

impl GitHub {
    /// No repositories, and one token.
    #[must_use]
    pub fn new(token: Token) -> Self {
        Self {
            repositories: Vec::new(),
            organizations: Vec::new(),
            tokens: vec![token],
            apps: Vec::new(),
            meters: BTreeMap::new(),
        }
    }

    /// The repository with that `owner/name`, in any case.
    #[must_use]
    pub fn repository(&self, full_name: &str) -> Option<&Repository> {
        self.repositories
            .iter()
            .find(|it| it.full_name.eq_ignore_ascii_case(full_name))
    }

    /// As [`GitHub::repository`], to change it behind the clients' back.
    pub fn repository_mut(&mut self, full_name: &str) -> Option<&mut Repository> {
        self.repositories
            .iter_mut()
            .find(|it| it.full_name.eq_ignore_ascii_case(full_name))
    }

    /// The organization of that name, in any case.
    #[must_use]
    pub fn organization(&self, login: &str) -> Option<&Organization> {
        self.organizations
            .iter()
            .find(|it| it.login.eq_ignore_ascii_case(login))
    }

    /// As [`GitHub::organization`], to change it behind the clients' back.
    pub fn organization_mut(&mut self, login: &str) -> Option<&mut Organization> {
        self.organizations
            .iter_mut()
            .find(|it| it.login.eq_ignore_ascii_case(login))
    }

    /// Every secret in any store, each with a phrase for where it is, such as
    /// `secret TOKEN of acme/shop, environment production`.
    pub fn every_secret(&self) -> impl Iterator<Item = (String, &Secret)> {
        let of_repositories = self.repositories.iter().flat_map(Repository::every_secret);
        let of_organizations = self.organizations.iter().flat_map(Organization::every_secret);
        of_repositories.chain(of_organizations)
    }

    /// Where the text is part of a secret's value, in the phrases of [`GitHub::every_secret`].
    pub(crate) fn secrets_holding(&self, text: &str) -> Vec<String> {
        let holds = |secret: &Secret| secret.text().contains(text);
        self.every_secret()
            .filter(|(_, secret)| holds(secret))
            .map(|(place, _)| place)
            .collect()
    }
}

impl Default for GitHub {
    fn default() -> Self {
        Self::new(Token::classic(crate::World::GITHUB_TOKEN, &["repo"]))
    }
}
