//! No secret in any byte that a run leaves behind, whatever the services quote: every run of these tests is searched for
//! every secret that it was given or that the world knows, in the spellings of `fixture/canary.rs`.

use std::collections::BTreeSet;

use secrecy::SecretString;
use serde_json::Value;
use spacekeeper::config::Request;
use spacekeeper::remote::github::Credential;
use spacekeeper::remote::spaces::{Freshness, KeyPair};
use spacekeeper::remote::{BaseUrl, DigitalOcean as DigitalOceanClient, GitHub as GitHubClient};
use spacekeeper::remote::{Shutdown, Spaces as SpacesClient, Transport};
use spacekeeper_sandbox::FaceName;

use crate::fixture::app_key::private_key_pem;
use crate::fixture::delivered::{delivered, delivered_to_an_app};
use crate::fixture::{DigitalOcean, Fault, GitHub, Outcome, Run, Sandbox, Spaces, Spelling, World, sandbox};

/// How much stands before the quotation: in plain text the secret of an app's spec stands 130 characters further on, and
/// with the last three the cut after 300 falls into it.
const BEHIND: [usize; 4] = [0, 140, 150, 160];

/// A run that tells as much as it can, to everyone it can.
fn talkative(run: Run<'_>) -> Run<'_> {
    run.env("RUNNER_DEBUG", "1")
        .input("report-file", "report.json")
        .input("sarif-file", "report.sarif")
}

/// What a run is that meets an echo: red, or a look that has found something.
#[track_caller]
fn fails(run: Run<'_>) -> Outcome {
    let outcome = talkative(run).go();
    assert!(matches!(outcome.exit, Some(1 | 3)), "{}", outcome.stdout);
    outcome
}

fn echoes(face: FaceName, method: &str, path: &str) -> Fault {
    Fault::on(face)
        .method(method)
        .path_contains(path)
        .after()
        .forever()
}

#[test]
fn the_answer_to_a_mint_is_told_by_its_status_alone() {
    for spelling in Spelling::ALL {
        let sandbox = sandbox();
        sandbox.script(echoes(DigitalOcean, "POST", "/v2/spaces/keys").echo(502, spelling));
        let outcome = fails(Run::bootstrap(&sandbox));
        outcome.complains(&["mint Spaces key", "502"]);
        assert!(!outcome.stdout.contains("(request"), "{}", outcome.stdout);
    }
}

#[test]
fn an_app_that_quotes_its_spec_gives_no_half_of_the_secret_away() {
    for spelling in Spelling::ALL {
        for behind in BEHIND {
            let sandbox = delivered_to_an_app();
            let refused = echoes(DigitalOcean, "PUT", "/v2/apps/").before();
            sandbox.script(refused.echo(422, spelling).behind(behind));
            let run = Run::rotate(&sandbox)
                .input("app-platform-app", "shop")
                .input("force", "true");
            fails(run).complains(&["update app", "422"]);
        }
    }
}

#[test]
fn a_credential_that_is_quoted_at_the_door_of_a_service_stays_with_it() {
    for spelling in Spelling::ALL {
        for face in [DigitalOcean, GitHub, Spaces] {
            for behind in [0, 250] {
                let sandbox = delivered();
                sandbox.script(
                    Fault::on(face)
                        .forever()
                        .after()
                        .echo(403, spelling)
                        .behind(behind),
                );
                fails(Run::bootstrap(&sandbox).with_full_access());
            }
        }
    }
}

#[test]
fn every_command_keeps_its_secrets_wherever_the_echo_begins() {
    type Ask = for<'a> fn(&'a Sandbox) -> Run<'a>;
    let commands: [Ask; 5] = [
        |sandbox| Run::bootstrap(sandbox).input("log-bucket", "shop-logs"),
        |sandbox| Run::rotate(sandbox).input("force", "true"),
        |sandbox| Run::revoke(sandbox),
        |sandbox| Run::bootstrap(sandbox).input("command", "check"),
        |sandbox| {
            Run::bootstrap(sandbox)
                .input("command", "audit")
                .input("inventory-file", "all.csv")
        },
    ];
    for ask in commands {
        // Spaces is left out: it may deny a fresh key for 90 seconds, which is waited for.
        for (face, passing) in [
            (DigitalOcean, 0),
            (DigitalOcean, 2),
            (DigitalOcean, 4),
            (GitHub, 0),
            (GitHub, 5),
        ] {
            let sandbox = delivered();
            let fault = Fault::on(face).skip(passing).forever().after();
            sandbox.script(fault.echo(403, Spelling::Plain));
            talkative(ask(&sandbox)).go();
        }
    }
}

#[test]
fn what_comes_in_is_masked_before_anything_is_said() {
    let sandbox = sandbox();
    let pem = private_key_pem();
    for run in [
        Run::bootstrap(&sandbox).input("dry-run", "true"),
        Run::bootstrap(&sandbox).input("region", "mars1"),
        Run::bootstrap(&sandbox).input("github-app-private-key", &pem),
    ] {
        let outcome = run
            .input("secret-key", " a-secret-of-a-job-at-hand\n")
            .env("SPACES_SECRET_ACCESS_KEY", World::FULL_ACCESS_SECRET)
            .env("DIGITALOCEAN_ACCESS_TOKEN", "dop_v1_of_the_environment")
            .env("HTTPS_PROXY", "http://me:pr%6Fxy-password@127.0.0.1:9")
            .go();
        let masks = outcome.masks();
        for secret in [
            World::DIGITALOCEAN_TOKEN,
            World::GITHUB_TOKEN,
            World::FULL_ACCESS_SECRET,
            "a-secret-of-a-job-at-hand",
            "dop_v1_of_the_environment",
            "pr%6Fxy-password",
            "proxy-password",
        ] {
            assert!(masks.iter().any(|mask| mask == secret), "{secret}: {masks:#?}");
        }
        let first = outcome
            .stdout
            .lines()
            .take_while(|line| line.starts_with("::add-mask::"));
        assert!(first.count() >= 7, "{}", outcome.stdout);
    }
}

#[test]
fn outside_actions_no_mask_shows_the_secret() {
    let sandbox = sandbox();
    let run = Run::bootstrap(&sandbox)
        .without_env("GITHUB_ACTIONS")
        .input("dry-run", "true");
    assert_eq!(run.go().green().masks(), [""; 0]);
}

/// An audit of an account in which somebody else has called keys so.
fn audited(names: &[&str]) -> Outcome {
    let world = names
        .iter()
        .fold(World::new().with_full_access_pair(), |world, name| {
            world.with_key(name, &[("", "fullaccess")])
        });
    let sandbox = Sandbox::start(world);
    talkative(Run::bare(&sandbox))
        .input("command", "audit")
        .input("digitalocean-token", World::DIGITALOCEAN_TOKEN)
        .input("spaces-access-key-id", World::FULL_ACCESS_KEY_ID)
        .input("spaces-secret-access-key", World::FULL_ACCESS_SECRET)
        .input("inventory-file", "all.csv")
        .go()
}

/// The names of keys in the inventory as a spreadsheet reads them.
fn cells(outcome: &Outcome) -> BTreeSet<String> {
    let mut table = csv::Reader::from_reader(outcome.workspace["all.csv"].as_bytes());
    let lines = table.records().map(|line| line.expect("a line"));
    let keys = lines.filter(|line| &line[0] == "key");
    keys.map(|line| line[1].to_owned()).collect()
}

/// The names of keys in the report as a program reads it.
fn reported(outcome: &Outcome) -> BTreeSet<String> {
    let report = outcome.report.as_deref().expect("a report");
    let report: Value = serde_json::from_str(report).expect("JSON");
    let keys = report["inventory"]["keys"].as_array().expect("a list").clone();
    let name = |key: &Value| key["name"].as_str().expect("a name").to_owned();
    keys.iter().map(name).collect()
}

fn named<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn a_name_that_holds_a_secret_is_told_without_it_wherever_it_stands() {
    let secret = World::FULL_ACCESS_SECRET;
    let quoting = [
        format!("=cmd|{secret}"),
        format!("x\n::error title={secret}::y"),
        format!("<b>{secret}"),
        format!("https://me:{}@gw.example", &secret[..20]),
    ];
    let outcome = audited(&quoting.each_ref().map(String::as_str));
    assert_eq!(
        cells(&outcome),
        named([
            "full-access",
            "'=cmd|***",
            "x ::error title=***::y",
            "<b>***",
            "https://***@gw.example",
        ])
    );
    assert!(reported(&outcome).contains("<b>***"));
    let title = "::warning title=SK060 full-access-standing%3A key <b>*** (";
    assert!(outcome.stdout.contains(title), "{}", outcome.stdout);
    let row = "| key &#60;b&#62;&#42;&#42;&#42; (";
    assert!(outcome.summary.contains(row), "{}", outcome.summary);
}

#[test]
fn a_file_that_programs_read_keeps_its_form_whatever_stands_in_it() {
    // The credential of a URL ends where the text does, not with the comma or the escaped quote behind it.
    let outcome = audited(&["https://h?x=1", "https://h?x=2\"y", "https://", "a@b"]);
    let told = named([
        "full-access",
        "https://h?x=***",
        "https://h?x=***\"y",
        "https://",
        "a@b",
    ]);
    assert_eq!(cells(&outcome), told);
    assert_eq!(reported(&outcome), told);
    let sarif = &outcome.workspace["report.sarif"];
    serde_json::from_str::<Value>(sarif).expect("JSON");
}

#[test]
fn what_is_too_short_to_be_hidden_is_no_credential() {
    let sandbox = sandbox();
    for (input, beside) in [
        ("digitalocean-token", ("region", "nyc3")),
        ("github-token", ("region", "nyc3")),
        (
            "spaces-secret-access-key",
            ("spaces-access-key-id", World::FULL_ACCESS_KEY_ID),
        ),
        ("secret-key", ("access-key", World::FULL_ACCESS_KEY_ID)),
    ] {
        let run = Run::bootstrap(&sandbox)
            .input("command", "check")
            .input(beside.0, beside.1);
        let outcome = run.input(input, "zq#7").go().exits(2);
        outcome.complains(&[&format!("{input}: "), "shorter than 8 characters"]);
        assert!(!outcome.stdout.contains("zq#7"), "{}", outcome.stdout);
    }
}

#[tokio::test]
async fn nothing_that_holds_a_secret_shows_it_to_a_debugger() {
    const SECRET: &str = "canary-canary-canary-canary";
    let inputs = [
        ("INPUT_APP", "shop"),
        ("INPUT_BUCKETS", "shop-uploads"),
        ("INPUT_COMMAND", "check"),
        ("INPUT_GITHUB-REPOSITORY", "acme/shop"),
        ("INPUT_DIGITALOCEAN-TOKEN", SECRET),
        ("INPUT_GITHUB-TOKEN", SECRET),
        ("INPUT_SPACES-ACCESS-KEY-ID", World::FULL_ACCESS_KEY_ID),
        ("INPUT_SPACES-SECRET-ACCESS-KEY", SECRET),
        ("INPUT_ACCESS-KEY", World::FULL_ACCESS_KEY_ID),
        ("INPUT_SECRET-KEY", SECRET),
    ];
    let variables = inputs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let request = Request::parse(&variables.into()).expect("a request");
    let secret = || SecretString::from(SECRET);
    let transport = Transport::new().expect("a transport");
    let base: BaseUrl = "http://127.0.0.1:9".parse().expect("a base URL");
    let pair = KeyPair {
        id: request.looks.pairs[0].id.clone(),
        secret: secret(),
    };
    let digitalocean = DigitalOceanClient::new(transport.clone(), base.clone(), secret(), Shutdown::never());
    let github = GitHubClient::new(
        transport.clone(),
        base.clone(),
        Credential::Token(secret()),
        Shutdown::never(),
    );
    let spaces = SpacesClient::new(&transport, &base, &pair, Freshness::Settled, Shutdown::never());
    for shown in [
        format!("{request:?}"),
        format!("{pair:?}"),
        format!("{digitalocean:?}"),
        format!("{github:?}"),
        format!("{spaces:?}"),
    ] {
        assert!(!shown.contains("canary"), "{shown}");
    }
}
