//! What has happened so far, as far as a promise depends on it.

use std::collections::BTreeMap;

use crate::account::{Account, DAY, HOUR, seconds};
use crate::switches;
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
    /// bounds; nothing where there is no telling.
    pub(crate) fn excuse(&self, created_at: Time, account: &Account) -> Option<Time> {
        let count = |times: &mut dyn Iterator<Item = &Time>| {
            let within = times.filter(|at| **at >= created_at).count();
            Time::try_from(within).expect("a few")
        };
        let slot = account.schedule.period + HOUR;
        let lost = count(&mut self.lost_slots.iter());
        // Its own successor is no surprise, and the first key after it neither.
        let mints = count(&mut self.minted.values()).saturating_sub(2);
        let grace = seconds(account.lifetime.grace());
        let long_job = if account.longest_job > 6 * HOUR {
            account.longest_job + slot
        } else {
            0
        };
        if switches::GRACE_COUNTS_PER_SUCCESSOR {
            return Some(lost * slot + long_job);
        }
        if account.is_overwritten() {
            return None;
        }
        let disturbed = lost > 0 || account.trouble.by_hand.is_some() || account.trouble.lost.is_some();
        let anew = if disturbed {
            mints * (grace + slot + DAY)
        } else {
            0
        };
        Some(lost * slot + long_job + anew)
    }
}
