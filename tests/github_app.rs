//! Under a GitHub App no standing token is needed: the run's own is narrowed to what it does, masked, and given back.

use std::time::Duration;

use spacekeeper_sandbox::Entry;
use spacekeeper_sandbox::github::{Access, App, Holder, Permissions, Reach, Token};
use spacekeeper_sandbox::spaces::Bucket;

use crate::fixture;
use crate::fixture::app_key::{private_key_pem, public_key};
use crate::fixture::{Fault, GitHub, Outcome, REPOSITORY, Run, Sandbox, Spaces, Spelling, World};

const APP: u64 = 4711;
const CLIENT_ID: &str = "Iv23liSpacekeeper000";
const INSTALLATION: u64 = 71;
const PATIENCE: Duration = Duration::from_secs(30);

/// What an owner grants who also uses the App for other work.
const GRANTED: [(&str, Access); 5] = [
    ("secrets", Access::Write),
    ("actions_variables", Access::Write),
    ("environments", Access::Write),
    ("actions", Access::Write),
    ("contents", Access::Write),
];

fn world_with(permissions: &[(&str, Access)]) -> World {
    let app = App::new(APP, CLIENT_ID, &public_key());
    let app = app.installed(INSTALLATION, "acme", Reach::All, Permissions::new(permissions));
    fixture::world().with_repository("acme/blog").with_github_app(app)
}

fn world() -> World {
    world_with(&GRANTED)
}

fn run(sandbox: &Sandbox) -> Run<'_> {
    Run::bootstrap(sandbox)
        .input("github-token", "")
        .input("github-app-id", CLIENT_ID)
        .input("github-app-private-key", &private_key_pem())
}

/// The installation tokens that GitHub accepts at present.
fn tokens(sandbox: &Sandbox) -> Vec<Token> {
    let world = sandbox.world();
    let tokens = world.github.tokens.iter();
    tokens
        .filter(|token| matches!(token.holder, Holder::Installation { .. }))
        .cloned()
        .collect()
}

fn writing_a_secret() -> Fault {
    Fault::on(GitHub).method("PUT").path_contains("/secrets/")
}

/// A whole run, and the token that it had in the middle of it.
fn run_and_token(sandbox: &Sandbox) -> (Outcome, Token) {
    sandbox.script(writing_a_secret().hold());
    let flight = run(sandbox).start();
    flight.held();
    let mut tokens = tokens(sandbox);
    sandbox.release();
    let outcome = flight.finish().green();
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    (outcome, tokens.remove(0))
}

#[track_caller]
fn assert_given_back(sandbox: &Sandbox, outcome: &Outcome) {
    let minted = outcome
        .journal
        .0
        .iter()
        .filter(|entry| entry.path.ends_with("/access_tokens") && entry.status == Some(201))
        .count();
    assert_eq!(minted, 1, "{}", outcome.stdout);
    assert_eq!(tokens(sandbox), [], "a token is still good");
}

#[test]
fn an_app_is_as_good_as_a_token() {
    let sandbox = Sandbox::start(world());
    run(&sandbox).go().green();
    let world = sandbox.world();
    let repository = world.github.repository(REPOSITORY).expect("a repository");
    let id = repository.secret("SPACES_ACCESS_KEY").expect("the secret").text();
    assert!(
        world
            .digitalocean
            .key(&id)
            .is_some_and(|key| key.name.contains("--active-"))
    );
}

#[test]
fn the_number_of_the_app_does_as_well_as_its_client_id() {
    let sandbox = Sandbox::start(world());
    run(&sandbox)
        .input("github-app-id", &APP.to_string())
        .go()
        .green();
}

#[test]
fn a_key_whose_line_breaks_were_stored_as_two_characters_is_read() {
    let sandbox = Sandbox::start(world());
    let flat = private_key_pem().trim().replace('\n', "\\n");
    run(&sandbox).input("github-app-private-key", &flat).go().green();
}

#[test]
fn old_short_tokens_do_as_well() {
    let sandbox = Sandbox::start(world().with_switches(|turn| turn.long_installation_tokens = false));
    let outcome = run(&sandbox).go().green();
    assert_given_back(&sandbox, &outcome);
}

#[test]
fn a_wrong_clock_on_the_runner_does_no_harm() {
    let sandbox = Sandbox::start(world());
    sandbox.advance(Duration::from_hours(24));
    run(&sandbox).go().green();
}

#[test]
fn the_token_is_narrowed_to_the_repository_and_to_what_is_done() {
    let sandbox = Sandbox::start(world());
    let (_, token) = run_and_token(&sandbox);
    let Holder::Installation {
        reach, permissions, ..
    } = token.holder
    else {
        panic!("an installation token");
    };
    assert_eq!(reach, Reach::Selected(vec![REPOSITORY.to_owned()]));
    let expected = Permissions::new(&[
        ("secrets", Access::Write),
        ("actions_variables", Access::Write),
        ("environments", Access::Write),
        ("actions", Access::Read),
        ("metadata", Access::Read),
    ]);
    assert_eq!(permissions, expected);
}

#[test]
fn the_token_is_masked_and_shown_nowhere_else() {
    let sandbox = Sandbox::start(world());
    let (outcome, token) = run_and_token(&sandbox);
    let mask = format!("::add-mask::{}", token.value);
    assert!(outcome.stdout.lines().any(|line| line == mask));
    let rest: Vec<&str> = outcome.stdout.lines().filter(|line| *line != mask).collect();
    let shown = [
        rest.join("\n"),
        outcome.stderr.clone(),
        outcome.summary.clone(),
        format!("{:?}", outcome.outputs),
    ];
    assert!(shown.iter().all(|text| !text.contains(&token.value)));
}

#[test]
fn nothing_of_the_private_key_is_shown_even_with_debug_logging() {
    let sandbox = Sandbox::start(world());
    let outcome = run(&sandbox).env("RUNNER_DEBUG", "1").go().green();
    let (said, masks) = (outcome.said(), outcome.masks());
    let shown = [&said, &outcome.stderr, &outcome.summary];
    for line in private_key_pem().lines() {
        assert!(shown.iter().all(|text| !text.contains(line)), "{line}");
        let frame = line.starts_with("-----");
        assert_eq!(masks.iter().any(|mask| mask == line), !frame, "{line}");
    }
    // No JWT either: `eyJ` is how each begins. A long token of an installation holds one, masked.
    let lines = outcome.stdout.lines();
    assert!(
        lines
            .filter(|line| !line.starts_with("::add-mask::"))
            .all(|line| !line.contains("eyJ"))
    );
}

#[test]
fn the_token_is_given_back_at_the_end() {
    let sandbox = Sandbox::start(world());
    let outcome = run(&sandbox).go().green();
    assert_given_back(&sandbox, &outcome);
    let last = outcome.journal.0.iter().rfind(|entry| entry.face == GitHub);
    assert_eq!(
        last.map(Entry::line).as_deref(),
        Some("DELETE /installation/token")
    );
}

#[test]
fn the_token_is_given_back_when_the_run_fails() {
    let mut world = world();
    let taken = Bucket::new("shop-uploads", "nyc3", world.clock.now()).of_a_stranger();
    world.spaces.add(taken);
    let sandbox = Sandbox::start(world);
    let outcome = run(&sandbox).go().red();
    assert_given_back(&sandbox, &outcome);
}

#[test]
fn the_token_is_given_back_after_a_dry_run() {
    let sandbox = Sandbox::start(world());
    let outcome = run(&sandbox).input("dry-run", "true").go().green();
    assert_given_back(&sandbox, &outcome);
}

#[test]
fn the_token_is_given_back_after_a_signal() {
    let sandbox = Sandbox::start(world());
    // The world is still read when the signal comes.
    sandbox.script(Fault::on(Spaces).method("HEAD").hold());
    let flight = run(&sandbox).start();
    flight.held();
    wait_for_a_token(&sandbox);
    flight.terminate();
    let outcome = flight.finish_within(Duration::from_secs(10)).red();
    assert_given_back(&sandbox, &outcome);
}

fn wait_for_a_token(sandbox: &Sandbox) {
    let begun = std::time::Instant::now();
    while tokens(sandbox).is_empty() {
        assert!(begun.elapsed() < PATIENCE, "no token was minted");
        std::thread::sleep(Duration::from_millis(10));
    }
    // Its reply must have arrived: then something has been read with it.
    while !sandbox
        .journal()
        .iter()
        .any(|entry| entry.path.contains("/public-key"))
    {
        assert!(begun.elapsed() < PATIENCE, "the token was not used");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_token_that_cannot_be_given_back_is_no_failure() {
    let sandbox = Sandbox::start(world());
    let giving_back = Fault::on(GitHub)
        .method("DELETE")
        .path_contains("/installation/token");
    sandbox.script(giving_back.status(403).forever());
    run(&sandbox).go().green();
}

#[track_caller]
fn assert_refused(sandbox: &Sandbox, outcome: &Outcome, says: &str) {
    outcome.complains(&[says]);
    let world = sandbox.world();
    let left: Vec<_> = world.digitalocean.live_keys().map(|key| &key.name).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_app_that_is_not_installed_there_is_told() {
    let mut world = world();
    world.github.apps[0].installations.clear();
    let sandbox = Sandbox::start(world);
    let outcome = run(&sandbox).go().red();
    assert_refused(&sandbox, &outcome, "not installed");
}

#[test]
fn an_installation_that_does_not_reach_the_repository_is_told() {
    let mut world = world();
    world.github.apps[0].installations[0].reach = Reach::Selected(vec!["acme/blog".to_owned()]);
    let sandbox = Sandbox::start(world);
    let outcome = run(&sandbox).go().red();
    assert_refused(&sandbox, &outcome, "not installed");
}

#[test]
fn a_suspended_installation_is_told() {
    let mut world = world();
    let now = world.clock.now();
    world.github.apps[0].installations[0].suspended_at = Some(now);
    let sandbox = Sandbox::start(world);
    let outcome = run(&sandbox).go().red();
    assert_refused(&sandbox, &outcome, "suspended");
}

#[test]
fn an_installation_that_may_not_write_secrets_is_told_before_a_key_is_delivered() {
    let readable = [("secrets", Access::Read), ("actions_variables", Access::Read)];
    let sandbox = Sandbox::start(world_with(&readable));
    let outcome = run(&sandbox).go().red();
    assert_refused(&sandbox, &outcome, REPOSITORY);
}

#[test]
fn the_key_of_another_app_is_told() {
    let mut world = world();
    world.github.apps[0].public_key[20] ^= 1;
    let sandbox = Sandbox::start(world);
    let outcome = run(&sandbox).go().red();
    assert_refused(&sandbox, &outcome, REPOSITORY);
}

#[test]
fn what_is_no_private_key_is_refused_without_being_shown() {
    let sandbox = Sandbox::start(world());
    let torn: String = private_key_pem().lines().take(5).collect::<Vec<_>>().join("\n");
    for wrong in ["canary-of-a-password", &torn] {
        let outcome = run(&sandbox).input("github-app-private-key", wrong).go().exits(2);
        assert!(
            outcome.stdout.contains("github-app-private-key"),
            "{}",
            outcome.stdout
        );
        for line in wrong.lines() {
            assert!(!outcome.said().contains(line), "{}", outcome.stdout);
        }
        assert!(outcome.journal.is_empty(), "{}", outcome.stdout);
    }
}

#[test]
fn an_environment_of_the_repository_is_reached_too() {
    let sandbox = Sandbox::start(world().with_environment(REPOSITORY, "production"));
    run(&sandbox)
        .input("github-environment", "production")
        .go()
        .green();
    let world = sandbox.world();
    let repository = world.github.repository(REPOSITORY).expect("a repository");
    let environment = repository.environment("production").expect("an environment");
    assert!(environment.secret("SPACES_SECRET_KEY").is_some());
}

/// Short enough to be quoted whole.
fn with_short_tokens() -> Sandbox {
    Sandbox::start(world().with_switches(|turn| turn.long_installation_tokens = false))
}

#[test]
fn nothing_of_a_credential_is_told_by_a_service_that_quotes_it() {
    for spelling in Spelling::ALL {
        for path in ["/access_tokens", "/installation", "/actions/secrets"] {
            let sandbox = with_short_tokens();
            let echo = Fault::on(GitHub).path_contains(path).forever().after();
            sandbox.script(echo.echo(403, spelling));
            let run = run(&sandbox).env("RUNNER_DEBUG", "1");
            run.input("report-file", "report.json").go().red();
        }
    }
}

#[test]
fn of_a_gateway_that_fails_while_a_token_is_minted_only_the_status_is_told() {
    let sandbox = with_short_tokens();
    let lost = Fault::on(GitHub)
        .path_contains("/access_tokens")
        .forever()
        .after();
    sandbox.script(lost.echo(502, Spelling::Plain));
    let outcome = run(&sandbox).go().red();
    outcome.complains(&["get an App token for acme/shop", "GitHub was not available: 502"]);
}
