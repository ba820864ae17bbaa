//! The plan without hands: what is wrong with the world, as findings. Pure, like all of the plan.

mod apps;
mod buckets;
mod drift;
mod families;
mod proof;
mod sinks;
#[cfg(test)]
mod tests;

use super::Plan;
use crate::model::desired::Desired;
use crate::model::evidence::Evidence;
use crate::model::finding::{
    self, FULL_ACCESS_LEFT, Finding, NOT_ALLOWED_TO_LOOK, NOT_OURS, PLACEHOLDER_UNSET, Rule,
    VARIABLE_LEFT_OVER,
};
use crate::model::observed::Observed;
use crate::model::problem::Problem;

/// Everything that is wrong, the worst first, each once.
#[must_use]
pub fn findings(desired: &Desired, plan: &Plan, observed: &Observed, evidence: &Evidence) -> Vec<Finding> {
    let mut all: Vec<Finding> = Vec::new();
    for (wanted, plan) in desired.families.iter().zip(&plan.families) {
        all.extend(families::findings(wanted, plan, observed));
    }
    all.extend(plan.stray_admins.iter().map(left_admin));
    all.extend(
        plan.strangers()
            .map(|stranger| told(&NOT_OURS, &stranger.problem)),
    );
    all.extend(plan.remains.iter().map(|left| told(&VARIABLE_LEFT_OVER, left)));
    all.extend(plan.left_out.iter().map(Finding::unknown));
    all.extend(sinks::findings(plan, evidence));
    all.extend(apps::findings(desired, plan, observed));
    all.extend(
        plan.buckets
            .iter()
            .flat_map(|bucket| buckets::findings(bucket, observed)),
    );
    all.extend(buckets::preflights(plan, evidence));
    all.extend(
        evidence
            .trials
            .iter()
            .flat_map(|trial| proof::findings(trial, plan, observed)),
    );
    all.extend(placeholders(evidence));
    all.extend(evidence.unread.iter().map(Finding::unknown));
    all.extend(
        evidence
            .unseen
            .iter()
            .map(|unseen| told(&NOT_ALLOWED_TO_LOOK, unseen)),
    );
    finding::rank(&mut all);
    all
}

/// What is a problem to a run is a finding to a look.
fn told(rule: &'static Rule, problem: &Problem) -> Finding {
    let Problem {
        subject,
        what,
        remedy,
    } = problem;
    Finding::new(rule, subject, what).remedied(remedy)
}

fn left_admin(key: &crate::model::key::SpacesKey) -> Finding {
    let what = format!(
        "{} opens every bucket, and the run that minted it is over",
        key.id
    );
    Finding::new(&FULL_ACCESS_LEFT, format!("key {}", key.name), what)
}

/// More than anybody looks at one by one; the rest is counted.
const PLACEHOLDERS_TOLD: usize = 100;

fn placeholders(evidence: &Evidence) -> impl Iterator<Item = Finding> + '_ {
    let found = &evidence.placeholders;
    let beyond = found.get(PLACEHOLDERS_TOLD).map(|first| {
        let rest = found.len() - PLACEHOLDERS_TOLD;
        let what = format!(
            "there are {rest} more from line {} on, which this job does not have",
            first.line
        );
        Finding::new(&PLACEHOLDER_UNSET, format!("file {}", first.file), what).at(&first.file, first.line)
    });
    let told = found.iter().take(PLACEHOLDERS_TOLD).map(|one| {
        let what = format!(
            "line {} asks for ${{{}}}, which this job does not have",
            one.line, one.name
        );
        Finding::new(&PLACEHOLDER_UNSET, format!("file {}", one.file), what).at(&one.file, one.line)
    });
    told.chain(beyond)
}
