//! `/v2/apps/{id}/deployments`, and what else makes deployments.

use http::StatusCode;
use serde_json::{Value, json};

use super::apps::find;
use super::call::Call;
use super::deployment::{Deployment, Phase};
use super::logs;
use super::page::page_of;
use super::progress::progress;
use super::refusal::Refusal;
use super::spec;
use crate::clock::rfc3339;
use crate::reply::Reply;
use crate::switches::Switches;
use crate::world::World;

/// Answers a call under `/v2/apps/{id}`, `rest` being the segments after it.
pub(super) fn answer(world: &mut World, call: &Call, id: &str, rest: &[&str]) -> Result<Reply, Refusal> {
    let app = find(world, id)?;
    match (call.method.as_str(), rest) {
        ("GET", ["deployments"]) => list(world, call, app),
        ("POST", ["deployments"]) => create(world, call, app, true),
        ("POST", ["restart"]) => create(world, call, app, false),
        ("GET", ["deployments", id]) => get(world, call, app, id),
        ("POST", ["deployments", id, "cancel"]) => cancel(world, call, app, id),
        ("GET", ["deployments", id, "logs"] | ["deployments", id, "components", _, "logs"]) => {
            logs::answer(world, call, app, id)
        }
        _ => Err(Refusal::not_found()),
    }
}

fn list(world: &World, call: &Call, app: usize) -> Result<Reply, Refusal> {
    call.needs("app:read")?;
    let deployments = world.digitalocean.apps[app].deployments.iter().rev();
    let visible = deployments.filter(|deployment| deployment.is_visible(&world.switches));
    let newest_first: Vec<&Deployment> = visible.collect();
    let body = page_of(call, &world.switches, "deployments", &newest_first, |one| {
        shown(one, &world.switches)
    });
    Ok(Reply::json(StatusCode::OK, &body))
}

fn get(world: &World, call: &Call, app: usize, id: &str) -> Result<Reply, Refusal> {
    call.needs("app:read")?;
    let deployment = world.digitalocean.apps[app].deployment(id);
    let deployment = deployment.filter(|deployment| deployment.is_visible(&world.switches));
    Ok(told(deployment.ok_or_else(Refusal::not_found)?, &world.switches))
}

/// Deploys the present spec once more; only a restart keeps the source.
fn create(world: &mut World, call: &Call, app: usize, with_new_source: bool) -> Result<Reply, Refusal> {
    call.needs("app:update")?;
    call.optional_json()?;
    let cause = if with_new_source {
        "Manual deployment"
    } else {
        "Manual restart"
    };
    let app = &mut world.digitalocean.apps[app];
    let made = app.deploy(cause, world.clock.now(), &world.switches);
    let made = made.ok_or_else(|| Refusal::bad_request("no deployment was created"))?;
    made.ships_new_source = with_new_source;
    Ok(told(made, &world.switches).wrote())
}

fn cancel(world: &mut World, call: &Call, app: usize, id: &str) -> Result<Reply, Refusal> {
    call.needs("app:update")?;
    let now = world.clock.now();
    let mut deployments = world.digitalocean.apps[app].deployments.iter_mut();
    let deployment = deployments.find(|deployment| deployment.id == id);
    let deployment = deployment.ok_or_else(Refusal::not_found)?;
    if deployment.phase.is_terminal() {
        return Err(Refusal::bad_request("the deployment cannot be canceled"));
    }
    deployment.enter(Phase::Canceled, now);
    Ok(told(deployment, &world.switches).wrote())
}

fn told(deployment: &Deployment, switches: &Switches) -> Reply {
    let body = json!({ "deployment": shown(deployment, switches) });
    Reply::json(StatusCode::OK, &body)
}

/// A deployment as replies show it.
pub(super) fn shown(deployment: &Deployment, switches: &Switches) -> Value {
    let updated_at = rfc3339(deployment.updated_at);
    let mut value = json!({
        "id": deployment.id,
        "spec": spec::shown(&deployment.spec, switches),
        "phase": deployment.phase.word(),
        "cause": deployment.cause,
        "cause_details": { "type": "MANUAL" },
        "created_at": rfc3339(deployment.created_at),
        "updated_at": updated_at,
        "phase_last_updated_at": updated_at,
        "progress": progress(deployment),
    });
    // Left out where there is none (`omitempty` of godo's `Deployment`).
    if let Some(previous) = &deployment.previous {
        value["previous_deployment_id"] = Value::from(previous.as_str());
    }
    value
}
