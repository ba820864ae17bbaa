//! `/v2/cdn/endpoints`

use http::StatusCode;
use serde_json::{Value, json};

use super::call::Call;
use super::page::page;
use super::random_id;
use super::refusal::Refusal;
use crate::clock::{Clock, rfc3339};
use crate::reply::Reply;
use crate::world::World;

/// What follows `bucket.region` in the origin of an endpoint.
const ORIGIN_SUFFIX: &str = ".digitaloceanspaces.com";

/// The times to live that the API offers, in seconds.
const TTLS_SECONDS: [u64; 5] = [60, 600, 3_600, 86_400, 604_800];

/// The time to live of an endpoint that was made without one, or with 0.
const DEFAULT_TTL_SECONDS: u64 = 3_600;

/// A CDN endpoint in front of one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CdnEndpoint {
    /// A UUID.
    pub id: String,
    /// `bucket.region.digitaloceanspaces.com`
    pub origin: String,
    /// `bucket.region.cdn.digitaloceanspaces.com`
    pub endpoint: String,
    /// Seconds that the CDN keeps an object.
    pub ttl: u64,
    /// A host name of the user's own.
    pub custom_domain: Option<String>,
    /// The certificate of `custom_domain`: a UUID, or `needs-cloudflare-cert`.
    pub certificate_id: Option<String>,
    /// When it was made, in Unix seconds.
    pub created_at: i64,
    /// From when a look-up finds it, in Unix milliseconds.
    pub visible_from_millis: i64,
}

impl CdnEndpoint {
    /// An endpoint for `origin` with the default time to live, visible at once.
    #[must_use]
    pub fn new(origin: &str, created_at: i64) -> Self {
        let site = origin.strip_suffix(ORIGIN_SUFFIX).unwrap_or(origin);
        Self {
            id: random_id(),
            origin: origin.to_owned(),
            endpoint: format!("{site}.cdn{ORIGIN_SUFFIX}"),
            ttl: DEFAULT_TTL_SECONDS,
            custom_domain: None,
            certificate_id: None,
            created_at,
            visible_from_millis: created_at * 1000,
        }
    }

    fn is_visible(&self, clock: &Clock) -> bool {
        self.visible_from_millis <= clock.now_millis()
    }

    /// Takes over what a body of create or update says.
    fn take(&mut self, body: &Value) -> Result<(), Refusal> {
        match &body["ttl"] {
            Value::Null => {}
            ttl => self.ttl = offered_ttl(ttl)?,
        }
        take_text(&mut self.custom_domain, &body["custom_domain"]);
        take_text(&mut self.certificate_id, &body["certificate_id"]);
        if self.custom_domain.is_some() && self.certificate_id.is_none() {
            return Err(Refusal::unprocessable(
                "certificate_id is required for custom_domain",
            ));
        }
        Ok(())
    }
}

/// Answers a call under `/v2/cdn/endpoints`, `rest` being the segments after it.
pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Result<Reply, Refusal> {
    match (call.method.as_str(), rest) {
        ("GET", []) => list(world, call),
        ("POST", []) => create(world, call),
        ("GET", [id]) => get(world, call, id),
        ("PUT", [id]) => update(world, call, id),
        ("DELETE", [id]) => delete(world, call, id),
        ("DELETE", [id, "cache"]) => purge(world, call, id),
        _ => Err(Refusal::not_found()),
    }
}

fn list(world: &World, call: &Call) -> Result<Reply, Refusal> {
    call.needs("cdn:read")?;
    let endpoints = world.digitalocean.cdn_endpoints.iter();
    let visible = endpoints.filter(|endpoint| endpoint.is_visible(&world.clock));
    let body = page(
        call,
        &world.switches,
        "endpoints",
        &visible.map(shown).collect::<Vec<_>>(),
    );
    Ok(Reply::json(StatusCode::OK, &body))
}

fn create(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    call.needs("cdn:create")?;
    let body = call.json()?;
    let origin = body["origin"].as_str().unwrap_or_default().to_ascii_lowercase();
    check_origin(world, &origin)?;
    let mut endpoint = CdnEndpoint::new(&origin, world.clock.now());
    let site = origin.strip_suffix(ORIGIN_SUFFIX).unwrap_or(&origin);
    endpoint.endpoint = format!("{site}.{}", world.switches.cdn_domain);
    endpoint.take(&body)?;
    endpoint.visible_from_millis = world.clock.after(world.switches.cdn_create_delay);
    let answer = json!({ "endpoint": shown(&endpoint) });
    world.digitalocean.cdn_endpoints.push(endpoint);
    Ok(Reply::json(StatusCode::CREATED, &answer).wrote())
}

/// An origin is a Space of ours, without dots in its name, that has no endpoint yet.
fn check_origin(world: &World, origin: &str) -> Result<(), Refusal> {
    let site = origin.strip_suffix(ORIGIN_SUFFIX).unwrap_or_default();
    let (bucket, region) = site.rsplit_once('.').unwrap_or_default();
    if bucket.contains('.') || world.spaces.bucket(bucket).is_none_or(|b| b.region != region) {
        return Err(Refusal::unprocessable("invalid origin"));
    }
    let mut endpoints = world.digitalocean.cdn_endpoints.iter();
    if endpoints.any(|endpoint| endpoint.origin == origin) {
        return Err(Refusal::conflict("cdn already enabled"));
    }
    Ok(())
}

fn get(world: &World, call: &Call, id: &str) -> Result<Reply, Refusal> {
    call.needs("cdn:read")?;
    let endpoint = &world.digitalocean.cdn_endpoints[find(world, id)?];
    Ok(Reply::json(
        StatusCode::OK,
        &json!({ "endpoint": shown(endpoint) }),
    ))
}

fn update(world: &mut World, call: &Call, id: &str) -> Result<Reply, Refusal> {
    call.needs("cdn:update")?;
    let index = find(world, id)?;
    let mut changed = world.digitalocean.cdn_endpoints[index].clone();
    changed.take(&call.json()?)?;
    let answer = json!({ "endpoint": shown(&changed) });
    world.digitalocean.cdn_endpoints[index] = changed;
    Ok(Reply::json(StatusCode::OK, &answer).wrote())
}

fn delete(world: &mut World, call: &Call, id: &str) -> Result<Reply, Refusal> {
    call.needs("cdn:delete")?;
    let index = find(world, id)?;
    world.digitalocean.cdn_endpoints.remove(index);
    Ok(Reply::empty(StatusCode::NO_CONTENT).wrote())
}

/// Nothing is cached here, so there is nothing to purge.
fn purge(world: &World, call: &Call, id: &str) -> Result<Reply, Refusal> {
    call.needs("cdn:delete")?;
    find(world, id)?;
    call.json()?["files"]
        .as_array()
        .ok_or_else(|| Refusal::unprocessable("files is required"))?;
    Ok(Reply::empty(StatusCode::NO_CONTENT).wrote())
}

fn find(world: &World, id: &str) -> Result<usize, Refusal> {
    let mut endpoints = world.digitalocean.cdn_endpoints.iter();
    endpoints
        .position(|endpoint| endpoint.id == id && endpoint.is_visible(&world.clock))
        .ok_or_else(Refusal::not_found)
}

fn offered_ttl(value: &Value) -> Result<u64, Refusal> {
    match value.as_u64() {
        Some(0) => Ok(DEFAULT_TTL_SECONDS),
        Some(ttl) if TTLS_SECONDS.contains(&ttl) => Ok(ttl),
        _ => Err(Refusal::unprocessable("invalid ttl")),
    }
}

/// An empty text removes the setting, a missing one keeps it.
fn take_text(setting: &mut Option<String>, value: &Value) {
    if let Some(text) = value.as_str() {
        *setting = Some(text.to_owned()).filter(|text| !text.is_empty());
    }
}

fn shown(endpoint: &CdnEndpoint) -> Value {
    let mut value = json!({
        "id": endpoint.id,
        "origin": endpoint.origin,
        "endpoint": endpoint.endpoint,
        "created_at": rfc3339(endpoint.created_at),
        "ttl": endpoint.ttl,
    });
    if let Some(certificate_id) = &endpoint.certificate_id {
        value["certificate_id"] = Value::from(certificate_id.as_str());
    }
    if let Some(custom_domain) = &endpoint.custom_domain {
        value["custom_domain"] = Value::from(custom_domain.as_str());
    }
    value
}
