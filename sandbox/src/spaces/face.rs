//! The door: a buffered request in, a whole answer out.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use chrono::NaiveDateTime;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use s3s::Body;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};

use super::call::Call;
use super::demands::complaint;
use super::host::{Hosts, Place};
use super::{preflight, reply};
use crate::World;
use crate::journal::FaceName;
use crate::reply::Reply;
use crate::server::{host, lock};

/// Answers one request to any bucket of any region.
pub(crate) async fn answer(world: Arc<Mutex<World>>, request: Request<Bytes>) -> Reply {
    let host = host(&request);
    let region = region(&world, &host);
    let is_head = request.method() == Method::HEAD;
    let resource = request.uri().path().to_owned();
    let (response, wrote) = if request.method() == Method::OPTIONS {
        (preflight::answer(&lock(&world), &region, &host, &request), false)
    } else if is_skewed(&lock(&world), &request) {
        (too_skewed(), false)
    } else {
        operate(world, &region, &host, request).await
    };
    Reply {
        response: reply::finish(response, &resource, &region, is_head),
        wrote,
    }
}

/// Lets `s3s` read and verify the request, and [`Call`] carry it out.
async fn operate(
    world: Arc<Mutex<World>>,
    region: &str,
    host: &str,
    request: Request<Bytes>,
) -> (Response<Bytes>, bool) {
    let complaint = complaint(&request, &lock(&world).switches);
    let cors = preflight::response_headers(&lock(&world), region, host, &request);
    let call = Call::new(world, region, complaint);
    let mut response = match service(&call).call(request.map(Body::from)).await {
        Ok(response) => whole(response).await,
        Err(_) => internal_error(),
    };
    response.headers_mut().extend(cors);
    (response, call.has_written())
}

/// Whether the request was signed at a time that is too far from the clock of Spaces. That is looked at before anything else.
fn is_skewed(world: &World, request: &Request<Bytes>) -> bool {
    let Some(allowed) = world.switches.signature_skew_allowed else {
        return false;
    };
    let signed = request.headers().get("x-amz-date");
    let signed =
        signed.and_then(|date| NaiveDateTime::parse_from_str(date.to_str().ok()?, "%Y%m%dT%H%M%SZ").ok());
    let now = world.time_at(FaceName::Spaces);
    signed.is_some_and(|signed| signed.and_utc().timestamp().abs_diff(now) > allowed.as_secs())
}

fn too_skewed() -> Response<Bytes> {
    reply::error(
        StatusCode::FORBIDDEN,
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
    )
}

fn region(world: &Mutex<World>, host: &str) -> String {
    let default = || lock(world).switches.default_region.clone();
    Place::of(host).region.map_or_else(default, str::to_owned)
}

fn service(call: &Call) -> S3Service {
    let mut config = S3Config::default();
    // The sandbox's clock and the client's may be months apart on purpose.
    config.presigned_url_max_skew_time_secs = u32::MAX;
    let mut service = S3ServiceBuilder::new(call.clone());
    service.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    service.set_auth(call.clone());
    service.set_access(call.clone());
    service.set_host(Hosts);
    service.build()
}

async fn whole(response: Response<Body>) -> Response<Bytes> {
    let (head, body) = response.into_parts();
    match body.collect().await {
        Ok(body) => Response::from_parts(head, body.to_bytes()),
        Err(_) => internal_error(),
    }
}

fn internal_error() -> Response<Bytes> {
    reply::error(
        StatusCode::INTERNAL_SERVER_ERROR,
        "InternalError",
        "We encountered an internal error. Please try again.",
    )
}
