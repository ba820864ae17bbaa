//! What only shows when the whole file is looked at: names that two keys would write, and limits of the services.

use std::collections::{BTreeMap, BTreeSet};

use super::buckets::Declared;
use super::flaw::Place;
use super::keys::DeclaredKey;
use super::read::Reader;
use super::shape::Manifest;
use crate::model::desired::{AppRef, AppSink, GitHubSink, KEY_ENVS};
use crate::model::limits::{BUCKETS_MAX, KEYS_MAX, SECRETS_MAX};
use crate::model::name::Family;
use crate::model::sink::{SettingName, Target};
use crate::model::spec::Place as SpecPlace;

/// Looks across the file.
pub(super) fn check(manifest: &Manifest, declared: &Declared<'_>, keys: &[DeclaredKey], reader: &mut Reader) {
    let mut families: Vec<(&Family, Place, String)> = Vec::new();
    for (app, shape) in &manifest.apps.0 {
        for (family, _) in shape.iter().flat_map(|app| &app.keys).flat_map(|keys| &keys.0) {
            families.push((&family.value, family.at, format!("apps.{}.keys", app.value.0)));
        }
    }
    if manifest.apps.0.is_empty() {
        reader.tell(manifest.at, "apps", "it names no app");
    }
    one_name_each(&families, reader);
    if let Some((_, at, field)) = families.get(KEYS_MAX) {
        let what = format!(
            "the file has {} keys, and an account holds at most {KEYS_MAX}",
            families.len()
        );
        reader.tell(*at, field.clone(), what);
    }
    let places = declared.places();
    if let Some(at) = places.get(BUCKETS_MAX) {
        let what = format!(
            "the file has {} buckets, and an account holds at most {BUCKETS_MAX}",
            places.len()
        );
        reader.tell(*at, "apps".to_owned(), what);
    }
    slots(keys, reader);
}

fn one_name_each(families: &[(&Family, Place, String)], reader: &mut Reader) {
    let mut seen: BTreeMap<&Family, Place> = BTreeMap::new();
    for (family, at, field) in families {
        match seen.get(family) {
            Some(first) => {
                let what = format!(
                    "key `{family}` is declared a second time; the first is in line {}",
                    first.line
                );
                reader.tell(*at, field.clone(), what);
            }
            None => drop(seen.insert(family, *at)),
        }
    }
}

/// A name that is written somewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Secret(Target, SettingName),
    Variable(Target, SettingName),
    Env(AppRef, SpecPlace, String),
}

/// Who writes a slot, and what, if another key may write the same.
struct Writer<'k> {
    family: &'k Family,
    at: Place,
    shared: Option<String>,
}

/// One place in the file that writes slots.
struct Sink<'k> {
    family: &'k Family,
    at: Place,
    field: String,
    /// Where the slots are: `acme/shop`, `app shop`.
    subject: String,
    slots: Vec<(Slot, Option<String>)>,
}

fn slots(keys: &[DeclaredKey], reader: &mut Reader) {
    let mut written: BTreeMap<Slot, Writer<'_>> = BTreeMap::new();
    let mut secrets: BTreeMap<Target, Vec<(Place, String)>> = BTreeMap::new();
    for sink in keys.iter().flat_map(sinks) {
        for (target, ..) in sink.secrets() {
            secrets
                .entry(target)
                .or_default()
                .push((sink.at, sink.field.clone()));
        }
        for (other, names) in sink.take(&mut written) {
            let names: Vec<String> = names.into_iter().collect();
            let what = format!(
                "{} of {} would be written by {other} too; give other names, or a `suffix`",
                names.join(", "),
                sink.subject
            );
            reader.tell(sink.at, sink.field.clone(), what);
        }
    }
    for (target, places) in secrets {
        if let Some((at, field)) = places.get(SECRETS_MAX) {
            let what = format!(
                "{target} would get {} secrets, and GitHub keeps at most {SECRETS_MAX} in one place",
                places.len()
            );
            reader.tell(*at, field.clone(), what);
        }
    }
}

impl<'k> Sink<'k> {
    fn secrets(&self) -> impl Iterator<Item = (Target, SettingName)> {
        self.slots.iter().filter_map(|(slot, _)| match slot {
            Slot::Secret(target, name) => Some((target.clone(), name.clone())),
            Slot::Variable(..) | Slot::Env(..) => None,
        })
    }

    /// Takes its slots; what somebody else has taken is told by who that is.
    fn take(&self, written: &mut BTreeMap<Slot, Writer<'k>>) -> BTreeMap<String, BTreeSet<String>> {
        let mut taken: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (slot, shared) in &self.slots {
            match written.get(slot) {
                Some(other) if other.shared.is_some() && other.shared == *shared => {}
                Some(other) => {
                    let owner = format!("key {} (line {})", other.family, other.at.line);
                    taken.entry(owner).or_default().insert(slot.name());
                }
                None => drop(written.insert(slot.clone(), self.writer(shared.clone()))),
            }
        }
        taken
    }

    fn writer(&self, shared: Option<String>) -> Writer<'k> {
        Writer {
            family: self.family,
            at: self.at,
            shared,
        }
    }
}

impl Slot {
    fn name(&self) -> String {
        match self {
            Self::Secret(_, name) => format!("secret {name}"),
            Self::Variable(_, name) => format!("variable {name}"),
            Self::Env(_, place, name) => format!("{name} at {place}"),
        }
    }
}

fn sinks(key: &DeclaredKey) -> Vec<Sink<'_>> {
    let family = &key.wanted.family;
    let github = key.wanted.github.iter().zip(&key.github).enumerate();
    let github = github.map(|(index, (sink, at))| Sink {
        family,
        at: *at,
        field: format!("{}.github.{index}", key.field),
        subject: sink.target.to_string(),
        slots: slots_of_github(sink),
    });
    let apps = key.wanted.apps.iter().zip(&key.apps).enumerate();
    let apps = apps.map(|(index, (sink, at))| Sink {
        family,
        at: *at,
        field: format!("{}.app_platform.{index}", key.field),
        subject: format!("app {}", sink.app),
        slots: slots_of_app(sink),
    });
    github.chain(apps).collect()
}

fn slots_of_github(sink: &GitHubSink) -> Vec<(Slot, Option<String>)> {
    let secret = |name: &SettingName| (Slot::Secret(sink.target.clone(), name.clone()), None);
    let variable = |name: &SettingName, value| (Slot::Variable(sink.target.clone(), name.clone()), value);
    let id = sink.id_variable.iter().map(|name| variable(name, None));
    let place = sink.variables.iter();
    let place = place.map(|it| variable(&it.name, Some(it.value.clone())));
    sink.secrets().map(secret).chain(id).chain(place).collect()
}

fn slots_of_app(sink: &AppSink) -> Vec<(Slot, Option<String>)> {
    let env = |place: &SpecPlace, name: String| Slot::Env(sink.app.clone(), place.clone(), name);
    let at = |place: &SpecPlace| {
        let own = KEY_ENVS.map(|name| (env(place, format!("{name}{}", sink.suffix)), None));
        let plain = sink.variables.iter();
        let plain = plain.map(|it| (env(place, it.name.to_string()), Some(it.value.clone())));
        own.into_iter().chain(plain).collect::<Vec<_>>()
    };
    sink.places.iter().flat_map(at).collect()
}
