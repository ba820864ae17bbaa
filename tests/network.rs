//! One HTTP stack under all three clients: they go through the same proxy, trust the same roots, and send what the
//! services expect and nothing that they refuse.

use std::collections::BTreeSet;
use std::fs;

use http::header::USER_AGENT;
use spacekeeper_sandbox::{Edge, Entry, FaceName};
use tempfile::NamedTempFile;

use crate::fixture::{DigitalOcean, GitHub, Outcome, Run, Sandbox, Spaces, world};

/// The variables that say where the services are; without them they are at their public names.
const ADDRESSES: [&str; 3] = ["DIGITALOCEAN_API_URL", "SPACES_ENDPOINT_URL", "GITHUB_API_URL"];

const PUBLIC_HOSTS: [&str; 3] = [
    "api.digitalocean.com",
    "api.github.com",
    "nyc3.digitaloceanspaces.com",
];

/// The edge's authority in a file.
fn roots(edge: &Edge) -> NamedTempFile {
    let file = NamedTempFile::new().expect("a temporary file");
    fs::write(file.path(), &edge.ca_pem).expect("written");
    file
}

fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().expect("UTF-8")
}

/// A run that looks for the services at their public names.
fn to_the_public_hosts(sandbox: &Sandbox) -> Run<'_> {
    let run = Run::bootstrap(sandbox).input("log-bucket", "shop-logs");
    ADDRESSES.iter().fold(run, |run, name| run.without_env(name))
}

fn hosts(edge: &Edge) -> BTreeSet<String> {
    edge.tunnels().into_iter().collect()
}

#[track_caller]
fn assert_all_done(sandbox: &Sandbox) {
    let world = sandbox.world();
    assert!(
        world
            .spaces
            .bucket("shop-uploads")
            .is_some_and(|bucket| bucket.logging.is_some())
    );
    let repository = world.github.repository("acme/shop").expect("a repository");
    assert!(repository.secret("SPACES_SECRET_KEY").is_some());
}

#[test]
fn all_three_clients_go_through_the_proxy_and_trust_its_authority() {
    for variable in ["HTTPS_PROXY", "https_proxy"] {
        let sandbox = Sandbox::start(world());
        let edge = sandbox.edge();
        let roots = roots(&edge);
        to_the_public_hosts(&sandbox)
            .env(variable, &edge.proxy_url)
            .env("SSL_CERT_FILE", path(&roots))
            .go()
            .green();
        assert_all_done(&sandbox);
        assert_eq!(hosts(&edge), PUBLIC_HOSTS.map(str::to_owned).into());
    }
}

#[test]
fn a_host_that_no_proxy_names_is_asked_directly() {
    let sandbox = Sandbox::start(world());
    let edge = sandbox.edge();
    let roots = roots(&edge);
    to_the_public_hosts(&sandbox)
        .env("GITHUB_API_URL", &edge.tls_urls().github)
        .env("HTTPS_PROXY", &edge.proxy_url)
        .env("NO_PROXY", "localhost,internal.example")
        .env("SSL_CERT_FILE", path(&roots))
        .go()
        .green();
    assert_all_done(&sandbox);
    let proxied = ["api.digitalocean.com", "nyc3.digitaloceanspaces.com"];
    assert_eq!(hosts(&edge), proxied.map(str::to_owned).into());
}

#[test]
fn plain_loopback_addresses_are_asked_directly_when_no_proxy_says_so() {
    let sandbox = Sandbox::start(world());
    let edge = sandbox.edge();
    Run::bootstrap(&sandbox)
        .input("log-bucket", "shop-logs")
        .env("HTTP_PROXY", &edge.proxy_url)
        .env("HTTPS_PROXY", &edge.proxy_url)
        .env("NO_PROXY", "127.0.0.1")
        .go()
        .green();
    assert_all_done(&sandbox);
    assert_eq!(edge.tunnels(), [""; 0]);
}

#[test]
fn an_authority_that_is_not_trusted_is_refused_and_no_credential_is_sent() {
    let sandbox = Sandbox::start(world());
    let edge = sandbox.edge();
    let outcome = to_the_public_hosts(&sandbox)
        .env("HTTPS_PROXY", &edge.proxy_url)
        .go()
        .red();
    assert!(outcome.stdout.contains("certificate"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("SSL_CERT_FILE"), "{}", outcome.stdout);
    assert!(outcome.journal.is_empty(), "{}", outcome.stdout);
}

#[test]
fn a_proxy_that_does_not_answer_is_told_apart_from_a_service_that_does_not() {
    let sandbox = Sandbox::start(world());
    // Nobody listens on the discard port.
    let outcome = to_the_public_hosts(&sandbox)
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .go()
        .red();
    assert!(outcome.stdout.contains("proxy"), "{}", outcome.stdout);
    assert!(outcome.journal.is_empty(), "{}", outcome.stdout);
}

#[test]
fn a_machine_without_roots_of_trust_is_told_how_to_name_them() {
    let sandbox = Sandbox::start(world());
    let empty = NamedTempFile::new().expect("a temporary file");
    let outcome = to_the_public_hosts(&sandbox)
        .env("SSL_CERT_FILE", path(&empty))
        .env("HTTPS_PROXY", &sandbox.edge().proxy_url)
        .go()
        .red();
    assert!(outcome.stdout.contains("SSL_CERT_FILE"), "{}", outcome.stdout);
    assert!(outcome.journal.is_empty(), "{}", outcome.stdout);
}

#[test]
fn an_enterprise_server_is_reached_under_its_prefix() {
    let turn = |host: &str| {
        let host = host.to_owned();
        world().with_switches(|switches| {
            switches.github_path_prefix = "/api/v3".to_owned();
            switches.github_hosts = vec![host];
        })
    };
    let sandbox = Sandbox::start(turn("github.acme.example"));
    let edge = sandbox.edge();
    let roots = roots(&edge);
    let outcome = to_the_public_hosts(&sandbox)
        .env("GITHUB_API_URL", "https://github.acme.example/api/v3")
        .env("HTTPS_PROXY", &edge.proxy_url)
        .env("SSL_CERT_FILE", path(&roots))
        .go()
        .green();
    assert_all_done(&sandbox);
    let asked: Vec<&Entry> = of(&outcome, GitHub);
    assert!(!asked.is_empty());
    assert!(asked.iter().all(|entry| entry.path.starts_with("/api/v3/")));
    assert!(
        asked
            .iter()
            .all(|entry| entry.host.starts_with("github.acme.example"))
    );
}

#[test]
fn a_renamed_repository_of_an_enterprise_server_is_followed_under_its_prefix() {
    let mut world = world().with_switches(|turn| turn.github_path_prefix = "/api/v3".to_owned());
    let repository = world.github.repository_mut("acme/shop").expect("a repository");
    repository.former_names.push("acme/store".to_owned());
    let sandbox = Sandbox::start(world);
    Run::bootstrap(&sandbox)
        .input("log-bucket", "shop-logs")
        .input("github-repository", "acme/store")
        .env("GITHUB_API_URL", &(sandbox.github_url() + "/"))
        .go()
        .green();
    assert_all_done(&sandbox);
}

fn of(outcome: &Outcome, face: FaceName) -> Vec<&Entry> {
    outcome.journal.to(face)
}

#[test]
fn every_request_says_who_asks_exactly_once() {
    let sandbox = Sandbox::start(world());
    let outcome = Run::bootstrap(&sandbox)
        .input("log-bucket", "shop-logs")
        .go()
        .green();
    assert_all_done(&sandbox);
    let expected = format!("spacekeeper/{}", env!("CARGO_PKG_VERSION"));
    for entry in &outcome.journal.0 {
        let agents: Vec<_> = entry.headers.get_all(USER_AGENT).iter().collect();
        assert_eq!(agents, [expected.as_str()], "{}", entry.line());
    }
}

#[test]
fn no_request_carries_a_checksum_that_spaces_does_not_know() {
    let sandbox = Sandbox::start(world());
    let outcome = bootstrap_with_retention(&sandbox);
    for entry in of(&outcome, Spaces) {
        let unknown = entry.headers.keys().find(|name| {
            let name = name.as_str();
            name.starts_with("x-amz-checksum")
                || name == "x-amz-sdk-checksum-algorithm"
                || name == "x-amz-trailer"
        });
        assert_eq!(unknown, None, "{}", entry.line());
    }
}

#[test]
fn every_configuration_put_carries_its_md5() {
    let sandbox = Sandbox::start(world());
    let outcome = bootstrap_with_retention(&sandbox);
    let puts: Vec<&Entry> = of(&outcome, Spaces)
        .into_iter()
        .filter(|entry| entry.method == "PUT" && entry.path.contains('?'))
        .collect();
    let set = |what: &str| puts.iter().filter(|entry| entry.path.contains(what)).count();
    assert_eq!((set("?logging"), set("?lifecycle")), (1, 1), "{}", outcome.stdout);
    for put in puts {
        assert!(put.headers.contains_key("content-md5"), "{}", put.line());
    }
}

fn bootstrap_with_retention(sandbox: &Sandbox) -> Outcome {
    let outcome = Run::bootstrap(sandbox)
        .input("log-bucket", "shop-logs")
        .input("log-retention-days", "30")
        .go()
        .green();
    assert_all_done(sandbox);
    outcome
}

#[test]
fn every_credential_goes_to_its_own_service_only() {
    let sandbox = Sandbox::start(world());
    let outcome = bootstrap_with_retention(&sandbox);
    for entry in &outcome.journal.0 {
        let credential = entry
            .headers
            .get("authorization")
            .map(|value| value.to_str().expect("text"));
        let expected = match entry.face {
            DigitalOcean => "Bearer dop_v1_",
            GitHub => "Bearer ghp_",
            Spaces => "AWS4-HMAC-SHA256 Credential=DO00",
        };
        assert!(
            credential.is_some_and(|it| it.starts_with(expected)),
            "{}: {credential:?}",
            entry.line()
        );
    }
}

#[test]
fn a_page_link_to_a_strangers_host_is_not_followed() {
    let mut world = world().with_switches(|turn| {
        turn.page_size_cap = 2;
        turn.foreign_page_host = Some("evil.example".to_owned());
    });
    for number in 0..5 {
        world = world.with_key(&format!("other-{number}"), &[("other", "read")]);
    }
    let sandbox = Sandbox::start(world);
    let outcome = Run::bootstrap(&sandbox)
        .input("log-bucket", "shop-logs")
        .go()
        .green();
    assert_all_done(&sandbox);
    let faces = [
        sandbox.digitalocean_url(),
        sandbox.spaces_url(),
        sandbox.github_url(),
    ];
    for entry in &outcome.journal.0 {
        assert!(
            faces.iter().any(|face| face.ends_with(&entry.host)),
            "{} went to {}",
            entry.line(),
            entry.host
        );
    }
}
