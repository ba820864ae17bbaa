//! A server's time, in whole seconds.

use std::fmt;
use std::time::Duration;

use chrono::DateTime;

/// Seconds since 1970 on the clock of a server, never on ours.
///
/// Whole seconds, because `created_at` of a Spaces key and `updated_at` of a GitHub secret carry no more; a fraction,
/// where a server sends one, is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text is neither RFC 3339 nor an HTTP date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time")]
pub struct NotATime(String);

impl Timestamp {
    /// The time `seconds` after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// Reads `2026-01-02T03:04:05Z`, with or without a fraction, as both APIs send it.
    pub fn from_rfc3339(text: &str) -> Result<Self, NotATime> {
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| NotATime(text.to_owned()))?;
        Ok(Self(time.timestamp()))
    }

    /// Reads the value of a `Date` header: `Fri, 02 Jan 2026 03:04:05 GMT`.
    pub fn from_http_date(text: &str) -> Result<Self, NotATime> {
        let time = DateTime::parse_from_rfc2822(text).map_err(|_| NotATime(text.to_owned()))?;
        Ok(Self(time.timestamp()))
    }

    /// This time and `span` more.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(span.as_secs()))
    }

    /// This time and `span` less.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(span.as_secs()))
    }

    /// How long `earlier` lies back from here; zero when it is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC; a time beyond the calendar is shown as `@seconds`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp(self.0, 0) {
            Some(time) => write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%SZ")),
            None => write!(f, "@{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_notations_name_the_same_second() {
        let rfc3339 = Timestamp::from_rfc3339("2026-01-02T03:04:05.987Z").expect("RFC 3339");
        let http = Timestamp::from_http_date("Fri, 02 Jan 2026 03:04:05 GMT").expect("HTTP date");
        assert_eq!(rfc3339, http);
        assert_eq!(rfc3339.to_string(), "2026-01-02T03:04:05Z");
    }

    #[test]
    fn a_later_start_is_no_time_ago() {
        let early = Timestamp::from_unix(10);
        assert_eq!(early.since(early.after(Duration::from_secs(5))), Duration::ZERO);
        assert_eq!(
            early.after(Duration::from_secs(5)).since(early),
            Duration::from_secs(5)
        );
    }

    #[test]
    fn times_at_the_ends_of_all_time_are_times() {
        let (first, last) = (Timestamp::from_unix(i64::MIN), Timestamp::from_unix(i64::MAX));
        assert_eq!(first.since(last), Duration::ZERO);
        assert_eq!(
            last.since(first),
            Duration::from_secs(u64::try_from(i64::MAX).unwrap_or(0))
        );
        assert_eq!(last.after(Duration::MAX), last);
        assert_eq!(first.before(Duration::MAX), first);
        assert_eq!(last.to_string(), format!("@{}", i64::MAX));
        let late = Timestamp::from_rfc3339("9999-12-31T23:59:59Z").expect("a time");
        assert!(
            late.after(Duration::from_hours(24))
                .to_string()
                .starts_with("+10000-01-01T")
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        assert!(Timestamp::from_rfc3339("yesterday").is_err());
        assert!(Timestamp::from_http_date("2026-01-02").is_err());
    }
}
