//! From a plan and what became of it to the report.

mod clocks;
mod older;
mod planned;

use crate::apply::{Entries, KeyOutcome, Keys, Outcomes};
use crate::config::Request;
use crate::model::desired::{Desired, WantedFamily};
use crate::model::finding::Finding;
use crate::model::inventory::Inventory;
use crate::model::key::{ListedGrant, listed_grants};
use crate::model::name::{KeyName, Mark};
use crate::model::observed::Observed;
use crate::model::problem::Problem;
use crate::model::time::Timestamp;
use crate::plan::generations::Generation;
use crate::plan::standing::Standing;
use crate::plan::{BucketAction, BucketPlan, Decision, FamilyPlan, Plan, Retirement};
use crate::report::{BucketOutcome, BucketReport, Change, KeyReport, Report, spoken};

pub use clocks::clocks;

/// What there is to tell.
pub enum Told<'a> {
    /// A dry run: what would be done.
    Planned {
        /// The plan.
        plan: &'a Plan,
        /// What it was made of.
        observed: &'a Observed,
    },
    /// What was done.
    Done {
        /// The plan.
        plan: &'a Plan,
        /// The plan that the last look made.
        last: &'a Plan,
        /// How the buckets came out.
        buckets: &'a Outcomes,
        /// What stands of the buckets.
        standing: &'a Standing,
        /// How the families came out.
        keys: &'a Keys,
    },
    /// A look at everything: what is wrong.
    Checked {
        /// The plan without hands.
        plan: &'a Plan,
        /// What it was made of.
        observed: &'a Observed,
        /// What is wrong.
        findings: Vec<Finding>,
    },
    /// An inventory of the account, and what is wrong with it.
    Audited {
        /// What was listed.
        inventory: Inventory,
        /// What is wrong.
        findings: Vec<Finding>,
    },
    /// The run was stopped before it saw the world.
    Nothing,
    /// The run broke off somewhere on its way. What it had done by then is in the book.
    BrokenOff,
}

/// The report of a run.
#[must_use]
pub fn report(
    request: &Request,
    desired: &Desired,
    told: &Told<'_>,
    entries: Entries,
    now: Option<Timestamp>,
) -> Report {
    let Entries {
        mut changes,
        mut problems,
        mut notes,
    } = entries;
    notes.extend(
        request
            .warnings
            .iter()
            .map(|warning| Problem::new("inputs", warning.clone(), "")),
    );
    if let Told::Planned { plan, .. } = told {
        changes = planned::changes(desired, plan);
        problems.extend(planned::problems(plan));
        notes.extend(plan.apps.iter().flat_map(|app| app.findings.clone()));
        notes.extend(plan.remains.iter().cloned());
        notes.extend(plan.retiring().filter_map(Retirement::warning));
    }
    notes.extend(gone(request, told));
    let older = older::older(desired, told);
    notes.extend(older::piles(desired, told, &older));
    problems.dedup();
    Report {
        command: request.command.word(),
        dry_run: request.dry_run,
        region: desired.region,
        endpoint: endpoint(desired, told),
        cdn_endpoint: cdn_endpoint(desired, told),
        buckets: buckets(desired, told),
        keys: keys(desired, told),
        older,
        kept: kept(told, now),
        changes,
        problems,
        findings: findings(told),
        inventory: inventory(told),
        fail_on: request.fail_on,
        notes,
        now,
        home: request.runner.home.clone(),
        report_file: request.files.report.as_ref().map(ToString::to_string),
    }
}

/// The base URL of Spaces, where there is something to reach at it: what a key opens, or, without keys, a bucket. A key
/// that opens other buckets than those of the request may open them elsewhere.
fn endpoint(desired: &Desired, told: &Told<'_>) -> Option<String> {
    let opens = |wanted: &WantedFamily, keys: &Keys| match keys.get(&wanted.family) {
        Some(KeyOutcome::Minted { .. } | KeyOutcome::Kept { .. }) => true,
        Some(KeyOutcome::Failed { current }) => {
            let current = current.as_ref();
            current.is_some_and(|current| current.key.opens_exactly(&wanted.grants))
        }
        None => false,
    };
    let is_reached = match told {
        Told::Nothing | Told::BrokenOff => false,
        Told::Planned { .. } | Told::Checked { .. } | Told::Audited { .. } => true,
        Told::Done { standing, keys, .. } => {
            let keyless = desired.families.is_empty();
            let bucket = || desired.buckets.iter().any(|wanted| standing.has(&wanted.name));
            desired.families.iter().any(|wanted| opens(wanted, keys)) || (keyless && bucket())
        }
    };
    is_reached.then(|| desired.spaces_url.at(desired.region))
}

/// Where the first bucket with a CDN is reached through it. A dry run tells what it would make.
fn cdn_endpoint(desired: &Desired, told: &Told<'_>) -> Option<String> {
    match told {
        Told::Nothing | Told::BrokenOff | Told::Audited { .. } => None,
        Told::Planned { plan, .. } => plan.standing.first_cdn(desired),
        Told::Checked { observed, .. } => Standing::found(desired, observed).first_cdn(desired),
        Told::Done { standing, .. } => standing.first_cdn(desired),
    }
}

fn inventory(told: &Told<'_>) -> Option<Inventory> {
    match told {
        Told::Audited { inventory, .. } => Some(inventory.clone()),
        _ => None,
    }
}

fn findings(told: &Told<'_>) -> Vec<Finding> {
    match told {
        Told::Checked { findings, .. } | Told::Audited { findings, .. } => findings.clone(),
        Told::Planned { .. } | Told::Done { .. } | Told::Nothing | Told::BrokenOff => Vec::new(),
    }
}

fn buckets(desired: &Desired, told: &Told<'_>) -> Vec<BucketReport> {
    let row = |plan: &BucketPlan, state, stands| bucket_row(desired, plan, state, stands);
    match told {
        Told::Nothing | Told::BrokenOff | Told::Audited { .. } => Vec::new(),
        Told::Planned { plan, .. } => plan
            .buckets
            .iter()
            .map(|bucket| {
                if plan.withheld.contains(&bucket.name) {
                    row(bucket, BucketOutcome::Unseen, false)
                } else {
                    row(bucket, planned_bucket(bucket), plan.standing.has(&bucket.name))
                }
            })
            .collect(),
        Told::Checked { plan, observed, .. } => {
            let found = Standing::found(desired, observed);
            let row = |plan: &BucketPlan| row(plan, checked_bucket(plan), found.has(&plan.name));
            plan.buckets.iter().map(row).collect()
        }
        Told::Done {
            plan,
            buckets,
            standing,
            ..
        } => {
            let outcome =
                |plan: &BucketPlan| buckets.get(&plan.name).copied().unwrap_or(BucketOutcome::Failed);
            let row = |plan: &BucketPlan| row(plan, outcome(plan), standing.has(&plan.name));
            plan.buckets.iter().map(row).collect()
        }
    }
}

fn bucket_row(desired: &Desired, plan: &BucketPlan, state: BucketOutcome, stands: bool) -> BucketReport {
    BucketReport {
        name: plan.name.clone(),
        region: desired.home_of(&plan.name),
        endpoint: desired.endpoint_of(&plan.name),
        state,
        stands,
    }
}

fn planned_bucket(plan: &BucketPlan) -> BucketOutcome {
    match plan.actions.first() {
        _ if plan.problem.is_some() => BucketOutcome::Failed,
        Some(BucketAction::Create) => BucketOutcome::Created,
        Some(_) => BucketOutcome::Changed,
        None if plan.is_unseen() => BucketOutcome::Unseen,
        None => BucketOutcome::Kept,
    }
}

fn checked_bucket(plan: &BucketPlan) -> BucketOutcome {
    match planned_bucket(plan) {
        BucketOutcome::Created => BucketOutcome::Missing,
        BucketOutcome::Changed => BucketOutcome::Differs,
        state => state,
    }
}

fn keys(desired: &Desired, told: &Told<'_>) -> Vec<KeyReport> {
    if let Told::Audited { .. } = told {
        return Vec::new();
    }
    let families = desired.families.iter().enumerate();
    families
        .map(|(index, wanted)| match told {
            Told::Nothing | Told::Audited { .. } => row(wanted, None, None, false, "not looked at"),
            Told::BrokenOff => row(wanted, None, None, false, "not known: the run broke off"),
            Told::Planned { plan, .. } => planned_row(wanted, &plan.families[index]),
            Told::Checked { plan, .. } => checked_row(wanted, &plan.families[index]),
            Told::Done { keys, .. } => outcome_row(wanted, keys.get(&wanted.family)),
        })
        .collect()
}

fn planned_row(wanted: &WantedFamily, plan: &FamilyPlan) -> KeyReport {
    let current = plan.judgement.current();
    let (due, state) = match &plan.decision {
        Decision::Keep { due, .. } => (Some(*due), "kept"),
        Decision::Mint { .. } if current.is_some() => (None, "would be replaced"),
        Decision::Mint { .. } => (None, "would be minted and delivered"),
        Decision::Wait { .. } => (None, "another run is at it"),
        Decision::Blocked { .. } => (None, "blocked"),
    };
    let planned = row(wanted, current, due, false, state);
    match (&plan.decision, current) {
        (Decision::Mint { .. }, None) => KeyReport {
            grants: spoken_grants(&listed_grants(&wanted.grants)),
            ..planned
        },
        _ => planned,
    }
}

fn checked_row(wanted: &WantedFamily, plan: &FamilyPlan) -> KeyReport {
    let judgement = &plan.judgement;
    let due = judgement.age.map(|age| age.due);
    let state = match &plan.decision {
        Decision::Keep { .. } => "in order",
        Decision::Mint { .. } => "to be replaced",
        Decision::Wait { .. } => "another run is at it",
        Decision::Blocked { .. } => "in doubt",
    };
    row(wanted, judgement.current(), due, false, state)
}

fn outcome_row(wanted: &WantedFamily, outcome: Option<&KeyOutcome>) -> KeyReport {
    match outcome {
        Some(KeyOutcome::Minted { key, .. }) => {
            let due = wanted.lifetime.due(key.key.created_at);
            row(wanted, Some(key), Some(due), true, "minted and delivered")
        }
        Some(KeyOutcome::Kept { current, due }) => row(wanted, Some(current), Some(*due), false, "kept"),
        Some(KeyOutcome::Failed { current }) => row(wanted, current.as_ref(), None, false, "failed"),
        None => row(wanted, None, None, false, "not reached"),
    }
}

fn row(
    wanted: &WantedFamily,
    key: Option<&Generation>,
    due: Option<Timestamp>,
    rotated: bool,
    state: &str,
) -> KeyReport {
    KeyReport {
        family: wanted.family.to_string(),
        access_key_id: key.map(|key| key.key.id.to_string()),
        created_at: key.map(|key| key.key.created_at),
        active_since: key.and_then(|key| active_since(&key.name)),
        max_age: wanted.lifetime.max_age(),
        next_rotation: due,
        // What the key was given, whatever the request asks for.
        grants: key.map_or_else(Vec::new, |key| spoken_grants(&key.key.grants)),
        rotated,
        state: state.to_owned(),
    }
}

fn spoken_grants(grants: &[ListedGrant]) -> Vec<String> {
    let spoken = |grant: &ListedGrant| format!("{}={}", grant.bucket, grant.permission);
    grants.iter().map(spoken).collect()
}

/// Since when a key of this name is in every sink.
fn active_since(name: &KeyName) -> Option<Timestamp> {
    match name.mark {
        Mark::Active { since } => Some(since),
        Mark::Pending | Mark::Delivering | Mark::Admin => None,
    }
}

fn kept(told: &Told<'_>, now: Option<Timestamp>) -> Vec<Change> {
    let (plan, last) = match told {
        Told::Nothing | Told::BrokenOff | Told::Audited { .. } => return Vec::new(),
        Told::Planned { plan, .. } | Told::Checked { plan, .. } => (*plan, *plan),
        Told::Done { plan, last, .. } => (*plan, *last),
    };
    let buckets = plan.buckets.iter().filter(|bucket| !bucket.kept.is_empty());
    let buckets =
        buckets.map(|bucket| Change::new(format!("bucket {}", bucket.name), bucket.kept.join(", ")));
    let minted = |family: &FamilyPlan| match told {
        Told::Done { keys, .. } => matches!(keys.get(&family.family), Some(KeyOutcome::Minted { .. })),
        _ => false,
    };
    let families = last.families.iter().filter(|family| !minted(family));
    let families = families.filter_map(|family| kept_key(family, now?));
    buckets.chain(families).collect()
}

fn kept_key(plan: &FamilyPlan, now: Timestamp) -> Option<Change> {
    let Decision::Keep { current, due } = &plan.decision else {
        return None;
    };
    let (age, left) = (now.since(current.key.created_at), due.since(now));
    let due = if left.is_zero() {
        "due".to_owned()
    } else {
        format!("due in {}", spoken(left))
    };
    let id = &current.key.id;
    Some(Change::new(
        format!("key {}", plan.family),
        format!("{id} kept: {} old, {due}", spoken(age)),
    ))
}

/// A key that was named for revoking and that the account does not have: done already, or misspelt.
fn gone(request: &Request, told: &Told<'_>) -> Option<Problem> {
    let key = request.intent.revocation()?.key.as_ref()?;
    let named = match told {
        Told::Done { plan, .. } | Told::Planned { plan, .. } => plan.has_key(key),
        Told::Checked { .. } | Told::Audited { .. } | Told::Nothing | Told::BrokenOff => return None,
    };
    (!named).then(|| {
        let what = "the account has no key of this id (any more), so there was nothing to revoke";
        Problem::new(
            format!("key {key}"),
            what,
            "Compare it with the id that was leaked.",
        )
    })
}
