//! The DigitalOcean face, over HTTP.

mod client;

use std::time::{Duration, Instant};

use client::Answer;
use serde_json::{Value, json};
use spacekeeper_sandbox::digitalocean::{Course, Phase};
use spacekeeper_sandbox::{Clock, Overtaken, Sandbox, World};

fn call(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let url = sandbox.digitalocean_url();
    client::send(&url, World::DIGITALOCEAN_TOKEN, method, path, &body).expect("an answer")
}

fn get(sandbox: &Sandbox, path: &str) -> Value {
    call(sandbox, "GET", path, &Value::Null).json()
}

fn mint(sandbox: &Sandbox, name: &str, grants: &Value) -> Answer {
    call(
        sandbox,
        "POST",
        "/v2/spaces/keys",
        &json!({ "name": name, "grants": grants }),
    )
}

fn shop() -> Value {
    json!({
        "name": "shop",
        "odd_field": { "z": 1, "a": 2 },
        "services": [{ "name": "api", "envs": [{ "key": "MODE", "value": "x", "type": "GENERAL" }] }],
        "envs": [{ "key": "PASSWORD", "value": "hunter2", "type": "SECRET" }],
    })
}

fn shop_path(sandbox: &Sandbox) -> String {
    let world = sandbox.world();
    format!("/v2/apps/{}", world.digitalocean.app("shop").expect("the app").id)
}

/// Waits until the newest deployment of the shop has come to an end.
fn outcome(sandbox: &Sandbox) -> Phase {
    let patience = Instant::now() + Duration::from_secs(5);
    loop {
        let phase = {
            let world = sandbox.world();
            let app = world.digitalocean.app("shop").expect("the app");
            app.deployments.last().expect("a deployment").phase
        };
        if phase.is_terminal() || Instant::now() > patience {
            return phase;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_secret_is_told_once() {
    let sandbox = Sandbox::start(World::new().with_bucket("nyc3", "shop-uploads"));
    let grants = json!([{ "bucket": "shop-uploads", "permission": "readwrite" }]);
    let minted = mint(&sandbox, "shop", &grants);
    assert_eq!(minted.status, 201);
    let key = &minted.json()["key"];
    assert_eq!(key["secret_key"].as_str().map(str::len), Some(43));
    let path = format!("/v2/spaces/keys/{}", key["access_key"].as_str().expect("an id"));
    assert_eq!(get(&sandbox, &path)["key"]["secret_key"], Value::Null);
    assert_eq!(get(&sandbox, "/v2/spaces/keys")["keys"][0]["grants"], grants);
    assert_eq!(call(&sandbox, "DELETE", &path, &Value::Null).status, 204);
    assert_eq!(call(&sandbox, "DELETE", &path, &Value::Null).status, 404);
    let wrong = call(&sandbox, "GET", "/v2/spaces/keys/shop", &Value::Null);
    assert_eq!(wrong.status, 400);
}

#[test]
fn impossible_grants_are_told_apart() {
    let sandbox = Sandbox::start(World::new().with_bucket("nyc3", "mine"));
    let full = json!({ "bucket": "", "permission": "fullaccess" });
    let mine = json!({ "bucket": "mine", "permission": "read" });
    let missing = json!([{ "bucket": "missing", "permission": "read" }]);
    let refused = mint(&sandbox, "k", &missing);
    assert_eq!(
        (refused.status, &refused.json()["message"]),
        (403, &json!("invalid grant"))
    );
    assert_eq!(mint(&sandbox, "k", &json!([full, mine])).status, 400);
    assert_eq!(
        mint(
            &sandbox,
            "k",
            &json!([{ "bucket": "mine", "permission": "fullaccess" }])
        )
        .status,
        400
    );
    let minted = mint(&sandbox, "k", &json!([mine])).json();
    let path = format!(
        "/v2/spaces/keys/{}",
        minted["key"]["access_key"].as_str().expect("an id")
    );
    let convert = call(&sandbox, "PUT", &path, &json!({ "name": "k", "grants": [full] }));
    assert_eq!(convert.status, 400);
    let renamed = call(&sandbox, "PUT", &path, &json!({ "name": "k2" })).json();
    assert_eq!(
        renamed["key"]["grants"],
        json!([]),
        "a rename without grants wipes them"
    );
}

#[test]
fn lists_come_in_pages_and_a_quota_ends_them() {
    let world = World::new().with_switches(|s| s.key_quota = 3);
    let world = world.with_switches(|s| s.foreign_page_host = Some("evil.example".into()));
    let sandbox = Sandbox::start(world.with_key("a", &[]).with_key("b", &[]).with_key("c", &[]));
    let page = get(&sandbox, "/v2/spaces/keys?per_page=2");
    assert_eq!(page["keys"].as_array().map(Vec::len), Some(2));
    assert_eq!(page["meta"]["total"], 3);
    let next = page["links"]["pages"]["next"].as_str().expect("a next page");
    assert!(
        next.starts_with("http://evil.example/v2/spaces/keys?page=2"),
        "{next}"
    );
    let last = get(&sandbox, "/v2/spaces/keys?per_page=2&page=2");
    assert_eq!(last["keys"][0]["name"], "a");
    assert_eq!(last["links"]["pages"]["next"], Value::Null);
    assert_eq!(get(&sandbox, "/v2/spaces/keys?name=b")["meta"]["total"], 1);
    assert_eq!(mint(&sandbox, "d", &json!([])).status, 422);
}

#[test]
fn tokens_are_checked_and_counted() {
    let world = World::new().with_digitalocean_token("dop_v1_reader", &["spaces_key:read"]);
    let sandbox = Sandbox::start(world.with_switches(|s| s.hourly_limit = 2));
    let url = sandbox.digitalocean_url();
    let ask = |token: &str, method: &str| {
        client::send(&url, token, method, "/v2/spaces/keys", "{}").expect("an answer")
    };
    assert_eq!(ask("dop_v1_unknown", "GET").status, 401);
    let read = ask("dop_v1_reader", "GET");
    assert_eq!(
        (read.status, read.header("ratelimit-remaining")),
        (200, Some("1"))
    );
    let refused = ask("dop_v1_reader", "POST");
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("spaces_key:create_credentials"));
    let limited = ask("dop_v1_reader", "GET");
    assert_eq!((limited.status, limited.header("retry-after")), (429, None));
}

#[test]
fn an_update_keeps_what_it_does_not_know_and_seals_secrets() {
    let sandbox = Sandbox::start(World::new().with_app(shop()));
    let path = shop_path(&sandbox);
    let mut spec = get(&sandbox, &path)["app"]["spec"].clone();
    let sealed = spec["envs"][0]["value"].as_str().expect("a value").to_owned();
    assert!(sealed.starts_with("EV[1:"), "{sealed}");
    assert_eq!(spec["services"][0]["envs"][0].get("type"), None);
    assert_eq!(spec["odd_field"].to_string(), r#"{"z":1,"a":2}"#);

    let added = json!({ "key": "SPACES_SECRET_KEY", "value": "s3cret", "type": "SECRET" });
    spec["services"][0]["envs"]
        .as_array_mut()
        .expect("a list")
        .push(added);
    let updated = call(&sandbox, "PUT", &path, &json!({ "spec": spec })).json();
    assert_eq!(updated["app"]["pending_deployment"]["phase"], "PENDING_BUILD");
    assert_eq!(updated["app"]["spec"]["envs"][0]["value"], sealed.as_str());
    assert_eq!(outcome(&sandbox), Phase::Active);
    let world = sandbox.world();
    let app = world.digitalocean.app("shop").expect("the app");
    assert_eq!(
        app.live_env(Some("api"), "SPACES_SECRET_KEY").as_deref(),
        Some("s3cret")
    );
    assert_eq!(app.opened_env(None, "PASSWORD").as_deref(), Some("hunter2"));
    assert_eq!(app.deployments[0].phase, Phase::Superseded);
}

#[test]
fn bad_specs_are_refused_before_anything_changes() {
    let other = json!({ "name": "other", "envs": [{ "key": "P", "value": "p", "type": "SECRET" }] });
    let sandbox = Sandbox::start(World::new().with_app(shop()).with_app(other));
    let path = shop_path(&sandbox);
    let foreign = sandbox
        .world()
        .digitalocean
        .app("other")
        .and_then(|app| app.env("P").map(str::to_owned));
    let with_envs = |envs: Value| json!({ "spec": { "name": "shop", "envs": envs } });
    for envs in [
        json!([{ "key": "P", "value": foreign, "type": "SECRET" }]),
        json!([{ "key": "NO-HYPHENS", "value": "x" }]),
        json!([{ "key": "TWICE" }, { "key": "TWICE" }]),
    ] {
        let refused = call(&sandbox, "PUT", &path, &with_envs(envs));
        assert_eq!(refused.status, 400, "{}", refused.body);
        assert!(refused.body.contains("error validating app spec field"));
    }
    let own = get(&sandbox, &path)["app"]["spec"].clone();
    let id = path.rsplit('/').next().expect("an id");
    let proposed = call(
        &sandbox,
        "POST",
        "/v2/apps/propose",
        &json!({ "app_id": id, "spec": own }),
    );
    assert_eq!(
        (proposed.status, &proposed.json()["app_name_available"]),
        (200, &json!(true))
    );
    assert_eq!(
        sandbox
            .world()
            .digitalocean
            .app("shop")
            .map(|app| app.deployments.len()),
        Some(1)
    );
}

#[test]
fn a_failed_deployment_says_where_and_why() {
    let course = Course::fails("api", "DeployContainerExitNonZero", "exited with 1");
    let sandbox = Sandbox::start(World::new().with_app(shop()).with_course("shop", course));
    let path = shop_path(&sandbox);
    let updated = call(&sandbox, "PUT", &path, &json!({ "spec": shop() })).json();
    let id = updated["app"]["pending_deployment"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert_eq!(outcome(&sandbox), Phase::Error);
    let deployment = get(&sandbox, &format!("{path}/deployments/{id}"))["deployment"].clone();
    assert_eq!(deployment["progress"]["error_steps"], 1);
    let step = &deployment["progress"]["steps"][1]["steps"][1]["steps"][0]["steps"][1];
    assert_eq!(step["reason"]["code"], "DeployContainerExitNonZero");
    assert_eq!(step["component_name"], "api");

    let logs = get(&sandbox, &format!("{path}/deployments/{id}/logs?type=DEPLOY"));
    let url = logs["historic_urls"][0].as_str().expect("a link");
    let log_path = url
        .strip_prefix(&sandbox.digitalocean_url())
        .expect("a link to loopback");
    let text =
        client::send(&sandbox.digitalocean_url(), "dop_v1_leaked", "GET", log_path, "").expect("a log");
    assert!(text.body.contains("exited with 1"), "{}", text.body);
    assert_eq!(sandbox.violations(), ["a token was sent to the host of the logs"]);
    let live = sandbox
        .world()
        .digitalocean
        .app("shop")
        .and_then(|app| app.active_deployment().cloned());
    assert_ne!(live.map(|live| live.id), Some(id), "what was live stays live");
}

#[test]
fn deployments_end_as_scripted() {
    for (course, phase) in [
        (Course::CanceledAfter(Phase::Building), Phase::Canceled),
        (Course::SupersededAfter(Phase::Deploying), Phase::Superseded),
    ] {
        let sandbox = Sandbox::start(World::new().with_app(shop()).with_course("shop", course));
        call(&sandbox, "PUT", &shop_path(&sandbox), &json!({ "spec": shop() }));
        assert_eq!(outcome(&sandbox), phase);
    }
    let world = World::new()
        .with_app(shop())
        .with_course("shop", Course::NeverCreated);
    let sandbox = Sandbox::start(world);
    let updated = call(&sandbox, "PUT", &shop_path(&sandbox), &json!({ "spec": shop() })).json();
    assert_eq!(updated["app"].get("pending_deployment"), None);
}

#[test]
fn a_newer_deployment_overtakes_or_waits() {
    for (overtaken, phase) in [
        (Overtaken::Superseded, Phase::Superseded),
        (Overtaken::Canceled, Phase::Canceled),
        (Overtaken::Finished, Phase::Building),
    ] {
        let world = World::new()
            .with_switches(|s| s.overtaken = overtaken)
            .with_app(shop());
        let sandbox = Sandbox::start(world.with_course("shop", Course::StuckIn(Phase::Building)));
        let path = shop_path(&sandbox);
        call(&sandbox, "PUT", &path, &json!({ "spec": shop() }));
        std::thread::sleep(Duration::from_millis(50));
        call(&sandbox, "PUT", &path, &json!({ "spec": shop() }));
        std::thread::sleep(Duration::from_millis(150));
        let world = sandbox.world();
        let app = world.digitalocean.app("shop").expect("the app");
        assert_eq!(app.deployments[1].phase, phase);
        assert_eq!(
            app.pending_deployment().is_some(),
            overtaken == Overtaken::Finished
        );
    }
}

#[test]
fn a_cdn_endpoint_is_made_once_and_slowly() {
    let world = World::new().with_clock(Clock::frozen(1_767_323_045));
    let sandbox = Sandbox::start(world.with_bucket("nyc3", "shop-assets"));
    let create = |body: &Value| call(&sandbox, "POST", "/v2/cdn/endpoints", body);
    let origin = "shop-assets.nyc3.digitaloceanspaces.com";
    let made = create(&json!({ "origin": origin, "ttl": 600 }));
    assert_eq!((made.status, made.header("ratelimit-limit")), (201, Some("5")));
    assert_eq!(
        made.json()["endpoint"]["endpoint"],
        "shop-assets.nyc3.cdn.digitaloceanspaces.com"
    );
    assert_eq!(create(&json!({ "origin": origin })).status, 409);
    assert_eq!(
        create(&json!({ "origin": "a.b.nyc3.digitaloceanspaces.com" })).status,
        422
    );
    let path = format!(
        "/v2/cdn/endpoints/{}",
        made.json()["endpoint"]["id"].as_str().expect("an id")
    );
    assert_eq!(call(&sandbox, "PUT", &path, &json!({ "ttl": 61 })).status, 422);
    assert_eq!(
        call(&sandbox, "PUT", &path, &json!({ "ttl": 3600 })).json()["endpoint"]["ttl"],
        3600
    );
    let limited = call(&sandbox, "GET", &path, &Value::Null);
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("10")));
    sandbox.advance(Duration::from_secs(10));
    assert_eq!(call(&sandbox, "DELETE", &path, &Value::Null).status, 204);
}

#[test]
fn deleting_a_key_that_an_app_holds_is_a_violation() {
    let sandbox = Sandbox::start(World::new().with_key("shop", &[]).with_app(shop()));
    let (id, secret) = {
        let world = sandbox.world();
        let key = world.digitalocean.key_named("shop").expect("the key");
        (key.access_key.clone(), key.secret_key.clone())
    };
    let mut spec = shop();
    spec["envs"] = json!([{ "key": "SPACES_SECRET_KEY", "value": secret, "type": "SECRET" }]);
    call(&sandbox, "PUT", &shop_path(&sandbox), &json!({ "spec": spec }));
    assert_eq!(outcome(&sandbox), Phase::Active);
    call(&sandbox, "DELETE", &format!("/v2/spaces/keys/{id}"), &Value::Null);
    let violations = sandbox.violations();
    assert_eq!(violations.len(), 2, "the spec and what is live: {violations:#?}");
    assert!(violations[0].contains("SPACES_SECRET_KEY in the wanted spec of app shop"));
    assert!(!violations[0].contains(&secret));
}

#[test]
fn deleting_a_key_that_a_secret_holds_is_a_violation() {
    let world = World::new().with_full_access_pair().with_repository("acme/shop");
    let id = World::FULL_ACCESS_KEY_ID;
    let sandbox = Sandbox::start(world.with_secret("acme/shop", "SPACES_ACCESS_KEY", id));
    call(&sandbox, "DELETE", &format!("/v2/spaces/keys/{id}"), &Value::Null);
    let violations = sandbox.violations();
    assert_eq!(violations.len(), 1, "{violations:#?}");
    assert!(violations[0].contains("acme/shop") && violations[0].ends_with("still held its id"));
}
