//! Journal, faults, held requests, and the edge.

mod client;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use client::Answer;
use spacekeeper_sandbox::{Clock, FaceName, Fault, Sandbox, World};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const MINT: &str = r#"{"name":"k","grants":[]}"#;
const PATIENCE: Duration = Duration::from_secs(5);

fn mint(sandbox: &Sandbox) -> std::io::Result<Answer> {
    let url = sandbox.digitalocean_url();
    client::send(&url, World::DIGITALOCEAN_TOKEN, "POST", "/v2/spaces/keys", MINT)
}

fn keys(sandbox: &Sandbox) -> usize {
    sandbox.world().digitalocean.live_keys().count()
}

#[test]
fn the_journal_tells_what_happened_without_the_token() {
    let sandbox = Sandbox::start(World::new().with_clock(Clock::frozen(1_767_323_045)));
    let answer = mint(&sandbox).expect("an answer");
    assert_eq!(answer.header("date"), Some("Fri, 02 Jan 2026 03:04:05 GMT"));
    let journal = sandbox.journal();
    let [entry] = &journal[..] else {
        panic!("one entry: {journal:?}");
    };
    assert_eq!(
        (entry.number, entry.face, entry.at),
        (1, FaceName::DigitalOcean, 1_767_323_045)
    );
    assert_eq!(
        (entry.line().as_str(), entry.status, entry.wrote),
        ("POST /v2/spaces/keys", Some(201), true)
    );
    assert_eq!(
        (entry.headers["authorization"].as_bytes(), entry.body_len),
        (&b"Bearer dop_v1_"[..], MINT.len())
    );
    sandbox.clear_journal();
    mint(&sandbox).expect("an answer");
    assert_eq!(sandbox.journal()[0].number, 2);
}

#[test]
fn the_clock_of_github_may_differ() {
    let world = World::new().with_clock(Clock::frozen(1_767_323_045));
    let sandbox = Sandbox::start(world.with_switches(|switches| switches.github_clock_ahead = -90));
    let answer = client::send(
        &sandbox.github_url(),
        World::GITHUB_TOKEN,
        "GET",
        "/rate_limit",
        "",
    );
    let answer = answer.expect("an answer");
    assert_eq!(answer.header("date"), Some("Fri, 02 Jan 2026 03:02:35 GMT"));
    let answer = mint(&sandbox).expect("an answer");
    assert_eq!(answer.header("date"), Some("Fri, 02 Jan 2026 03:04:05 GMT"));
    assert_eq!(sandbox.world().time_at(FaceName::GitHub), 1_767_322_955);
}

#[test]
fn an_answer_without_effect_is_that_of_a_success_and_changes_nothing() {
    let sandbox = Sandbox::start(World::new());
    sandbox.script(Fault::on(FaceName::DigitalOcean).without_effect());
    let feigned = mint(&sandbox).expect("an answer");
    assert_eq!(feigned.status, 201);
    assert!(feigned.body.contains("secret_key"), "{}", feigned.body);
    assert_eq!(keys(&sandbox), 0);
    let entry = sandbox.journal().pop().expect("an entry");
    assert_eq!((entry.status, entry.wrote), (Some(201), false));
    sandbox.script(Fault::on(FaceName::DigitalOcean).ineffective(200, "{}"));
    let other = mint(&sandbox).expect("an answer");
    assert_eq!((other.status, other.body.as_str()), (200, "{}"));
    assert_eq!(other.header("content-type"), Some("application/json"));
    assert_eq!(keys(&sandbox), 0);
    assert_eq!(mint(&sandbox).map(|answer| answer.status).ok(), Some(201));
}

#[test]
fn faults_strike_in_order_before_or_after_the_effect() {
    let sandbox = Sandbox::start(World::new());
    let minting = || {
        Fault::on(FaceName::DigitalOcean)
            .method("POST")
            .path_contains("/keys")
    };
    sandbox.script(minting().skip(1).after().reset());
    sandbox.script(
        minting()
            .times(2)
            .before()
            .status(503)
            .header("retry-after", "7")
            .body("busy"),
    );
    let busy = mint(&sandbox).expect("an answer");
    assert_eq!((busy.status, busy.body.as_str()), (503, "busy"));
    assert_eq!(busy.header("retry-after"), Some("7"));
    assert_eq!(keys(&sandbox), 0);
    assert!(mint(&sandbox).is_err(), "the reply is lost");
    assert_eq!(keys(&sandbox), 1, "but the key exists");
    let entry = sandbox.journal().pop().expect("an entry");
    assert_eq!((entry.status, entry.wrote), (None, true));
    assert_eq!(mint(&sandbox).map(|answer| answer.status).ok(), Some(503));
    assert_eq!(mint(&sandbox).map(|answer| answer.status).ok(), Some(201));
}

#[test]
fn replies_can_be_spoilt() {
    let sandbox = Sandbox::start(World::new());
    sandbox.script(Fault::nth(1).after().garbage());
    sandbox.script(Fault::nth(2).html(502));
    sandbox.script(Fault::nth(3).after().wrong_content_type());
    let garbage = mint(&sandbox).expect("an answer");
    assert!(garbage.status == 201 && serde_json::from_str::<serde_json::Value>(&garbage.body).is_err());
    let html = mint(&sandbox).expect("an answer");
    assert!(html.status == 502 && html.body.starts_with("<html>"));
    let odd = mint(&sandbox).expect("an answer");
    assert_eq!((odd.status, odd.header("content-type")), (201, Some("text/html")));
}

#[test]
fn replies_can_say_less_or_more_than_they_should() {
    let sandbox = Sandbox::start(World::new().with_key("shop", &[]));
    let list = || {
        let url = sandbox.digitalocean_url();
        client::send(&url, World::DIGITALOCEAN_TOKEN, "GET", "/v2/spaces/keys", "").expect("an answer")
    };
    sandbox.script(Fault::nth(1).edits(|entry, body| {
        assert_eq!(entry.path, "/v2/spaces/keys");
        body["keys"] = serde_json::Value::Null;
    }));
    sandbox.script(Fault::nth(2).json(&serde_json::json!({})));
    sandbox.script(Fault::nth(3).flood(1_000_000));
    let edited = list().json();
    assert!(edited["keys"].is_null() && edited["meta"]["total"] == 1);
    assert_eq!(list().json(), serde_json::json!({}));
    let flood = list();
    assert!(flood.status == 200 && flood.body.len() > 1_000_000);
    assert_eq!(list().json()["keys"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_held_request_lands_late_even_if_its_client_is_gone() {
    let sandbox = Sandbox::start(World::new());
    sandbox.script(Fault::any().hold());
    let host = sandbox.digitalocean_url().replace("http://", "");
    let token = format!("Authorization: Bearer {}\r\n", World::DIGITALOCEAN_TOKEN);
    let mut gone = TcpStream::connect(&host).expect("a connection");
    let request = client::request("POST", "/v2/spaces/keys", &host, &token, MINT);
    gone.write_all(request.as_bytes()).expect("sent");
    let held = sandbox.wait_until_held(PATIENCE).expect("a held request");
    assert_eq!(held.line(), "POST /v2/spaces/keys");
    drop(gone);
    assert_eq!(keys(&sandbox), 0);
    sandbox.release();
    let patience = Instant::now() + PATIENCE;
    while keys(&sandbox) == 0 {
        assert!(Instant::now() < patience, "the request never landed");
        std::thread::yield_now();
    }
    assert!(sandbox.wait_until_held(Duration::ZERO).is_none());
}

#[test]
fn the_edge_plays_the_real_hosts_and_no_others() {
    let sandbox = Sandbox::start(World::new().with_key("shop", &[]));
    let edge = sandbox.edge();
    let proxy = edge.proxy_url.replace("http://", "");
    let connect = |host: &str| {
        let mut stream = TcpStream::connect(&proxy).expect("a connection");
        write!(stream, "CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n").expect("sent");
        let mut head = [0; 12];
        stream.read_exact(&mut head).expect("a status");
        (String::from_utf8_lossy(&head[9..]).into_owned(), stream)
    };
    assert_eq!(connect("example.com").0, "502");
    let host = "api.digitalocean.com";
    let (status, mut stream) = connect(host);
    assert_eq!(status, "200");
    skip_head(&mut stream);
    let keys = over_tls(stream, host, &edge.ca_pem);
    assert_eq!(keys.json()["keys"][0]["name"], "shop");
    assert_eq!(edge.tunnels(), ["example.com", host]);
    assert_eq!(sandbox.journal()[0].host, host);

    let port = edge
        .tls_urls()
        .digitalocean
        .replace("https://localhost:", "127.0.0.1:");
    let plain = TcpStream::connect(port).expect("a connection");
    assert_eq!(over_tls(plain, "localhost", &edge.ca_pem).status, 200);
}

#[test]
fn the_edge_takes_absolute_form_too() {
    let sandbox = Sandbox::start(World::new());
    let proxy = sandbox.edge().proxy_url;
    let ask = |url: &str| {
        client::send(&proxy, World::DIGITALOCEAN_TOKEN, "GET", url, "")
            .expect("an answer")
            .status
    };
    assert_eq!(ask("http://api.digitalocean.com/v2/account"), 200);
    assert_eq!(ask(&format!("{}/v2/account", sandbox.digitalocean_url())), 200);
    assert_eq!(ask("http://example.com/"), 502);
}

fn skip_head(stream: &mut TcpStream) {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("the rest of the head");
        seen.extend(byte);
    }
}

/// Lists the keys over TLS, trusting only the edge's authority.
fn over_tls(stream: TcpStream, host: &str, ca_pem: &str) -> Answer {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(ca_pem.as_bytes()).expect("a certificate");
    roots.add(ca).expect("a root");
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
    let mut stream = StreamOwned::new(connection, stream);
    let token = format!("Authorization: Bearer {}\r\n", World::DIGITALOCEAN_TOKEN);
    let request = client::request("GET", "/v2/spaces/keys", host, &token, "");
    stream.write_all(request.as_bytes()).expect("sent");
    client::answer(Unclosed(stream)).expect("an answer")
}

/// Takes the end of the connection without a TLS farewell for its end.
struct Unclosed<R>(R);

impl<R: Read> Read for Unclosed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer).or(Ok(0))
    }
}
