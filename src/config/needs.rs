//! Which credentials a request cannot do without.

use super::access::Access;
use super::door::Door;
use super::errand::Command;
use super::inputs::RawInputs;
use super::looks::Looks;
use super::values::switch;
use crate::model::desired::Desired;

/// What takes a token; told also where something else is wrong with the request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needs {
    keys: bool,
    cdn: bool,
}

impl Needs {
    pub(super) fn of_inputs(raw: &RawInputs) -> Self {
        let cdn = raw.cdn.as_deref();
        Self {
            keys: raw.key_scope.as_deref().map(str::trim) != Some("none"),
            cdn: cdn.is_some_and(|text| switch(text.trim()) == Ok(true)),
        }
    }

    pub(super) fn of_manifest(desired: Option<&Desired>) -> Self {
        let cdn = |desired: &Desired| desired.buckets.iter().any(|wanted| wanted.cdn.is_some());
        Self {
            keys: desired.is_none_or(|desired| !desired.families.is_empty()),
            cdn: desired.is_some_and(cdn),
        }
    }
}

/// Credentials are asked for last, so that nobody fetches a token for a request that is wrong anyway.
pub(super) fn require_credentials(
    needs: Needs,
    command: Option<Command>,
    looks: &Looks,
    access: &Access,
    door: &mut Door,
) {
    match command {
        Some(Command::Check) => require_something_to_look_with(looks, access, door),
        Some(Command::Audit) => require_token_to_list(access, door),
        _ => {
            require_digitalocean_token(needs.keys, access, door);
            require_token_for_cdn(needs.cdn, access, door);
            require_github_token(needs.keys, access, door);
        }
    }
}

/// What a token that is missing would have shown is told as unknown; without any credential there is nothing to tell.
fn require_something_to_look_with(looks: &Looks, access: &Access, door: &mut Door) {
    let blind = access.digitalocean.is_none() && access.full_access.is_none() && looks.pairs.is_empty();
    if blind && door.problems.is_empty() {
        door.refuse(
            "digitalocean-token",
            "it is missing, and so are a full-access pair and the job's own credentials (access-key, secret-key): \
             nothing can be checked",
        );
    }
}

fn require_digitalocean_token(keys: bool, access: &Access, door: &mut Door) {
    let missing = access.digitalocean.is_none() && (keys || access.full_access.is_none());
    if missing && !refused(door, "digitalocean-token") {
        let alternative = if keys {
            ""
        } else {
            ", or give a full-access pair (spaces-access-key-id and its secret)"
        };
        door.refuse(
            "digitalocean-token",
            format!("it is missing; it mints the keys (scopes spaces_key:create_credentials, :read, :update, :delete){alternative}"),
        );
    }
}

/// An inventory is made of the lists of DigitalOcean; buckets show to a full-access key alone.
fn require_token_to_list(access: &Access, door: &mut Door) {
    if access.digitalocean.is_none() && !refused(door, "digitalocean-token") {
        let what = if access.full_access.is_some() {
            "it is missing; it lists keys and apps (scopes spaces_key:read, app:read)"
        } else {
            "it is missing; it lists keys and apps (scopes spaces_key:read, app:read) and, without a full-access pair, mints a \
             short-lived key that looks at buckets (spaces_key:create_credentials, spaces_key:delete)"
        };
        door.refuse("digitalocean-token", what);
    }
}

/// CDN endpoints are no matter of S3.
fn require_token_for_cdn(cdn: bool, access: &Access, door: &mut Door) {
    if cdn && access.digitalocean.is_none() && !refused(door, "digitalocean-token") {
        let what =
            "it is missing, and cdn needs it (scopes cdn:read, cdn:create, cdn:update; cdn:delete to purge)";
        door.refuse("digitalocean-token", what);
    }
}

fn require_github_token(keys: bool, access: &Access, door: &mut Door) {
    if keys && access.github.is_none() && !refused(door, "github-") {
        door.refuse(
            "github-token",
            "it is missing; give a fine-grained token with Secrets and Variables (read and write), or a GitHub App; \
             the workflow's own GITHUB_TOKEN cannot write secrets",
        );
    }
}

fn refused(door: &Door, input: &str) -> bool {
    door.problems
        .iter()
        .any(|problem| problem.input.starts_with(input))
}
