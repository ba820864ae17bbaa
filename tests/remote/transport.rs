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

/// Serves one body that has no end, and returns how much of it was taken.
async fn endless(listener: tokio::net::TcpListener) -> usize {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (mut stream, _) = listener.accept().await.expect("a client");
    let mut request = [0; 4096];
    let read = stream.read(&mut request).await.expect("a request");
    assert!(read > 0, "a request");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("the head");
    let (blanks, mut taken) = (vec![b' '; 64 * 1024], 0);
    while let Ok(sent) = stream.write(&blanks).await {
        taken += sent;
    }
    taken
}

#[tokio::test]
async fn a_body_without_end_is_taken_up_to_the_limit() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let host = listener.local_addr().expect("an address").to_string();
    let base = format!("http://{host}").parse().expect("a base URL");
    let client = DigitalOcean::new(
        transport(),
        base,
        World::DIGITALOCEAN_TOKEN.into(),
        Shutdown::never(),
    );
    let (taken, listed) = tokio::join!(endless(listener), client.list_keys());
    let failure = listed.expect_err("no list");
    assert_eq!(failure.kind, FailureKind::Excessive);
    assert_eq!(
        failure.to_string(),
        format!(
            "list Spaces keys: DigitalOcean sent more than is read: the reply of {host} is longer than 16 MiB"
        )
    );
    // What the two sockets hold comes on top.
    assert!((16 << 20..48 << 20).contains(&taken), "{taken}");
}
