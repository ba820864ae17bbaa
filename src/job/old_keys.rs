//! The last look at old keys, after what this run has changed.

use std::collections::BTreeSet;

use super::Job;
use super::looking::World;
use super::working::View;
use crate::apply::{self, Findings, KeyOutcome, Keys};
use crate::model::key::AccessKeyId;
use crate::model::problem::Problem;
use crate::plan::gate::Hold;
use crate::plan::{Plan, Retirement};
use crate::remote::DigitalOcean;

impl Job<'_> {
    /// Where this run has changed what held an old key back, one more look decides about it; the look and the end of the
    /// key lie close together.
    pub(super) async fn look_at_old_keys(&self, view: View, keys: &Keys, deployed: bool) -> View {
        let awaited = view
            .plan
            .retiring()
            .any(|old| self.may_be_free(old, &view.plan, keys, deployed));
        if !awaited || self.shutdown.requested() {
            return view;
        }
        self.console.open_group("Old keys");
        let world = self.interruptible(self.observe(None)).await;
        let view = match world {
            Some(World {
                observed, sealing, ..
            }) => {
                let plan = self.plan(&observed, &BTreeSet::new());
                apply::clear(&self.writers(&observed, &sealing), &plan).await;
                View {
                    observed,
                    sealing,
                    plan,
                    findings: Findings::default(),
                }
            }
            None => view,
        };
        self.console.close_group();
        view
    }

    /// Whether the gate may judge otherwise now than at the last look.
    fn may_be_free(&self, old: &Retirement, last: &Plan, keys: &Keys, deployed: bool) -> bool {
        if old.is_free() {
            return false;
        }
        let minted = self.time_after_mints(old, last, keys);
        if minted.is_empty() {
            return deployed && old.free_at().is_none();
        }
        let now = self.session.digitalocean.as_ref().and_then(DigitalOcean::now);
        let is_over = |hold: &Hold| now >= hold.ends_at();
        old.compromised || minted.iter().all(is_over)
    }

    /// What time demands after the mints of this run, in each family that the key belongs to.
    fn time_after_mints(&self, old: &Retirement, last: &Plan, keys: &Keys) -> Vec<Hold> {
        let families = self.desired.families.iter().zip(&last.families);
        let concerned =
            families.filter(|(_, plan)| last.adopted.as_ref() == Some(old) || plan.retiring.contains(old));
        let holds = concerned.filter_map(|(wanted, _)| match keys.get(&wanted.family)? {
            KeyOutcome::Minted { key, .. } => Some(old.time_after(key.since(), wanted.lifetime.grace())),
            KeyOutcome::Kept { .. } | KeyOutcome::Failed { .. } => None,
        });
        holds.collect()
    }

    /// The intent to revoke is written nowhere: whoever asked for it must ask again.
    pub(super) fn tell_unrevoked(&self, last: &Plan, keys: &Keys) {
        let Some(revocation) = self.request.intent.revocation() else {
            return;
        };
        let held: Vec<&Retirement> = last
            .retiring()
            .filter(|old| old.compromised && !old.is_free())
            .collect();
        for old in &held {
            let what = match self.shutdown.cause() {
                Some(cause) => format!("it is not revoked: {cause} stopped the run before"),
                None => format!("it is not revoked: {}", old.reasons().join("; ")),
            };
            self.ledger.failed(unrevoked(&old.key.id, &what));
        }
        let serving = keys.values().filter_map(|outcome| match outcome {
            KeyOutcome::Failed { current } => current.as_ref().map(|current| &current.key.id),
            KeyOutcome::Minted { .. } | KeyOutcome::Kept { .. } => None,
        });
        let is_told = |id: &AccessKeyId| held.iter().any(|old| old.key.id == *id);
        for id in serving.filter(|id| revocation.means(id) && !is_told(id)) {
            let what = "it is not revoked: it is still in use, because no successor was delivered";
            self.ledger.failed(unrevoked(id, what));
        }
    }
}

fn unrevoked(key: &AccessKeyId, what: &str) -> Problem {
    let remedy = "Mend what stands in the way, and run revoke again: no later run knows of it.";
    Problem::new(format!("key {key}"), what, remedy)
}
