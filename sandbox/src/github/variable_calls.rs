//! The calls on variables, the same for every place that has them.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::ask::{Ask, optional, required};
use super::names::{check_count, check_length, check_name};
use super::organization::Sharing;
use super::paging::{PageSize, page};
use super::place::Place;
use super::refusal::{Outcome, Refusal, json as reply, ok};
use super::{Access, GitHub, Variable};
use crate::World;
use crate::clock::rfc3339;
use crate::reply::Reply;

/// Lists of variables are shorter than others.
const PAGE_SIZE: PageSize = PageSize {
    default: 10,
    most: 30,
};

/// Answers a call on the variables of a place; `tail` is the path below them.
pub(super) fn call(world: &mut World, ask: &Ask<'_>, place: &Place, tail: &[&str]) -> Outcome {
    let access = if ask.method == Method::GET {
        Access::Read
    } else {
        Access::Write
    };
    place.open_variables(&world.github, &world.switches, &ask.caller, access)?;
    match (ask.method.as_str(), tail) {
        ("GET", []) => list(world, ask, place),
        ("POST", []) => create(world, ask, place),
        ("GET", [name]) => get(world, place, name),
        ("PATCH", [name]) => update(world, ask, place, name),
        ("DELETE", [name]) => delete(world, place, name),
        ("GET", [name, "repositories"]) => repositories(world, place, name),
        _ => Err(Refusal::not_found()),
    }
}

/// How an organization's secret or variable is to be shared, from the body of its PUT or POST.
pub(super) fn sharing(body: &Map<String, Value>) -> Result<Sharing, Refusal> {
    let visibility: String = required(body, "visibility")?;
    if !["all", "private", "selected"].contains(&visibility.as_str()) {
        return Err(Refusal::unprocessable(
            "Invalid request.\n\nvisibility must be one of all, private, selected.",
        ));
    }
    Ok(Sharing {
        visibility,
        repositories: selected(body)?,
    })
}

/// The selected repositories of a body: numbers, or numbers in strings.
pub(super) fn selected(body: &Map<String, Value>) -> Result<Vec<u64>, Refusal> {
    let ids: Option<Vec<Value>> = optional(body, "selected_repository_ids")?;
    let number = |id: &Value| id.as_u64().or_else(|| id.as_str()?.parse().ok());
    let ids: Option<Vec<u64>> = ids.unwrap_or_default().iter().map(number).collect();
    ids.ok_or_else(|| Refusal::unprocessable("Invalid request.\n\nselected_repository_ids must be numbers."))
}

/// The selected repositories as they are listed.
pub(super) fn selected_json(github: &GitHub, ids: &[u64]) -> Value {
    let of = |id: &u64| github.repositories.iter().find(|repository| repository.id == *id);
    let shown: Vec<_> = ids
        .iter()
        .filter_map(of)
        .map(|repository| json!({ "id": repository.id, "full_name": repository.full_name }))
        .collect();
    json!({ "total_count": shown.len(), "repositories": shown })
}

fn list(world: &mut World, ask: &Ask<'_>, place: &Place) -> Outcome {
    let variables = place.variables(&mut world.github)?;
    let items = variables
        .iter()
        .map(|(name, variable)| shown(name, variable))
        .collect();
    Ok(page(ask, &world.switches, PAGE_SIZE, "variables", items))
}

fn create(world: &mut World, ask: &Ask<'_>, place: &Place) -> Outcome {
    let body = ask.object()?;
    let (name, value): (String, String) = (required(&body, "name")?, required(&body, "value")?);
    check_name("Variable", &name)?;
    check_value(world, &value)?;
    let sharing = if place.is_shared() {
        Some(sharing(&body)?)
    } else {
        None
    };
    let variables = place.variables(&mut world.github)?;
    if variables.get(&name).is_some() {
        return Err(already_exists());
    }
    check_count("Variables", variables.iter().len(), place.variable_limit())?;
    variables.set(&name, value, ask.now);
    if let Some(variable) = variables.get_mut(&name) {
        variable.sharing = sharing;
    }
    Ok(reply(StatusCode::CREATED, &json!({})).wrote())
}

fn get(world: &mut World, place: &Place, name: &str) -> Outcome {
    let variables = place.variables(&mut world.github)?;
    let variable = variables.get(name).ok_or_else(Refusal::not_found)?;
    Ok(ok(&shown(&name.to_ascii_uppercase(), variable)))
}

/// Changes the value, the name, or both.
fn update(world: &mut World, ask: &Ask<'_>, place: &Place, name: &str) -> Outcome {
    let body = ask.object()?;
    let value: Option<String> = optional(&body, "value")?;
    let new_name: Option<String> = optional(&body, "name")?;
    let new_name = new_name.filter(|new_name| !new_name.eq_ignore_ascii_case(name));
    value.as_ref().map_or(Ok(()), |value| check_value(world, value))?;
    let variables = place.variables(&mut world.github)?;
    variables.get(name).ok_or_else(Refusal::not_found)?;
    if let Some(new_name) = &new_name {
        check_name("Variable", new_name)?;
        if variables.get(new_name).is_some() {
            return Err(already_exists());
        }
    }
    if let Some(value) = value {
        variables.set(name, value, ask.now);
    }
    if let Some(new_name) = new_name {
        variables.rename(name, &new_name);
    }
    Ok(Reply::empty(StatusCode::NO_CONTENT).wrote())
}

fn delete(world: &mut World, place: &Place, name: &str) -> Outcome {
    let variables = place.variables(&mut world.github)?;
    variables.remove(name).ok_or_else(Refusal::not_found)?;
    Ok(Reply::empty(StatusCode::NO_CONTENT).wrote())
}

fn repositories(world: &mut World, place: &Place, name: &str) -> Outcome {
    let variables = place.variables(&mut world.github)?;
    let shared = variables.get(name).and_then(|variable| variable.sharing.clone());
    let ids = shared.ok_or_else(Refusal::not_found)?.repositories;
    Ok(ok(&selected_json(&world.github, &ids)))
}

fn check_value(world: &World, value: &str) -> Result<(), Refusal> {
    if value.is_empty() && !world.switches.empty_variables_accepted {
        return Err(Refusal::unprocessable("Variable value cannot be empty."));
    }
    check_length("Variable", value.len())
}

fn already_exists() -> Refusal {
    Refusal::new(StatusCode::CONFLICT, "Already exists - Variable already exists")
}

/// What a list or a GET shows.
pub(super) fn shown(name: &str, variable: &Variable) -> Value {
    let mut shown = json!({
        "name": name,
        "value": variable.value,
        "created_at": rfc3339(variable.created_at),
        "updated_at": rfc3339(variable.updated_at),
    });
    if let Some(Sharing { visibility, .. }) = &variable.sharing {
        shown["visibility"] = visibility.as_str().into();
    }
    shown
}
