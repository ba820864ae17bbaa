//! The front door: tokens, limits, and the way to the endpoints.

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::json;

use super::call::{Call, bearer};
use super::refusal::Refusal;
use super::{apps, cdn, keys, logs, random_id};
use crate::reply::Reply;
use crate::world::World;

/// Answers any request to `api.digitalocean.com`.
pub(crate) fn answer(world: &mut World, request: &Request<Bytes>) -> Reply {
    world.settle();
    if let Some(text) = logs::text(world, request) {
        return text;
    }
    let token = bearer(request).and_then(|value| world.digitalocean.token(value));
    match token.cloned() {
        Some(token) => within_limits(world, &Call::new(request, token)),
        None => Refusal::unauthorized().into(),
    }
}

fn within_limits(world: &mut World, call: &Call) -> Reply {
    let standing = world
        .digitalocean
        .limits
        .count(call, &world.clock, &world.switches);
    if standing.exceeded {
        return standing.told_in(Refusal::too_many_requests().into());
    }
    let reply = route(world, call).unwrap_or_else(Reply::from);
    standing.told_in(identified(reply))
}

fn route(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["v2", "account"] if call.method == "GET" => account(call),
        ["v2", "spaces", "keys", rest @ ..] => keys::answer(world, call, rest),
        ["v2", "cdn", "endpoints", rest @ ..] => cdn::answer(world, call, rest),
        ["v2", "apps", rest @ ..] => apps::answer(world, call, rest),
        _ => Err(Refusal::not_found()),
    }
}

fn account(call: &Call) -> Result<Reply, Refusal> {
    call.needs("account:read")?;
    let account = json!({
        "uuid": "b6fr89dbf6d9156cace5f3c78dc9851d957381ef",
        "email": "sandbox@example.com",
        "email_verified": true,
        "status": "active",
        "status_message": "",
    });
    Ok(Reply::json(StatusCode::OK, &json!({ "account": account })))
}

/// Every reply names its request; a refusal has its own number already.
fn identified(reply: Reply) -> Reply {
    if reply.response.headers().contains_key("x-request-id") {
        return reply;
    }
    reply.header("x-request-id", random_id())
}
