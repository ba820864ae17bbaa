//! The door: credentials, version and limits first, then the call.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};

use super::ask::{Ask, Caller};
use super::refusal::{Outcome, Refusal, ok};
use super::{Holder, jwt, route};
use crate::World;
use crate::digitalocean::random;
use crate::journal::FaceName;
use crate::reply::Reply;
use crate::server::host;

/// The versions that are served; the first is meant when none is named.
pub(super) const VERSIONS: [&str; 2] = ["2022-11-28", "2026-03-10"];
/// Requests an hour without a token, from one address.
const ANONYMOUS_LIMIT: usize = 60;
/// Requests an hour with a workflow's `GITHUB_TOKEN`.
const WORKFLOW_LIMIT: usize = 1_000;

/// Answers one request.
pub(crate) fn answer(world: &mut World, request: &Request<Bytes>) -> Reply {
    world.settle();
    let version = version(request.headers());
    let reply = respond(world, request).unwrap_or_else(Reply::from);
    reply
        .header("x-github-request-id", request_id())
        .header("x-github-media-type", "github.v3; format=json")
        .header("x-github-api-version-selected", version)
}

fn respond(world: &mut World, request: &Request<Bytes>) -> Outcome {
    check_headers(request.headers())?;
    let now = world.time_at(FaceName::GitHub);
    let prefix = world.switches.github_path_prefix.clone();
    let path = request
        .uri()
        .path()
        .strip_prefix(prefix.as_str())
        .ok_or_else(Refusal::not_found)?;
    let caller = identify(world, request.headers(), now)?;
    let ask = Ask {
        caller,
        method: request.method(),
        headers: request.headers(),
        body: request.body(),
        query: query(request.uri().query().unwrap_or_default()),
        base: format!("{}{prefix}", origin(&host(request))),
        path,
        now,
    };
    Ok(metered(world, &ask))
}

/// Counts the request against the caller's limits, and makes the call if they allow it.
fn metered(world: &mut World, ask: &Ask<'_>) -> Reply {
    let limit = limit(world, &ask.caller);
    let meter = world.github.meters.entry(name(&ask.caller)).or_default();
    if ask.path == "/rate_limit" {
        let core = meter.standing(limit);
        return core.on(ok(&serde_json::json!({ "resources": { "core": core.json() } })));
    }
    let charged = meter.charge(ask.method, ask.now, limit, &world.switches);
    let standing = meter.standing(limit);
    let outcome = charged.and_then(|()| route::dispatch(world, ask));
    standing.on(outcome.unwrap_or_else(Reply::from))
}

fn check_headers(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.get(header::USER_AGENT).is_none_or(HeaderValue::is_empty) {
        return Err(Refusal::forbidden(
            "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.",
        ));
    }
    let version = version(headers);
    if VERSIONS.contains(&version) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::BAD_REQUEST,
        format!("The API version '{version}' is not supported."),
    ))
}

fn version(headers: &HeaderMap) -> &str {
    let named = headers
        .get("x-github-api-version")
        .and_then(|value| value.to_str().ok());
    named.unwrap_or(VERSIONS[0])
}

/// Who the credentials say is asking.
fn identify(world: &World, headers: &HeaderMap, now: i64) -> Result<Caller, Refusal> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(Caller::Anonymous);
    };
    let bad_credentials = || Refusal::unauthorized("Bad credentials");
    let (scheme, credential) = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .ok_or_else(bad_credentials)?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    if !is_bearer && !scheme.eq_ignore_ascii_case("token") {
        return Err(bad_credentials());
    }
    let credential = credential.trim();
    if is_bearer && jwt::looks_like_one(credential) {
        return jwt::verify(&world.github.apps, credential, now).map(Caller::App);
    }
    let lives = |expires_at: Option<i64>| expires_at.is_none_or(|at| now < at);
    let token = world
        .github
        .tokens
        .iter()
        .find(|token| token.value == credential && lives(token.expires_at));
    token.cloned().map(Caller::Token).ok_or_else(bad_credentials)
}

fn limit(world: &World, caller: &Caller) -> usize {
    match caller {
        Caller::Anonymous => ANONYMOUS_LIMIT,
        Caller::Token(token) if matches!(token.holder, Holder::Workflow { .. }) => WORKFLOW_LIMIT,
        _ => world.switches.github_hourly_limit,
    }
}

/// Under which name a caller's use is counted.
fn name(caller: &Caller) -> String {
    match caller {
        Caller::Anonymous => String::new(),
        Caller::Token(token) => token.value.clone(),
        Caller::App(at) => format!("app {at}"),
    }
}

fn query(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| {
        percent_encoding::percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// Scheme and host for links. Real names are only ever served through TLS.
fn origin(host: &str) -> String {
    let on_loopback = host.starts_with("127.") || host.starts_with("localhost");
    format!("{}://{host}", if on_loopback { "http" } else { "https" })
}

/// `8C5A:1F3B:…`: five groups of hexadecimal digits.
fn request_id() -> String {
    let digits = random::<10>().map(|byte| format!("{byte:02X}")).concat();
    format!(
        "{}:{}:{}:{}:{}",
        &digits[..4],
        &digits[4..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..]
    )
}
