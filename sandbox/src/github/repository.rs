//! Repositories and their environments.

use std::collections::BTreeMap;

use super::{Run, Secret, Secrets, Variable, Variables};

/// What the owner of a personal token may do in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look at it.
    Read,
    /// Also push, and write secrets and variables.
    Write,
    /// Also administer it.
    Admin,
}

/// A repository.
#[derive(Debug, Clone)]
pub struct Repository {
    /// Its number.
    pub id: u64,
    /// `owner/name`; case does not matter.
    pub full_name: String,
    /// What it was called before: these names are redirected.
    pub former_names: Vec<String>,
    /// Whether only those with access see it.
    pub private: bool,
    /// Whether it is read-only.
    pub archived: bool,
    /// The default branch.
    pub default_branch: String,
    /// What the owner of a personal token may do here; `None` hides a private repository.
    pub role: Option<Role>,
    /// Its Actions secrets.
    pub secrets: Secrets,
    /// Its Dependabot secrets.
    pub dependabot_secrets: Secrets,
    /// Its Codespaces secrets.
    pub codespaces_secrets: Secrets,
    /// Its Actions variables.
    pub variables: Variables,
    /// Its environments, by name; case does not matter.
    pub environments: BTreeMap<String, Environment>,
    /// Its workflow runs, oldest first.
    pub runs: Vec<Run>,
}

/// A deployment environment of a repository.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Its number.
    pub id: u64,
    /// Its name as it was first written.
    pub name: String,
    /// Its secrets.
    pub secrets: Secrets,
    /// Its variables.
    pub variables: Variables,
    /// The protection settings of the last PUT, which replaces them all.
    pub protection: serde_json::Value,
    /// When it was created, in Unix seconds.
    pub created_at: i64,
}

impl Repository {
    /// An empty private repository whose token owner is an admin.
    #[must_use]
    pub fn new(id: u64, full_name: impl Into<String>) -> Self {
        Self {
            id,
            full_name: full_name.into(),
            former_names: Vec::new(),
            private: true,
            archived: false,
            default_branch: "main".to_owned(),
            role: Some(Role::Admin),
            secrets: Secrets::default(),
            dependabot_secrets: Secrets::default(),
            codespaces_secrets: Secrets::default(),
            variables: Variables::default(),
            environments: BTreeMap::new(),
            runs: Vec::new(),
        }
    }

    /// The Actions secret of that name, in any case.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(name)
    }

    /// The Actions variable of that name, in any case.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.get(name)
    }

    /// The environment of that name, in any case.
    #[must_use]
    pub fn environment(&self, name: &str) -> Option<&Environment> {
        self.environments.get(&name.to_lowercase())
    }

    /// As [`Repository::environment`], to change it behind the clients' back.
    pub fn environment_mut(&mut self, name: &str) -> Option<&mut Environment> {
        self.environments.get_mut(&name.to_lowercase())
    }

    /// Adds an environment without protection, made at `now` (Unix seconds), or returns the one
    /// that is there.
    pub fn add_environment(&mut self, name: &str, now: i64) -> &mut Environment {
        let id = self.id * 1000 + self.environments.len() as u64;
        self.environments
            .entry(name.to_lowercase())
            .or_insert_with(|| Environment {
                id,
                name: name.to_owned(),
                created_at: now,
                ..Environment::default()
            })
    }

    /// Owner, without the name.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.full_name.split('/').next().unwrap_or_default()
    }

    /// Name, without the owner.
    #[must_use]
    pub fn name(&self) -> &str {
        self.full_name.split('/').next_back().unwrap_or_default()
    }

    pub(super) fn every_secret(&self) -> impl Iterator<Item = (String, &Secret)> {
        let stores = [&self.secrets, &self.dependabot_secrets, &self.codespaces_secrets];
        let own = stores.into_iter().flat_map(Secrets::iter);
        let own = own.map(|(name, secret)| (format!("secret {name} of {}", self.full_name), secret));
        own.chain(self.environments.values().flat_map(|environment| {
            environment.secrets.iter().map(|(name, secret)| {
                let place = format!(
                    "secret {name} of {}, environment {}",
                    self.full_name, environment.name
                );
                (place, secret)
            })
        }))
    }
}

impl Environment {
    /// The secret of that name, in any case.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(name)
    }

    /// The variable of that name, in any case.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.get(name)
    }
}
