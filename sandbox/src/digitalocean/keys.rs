//! `/v2/spaces/keys`

use http::StatusCode;
use serde_json::{Value, json};

use super::call::Call;
use super::key::{Grant, Key, Permission, is_well_formed};
use super::page::page;
use super::refusal::Refusal;
use crate::clock::rfc3339;
use crate::reply::Reply;
use crate::spaces::Owner;
use crate::switches::Switches;
use crate::world::World;

/// Answers a call under `/v2/spaces/keys`, `rest` being the segments after it.
pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Result<Reply, Refusal> {
    match (call.method.as_str(), rest) {
        ("GET", []) => list(world, call),
        ("POST", []) => create(world, call),
        ("GET", [access_key]) => get(world, call, access_key),
        ("PUT" | "PATCH", [access_key]) => update(world, call, access_key),
        ("DELETE", [access_key]) => delete(world, call, access_key),
        _ => Err(Refusal::not_found()),
    }
}

fn list(world: &World, call: &Call) -> Result<Reply, Refusal> {
    call.needs("spaces_key:read")?;
    let parts = world.switches.key_filters_match_parts;
    let mut keys: Vec<&Key> = world.digitalocean.live_keys().collect();
    keys.retain(|key| is_wanted(key, call, parts));
    sort(&mut keys, call)?;
    let keys: Vec<Value> = keys.into_iter().map(shown).collect();
    let body = page(call, &world.switches, "keys", &keys);
    Ok(Reply::json(StatusCode::OK, &body))
}

fn is_wanted(key: &Key, call: &Call, parts: bool) -> bool {
    let fits = |value: &str, filter: &str| value == filter || (parts && value.contains(filter));
    let of_grants = |filter: Option<&str>, part: fn(&Grant) -> &str| {
        filter.is_none_or(|filter| key.grants.iter().any(|grant| fits(part(grant), filter)))
    };
    call.parameter("name").is_none_or(|name| fits(&key.name, name))
        && of_grants(call.parameter("bucket"), |grant| &grant.bucket)
        && of_grants(call.parameter("permission"), |grant| grant.permission.word())
}

/// Newest first unless the call says otherwise; keys of one second keep the order of their making.
fn sort(keys: &mut [&Key], call: &Call) -> Result<(), Refusal> {
    match call.parameter("sort").unwrap_or("created_at") {
        "created_at" => keys.sort_by_key(|key| key.created_at),
        "name" => keys.sort_by_key(|key| &key.name),
        _ => return Err(Refusal::bad_request("invalid sort")),
    }
    match call.parameter("sort_direction").unwrap_or("desc") {
        "desc" => keys.reverse(),
        "asc" => {}
        _ => return Err(Refusal::bad_request("invalid sort_direction")),
    }
    Ok(())
}

fn create(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    call.needs("spaces_key:create_credentials")?;
    let body = call.json()?;
    let name = named(&body).ok_or_else(nameless)?;
    let grants = granted(&body)?.unwrap_or_default();
    check(&grants, world)?;
    let switches = &world.switches;
    if world.digitalocean.live_keys().count() >= switches.key_quota {
        return Err(over_quota(switches));
    }
    let mut key = Key::generate(name, grants, world.clock.now());
    key.usable_from_millis = world.clock.after(switches.key_create_delay);
    let mut answer = shown(&key);
    answer["secret_key"] = Value::from(key.secret_key.as_str());
    world.digitalocean.keys.push(key);
    Ok(Reply::json(StatusCode::CREATED, &json!({ "key": answer })).wrote())
}

fn get(world: &World, call: &Call, access_key: &str) -> Result<Reply, Refusal> {
    call.needs("spaces_key:read")?;
    let key = find(world, access_key)?;
    let body = json!({ "key": shown(&world.digitalocean.keys[key]) });
    Ok(Reply::json(StatusCode::OK, &body))
}

fn update(world: &mut World, call: &Call, access_key: &str) -> Result<Reply, Refusal> {
    call.needs("spaces_key:update")?;
    let index = find(world, access_key)?;
    let (name, grants) = wanted(
        &call.json()?,
        &world.digitalocean.keys[index],
        call,
        &world.switches,
    )?;
    check(&grants, world)?;
    let delay = world.switches.key_grant_delay;
    let key = &mut world.digitalocean.keys[index];
    key.name = name;
    key.regrant(grants, &world.clock, delay);
    Ok(Reply::json(StatusCode::OK, &json!({ "key": shown(key) })).wrote())
}

/// The name and grants that an update leaves the key with.
fn wanted(
    body: &Value,
    present: &Key,
    call: &Call,
    switches: &Switches,
) -> Result<(String, Vec<Grant>), Refusal> {
    let kept_name = Some(present.name.as_str()).filter(|_| call.method == "PATCH");
    let name = named(body).or(kept_name).ok_or_else(nameless)?;
    let wipes = switches.name_only_update_wipes_grants && !present.has_full_access();
    let unnamed = || if wipes { Vec::new() } else { present.grants.clone() };
    let grants = granted(body)?.unwrap_or_else(unnamed);
    if is_full(&grants) != present.has_full_access() {
        return Err(Refusal::bad_request(
            "cannot convert between fullaccess and scoped permissions.",
        ));
    }
    Ok((name.to_owned(), grants))
}

fn delete(world: &mut World, call: &Call, access_key: &str) -> Result<Reply, Refusal> {
    call.needs("spaces_key:delete")?;
    let index = find(world, access_key)?;
    let delay = world.switches.key_delete_delay;
    let key = &mut world.digitalocean.keys[index];
    key.delete(&world.clock, delay);
    let key = key.clone();
    world.note_loss_of(&key);
    Ok(Reply::empty(StatusCode::NO_CONTENT).wrote())
}

/// The place of a live key; an id of the wrong shape is told from an unknown one.
fn find(world: &World, access_key: &str) -> Result<usize, Refusal> {
    if !is_well_formed(access_key) {
        return Err(Refusal::bad_request("invalid access key id"));
    }
    let mut keys = world.digitalocean.keys.iter();
    keys.position(|key| key.is_live() && key.access_key == access_key)
        .ok_or_else(Refusal::not_found)
}

fn named(body: &Value) -> Option<&str> {
    body["name"].as_str().filter(|name| !name.is_empty())
}

/// The grants of a body; `None` if it has none or null.
fn granted(body: &Value) -> Result<Option<Vec<Grant>>, Refusal> {
    match &body["grants"] {
        Value::Null => Ok(None),
        Value::Array(grants) => grants.iter().map(grant).collect::<Result<_, _>>().map(Some),
        _ => Err(Refusal::bad_request("grants must be a list")),
    }
}

fn grant(value: &Value) -> Result<Grant, Refusal> {
    let (bucket, permission) = (value["bucket"].as_str(), value["permission"].as_str());
    let (Some(bucket), Some(permission)) = (bucket, permission) else {
        return Err(Refusal::bad_request("a grant needs bucket and permission"));
    };
    let permission =
        Permission::from_word(permission).ok_or_else(|| Refusal::bad_request("invalid permission"))?;
    Ok(Grant {
        bucket: bucket.to_owned(),
        permission,
    })
}

fn is_full(grants: &[Grant]) -> bool {
    let mut permissions = grants.iter().map(|grant| grant.permission);
    permissions.any(|permission| permission == Permission::FullAccess)
}

/// Refuses combinations that cannot be, and buckets that cannot be granted.
fn check(grants: &[Grant], world: &World) -> Result<(), Refusal> {
    if is_full(grants) {
        return check_full(grants);
    }
    for grant in grants {
        check_bucket(&grant.bucket, world)?;
    }
    Ok(())
}

fn check_full(grants: &[Grant]) -> Result<(), Refusal> {
    if grants.len() > 1 {
        return Err(Refusal::bad_request(
            "cannot mix fullaccess permission with scoped permissions.",
        ));
    }
    if grants.iter().any(|grant| !grant.bucket.is_empty()) {
        return Err(Refusal::bad_request("Invalid Grant Combination"));
    }
    Ok(())
}

fn check_bucket(name: &str, world: &World) -> Result<(), Refusal> {
    let must_show = world.switches.grant_needs_visible_bucket;
    let bucket = world
        .spaces
        .bucket(name)
        .filter(|bucket| bucket.owner == Owner::Ours)
        .filter(|bucket| !must_show || bucket.is_visible(&world.clock))
        .ok_or_else(|| Refusal::forbidden("invalid grant"))?;
    if bucket.policy.is_some() {
        return Err(Refusal::precondition_failed(
            "Only 'All Permissions' access keys support buckets with S3 bucket policies",
        ));
    }
    Ok(())
}

fn nameless() -> Refusal {
    Refusal::bad_request("name is required")
}

fn over_quota(switches: &Switches) -> Refusal {
    let quota = switches.key_quota;
    let message = format!("You have reached the limit of {quota} access keys.");
    Refusal::with_status(switches.key_quota_status, message)
}

/// A key as every reply shows it: without its secret.
fn shown(key: &Key) -> Value {
    let grants = key
        .grants
        .iter()
        .map(|grant| json!({ "bucket": grant.bucket, "permission": grant.permission.word() }));
    json!({
        "name": key.name,
        "access_key": key.access_key,
        "grants": grants.collect::<Vec<_>>(),
        "created_at": rfc3339(key.created_at),
    })
}
