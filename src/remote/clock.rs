//! The time by the `Date` headers of servers, since our own clock may be wrong by hours. All clients go by what is kept here.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_smithy_async::time::TimeSource;
use http::HeaderMap;
use http::header::DATE;

use super::failure::Service;
use crate::model::time::Timestamp;

/// How far a server's clock may be from ours before it is told. Spaces refuses signatures from 15 minutes on.
pub(super) const TOLERATED: Duration = Duration::from_mins(5);

/// Before this was written no server was asked, 1 January 2020; and signers compute with what they believe, so what is
/// beyond 1 January 2200 is none either.
const SANE: Range<Timestamp> = Timestamp::from_unix(1_577_836_800)..Timestamp::from_unix(7_258_118_400);

/// The clocks of all servers that were asked, host by host.
#[derive(Debug, Default)]
pub struct Clocks(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    servers: BTreeMap<(Service, String), Arc<ServerClock>>,
    gaps: BTreeMap<Service, Gap>,
}

/// By how many seconds the clock of a service was ahead of this machine's when it was seen first; negative: behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap(pub i64);

/// The time by which requests to one host are signed: its own as soon as it has answered, before that the time of another
/// server, and before any answer ours.
#[derive(Debug)]
pub(super) struct SigningTime {
    own: Arc<ServerClock>,
    clocks: Arc<Clocks>,
}

impl Gap {
    /// Whether it is more than clocks may differ by without harm.
    #[must_use]
    pub fn matters(self) -> bool {
        self.0.unsigned_abs() > TOLERATED.as_secs()
    }
}

impl Clocks {
    /// The clock of a service at a host.
    pub(super) fn of(&self, service: Service, host: &str) -> Arc<ServerClock> {
        let mut known = self.known();
        Arc::clone(known.servers.entry((service, host.to_owned())).or_default())
    }

    /// The first gap to each service that was asked.
    #[must_use]
    pub fn gaps(&self) -> BTreeMap<Service, Gap> {
        self.known().gaps.clone()
    }

    /// Takes the time from a reply to a request that was sent at `asked`.
    pub(super) fn feed(&self, service: Service, host: &str, headers: &HeaderMap, asked: Instant) {
        let Some(date) = date_of(headers) else { return };
        self.of(service, host).set(date, asked);
        let mut known = self.known();
        if !SANE.contains(&date) || known.gaps.contains_key(&service) {
            return;
        }
        let gap = gap(date);
        let is_first = gap.matters() && !known.gaps.values().any(|gap| gap.matters());
        known.gaps.insert(service, gap);
        if is_first {
            let (minutes, side) = (
                gap.0.unsigned_abs() / 60,
                if gap.0 > 0 { "ahead of" } else { "behind" },
            );
            tracing::info!(
                "the clock of {service} is {minutes} minutes {side} this machine's: requests go by the servers' time"
            );
        }
    }

    /// The time of a server that keeps its clock, where one has answered.
    fn of_another(&self) -> Option<Timestamp> {
        let known = self.known();
        let sane = |clock: &Arc<ServerClock>| clock.now().filter(|now| SANE.contains(now));
        // DigitalOcean's first: Spaces is its own.
        known.servers.values().find_map(sane)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gap(date: Timestamp) -> Gap {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let ours = since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
    Gap(date.unix().saturating_sub(ours))
}

impl SigningTime {
    pub(super) fn new(clocks: &Arc<Clocks>, service: Service, host: &str) -> Self {
        Self {
            own: clocks.of(service, host),
            clocks: Arc::clone(clocks),
        }
    }
}

impl TimeSource for SigningTime {
    fn now(&self) -> SystemTime {
        let own = self.own.now().filter(|now| SANE.contains(now));
        let servers = own.or_else(|| self.clocks.of_another());
        let seconds = servers.and_then(|now| u64::try_from(now.unix()).ok());
        seconds.map_or_else(SystemTime::now, |seconds| {
            SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
        })
    }
}

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

    /// Takes the time from a reply to a request that was sent at `asked`.
    fn set(&self, date: Timestamp, asked: Instant) {
        let reading = Reading {
            date,
            asked,
            answered: Instant::now(),
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
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
    use super::*;

    const DATE_SENT: &str = "Fri, 02 Jan 2026 03:04:05 GMT";

    fn dated(date: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, date.parse().expect("a header value"));
        headers
    }

    #[test]
    fn the_time_goes_on_from_the_last_date_and_both_bounds_enclose_it() {
        let clocks = Clocks::default();
        let clock = clocks.of(Service::DigitalOcean, "api.example");
        assert_eq!(clock.now(), None);
        let headers = dated(DATE_SENT);
        let asked = Instant::now()
            .checked_sub(Duration::from_secs(5))
            .expect("the machine is up for 5 s");
        clocks.feed(Service::DigitalOcean, "api.example", &headers, asked);
        let date = date_of(&headers).expect("a date");
        assert_eq!(clock.now(), Some(date));
        assert_eq!(clock.at_latest(), Some(date.after(Duration::from_secs(6))));
        clocks.feed(
            Service::DigitalOcean,
            "api.example",
            &HeaderMap::new(),
            Instant::now(),
        );
        assert_eq!(clock.now(), Some(date));
    }

    #[test]
    fn a_host_is_signed_for_by_its_own_time_and_by_that_of_another_before_its_first_answer() {
        let clocks = Arc::new(Clocks::default());
        let signing = SigningTime::new(&clocks, Service::Spaces, "nyc3.example");
        let seconds = |signing: &SigningTime| {
            let since = signing.now().duration_since(SystemTime::UNIX_EPOCH);
            i64::try_from(since.expect("a time").as_secs()).expect("a time")
        };
        let other = "Fri, 02 Jan 2026 09:00:00 GMT";
        clocks.feed(
            Service::DigitalOcean,
            "api.example",
            &dated(other),
            Instant::now(),
        );
        let time = |date| Timestamp::from_http_date(date).expect("a date").unix();
        assert_eq!(seconds(&signing), time(other));
        clocks.feed(Service::Spaces, "nyc3.example", &dated(DATE_SENT), Instant::now());
        assert_eq!(seconds(&signing), time(DATE_SENT));
        let absurd = dated("Fri, 31 Dec 9999 23:59:59 GMT");
        clocks.feed(Service::Spaces, "nyc3.example", &absurd, Instant::now());
        assert_eq!(seconds(&signing), time(other), "no clock shows that");
    }
}
