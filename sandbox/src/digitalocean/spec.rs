//! App specs as raw JSON: checking them, sealing their secrets, looking into them.

use std::collections::HashSet;

use serde_json::Value;

use super::refusal::Refusal;
use super::seal::{Seal, is_sealed};
use crate::switches::Switches;

/// The lists of a spec whose items are components.
const COMPONENT_LISTS: [&str; 6] = [
    "services",
    "workers",
    "jobs",
    "static_sites",
    "functions",
    "databases",
];

/// The longest name of an app or component.
const NAME_LENGTH: usize = 32;

/// Refuses what App Platform refuses, naming the first problem only.
pub(super) fn check(spec: &Value, seal: Option<&Seal>, switches: &Switches) -> Result<(), Refusal> {
    if !spec.is_object() {
        return Err(Refusal::bad_request("spec is required"));
    }
    check_name("name", &spec["name"])?;
    let mut seen = HashSet::new();
    for (list, component) in components(spec) {
        let field = format!("{list}.name");
        check_name(&field, &component["name"])?;
        if !seen.insert(component["name"].as_str()) {
            return Err(invalid(&field, "names must be unique"));
        }
    }
    env_lists(spec).try_for_each(|(_, envs)| check_envs(envs, seal, switches))
}

/// The spec as the app keeps it: secret values sealed, everything else as it came.
pub(super) fn sealed(mut spec: Value, seal: &Seal) -> Value {
    for env in envs_mut(&mut spec) {
        if env["type"] != "SECRET" {
            continue;
        }
        match env["value"].as_str() {
            None | Some("") => {}
            Some(value) if is_sealed(value) => {}
            Some(value) => env["value"] = Value::from(seal.seal(value)),
        }
    }
    spec
}

/// The spec as replies show it.
pub(super) fn shown(spec: &Value, switches: &Switches) -> Value {
    let mut spec = spec.clone();
    if switches.general_is_omitted {
        for env in envs_mut(&mut spec) {
            if let Some(env) = env
                .as_object_mut()
                .filter(|env| env.get("type") == Some(&Value::from("GENERAL")))
            {
                env.shift_remove("type");
            }
        }
    }
    spec
}

/// The entry of a variable at app level, or at a component's.
pub(super) fn env<'a>(spec: &'a Value, component: Option<&str>, key: &str) -> Option<&'a Value> {
    let (_, envs) = env_lists(spec).find(|(name, _)| *name == component)?;
    envs.iter().find(|env| env["key"] == key)
}

/// Where a variable is, and its value in plain text: `SPACES_SECRET_KEY of api`.
pub(super) fn opened<'a>(spec: &'a Value, seal: &Seal) -> impl Iterator<Item = (String, String)> + use<'a> {
    let seal = seal.clone();
    env_lists(spec).flat_map(move |(component, envs)| {
        let of = component.map_or_else(String::new, |name| format!(" of {name}"));
        let seal = seal.clone();
        envs.iter().filter_map(move |env| {
            let value = plain(env, &seal)?;
            Some((format!("{}{of}", env["key"].as_str()?), value))
        })
    })
}

/// The value of an entry in plain text.
pub(super) fn plain(env: &Value, seal: &Seal) -> Option<String> {
    let value = env["value"].as_str()?;
    if is_sealed(value) {
        return seal.open(value);
    }
    Some(value.to_owned())
}

/// The names of all components that run.
pub(super) fn component_names(spec: &Value) -> Vec<String> {
    let running = components(spec).filter(|(list, _)| *list != "databases");
    running
        .filter_map(|(_, component)| component["name"].as_str().map(str::to_owned))
        .collect()
}

fn components(spec: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    COMPONENT_LISTS.into_iter().flat_map(|list| {
        spec[list]
            .as_array()
            .into_iter()
            .flatten()
            .map(move |item| (list, item))
    })
}

/// The variables of the app, under `None`, and of each component.
fn env_lists(spec: &Value) -> impl Iterator<Item = (Option<&str>, &Vec<Value>)> {
    let of_app = spec["envs"].as_array().map(|envs| (None, envs));
    let of_components = components(spec)
        .filter_map(|(_, component)| Some((component["name"].as_str(), component["envs"].as_array()?)));
    of_app.into_iter().chain(of_components)
}

fn envs_mut(spec: &mut Value) -> Vec<&mut Value> {
    let mut all = Vec::new();
    let fields = spec.as_object_mut().into_iter().flat_map(|spec| spec.iter_mut());
    for (name, value) in fields {
        if name == "envs" {
            all.extend(value.as_array_mut().into_iter().flatten());
        } else if COMPONENT_LISTS.contains(&name.as_str()) {
            let components = value.as_array_mut().into_iter().flatten();
            let envs = components.filter_map(|component| component.get_mut("envs")?.as_array_mut());
            all.extend(envs.flatten());
        }
    }
    all
}

fn check_envs(envs: &[Value], seal: Option<&Seal>, switches: &Switches) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    for env in envs {
        let key = env["key"].as_str().filter(|key| is_variable_name(key));
        let key = key.ok_or_else(|| invalid("envs.key", "must be a variable name"))?;
        if !seen.insert(key) {
            return Err(invalid("envs.key", &format!("duplicate key {key}")));
        }
        check_value(env, seal, switches)?;
    }
    Ok(())
}

fn check_value(env: &Value, seal: Option<&Seal>, switches: &Switches) -> Result<(), Refusal> {
    let value = env["value"].as_str().unwrap_or_default();
    if !is_sealed(value) {
        return Ok(());
    }
    if env["type"] != "SECRET" {
        let refused = switches.general_refuses_sealed;
        return if refused { Err(foreign()) } else { Ok(()) };
    }
    match seal.and_then(|seal| seal.open(value)) {
        Some(_) => Ok(()),
        None => Err(foreign()),
    }
}

fn foreign() -> Refusal {
    invalid("envs.value", "encrypted value does not belong to this app")
}

fn check_name(field: &str, name: &Value) -> Result<(), Refusal> {
    let good = name.as_str().is_some_and(is_name);
    good.then_some(()).ok_or_else(|| {
        invalid(
            field,
            "must be 2 to 32 of a-z, 0-9 and -, beginning with a letter",
        )
    })
}

fn is_name(name: &str) -> bool {
    (2..=NAME_LENGTH).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_variable_name(key: &str) -> bool {
    !key.is_empty()
        && !key.starts_with(|c: char| c.is_ascii_digit())
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn invalid(field: &str, problem: &str) -> Refusal {
    Refusal::bad_request(format!("error validating app spec field \"{field}\": {problem}"))
}
