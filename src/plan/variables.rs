//! The variables of GitHub that differ.

use std::collections::BTreeMap;

use super::generations::Generation;
use super::standing::Standing;
use crate::model::desired::{Desired, GitHubSink, WantedFamily};
use crate::model::observed::Observed;
use crate::model::problem::Problem;
use crate::model::sink::{SettingName, Target};

/// A variable that is written: what says where, and the id of a kept key where nobody names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VariableWrite {
    /// Where.
    pub target: Target,
    /// Its name.
    pub name: SettingName,
    /// Its value.
    pub value: String,
    /// Whether it exists already.
    pub exists: bool,
}

/// A family whose sinks may be written, with its key where that is kept.
pub type Announced<'a> = (&'a WantedFamily, Option<&'a Generation>);

/// What differs in the sinks of these families, each write once.
#[must_use]
pub fn differing<'a>(
    families: impl Iterator<Item = Announced<'a>>,
    observed: &Observed,
    standing: &Standing,
) -> Vec<VariableWrite> {
    let mut writes: Vec<VariableWrite> = Vec::new();
    for (wanted, kept) in families {
        for sink in &wanted.github {
            if let Some(Ok(state)) = observed.targets.get(&sink.target) {
                writes.extend(saying_where(sink, &state.variables, standing));
                writes.extend(kept.and_then(|kept| missing_id(sink, kept, &state.variables)));
            }
        }
    }
    writes.sort();
    writes.dedup();
    writes
}

/// The variables of a sink that say where, and say something else than what stands.
#[must_use]
pub fn saying_where(
    sink: &GitHubSink,
    found: &BTreeMap<SettingName, String>,
    standing: &Standing,
) -> Vec<VariableWrite> {
    let standing = sink
        .variables
        .iter()
        .filter_map(|variable| Some((&variable.name, standing.value_of(variable)?)));
    let differing = standing.filter(|(name, value)| found.get(name) != Some(value));
    let write = |(name, value): (&SettingName, String)| VariableWrite {
        target: sink.target.clone(),
        name: name.clone(),
        value,
        exists: found.contains_key(name),
    };
    differing.map(write).collect()
}

/// One that names another key says that somebody delivered it; one that is missing is only written again.
fn missing_id(
    sink: &GitHubSink,
    kept: &Generation,
    found: &BTreeMap<SettingName, String>,
) -> Option<VariableWrite> {
    let name = sink.id_variable.as_ref()?;
    (!found.contains_key(name)).then(|| VariableWrite {
        target: sink.target.clone(),
        name: name.clone(),
        value: kept.key.id.to_string(),
        exists: false,
    })
}

/// What remains of an earlier request and names a CDN endpoint that nobody looks after any more: whoever reads it should
/// know, and only its owner can say whether it may go.
pub(super) fn remains(desired: &Desired, observed: &Observed) -> Vec<Problem> {
    // A command that is about keys only is not told about CDNs.
    if desired.buckets.is_empty() {
        return Vec::new();
    }
    let sinks = desired.families.iter().flat_map(|wanted| &wanted.github);
    let mut remains: Vec<Problem> = sinks
        .filter_map(|sink| {
            let name = sink.unasked_cdn_variable()?;
            let state = observed.targets.get(&sink.target)?.as_ref().ok()?;
            let value = state.variables.get(&name)?;
            let what = format!("it says {value}, and the request asks for no CDN any more");
            let remedy = "Ask for the CDN again (cdn), or delete the variable when nothing reads it.";
            Some(Problem::new(
                format!("variable {name} in {}", sink.target),
                what,
                remedy,
            ))
        })
        .collect();
    remains.extend(app_remains(desired, observed));
    remains
}

fn app_remains(desired: &Desired, observed: &Observed) -> Vec<Problem> {
    let sinks = desired.families.iter().flat_map(|wanted| &wanted.apps);
    let places = sinks.flat_map(|sink| sink.places.iter().map(move |place| (sink, place)));
    places
        .filter_map(|(sink, place)| {
            let name = sink.unasked_cdn_variable()?;
            let state = observed.apps.get(&sink.app)?.as_ref().ok()?;
            // One of somebody else's making is none of our business: ours stand beside the id of a key.
            state.spec.value(place, &sink.key("SPACES_ACCESS_KEY_ID"))?;
            let value = state.spec.value(place, name.as_str())?;
            let what = format!("{name} at {place} says {value}, and the request asks for no CDN any more");
            let remedy = "Ask for the CDN again (cdn), or remove the variable when nothing reads it.";
            Some(Problem::new(format!("app {}", sink.app), what, remedy))
        })
        .collect()
}
