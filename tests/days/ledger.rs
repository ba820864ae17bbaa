//! What has happened so far, as far as a promise depends on it.

use std::collections::BTreeMap;

use crate::account::{Account, HOUR, Trouble, seconds};
use crate::world::{KeyId, Time, World};

#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    /// Starts of the schedule that never came, or whose run did not end green.
    pub(crate) lost_slots: Vec<Time>,
    /// What has happened, how often.
    pub(crate) happenings: BTreeMap<&'static str, u32>,
    /// When each key was minted.
    minted: BTreeMap<KeyId, Time>,
    /// When each key was last in a secret.
    in_secrets: BTreeMap<KeyId, Time>,
}

impl Ledger {
    pub(crate) fn happened(&mut self, what: &'static str) {
        *self.happenings.entry(what).or_default() += 1;
    }

    /// Looks at the world as it is now.
    pub(crate) fn see(&mut self, world: &World) {
        for secret in [world.repository.id, world.repository.secret] {
            if let Some(key) = secret.value.key() {
                self.in_secrets.insert(key, world.now);
            }
        }
        if self.minted.len() < usize::from(world.minted) {
            self.minted
                .extend(world.keys.iter().map(|key| (key.id, key.created_at)));
        }
    }

    /// When the key was last in a secret; nothing when it never was.
    pub(crate) fn left_secrets(&self, key: KeyId) -> Option<Time> {
        self.in_secrets.get(&key).copied()
    }

    /// How many starts were lost from then on.
    pub(crate) fn lost_since(&self, since: Time) -> usize {
        self.lost_slots.iter().filter(|at| **at >= since).count()
    }

    /// By how much a key that was minted then may outlive `max-age`, for what was no fault of the schedule's stated
    /// bounds.
    pub(crate) fn excuse(&self, created_at: Time, account: &Account) -> Time {
        let count = |times: &mut dyn Iterator<Item = &Time>| {
            let within = times.filter(|at| **at >= created_at).count();
            Time::try_from(within).expect("a few")
        };
        let slot = account.schedule.period + HOUR;
        let lost = count(&mut self.lost_slots.iter());
        let grace = seconds(account.lifetime.grace());
        let long_job = if account.longest_job > 6 * HOUR {
            account.longest_job + slot
        } else {
            0
        };
        // A key that is delivered within the grace period for another reason than age is the one from which it counts.
        let anew = if account.trouble == Trouble::default() {
            0
        } else {
            grace + slot
        };
        lost * slot + long_job + anew
    }
}
