//! `/v2/apps`

use http::StatusCode;
use serde_json::{Value, json};

use super::app::App;
use super::call::Call;
use super::deployments;
use super::page::page;
use super::refusal::Refusal;
use super::seal::Seal;
use super::spec;
use crate::clock::rfc3339;
use crate::reply::Reply;
use crate::switches::{PinnedUpdate, Switches};
use crate::world::World;

/// Answers a call under `/v2/apps`, `rest` being the segments after it.
pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Result<Reply, Refusal> {
    match (call.method.as_str(), rest) {
        ("GET", []) => list(world, call),
        ("POST", []) => create(world, call),
        ("POST", ["propose"]) => propose(world, call),
        ("GET", ["regions"]) => regions(call),
        ("GET", [id]) => get(world, call, id),
        ("PUT", [id]) => update(world, call, id),
        (_, [id, rest @ ..]) => deployments::answer(world, call, id, rest),
        _ => Err(Refusal::not_found()),
    }
}

fn list(world: &World, call: &Call) -> Result<Reply, Refusal> {
    call.needs("app:read")?;
    let apps = world.digitalocean.apps.iter();
    let apps: Vec<Value> = apps.map(|app| shown(app, &world.switches)).collect();
    Ok(Reply::json(
        StatusCode::OK,
        &page(call, &world.switches, "apps", &apps),
    ))
}

fn get(world: &World, call: &Call, id: &str) -> Result<Reply, Refusal> {
    call.needs("app:read")?;
    Ok(told(&world.digitalocean.apps[find(world, id)?], &world.switches))
}

fn create(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    call.needs("app:create")?;
    let spec = call.json()?["spec"].take();
    spec::check(&spec, None, &world.switches)?;
    if !name_is_free(world, &spec["name"], None) {
        return Err(Refusal::conflict("an app with this name already exists"));
    }
    let (seal, now) = (Seal::new(), world.clock.now());
    let mut app = App::undeployed(spec::sealed(spec, &seal), seal, now);
    app.deploy("Initial deployment", now, &world.switches);
    let reply = told(&app, &world.switches);
    world.digitalocean.apps.push(app);
    Ok(reply.wrote())
}

/// A full replacement of the spec, with a deployment unless a switch says otherwise.
fn update(world: &mut World, call: &Call, id: &str) -> Result<Reply, Refusal> {
    call.needs("app:update")?;
    let index = find(world, id)?;
    let mut body = call.json()?;
    let feigned = world.switches.updates_without_effect > 0;
    world.switches.updates_without_effect -= u32::from(feigned);
    let (now, switches) = (world.clock.now(), &world.switches);
    let mut copy = world.digitalocean.apps[index].clone();
    let app = if feigned {
        &mut copy
    } else {
        &mut world.digitalocean.apps[index]
    };
    let wanted = body["spec"].take();
    spec::check(&wanted, Some(&app.seal), switches)?;
    let deploys = deploys(app, &wanted, switches)?;
    app.replace_spec(wanted, now);
    if let Some(deployment) = deploys
        .then(|| app.deploy("Manual update", now, switches))
        .flatten()
    {
        deployment.ships_new_source = body["update_all_source_versions"] == true;
    }
    Ok(told(app, switches).wrote())
}

/// Whether an update of this app to this spec makes a deployment; refused if there can be no update.
fn deploys(app: &App, wanted: &Value, switches: &Switches) -> Result<bool, Refusal> {
    let pinned = Some(switches.pinned_update).filter(|_| app.pinned.is_some());
    let differs = || spec::shown(wanted, switches) != spec::shown(&app.spec, switches);
    match pinned {
        Some(PinnedUpdate::Refused) => Err(Refusal::bad_request("the app is pinned to a deployment")),
        Some(PinnedUpdate::OnlyStored) => Ok(false),
        Some(PinnedUpdate::Deploys) | None => {
            Ok(switches.update_deploys && (switches.identical_spec_deploys || differs()))
        }
    }
}

/// Checks a spec without touching anything.
fn propose(world: &World, call: &Call) -> Result<Reply, Refusal> {
    call.needs("app:read")?;
    let body = call.json()?;
    let app = match body["app_id"].as_str().filter(|id| !id.is_empty()) {
        Some(id) => Some(&world.digitalocean.apps[find(world, id)?]),
        None => None,
    };
    let seal = app
        .map(|app| &app.seal)
        .filter(|_| world.switches.propose_accepts_sealed);
    let spec = &body["spec"];
    spec::check(spec, seal, &world.switches)?;
    let mut answer = json!({ "spec": spec::shown(spec, &world.switches), "app_cost": 5 });
    if name_is_free(world, &spec["name"], app) {
        answer["app_name_available"] = Value::from(true);
    } else {
        let name = spec["name"].as_str().unwrap_or_default();
        answer["app_name_suggestion"] = Value::from(format!("{name}-2"));
    }
    Ok(Reply::json(StatusCode::OK, &answer))
}

fn regions(call: &Call) -> Result<Reply, Refusal> {
    call.needs("app:read")?;
    let regions = [
        ("nyc", "New York"),
        ("sfo", "San Francisco"),
        ("ams", "Amsterdam"),
        ("fra", "Frankfurt"),
    ];
    let regions = regions.map(|(slug, label)| json!({ "slug": slug, "label": label }));
    Ok(Reply::json(StatusCode::OK, &json!({ "regions": regions })))
}

/// The place of an app in the account.
pub(super) fn find(world: &World, id: &str) -> Result<usize, Refusal> {
    let mut apps = world.digitalocean.apps.iter();
    apps.position(|app| app.id == id).ok_or_else(Refusal::not_found)
}

/// Whether no app but `own` has the name.
fn name_is_free(world: &World, name: &Value, own: Option<&App>) -> bool {
    let others = world.digitalocean.apps.iter();
    let mut others = others.filter(|app| own.is_none_or(|own| own.id != app.id));
    others.all(|app| name != app.name())
}

fn told(app: &App, switches: &Switches) -> Reply {
    Reply::json(StatusCode::OK, &json!({ "app": shown(app, switches) }))
}

/// An app as replies show it; what there is none of is left out.
fn shown(app: &App, switches: &Switches) -> Value {
    let mut value = json!({
        "id": app.id,
        "spec": spec::shown(&app.spec, switches),
        "region": { "slug": app.spec["region"].as_str().unwrap_or("nyc") },
        "created_at": rfc3339(app.created_at),
        "updated_at": rfc3339(app.updated_at),
    });
    if let Some(last) = app.deployments.last() {
        value["last_deployment_created_at"] = Value::from(rfc3339(last.created_at));
    }
    if let Some(ingress) = app.url() {
        value["default_ingress"] = Value::from(ingress.as_str());
        value["live_url"] = Value::from(ingress);
    }
    let standing = app.standing();
    for (name, deployment) in standing.filter(|(_, deployment)| deployment.is_visible(switches)) {
        value[format!("{name}_deployment")] = deployments::shown(deployment, switches);
    }
    value
}
