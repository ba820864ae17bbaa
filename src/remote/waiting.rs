//! How long a server wants us to wait, by the headers of its reply. Whatever they say is a span; whether it is waited
//! for is decided in [`super::retry`].

use std::time::Duration;

use http::HeaderMap;

use super::clock::date_of;
use super::transport::{header, number};
use crate::model::time::Timestamp;

/// `Retry-After`: seconds, or a date, which counts from the reply's own; nothing when it is neither.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = header(headers, "retry-after")?.trim();
    seconds(text).or_else(|| {
        let until = Timestamp::from_http_date(text).ok()?;
        Some(until.since(date_of(headers)?))
    })
}

/// The time until the Unix second that a header names, by the reply's own date. One second more, since both are cut to
/// the second.
pub(super) fn until(headers: &HeaderMap, name: &str) -> Option<Duration> {
    let reset = i64::try_from(number(headers, name)?).unwrap_or(i64::MAX);
    let left = reset.saturating_sub(date_of(headers)?.unix());
    Some(Duration::from_secs(
        u64::try_from(left).unwrap_or(0).saturating_add(1),
    ))
}

/// A number with more digits than fit is very long.
fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: (&str, &str) = ("date", "Fri, 02 Jan 2026 03:04:05 GMT");

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (
                http::HeaderName::from_static(name),
                value.parse().expect("a header value"),
            )
        };
        pairs.iter().map(pair).collect()
    }

    fn asked(text: &str) -> Option<Duration> {
        retry_after(&headers(&[NOW, ("retry-after", text)]))
    }

    #[test]
    fn seconds_and_dates_are_understood_and_nothing_else() {
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(
            asked("Fri, 02 Jan 2026 03:04:15 GMT"),
            Some(Duration::from_secs(10))
        );
        assert_eq!(asked("Fri, 02 Jan 2026 03:04:00 GMT"), Some(Duration::ZERO));
        for odd in ["", "-5", "1.5", "soon", "7s"] {
            assert_eq!(asked(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_span_beyond_all_numbers_is_the_longest_there_is() {
        let longest = Some(Duration::from_secs(u64::MAX));
        assert_eq!(asked("18446744073709551615"), longest);
        assert_eq!(asked("99999999999999999999999999"), longest);
    }

    #[test]
    fn a_reset_counts_from_the_reply_s_own_date_whatever_both_say() {
        let reset = |date: &str, value: &str| {
            until(
                &headers(&[("date", date), ("ratelimit-reset", value)]),
                "ratelimit-reset",
            )
        };
        assert_eq!(reset(NOW.1, "1767323055"), Some(Duration::from_secs(11)));
        assert_eq!(reset(NOW.1, "0"), Some(Duration::from_secs(1)));
        assert!(
            reset("Mon, 01 Jan 1900 00:00:00 GMT", "18446744073709551615") > Some(Duration::from_hours(1))
        );
        assert_eq!(reset("yesterday", "1767323055"), None);
    }
}
