//! The keys of one family, read off their names: who lives, who serves, who was left behind.

use std::time::Duration;

use super::Brief;
use crate::model::desired::Desired;
use crate::model::key::SpacesKey;
use crate::model::name::{Family, KeyName, Mark, Run};
use crate::model::observed::Observed;
use crate::model::time::Timestamp;

/// How long a run may touch sinks after its mint. Longer than any delivery takes, shorter than anybody wants to wait
/// for a run that died.
pub const LEASE: Duration = Duration::from_mins(10);

/// An admin key that is older belongs to no run that still does bucket work.
pub(super) const ADMIN_LIFE: Duration = Duration::from_hours(1);

/// A key with its parsed name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// The key.
    pub key: SpacesKey,
    /// Its name.
    pub name: KeyName,
}

/// All generations of a family, by what they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Generations {
    /// Delivered everywhere; the newest first, which is the current one.
    pub active: Vec<Generation>,
    /// Minted by runs that still live.
    pub rivals: Vec<Generation>,
    /// Minted by dead runs; no sink has ever seen them.
    pub orphans: Vec<Generation>,
    /// Left by dead runs in the middle of delivery: a sink may hold them.
    pub doubtful: Vec<Generation>,
}

impl Generations {
    /// Reads the family out of all keys of the account.
    #[must_use]
    pub fn of(family: &Family, observed: &Observed) -> Self {
        let mut generations = Self::default();
        for key in observed.keys() {
            match KeyName::parse(&key.name) {
                Some(name) if name.family == *family => generations.add(
                    Generation {
                        key: key.clone(),
                        name,
                    },
                    observed,
                ),
                _ => {}
            }
        }
        generations
            .active
            .sort_by(|one, other| other.seniority().cmp(&one.seniority()));
        generations
            .rivals
            .sort_by(|one, other| one.key.rank().cmp(&other.key.rank()));
        generations
    }

    /// The key that serves.
    #[must_use]
    pub fn current(&self) -> Option<&Generation> {
        self.active.first()
    }

    /// Delivered keys that no longer serve. Superseding is derived, never written.
    #[must_use]
    pub fn superseded(&self) -> &[Generation] {
        self.active.get(1..).unwrap_or_default()
    }

    /// Every key of the family but its admin keys.
    pub fn all(&self) -> impl Iterator<Item = &Generation> {
        let Self {
            active,
            rivals,
            orphans,
            doubtful,
        } = self;
        active.iter().chain(rivals).chain(orphans).chain(doubtful)
    }

    fn add(&mut self, generation: Generation, observed: &Observed) {
        let dead = is_dead(&generation, observed);
        match generation.name.mark {
            Mark::Admin => {}
            Mark::Active { .. } => self.active.push(generation),
            Mark::Pending if dead => self.orphans.push(generation),
            Mark::Delivering if dead => self.doubtful.push(generation),
            Mark::Pending | Mark::Delivering => self.rivals.push(generation),
        }
    }
}

impl Generation {
    /// When it became active; for the other marks, when it was minted.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        match self.name.mark {
            Mark::Active { since } => since,
            _ => self.key.created_at,
        }
    }

    /// Until when its run may touch sinks.
    #[must_use]
    pub fn lease_end(&self) -> Timestamp {
        self.key.created_at.after(LEASE)
    }

    fn seniority(&self) -> (Timestamp, Timestamp, &str) {
        (self.since(), self.key.created_at, self.key.id.as_str())
    }
}

/// Whether the run behind a key is over: by Actions' word, as an earlier attempt of our own run, or by its lease.
#[must_use]
pub fn is_dead(generation: &Generation, observed: &Observed) -> bool {
    has_ended(generation.name.run, observed) || observed.now >= generation.lease_end()
}

fn has_ended(run: Run, observed: &Observed) -> bool {
    run.is_earlier_attempt_of(observed.run) || observed.finished_runs.contains(&run)
}

/// Full-access keys of ours whose run is over, that are older than an hour, or that are to be revoked.
pub(super) fn stray_admins(
    desired: &Desired,
    admin: &Family,
    observed: &Observed,
    brief: &Brief<'_>,
) -> Vec<SpacesKey> {
    let ours =
        |family: &Family| family == admin || desired.families.iter().any(|wanted| wanted.family == *family);
    // Outside Actions all runs have one number.
    let is_own = |name: &KeyName| name.run == observed.run && name.run != Run::OUTSIDE;
    let stray = |key: &&SpacesKey| {
        let old = observed.now.since(key.created_at) >= ADMIN_LIFE;
        let named = brief
            .intent
            .revocation()
            .is_some_and(|revocation| revocation.key.as_ref() == Some(&key.id));
        KeyName::parse(&key.name).is_some_and(|name| {
            name.mark == Mark::Admin
                && ours(&name.family)
                && (named || has_ended(name.run, observed) || old && !is_own(&name))
        })
    };
    observed.keys().iter().filter(stray).cloned().collect()
}

/// Runs of which it matters whether they are over: those behind unfinished keys of these families, ourselves excluded.
#[must_use]
pub fn runs_in_question(desired: &Desired, admin: &Family, keys: &[SpacesKey], own: Run) -> Vec<Run> {
    let ours =
        |family: &Family| family == admin || desired.families.iter().any(|wanted| wanted.family == *family);
    let names = keys.iter().filter_map(|key| KeyName::parse(&key.name));
    let open = names.filter(|name| ours(&name.family) && !matches!(name.mark, Mark::Active { .. }));
    let mut runs: Vec<Run> = open
        .map(|name| name.run)
        .filter(|run| run.id != 0 && run.id != own.id)
        .collect();
    runs.sort_unstable();
    runs.dedup();
    runs
}
