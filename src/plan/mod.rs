//! From the wanted and the observed world to what is to be done, or why nothing is.
//!
//! Everything here is a pure function of its arguments; `now` is one of them. Every entry of a plan is an action or a
//! reason for none.

#[cfg(test)]
mod any_world;
pub mod app;
pub mod audit;
pub mod bucket;
pub mod check;
pub mod cors;
pub mod delivery;
pub mod destinations;
mod drift;
pub mod election;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod gate;
pub mod generations;
pub mod judgement;
mod obstacles;
pub mod ownership;
pub mod pile;
pub mod rotation;
pub mod saves;
mod settings;
pub mod standing;
pub mod variables;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::bucket::BucketName;
use crate::model::desired::{AppRef, Desired, WantedFamily};
use crate::model::intent::Intent;
use crate::model::key::{AccessKeyId, SpacesKey};
use crate::model::name::Family;
use crate::model::observed::{Holders, Observed};
use crate::model::problem::Problem;
use crate::model::time::Timestamp;
use gate::Succession;
use obstacles::Room;
use ownership::Stranger;
use standing::Standing;

pub use app::{AppPlan, Follow};
pub use bucket::{BucketAction, BucketPlan};
pub use cors::CorsChange;
pub use drift::Reason;
pub use gate::Retirement;
pub use judgement::{Judgement, Stage};
pub use obstacles::full_account;
pub use rotation::{Decision, FamilyPlan};
pub use variables::VariableWrite;

/// How far the readings of one look may lie apart: a request that is lost is asked again after 20 seconds, for at most 90.
const LONGEST_LOOK: Duration = Duration::from_mins(2);

/// All that one run is going to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The buckets, in the order of the work.
    pub buckets: Vec<BucketPlan>,
    /// The keys.
    pub families: Vec<FamilyPlan>,
    /// Variables that say where, or lack the id of a key that is kept; of the families that have a key or get one.
    pub variables: Vec<VariableWrite>,
    /// What stands of the buckets when all of this has come true.
    pub standing: Standing,
    /// Buckets that are left as they are, since the keys that open them would go to what is not theirs.
    pub withheld: BTreeSet<BucketName>,
    /// What a person should know, and we do not touch.
    pub remains: Vec<Problem>,
    /// Apps whose pages the CORS rules leave out, since they have no address yet.
    pub left_out: Vec<Problem>,
    /// The apps.
    pub apps: Vec<AppPlan>,
    /// The hand-made key that its owner gave to the families, while it exists.
    pub adopted: Option<Retirement>,
    /// Full-access keys that dead runs left behind.
    pub stray_admins: Vec<SpacesKey>,
    /// What is wrong with the request, as far as only the account could tell.
    pub problems: Vec<Problem>,
    /// Every key of the account.
    pub present: BTreeSet<AccessKeyId>,
}

/// What the run is after, and what it has learnt that no service tells.
#[derive(Debug, Clone, Copy)]
pub struct Brief<'a> {
    /// What is asked of the keys.
    pub intent: &'a Intent,
    /// A hand-made key that its owner gave to the families.
    pub adopted: Option<&'a AccessKeyId>,
    /// Whether what is not ours may be overwritten.
    pub overwrite: bool,
    /// The active keys of the run's first look; nothing during that look. What became active since is the run's wish
    /// come true.
    pub first_seen: Option<&'a BTreeSet<AccessKeyId>>,
    /// Apps whose spec was put again and of which App Platform made no deployment.
    pub stuck: &'a BTreeSet<AppRef>,
    /// How long a deployment may take before it counts as failed.
    pub patience: Duration,
}

/// Makes the plan.
#[must_use]
pub fn plan(desired: &Desired, admin: &Family, observed: &Observed, brief: &Brief<'_>) -> Plan {
    let stray_admins = generations::stray_admins(desired, admin, observed, brief);
    let families = families(desired, observed, brief, stray_admins.len());
    let buckets: Vec<BucketPlan> = desired
        .buckets
        .iter()
        .map(|wanted| bucket::plan(wanted, observed))
        .collect();
    let standing = Standing::planned(desired, observed, &buckets);
    Plan {
        variables: variables::differing(announced(desired, &families), observed, &standing),
        apps: app::plan(desired, &families, observed, &standing, brief.patience),
        withheld: ownership::withheld(desired, &families),
        remains: variables::remains(desired, observed),
        left_out: left_out(desired, observed),
        standing,
        buckets,
        adopted: adopted(desired, &families, observed, brief),
        problems: problems(desired, observed, brief),
        present: observed.keys().iter().map(|key| key.id.clone()).collect(),
        stray_admins,
        families,
    }
}

/// The families that have a key or get one: only what they name is announced.
fn announced<'a>(
    desired: &'a Desired,
    families: &'a [FamilyPlan],
) -> impl Iterator<Item = variables::Announced<'a>> {
    let families = desired.families.iter().zip(families);
    families.filter_map(|(wanted, plan)| match &plan.decision {
        Decision::Keep { current, .. } => Some((wanted, Some(current))),
        Decision::Mint { .. } => Some((wanted, None)),
        Decision::Wait { .. } | Decision::Blocked { .. } => None,
    })
}

/// Plans family by family; each mint takes of the room that the account has left.
fn families(desired: &Desired, observed: &Observed, brief: &Brief<'_>, swept: usize) -> Vec<FamilyPlan> {
    let wanted = desired.families.iter();
    let judged: Vec<(&WantedFamily, Judgement)> = wanted
        .map(|wanted| (wanted, Judgement::of(wanted, observed, brief)))
        .collect();
    let orphans: usize = judged.iter().map(|(_, it)| it.generations.orphans.len()).sum();
    let mut room = Room::beside(observed.keys().len().saturating_sub(orphans + swept));
    let plans = judged.into_iter().map(|(wanted, judgement)| {
        let plan = rotation::plan(wanted, judgement, observed, brief, room);
        room = room.after(&plan);
        plan
    });
    plans.collect()
}

/// What of the request or of the look is wrong beside what stands in the way of a bucket or a family. That nobody could
/// look at who holds old keys keeps them, and is no state that may last unseen.
fn problems(desired: &Desired, observed: &Observed, brief: &Brief<'_>) -> Vec<Problem> {
    let unread = observed.holders.iter().flat_map(Holders::unread).cloned();
    let mut all = brief.strangers(desired, observed);
    all.extend(unread);
    all.dedup();
    all
}

fn left_out(desired: &Desired, observed: &Observed) -> Vec<Problem> {
    let buckets = desired.buckets.iter();
    buckets
        .flat_map(|wanted| cors::without_address(wanted, observed))
        .collect()
}

fn adopted(
    desired: &Desired,
    families: &[FamilyPlan],
    observed: &Observed,
    brief: &Brief<'_>,
) -> Option<Retirement> {
    let families = desired.families.iter().zip(families);
    let successions = families.map(|(wanted, plan)| Succession::of(wanted, &plan.judgement));
    gate::adopted(&successions.collect::<Vec<_>>(), observed, brief)
}

impl Plan {
    /// Whether the plan holds no write at all.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let Self {
            buckets,
            families,
            variables,
            apps,
            adopted,
            stray_admins,
            standing: _,
            withheld: _,
            remains: _,
            left_out: _,
            problems: _,
            present: _,
        } = self;
        buckets.iter().all(|bucket| bucket.actions.is_empty())
            && families.iter().all(FamilyPlan::is_quiet)
            && variables.is_empty()
            && apps.iter().all(AppPlan::is_quiet)
            && stray_admins.is_empty()
            && !adopted.as_ref().is_some_and(Retirement::is_free)
    }

    /// Whether a doubt about a current key may come from the look itself: the key was delivered while the services were
    /// read one after the other, so one of them was read before and another one after it.
    #[must_use]
    pub fn may_be_torn(&self, observed: &Observed) -> bool {
        let is_young = |plan: &FamilyPlan| {
            let current = plan.judgement.current();
            current.is_some_and(|current| observed.now.since(current.since()) < LONGEST_LOOK)
        };
        let drifted = |plan: &&FamilyPlan| match &plan.decision {
            Decision::Mint { reasons } => reasons.iter().any(Reason::is_of_a_sink),
            Decision::Keep { .. } | Decision::Wait { .. } | Decision::Blocked { .. } => false,
        };
        self.families.iter().filter(drifted).any(is_young)
    }

    /// The delivered keys of all families.
    #[must_use]
    pub fn active_keys(&self) -> BTreeSet<AccessKeyId> {
        let families = self.families.iter();
        let active = families.flat_map(|family| &family.judgement.generations.active);
        active.map(|generation| generation.key.id.clone()).collect()
    }

    /// Everything that is not ours, family by family.
    pub fn strangers(&self) -> impl Iterator<Item = &Stranger> {
        self.families
            .iter()
            .flat_map(|family| &family.judgement.strangers)
    }

    /// Whether what seems to be somebody else's may have been written by a run of ours while the services were read one
    /// after the other: then another look tells.
    #[must_use]
    pub fn may_mistake_a_run_for_a_stranger(&self, observed: &Observed) -> bool {
        let apart = |at: Timestamp| observed.now.since(at).max(at.since(observed.now));
        let written = self.strangers().filter_map(|stranger| stranger.written);
        written.map(apart).any(|apart| apart < LONGEST_LOOK)
    }

    /// The buckets that this run works on.
    #[must_use]
    pub fn workable_buckets(&self) -> Vec<BucketPlan> {
        let buckets = self.buckets.iter();
        let workable = buckets.filter(|bucket| !self.withheld.contains(&bucket.name));
        workable.cloned().collect()
    }

    /// Whether the account has a key of this id.
    #[must_use]
    pub fn has_key(&self, id: &AccessKeyId) -> bool {
        self.present.contains(id)
    }

    /// Every key that does not serve, with the family that it belongs to; an adopted one belongs to all.
    pub fn retiring(&self) -> impl Iterator<Item = &Retirement> {
        let of_families = self.families.iter().flat_map(|family| &family.retiring);
        of_families.chain(&self.adopted)
    }
}
