//! Whether a secret can be what a key's delivery wrote, as far as times tell. Nobody can read its value back.
//!
//! A key is minted on DigitalOcean's clock and its secrets are written on GitHub's, and the two may differ by any time. No
//! rule here makes a secret of the delivery itself look older than it, whatever they show: GitHub's times are compared
//! with GitHub's, and with the mint only where the delivery has shown that they can be. A run vouches for a delivery
//! (`apply::delivery`) only when all that it wrote passes these very rules.

use super::generations::{Generation, Generations, LEASE};
use crate::model::time::Timestamp;

/// When a key came to its sinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// When the key was minted, on DigitalOcean's clock.
    pub minted: Timestamp,
    /// When the last of its secrets was written, on GitHub's clock.
    pub stamp: Timestamp,
    /// The last stamp before it, of the keys that are still there, on GitHub's clock.
    pub before: Option<Timestamp>,
}

impl Delivery {
    /// The delivery of the current key; nothing where there is none.
    pub(super) fn of_current(generations: &Generations) -> Option<Self> {
        let current = generations.current()?;
        let stamp = current.since();
        let older = generations.superseded().iter().map(Generation::since);
        Some(Self {
            minted: current.key.created_at,
            stamp,
            before: older.filter(|older| *older < stamp).max(),
        })
    }

    /// Whether what was written `at` this time was there before the delivery began, so that it holds another key.
    #[must_use]
    pub fn began_after(&self, at: Timestamp) -> bool {
        let of_a_former_key = self.before.is_some_and(|before| at <= before);
        // All secrets of a delivery are written within the lease of its key.
        let out_of_reach = at.after(LEASE) < self.stamp;
        of_a_former_key || out_of_reach || self.was_there_at_the_mint(at)
    }

    /// A stamp earlier than the mint says that GitHub's clock is behind: then nothing can be said.
    fn was_there_at_the_mint(&self, at: Timestamp) -> bool {
        self.stamp >= self.minted && at < self.minted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(second)
    }

    fn delivery(minted: i64, stamp: i64, before: Option<i64>) -> Delivery {
        Delivery {
            minted: at(minted),
            stamp: at(stamp),
            before: before.map(at),
        }
    }

    #[test]
    fn what_is_older_than_the_mint_was_there_before() {
        let delivery = delivery(1_000, 1_005, None);
        assert!(delivery.began_after(at(999)));
        assert!(!delivery.began_after(at(1_000)));
    }

    #[test]
    fn a_clock_that_is_behind_says_nothing_of_the_mint() {
        let delivery = delivery(1_000, 940, None);
        assert!(!delivery.began_after(at(930)));
        assert!(
            delivery.began_after(at(339)),
            "longer before the stamp than a lease"
        );
    }

    #[test]
    fn what_a_former_delivery_wrote_was_there_before_whatever_the_clocks_show() {
        for gap in [-600, -90, 0, 90, 600] {
            let delivery = delivery(1_000, 1_002 + gap, Some(999 + gap));
            assert!(delivery.began_after(at(999 + gap)));
            assert!(!delivery.began_after(at(1_001 + gap)));
        }
    }

    /// For any clocks: what a delivery wrote that was vouched for is never taken for older than it.
    #[test]
    fn no_secret_of_the_last_pass_looks_older() {
        for gap in -700..700 {
            for (first, spread) in [(0, 0), (1, 0), (1, 40), (90, 20), (300, 240)] {
                let (first, last) = (1_000 + gap + first, 1_000 + gap + first + spread);
                let delivery = delivery(1_000, last, None);
                let straddles = first < 1_000 && 1_000 <= last;
                assert_eq!(
                    delivery.began_after(at(first)),
                    straddles,
                    "{gap}: {first} to {last}"
                );
                assert!(!delivery.began_after(at(last)));
            }
        }
    }
}
