//! Addresses: none shows the password in it, none sends a credential through the open unnoticed, and none that an answer
//! names leads to what only this machine can reach.

use std::fs;

use serde_json::json;
use spacekeeper_sandbox::digitalocean::Course;
use tempfile::NamedTempFile;

use crate::fixture::{DigitalOcean, Fault, Outcome, Run, Sandbox, World, sandbox, world};

const PASSWORD: &str = "gateway-password";

/// Every variable that says where a service is.
const ADDRESSES: [&str; 5] = [
    "INPUT_DIGITALOCEAN-API-URL",
    "INPUT_SPACES-ENDPOINT-URL",
    "DIGITALOCEAN_API_URL",
    "SPACES_ENDPOINT_URL",
    "GITHUB_API_URL",
];

/// A request that is refused for its region, with what was noticed on the way.
fn noticed(set: impl FnOnce(Run<'_>) -> Run<'_>) -> Outcome {
    let sandbox = sandbox();
    set(Run::bootstrap(&sandbox).input("region", "mars1"))
        .go()
        .exits(2)
}

#[track_caller]
fn assert_unshown(outcome: &Outcome) {
    for text in [&outcome.said(), &outcome.stderr, &outcome.summary] {
        assert!(!text.contains(PASSWORD) && !text.contains("gw-user"), "{text}");
    }
}

#[test]
fn a_password_in_an_address_is_refused_and_not_shown() {
    let long = "x".repeat(60);
    for variable in ADDRESSES {
        for address in [
            format!("https://gw-user:{PASSWORD}@gw.example/api"),
            format!("https://gw-user{long}:{PASSWORD}@gw.example"),
            format!("gw-user:{PASSWORD}@gw.example"),
            format!("ftp://gw-user:{PASSWORD}@gw.example"),
            format!("https://gw.example/?token={PASSWORD}"),
        ] {
            let outcome = noticed(|run| run.env(variable, &address));
            assert_unshown(&outcome);
            assert!(
                outcome
                    .errors()
                    .iter()
                    .any(|error| error.contains("address is not accepted")),
                "{variable}: {address}"
            );
        }
    }
}

#[test]
fn a_password_in_an_origin_is_refused_and_not_shown() {
    let outcome = noticed(|run| {
        let run = run.input("cors", "private-uploads");
        run.input(
            "cors-origins",
            &format!("https://gw-user:{PASSWORD}@shop.example"),
        )
    });
    assert_unshown(&outcome);
}

#[test]
fn a_password_of_a_proxy_is_not_shown_when_it_cannot_be_reached() {
    let sandbox = sandbox();
    // Nobody listens on the discard port.
    let proxy = format!("http://gw-user:{PASSWORD}@127.0.0.1:9");
    let outcome = Run::bootstrap(&sandbox)
        .env("RUNNER_DEBUG", "1")
        .env("HTTP_PROXY", &proxy)
        .env("HTTPS_PROXY", &proxy)
        .go()
        .red();
    assert_unshown(&outcome);
}

fn exposed(outcome: &Outcome) -> Vec<String> {
    let mut warnings = outcome.warnings();
    warnings.retain(|warning| warning.contains("is plain http"));
    warnings
}

#[test]
fn plain_http_to_another_machine_is_told_however_it_is_spelt() {
    for variable in ADDRESSES {
        for address in [
            "http://gw.example",
            "HTTP://gw.example",
            "http://127.0.0.1.example.net",
            "http://localhost.example",
            "http://gw.example.",
        ] {
            let outcome = noticed(|run| run.env(variable, address));
            assert_eq!(
                exposed(&outcome).len(),
                1,
                "{variable}: {address}\n{}",
                outcome.stdout
            );
        }
    }
    let regional = noticed(|run| run.env("SPACES_ENDPOINT_URL", "HTTP://{region}.spaces.example"));
    assert_eq!(exposed(&regional).len(), 1, "{}", regional.stdout);
}

#[test]
fn plain_http_on_this_machine_is_not_told_however_it_is_spelt() {
    for address in [
        "http://0x7f000001",
        "http://[::ffff:127.0.0.1]",
        "http://localhost.",
        "HTTP://LOCALHOST",
    ] {
        let outcome = noticed(|run| run.env("GITHUB_API_URL", address));
        assert_eq!(exposed(&outcome), [""; 0], "{address}");
    }
}

#[test]
fn loopback_through_a_proxy_of_another_machine_is_told() {
    for variable in ["HTTP_PROXY", "all_proxy"] {
        let outcome =
            noticed(|run| run.env(variable, &format!("http://gw-user:{PASSWORD}@proxy.example:3128")));
        assert_eq!(exposed(&outcome).len(), 3, "{}", outcome.stdout);
        assert!(exposed(&outcome)[0].contains("NO_PROXY"), "{}", outcome.stdout);
        assert_unshown(&outcome);
    }
    let spared = noticed(|run| {
        run.env("HTTP_PROXY", "http://proxy.example:3128")
            .env("NO_PROXY", "127.0.0.1")
    });
    assert_eq!(exposed(&spared), [""; 0]);
}

/// A failed deployment at the public names, whose log is said to be there.
fn logged_at(log_url: impl FnOnce(&Sandbox) -> String) -> (Outcome, Vec<String>) {
    let app = json!({ "name": "shop", "region": "nyc", "services": [{ "name": "api" }] });
    let world = world()
        .with_full_access_pair()
        .with_bucket("nyc3", "shop-uploads");
    let sandbox = Sandbox::start(world.with_app(app));
    let place = log_url(&sandbox);
    {
        let mut world = sandbox.world();
        world.switches.log_url = Some(place);
        let app = world.digitalocean.app_mut("shop").expect("the app");
        app.script(Course::fails("api", "DeployContainerExitNonZero", "farewell"));
    }
    let edge = sandbox.edge();
    let roots = NamedTempFile::new().expect("a temporary file");
    fs::write(roots.path(), &edge.ca_pem).expect("written");
    let run = Run::bootstrap(&sandbox)
        .with_full_access()
        .input("app-platform-app", "shop");
    let public = ["DIGITALOCEAN_API_URL", "SPACES_ENDPOINT_URL", "GITHUB_API_URL"];
    let run = public.iter().fold(run, |run, name| run.without_env(name));
    let outcome = run
        .env("HTTPS_PROXY", &edge.proxy_url)
        .env("SSL_CERT_FILE", roots.path().to_str().expect("UTF-8"))
        .go()
        .red();
    (outcome, edge.tunnels())
}

#[test]
fn a_log_on_this_machine_is_not_fetched_for_a_service_that_is_elsewhere() {
    for place in [
        |sandbox: &Sandbox| sandbox.digitalocean_url(),
        |sandbox: &Sandbox| sandbox.edge().tls_urls().digitalocean,
        |_: &Sandbox| "https://169.254.169.254/latest/meta-data?".to_owned(),
        |_: &Sandbox| "https://metadata.google.internal/".to_owned(),
        |_: &Sandbox| "http://logs.example".to_owned(),
    ] {
        let (outcome, tunnels) = logged_at(place);
        let fetched = outcome
            .journal
            .0
            .iter()
            .filter(|entry| entry.path.starts_with("/logs/"));
        assert_eq!(fetched.count(), 0, "{:#?}", outcome.journal);
        let services = [
            "api.digitalocean.com",
            "api.github.com",
            "nyc3.digitaloceanspaces.com",
        ];
        assert!(
            tunnels.iter().all(|host| services.contains(&host.as_str())),
            "{tunnels:?}"
        );
        assert!(
            outcome.stdout.contains("the address is not"),
            "{}",
            outcome.stdout
        );
    }
}

#[test]
fn a_public_log_is_fetched_without_showing_what_opens_it() {
    let (outcome, tunnels) = logged_at(|_| format!("https://logs.example/?token={PASSWORD}&path="));
    assert!(tunnels.iter().any(|host| host == "logs.example"), "{tunnels:?}");
    assert_unshown(&outcome);
}

#[test]
fn a_presigned_address_in_an_error_is_told_without_its_query() {
    let sandbox = Sandbox::start(World::new());
    let body = format!(r#"{{"message":"see https://gw-user:{PASSWORD}@logs.example/a?sig={PASSWORD}"}}"#);
    sandbox.script(Fault::on(DigitalOcean).forever().status(403).body(&body));
    let outcome = Run::bootstrap(&sandbox).go().red();
    assert_unshown(&outcome);
    assert!(
        outcome.stdout.contains("https://***@logs.example/a?sig=***"),
        "{}",
        outcome.stdout
    );
}

/// A request that nobody answers, with an endpoint of Spaces.
fn at_endpoint<'a>(sandbox: &'a Sandbox, url: &str, region: &str) -> Run<'a> {
    Run::bootstrap(sandbox)
        .input("spaces-endpoint-url", url)
        .input("region", region)
}

#[test]
fn an_endpoint_of_spaces_that_names_more_or_another_region_is_refused_with_the_right_form() {
    let sandbox = sandbox();
    for (url, what) in [
        ("https://nyc3.digitaloceanspaces.com/", None),
        ("https://{region}.digitaloceanspaces.com", None),
        (
            "https://shop-uploads.nyc3.digitaloceanspaces.com",
            Some("it names a bucket"),
        ),
        (
            "https://shop-uploads.{region}.digitaloceanspaces.com",
            Some("it names a bucket"),
        ),
        (
            "https://nyc3.digitaloceanspaces.com/shop-uploads",
            Some("it has a path"),
        ),
        (
            "https://shop-uploads.nyc3.cdn.digitaloceanspaces.com",
            Some("an address of the CDN"),
        ),
        (
            "https://mars1.digitaloceanspaces.com",
            Some("no region that Spaces has"),
        ),
    ] {
        let run = at_endpoint(&sandbox, url, "nyc3").input("max-age", "never");
        let outcome = run.go().exits(2);
        match what {
            Some(what) => {
                outcome.complains(&[
                    "spaces-endpoint-url: ",
                    what,
                    "https://{region}.digitaloceanspaces.com",
                ]);
            }
            None => assert!(
                !outcome.stdout.contains("spaces-endpoint-url"),
                "{}",
                outcome.stdout
            ),
        }
    }
    let elsewhere = at_endpoint(&sandbox, "https://nyc3.digitaloceanspaces.com", "fra1")
        .go()
        .exits(2);
    elsewhere.complains(&[
        "region: ",
        "`shop-uploads` is in region fra1",
        "reaches nyc3 alone",
    ]);
}

#[test]
fn one_fixed_address_reaches_one_region() {
    let sandbox = sandbox();
    let manifest = "version: 1\nregion: nyc3\napps:\n  shop:\n    buckets:\n      shop-uploads: {}\n      shop-media: { region: fra1 }\n";
    let outcome = Run::bare(&sandbox)
        .with_full_access()
        .file(".github/spaces.yml", manifest)
        .go()
        .exits(2);
    outcome.complains(&["`shop-media` is in region fra1", "reaches nyc3 alone", "{region}"]);
}
