//! Brings every family to its one current key, giving way to other runs and coming back to see what they have done.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::replace::replace;
use super::rotation::{Active, Order, Setback};
use super::waiting::await_rivals;
use super::{Findings, Outcomes, Writers};
use crate::model::bucket::BucketName;
use crate::model::desired::{AppRef, WantedFamily};
use crate::model::name::Family;
use crate::model::observed::Observed;
use crate::model::problem::Problem;
use crate::model::time::Timestamp;
use crate::plan::generations::Generation;
use crate::plan::{Decision, FamilyPlan, Reason, full_account};
use crate::remote::Cause;
use crate::report::BucketOutcome;

/// How a family stands at the end.
#[derive(Debug, Clone)]
pub enum KeyOutcome {
    /// This run minted and delivered it.
    Minted {
        /// The key that serves now.
        key: Generation,
        /// The deployments that carry it, where one was created.
        deployments: Deployments,
    },
    /// The key that was there stays.
    Kept {
        /// The key that serves.
        current: Generation,
        /// When it will be due.
        due: Timestamp,
    },
    /// No new key came about; the older one, if any, serves on.
    Failed {
        /// The key that serves.
        current: Option<Generation>,
    },
}

/// The deployment that a PUT created, by app; App Platform may create none.
pub type Deployments = BTreeMap<AppRef, String>;

/// All families, by name.
pub type Keys = BTreeMap<Family, KeyOutcome>;

/// One look at the world, and what it came to.
pub(crate) struct Round<'a> {
    pub(crate) plans: &'a [FamilyPlan],
    pub(crate) observed: &'a Observed,
    pub(crate) findings: &'a Findings,
    pub(crate) buckets: &'a Outcomes,
}

/// What is left after a round.
pub(crate) enum Next {
    /// Every family has come to an end.
    Settled,
    /// Other runs have changed the world: look at it again.
    LookAgain,
}

impl Round<'_> {
    /// Takes every family as far as it comes in this round, and waits for rivals at its end.
    pub(crate) async fn play(&self, writers: &Writers<'_>, deadline: Instant, keys: &mut Keys) -> Next {
        let mut rivals = Vec::new();
        let mut done_elsewhere = false;
        let orders = self.orders(writers, keys, &mut rivals);
        for (wanted, result) in replace(&orders, &kept(writers, keys), writers).await {
            match result {
                Ok(active) => drop(keys.insert(wanted.family.clone(), minted(active))),
                Err(Setback::Failed(problem)) => {
                    self.fail(writers, wanted, problem, keys);
                    if let Some(note) = full_account(self.observed) {
                        writers.ledger.note(note);
                    }
                }
                Err(Setback::Yield(rival)) => rivals.push(rival),
                Err(Setback::Done(by)) => {
                    tracing::info!(
                        "key {}: {} has delivered {}",
                        by.name.family,
                        by.name.run.spoken(),
                        by.key.id
                    );
                    done_elsewhere = true;
                }
            }
        }
        if rivals.is_empty() {
            return if done_elsewhere {
                Next::LookAgain
            } else {
                Next::Settled
            };
        }
        match await_rivals(writers, &rivals, deadline).await {
            Ok(()) => Next::LookAgain,
            Err(problem) => {
                writers.ledger.failed(problem);
                for rival in &rivals {
                    let family = rival.name.family.clone();
                    let current = self.serving(&family);
                    keys.insert(family, KeyOutcome::Failed { current });
                }
                Next::Settled
            }
        }
    }

    /// The families that need a key now; the others are settled here or waited for.
    fn orders<'w>(
        &self,
        writers: &Writers<'w>,
        keys: &mut Keys,
        rivals: &mut Vec<Generation>,
    ) -> Vec<Order<'w>> {
        let mut orders = Vec::new();
        for (wanted, plan) in writers.desired.families.iter().zip(self.plans) {
            // What this run has delivered or given up is not touched a second time.
            if matches!(
                keys.get(&wanted.family),
                Some(KeyOutcome::Minted { .. } | KeyOutcome::Failed { .. })
            ) {
                continue;
            }
            match &plan.decision {
                Decision::Wait { rival } => rivals.push(rival.clone()),
                Decision::Keep { current, due } => {
                    let kept = KeyOutcome::Kept {
                        current: current.clone(),
                        due: *due,
                    };
                    keys.insert(wanted.family.clone(), kept);
                }
                Decision::Blocked { problems, .. } => {
                    for problem in problems {
                        self.fail(writers, wanted, problem.clone(), keys);
                    }
                }
                Decision::Mint { reasons } => match self.obstacle(writers, wanted) {
                    Some(problem) => self.fail(writers, wanted, problem, keys),
                    None => orders.push(order(wanted, plan, reasons.clone())),
                },
            }
        }
        orders
    }

    /// What came up since the plan was made.
    fn obstacle(&self, writers: &Writers<'_>, wanted: &WantedFamily) -> Option<Problem> {
        let missing = |bucket: &&BucketName| self.buckets.get(bucket) == Some(&BucketOutcome::Failed);
        let bucket = wanted.grants.keys().find(missing).map(|bucket| {
            let what = format!("no key is minted, because bucket {bucket} could not be made ready");
            Problem::new(
                format!("key {}", wanted.family),
                what,
                "Mend the bucket's problem first.",
            )
        });
        let finding = self
            .findings
            .of(&wanted.family, writers.desired)
            .into_iter()
            .next();
        finding
            .or(bucket)
            .or_else(|| writers.shutdown.cause().map(|cause| stopped(wanted, cause)))
    }

    fn fail(&self, writers: &Writers<'_>, wanted: &WantedFamily, problem: Problem, keys: &mut Keys) {
        writers.ledger.failed(problem);
        let current = self.serving(&wanted.family);
        keys.insert(wanted.family.clone(), KeyOutcome::Failed { current });
    }

    fn serving(&self, family: &Family) -> Option<Generation> {
        let plan = self.plans.iter().find(|plan| plan.family == *family)?;
        plan.judgement.current().cloned()
    }
}

fn order<'w>(wanted: &'w WantedFamily, plan: &FamilyPlan, reasons: Vec<Reason>) -> Order<'w> {
    let generations = &plan.judgement.generations;
    let active = generations.active.iter();
    Order {
        wanted,
        reasons,
        known: active.clone().map(|active| active.key.id.clone()).collect(),
        newest: generations.all().map(|it| it.key.created_at).max(),
        stamped: active.map(Generation::since).max(),
    }
}

/// The families whose key stays.
fn kept<'w>(writers: &Writers<'w>, keys: &Keys) -> Vec<&'w WantedFamily> {
    let families = writers.desired.families.iter();
    let kept = families.filter(|wanted| matches!(keys.get(&wanted.family), Some(KeyOutcome::Kept { .. })));
    kept.collect()
}

fn minted(active: Active) -> KeyOutcome {
    let Active {
        key,
        name,
        deployments,
    } = active;
    KeyOutcome::Minted {
        key: Generation { key, name },
        deployments,
    }
}

fn stopped(wanted: &WantedFamily, cause: Cause) -> Problem {
    let what = format!("{cause} stopped the run before its mint");
    Problem::new(format!("key {}", wanted.family), what, "Run again.")
}
