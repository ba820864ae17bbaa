//! Organizations, as far as they have secrets and variables.

use super::{Secret, Secrets, Variables};

/// An organization.
#[derive(Debug, Clone, Default)]
pub struct Organization {
    /// Its name; case does not matter.
    pub login: String,
    /// Its Actions secrets.
    pub secrets: Secrets,
    /// Its Dependabot secrets.
    pub dependabot_secrets: Secrets,
    /// Its Actions variables.
    pub variables: Variables,
}

/// Which repositories of an organization see a secret or a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sharing {
    /// `all`, `private` or `selected`.
    pub visibility: String,
    /// Ids of the selected repositories.
    pub repositories: Vec<u64>,
}

impl Organization {
    /// An organization without secrets or variables.
    #[must_use]
    pub fn new(login: impl Into<String>) -> Self {
        Self {
            login: login.into(),
            ..Self::default()
        }
    }

    pub(super) fn every_secret(&self) -> impl Iterator<Item = (String, &Secret)> {
        let all = self.secrets.iter().chain(self.dependabot_secrets.iter());
        all.map(|(name, secret)| (format!("secret {name} of {}", self.login), secret))
    }
}
