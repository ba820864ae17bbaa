//! The sandbox's own time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

/// Where every face reads the time: `Date` headers, `created_at`, `updated_at`,
/// the age of a signature, the windows of the rate limits.
///
/// It starts at the machine's time and runs with it. A test may set, freeze or
/// advance it; nothing waits for it, so a jump of ninety days costs nothing.
#[derive(Debug, Clone)]
pub struct Clock {
    /// Milliseconds since the Unix epoch at `since`.
    base: i64,
    /// When `base` was true; `None` while the clock stands still.
    since: Option<Instant>,
}

impl Clock {
    /// A clock that runs from the machine's present time.
    #[must_use]
    pub fn running() -> Self {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            base: millis(elapsed),
            since: Some(Instant::now()),
        }
    }

    /// A clock that stands still at `unix_seconds` until it is advanced.
    #[must_use]
    pub fn frozen(unix_seconds: i64) -> Self {
        Self {
            base: unix_seconds * 1000,
            since: None,
        }
    }

    /// Unix seconds, rounded down.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.now_millis().div_euclid(1000)
    }

    /// Unix milliseconds, for delays shorter than a second.
    #[must_use]
    pub fn now_millis(&self) -> i64 {
        self.base + self.since.map_or(0, |since| millis(since.elapsed()))
    }

    /// Moves the clock forward; it keeps running or standing as it was.
    pub fn advance(&mut self, by: Duration) {
        self.base += millis(by);
    }

    /// Sets the time; the clock keeps running or standing as it was.
    pub fn set(&mut self, unix_seconds: i64) {
        self.base = unix_seconds * 1000;
        self.since = self.since.map(|_| Instant::now());
    }

    /// Stops the clock at its present time.
    pub fn freeze(&mut self) {
        self.base = self.now_millis();
        self.since = None;
    }

    /// The moment `delay` from now, in Unix milliseconds.
    #[must_use]
    pub fn after(&self, delay: Duration) -> i64 {
        self.now_millis() + millis(delay)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::running()
    }
}

/// `2026-01-02T03:04:05Z`, as DigitalOcean and GitHub write times.
#[must_use]
pub fn rfc3339(unix_seconds: i64) -> String {
    calendar(unix_seconds).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `Fri, 02 Jan 2026 03:04:05 GMT`, as HTTP headers write times.
#[must_use]
pub fn http_date(unix_seconds: i64) -> String {
    calendar(unix_seconds)
        .format("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

fn calendar(unix_seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(unix_seconds, 0).unwrap_or_default()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_moves_only_when_advanced() {
        let mut clock = Clock::frozen(1_767_323_045);
        clock.advance(Duration::from_millis(1_500));
        assert_eq!(clock.now(), 1_767_323_046);
        assert_eq!(rfc3339(clock.now()), "2026-01-02T03:04:06Z");
        assert_eq!(http_date(clock.now()), "Fri, 02 Jan 2026 03:04:06 GMT");
    }

    #[test]
    fn a_clock_that_was_set_runs_on() {
        let mut clock = Clock::running();
        clock.set(1_000);
        std::thread::sleep(Duration::from_millis(5));
        assert!(clock.now_millis() >= 1_000_005);
    }
}
