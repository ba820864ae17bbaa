//! Who may do what where, and how the others are told.

use http::StatusCode;

use super::ask::Caller;
use super::refusal::Refusal;
use super::{Access, Holder, Permissions, Repository, Role};

/// What a call asks of its caller.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    /// Permissions of fine-grained tokens and apps, all of them.
    pub(super) permissions: &'static [&'static str],
    /// How far they must go.
    pub(super) access: Access,
    /// Whether anybody may call it on a public repository.
    pub(super) open_if_public: bool,
}

impl Need {
    /// A call that is never open to everybody.
    pub(super) fn closed(permissions: &'static [&'static str], access: Access) -> Self {
        Self {
            permissions,
            access,
            open_if_public: false,
        }
    }

    /// A look that is open to everybody on a public repository.
    pub(super) fn open(permissions: &'static [&'static str]) -> Self {
        Self {
            permissions,
            access: Access::Read,
            open_if_public: true,
        }
    }

    fn is_met_by(self, held: &Permissions) -> bool {
        self.permissions.iter().all(|name| held.allow(name, self.access))
    }

    /// `secrets=write,environments=write`
    fn in_words(self) -> String {
        let words = self
            .permissions
            .iter()
            .map(|name| format!("{name}={}", self.access.word()));
        words.collect::<Vec<_>>().join(",")
    }

    fn role(self) -> Role {
        match (self.permissions, self.access) {
            (["administration"], _) => Role::Admin,
            (["metadata" | "actions"], Access::Read) => Role::Read,
            // Even to look at secrets takes a collaborator who may push.
            _ => Role::Write,
        }
    }
}

/// Permissions that the `permissions:` of a workflow cannot name.
const BEYOND_WORKFLOWS: [&str; 8] = [
    "administration",
    "actions_variables",
    "codespaces_secrets",
    "dependabot_secrets",
    "environments",
    "organization_actions_variables",
    "organization_secrets",
    "secrets",
];

/// Lets the caller do something in a repository, or says why not.
pub(super) fn in_repository(caller: &Caller, repository: &Repository, need: Need) -> Result<(), Refusal> {
    if !sees(caller, repository) {
        return Err(Refusal::not_found());
    }
    if repository.private || !need.open_if_public {
        permit(caller, repository, need)?;
    }
    if repository.archived && need.access > Access::Read {
        return Err(Refusal::forbidden("Repository was archived so is read-only."));
    }
    Ok(())
}

/// Lets the caller do something in an organization, or says why not.
pub(super) fn in_organization(caller: &Caller, need: Need) -> Result<(), Refusal> {
    match caller {
        Caller::Anonymous | Caller::App(_) => Err(Refusal::unauthorized("Requires authentication")),
        Caller::Token(token) => match &token.holder {
            Holder::Classic { scopes } if has(scopes, "admin:org") => Ok(()),
            Holder::Classic { .. } => Err(Refusal::not_found()),
            Holder::FineGrained { permissions, .. } | Holder::Installation { permissions, .. }
                if need.is_met_by(permissions) =>
            {
                Ok(())
            }
            holder => Err(not_accessible(holder, need)),
        },
    }
}

/// Whether the repository exists as far as the caller can tell.
fn sees(caller: &Caller, repository: &Repository) -> bool {
    if !repository.private {
        return true;
    }
    let Caller::Token(token) = caller else {
        return false;
    };
    match &token.holder {
        Holder::Classic { scopes } => has(scopes, "repo") && repository.role.is_some(),
        Holder::FineGrained { reach, .. } => reach.includes(repository) && repository.role.is_some(),
        Holder::Installation { reach, .. } => reach.includes(repository),
        Holder::Workflow { repository: own, .. } => own.eq_ignore_ascii_case(&repository.full_name),
    }
}

fn permit(caller: &Caller, repository: &Repository, need: Need) -> Result<(), Refusal> {
    let Caller::Token(token) = caller else {
        return Err(Refusal::unauthorized("Requires authentication"));
    };
    let allowed = match &token.holder {
        Holder::Classic { scopes } if !has(scopes, "repo") => return Err(Refusal::not_found()),
        Holder::Classic { .. } => true,
        Holder::FineGrained { reach, permissions }
        | Holder::Installation {
            reach, permissions, ..
        } => reach.includes(repository) && need.is_met_by(permissions),
        Holder::Workflow {
            repository: own,
            permissions,
        } => {
            own.eq_ignore_ascii_case(&repository.full_name)
                && !need
                    .permissions
                    .iter()
                    .any(|name| BEYOND_WORKFLOWS.contains(name))
                && need.is_met_by(permissions)
        }
    };
    if !allowed {
        return Err(not_accessible(&token.holder, need));
    }
    let personal = matches!(token.holder, Holder::Classic { .. } | Holder::FineGrained { .. });
    if personal && repository.role < Some(need.role()) {
        return Err(Refusal::forbidden("Must have admin rights to Repository."));
    }
    Ok(())
}

fn not_accessible(holder: &Holder, need: Need) -> Refusal {
    let by = match holder {
        Holder::FineGrained { .. } => "personal access token",
        _ => "integration",
    };
    Refusal::new(StatusCode::FORBIDDEN, format!("Resource not accessible by {by}"))
        .header("x-accepted-github-permissions", need.in_words())
}

fn has(scopes: &[String], scope: &str) -> bool {
    scopes.iter().any(|held| held == scope)
}
