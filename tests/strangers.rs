//! What belongs to strangers is the same before and after.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use spacekeeper_sandbox::digitalocean::CdnEndpoint;
use spacekeeper_sandbox::github::{Organization, Run as WorkflowRun};
use spacekeeper_sandbox::spaces::{Acl, Bucket, CorsRule, LifecycleRule, Versioning};

use crate::fixture::{REPOSITORY, Run, Sandbox, World, live_keys, the_delivered_pair, world};

const OLD: Duration = Duration::from_hours(2160);

/// Names that look like ours and are not, to the letter, what we would write for this family.
const LOOKALIKES: [&str; 14] = [
    "shop-spaces-key",
    "shop-spaces-key-2",
    "shop-spaces-key--old",
    "shop-spaces-key--1f-abcd",
    "shop-spaces-key--1f-abc--pending",
    "shop-spaces-key--1f-abcde--pending",
    "shop-spaces-key--01f-abcd--pending",
    "shop-spaces-key--1F-abcd--pending",
    "shop-spaces-key--1f-abcd--pending-",
    "shop-spaces-key--1f-abcd--pending--x",
    "Shop-spaces-key--1f-abcd--pending",
    "shop-spaces-keys--1f-abcd--pending",
    "my-shop-spaces-key--1f-abcd--admin",
    "other-spaces-key--1f-abcd--delivering",
];

/// Everything in the world that is not ours, each thing as text under a name for it.
fn picture(world: &World) -> BTreeMap<String, String> {
    let mut picture = BTreeMap::new();
    let mut add = |what: String, shown: String| {
        picture.insert(what, shown);
    };
    for key in &world.digitalocean.keys {
        add(format!("key {} {}", key.access_key, key.name), format!("{key:?}"));
    }
    for (place, secret) in world.github.every_secret() {
        add(
            place,
            format!("{} {} {}", secret.text(), secret.created_at, secret.updated_at),
        );
    }
    for repository in &world.github.repositories {
        let name = &repository.full_name;
        for (variable, value) in repository.variables.iter() {
            add(format!("variable {variable} of {name}"), format!("{value:?}"));
        }
        for environment in repository.environments.values() {
            let at = format!("environment {} of {name}", environment.name);
            add(
                at.clone(),
                format!("{} {}", environment.protection, environment.created_at),
            );
            for (variable, value) in environment.variables.iter() {
                add(format!("variable {variable} of {at}"), format!("{value:?}"));
            }
        }
    }
    for bucket in world.spaces.buckets() {
        let at = format!("bucket {}", bucket.name);
        let Bucket {
            acl,
            policy,
            cors,
            versioning,
            objects,
            uploads,
            owner,
            ..
        } = bucket;
        add(
            at.clone(),
            format!("{owner:?} {acl:?} {policy:?} {cors:?} {versioning:?} {objects:?} {uploads:?}"),
        );
        for rule in &bucket.lifecycle {
            add(format!("rule {:?} of {at}", rule.id), format!("{rule:?}"));
        }
    }
    for endpoint in &world.digitalocean.cdn_endpoints {
        add(
            format!("CDN endpoint {}", endpoint.origin),
            format!("{endpoint:?}"),
        );
    }
    for app in &world.digitalocean.apps {
        add(
            format!("app {}", app.name()),
            format!("{} {:?}", without_ours(&app.spec), app.pinned),
        );
    }
    picture
}

/// The spec, in its order, without the variables that the bootstrap writes.
fn without_ours(spec: &serde_json::Value) -> serde_json::Value {
    const OURS: [&str; 6] = [
        "SPACES_BUCKET",
        "SPACES_REGION",
        "SPACES_ENDPOINT",
        "SPACES_ACCESS_KEY_ID",
        "SPACES_ACCESS_KEY",
        "SPACES_SECRET_KEY",
    ];
    let mut spec = spec.clone();
    let ours = |env: &serde_json::Value| OURS.iter().any(|name| env["key"] == *name);
    if let Some(envs) = spec["envs"].as_array_mut() {
        envs.retain(|env| !ours(env));
    }
    spec
}

fn crowded() -> World {
    let spec = |name: &str| {
        json!({
            "name": name,
            "region": "nyc",
            "x-unknown": { "kept": [1, 2] },
            "envs": [
                { "key": "SPACES_PREFIX", "value": "mine", "scope": "RUN_TIME" },
                { "key": "DATABASE_URL", "value": "${db.DATABASE_URL}" },
                { "key": "API_KEY", "value": "a stranger's secret", "type": "SECRET" },
            ],
            "services": [{
                "name": "api",
                "image": { "registry_type": "DOCR", "repository": "shop", "tag": "latest" },
                "envs": [{ "key": "SPACES_SECRET_KEY_2", "value": "x" }],
            }],
        })
    };
    let mut uploads = Bucket::new("shop-uploads", "nyc3", 0);
    uploads.acl = Acl::PublicRead;
    uploads.versioning = Versioning::Enabled;
    uploads.cors = vec![CorsRule {
        allowed_origins: vec!["https://shop.example".to_owned()],
        allowed_methods: vec!["GET".to_owned()],
        ..CorsRule::default()
    }];
    uploads.lifecycle = vec![LifecycleRule::expiry("tmp", "tmp/", 1)];
    let mut logs = Bucket::new("shop-logs", "nyc3", 0);
    logs.lifecycle = vec![LifecycleRule::expiry(
        "spacekeeper-logs-other-bucket",
        "access-logs/other/",
        9,
    )];
    let mut world = world()
        .with_app(spec("shop"))
        .with_app(spec("shop-2"))
        .with_this_bucket(uploads)
        .with_this_bucket(logs)
        .with_object("shop-uploads", "a.txt", "a")
        .with_bucket("nyc3", "somebody-else")
        .with_strangers_bucket("nyc3", "shop-uploads-2")
        .with_repository("acme/other")
        .with_environment(REPOSITORY, "production")
        .with_secret(REPOSITORY, "SPACES_ACCESS_KEY_OLD", "a")
        .with_secret(REPOSITORY, "NPM_TOKEN", "b")
        .with_secret("acme/other", "SPACES_ACCESS_KEY", "c")
        .with_variable(REPOSITORY, "SPACES_BUCKET_OLD", "d")
        .with_variable("acme/other", "SPACES_BUCKET", "e")
        .with_run(REPOSITORY, WorkflowRun::in_progress(0x1f, 0).completed("success"));
    for name in LOOKALIKES {
        world = world.with_key_of_age(name, &[("shop-uploads", "readwrite")], OLD);
    }
    let now = world.clock.now();
    let endpoint = CdnEndpoint::new("shop-uploads.nyc3.digitaloceanspaces.com", now);
    world.digitalocean.cdn_endpoints.push(endpoint);
    let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
    repository.dependabot_secrets.set("SPACES_SECRET_KEY", "f", now);
    let environment = repository.environment_mut("production").expect("the environment");
    environment.secrets.set("SPACES_ACCESS_KEY", "g", now);
    environment.variables.set("SPACES_BUCKET", "h", now);
    let mut organization = Organization::new("acme");
    organization.secrets.set("SPACES_SECRET_KEY", "i", now);
    world.github.organizations.push(organization);
    world
}

fn everything(sandbox: &Sandbox) -> Run<'_> {
    Run::bootstrap(sandbox)
        .input("log-bucket", "shop-logs")
        .input("log-retention-days", "30")
        .input("app-platform-app", "shop")
}

#[test]
fn nothing_of_a_stranger_changes_in_a_first_a_second_and_a_repairing_run() {
    let sandbox = Sandbox::start(crowded());
    let before = picture(&sandbox.world());
    let is_untouched = |when: &str| {
        let after = picture(&sandbox.world());
        for (what, shown) in &before {
            assert_eq!(after.get(what), Some(shown), "{what}, after {when}");
        }
    };
    everything(&sandbox).go().green();
    is_untouched("the first run");
    everything(&sandbox).go().green();
    is_untouched("the second run");
    let first = the_delivered_pair(&sandbox);
    sandbox
        .world()
        .github
        .repository_mut(REPOSITORY)
        .expect("the repository")
        .secrets
        .remove("SPACES_SECRET_KEY");
    everything(&sandbox).go().green();
    assert_ne!(the_delivered_pair(&sandbox), first);
    is_untouched("a repair");
}

#[test]
fn only_what_is_ours_appears() {
    let sandbox = Sandbox::start(crowded());
    let before = picture(&sandbox.world());
    everything(&sandbox).go().green();
    let after = picture(&sandbox.world());
    let new: Vec<_> = after.keys().filter(|what| !before.contains_key(*what)).collect();
    for what in new {
        let ours = what.contains("shop-spaces-key--")
            || what.contains("SPACES_")
            || what.contains("spacekeeper-logs-shop-uploads");
        assert!(ours, "{what} is new");
    }
}

#[test]
fn a_key_whose_name_looks_like_ours_is_neither_used_nor_deleted() {
    let sandbox = Sandbox::start(crowded());
    everything(&sandbox).go().green();
    let names = live_keys(&sandbox);
    for name in LOOKALIKES {
        assert!(names.iter().any(|found| found == name), "{name} in {names:#?}");
    }
    assert_eq!(names.len(), LOOKALIKES.len() + 1, "{names:#?}");
}

#[test]
fn what_a_failing_run_leaves_is_no_strangers_either() {
    let sandbox = Sandbox::start(crowded());
    sandbox
        .world()
        .digitalocean
        .app_mut("shop")
        .expect("the app")
        .course =
        spacekeeper_sandbox::digitalocean::Course::fails("api", "DeployContainerExitNonZero", "it broke");
    let before = picture(&sandbox.world());
    everything(&sandbox).go().red();
    let after = picture(&sandbox.world());
    for (what, shown) in &before {
        assert_eq!(after.get(what), Some(shown), "{what}");
    }
}
