//! How long a key may live, and when its successor must come so that a late schedule does not make it live longer.

use std::time::Duration;

use super::time::Timestamp;

/// The longest period between two starts of `rotate` that is provided for.
const PERIOD: Duration = Duration::from_hours(24);

/// How late a start may be. GitHub delays scheduled workflows when it is busy, above all at the start of an hour ("Events
/// that trigger workflows", `schedule`), and says of no bound.
const LATENESS: Duration = Duration::from_hours(1);

/// How long a run takes until it has delivered a key, or deleted one: another run is waited for up to 12 minutes by
/// default, and a delivery ends within the lease of ten.
const WORK: Duration = Duration::from_mins(30);

/// From a start that came a moment too early until the next one has done its work.
const MISSED_START: Duration = PERIOD.saturating_add(LATENESS).saturating_add(WORK);

/// How long before the last moment a key is due. Two starts may come a moment too early: one before the key is due, and
/// one before the grace period is over that begins with its successor.
const LEAD: Duration = MISSED_START.saturating_mul(2);

/// How old a key is at least when it is due: older than a run takes, or a run would replace what it has minted itself.
const YOUNGEST_DUE: Duration = Duration::from_hours(1);

/// How long a key may live, and how long it lives on beside its successor.
///
/// `max-age` holds for every schedule with a period of a day or less whose starts are up to an hour late, however the key
/// was minted: one that is due at `d` is replaced by `d + day + hour`, its grace period is over by then or later, and the
/// start that ends it may again be a day and an hour away. What leaves no room for that is no lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    max_age: Duration,
    grace: Duration,
}

/// No daily schedule can end a key in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooShort {
    /// The shortest maximal age for this grace period.
    pub least_max_age: Duration,
    /// The longest grace period for this maximal age; nothing where not even none would do.
    pub longest_grace: Option<Duration>,
}

impl Lifetime {
    /// What the maximal age must exceed the grace period by.
    pub const LEAST_ROOM: Duration = LEAD.saturating_add(YOUNGEST_DUE);

    /// A key's limits; the age must exceed the grace period by [`LEAST_ROOM`](Self::LEAST_ROOM).
    pub fn new(max_age: Duration, grace: Duration) -> Result<Self, TooShort> {
        if max_age.saturating_sub(grace) >= Self::LEAST_ROOM {
            return Ok(Self { max_age, grace });
        }
        Err(TooShort {
            least_max_age: grace.saturating_add(Self::LEAST_ROOM),
            longest_grace: max_age.checked_sub(Self::LEAST_ROOM),
        })
    }

    /// How old a key may become, the overlap with its successor included.
    #[must_use]
    pub fn max_age(self) -> Duration {
        self.max_age
    }

    /// How long a superseded key is kept at least.
    #[must_use]
    pub fn grace(self) -> Duration {
        self.grace
    }

    /// The age at which a key is due: two starts may be missed, and its overlap still ends within the maximal age.
    #[must_use]
    pub fn due_age(self) -> Duration {
        self.max_age.saturating_sub(self.grace).saturating_sub(LEAD)
    }

    /// When a key is due that was minted then.
    #[must_use]
    pub fn due(self, created_at: Timestamp) -> Timestamp {
        created_at.after(self.due_age())
    }

    /// The age by which a daily schedule has replaced the key: from then on there is only room for the start that finds
    /// the grace period over.
    #[must_use]
    pub fn late_age(self) -> Duration {
        self.due_age().saturating_add(MISSED_START)
    }

    /// Whether a key is due while its predecessor is still kept, so that old keys pile up.
    #[must_use]
    pub fn piles_up(self) -> bool {
        self.due_age() < self.grace
    }

    /// The shortest maximal age at which keys of this grace period do not pile up.
    #[must_use]
    pub fn least_tidy_age(self) -> Duration {
        self.grace.saturating_mul(2).saturating_add(LEAD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const DAY: Duration = Duration::from_hours(24);

    fn lifetime(max_age: Duration, grace: Duration) -> Lifetime {
        Lifetime::new(max_age, grace).expect("a life that can be held")
    }

    #[test]
    fn a_key_is_due_two_missed_starts_before_the_last_moment() {
        assert_eq!(lifetime(DAY * 90, DAY).due_age(), DAY * 86 + HOUR * 21);
        assert_eq!(lifetime(DAY * 14, DAY).due_age(), DAY * 10 + HOUR * 21);
        assert_eq!(lifetime(HOUR * 52, Duration::ZERO).due_age(), HOUR);
    }

    #[test]
    fn a_key_that_is_replaced_just_before_it_counts_as_late_can_still_end_in_time() {
        for (max_age, grace) in [(DAY * 90, DAY), (DAY * 14, DAY), (HOUR * 76, DAY)] {
            let lifetime = lifetime(max_age, grace);
            assert_eq!(lifetime.late_age() + grace + MISSED_START, max_age);
        }
    }

    #[test]
    fn what_no_daily_schedule_can_hold_is_refused_with_what_could_be() {
        let refused = |max_age, grace| Lifetime::new(max_age, grace).expect_err("too short");
        let TooShort {
            least_max_age,
            longest_grace,
        } = refused(HOUR * 75, DAY);
        assert_eq!((least_max_age, longest_grace), (HOUR * 76, Some(HOUR * 23)));
        assert_eq!(refused(HOUR * 51, Duration::ZERO).longest_grace, None);
        assert!(Lifetime::new(Duration::MAX, Duration::MAX).is_err());
    }

    #[test]
    fn keys_pile_up_below_the_age_that_is_told_and_not_from_it_on() {
        for grace in [2, 24, 200].map(|hours| HOUR * hours) {
            let least = lifetime(DAY * 90, grace).least_tidy_age();
            assert!(!lifetime(least, grace).piles_up(), "{grace:?}: {least:?}");
            assert!(lifetime(least - HOUR, grace).piles_up(), "{grace:?}: {least:?}");
        }
    }
}
