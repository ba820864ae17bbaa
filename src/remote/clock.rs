//! The time by a server's `Date` header, since our own clock may be wrong by minutes.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use http::HeaderMap;
use http::header::DATE;

use crate::model::time::Timestamp;

/// What a server's clock shows, by the last `Date` that it sent and the time that passed here since.
#[derive(Debug, Default)]
pub struct ServerClock(Mutex<Option<Reading>>);

/// One `Date`, between the two moments of ours that enclose it.
#[derive(Debug, Clone, Copy)]
struct Reading {
    date: Timestamp,
    asked: Instant,
    answered: Instant,
}

impl ServerClock {
    /// The server's time, never ahead of it: for deciding that something is over. Nothing before the first reply.
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        self.reading()
            .map(|reading| reading.date.after(reading.answered.elapsed()))
    }

    /// The server's time, never behind it: for deciding that something is still allowed. A `Date` is cut to its
    /// second and was written at the earliest when the request was sent.
    #[must_use]
    pub fn at_latest(&self) -> Option<Timestamp> {
        let second = std::time::Duration::from_secs(1);
        self.reading()
            .map(|reading| reading.date.after(reading.asked.elapsed().saturating_add(second)))
    }

    /// Takes the time from a reply to a request that was sent at `asked`; a reply without a date changes nothing.
    pub(super) fn feed(&self, headers: &HeaderMap, asked: Instant) {
        if let Some(date) = date_of(headers) {
            let reading = Reading {
                date,
                asked,
                answered: Instant::now(),
            };
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
        }
    }

    fn reading(&self) -> Option<Reading> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the server says that it wrote a reply.
pub(super) fn date_of(headers: &HeaderMap) -> Option<Timestamp> {
    let date = headers.get(DATE)?.to_str().ok()?;
    Timestamp::from_http_date(date).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_time_goes_on_from_the_last_date_and_both_bounds_enclose_it() {
        let clock = ServerClock::default();
        assert_eq!(clock.now(), None);
        let mut headers = HeaderMap::new();
        headers.insert(
            DATE,
            "Fri, 02 Jan 2026 03:04:05 GMT".parse().expect("a header value"),
        );
        let asked = Instant::now()
            .checked_sub(Duration::from_secs(5))
            .expect("the machine is up for 5 s");
        clock.feed(&headers, asked);
        let date = date_of(&headers).expect("a date");
        assert_eq!(clock.now(), Some(date));
        assert_eq!(clock.at_latest(), Some(date.after(Duration::from_secs(6))));
        clock.feed(&HeaderMap::new(), Instant::now());
        assert_eq!(clock.now(), Some(date));
    }
}
