//! Buckets, their settings, and the proof of a key.

use std::time::Duration;

use spacekeeper::model::bucket::Logging;
use spacekeeper::model::key::{AccessKeyId, Grants, Permission, full_access, listed_grants};
use spacekeeper::model::lifecycle::LifecycleRule as OurRule;
use spacekeeper::remote::FailureKind;
use spacekeeper::remote::spaces::{Creation, Freshness, KeyPair, Presence, ProofFailure};
use spacekeeper_sandbox::FaceName::Spaces;
use spacekeeper_sandbox::spaces::LifecycleRule;
use spacekeeper_sandbox::{Fault, Sandbox, World};

use super::clients::{bucket, digitalocean, spaces, spaces_as};

fn world() -> World {
    World::new()
        .with_full_access_pair()
        .with_bucket("nyc3", "shop-uploads")
        .with_bucket("nyc3", "shop-logs")
}

#[tokio::test]
async fn presence_is_told_apart() {
    let sandbox = Sandbox::start(world().with_strangers_bucket("nyc3", "taken"));
    let client = spaces(&sandbox);
    let present = client.head(&bucket("shop-uploads")).await.expect("a look");
    assert!(matches!(present, Presence::Here { .. }), "{present:?}");
    assert_eq!(
        client.head(&bucket("missing")).await.expect("a look"),
        Presence::Absent
    );
    let denied = Presence::Forbidden {
        code: Some("AccessDenied".to_owned()),
    };
    assert_eq!(client.head(&bucket("taken")).await.expect("a look"), denied);
    assert!(client.owns(&bucket("shop-logs")).await.expect("a look"));
    assert_eq!(
        client
            .location(&bucket("shop-logs"))
            .await
            .expect("a region")
            .as_deref(),
        Some("nyc3")
    );
}

#[tokio::test]
async fn a_wrong_pair_is_told_by_the_code_that_a_head_does_not_have() {
    let sandbox = Sandbox::start(world());
    let id: AccessKeyId = World::FULL_ACCESS_KEY_ID.parse().expect("an id");
    for (id, secret, code) in [
        (id, "wrong", "SignatureDoesNotMatch"),
        (
            "DO00NOBODY".parse().expect("an id"),
            "wrong",
            "InvalidAccessKeyId",
        ),
    ] {
        let client = spaces_as(
            &sandbox,
            &KeyPair {
                id,
                secret: secret.into(),
            },
            Freshness::Settled,
        );
        let failure = client
            .head(&bucket("shop-uploads"))
            .await
            .expect_err("the pair is wrong");
        assert_eq!(
            (failure.kind, failure.code.as_deref()),
            (FailureKind::Unauthorized, Some(code))
        );
    }
}

#[tokio::test]
async fn creating_tells_whose_the_name_is() {
    for status in [200, 409] {
        let world = world()
            .with_strangers_bucket("nyc3", "taken")
            .with_bucket("ams3", "far-away");
        let sandbox = Sandbox::start(world.with_switches(|switches| {
            switches.recreate_own_bucket = http::StatusCode::from_u16(status).expect("a status");
        }));
        let client = spaces(&sandbox);
        let again = if status == 200 {
            Creation::Created
        } else {
            Creation::AlreadyMine
        };
        assert_eq!(
            client.create(&bucket("fresh")).await.expect("an answer"),
            Creation::Created
        );
        assert_eq!(
            client.create(&bucket("shop-uploads")).await.expect("an answer"),
            again
        );
        assert_eq!(
            client.create(&bucket("taken")).await.expect("an answer"),
            Creation::TakenByOther
        );
        assert_eq!(
            client.create(&bucket("far-away")).await.expect("an answer"),
            Creation::Elsewhere
        );
    }
}

#[tokio::test]
async fn logging_is_set_on_a_bucket_that_is_not_visible_yet_and_read_back() {
    let delay = Duration::from_millis(700);
    let sandbox = Sandbox::start(world().with_switches(|switches| switches.bucket_create_delay = delay));
    let client = spaces(&sandbox);
    client.create(&bucket("fresh")).await.expect("created");
    let logging = Logging {
        target: bucket("shop-logs"),
        prefix: "access-logs/shop/fresh/".to_owned(),
    };
    client
        .put_logging(&bucket("fresh"), &logging, true)
        .await
        .expect("set");
    assert_eq!(
        client.logging(&bucket("fresh")).await.expect("read"),
        Some(logging)
    );
    assert_eq!(client.logging(&bucket("shop-logs")).await.expect("read"), None);
}

#[tokio::test]
async fn retention_rules_of_others_stay() {
    let sandbox = Sandbox::start(world());
    let theirs = LifecycleRule::expiry("theirs", "tmp/", 3);
    sandbox
        .world()
        .spaces
        .bucket_mut("shop-logs")
        .expect("it")
        .lifecycle
        .push(theirs.clone());
    let (client, logs) = (spaces(&sandbox), bucket("shop-logs"));
    assert_eq!(
        client.lifecycle(&bucket("shop-uploads")).await.expect("none set"),
        []
    );
    let rule = |days| OurRule::of_logs(&bucket("shop-uploads"), "access-logs/shop/shop-uploads/", days);
    for days in [30, 7] {
        client
            .put_lifecycle(&logs, &[rule(days)], &[], false)
            .await
            .expect("set");
        assert_eq!(client.lifecycle(&logs).await.expect("read"), [rule(days)]);
    }
    assert_eq!(
        sandbox.world().spaces.bucket("shop-logs").expect("it").lifecycle[0],
        theirs
    );
}

#[tokio::test]
async fn configuration_carries_an_md5_and_no_other_checksum() {
    let sandbox = Sandbox::start(world());
    let logging = Logging {
        target: bucket("shop-logs"),
        prefix: "p/".to_owned(),
    };
    spaces(&sandbox)
        .put_logging(&bucket("shop-uploads"), &logging, false)
        .await
        .expect("set");
    let [entry] = &sandbox.journal()[..] else {
        panic!("one request")
    };
    assert!(entry.headers.contains_key("content-md5"));
    assert!(
        entry
            .headers
            .keys()
            .all(|name| !name.as_str().contains("checksum"))
    );
    assert_eq!(entry.headers.get_all("user-agent").iter().count(), 1);
}

#[tokio::test]
async fn a_policy_is_seen_and_slowing_down_is_waited_for() {
    let sandbox = Sandbox::start(world());
    sandbox.world().spaces.bucket_mut("shop-logs").expect("it").policy = Some("{}".to_owned());
    let client = spaces(&sandbox);
    let body = "<Error><Code>SlowDown</Code><Message></Message></Error>";
    sandbox.script(Fault::on(Spaces).before().status(503).body(body).times(2));
    assert!(client.has_policy(&bucket("shop-logs")).await.expect("read"));
    assert!(!client.has_policy(&bucket("shop-uploads")).await.expect("read"));
}

#[tokio::test]
async fn a_fresh_admin_key_is_waited_for() {
    let delay = Duration::from_millis(600);
    let sandbox = Sandbox::start(world().with_switches(|switches| switches.key_create_delay = delay));
    let (key, secret) = digitalocean(&sandbox)
        .mint("admin", &full_access())
        .await
        .expect("a key");
    let client = spaces_as(&sandbox, &KeyPair { id: key.id, secret }, Freshness::Fresh);
    assert_eq!(
        client.create(&bucket("fresh")).await.expect("created"),
        Creation::Created
    );
}

fn grants() -> Grants {
    Grants::from([
        (bucket("shop-uploads"), Permission::ReadWrite),
        (bucket("shop-logs"), Permission::Read),
    ])
}

#[tokio::test]
async fn a_scoped_key_is_proved_once_it_is_known_everywhere() {
    let delay = Duration::from_millis(600);
    let sandbox = Sandbox::start(world().with_switches(|switches| switches.key_create_delay = delay));
    let (key, secret) = digitalocean(&sandbox)
        .mint("shop", &listed_grants(&grants()))
        .await
        .expect("a key");
    let client = spaces_as(&sandbox, &KeyPair { id: key.id, secret }, Freshness::Settled);
    sandbox.clear_journal();
    client.prove(&grants()).await.expect("it opens both");
    let connections: Vec<_> = sandbox.journal().iter().map(|entry| entry.connection).collect();
    let different: std::collections::BTreeSet<_> = connections.iter().collect();
    assert_eq!(
        different.len(),
        connections.len(),
        "each on a connection of its own"
    );
    let world = sandbox.world();
    assert!(world.spaces.bucket("shop-logs").expect("it").objects.is_empty());
}

#[tokio::test]
async fn a_key_that_writes_where_it_shall_read_is_found_out() {
    let sandbox = Sandbox::start(world());
    let granted = Grants::from([(bucket("shop-logs"), Permission::ReadWrite)]);
    let (key, secret) = digitalocean(&sandbox)
        .mint("shop", &listed_grants(&granted))
        .await
        .expect("a key");
    let client = spaces_as(&sandbox, &KeyPair { id: key.id, secret }, Freshness::Settled);
    let wanted = Grants::from([(bucket("shop-logs"), Permission::Read)]);
    let failure = client.prove(&wanted).await.expect_err("it can write");
    assert!(matches!(failure, ProofFailure::WritesThoughReadOnly(name) if name == bucket("shop-logs")));
}
