//! Spaces keys.

use spacekeeper::model::key::{ListedGrant, full_access};
use spacekeeper::remote::{FailureKind, WriteFailure};
use spacekeeper_sandbox::FaceName::DigitalOcean;
use spacekeeper_sandbox::{Clock, Fault, Sandbox, World};

use super::clients::{digitalocean, lines};

fn grant(bucket: &str, permission: &str) -> ListedGrant {
    ListedGrant {
        bucket: bucket.to_owned(),
        permission: permission.to_owned(),
    }
}

fn two_buckets() -> World {
    World::new()
        .with_bucket("nyc3", "shop-uploads")
        .with_bucket("nyc3", "shop-public")
}

#[tokio::test]
async fn all_pages_are_read_and_no_url_of_the_reply_is_followed() {
    let world = (0..7).fold(World::new(), |world, n| world.with_key(&format!("key-{n}"), &[]));
    let sandbox = Sandbox::start(world.with_switches(|switches| {
        switches.page_size_cap = 3;
        switches.foreign_page_host = Some("stranger.example".to_owned());
    }));
    let keys = digitalocean(&sandbox).list_keys().await.expect("a list");
    assert_eq!(keys.len(), 7);
    assert_eq!(sandbox.journal().len(), 3);
}

#[tokio::test]
async fn a_key_is_minted_renamed_with_its_grants_and_deleted_twice() {
    let sandbox = Sandbox::start(two_buckets());
    let client = digitalocean(&sandbox);
    let grants = [grant("shop-uploads", "readwrite"), grant("shop-public", "read")];
    let (key, _secret) = client
        .mint("shop--1-abcd--pending", &grants)
        .await
        .expect("a key");
    let renamed = client
        .rename(&key, "shop--1-abcd--delivering")
        .await
        .expect("a renamed key");
    assert_eq!(
        (&renamed.id, renamed.name.as_str()),
        (&key.id, "shop--1-abcd--delivering")
    );
    assert_eq!(
        sandbox
            .world()
            .digitalocean
            .key_named("shop--1-abcd--delivering")
            .expect("it")
            .grants
            .len(),
        2
    );
    client.delete_key(&key.id).await.expect("deleted");
    client
        .delete_key(&key.id)
        .await
        .expect("gone is as good as deleted");
}

#[tokio::test]
async fn a_mint_is_never_repeated() {
    for fault in [
        Fault::on(DigitalOcean).method("POST").after().status(500),
        Fault::on(DigitalOcean).method("POST").after().reset(),
        Fault::on(DigitalOcean).method("POST").after().garbage(),
        Fault::on(DigitalOcean).method("POST").before().html(502),
    ] {
        let sandbox = Sandbox::start(World::new());
        sandbox.script(fault);
        let outcome = digitalocean(&sandbox).mint("name", &full_access()).await;
        assert!(matches!(outcome, Err(WriteFailure::Lost(_))), "{outcome:?}");
        assert_eq!(sandbox.journal().len(), 1);
    }
}

#[tokio::test]
async fn a_refused_mint_is_known_to_have_made_nothing() {
    let sandbox = Sandbox::start(World::new());
    let client = digitalocean(&sandbox);
    let refused = client
        .mint("name", &[grant("missing", "read")])
        .await
        .expect_err("there is no such bucket");
    let WriteFailure::Refused(failure) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(failure.kind, FailureKind::Forbidden { needs: None });
    assert!(failure.detail.contains("invalid grant"), "{failure}");
    sandbox.script(
        Fault::on(DigitalOcean)
            .before()
            .status(429)
            .header("retry-after", "0")
            .header("content-type", "application/json")
            .body(r#"{"id":"too_many_requests","message":"slow down"}"#)
            .forever(),
    );
    let limited = client.mint("name", &full_access()).await.expect_err("limited");
    assert!(matches!(limited, WriteFailure::Refused(_)), "{limited:?}");
    assert_eq!(limited.failure().kind, FailureKind::RateLimited);
    assert!(sandbox.world().digitalocean.live_keys().next().is_none());
    let url = sandbox.digitalocean_url();
    drop(sandbox);
    let unreachable = client
        .mint("name", &full_access())
        .await
        .expect_err("nobody is there");
    assert!(
        matches!(unreachable, WriteFailure::Refused(_)),
        "{url}: {unreachable:?}"
    );
}

#[tokio::test]
async fn no_failure_of_a_mint_tells_the_secret() {
    let sandbox = Sandbox::start(World::new());
    sandbox.script(Fault::on(DigitalOcean).method("POST").after().garbage());
    let lost = digitalocean(&sandbox)
        .mint("name", &full_access())
        .await
        .expect_err("garbage");
    let secret = sandbox
        .world()
        .digitalocean
        .key_named("name")
        .expect("it was minted")
        .secret_key
        .clone();
    assert!(!format!("{lost} {lost:?}").contains(&secret[..8]));
}

#[tokio::test]
async fn reads_renames_and_deletions_outlive_passing_failures() {
    let sandbox = Sandbox::start(two_buckets().with_key("shop", &[("shop-uploads", "read")]));
    let client = digitalocean(&sandbox);
    sandbox.script(Fault::on(DigitalOcean).method("GET").before().reset());
    sandbox.script(Fault::on(DigitalOcean).method("GET").after().garbage());
    let key = client.list_keys().await.expect("a list").remove(0);
    sandbox.script(Fault::on(DigitalOcean).method("PUT").after().reset());
    assert_eq!(
        client.rename(&key, "shop-2").await.expect("renamed").grants,
        key.grants
    );
    sandbox.script(Fault::on(DigitalOcean).method("DELETE").after().status(503));
    client.delete_key(&key.id).await.expect("deleted");
    assert_eq!(sandbox.journal().len(), 7, "{:?}", lines(&sandbox));
}

#[tokio::test]
async fn a_rename_that_wipes_the_grants_is_noticed() {
    let sandbox = Sandbox::start(two_buckets().with_key("shop", &[("shop-uploads", "read")]));
    let client = digitalocean(&sandbox);
    let key = client.list_keys().await.expect("a list").remove(0);
    let echo = format!(
        r#"{{"key":{{"access_key":"{}","name":"shop-2","grants":[],"created_at":"2026-01-02T03:04:05Z"}}}}"#,
        key.id
    );
    sandbox.script(
        Fault::on(DigitalOcean)
            .method("PUT")
            .after()
            .status(200)
            .body(&echo),
    );
    let failure = client
        .rename(&key, "shop-2")
        .await
        .expect_err("the echo has no grants");
    assert_eq!(failure.kind, FailureKind::Malformed);
    assert_eq!(
        &*failure.detail,
        "sent shop-2 (shop-uploads=read), got back shop-2 ()"
    );
}

#[tokio::test]
async fn the_clock_is_digitaloceans() {
    let sandbox = Sandbox::start(World::new().with_clock(Clock::frozen(1_767_323_045)));
    let client = digitalocean(&sandbox);
    assert_eq!(client.now(), None);
    client.list_keys().await.expect("a list");
    let now = client.now().expect("a time").unix();
    assert!((1_767_323_045..1_767_323_047).contains(&now), "{now}");
    assert!(client.clock().at_latest() > client.now());
}

#[tokio::test]
async fn a_wrong_token_is_told_at_once_and_sent_as_a_bearer_with_our_name() {
    let sandbox = Sandbox::start(World::new());
    let base = sandbox.digitalocean_url().parse().expect("a base URL");
    let shutdown = spacekeeper::remote::Shutdown::never();
    let stranger = spacekeeper::remote::DigitalOcean::new(
        super::clients::transport(),
        base,
        "dop_v1_wrong".into(),
        shutdown,
    );
    let failure = stranger.list_keys().await.expect_err("the token is wrong");
    assert_eq!(failure.kind, FailureKind::Unauthorized);
    let [entry] = &sandbox.journal()[..] else {
        panic!("one request")
    };
    let agents: Vec<_> = entry.headers.get_all("user-agent").iter().collect();
    assert_eq!(agents, [concat!("spacekeeper/", env!("CARGO_PKG_VERSION"))]);
}
