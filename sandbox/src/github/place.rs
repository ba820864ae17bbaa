//! The stores of secrets and variables: where they are, how many they hold, who may touch them.

use super::ask::Caller;
use super::authorize::{Need, in_organization, in_repository};
use super::refusal::Refusal;
use super::{Access, GitHub, Secrets, Variables};
use crate::Switches;

/// A store; the number is the index of its repository or organization.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Repository(usize),
    Dependabot(usize),
    Codespaces(usize),
    Environment(usize, String),
    Organization(usize),
    OrganizationDependabot(usize),
}

impl Place {
    /// Its secrets; a missing environment is a 404.
    pub(super) fn secrets<'g>(&self, github: &'g mut GitHub) -> Result<&'g mut Secrets, Refusal> {
        Ok(match self {
            Self::Repository(at) => &mut github.repositories[*at].secrets,
            Self::Dependabot(at) => &mut github.repositories[*at].dependabot_secrets,
            Self::Codespaces(at) => &mut github.repositories[*at].codespaces_secrets,
            Self::Environment(at, name) => {
                let environment = github.repositories[*at].environment_mut(name);
                &mut environment.ok_or_else(Refusal::not_found)?.secrets
            }
            Self::Organization(at) => &mut github.organizations[*at].secrets,
            Self::OrganizationDependabot(at) => &mut github.organizations[*at].dependabot_secrets,
        })
    }

    /// Its variables; a missing environment is a 404, and so is a place that has none.
    pub(super) fn variables<'g>(&self, github: &'g mut GitHub) -> Result<&'g mut Variables, Refusal> {
        Ok(match self {
            Self::Repository(at) => &mut github.repositories[*at].variables,
            Self::Environment(at, name) => {
                let environment = github.repositories[*at].environment_mut(name);
                &mut environment.ok_or_else(Refusal::not_found)?.variables
            }
            Self::Organization(at) => &mut github.organizations[*at].variables,
            Self::Dependabot(_) | Self::Codespaces(_) | Self::OrganizationDependabot(_) => {
                return Err(Refusal::not_found());
            }
        })
    }

    /// Whether it belongs to an organization, so that its items are shared with repositories.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::Organization(_) | Self::OrganizationDependabot(_))
    }

    /// Secrets it may hold.
    pub(super) fn secret_limit(&self) -> usize {
        if self.is_shared() { 1_000 } else { 100 }
    }

    /// Variables it may hold.
    pub(super) fn variable_limit(&self) -> usize {
        match self {
            Self::Repository(_) => 500,
            Self::Environment(..) => 100,
            _ => 1_000,
        }
    }

    /// Lets the caller at its secrets, or says why not.
    pub(super) fn open_secrets(
        &self,
        github: &GitHub,
        switches: &Switches,
        caller: &Caller,
        access: Access,
    ) -> Result<(), Refusal> {
        let permissions: &[&str] = match self {
            Self::Repository(_) => &["secrets"],
            Self::Dependabot(_) => &["dependabot_secrets"],
            Self::Codespaces(_) => &["codespaces_secrets"],
            Self::Environment(..) if switches.environment_secrets_need_secrets => {
                &["environments", "secrets"]
            }
            Self::Environment(..) => &["environments"],
            Self::Organization(_) => &["organization_secrets"],
            Self::OrganizationDependabot(_) => &["organization_dependabot_secrets"],
        };
        self.open(github, caller, Need::closed(permissions, access))
    }

    /// Lets the caller at its variables, or says why not.
    pub(super) fn open_variables(
        &self,
        github: &GitHub,
        switches: &Switches,
        caller: &Caller,
        access: Access,
    ) -> Result<(), Refusal> {
        let permissions: &[&str] = match self {
            Self::Environment(..) if switches.environment_secrets_need_secrets => {
                &["environments", "actions_variables"]
            }
            Self::Environment(..) => &["environments"],
            _ if self.is_shared() => &["organization_actions_variables"],
            _ => &["actions_variables"],
        };
        self.open(github, caller, Need::closed(permissions, access))
    }

    fn open(&self, github: &GitHub, caller: &Caller, need: Need) -> Result<(), Refusal> {
        match self {
            Self::Organization(_) | Self::OrganizationDependabot(_) => in_organization(caller, need),
            Self::Repository(at) | Self::Dependabot(at) | Self::Codespaces(at) | Self::Environment(at, _) => {
                in_repository(caller, &github.repositories[*at], need)
            }
        }
    }
}
