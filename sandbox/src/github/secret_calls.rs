//! The calls on secrets, the same for every store.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::ask::{Ask, required};
use super::names::{check_count, check_length, check_name};
use super::organization::Sharing;
use super::paging::{USUAL, page};
use super::place::Place;
use super::refusal::{Outcome, Refusal, json as reply, ok};
use super::variable_calls::{selected, selected_json, sharing};
use super::{Access, Secret};
use crate::World;
use crate::clock::rfc3339;
use crate::reply::Reply;

/// What GitHub says of a value that is not padded standard base64.
const BASE64_PATTERN: &str =
    r"/^(?:[A-Za-z0-9+\/]{4})*(?:[A-Za-z0-9+\/]{2}==|[A-Za-z0-9+\/]{3}=|[A-Za-z0-9+\/]{4})$/";
/// What it says of a value that was not sealed for its key.
const NOT_SEALED: &str = "Bad request - validation failed due to an improperly encrypted secret";

/// Answers a call on a store; `tail` is the path below it.
pub(super) fn call(world: &mut World, ask: &Ask<'_>, place: &Place, tail: &[&str]) -> Outcome {
    let access = if ask.method == Method::GET {
        Access::Read
    } else {
        Access::Write
    };
    place.open_secrets(&world.github, &world.switches, &ask.caller, access)?;
    match (ask.method.as_str(), tail) {
        ("GET", []) => list(world, ask, place),
        ("GET", ["public-key"]) => public_key(world, place),
        ("GET", [name]) => get(world, place, name),
        ("PUT", [name]) => put(world, ask, place, name),
        ("DELETE", [name]) => delete(world, place, name),
        ("GET", [name, "repositories"]) => repositories(world, place, name),
        ("PUT", [name, "repositories"]) => {
            let ids = selected(&ask.object()?)?;
            share(world, ask, place, name, |repositories| *repositories = ids)
        }
        ("PUT", [name, "repositories", id]) => {
            let id = number(id)?;
            share(world, ask, place, name, |repositories| repositories.push(id))
        }
        ("DELETE", [name, "repositories", id]) => {
            let id = number(id)?;
            share(world, ask, place, name, |repositories| {
                repositories.retain(|known| *known != id);
            })
        }
        _ => Err(Refusal::not_found()),
    }
}

fn list(world: &mut World, ask: &Ask<'_>, place: &Place) -> Outcome {
    let secrets = place.secrets(&mut world.github)?;
    let items = secrets.iter().map(|(name, secret)| shown(name, secret)).collect();
    Ok(page(ask, &world.switches, USUAL, "secrets", items))
}

/// Tells the public key, and replaces it right after if the switch says so.
fn public_key(world: &mut World, place: &Place) -> Outcome {
    let secrets = place.secrets(&mut world.github)?;
    let answer = json!({ "key_id": secrets.key().id(), "key": secrets.key().public_key() });
    if world.switches.public_key_rotations > 0 {
        world.switches.public_key_rotations -= 1;
        secrets.rotate_key();
    }
    Ok(ok(&answer))
}

fn get(world: &mut World, place: &Place, name: &str) -> Outcome {
    let secrets = place.secrets(&mut world.github)?;
    let secret = secrets.get(name).ok_or_else(Refusal::not_found)?;
    Ok(ok(&shown(&name.to_ascii_uppercase(), secret)))
}

fn put(world: &mut World, ask: &Ask<'_>, place: &Place, name: &str) -> Outcome {
    check_name("Secret", name)?;
    let body = ask.object()?;
    let sharing = if place.is_shared() {
        Some(sharing(&body)?)
    } else {
        None
    };
    let value = opened(world, place, &body)?;
    check_length("Secret", value.len())?;
    let secrets = place.secrets(&mut world.github)?;
    if secrets.get(name).is_none() {
        check_count("Secrets", secrets.iter().len(), place.secret_limit())?;
    }
    let is_new = secrets.set(name, value, ask.now);
    if let Some(secret) = secrets.get_mut(name) {
        secret.sharing = sharing;
    }
    Ok(written(is_new, world.switches.new_secret_status))
}

fn delete(world: &mut World, place: &Place, name: &str) -> Outcome {
    let secrets = place.secrets(&mut world.github)?;
    secrets.remove(name).ok_or_else(Refusal::not_found)?;
    Ok(Reply::empty(StatusCode::NO_CONTENT).wrote())
}

fn repositories(world: &mut World, place: &Place, name: &str) -> Outcome {
    let secrets = place.secrets(&mut world.github)?;
    let shared = secrets.get(name).and_then(|secret| secret.sharing.clone());
    let ids = shared.ok_or_else(Refusal::not_found)?.repositories;
    Ok(ok(&selected_json(&world.github, &ids)))
}

/// Shares an organization's secret with other repositories; that moves its `updated_at` too.
fn share(
    world: &mut World,
    ask: &Ask<'_>,
    place: &Place,
    name: &str,
    change: impl FnOnce(&mut Vec<u64>),
) -> Outcome {
    let secret = place
        .secrets(&mut world.github)?
        .get_mut(name)
        .ok_or_else(Refusal::not_found)?;
    let sharing = secret.sharing.as_mut().ok_or_else(Refusal::not_found)?;
    change(&mut sharing.repositories);
    secret.updated_at = ask.now;
    Ok(Reply::empty(StatusCode::NO_CONTENT).wrote())
}

fn number(id: &str) -> Result<u64, Refusal> {
    id.parse().map_err(|_| Refusal::not_found())
}

/// Opens what was sealed, or says in GitHub's words why it does not open.
fn opened(world: &mut World, place: &Place, body: &Map<String, Value>) -> Result<Vec<u8>, Refusal> {
    let key_id: String = required(body, "key_id")?;
    let sealed: String = required(body, "encrypted_value")?;
    let sealed = STANDARD.decode(&sealed).map_err(|_| {
        Refusal::unprocessable(format!(
            "Invalid request.\n\n{sealed} does not match {BASE64_PATTERN}."
        ))
    })?;
    let checks_id = world.switches.key_id_must_match;
    let key = place.secrets(&mut world.github)?.key();
    let fits = !checks_id || key.id() == key_id;
    let value = if fits { key.open(&sealed) } else { None };
    value.ok_or_else(|| Refusal::unprocessable(NOT_SEALED))
}

/// What a list or a GET shows: everything but the value.
pub(super) fn shown(name: &str, secret: &Secret) -> Value {
    let mut shown = json!({
        "name": name,
        "created_at": rfc3339(secret.created_at),
        "updated_at": rfc3339(secret.updated_at),
    });
    if let Some(Sharing { visibility, .. }) = &secret.sharing {
        shown["visibility"] = visibility.as_str().into();
    }
    shown
}

fn written(is_new: bool, new_status: StatusCode) -> Reply {
    if is_new && new_status == StatusCode::CREATED {
        reply(StatusCode::CREATED, &json!({})).wrote()
    } else {
        Reply::empty(StatusCode::NO_CONTENT).wrote()
    }
}
