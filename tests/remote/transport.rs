//! The signal to stop, and how many requests are under way at once.

use std::time::Duration;

use spacekeeper::remote::{Cause, DigitalOcean, FailureKind, Shutdown};
use spacekeeper_sandbox::FaceName::DigitalOcean as Api;
use spacekeeper_sandbox::{Fault, Sandbox, World};

use super::clients::{digitalocean, transport};

#[tokio::test]
async fn a_signal_ends_the_retries_but_not_those_of_the_way_out() {
    let sandbox = Sandbox::start(World::new());
    let base = sandbox.digitalocean_url().parse().expect("a base URL");
    let (trigger, shutdown) = Shutdown::new();
    let client = DigitalOcean::new(transport(), base, World::DIGITALOCEAN_TOKEN.into(), shutdown);
    trigger.pull(Cause::Signal);
    sandbox.script(Fault::on(Api).before().status(503).times(2));
    assert_eq!(
        client.list_keys().await.expect_err("stopped").kind,
        FailureKind::Interrupted
    );
    assert!(client.to_the_end().list_keys().await.expect("a list").is_empty());
    assert_eq!(sandbox.journal().len(), 3);
}

#[tokio::test]
async fn a_wait_is_cut_short_by_a_signal() {
    let sandbox = Sandbox::start(World::new());
    let base = sandbox.digitalocean_url().parse().expect("a base URL");
    let (trigger, shutdown) = Shutdown::new();
    let client = DigitalOcean::new(transport(), base, World::DIGITALOCEAN_TOKEN.into(), shutdown);
    sandbox.script(Fault::on(Api).before().status(429).header("retry-after", "60"));
    let signal = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        trigger.pull(Cause::Signal);
    };
    let (outcome, ()) = tokio::join!(client.list_keys(), signal);
    assert_eq!(outcome.expect_err("stopped").kind, FailureKind::Interrupted);
    assert_eq!(
        sandbox.journal().len(),
        1,
        "it does not wait for the minute to ask again"
    );
}

#[tokio::test]
async fn many_calls_at_once_are_paced() {
    let sandbox =
        Sandbox::start(World::new().with_switches(|switches| switches.latency = Duration::from_millis(50)));
    let client = digitalocean(&sandbox);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let client = client.clone();
        calls.spawn(async move { client.list_keys().await });
    }
    assert!(calls.join_all().await.iter().all(Result::is_ok));
    let connections: std::collections::BTreeSet<_> =
        sandbox.journal().iter().map(|entry| entry.connection).collect();
    assert!(connections.len() <= 10, "{}", connections.len());
}
