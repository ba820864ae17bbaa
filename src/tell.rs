//! From a plan and what became of it to the report.

use crate::apply::{Entries, KeyOutcome, Keys, Outcomes};
use crate::config::{Command, Request};
use crate::model::desired::{Desired, WantedFamily};
use crate::model::key::listed_grants;
use crate::model::name::Run;
use crate::model::observed::Observed;
use crate::model::problem::Problem;
use crate::model::time::Timestamp;
use crate::plan::generations::Generation;
use crate::plan::{BucketAction, BucketPlan, Decision, FamilyPlan, Follow, Plan};
use crate::report::{BucketOutcome, BucketReport, Change, KeyReport, Report, spoken};

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
        /// How the buckets came out.
        buckets: &'a Outcomes,
        /// How the families came out.
        keys: &'a Keys,
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
    }
    problems.dedup();
    Report {
        command: match request.command {
            Command::Bootstrap => "bootstrap",
        },
        dry_run: request.dry_run,
        region: desired.region,
        endpoint: desired.endpoint.clone(),
        buckets: buckets(told),
        keys: keys(desired, told),
        kept: kept(told, now),
        changes,
        problems,
        notes,
        now,
        report_file: request
            .report_file
            .as_ref()
            .map(|path| path.display().to_string()),
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
    let admins = plan
        .stray_admins
        .iter()
        .map(|key| Change::new(format!("key {}", key.name), "delete: a dead run left it"));
    buckets
        .chain(variables)
        .chain(families)
        .chain(apps)
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
    buckets.chain(families).collect()
}

fn buckets(told: &Told<'_>) -> Vec<BucketReport> {
    match told {
        Told::Nothing => Vec::new(),
        Told::Planned { plan, .. } => plan.buckets.iter().map(planned_bucket).collect(),
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

fn keys(desired: &Desired, told: &Told<'_>) -> Vec<KeyReport> {
    let families = desired.families.iter().enumerate();
    families
        .map(|(index, wanted)| match told {
            Told::Nothing => row(wanted, None, None, false, "not looked at"),
            Told::Planned { plan, .. } => planned_row(wanted, &plan.families[index]),
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
    let plan = match told {
        Told::Nothing => return Vec::new(),
        Told::Planned { plan, .. } | Told::Done { plan, .. } => plan,
    };
    let buckets = plan.buckets.iter().filter(|bucket| !bucket.kept.is_empty());
    let buckets =
        buckets.map(|bucket| Change::new(format!("bucket {}", bucket.name), bucket.kept.join(", ")));
    let families = plan.families.iter().flat_map(|family| kept_keys(family, now));
    buckets.chain(families).collect()
}

fn kept_keys(plan: &FamilyPlan, now: Option<Timestamp>) -> Vec<Change> {
    let subject = || format!("key {}", plan.family);
    let mut lines = Vec::new();
    if let (Decision::Keep { current, due }, Some(now)) = (&plan.decision, now) {
        let (age, left) = (now.since(current.key.created_at), due.since(now));
        let due = if left.is_zero() {
            "due".to_owned()
        } else {
            format!("due in {}", spoken(left))
        };
        lines.push(Change::new(
            subject(),
            format!("{} kept: {} old, {due}", current.key.id, spoken(age)),
        ));
    }
    let leftover = |key: &Generation| {
        Change::new(
            subject(),
            format!(
                "older key {} kept, because something may still hold it",
                key.key.id
            ),
        )
    };
    lines.extend(plan.leftovers.iter().map(leftover));
    lines
}

impl Run {
    /// The run as a person finds it in Actions.
    #[must_use]
    pub fn spoken(self) -> String {
        match self {
            Self { id: 0, .. } => "a run outside Actions".to_owned(),
            Self { id, attempt: 1 } => format!("run {id}"),
            Self { id, attempt } => format!("run {id} (attempt {attempt})"),
        }
    }
}
