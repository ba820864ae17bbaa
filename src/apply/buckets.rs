//! Makes buckets and their settings what the plan says.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;

use super::ledger::Ledger;
use crate::model::bucket::{BucketName, Logging, Region};
use crate::model::desired::Desired;
use crate::model::lifecycle::LifecycleRule;
use crate::model::problem::Problem;
use crate::plan::bucket::{elsewhere, not_ours};
use crate::plan::{BucketAction, BucketPlan, cors};
use crate::remedy::problem;
use crate::remote::spaces::{Creation, SpacesOf};
use crate::remote::{DigitalOcean, Failure, Spaces};
use crate::report::BucketOutcome;

/// The bucket work of one run, under a full-access key.
pub(crate) struct BucketWork<'a> {
    pub(crate) spaces: SpacesOf,
    /// Where the CDN is; it can be done without where none is wanted.
    pub(crate) digitalocean: Option<&'a DigitalOcean>,
    pub(crate) ledger: &'a Ledger,
    pub(crate) desired: &'a Desired,
    /// The same key at every region, to find out where a taken name lives; empty where the endpoint is one for all.
    pub(crate) everywhere: Vec<(Region, Spaces)>,
}

/// The addresses of CDN endpoints.
pub(crate) type CdnAddresses = BTreeMap<BucketName, String>;

/// How each bucket came out.
pub type Outcomes = BTreeMap<BucketName, BucketOutcome>;

impl BucketWork<'_> {
    /// Creates what is missing, side by side: only the settings need a bucket and the one that takes its logs.
    pub(crate) async fn create_all(&self, plans: &[BucketPlan]) -> Outcomes {
        plans
            .iter()
            .flat_map(|plan| plan.problem.iter().chain(&plan.doubts).cloned())
            .for_each(|problem| self.ledger.failed(problem));
        let created = plans.iter().map(|plan| self.create(plan));
        join_all(created).await.into_iter().collect()
    }

    /// Sets what differs on all buckets, side by side, and reads it back. A key needs none of it, so it may be minted
    /// meanwhile. With the addresses of the CDN endpoints that were made or changed.
    pub(crate) async fn configure_all(
        &self,
        plans: &[BucketPlan],
        created: &Outcomes,
    ) -> (Outcomes, CdnAddresses) {
        let mut outcomes = created.clone();
        let mut endpoints = CdnAddresses::new();
        let settings = join_all(plans.iter().map(|plan| self.configure(plan, created))).await;
        for (name, outcome, endpoint) in settings.into_iter().flatten() {
            endpoints.extend(endpoint.map(|endpoint| (name.clone(), endpoint)));
            let worse_or_first =
                outcome == BucketOutcome::Failed || outcomes.get(&name) == Some(&BucketOutcome::Kept);
            if worse_or_first {
                outcomes.insert(name, outcome);
            }
        }
        let (seen, ()) = tokio::join!(self.seen_cdn(plans, endpoints), self.verify(plans, &outcomes));
        (outcomes, seen)
    }

    /// Spaces answers before every server knows.
    async fn verify(&self, plans: &[BucketPlan], outcomes: &Outcomes) {
        let changed = plans
            .iter()
            .filter(|plan| outcomes.get(&plan.name) != Some(&BucketOutcome::Failed));
        let checks = changed.flat_map(|plan| {
            let actions = plan.actions.iter().filter(|action| is_to_be_read(plan, action));
            actions.map(move |action| self.check(&plan.name, action))
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
        let problem = match self.spaces.of(name).create(name).await {
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
        let home = self.desired.home_of(name);
        let asked = self
            .everywhere
            .iter()
            .filter(|(region, _)| *region != home)
            .map(|(region, spaces)| async move { (*region, spaces.owns(name).await.unwrap_or(false)) });
        join_all(asked)
            .await
            .into_iter()
            .find(|(_, owns)| *owns)
            .map(|(region, _)| region)
    }

    async fn configure(
        &self,
        plan: &BucketPlan,
        created: &Outcomes,
    ) -> Option<(BucketName, BucketOutcome, Option<String>)> {
        if created.get(&plan.name) == Some(&BucketOutcome::Failed) {
            return None;
        }
        let fresh = created.get(&plan.name) == Some(&BucketOutcome::Created);
        let settings = plan.actions.iter().filter(|action| !is_apart(action));
        let applied = join_all(settings.map(|action| self.set(&plan.name, action, fresh, created))).await;
        let done = applied.iter().filter(|result| result.is_ok()).count();
        let endpoint = applied.iter().flatten().flatten().next().cloned();
        let purged = self.purge(plan, done > 0).await;
        let mut failed = applied
            .into_iter()
            .map(|applied| applied.map(drop))
            .chain(purged)
            .filter_map(Result::err)
            .peekable();
        let outcome = match failed.peek() {
            Some(_) => BucketOutcome::Failed,
            None if !plan.doubts.is_empty() => BucketOutcome::Failed,
            None if done > 0 => BucketOutcome::Changed,
            None => return None,
        };
        failed.for_each(|problem| self.ledger.failed(problem));
        Some((plan.name.clone(), outcome, endpoint))
    }

    /// The address of the CDN endpoint, where that is what was set.
    async fn set(
        &self,
        name: &BucketName,
        action: &BucketAction,
        fresh: bool,
        created: &Outcomes,
    ) -> Result<Option<String>, Problem> {
        let spaces = self.spaces.of(name);
        let mut endpoint = None;
        let written = match action {
            BucketAction::Create | BucketAction::Purge(_) => Ok(()),
            BucketAction::Log(logging) if created.get(&logging.target) == Some(&BucketOutcome::Failed) => {
                return Err(no_target(name, logging));
            }
            BucketAction::Log(logging) => {
                let fresh = fresh || created.get(&logging.target) == Some(&BucketOutcome::Created);
                spaces.put_logging(name, logging, fresh).await
            }
            BucketAction::StopLogging => spaces.stop_logging(name).await,
            BucketAction::Lifecycle { set, drop } => spaces.put_lifecycle(name, set, drop, fresh).await,
            BucketAction::Cors(change) => {
                spaces
                    .put_cors(name, &change.arranged.rules, &change.wanted, fresh)
                    .await
            }
            BucketAction::Versioning(versioning) => spaces.put_versioning(name, *versioning, fresh).await,
            BucketAction::Acl(acl) => spaces.put_acl(name, *acl, fresh).await,
            BucketAction::Cdn(change) => {
                endpoint = Some(self.put_cdn(name, change).await?);
                Ok(())
            }
        };
        written.map_err(|failure| problem(&failure))?;
        self.ledger.did(format!("bucket {name}"), action.to_string());
        Ok(endpoint)
    }

    /// After everything else: what is asked for in between would be kept as it was answered before.
    async fn purge(&self, plan: &BucketPlan, changed: bool) -> Option<Result<(), Problem>> {
        let purge = plan
            .actions
            .iter()
            .find(|action| matches!(action, BucketAction::Purge(_)))?;
        let BucketAction::Purge(id) = purge else {
            return None;
        };
        let digitalocean = self.digitalocean.filter(|_| changed)?;
        let purged = digitalocean
            .purge_cdn(id)
            .await
            .map_err(|failure| problem(&failure));
        if purged.is_ok() {
            self.ledger
                .did(format!("bucket {}", plan.name), purge.to_string());
        }
        Some(purged)
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
        let spaces = self.spaces.of(name);
        match action {
            BucketAction::Cdn(_) | BucketAction::Purge(_) => Ok(true),
            BucketAction::Create => spaces.owns(name).await,
            BucketAction::Log(wanted) => Ok(spaces.logging(name).await?.as_ref() == Some(wanted)),
            BucketAction::StopLogging => Ok(spaces.logging(name).await?.is_none()),
            BucketAction::Lifecycle { set, drop } => Ok(holds(&spaces.lifecycle(name).await?, set, drop)),
            BucketAction::Cors(change) => Ok(cors::stand(&change.wanted, &spaces.cors(name).await?)),
            BucketAction::Versioning(wanted) => Ok(spaces.versioning(name).await? == Some(*wanted)),
            BucketAction::Acl(wanted) => Ok(spaces.acl(name).await? == *wanted),
        }
    }
}

/// What is not one of the settings that are written side by side.
fn is_apart(action: &BucketAction) -> bool {
    matches!(action, BucketAction::Create | BucketAction::Purge(_))
}

/// Whether the action has something to look at. That a bucket shows a setting says that it was made.
fn is_to_be_read(plan: &BucketPlan, action: &BucketAction) -> bool {
    match action {
        BucketAction::Create => plan
            .actions
            .iter()
            .all(|action| is_apart(action) || is_of_cdn(action)),
        BucketAction::Purge(_) => false,
        action => !is_of_cdn(action),
    }
}

fn is_of_cdn(action: &BucketAction) -> bool {
    matches!(action, BucketAction::Cdn(_))
}

/// The pauses between looks at a setting that does not show yet.
pub(super) const LOOKS: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
];

fn holds(found: &[LifecycleRule], wanted: &[LifecycleRule], dropped: &[String]) -> bool {
    wanted.iter().all(|rule| found.contains(rule)) && !found.iter().any(|rule| dropped.contains(&rule.id))
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
    if matches!(action, BucketAction::Create) {
        let what = "Spaces accepted \"created\", but does not show it";
        return Problem::new(format!("bucket {name}"), what, "Run again a little later.");
    }
    let what = format!("Spaces accepted \"{action}\", but shows another setting when it is read back");
    Problem::new(
        format!("bucket {name}"),
        what,
        "Run again; if it stays, somebody else configures this bucket too.",
    )
}
