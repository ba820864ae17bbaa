//! Rate limits: so many requests an hour, and so many points a minute.

use std::collections::VecDeque;

use http::Method;

use super::refusal::Refusal;
use crate::Switches;
use crate::reply::Reply;

/// The window of the primary limit, in seconds.
const HOUR: i64 = 60 * 60;
/// The window of the secondary limit, in seconds.
const MINUTE: i64 = 60;
/// What a request that may write costs of the secondary limit; one that reads costs 1.
const POINTS_OF_A_WRITE: u32 = 5;

/// What one token has used.
#[derive(Debug, Clone, Default)]
pub(super) struct Meter {
    hour_began: i64,
    used: usize,
    /// Times and points of the last minute.
    recent: VecDeque<(i64, u32)>,
}

/// Where a token stands after a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    limit: usize,
    used: usize,
    reset: i64,
}

impl Meter {
    /// Counts a request at `now` (Unix seconds), or refuses it.
    pub(super) fn charge(
        &mut self,
        method: &Method,
        now: i64,
        limit: usize,
        switches: &Switches,
    ) -> Result<(), Refusal> {
        if now - self.hour_began >= HOUR {
            self.hour_began = now;
            self.used = 0;
        }
        if self.used >= limit {
            return Err(Refusal::new(
                switches.primary_limit_status,
                "API rate limit exceeded for user ID 1.",
            ));
        }
        self.used += 1;
        match switches.secondary_limit_points {
            Some(points) => self.charge_points(method, now, points, switches),
            None => Ok(()),
        }
    }

    /// Where it stands with that limit.
    pub(super) fn standing(&self, limit: usize) -> Standing {
        Standing {
            limit,
            used: self.used,
            reset: self.hour_began + HOUR,
        }
    }

    fn charge_points(
        &mut self,
        method: &Method,
        now: i64,
        limit: u32,
        switches: &Switches,
    ) -> Result<(), Refusal> {
        while self.recent.front().is_some_and(|(at, _)| now - at >= MINUTE) {
            self.recent.pop_front();
        }
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
        let cost = if reads { 1 } else { POINTS_OF_A_WRITE };
        let spent: u32 = self.recent.iter().map(|(_, points)| points).sum();
        if spent + cost > limit {
            return Err(secondary(switches));
        }
        self.recent.push_back((now, cost));
        Ok(())
    }
}

impl Standing {
    /// The reply with the headers that tell the standing.
    pub(super) fn on(self, reply: Reply) -> Reply {
        reply
            .header("x-ratelimit-limit", self.limit)
            .header("x-ratelimit-remaining", self.remaining())
            .header("x-ratelimit-used", self.used)
            .header("x-ratelimit-reset", self.reset)
            .header("x-ratelimit-resource", "core")
    }

    /// As `GET /rate_limit` tells it.
    pub(super) fn json(self) -> serde_json::Value {
        serde_json::json!({
            "limit": self.limit,
            "used": self.used,
            "remaining": self.remaining(),
            "reset": self.reset,
        })
    }

    fn remaining(self) -> usize {
        self.limit.saturating_sub(self.used)
    }
}

fn secondary(switches: &Switches) -> Refusal {
    let refusal = Refusal::new(
        switches.secondary_limit_status,
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    );
    if switches.secondary_limit_says_retry_after {
        refusal.header("retry-after", MINUTE.to_string())
    } else {
        refusal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_of_writes_ends_at_the_points_and_begins_again() {
        let switches = Switches {
            secondary_limit_points: Some(11),
            ..Switches::default()
        };
        let mut meter = Meter::default();
        let mut put = |now| meter.charge(&Method::PUT, now, 5000, &switches).is_ok();
        assert_eq!(
            [put(100), put(101), put(102), put(159), put(160)],
            [true, true, false, false, true]
        );
    }

    #[test]
    fn the_hour_ends_at_the_limit_and_begins_again() {
        let switches = Switches::default();
        let mut meter = Meter::default();
        let mut get = |now| meter.charge(&Method::GET, now, 1, &switches).is_ok();
        assert_eq!([get(HOUR), get(HOUR + 1), get(2 * HOUR)], [true, false, true]);
    }
}
