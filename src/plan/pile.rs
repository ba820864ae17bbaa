//! Families whose old keys pile up, and what is known of the cause.

use std::time::Duration;

use super::drift::Reason;
use crate::model::key::SpacesKey;
use crate::model::time::Timestamp;

/// How many old keys a family may have before that is an error. Each rotation leaves one for its grace period, a run that
/// dies leaves another, and an account holds 200.
pub const OLDER_KEYS_MAX: usize = 5;

/// An old key of a family.
#[derive(Debug, Clone)]
pub struct OldKey {
    /// Its id.
    pub id: String,
    /// When it was minted, on DigitalOcean's clock.
    pub created_at: Timestamp,
    /// Why it is kept, as far as that is known.
    pub because: Vec<String>,
}

/// The old keys of a family, and what bears on their number.
#[derive(Debug, Clone)]
pub struct Pile<'a> {
    /// The old keys, in any order.
    pub keys: Vec<OldKey>,
    /// What was found of the current key's sinks before anything was mended.
    pub drift: &'a [Reason],
    /// How old a key may become, where that is declared.
    pub max_age: Option<Duration>,
}

impl OldKey {
    /// A key of which nobody knows why it is kept.
    #[must_use]
    pub fn unexplained(key: &SpacesKey) -> Self {
        Self {
            id: key.id.to_string(),
            created_at: key.created_at,
            because: Vec::new(),
        }
    }
}

impl Pile<'_> {
    /// What to say of more than [`OLDER_KEYS_MAX`]: since when and how fast keys are replaced, what was overwritten last,
    /// and what holds the oldest. A sentence without a full stop.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        let count = self.keys.len();
        let oldest = self.keys.iter().min_by_key(|key| key.created_at)?;
        if count <= OLDER_KEYS_MAX {
            return None;
        }
        let mut parts = vec![format!("{count} older keys still exist"), self.pace(oldest)];
        let overwritten = self.drift.iter().find(|reason| reason.is_of_a_sink());
        parts.extend(overwritten.map(|reason| format!("last, {reason}")));
        parts.extend(self.kept(oldest));
        Some(parts.join("; "))
    }

    /// How fast keys have been replaced since the oldest was minted.
    fn pace(&self, oldest: &OldKey) -> String {
        let since = oldest.created_at;
        let newest = self.keys.iter().map(|key| key.created_at).max();
        let span = newest.map_or(Duration::ZERO, |newest| newest.since(since));
        let steps = u32::try_from(self.keys.len().saturating_sub(1)).unwrap_or(u32::MAX);
        match span.checked_div(steps).filter(|pace| !pace.is_zero()) {
            Some(pace) => format!(
                "from {since} on one was replaced every {}{}",
                spoken(pace),
                self.limit()
            ),
            None => format!("all were minted at {since}"),
        }
    }

    fn limit(&self) -> String {
        let limit = self
            .max_age
            .map(|max_age| format!(", and max-age is {}", spoken(max_age)));
        limit.unwrap_or_default()
    }

    /// A hold that is the drift itself is told already.
    fn kept(&self, oldest: &OldKey) -> Option<String> {
        let is_told = |why: &&String| self.drift.iter().any(|reason| why.contains(&reason.to_string()));
        let because: Vec<&str> = oldest
            .because
            .iter()
            .filter(|why| !is_told(why))
            .map(String::as_str)
            .collect();
        let kept = || format!("the oldest, {}, is kept: {}", oldest.id, because.join(", "));
        (!because.is_empty()).then(kept)
    }
}

/// Hours of what is shorter than two days, else days.
fn spoken(span: Duration) -> String {
    let hours = span.as_secs_f64() / 3_600.0;
    let (number, unit) = if hours < 48.0 {
        (hours, "hours")
    } else {
        (hours / 24.0, "days")
    };
    let number = format!("{number:.1}");
    format!("{} {unit}", number.trim_end_matches(".0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pile(count: i64, because: &[&str], drift: &[Reason]) -> Option<String> {
        let key = |n: i64| OldKey {
            id: format!("DO{n}"),
            created_at: Timestamp::from_unix(n * 86_400),
            because: because.iter().map(ToString::to_string).collect(),
        };
        let pile = Pile {
            keys: (1..=count).rev().map(key).collect(),
            drift,
            max_age: Some(Duration::from_hours(90 * 24)),
        };
        pile.told()
    }

    #[test]
    fn five_are_no_pile_and_six_are_told_with_their_pace() {
        assert_eq!(pile(5, &[], &[]), None);
        assert_eq!(
            pile(6, &[], &[]).as_deref(),
            Some(
                "6 older keys still exist; from 1970-01-02T00:00:00Z on one was replaced every 24 hours, and max-age is \
                 90 days"
            )
        );
    }

    #[test]
    fn the_cause_is_told_once() {
        let drift = [
            Reason::GrantsDiffer,
            Reason::SpecDiffers("shop".to_owned(), crate::model::spec::Place::App),
        ];
        let held = "the current key is not in every sink: app shop does not hold the current key at the app";
        let told = pile(6, &[held, "app blog still names it"], &drift).expect("a pile");
        let cause = "; last, app shop does not hold the current key at the app; the oldest, DO1, is kept: app blog still \
                     names it";
        assert!(told.ends_with(cause), "{told}");
    }
}
