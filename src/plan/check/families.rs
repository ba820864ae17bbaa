//! What is wrong with a key family itself: no key, a doubtful one, an old one, leftovers.

use std::time::Duration;

use crate::model::desired::WantedFamily;
use crate::model::finding::{
    Finding, GRANTS_DIFFER, KEY_DUE, KEY_INTERRUPTED, KEY_LATE, KEY_MISSING, KEY_OVERDUE, KEY_UNFINISHED,
    KEYS_LEFT_OVER, ROTATION_UNDER_WAY,
};
use crate::model::observed::Observed;
use crate::plan::Brief;
use crate::plan::drift::{Reason, drift};
use crate::plan::generations::{Generation, Generations};
use crate::plan::rotation::FamilyPlan;

/// What is wrong with one family.
pub(super) fn findings(
    wanted: &WantedFamily,
    plan: &FamilyPlan,
    observed: &Observed,
    brief: &Brief<'_>,
) -> Vec<Finding> {
    if observed.keys.is_err() {
        return Vec::new();
    }
    let generations = Generations::of(&wanted.family, observed);
    let reasons = drift(wanted, &generations, observed, brief);
    let subject = format!("key {}", wanted.family);
    let mut all: Vec<Finding> = of_reasons(&reasons, &generations, &subject);
    all.extend(generations.rivals.first().map(|rival| under_way(rival, &subject)));
    all.extend(plan.orphans.iter().map(unfinished));
    all.extend(
        generations
            .current()
            .and_then(|current| of_age(wanted, current, observed, &subject)),
    );
    all.extend(left_over(&generations, &subject));
    all
}

/// What stands in a sink is told by the sinks themselves.
fn of_reasons(reasons: &[Reason], generations: &Generations, subject: &str) -> Vec<Finding> {
    let interrupted = |reason: &Reason| matches!(reason, Reason::Interrupted(_));
    let explained = reasons.iter().any(interrupted) || !generations.rivals.is_empty();
    let finding = |reason: &Reason| match reason {
        Reason::NoKey if explained => None,
        Reason::NoKey => Some(Finding::new(&KEY_MISSING, subject, reason.to_string())),
        Reason::Interrupted(_) => Some(Finding::new(&KEY_INTERRUPTED, subject, reason.to_string())),
        Reason::GrantsDiffer => Some(Finding::new(&GRANTS_DIFFER, subject, reason.to_string())),
        _ => None,
    };
    reasons.iter().filter_map(finding).collect()
}

fn under_way(rival: &Generation, subject: &str) -> Finding {
    let what = format!(
        "{} is minting or delivering {}",
        rival.name.run.spoken(),
        rival.key.id
    );
    Finding::new(&ROTATION_UNDER_WAY, subject, what)
}

fn unfinished(orphan: &Generation) -> Finding {
    let what = format!(
        "a dead run has left {}, which no sink has ever seen",
        orphan.key.id
    );
    Finding::new(&KEY_UNFINISHED, format!("key {}", orphan.key.name), what)
}

/// Due is what the next scheduled run mends; late is when that run has had its lead and has not come.
fn of_age(
    wanted: &WantedFamily,
    current: &Generation,
    observed: &Observed,
    subject: &str,
) -> Option<Finding> {
    let lifetime = wanted.lifetime;
    let late_age = lifetime.max_age().saturating_sub(lifetime.grace());
    let age = observed.now.since(current.key.created_at);
    let rule = match age {
        _ if age >= lifetime.max_age() => &KEY_OVERDUE,
        _ if age >= late_age => &KEY_LATE,
        _ if age >= lifetime.due_age() => &KEY_DUE,
        _ => return None,
    };
    let since = current.key.created_at.after(lifetime.due_age());
    let what = format!(
        "{} is due since {since}; max-age is {} days",
        current.key.id,
        days(lifetime.max_age())
    );
    Some(Finding::new(rule, subject, what))
}

fn days(span: Duration) -> String {
    let days = span.as_secs_f64() / 86_400.0;
    format!("{days:.1}").trim_end_matches(".0").to_owned()
}

/// One older key is what every rotation leaves for its grace period.
fn left_over(generations: &Generations, subject: &str) -> Option<Finding> {
    let older: Vec<&str> = generations
        .superseded()
        .iter()
        .chain(&generations.doubtful)
        .map(|generation| generation.key.id.as_str())
        .collect();
    (older.len() > 1).then(|| {
        let what = format!(
            "{} keys no longer serve and still exist: {}",
            older.len(),
            older.join(", ")
        );
        Finding::new(&KEYS_LEFT_OVER, subject, what)
    })
}
