//! What only shows when the whole file is looked at: names that two keys would write, and limits of the services.

use std::collections::{BTreeMap, BTreeSet};

use super::buckets::Declared;
use super::flaw::At;
use super::keys::DeclaredKey;
use super::read::Reader;
use super::shape::{KeyShape, MOST_SINKS, Manifest};
use crate::model::desired::{AppRef, AppSink, GitHubSink, KEY_ENVS};
use crate::model::limits::{BUCKETS_MAX, KEYS_MAX, SECRETS_MAX};
use crate::model::name::Family;
use crate::model::sink::{SettingName, Target};
use crate::model::spec::Place as SpecPlace;

/// More buckets than can be looked at one by one beside every key in a moment, and ten times as many as an account holds.
const MOST_LOOKED_AT: usize = 1_000;

/// Compares what the file names with what the services hold. Whether it is small enough to be looked at more closely: what
/// is far beyond any account is only counted.
pub(super) fn limits(manifest: &Manifest, declared: &Declared<'_>, reader: &mut Reader) -> bool {
    if manifest.apps.is_empty() {
        reader.tell(manifest.at, "apps", "it names no app");
    }
    let families = families(manifest);
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
            "{} {} buckets, and an account holds at most {BUCKETS_MAX}",
            at.says("the file has", "with it there are"),
            places.len()
        );
        reader.tell(*at, "apps".to_owned(), what);
    }
    sinks_fit(manifest, reader) && places.len() <= MOST_LOOKED_AT
}

/// Whether one run could write to all places of the file.
fn sinks_fit(manifest: &Manifest, reader: &mut Reader) -> bool {
    let mut count = 0;
    let mut first_beyond = None;
    for (app, shape) in &manifest.apps.entries {
        let keys = shape.iter().flat_map(|app| &app.keys);
        for (family, key) in keys.flat_map(|keys| &keys.entries) {
            count += key.as_ref().map_or(1, KeyShape::places);
            if count > MOST_SINKS {
                first_beyond.get_or_insert((family.at, &app.value.0));
            }
        }
    }
    if let Some((at, app)) = first_beyond {
        let what =
            format!("the keys of the file go to {count} places; one run writes to at most {MOST_SINKS}");
        reader.tell(at, format!("apps.{app}.keys"), what);
    }
    count <= MOST_SINKS
}

impl KeyShape {
    /// In how many places it is kept, each counted as often as it is named.
    fn places(&self) -> usize {
        let github = self.github.as_ref().map_or(1, |sinks| sinks.items.len());
        (github + self.app_platform.items.len()).max(1)
    }
}

/// Every key with its place, whether it is right or wrong.
fn families(manifest: &Manifest) -> Vec<(&Family, At, String)> {
    let mut families = Vec::new();
    for (app, shape) in &manifest.apps.entries {
        let field = format!("apps.{}.keys", app.value.0);
        let keys = shape.iter().flat_map(|app| &app.keys);
        let keys = keys.flat_map(|keys| &keys.entries);
        families.extend(keys.map(|(family, _)| (&family.value, family.at, field.clone())));
    }
    families
}

fn one_name_each(families: &[(&Family, At, String)], reader: &mut Reader) {
    let mut seen: BTreeMap<&Family, At> = BTreeMap::new();
    for (family, at, field) in families {
        match seen.get(family) {
            Some(first) => {
                let what = format!("key `{family}` is declared a second time; the first is in {first}");
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
    at: At,
    shared: Option<String>,
}

/// One place in the file that writes slots.
struct Sink<'k> {
    family: &'k Family,
    at: At,
    field: String,
    /// Where the slots are: `acme/shop`, `app shop`.
    subject: String,
    slots: Vec<(Slot, Option<String>)>,
}

/// Tells what two keys would write.
pub(super) fn slots(keys: &[DeclaredKey], reader: &mut Reader) {
    let mut written: BTreeMap<Slot, Writer<'_>> = BTreeMap::new();
    let mut secrets: BTreeMap<Target, Vec<(At, String)>> = BTreeMap::new();
    for sink in keys.iter().flat_map(sinks) {
        for (target, ..) in sink.secrets() {
            secrets
                .entry(target)
                .or_default()
                .push((sink.at, sink.field.clone()));
        }
        for (other, names) in sink.take(&mut written) {
            let what = format!(
                "{} of {} would be written by {other} too; give other names, or a `suffix`",
                listed(&names),
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

/// As many names as a sentence bears; every component of an app may have all of them.
fn listed(names: &BTreeSet<String>) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        rest => format!("{} and {rest} more", shown.join(", ")),
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
        let mut own: BTreeSet<&Slot> = BTreeSet::new();
        // Two names of one sink that are the same are told where the sink is read.
        for (slot, shared) in self.slots.iter().filter(|(slot, _)| own.insert(slot)) {
            match written.get(slot) {
                Some(other) if other.shared.is_some() && other.shared == *shared => {}
                Some(other) => {
                    let owner = format!("key {} ({})", other.family, other.at);
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
