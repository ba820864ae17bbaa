//! What a refusal of DigitalOcean means: `{"id", "message", "request_id"}`, or anything else from a gateway.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;

use super::super::failure::{Failure, FailureKind, Service};
use super::super::transport::{Reply, header};
use super::super::waiting::{retry_after, until};
use super::Call;

/// The error body of the API (`shared/models/error.yml` of digitalocean/openapi), every field optional.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    id: Option<Box<str>>,
    message: Option<String>,
    request_id: Option<Box<str>>,
}

/// What a refusal of a mint may say, in the words of the API (field reports; it documents none), and how it is told.
const REFUSALS_OF_A_MINT: [(&str, &str); 3] = [
    ("invalid grant", "invalid grant"),
    (
        "bucket polic",
        "only a full-access key opens a bucket with a policy",
    ),
    ("access keys", "the account holds as many access keys as it may"),
];

/// The failure that a reply other than a success stands for.
///
/// What a gateway says in its own words is shown, except in answer to a mint: whatever that body is, it may hold a
/// secret that nobody knows yet, so nothing but the status and what we recognise is told.
pub(super) fn failure(call: &Call<'_>, reply: &Reply) -> Failure {
    let body: ErrorBody = serde_json::from_slice(reply.body()).unwrap_or_default();
    let raw = || String::from_utf8_lossy(reply.body()).into_owned();
    let own = body.id.is_some();
    let message = body.message.unwrap_or_else(raw);
    let minting = mints(call);
    let told = if minting { recognised(&message) } else { &message };
    let detail = format!("{} {told}", reply.status().as_u16());
    let kind = kind(call, reply.status(), &detail);
    let wait = wait(&kind, reply.headers());
    let failure = Failure::new(Service::DigitalOcean, call.subject, kind, &detail);
    let failure = Failure { wait, own, ..failure };
    if minting {
        return failure;
    }
    let request_id = body.request_id.as_deref();
    let request_id = request_id.or_else(|| header(reply.headers(), "x-request-id"));
    failure.coded(body.id.as_deref()).identified(request_id)
}

fn mints(call: &Call<'_>) -> bool {
    call.method == Method::POST && call.path.starts_with("/v2/spaces/keys")
}

fn recognised(message: &str) -> &'static str {
    let message = message.to_lowercase();
    let known = REFUSALS_OF_A_MINT
        .iter()
        .find(|(words, _)| message.contains(words));
    known.map_or("", |(_, told)| told)
}

/// A denial names the scope that would do, unless it is about the grants and not about the token.
fn kind(call: &Call<'_>, status: StatusCode, detail: &str) -> FailureKind {
    match FailureKind::of_status(status) {
        FailureKind::Forbidden { .. } if !detail.to_lowercase().contains("invalid grant") => {
            FailureKind::Forbidden {
                needs: scope(call).map(Into::into),
            }
        }
        kind => kind,
    }
}

/// The scope of a custom token that a call needs (`security` of each operation in digitalocean/openapi).
fn scope(call: &Call<'_>) -> Option<&'static str> {
    let keys = call.path.starts_with("/v2/spaces/keys");
    match call.method {
        Method::GET if keys => Some("spaces_key:read"),
        Method::POST if keys => Some("spaces_key:create_credentials"),
        Method::PUT if keys => Some("spaces_key:update"),
        Method::DELETE if keys => Some("spaces_key:delete"),
        Method::GET | Method::POST => Some("app:read"),
        Method::PUT => Some("app:update"),
        _ => None,
    }
}

/// `retry-after` comes with the burst limit only; after the hourly one `ratelimit-reset` tells when the oldest request
/// expires (rate limits in the OpenAPI description).
fn wait(kind: &FailureKind, headers: &HeaderMap) -> Option<Duration> {
    let limited = *kind == FailureKind::RateLimited;
    let reset = || limited.then(|| until(headers, "ratelimit-reset")).flatten();
    retry_after(headers).or_else(reset)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
        let builder = headers
            .iter()
            .fold(http::Response::builder().status(status), |b, (k, v)| {
                b.header(*k, *v)
            });
        builder.body(Bytes::from(body.to_owned())).expect("a reply")
    }

    fn read() -> Call<'static> {
        Call::new("list Spaces keys", Method::GET, "/v2/spaces/keys?page=1")
    }

    #[test]
    fn a_denial_names_the_scope_unless_it_is_about_the_grants() {
        let mint = Call::new("mint", Method::POST, "/v2/spaces/keys");
        let needs = |call: &Call<'_>, message: &str| {
            failure(
                call,
                &reply(
                    403,
                    &[],
                    &format!(r#"{{"id":"forbidden","message":"{message}"}}"#),
                ),
            )
            .kind
        };
        let scope = |name: &str| FailureKind::Forbidden {
            needs: Some(name.into()),
        };
        assert_eq!(needs(&read(), "no"), scope("spaces_key:read"));
        assert_eq!(needs(&mint, "no"), scope("spaces_key:create_credentials"));
        assert_eq!(
            needs(&mint, "Invalid grant"),
            FailureKind::Forbidden { needs: None }
        );
    }

    #[test]
    fn nothing_is_shown_of_what_a_gateway_says_to_a_mint() {
        let mint = Call::new("mint", Method::POST, "/v2/spaces/keys");
        for body in [
            r#"{"key":{"secret_key":"s3cret"}}"#,
            r#"{"id":"s3cret","message":"s3cret","request_id":"s3cret"}"#,
            "<html>s3cret</html>",
        ] {
            let failure = failure(&mint, &reply(502, &[("x-request-id", "s3cret")], body));
            assert_eq!(failure.to_string(), "mint: DigitalOcean was not available: 502");
            assert!(!format!("{failure:?}").contains("s3cret"));
        }
    }

    #[test]
    fn a_refused_mint_says_why_in_words_of_ours() {
        let mint = Call::new("mint", Method::POST, "/v2/spaces/keys");
        let told = |status: u16, message: &str| {
            let body = format!(r#"{{"id":"x","message":"{message}"}}"#);
            failure(&mint, &reply(status, &[], &body)).detail.into_string()
        };
        assert_eq!(told(403, "Invalid grant"), "403 invalid grant");
        let full = told(422, "You have reached the limit of 200 access keys");
        assert_eq!(full, "422 the account holds as many access keys as it may");
        let policy = told(
            412,
            "Only 'All Permissions' access keys support buckets with S3 bucket policies",
        );
        assert_eq!(policy, "412 only a full-access key opens a bucket with a policy");
    }

    #[test]
    fn the_fields_of_the_api_are_taken_over() {
        let body = r#"{"id":"unauthorized","message":"Unable to authenticate you.","request_id":"r-1"}"#;
        let failure = failure(&read(), &reply(401, &[], body));
        assert_eq!(failure.kind, FailureKind::Unauthorized);
        assert_eq!(
            failure.to_string(),
            "list Spaces keys: DigitalOcean rejected the credential: 401 Unable to authenticate you. [unauthorized] (request r-1)"
        );
    }

    #[test]
    fn a_gateway_speaks_html() {
        let failure = failure(
            &read(),
            &reply(502, &[("x-request-id", "r-2")], "<html>\nbad gateway</html>"),
        );
        assert_eq!(failure.kind, FailureKind::Unavailable);
        assert_eq!(&*failure.detail, "502 <html> bad gateway</html>");
        assert_eq!(failure.request_id.as_deref(), Some("r-2"));
    }

    #[test]
    fn both_rate_limits_tell_how_long_to_wait() {
        let burst = failure(&read(), &reply(429, &[("retry-after", "7")], ""));
        assert_eq!(burst.wait, Some(Duration::from_secs(7)));
        let date = "Fri, 02 Jan 2026 03:04:05 GMT";
        let hourly = failure(
            &read(),
            &reply(429, &[("date", date), ("ratelimit-reset", "1767323055")], ""),
        );
        assert_eq!(hourly.wait, Some(Duration::from_secs(11)));
        let healthy = failure(
            &read(),
            &reply(404, &[("date", date), ("ratelimit-reset", "1767323055")], ""),
        );
        assert_eq!(healthy.wait, None);
    }

    #[test]
    fn a_wait_without_end_is_a_wait_and_nothing_else() {
        let longest = u64::MAX.to_string();
        let burst = failure(&read(), &reply(429, &[("retry-after", &longest)], ""));
        assert_eq!(burst.wait, Some(Duration::from_secs(u64::MAX)));
        let (reset, long_ago) = (i64::MAX.to_string(), "Thu, 01 Jan 1920 00:00:00 GMT");
        let headers = [("date", long_ago), ("ratelimit-reset", reset.as_str())];
        assert!(failure(&read(), &reply(429, &headers, "")).wait > Some(Duration::from_hours(24)));
    }
}
