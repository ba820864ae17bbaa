//! The calls on environments as such.

use http::StatusCode;
use serde_json::{Value, json};

use super::ask::Ask;
use super::authorize::{Need, in_repository};
use super::paging::{USUAL, page};
use super::refusal::{Outcome, Refusal, ok};
use super::{Access, Environment};
use crate::World;
use crate::clock::rfc3339;
use crate::reply::Reply;

/// The longest wait timer, in minutes: thirty days.
const WAIT_LIMIT_MINUTES: i64 = 43_200;

pub(super) fn list(world: &World, ask: &Ask<'_>, at: usize) -> Outcome {
    let repository = &world.github.repositories[at];
    in_repository(&ask.caller, repository, Need::open(&["actions"]))?;
    let items = repository.environments.values().map(shown).collect();
    Ok(page(ask, &world.switches, USUAL, "environments", items))
}

/// Answers a call on one environment.
pub(super) fn call(world: &mut World, ask: &Ask<'_>, at: usize, name: &str) -> Outcome {
    let repository = &world.github.repositories[at];
    let need = match ask.method.as_str() {
        "GET" => Need::open(&["actions"]),
        "PUT" | "DELETE" => Need::closed(&["administration"], Access::Write),
        _ => return Err(Refusal::not_found()),
    };
    in_repository(&ask.caller, repository, need)?;
    match ask.method.as_str() {
        "GET" => repository
            .environment(name)
            .map(|it| ok(&shown(it)))
            .ok_or_else(Refusal::not_found),
        "PUT" => put(world, ask, at, name),
        _ => delete(world, at, name),
    }
}

/// Creates the environment, or replaces all its protection settings.
fn put(world: &mut World, ask: &Ask<'_>, at: usize, name: &str) -> Outcome {
    let body = ask.optional_object()?;
    let wait = body.get("wait_timer").and_then(Value::as_i64).unwrap_or_default();
    if name.is_empty() || name.len() > 255 || !(0..=WAIT_LIMIT_MINUTES).contains(&wait) {
        return Err(Refusal::unprocessable("Validation Failed"));
    }
    let environment = world.github.repositories[at].add_environment(name, ask.now);
    environment.protection = Value::Object(body);
    Ok(ok(&shown(environment)).wrote())
}

fn delete(world: &mut World, at: usize, name: &str) -> Outcome {
    let environments = &mut world.github.repositories[at].environments;
    environments
        .remove(&name.to_lowercase())
        .ok_or_else(Refusal::not_found)?;
    Ok(Reply::empty(StatusCode::NO_CONTENT).wrote())
}

fn shown(environment: &Environment) -> Value {
    json!({
        "id": environment.id,
        "name": environment.name,
        "created_at": rfc3339(environment.created_at),
        "updated_at": rfc3339(environment.created_at),
        "protection_rules": [],
        "deployment_branch_policy": environment.protection.get("deployment_branch_policy"),
    })
}
