//! What a dry run would do.

use crate::model::desired::{Desired, WantedFamily};
use crate::model::intent::Means;
use crate::model::problem::Problem;
use crate::plan::destinations::destinations;
use crate::plan::gate::Hold;
use crate::plan::generations::Generation;
use crate::plan::{AppPlan, Decision, FamilyPlan, Follow, Plan, Retirement};
use crate::report::Change;

pub(super) fn changes(desired: &Desired, plan: &Plan) -> Vec<Change> {
    let workable = plan.workable_buckets();
    let buckets = workable.iter().flat_map(|bucket| {
        bucket
            .actions
            .iter()
            .map(|action| Change::new(format!("bucket {}", bucket.name), action.to_string()))
    });
    let variables = plan.variables.iter().map(|write| {
        Change::new(
            format!("variables of {}", write.target),
            format!("set {} to {}", write.name, write.value),
        )
    });
    let families = desired.families.iter().zip(&plan.families);
    let families = families.flat_map(|(wanted, plan)| key(wanted, plan));
    let apps = plan.apps.iter().flat_map(app);
    let retired = plan.retiring().filter_map(end);
    let admins = plan
        .stray_admins
        .iter()
        .map(|key| Change::new(format!("key {}", key.name), "delete: a dead run left it"));
    buckets
        .chain(variables)
        .chain(families)
        .chain(apps)
        .chain(retired)
        .chain(admins)
        .collect()
}

fn key(wanted: &WantedFamily, plan: &FamilyPlan) -> Vec<Change> {
    let subject = format!("key {}", plan.family);
    let swept =
        |orphan: &Generation| Change::new(format!("key {}", orphan.key.name), "delete: a dead run left it");
    let mut changes: Vec<Change> = plan.orphans().iter().map(swept).collect();
    match &plan.decision {
        Decision::Mint { reasons } => {
            let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
            changes.push(Change::new(
                subject,
                format!("mint and deliver: {}", reasons.join("; ")),
            ));
            let places = destinations(wanted).into_iter();
            changes.extend(places.map(|place| Change::new(place.subject.clone(), place.planned())));
        }
        Decision::Wait { rival } => {
            changes.push(Change::new(
                subject,
                format!("wait for {}", rival.name.run.spoken()),
            ));
        }
        Decision::Keep { .. } | Decision::Blocked { .. } => {}
    }
    changes
}

/// What is released goes; what is compromised goes as soon as its successor is there.
fn end(old: &Retirement) -> Option<Change> {
    let waits = old.holds == [Hold::NoSuccessor];
    let when = match (old.is_free(), old.compromised && waits) {
        (true, _) => "",
        (false, true) => " as soon as its successor is delivered",
        (false, false) => return None,
    };
    let deed = match old.means {
        Means::Delete => "delete",
        Means::Quarantine => "empty its grants",
    };
    let why = if old.compromised {
        "it is to be revoked".to_owned()
    } else {
        format!("{}, and nothing holds it", old.standing)
    };
    Some(Change::new(
        format!("key {}", old.key.id),
        format!("{deed}{when}: {why}"),
    ))
}

fn app(plan: &AppPlan) -> Vec<Change> {
    let subject = format!("app {}", plan.app);
    let set = plan
        .plain
        .iter()
        .map(|(place, env)| Change::new(subject.clone(), format!("set {} at {place}", env.key)));
    let again = match plan.follow {
        Follow::Redeploy => Some("PUT the spec again: no deployment carries the current key"),
        Follow::Unclear => Some("PUT the spec again unless a deployment that serves carries the current key"),
        Follow::Nothing | Follow::Deployment(_) => None,
    };
    let again = again.map(|what| Change::new(subject.clone(), what));
    set.chain(again).collect()
}

pub(super) fn problems(plan: &Plan) -> Vec<Problem> {
    let buckets = plan.buckets.iter();
    let buckets = buckets.flat_map(|bucket| bucket.problem.iter().chain(&bucket.doubts).cloned());
    let families = plan.families.iter().flat_map(|family| match &family.decision {
        Decision::Blocked { problems, .. } => problems.clone(),
        _ => Vec::new(),
    });
    buckets
        .chain(families)
        .chain(plan.problems.iter().cloned())
        .collect()
}
