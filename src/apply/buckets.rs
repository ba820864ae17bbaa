//! Makes buckets and their settings what the plan says.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;

use super::ledger::Ledger;
use crate::model::bucket::{BucketName, Logging, Region, Retention};
use crate::model::problem::Problem;
use crate::plan::bucket::{elsewhere, not_ours};
use crate::plan::{BucketAction, BucketPlan};
use crate::remedy::problem;
use crate::remote::spaces::Creation;
use crate::remote::{Failure, Spaces};
use crate::report::BucketOutcome;

/// The bucket work of one run, under a full-access key.
pub(crate) struct BucketWork<'a> {
    pub(crate) spaces: Spaces,
    pub(crate) ledger: &'a Ledger,
    /// The same key at the other regions, to find out where a taken name lives; empty where the endpoint is one for all.
    pub(crate) elsewhere: Vec<(Region, Spaces)>,
}

/// How each bucket came out.
pub type Outcomes = BTreeMap<BucketName, BucketOutcome>;

impl BucketWork<'_> {
    /// Creates what is missing, log buckets first.
    pub(crate) async fn create_all(&self, plans: &[BucketPlan]) -> Outcomes {
        plans
            .iter()
            .filter_map(|plan| plan.problem.clone())
            .for_each(|problem| self.ledger.failed(problem));
        let targets = log_targets(plans);
        let (first, rest): (Vec<_>, Vec<_>) = plans.iter().partition(|plan| targets.contains(&plan.name));
        let mut outcomes: Outcomes = join_all(first.iter().map(|plan| self.create(plan)))
            .await
            .into_iter()
            .collect();
        outcomes.extend(join_all(rest.iter().map(|plan| self.create(plan))).await);
        outcomes
    }

    /// Sets what differs on all buckets, side by side, and reads it back. A key needs none of it, so it may be minted
    /// meanwhile.
    pub(crate) async fn configure_all(&self, plans: &[BucketPlan], created: &Outcomes) -> Outcomes {
        let mut outcomes = created.clone();
        let settings = join_all(plans.iter().map(|plan| self.configure(plan, created))).await;
        for (name, outcome) in settings.into_iter().flatten() {
            let worse_or_first =
                outcome == BucketOutcome::Failed || outcomes.get(&name) == Some(&BucketOutcome::Kept);
            if worse_or_first {
                outcomes.insert(name, outcome);
            }
        }
        self.verify(plans, &outcomes).await;
        outcomes
    }

    /// Spaces answers before every server knows.
    async fn verify(&self, plans: &[BucketPlan], outcomes: &Outcomes) {
        let changed = plans
            .iter()
            .filter(|plan| outcomes.get(&plan.name) != Some(&BucketOutcome::Failed));
        let checks = changed.flat_map(|plan| {
            plan.actions
                .iter()
                .map(move |action| self.check(&plan.name, action))
        });
        join_all(checks)
            .await
            .into_iter()
            .filter_map(Result::err)
            .for_each(|problem| self.ledger.failed(problem));
    }

    async fn create(&self, plan: &BucketPlan) -> (BucketName, BucketOutcome) {
        let outcome = match (&plan.problem, plan.actions.first()) {
            (Some(_), _) => BucketOutcome::Failed,
            (None, Some(BucketAction::Create)) => self.create_missing(&plan.name).await,
            (None, _) => BucketOutcome::Kept,
        };
        (plan.name.clone(), outcome)
    }

    async fn create_missing(&self, name: &BucketName) -> BucketOutcome {
        let problem = match self.spaces.create(name).await {
            Ok(Creation::Created) => {
                self.ledger.did(format!("bucket {name}"), "created");
                return BucketOutcome::Created;
            }
            Ok(Creation::AlreadyMine) => return BucketOutcome::Kept,
            Ok(Creation::TakenByOther) => match self.region_of(name).await {
                Some(region) => elsewhere(name, Some(region.slug())),
                None => not_ours(name, None),
            },
            Ok(Creation::Elsewhere) => elsewhere(name, self.region_of(name).await.map(Region::slug)),
            Err(failure) => problem(&failure),
        };
        self.ledger.failed(problem);
        BucketOutcome::Failed
    }

    /// The region in which this account has the bucket.
    async fn region_of(&self, name: &BucketName) -> Option<Region> {
        let asked = self
            .elsewhere
            .iter()
            .map(|(region, spaces)| async move { (*region, spaces.owns(name).await.unwrap_or(false)) });
        join_all(asked)
            .await
            .into_iter()
            .find(|(_, owns)| *owns)
            .map(|(region, _)| region)
    }

    async fn configure(&self, plan: &BucketPlan, created: &Outcomes) -> Option<(BucketName, BucketOutcome)> {
        if created.get(&plan.name) == Some(&BucketOutcome::Failed) {
            return None;
        }
        let fresh = created.get(&plan.name) == Some(&BucketOutcome::Created);
        let settings = plan
            .actions
            .iter()
            .filter(|action| **action != BucketAction::Create);
        let applied = join_all(settings.map(|action| self.set(&plan.name, action, fresh, created))).await;
        let failed = applied.iter().any(Result::is_err);
        applied
            .iter()
            .filter_map(|result| result.as_ref().err())
            .for_each(|problem| self.ledger.failed(problem.clone()));
        let outcome = if failed {
            BucketOutcome::Failed
        } else {
            BucketOutcome::Changed
        };
        (!applied.is_empty()).then(|| (plan.name.clone(), outcome))
    }

    async fn set(
        &self,
        name: &BucketName,
        action: &BucketAction,
        fresh: bool,
        created: &Outcomes,
    ) -> Result<(), Problem> {
        let written = match action {
            BucketAction::Create => Ok(()),
            BucketAction::Log(logging) if created.get(&logging.target) == Some(&BucketOutcome::Failed) => {
                return Err(no_target(name, logging));
            }
            BucketAction::Log(logging) => {
                let fresh = fresh || created.get(&logging.target) == Some(&BucketOutcome::Created);
                self.spaces.put_logging(name, logging, fresh).await
            }
            BucketAction::Expire(rules) => self.spaces.put_retentions(name, rules, fresh).await,
        };
        written.map_err(|failure| problem(&failure))?;
        self.ledger.did(format!("bucket {name}"), action.to_string());
        Ok(())
    }

    /// Looks until the setting shows, for half a minute: another server may answer than the one that took it.
    async fn check(&self, name: &BucketName, action: &BucketAction) -> Result<(), Problem> {
        for pause in LOOKS {
            if matches!(self.stands(name, action).await, Ok(true)) {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
        }
        match self.stands(name, action).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(not_taken(name, action)),
            Err(failure) => Err(problem(&failure)),
        }
    }

    async fn stands(&self, name: &BucketName, action: &BucketAction) -> Result<bool, Failure> {
        match action {
            BucketAction::Create => Ok(true),
            BucketAction::Log(wanted) => Ok(self.spaces.logging(name).await?.as_ref() == Some(wanted)),
            BucketAction::Expire(wanted) => Ok(holds(&self.spaces.retentions(name).await?, wanted)),
        }
    }
}

/// The pauses between looks at a setting that does not show yet.
const LOOKS: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
];

fn log_targets(plans: &[BucketPlan]) -> BTreeSet<&BucketName> {
    let actions = plans.iter().flat_map(|plan| &plan.actions);
    actions
        .filter_map(|action| {
            if let BucketAction::Log(logging) = action {
                Some(&logging.target)
            } else {
                None
            }
        })
        .collect()
}

fn holds(found: &[Retention], wanted: &[Retention]) -> bool {
    wanted.iter().all(|rule| found.contains(rule))
}

fn no_target(name: &BucketName, logging: &Logging) -> Problem {
    let what = format!(
        "its access logs cannot go to {}, which could not be made",
        logging.target
    );
    Problem::new(
        format!("bucket {name}"),
        what,
        "Mend the problem of the log bucket first.",
    )
}

fn not_taken(name: &BucketName, action: &BucketAction) -> Problem {
    let what = format!("Spaces accepted \"{action}\", but shows another setting when it is read back");
    Problem::new(
        format!("bucket {name}"),
        what,
        "Run again; if it stays, somebody else configures this bucket too.",
    )
}
