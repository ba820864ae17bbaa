//! Rate limits, counted in sandbox time.

use std::collections::{HashMap, VecDeque};

use super::call::Call;
use crate::clock::Clock;
use crate::reply::Reply;
use crate::switches::Switches;

const HOUR_SECONDS: i64 = 3_600;
const MINUTE_SECONDS: i64 = 60;
/// The window of the limit on CDN calls.
const CDN_SECONDS: i64 = 10;

/// When each token called, in Unix seconds, for as long as it counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Limits {
    calls: HashMap<String, VecDeque<i64>>,
    cdn_calls: HashMap<String, VecDeque<i64>>,
}

/// Where a token stands after a call, told in the headers of the reply.
#[derive(Debug)]
pub(super) struct Standing {
    limit: usize,
    remaining: usize,
    /// When the oldest counted call expires, in Unix seconds.
    reset: i64,
    /// Seconds to wait, if the limit is a short one and says so.
    retry_after: Option<i64>,
    pub(super) exceeded: bool,
}

impl Limits {
    /// Counts a call and tells whether it was one too many.
    pub(super) fn count(&mut self, call: &Call, clock: &Clock, switches: &Switches) -> Standing {
        let (token, now) = (&call.token.value, clock.now());
        let says = switches.burst_limit_says_retry_after;
        if let Some(limit) = switches.cdn_limit.filter(|_| is_cdn(call)) {
            let calls = self.cdn_calls.entry(token.clone()).or_default();
            return count_in(calls, now, CDN_SECONDS, limit, says);
        }
        let calls = self.calls.entry(token.clone()).or_default();
        let mut recent = calls
            .iter()
            .copied()
            .filter(|at| *at > now - MINUTE_SECONDS)
            .collect();
        let burst = switches
            .burst_limit
            .map(|limit| count_in(&mut recent, now, MINUTE_SECONDS, limit, says));
        match burst {
            Some(burst) if burst.exceeded => burst,
            _ => count_in(calls, now, HOUR_SECONDS, switches.hourly_limit, false),
        }
    }
}

fn is_cdn(call: &Call) -> bool {
    call.segments
        .starts_with(&["v2", "cdn", "endpoints"].map(str::to_owned))
}

impl Standing {
    /// The reply with the `ratelimit-…` headers.
    pub(super) fn told_in(&self, reply: Reply) -> Reply {
        let reply = reply
            .header("ratelimit-limit", self.limit)
            .header("ratelimit-remaining", self.remaining)
            .header("ratelimit-reset", self.reset);
        match self.retry_after.filter(|_| self.exceeded) {
            Some(seconds) => reply.header("retry-after", seconds),
            None => reply,
        }
    }
}

fn count_in(
    calls: &mut VecDeque<i64>,
    now: i64,
    window: i64,
    limit: usize,
    says_retry_after: bool,
) -> Standing {
    while calls.front().is_some_and(|at| *at <= now - window) {
        calls.pop_front();
    }
    let exceeded = calls.len() >= limit;
    if !exceeded {
        calls.push_back(now);
    }
    let reset = calls.front().copied().unwrap_or(now) + window;
    Standing {
        limit,
        remaining: limit - calls.len().min(limit),
        reset,
        retry_after: says_retry_after.then(|| (reset - now).max(1)),
        exceeded,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::Request;

    use super::*;
    use crate::digitalocean::Token;

    fn call(path: &str) -> Call {
        let request = Request::get(path).body(Bytes::new()).expect("a request");
        Call::new(&request, Token::full("t"))
    }

    #[test]
    fn a_cdn_window_opens_again_after_ten_seconds() {
        let (mut limits, mut clock) = (Limits::default(), Clock::frozen(1_000));
        let (switches, list) = (Switches::default(), call("/v2/cdn/endpoints"));
        let mut exceeds = |clock: &Clock| limits.count(&list, clock, &switches).exceeded;
        assert!((0..5).all(|_| !exceeds(&clock)));
        assert!(exceeds(&clock));
        clock.advance(Duration::from_secs(10));
        assert!(!exceeds(&clock));
    }

    #[test]
    fn the_hourly_limit_says_when_it_ends_but_not_retry_after() {
        let (mut limits, clock) = (Limits::default(), Clock::frozen(1_000));
        let switches = Switches {
            hourly_limit: 1,
            ..Switches::default()
        };
        limits.count(&call("/v2/apps"), &clock, &switches);
        let standing = limits.count(&call("/v2/apps"), &clock, &switches);
        assert!(standing.exceeded && standing.retry_after.is_none());
        assert_eq!(standing.reset, 4_600);
    }
}
