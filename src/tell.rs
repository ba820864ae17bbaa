//! From a plan and what became of it to the report.

use std::time::Duration;

use crate::apply::{Entries, KeyOutcome, Keys, Outcomes};
use crate::config::Request;
use crate::model::desired::{Desired, WantedFamily};
use crate::model::finding::Finding;
use crate::model::intent::Means;
use crate::model::inventory::Inventory;
use crate::model::key::listed_grants;
use crate::model::observed::Observed;
use crate::model::problem::Problem;
use crate::model::time::Timestamp;
use crate::plan::gate::Hold;
use crate::plan::generations::{Generation, Generations};
use crate::plan::{BucketAction, BucketPlan, Decision, FamilyPlan, Follow, Plan, Retirement};
use crate::report::{BucketOutcome, BucketReport, Change, KeyReport, OlderKey, Report, spoken};

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
        changes = planned_changes(plan);
        problems.extend(planned_problems(plan));
        notes.extend(plan.apps.iter().flat_map(|app| app.findings.clone()));
        notes.extend(plan.retiring().filter_map(Retirement::warning));
    }
    notes.extend(gone(request, told));
    problems.dedup();
    Report {
        command: request.command.word(),
        dry_run: request.dry_run,
        region: desired.region,
        endpoint: desired.endpoint.clone(),
        buckets: buckets(told),
        keys: keys(desired, told),
        older: older(desired, told),
        kept: kept(told, now),
        changes,
        problems,
        findings: findings(told),
        inventory: inventory(told),
        fail_on: request.fail_on,
        notes,
        now,
        report_file: request
            .files
            .report
            .as_ref()
            .map(|path| path.display().to_string()),
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
        Told::Planned { .. } | Told::Done { .. } | Told::Nothing => Vec::new(),
    }
}

fn planned_changes(plan: &Plan) -> Vec<Change> {
    let buckets = plan.buckets.iter().flat_map(|bucket| {
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
    let families = plan.families.iter().flat_map(planned_key);
    let apps = plan.apps.iter().flat_map(planned_app);
    let retired = plan.retiring().filter_map(planned_end);
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

fn planned_key(plan: &FamilyPlan) -> Vec<Change> {
    let subject = format!("key {}", plan.family);
    let swept =
        |orphan: &Generation| Change::new(format!("key {}", orphan.key.name), "delete: a dead run left it");
    let mut changes: Vec<Change> = plan.orphans.iter().map(swept).collect();
    match &plan.decision {
        Decision::Mint { reasons } => {
            let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
            changes.push(Change::new(
                subject,
                format!("mint and deliver: {}", reasons.join("; ")),
            ));
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
fn planned_end(old: &Retirement) -> Option<Change> {
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

fn planned_app(plan: &crate::plan::AppPlan) -> Vec<Change> {
    let subject = format!("app {}", plan.app);
    let set = plan
        .plain
        .iter()
        .map(|(place, env)| Change::new(subject.clone(), format!("set {} at {place}", env.key)));
    let again = (plan.follow == Follow::Redeploy).then(|| {
        Change::new(
            subject.clone(),
            "PUT the spec again: no deployment carries the current key",
        )
    });
    set.chain(again).collect()
}

fn planned_problems(plan: &Plan) -> Vec<Problem> {
    let buckets = plan.buckets.iter().filter_map(|bucket| bucket.problem.clone());
    let families = plan.families.iter().flat_map(|family| match &family.decision {
        Decision::Blocked { problems, .. } => problems.clone(),
        _ => Vec::new(),
    });
    buckets
        .chain(families)
        .chain(plan.problems.iter().cloned())
        .collect()
}

fn buckets(told: &Told<'_>) -> Vec<BucketReport> {
    match told {
        Told::Nothing | Told::Audited { .. } => Vec::new(),
        Told::Planned { plan, .. } => plan.buckets.iter().map(planned_bucket).collect(),
        Told::Checked { plan, .. } => plan.buckets.iter().map(checked_bucket).collect(),
        Told::Done { plan, buckets, .. } => {
            let outcome =
                |plan: &BucketPlan| buckets.get(&plan.name).copied().unwrap_or(BucketOutcome::Failed);
            plan.buckets
                .iter()
                .map(|plan| BucketReport {
                    name: plan.name.clone(),
                    state: outcome(plan),
                })
                .collect()
        }
    }
}

fn planned_bucket(plan: &BucketPlan) -> BucketReport {
    let state = match plan.actions.first() {
        _ if plan.problem.is_some() => BucketOutcome::Failed,
        Some(BucketAction::Create) => BucketOutcome::Created,
        Some(_) => BucketOutcome::Changed,
        None if plan.is_unseen() => BucketOutcome::Unseen,
        None => BucketOutcome::Kept,
    };
    BucketReport {
        name: plan.name.clone(),
        state,
    }
}

fn checked_bucket(plan: &BucketPlan) -> BucketReport {
    let planned = planned_bucket(plan);
    let state = match planned.state {
        BucketOutcome::Created => BucketOutcome::Missing,
        BucketOutcome::Changed => BucketOutcome::Differs,
        state => state,
    };
    BucketReport { state, ..planned }
}

fn keys(desired: &Desired, told: &Told<'_>) -> Vec<KeyReport> {
    if let Told::Audited { .. } = told {
        return Vec::new();
    }
    let families = desired.families.iter().enumerate();
    families
        .map(|(index, wanted)| match told {
            Told::Nothing | Told::Audited { .. } => row(wanted, None, None, false, "not looked at"),
            Told::Planned { plan, .. } => planned_row(wanted, &plan.families[index]),
            Told::Checked { plan, observed, .. } => checked_row(wanted, &plan.families[index], observed),
            Told::Done { keys, .. } => outcome_row(wanted, keys.get(&wanted.family)),
        })
        .collect()
}

fn planned_row(wanted: &WantedFamily, plan: &FamilyPlan) -> KeyReport {
    let (due, state) = match &plan.decision {
        Decision::Keep { due, .. } => (Some(*due), "kept"),
        Decision::Mint { .. } => (None, "would be minted and delivered"),
        Decision::Wait { .. } => (None, "another run is at it"),
        Decision::Blocked { .. } => (None, "blocked"),
    };
    row(wanted, plan.current(), due, false, state)
}

fn checked_row(wanted: &WantedFamily, plan: &FamilyPlan, observed: &Observed) -> KeyReport {
    let generations = Generations::of(&wanted.family, observed);
    let current = generations.current();
    let due = current.map(|current| current.key.created_at.after(wanted.lifetime.due_age()));
    let state = match &plan.decision {
        Decision::Keep { .. } => "in order",
        Decision::Mint { .. } => "to be replaced",
        Decision::Wait { .. } => "another run is at it",
        Decision::Blocked { .. } => "in doubt",
    };
    row(wanted, current, due, false, state)
}

fn outcome_row(wanted: &WantedFamily, outcome: Option<&KeyOutcome>) -> KeyReport {
    match outcome {
        Some(KeyOutcome::Minted { key, .. }) => {
            let due = key.key.created_at.after(wanted.lifetime.due_age());
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
    let grants = listed_grants(&wanted.grants);
    KeyReport {
        family: wanted.family.to_string(),
        access_key_id: key.map(|key| key.key.id.to_string()),
        created_at: key.map(|key| key.key.created_at),
        next_rotation: due,
        grants: grants
            .iter()
            .map(|grant| format!("{}={}", grant.bucket, grant.permission))
            .collect(),
        rotated,
        state: state.to_owned(),
    }
}

fn kept(told: &Told<'_>, now: Option<Timestamp>) -> Vec<Change> {
    let (plan, last) = match told {
        Told::Nothing | Told::Audited { .. } => return Vec::new(),
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

/// The keys that no longer serve and are still there, with what they wait for.
fn older(desired: &Desired, told: &Told<'_>) -> Vec<OlderKey> {
    let (last, keys) = match told {
        Told::Nothing | Told::Audited { .. } => return Vec::new(),
        Told::Planned { plan, .. } | Told::Checked { plan, .. } => (*plan, None),
        Told::Done { last, keys, .. } => (*last, Some(*keys)),
    };
    let minted = |wanted: &WantedFamily| match keys?.get(&wanted.family)? {
        KeyOutcome::Minted { key, .. } => Some((key.since(), wanted.lifetime.grace())),
        KeyOutcome::Kept { .. } | KeyOutcome::Failed { .. } => None,
    };
    let of_families = desired
        .families
        .iter()
        .zip(&last.families)
        .flat_map(|(wanted, plan)| {
            let held = plan.retiring.iter().filter(|old| stays(old, told));
            held.map(move |old| older_key(wanted.family.as_str(), old, minted(wanted)))
        });
    let latest = desired.families.iter().filter_map(minted).max();
    let adopted = last.adopted.iter().filter(|old| stays(old, told));
    let adopted = adopted.map(|old| older_key("adopted", old, latest));
    of_families.chain(adopted).collect()
}

/// Whether a key is there after the run. One that a plan shows as compromised is told as a change; one that was
/// quarantined is there without its grants.
fn stays(old: &Retirement, told: &Told<'_>) -> bool {
    match told {
        Told::Done { .. } => !old.is_free() || old.means == Means::Quarantine,
        Told::Planned { .. } => !old.is_free() && !old.compromised,
        Told::Checked { .. } => true,
        Told::Nothing | Told::Audited { .. } => false,
    }
}

/// A key that nothing holds and that a look leaves where it is.
fn free(family: &str, old: &Retirement) -> OlderKey {
    OlderKey {
        family: family.to_owned(),
        access_key_id: old.key.id.to_string(),
        standing: old.standing.to_string(),
        until: None,
        because: vec!["nothing holds it any more: the next run deletes it".to_owned()],
    }
}

/// After a mint nobody has looked again where time alone holds the key.
fn older_key(family: &str, old: &Retirement, minted: Option<(Timestamp, Duration)>) -> OlderKey {
    if old.is_free() && old.means == Means::Quarantine {
        return quarantined(family, old);
    }
    if old.is_free() {
        return free(family, old);
    }
    let judged_before = old.holds.contains(&Hold::NoSuccessor) || old.free_at().is_some();
    let unseen = minted.filter(|_| judged_before);
    let time = unseen.map(|(delivered, grace)| old.time_after(delivered, grace));
    OlderKey {
        family: family.to_owned(),
        access_key_id: old.key.id.to_string(),
        standing: old.standing.to_string(),
        until: time.as_ref().map_or_else(|| old.free_at(), Hold::ends_at),
        because: time.map_or_else(|| old.reasons(), |hold| vec![hold.to_string()]),
    }
}

fn quarantined(family: &str, old: &Retirement) -> OlderKey {
    OlderKey {
        family: family.to_owned(),
        access_key_id: old.key.id.to_string(),
        standing: old.standing.to_string(),
        until: None,
        because: vec!["it is quarantined, and deleted by a later run like any other old key".to_owned()],
    }
}

/// A key that was named for revoking and that the account does not have: done already, or misspelt.
fn gone(request: &Request, told: &Told<'_>) -> Option<Problem> {
    let key = request.intent.revocation()?.key.as_ref()?;
    let named = match told {
        Told::Done { plan, .. } | Told::Planned { plan, .. } => plan.has_key(key),
        Told::Checked { .. } | Told::Audited { .. } | Told::Nothing => return None,
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
