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

/// How long before the last moment a key is due whose grace period counts from its second successor: three starts may
/// come a moment too early.
const LONG_LEAD: Duration = MISSED_START.saturating_mul(3);

const HOUR: Duration = Duration::from_hours(1);

/// How old a key is at least when it is due: older than a run takes, or a run would replace what it has minted itself.
const YOUNGEST_DUE: Duration = Duration::from_hours(1);

/// How long a key may live, and how long it lives on beside its successor.
///
/// `max-age` holds for every schedule with a period of a day or less whose starts are up to an hour late, however the key
/// was minted: one that is due at `d` is replaced by `d + day + hour`, its grace period is over by then or later, and the
/// start that ends it may again be a day and an hour away. What leaves no room for that is no lifetime.
///
/// Where its successor is due before that grace period is over, the grace period counts from the successor's own
/// successor instead (`docs/ROTATION.md`, "From which delivery on"), so such a key is due earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    max_age: Duration,
    grace: Duration,
    due_age: Duration,
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
    /// A key's limits; the age must leave room beyond the grace period for the starts that may be missed.
    pub fn new(max_age: Duration, grace: Duration) -> Result<Self, TooShort> {
        let due_age = due_age(max_age, grace).ok_or_else(|| TooShort {
            least_max_age: least_max_age(grace),
            longest_grace: longest_grace(max_age),
        })?;
        Ok(Self {
            max_age,
            grace,
            due_age,
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

    /// The age at which a key is due: the starts that may be missed are, and its overlap still ends within the maximal age.
    #[must_use]
    pub fn due_age(self) -> Duration {
        self.due_age
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

    /// Whether a key is due while its predecessor is still kept, so that several old keys stand side by side.
    #[must_use]
    pub fn overlaps_twice(self) -> bool {
        self.due_age < alone(self.grace)
    }

    /// The shortest maximal age at which one old key at a time is kept.
    #[must_use]
    pub fn least_tidy_age(self) -> Duration {
        least_tidy_age(self.grace)
    }
}

/// The least age at which a key is due whose predecessor is gone by then: its grace period counts from the end of the run
/// that delivered the key.
fn alone(grace: Duration) -> Duration {
    grace.saturating_add(WORK).max(YOUNGEST_DUE)
}

/// The age at which a key is due; nothing where none would do.
///
/// One whose predecessor is gone by then is due two missed starts and a grace period before the last moment. Another one
/// waits for two successors, so three starts may be missed, and half of what is left is the age of each.
fn due_age(max_age: Duration, grace: Duration) -> Option<Duration> {
    let room = max_age.checked_sub(grace)?;
    let after_one = room.checked_sub(LEAD).filter(|due| *due >= alone(grace));
    let after_two = || Some(room.checked_sub(LONG_LEAD)? / 2);
    after_one.or_else(|| after_two().filter(|due| *due >= YOUNGEST_DUE))
}

fn least_tidy_age(grace: Duration) -> Duration {
    grace.saturating_add(LEAD).saturating_add(alone(grace))
}

fn least_max_age(grace: Duration) -> Duration {
    let after_two = grace.saturating_add(LONG_LEAD).saturating_add(YOUNGEST_DUE * 2);
    least_tidy_age(grace).min(after_two)
}

/// In whole hours, as people write it; nothing where not even none would do.
fn longest_grace(max_age: Duration) -> Option<Duration> {
    let hours = max_age.as_secs() / HOUR.as_secs();
    let (mut fits, mut does_not) = (0, hours + 1);
    due_age(max_age, Duration::ZERO)?;
    while does_not - fits > 1 {
        let middle = fits.midpoint(does_not);
        if due_age(
            max_age,
            Duration::from_secs(middle.saturating_mul(HOUR.as_secs())),
        )
        .is_some()
        {
            fits = middle;
        } else {
            does_not = middle;
        }
    }
    Some(Duration::from_secs(fits.saturating_mul(HOUR.as_secs())))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_key_that_waits_for_two_successors_is_due_earlier() {
        let long_grace = lifetime(DAY * 14, DAY * 7);
        assert!(long_grace.overlaps_twice());
        // Two ages, three missed starts and the grace period.
        let longest = long_grace.due_age() * 2 + MISSED_START * 3 + DAY * 7;
        assert_eq!(longest, DAY * 14);
    }

    #[test]
    fn a_key_that_is_replaced_just_before_it_counts_as_late_can_still_end_in_time() {
        for (max_age, grace) in [(DAY * 90, DAY), (DAY * 14, DAY), (HOUR * 101, DAY)] {
            let lifetime = lifetime(max_age, grace);
            assert_eq!(lifetime.late_age() + grace + MISSED_START, max_age);
        }
    }

    #[test]
    fn what_no_daily_schedule_can_hold_is_refused_with_what_could_be() {
        let refused = |max_age, grace| Lifetime::new(max_age, grace).expect_err("too short");
        for grace in [0, 1, 6, 23, 24, 48, 7 * 24, 60 * 24].map(|hours| HOUR * hours) {
            let least = refused(grace, grace).least_max_age;
            lifetime(least, grace);
            refused(least.saturating_sub(Duration::from_mins(1)), grace);
        }
        for max_age in [53, 60, 72, 75, 99, 7 * 24].map(|hours| HOUR * hours) {
            let longest = refused(max_age, max_age).longest_grace.expect("some would do");
            lifetime(max_age, longest);
            refused(max_age, longest + HOUR);
        }
        assert_eq!(refused(HOUR * 51, Duration::ZERO).longest_grace, None);
        assert!(Lifetime::new(Duration::MAX, Duration::MAX).is_err());
    }

    #[test]
    fn keys_overlap_twice_below_the_age_that_is_told_and_not_from_it_on() {
        for grace in [40, 24 * 7, 200].map(|hours| HOUR * hours) {
            let least = lifetime(DAY * 90, grace).least_tidy_age();
            assert!(!lifetime(least, grace).overlaps_twice(), "{grace:?}: {least:?}");
            let less = lifetime(least.saturating_sub(HOUR), grace);
            assert!(less.overlaps_twice(), "{grace:?}: {least:?}");
        }
    }
}
