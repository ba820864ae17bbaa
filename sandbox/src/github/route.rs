//! Which path leads to which call.

use percent_encoding::percent_decode_str;

use super::ask::{Ask, Caller};
use super::authorize::{Need, in_repository};
use super::face::VERSIONS;
use super::place::Place;
use super::refusal::{Outcome, Refusal, ok};
use super::repository_calls::{Found, locate, redirect};
use super::{app_calls, environments, repository_calls, run_calls, secret_calls, variable_calls};
use crate::World;

/// Answers a request by its path.
pub(super) fn dispatch(world: &mut World, ask: &Ask<'_>) -> Outcome {
    let segments: Vec<String> = segments(ask.path);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (ask.method.as_str(), segments.as_slice()) {
        ("GET", ["user"]) => user(ask),
        ("GET", ["versions"]) => Ok(ok(&VERSIONS.into())),
        ("GET", ["app"]) => app_calls::get(world, ask),
        ("POST", ["app", "installations", id, "access_tokens"]) => app_calls::mint(world, ask, id),
        ("DELETE", ["installation", "token"]) => app_calls::revoke(world, ask),
        ("GET", ["installation", "repositories"]) => app_calls::repositories(world, ask),
        ("GET", ["orgs" | "users", login, "installation"]) => app_calls::of_account(world, ask, login),
        (_, ["orgs", login, rest @ ..]) => in_organization(world, ask, login, rest),
        (_, ["repositories", id, rest @ ..]) => by_number(world, ask, id, rest),
        (_, ["repos", owner, name, rest @ ..]) => by_name(world, ask, (owner, name), rest),
        _ => Err(Refusal::not_found()),
    }
}

/// Decoded segments. A slash at the end leaves an empty one, which no path has.
fn segments(path: &str) -> Vec<String> {
    let decoded = |segment| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    path.trim_start_matches('/').split('/').map(decoded).collect()
}

/// By name; a former name redirects whoever may see the repository.
fn by_name(world: &mut World, ask: &Ask<'_>, (owner, name): (&str, &str), rest: &[&str]) -> Outcome {
    match locate(world, owner, name)? {
        Found::Here(at) => in_this_repository(world, ask, at, rest),
        Found::Moved(id) => {
            let repository = world
                .github
                .repositories
                .iter()
                .find(|it| it.id == id)
                .ok_or_else(Refusal::not_found)?;
            in_repository(&ask.caller, repository, Need::open(&["metadata"]))?;
            // The rest as it was sent: `/repos/owner/name` is three slashes.
            let rest = ask
                .path
                .match_indices('/')
                .nth(3)
                .map_or("", |(at, _)| &ask.path[at..]);
            Ok(redirect(ask, id, rest))
        }
    }
}

fn by_number(world: &mut World, ask: &Ask<'_>, id: &str, rest: &[&str]) -> Outcome {
    let at = world
        .github
        .repositories
        .iter()
        .position(|repository| repository.id.to_string() == id);
    in_this_repository(world, ask, at.ok_or_else(Refusal::not_found)?, rest)
}

fn in_this_repository(world: &mut World, ask: &Ask<'_>, at: usize, rest: &[&str]) -> Outcome {
    let environment = |name: &str| Place::Environment(at, name.to_owned());
    match (ask.method.as_str(), rest) {
        ("GET", []) => repository_calls::get(world, ask, at),
        ("GET", ["installation"]) => app_calls::of_repository(world, ask, at),
        ("GET", ["actions", "runs"]) => run_calls::list(world, ask, at),
        ("GET", ["actions", "runs", id]) => run_calls::get(world, ask, at, id),
        ("GET", ["actions", "organization-secrets"]) => repository_calls::shared(world, ask, at, "secrets"),
        ("GET", ["actions", "organization-variables"]) => {
            repository_calls::shared(world, ask, at, "variables")
        }
        (_, ["actions", "secrets", tail @ ..]) => {
            secret_calls::call(world, ask, &Place::Repository(at), tail)
        }
        (_, ["actions", "variables", tail @ ..]) => {
            variable_calls::call(world, ask, &Place::Repository(at), tail)
        }
        (_, ["dependabot", "secrets", tail @ ..]) => {
            secret_calls::call(world, ask, &Place::Dependabot(at), tail)
        }
        (_, ["codespaces", "secrets", tail @ ..]) => {
            secret_calls::call(world, ask, &Place::Codespaces(at), tail)
        }
        ("GET", ["environments"]) => environments::list(world, ask, at),
        (_, ["environments", name]) => environments::call(world, ask, at, name),
        (_, ["environments", name, "secrets", tail @ ..]) => {
            secret_calls::call(world, ask, &environment(name), tail)
        }
        (_, ["environments", name, "variables", tail @ ..]) => {
            variable_calls::call(world, ask, &environment(name), tail)
        }
        _ => Err(Refusal::not_found()),
    }
}

fn in_organization(world: &mut World, ask: &Ask<'_>, login: &str, rest: &[&str]) -> Outcome {
    let at = world
        .github
        .organizations
        .iter()
        .position(|it| it.login.eq_ignore_ascii_case(login));
    let at = at.ok_or_else(Refusal::not_found)?;
    match rest {
        ["actions", "secrets", tail @ ..] => secret_calls::call(world, ask, &Place::Organization(at), tail),
        ["actions", "variables", tail @ ..] => {
            variable_calls::call(world, ask, &Place::Organization(at), tail)
        }
        ["dependabot", "secrets", tail @ ..] => {
            secret_calls::call(world, ask, &Place::OrganizationDependabot(at), tail)
        }
        _ => Err(Refusal::not_found()),
    }
}

/// Whose personal token it is.
fn user(ask: &Ask<'_>) -> Outcome {
    use super::Holder::{Classic, FineGrained};
    match &ask.caller {
        Caller::Token(token) if matches!(token.holder, Classic { .. } | FineGrained { .. }) => Ok(ok(
            &serde_json::json!({ "login": "sandbox", "id": 1, "type": "User" }),
        )),
        Caller::Token(_) => Err(Refusal::forbidden("Resource not accessible by integration")),
        _ => Err(Refusal::unauthorized("Requires authentication")),
    }
}
