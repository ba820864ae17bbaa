//! The app spec as raw JSON, and the one change we make to it: the values of named environment variables.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::key::AccessKeyId;

/// The spec of an app, exactly as the API sent it: unknown fields, their order, `EV[…]` and `${…}` values included.
///
/// A typed spec would drop what it does not know (the `OpenAPI` description lacks even the top-level `envs`), and a
/// `PUT /v2/apps/{id}` removes all that is missing.
#[derive(Debug, Clone, PartialEq)]
pub struct AppSpec(Value);

/// One environment variable as it shall stand in a spec.
#[derive(Clone, PartialEq, Eq)]
pub struct Env {
    /// Its key.
    pub key: String,
    /// Its value. Never logged: a `Secret` one is a secret access key.
    pub value: String,
    /// How the platform keeps it.
    pub kind: EnvKind,
}

/// How the platform keeps an environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvKind {
    /// Readable by everyone who may read the app.
    General,
    /// Encrypted; later reads show `EV[…]`. Given to the app at run time only.
    Secret,
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Env")
            .field("key", &self.key)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Where in a spec the variables stand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Top-level `envs`, seen by every component.
    App,
    /// The `envs` of one component.
    Component(String),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::App => f.write_str("the app"),
            Self::Component(name) => write!(f, "component {name}"),
        }
    }
}

/// The component does not exist in this spec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the app has no component `{missing}`; it has {}", list(.present))]
pub struct NoSuchComponent {
    missing: String,
    present: Vec<String>,
}

/// The parts of a spec whose elements carry `envs`; databases carry none.
const COMPONENT_KINDS: [&str; 5] = ["services", "workers", "jobs", "static_sites", "functions"];

/// How the platform shows a value that it has encrypted.
const ENCRYPTED: &str = "EV[";

impl AppSpec {
    /// Takes the `spec` of an app as it came.
    #[must_use]
    pub fn new(raw: Value) -> Self {
        Self(raw)
    }

    /// The whole spec, to be sent back.
    #[must_use]
    pub fn raw(&self) -> &Value {
        &self.0
    }

    /// The app's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.get("name").and_then(Value::as_str).unwrap_or_default()
    }

    /// The names of all components that can have variables, in the spec's order.
    #[must_use]
    pub fn components(&self) -> Vec<String> {
        self.component_values()
            .filter_map(component_name)
            .map(str::to_owned)
            .collect()
    }

    /// The value of a variable as the spec shows it; `EV[…]` for a secret.
    #[must_use]
    pub fn value(&self, place: &Place, key: &str) -> Option<&str> {
        self.entry(place, key)?.get("value").and_then(Value::as_str)
    }

    /// Whether a variable stands there encrypted.
    #[must_use]
    pub fn holds_secret(&self, place: &Place, key: &str) -> bool {
        self.value(place, key)
            .is_some_and(|value| value.starts_with(ENCRYPTED))
    }

    /// Whether any variable anywhere in the spec is this key's id.
    #[must_use]
    pub fn names(&self, id: &AccessKeyId) -> bool {
        let everywhere = self.component_values().chain(std::iter::once(&self.0));
        let mut entries = everywhere
            .filter_map(|part| part.get("envs")?.as_array())
            .flatten();
        entries.any(|entry| entry.get("value").and_then(Value::as_str) == Some(id.as_str()))
    }

    /// Whether this key's id stands anywhere in the spec, be it within a longer text such as a URL.
    #[must_use]
    pub fn mentions(&self, id: &AccessKeyId) -> bool {
        mentions(&self.0, id.as_str())
    }

    /// Every Spaces key that the spec names in a variable: by an id that is among `known`, or by a text that looks like
    /// one.
    #[must_use]
    pub fn held_keys(&self, known: &BTreeSet<AccessKeyId>) -> BTreeSet<(Place, AccessKeyId)> {
        let of_app = std::iter::once((Place::App, &self.0));
        let of_components = self.component_values().filter_map(|component| {
            let name = component_name(component)?;
            Some((Place::Component(name.to_owned()), component))
        });
        let parts = of_app.chain(of_components);
        let held = parts.flat_map(|(place, part)| {
            let ids = values(part).filter_map(|text| text.parse::<AccessKeyId>().ok());
            let ids = ids.filter(|id| known.contains(id) || looks_like_key_id(id.as_str()));
            ids.map(move |id| (place.clone(), id)).collect::<Vec<_>>()
        });
        held.collect()
    }

    /// Whether `env` already stands there: same value, kept in the same way. A secret counts when it is encrypted,
    /// since its value cannot be read.
    #[must_use]
    pub fn has(&self, place: &Place, env: &Env) -> bool {
        match env.kind {
            EnvKind::Secret => self.holds_secret(place, &env.key),
            EnvKind::General => {
                self.value(place, &env.key) == Some(&env.value) && !self.is_typed_secret(place, &env.key)
            }
        }
    }

    /// Components that have a variable of their own under `key` although the app's is the one that is written:
    /// what a component says wins.
    #[must_use]
    pub fn shadows(&self, key: &str) -> Vec<String> {
        let shadowing = |component: &&Value| {
            component
                .get("envs")
                .is_some_and(|envs| position(envs, key).is_some())
        };
        self.component_values()
            .filter(shadowing)
            .filter_map(component_name)
            .map(str::to_owned)
            .collect()
    }

    /// The spec with these variables at this place, and nothing else changed.
    pub fn with(&self, place: &Place, envs: &[Env]) -> Result<Self, NoSuchComponent> {
        let mut edited = self.clone();
        let Some(part) = edited.part_mut(place) else {
            let missing = place.component().to_owned();
            return Err(NoSuchComponent {
                missing,
                present: self.components(),
            });
        };
        for env in envs {
            set(part, env);
        }
        Ok(edited)
    }

    fn entry(&self, place: &Place, key: &str) -> Option<&Value> {
        let part = match place {
            Place::App => &self.0,
            Place::Component(name) => self
                .component_values()
                .find(|value| component_name(value) == Some(name))?,
        };
        let envs = part.get("envs")?;
        envs.get(position(envs, key)?)
    }

    fn is_typed_secret(&self, place: &Place, key: &str) -> bool {
        let kind = self
            .entry(place, key)
            .and_then(|entry| entry.get("type"))
            .and_then(Value::as_str);
        kind == Some("SECRET")
    }

    fn component_values(&self) -> impl Iterator<Item = &Value> {
        COMPONENT_KINDS
            .iter()
            .filter_map(|kind| self.0.get(kind)?.as_array())
            .flatten()
    }

    fn part_mut(&mut self, place: &Place) -> Option<&mut Map<String, Value>> {
        let Place::Component(name) = place else {
            return self.0.as_object_mut();
        };
        let spec = self.0.as_object_mut()?;
        let parts = spec
            .iter_mut()
            .filter(|(kind, _)| COMPONENT_KINDS.contains(&kind.as_str()));
        let mut components = parts.filter_map(|(_, value)| value.as_array_mut()).flatten();
        components
            .find(|value| component_name(value) == Some(name))?
            .as_object_mut()
    }
}

impl Place {
    fn component(&self) -> &str {
        match self {
            Self::App => "",
            Self::Component(name) => name,
        }
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

fn mentions(value: &Value, id: &str) -> bool {
    match value {
        Value::String(text) => has_word(text, id),
        Value::Array(items) => items.iter().any(|item| mentions(item, id)),
        Value::Object(fields) => fields.values().any(|field| mentions(field, id)),
        _ => false,
    }
}

/// Whether `word` stands in the text and is not the part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let mut found = text.match_indices(word);
    found.any(|(at, _)| {
        !joins(text[..at].chars().next_back()) && !joins(text[at + word.len()..].chars().next())
    })
}

/// The texts of a part's variables.
fn values(part: &Value) -> impl Iterator<Item = &str> {
    let envs = part.get("envs").and_then(Value::as_array).into_iter().flatten();
    envs.filter_map(|env| env.get("value")?.as_str())
}

/// `DO` and 18 more of `[A-Z0-9]`: how every access key id of Spaces looks (observed; its shape is not documented).
fn looks_like_key_id(text: &str) -> bool {
    let plain = text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    plain && text.len() == 20 && text.starts_with("DO")
}

fn component_name(component: &Value) -> Option<&str> {
    component.get("name").and_then(Value::as_str)
}

fn position(envs: &Value, key: &str) -> Option<usize> {
    envs.as_array()?
        .iter()
        .position(|entry| entry.get("key").and_then(Value::as_str) == Some(key))
}

/// Changes the entry in place, or adds one at the end. An entry that stands there keeps its scope, unless it is to
/// hold a secret: a secret that is given to builds ends in image layers.
fn set(part: &mut Map<String, Value>, env: &Env) {
    let envs = part.entry("envs").or_insert_with(|| json!([]));
    if !envs.is_array() {
        *envs = json!([]);
    }
    let at = position(envs, &env.key);
    let Some(entries) = envs.as_array_mut() else {
        return;
    };
    match at
        .and_then(|at| entries.get_mut(at))
        .and_then(Value::as_object_mut)
    {
        Some(entry) => update(entry, env),
        None => entries.push(fresh(env)),
    }
}

fn update(entry: &mut Map<String, Value>, env: &Env) {
    entry.insert("value".to_owned(), json!(env.value));
    match env.kind {
        EnvKind::Secret => {
            entry.insert("type".to_owned(), json!("SECRET"));
            entry.insert("scope".to_owned(), json!("RUN_TIME"));
        }
        // The API leaves out `GENERAL`; an entry that says so already keeps saying it.
        EnvKind::General if entry.get("type").and_then(Value::as_str) == Some("SECRET") => {
            entry.insert("type".to_owned(), json!("GENERAL"));
        }
        EnvKind::General => {}
    }
}

fn fresh(env: &Env) -> Value {
    match env.kind {
        EnvKind::General => json!({ "key": env.key, "value": env.value, "scope": "RUN_AND_BUILD_TIME" }),
        EnvKind::Secret => {
            json!({ "key": env.key, "value": env.value, "scope": "RUN_TIME", "type": "SECRET" })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> AppSpec {
        AppSpec::new(json!({
            "name": "shop",
            "envs": [
                { "key": "SPACES_REGION", "value": "ams3", "scope": "RUN_TIME" },
                { "key": "STRIPE", "value": "EV[1:abc:def]", "type": "SECRET" },
                { "key": "SELF", "value": "${APP_URL}" },
            ],
            "x-later-field": { "kept": 1.50 },
            "services": [{ "name": "api", "instance_count": 2, "envs": [{ "key": "SPACES_BUCKET", "value": "old" }] }],
            "workers": [{ "name": "mailer" }],
        }))
    }

    fn general(key: &str, value: &str) -> Env {
        Env {
            key: key.to_owned(),
            value: value.to_owned(),
            kind: EnvKind::General,
        }
    }

    #[test]
    fn only_the_named_variables_change_and_the_order_stays() {
        let edited = spec()
            .with(&Place::App, &[general("SPACES_REGION", "nyc3")])
            .expect("the app level exists");
        let before = serde_json::to_string(spec().raw()).expect("JSON");
        let after = serde_json::to_string(edited.raw()).expect("JSON");
        assert_eq!(after, before.replace("ams3", "nyc3"));
    }

    #[test]
    fn changing_a_variable_and_back_leaves_no_trace() {
        let there = spec()
            .with(&Place::App, &[general("SPACES_REGION", "nyc3")])
            .expect("an edit");
        let back = there
            .with(&Place::App, &[general("SPACES_REGION", "ams3")])
            .expect("an edit");
        assert_eq!(
            serde_json::to_string(back.raw()).ok(),
            serde_json::to_string(spec().raw()).ok()
        );
    }

    #[test]
    fn a_secret_is_added_encrypted_and_for_run_time_only() {
        let secret = Env {
            key: "SPACES_SECRET_KEY".into(),
            value: "s3cret".into(),
            kind: EnvKind::Secret,
        };
        let place = Place::Component("mailer".into());
        let edited = spec()
            .with(&place, std::slice::from_ref(&secret))
            .expect("mailer exists");
        let entry = &edited.raw()["workers"][0]["envs"][0];
        assert_eq!(entry["type"], "SECRET");
        assert_eq!(entry["scope"], "RUN_TIME");
        assert!(
            !edited.has(&place, &secret),
            "plain text is not yet a kept secret"
        );
        assert!(!format!("{secret:?}").contains("s3cret"));
    }

    #[test]
    fn an_unknown_component_is_named_with_those_that_exist() {
        let refused = spec()
            .with(&Place::Component("web".into()), &[])
            .expect_err("there is no web");
        assert_eq!(
            refused.to_string(),
            "the app has no component `web`; it has api, mailer"
        );
    }

    #[test]
    fn a_component_that_shadows_the_app_is_seen() {
        assert_eq!(spec().shadows("SPACES_BUCKET"), ["api"]);
        assert!(spec().shadows("STRIPE").is_empty());
    }

    #[test]
    fn an_id_is_seen_within_a_longer_text_and_not_within_a_longer_id() {
        let id = AccessKeyId::new("DO00A");
        let spec = |value: &str| {
            AppSpec::new(json!({ "workers": [{ "name": "w", "envs": [{ "key": "S3", "value": value }] }] }))
        };
        assert!(spec("s3://DO00A:x@nyc3").mentions(&id) && spec("DO00A").mentions(&id));
        assert!(!spec("DO00AB").mentions(&id) && !spec("EV[1:DO00]").mentions(&id));
    }

    #[test]
    fn absent_type_and_general_are_the_same() {
        assert!(spec().has(&Place::App, &general("SPACES_REGION", "ams3")));
        assert!(
            !spec().has(&Place::App, &general("STRIPE", "EV[1:abc:def]")),
            "a secret is not general"
        );
    }
}
