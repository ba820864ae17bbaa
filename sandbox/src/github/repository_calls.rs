//! The calls on a repository as such.

use http::StatusCode;
use serde_json::{Value, json};

use super::ask::{Ask, Caller};
use super::authorize::{Need, in_repository};
use super::paging::{USUAL, page};
use super::refusal::{Outcome, Refusal, json as reply, ok};
use super::{Access, Holder, Organization, Repository, Role, Sharing, secret_calls, variable_calls};
use crate::World;
use crate::reply::Reply;

/// Where a repository's path leads.
pub(super) enum Found {
    /// Here; the index of the repository.
    Here(usize),
    /// To another name; the number of the repository.
    Moved(u64),
}

/// Finds a repository by its present or a former name.
pub(super) fn locate(world: &World, owner: &str, name: &str) -> Result<Found, Refusal> {
    let full_name = format!("{owner}/{name}");
    let is = |known: &String| known.eq_ignore_ascii_case(&full_name);
    let repositories = &world.github.repositories;
    if let Some(at) = repositories
        .iter()
        .position(|repository| is(&repository.full_name))
    {
        return Ok(Found::Here(at));
    }
    let moved = repositories
        .iter()
        .find(|repository| repository.former_names.iter().any(is));
    moved
        .map(|repository| Found::Moved(repository.id))
        .ok_or_else(Refusal::not_found)
}

/// Sends the client on to the repository's number, with the rest of its path.
pub(super) fn redirect(ask: &Ask<'_>, id: u64, rest: &str) -> Reply {
    let url = format!("{}/repositories/{id}{rest}", ask.base);
    reply(StatusCode::MOVED_PERMANENTLY, &json!({
        "message": "Moved Permanently",
        "url": url,
        "documentation_url": "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects",
    }))
    .header("location", url)
}

pub(super) fn get(world: &World, ask: &Ask<'_>, at: usize) -> Outcome {
    let repository = &world.github.repositories[at];
    in_repository(&ask.caller, repository, Need::open(&["metadata"]))?;
    let mut shown = shown(repository, &ask.base);
    if let Some(permissions) = permissions(&ask.caller, repository) {
        shown["permissions"] = permissions;
    }
    Ok(ok(&shown))
}

/// The organization's secrets or variables that this repository sees.
pub(super) fn shared(world: &World, ask: &Ask<'_>, at: usize, kind: &str) -> Outcome {
    let repository = &world.github.repositories[at];
    let permissions: &[&str] = if kind == "secrets" {
        &["secrets"]
    } else {
        &["actions_variables"]
    };
    in_repository(&ask.caller, repository, Need::closed(permissions, Access::Read))?;
    let organization = world.github.organization(repository.owner());
    let items = organization
        .map(|organization| visible(organization, repository, kind))
        .unwrap_or_default();
    Ok(page(ask, &world.switches, USUAL, kind, items))
}

/// A repository in short or at length: the API's fields that matter here.
pub(super) fn shown(repository: &Repository, base: &str) -> Value {
    json!({
        "id": repository.id,
        "name": repository.name(),
        "full_name": repository.full_name,
        "private": repository.private,
        "visibility": if repository.private { "private" } else { "public" },
        "owner": { "login": repository.owner(), "type": "Organization" },
        "url": format!("{base}/repos/{}", repository.full_name),
        "archived": repository.archived,
        "disabled": false,
        "default_branch": repository.default_branch,
    })
}

fn permissions(caller: &Caller, repository: &Repository) -> Option<Value> {
    let Caller::Token(token) = caller else { return None };
    let role = match &token.holder {
        Holder::Classic { .. } | Holder::FineGrained { .. } => repository.role,
        Holder::Installation { .. } | Holder::Workflow { .. } => Some(Role::Read),
    };
    Some(json!({
        "admin": role >= Some(Role::Admin),
        "maintain": role >= Some(Role::Admin),
        "push": role >= Some(Role::Write),
        "triage": role >= Some(Role::Write),
        "pull": role >= Some(Role::Read),
    }))
}

fn visible(organization: &Organization, repository: &Repository, kind: &str) -> Vec<Value> {
    if kind == "secrets" {
        let secrets = organization
            .secrets
            .iter()
            .filter(|(_, it)| sees(repository, it.sharing.as_ref()));
        secrets
            .map(|(name, secret)| secret_calls::shown(name, secret))
            .collect()
    } else {
        let variables = organization
            .variables
            .iter()
            .filter(|(_, it)| sees(repository, it.sharing.as_ref()));
        variables
            .map(|(name, variable)| variable_calls::shown(name, variable))
            .collect()
    }
}

fn sees(repository: &Repository, sharing: Option<&Sharing>) -> bool {
    match sharing {
        Some(sharing) if sharing.visibility == "selected" => sharing.repositories.contains(&repository.id),
        Some(sharing) if sharing.visibility == "private" => repository.private,
        _ => true,
    }
}
