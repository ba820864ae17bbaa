//! What a refusal of GitHub means: permissions, limits, the rest.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use serde::Deserialize;
use serde_json::Value;

use super::super::failure::{Failure, FailureKind, Service, clean};
use super::super::transport::{Reply, header, number};
use super::super::waiting::{retry_after, until};
use super::exchange::Call;

/// How long to wait after a secondary limit that does not say how long, by GitHub's best practices for the REST API.
const SECONDARY_LIMIT: Duration = Duration::from_mins(1);

/// `errors` may be objects or plain texts; all may be absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    message: Option<String>,
    errors: Vec<Value>,
}

/// The failure that a reply other than a success stands for.
///
/// Of the answer to a call that mints a token nothing but the status is told: it may hold a token that nobody knows yet.
pub(super) fn failure(call: &Call<'_>, reply: &Reply) -> Failure {
    let body: ErrorBody = serde_json::from_slice(reply.body()).unwrap_or_default();
    let own = body.message.is_some();
    let message = message(reply, body);
    let wait = wait(reply, &message);
    let kind = kind(reply, wait);
    if call.mints() {
        let failure = Failure::new(Service::GitHub, call.subject, kind, reply.status().as_str());
        return Failure { wait, own, ..failure };
    }
    let failure = Failure::new(Service::GitHub, call.subject, kind, &message);
    let request_id = header(reply.headers(), "x-github-request-id");
    Failure { wait, own, ..failure }.identified(request_id)
}

fn message(reply: &Reply, body: ErrorBody) -> String {
    let raw = || String::from_utf8_lossy(reply.body()).into_owned();
    let more = body.errors.iter().map(|error| match error {
        Value::String(text) => text.clone(),
        object => object
            .get("message")
            .and_then(Value::as_str)
            .map_or_else(|| object.to_string(), str::to_owned),
    });
    let parts: Vec<_> = std::iter::once(body.message.unwrap_or_else(raw))
        .chain(more)
        .collect();
    format!("{} {}", reply.status().as_u16(), parts.join("; "))
}

/// A 403 is a limit only if something says so; without a sign it is about permissions, and final.
fn kind(reply: &Reply, wait: Option<Duration>) -> FailureKind {
    match reply.status().as_u16() {
        403 if wait.is_some() => FailureKind::RateLimited,
        403 => FailureKind::Forbidden {
            needs: header(reply.headers(), "x-accepted-github-permissions").map(needs),
        },
        _ => FailureKind::of_status(reply.status()),
    }
}

fn needs(permissions: &str) -> Box<str> {
    clean(permissions).into()
}

/// How long GitHub wants us to wait; only a limit or a failing service says so.
fn wait(reply: &Reply, message: &str) -> Option<Duration> {
    let headers = reply.headers();
    let asked = retry_after(headers);
    match reply.status().as_u16() {
        403 | 429 => {
            let vague = headers.contains_key(RETRY_AFTER) || says_secondary(message);
            asked
                .or_else(|| until_reset(headers))
                .or_else(|| vague.then_some(SECONDARY_LIMIT))
        }
        500.. => asked,
        _ => None,
    }
}

fn says_secondary(message: &str) -> bool {
    message.to_ascii_lowercase().contains("secondary rate limit")
}

fn until_reset(headers: &HeaderMap) -> Option<Duration> {
    number(headers, "x-ratelimit-remaining").filter(|remaining| *remaining == 0)?;
    until(headers, "x-ratelimit-reset")
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    const DATE: (&str, &str) = ("date", "Fri, 02 Jan 2026 03:04:05 GMT");

    fn failed(status: u16, headers: &[(&str, &str)], body: &str) -> Failure {
        let builder = headers
            .iter()
            .fold(http::Response::builder().status(status), |b, (k, v)| {
                b.header(*k, *v)
            });
        let reply = builder.body(body.to_owned().into()).expect("a reply");
        failure(&Call::new("s", Method::GET, "/repos/acme/shop"), &reply)
    }

    #[test]
    fn a_403_without_a_sign_of_a_limit_is_about_permissions() {
        let headers = [
            ("x-accepted-github-permissions", "secrets=write"),
            ("x-ratelimit-remaining", "4999"),
        ];
        let failure = failed(
            403,
            &headers,
            r#"{"message":"Resource not accessible by integration"}"#,
        );
        assert_eq!(
            failure.kind,
            FailureKind::Forbidden {
                needs: Some("secrets=write".into())
            }
        );
        assert_eq!(failure.wait, None);
    }

    #[test]
    fn limits_are_known_by_header_or_by_message() {
        let after = failed(403, &[("retry-after", "30")], "{}");
        assert_eq!(
            (after.kind, after.wait),
            (FailureKind::RateLimited, Some(Duration::from_secs(30)))
        );
        let primary = failed(
            403,
            &[
                DATE,
                ("x-ratelimit-remaining", "0"),
                ("x-ratelimit-reset", "1767323055"),
            ],
            "{}",
        );
        assert_eq!(
            (primary.kind, primary.wait),
            (FailureKind::RateLimited, Some(Duration::from_secs(11)))
        );
        let body = r#"{"message":"You have exceeded a secondary rate limit."}"#;
        let secondary = failed(403, &[], body);
        assert_eq!(
            (secondary.kind, secondary.wait),
            (FailureKind::RateLimited, Some(SECONDARY_LIMIT))
        );
    }

    #[test]
    fn a_wait_without_end_is_a_wait_and_nothing_else() {
        let (longest, reset) = (u64::MAX.to_string(), i64::MAX.to_string());
        let asked = failed(429, &[("retry-after", &longest)], "{}");
        assert_eq!(asked.wait, Some(Duration::from_secs(u64::MAX)));
        let headers = [
            ("date", "Thu, 01 Jan 1920 00:00:00 GMT"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", &reset),
        ];
        assert!(failed(429, &headers, "{}").wait > Some(Duration::from_hours(24)));
    }

    #[test]
    fn a_limit_that_says_how_long_in_no_known_words_is_still_a_limit() {
        let failure = failed(403, &[("retry-after", "-5")], "{}");
        assert_eq!(
            (failure.kind, failure.wait),
            (FailureKind::RateLimited, Some(SECONDARY_LIMIT))
        );
    }

    #[test]
    fn both_shapes_of_errors_are_told() {
        let body =
            r#"{"message":"Validation Failed","errors":["too long",{"message":"bad name","code":"custom"}]}"#;
        assert_eq!(
            &*failed(422, &[], body).detail,
            "422 Validation Failed; too long; bad name"
        );
    }

    #[test]
    fn of_the_answer_to_a_mint_nothing_but_the_status_is_told() {
        let body = r#"{"message":"ghs_canary","errors":["ghs_canary"],"token":"ghs_canary"}"#;
        let reply = http::Response::builder()
            .status(502)
            .header("x-github-request-id", "ghs_canary");
        let call = Call::new(
            "get an App token",
            Method::POST,
            "/app/installations/7/access_tokens",
        );
        let failure = failure(&call, &reply.body(body.into()).expect("a reply"));
        assert_eq!(
            failure.to_string(),
            "get an App token: GitHub was not available: 502"
        );
        assert!(!format!("{failure:?}").contains("canary"));
    }
}
