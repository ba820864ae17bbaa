//! What browsers ask and are told: CORS, answered from the bucket's rules.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use s3s::path::{S3Path, parse_path_style};

use super::host::Place;
use super::{CorsRule, reply};
use crate::World;

/// Answers an OPTIONS request; it carries no signature. As RGW does, the first rule of which an origin matches decides
/// alone: later ones are not asked, whatever it lacks (measured on Ceph 16.2, `tests/cors-rgw.json`).
pub(super) fn answer(world: &World, region: &str, host: &str, request: &Request<Bytes>) -> Response<Bytes> {
    let headers = request.headers();
    let (Some(origin), Some(method)) = (
        text(headers, "origin"),
        text(headers, "access-control-request-method"),
    ) else {
        return reply::error(
            StatusCode::BAD_REQUEST,
            "InvalidArgument",
            "A preflight needs the headers Origin and Access-Control-Request-Method.",
        );
    };
    let asked = text(headers, "access-control-request-headers").unwrap_or_default();
    let names: Vec<&str> = asked
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    let rule = decisive(rules(world, region, host, request.uri().path()), origin);
    let fits =
        |rule: &&CorsRule| rule.has_method(method) && names.iter().all(|name| rule.allows_header(name));
    let Some(rule) = rule.filter(fits) else {
        return reply::error(
            StatusCode::FORBIDDEN,
            "AccessDenied",
            "This CORS request is not allowed.",
        );
    };
    let mut response = Response::new(Bytes::new());
    *response.headers_mut() = rule.response_headers(origin, method);
    if let Ok(names) = HeaderValue::from_str(&names.join(","))
        && !names.is_empty()
    {
        response
            .headers_mut()
            .insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
    }
    response
}

/// The headers that the answer to a cross-origin request carries.
pub(super) fn response_headers(
    world: &World,
    region: &str,
    host: &str,
    request: &Request<Bytes>,
) -> HeaderMap {
    let Some(origin) = text(request.headers(), "origin") else {
        return HeaderMap::new();
    };
    let method = request.method().as_str();
    let rule = decisive(rules(world, region, host, request.uri().path()), origin);
    match rule.filter(|rule| rule.has_method(method)) {
        None => HeaderMap::new(),
        // Without credentials in the question, RGW answers a rule for everybody with a star.
        Some(rule) if rule.is_for_everybody() => rule.response_headers("*", method),
        Some(rule) => rule.response_headers(origin, method),
    }
}

/// The rule that decides about an origin.
fn decisive<'r>(rules: &'r [CorsRule], origin: &str) -> Option<&'r CorsRule> {
    rules.iter().find(|rule| rule.is_for(origin))
}

/// The rules of the bucket that a request names; none if there is no such bucket.
fn rules<'w>(world: &'w World, region: &str, host: &str, path: &str) -> &'w [CorsRule] {
    let in_path = parse_path_style(path).ok();
    let in_path = in_path.as_ref().and_then(S3Path::get_bucket_name);
    let bucket = Place::of(host)
        .bucket
        .or(in_path)
        .and_then(|name| world.spaces.in_region(name, region));
    bucket.map_or(&[], |bucket| &bucket.cors)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
