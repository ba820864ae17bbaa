//! An edit of an app spec changes the variables that it names and nothing else: undone, it leaves the same bytes.
//!
//! The first line of the input names the place and the variable, the rest is the spec.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use spacekeeper::model::spec::{AppSpec, Env, EnvKind, Place};

fuzz_target!(|text: &str| {
    let Some((line, json)) = text.split_once('\n') else {
        return;
    };
    let Ok(raw) = serde_json::from_str::<Value>(json) else {
        return;
    };
    let (place, key) = line.split_once(' ').unwrap_or(("", line));
    let place = match place {
        "" => Place::App,
        name => Place::Component(name.to_owned()),
    };
    let before = AppSpec::new(raw);
    for kind in [EnvKind::General, EnvKind::Secret] {
        edit(&before, &place, key, kind);
    }
});

fn edit(before: &AppSpec, place: &Place, key: &str, kind: EnvKind) {
    let env = Env {
        key: key.to_owned(),
        value: "a new value".to_owned(),
        kind,
    };
    let Ok(after) = before.with(place, std::slice::from_ref(&env)) else {
        return;
    };
    assert_eq!(after.value(place, key), Some("a new value"));
    assert_eq!(after.with(place, &[env]).as_ref(), Ok(&after), "a second edit changes nothing");
    assert_eq!(without(after.raw(), key), without(before.raw(), key), "nothing else changed");
}

/// The spec without the variables of that name, and without lists of variables that are then empty. What stands there
/// and is no list, such as `null`, is as good as none.
fn without(spec: &Value, key: &str) -> String {
    fn strip(value: &mut Value, key: &str) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| strip(item, key)),
            Value::Object(fields) => {
                if let Some(Value::Array(envs)) = fields.get_mut("envs") {
                    envs.retain(|env| env.get("key").and_then(Value::as_str) != Some(key));
                }
                let is_empty = |envs: &Value| envs.as_array().is_none_or(Vec::is_empty);
                if fields.get("envs").is_some_and(is_empty) {
                    fields.shift_remove("envs");
                }
                fields.values_mut().for_each(|field| strip(field, key));
            }
            _ => {}
        }
    }
    let mut stripped = spec.clone();
    strip(&mut stripped, key);
    stripped.to_string()
}
