//! Variables that are written although no key is minted.

use super::rotation::{Decision, FamilyPlan};
use crate::model::desired::{Desired, GitHubSink};
use crate::model::observed::{Observed, TargetState};
use crate::model::sink::{SettingName, Target};

/// A variable that is written although no key is minted.
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

/// The variables that differ: those that say where, and the id of a kept key where nobody names it.
pub(super) fn variables(
    desired: &Desired,
    families: &[FamilyPlan],
    observed: &Observed,
) -> Vec<VariableWrite> {
    let mut writes: Vec<VariableWrite> = Vec::new();
    for (wanted, plan) in desired.families.iter().zip(families) {
        for sink in &wanted.github {
            if let Some(Ok(state)) = observed.targets.get(&sink.target) {
                writes.extend(sink_variables(sink, plan, state));
            }
        }
    }
    writes.sort();
    writes.dedup();
    writes
}

pub(super) fn sink_variables(
    sink: &GitHubSink,
    plan: &FamilyPlan,
    state: &TargetState,
) -> Vec<VariableWrite> {
    let write = |name: &SettingName, value: &str| VariableWrite {
        target: sink.target.clone(),
        name: name.clone(),
        value: value.to_owned(),
        exists: state.variables.contains_key(name),
    };
    let differs =
        |name: &SettingName, value: &str| state.variables.get(name).is_none_or(|found| found != value);
    let place = sink
        .variables
        .iter()
        .filter(|variable| differs(&variable.name, &variable.value));
    let mut writes: Vec<VariableWrite> = place
        .map(|variable| write(&variable.name, &variable.value))
        .collect();
    if let (Decision::Keep { current, .. }, Some(name)) = (&plan.decision, &sink.id_variable)
        && !state.variables.contains_key(name)
    {
        writes.push(write(name, current.key.id.as_str()));
    }
    writes
}
