//! What browsers ask and are told: CORS, answered from the bucket's rules.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use s3s::path::{S3Path, parse_path_style};

use super::host::Place;
use super::{CorsRule, reply};
use crate::World;

/// Answers an OPTIONS request; it carries no signature.
pub(super) fn answer(world: &World, region: &str, host: &str, request: &Request<Bytes>) -> Response<Bytes> {
    let headers = request.headers();
    let (Some(origin), Some(method)) = (
        text(headers, "origin"),
        text(headers, "access-control-request-method"),
    ) else {
        return reply::error(
            StatusCode::BAD_REQUEST,
            "BadRequest",
            "Insufficient information. Origin request header needed.",
        );
    };
    let asked = text(headers, "access-control-request-headers").unwrap_or_default();
    let names = || asked.split(',').map(str::trim).filter(|name| !name.is_empty());
    let fits = |rule: &&CorsRule| rule.allows(origin, method) && names().all(|name| rule.allows_header(name));
    let rule = rules(world, region, host, request.uri().path()).iter().find(fits);
    let Some(rule) = rule else {
        return reply::error(
            StatusCode::FORBIDDEN,
            "AccessForbidden",
            "CORSResponse: This CORS request is not allowed.",
        );
    };
    let mut response = Response::new(Bytes::new());
    *response.headers_mut() = rule.response_headers(origin);
    if let Ok(asked) = HeaderValue::from_str(asked)
        && !asked.is_empty()
    {
        response
            .headers_mut()
            .insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
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
    let rules = rules(world, region, host, request.uri().path());
    let rule = rules
        .iter()
        .find(|rule| rule.allows(origin, request.method().as_str()));
    rule.map(|rule| rule.response_headers(origin)).unwrap_or_default()
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
