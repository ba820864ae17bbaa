//! Whatever hangs after a signal, the run has its say before the kill: summary and outputs are written, and what could not
//! be done is told with its id.

use std::time::Duration;

use serde_json::json;
use spacekeeper_sandbox::github::{Access, App, Holder, Permissions, Reach};

use crate::fixture::app_key::{private_key_pem, public_key};
use crate::fixture::delivered::{delivered, delivered_to_an_app};
use crate::fixture::under_way::last_request;
use crate::fixture::{
    DigitalOcean, Fault, GitHub, Outcome, REPOSITORY, Run, Running, Sandbox, the_delivered_pair, world,
};

/// The runner kills ten seconds after its first signal; who is still at work then has said nothing.
const TIME_TO_END: Duration = Duration::from_secs(10);

const DAY: Duration = Duration::from_hours(24);

fn deleting(id: &str) -> Fault {
    Fault::on(DigitalOcean).method("DELETE").path_contains(id)
}

#[track_caller]
fn it_has_had_its_say(outcome: &Outcome, story: &str) {
    let said = format!(
        "{story}: {}{}\n{:#?}",
        outcome.stdout, outcome.stderr, outcome.journal
    );
    assert_eq!(outcome.exit, Some(1), "{said}");
    assert!(!outcome.stdout.contains("bug in Spacekeeper"), "{said}");
    assert!(outcome.outputs.contains_key("changed"), "no outputs: {said}");
    assert!(!outcome.summary.is_empty(), "no summary: {said}");
    assert!(outcome.report.is_some(), "no report: {said}");
}

/// Every answer from here on is awaited for ever.
fn all_hangs(sandbox: &Sandbox) {
    sandbox.script(Fault::any().hold().forever());
}

/// Starts the run, sends the signal when a request is held and nothing is answered any more.
fn cancelled(sandbox: &Sandbox, fault: Fault, run: Run<'_>) -> Outcome {
    sandbox.script(fault);
    let flight = run.input("report-file", "report.json").start();
    flight.held();
    all_hangs(sandbox);
    flight.terminate();
    flight.finish_within(TIME_TO_END)
}

/// A key that a rotation has superseded and whose grace is over.
fn with_an_old_key() -> (Sandbox, String) {
    let sandbox = delivered();
    let old = the_delivered_pair(&sandbox);
    sandbox.advance(Duration::from_secs(5));
    Run::rotate(&sandbox).input("force", "true").go().green();
    sandbox.advance(DAY * 2);
    (sandbox, old)
}

#[test]
fn an_old_key_whose_end_hangs_before_the_work_is_told_with_its_id() {
    let (sandbox, old) = with_an_old_key();
    let outcome = cancelled(&sandbox, deleting(&old).hold(), Run::rotate(&sandbox));
    it_has_had_its_say(&outcome, "a superseded key");
    outcome.complains(&[&old, "signal", "run"]);
}

#[test]
fn a_revoked_key_whose_end_hangs_is_told_with_its_id() {
    let sandbox = delivered();
    let old = the_delivered_pair(&sandbox);
    sandbox.advance(Duration::from_secs(5));
    let outcome = cancelled(&sandbox, deleting(&old).hold(), Run::revoke(&sandbox));
    it_has_had_its_say(&outcome, "a compromised key");
    outcome.complains(&[&old, "signal", "Run revoke again"]);
    assert_eq!(
        outcome.output("rotated"),
        "true",
        "what was done is told: {}",
        outcome.stdout
    );
    assert_eq!(outcome.output("access-key-id"), the_delivered_pair(&sandbox));
}

#[test]
fn an_old_key_whose_end_hangs_after_a_deployment_is_told_with_its_id() {
    let sandbox = delivered_to_an_app();
    let old = the_delivered_pair(&sandbox);
    sandbox.advance(Duration::from_mins(15));
    let run = Run::rotate(&sandbox).input("app-platform-app", "shop");
    let run = run.input("force", "true").input("grace-period", "0s");
    let outcome = cancelled(&sandbox, deleting(&old).hold(), run);
    it_has_had_its_say(&outcome, "a superseded key");
    outcome.complains(&[&old, "signal"]);
    assert_eq!(
        outcome.output("rotated"),
        "true",
        "what was done is told: {}",
        outcome.stdout
    );
}

#[test]
fn a_full_access_key_whose_end_hangs_is_told_with_its_id() {
    let sandbox = Sandbox::start(world());
    let outcome = cancelled(
        &sandbox,
        deleting("/v2/spaces/keys/").hold(),
        Run::bootstrap(&sandbox),
    );
    it_has_had_its_say(&outcome, "the full-access key");
    let id = {
        let world = sandbox.world();
        let mut keys = world.digitalocean.live_keys();
        keys.find(|key| key.has_full_access())
            .expect("the key")
            .access_key
            .clone()
    };
    outcome.complains(&["full-access key", &id, "next run"]);
}

#[test]
fn an_orphan_whose_end_hangs_is_told_with_its_id() {
    let orphan = "shop-spaces-key--1-aaaa--pending";
    let age = Duration::from_mins(20);
    let sandbox = Sandbox::start(
        world()
            .with_key_of_age(orphan, &[("shop-uploads", "read")], age)
            .with_bucket("nyc3", "shop-uploads"),
    );
    let id = sandbox
        .world()
        .digitalocean
        .live_keys()
        .next()
        .expect("the orphan")
        .access_key
        .clone();
    let outcome = cancelled(&sandbox, deleting(&id).hold(), Run::bootstrap(&sandbox));
    it_has_had_its_say(&outcome, "an orphan");
    outcome.complains(&[&id, "signal"]);
}

/// The reply to a mint is not awaited any more, and then the key comes about all the same.
#[test]
fn a_mint_that_was_given_up_and_lands_late_leaves_no_key() {
    let sandbox = Sandbox::start(world());
    let minting = Fault::on(DigitalOcean)
        .method("POST")
        .path_contains("/v2/spaces/keys");
    sandbox.script(minting.hold());
    let flight = Run::bootstrap(&sandbox)
        .input("report-file", "report.json")
        .start();
    flight.held();
    flight.terminate();
    until_heard(&flight);
    let lists = || {
        let journal = sandbox.journal();
        let lists = journal
            .iter()
            .filter(|entry| entry.method == "GET" && entry.path.contains("/v2/spaces/keys"));
        lists.count()
    };
    let before = lists();
    // That it is looked for by its name says that its reply is not awaited any more.
    until(|| lists() > before);
    sandbox.release();
    let outcome = flight.finish_within(TIME_TO_END);
    it_has_had_its_say(&outcome, "a late mint");
    let world = sandbox.world();
    assert_eq!(world.digitalocean.keys.len(), 1, "it has landed");
    assert_eq!(
        world.digitalocean.live_keys().count(),
        0,
        "and is gone: {:#?}",
        outcome.journal
    );
}

/// A secret that hangs, in a delivery that goes on for as long as there is time.
#[test]
fn a_key_whose_delivery_hangs_is_told_with_its_id() {
    let sandbox = delivered();
    let old = the_delivered_pair(&sandbox);
    let writing = Fault::on(GitHub)
        .method("PUT")
        .path_contains("/secrets/SPACES_SECRET_KEY");
    let run = Run::rotate(&sandbox).input("force", "true");
    let outcome = cancelled(&sandbox, writing.hold(), run);
    it_has_had_its_say(&outcome, "a delivery");
    let id = {
        let world = sandbox.world();
        let mut keys = world.digitalocean.live_keys().filter(|key| key.access_key != old);
        let new = keys.find(|key| !key.has_full_access()).expect("the new key");
        new.access_key.clone()
    };
    outcome.complains(&[&id, "signal", "secrets may hold it"]);
}

fn with_github_app() -> Sandbox {
    let granted = [("secrets", Access::Write), ("actions_variables", Access::Write)];
    let app = App::new(4711, "Iv23liSpacekeeper000", &public_key());
    let app = app.installed(71, "acme", Reach::All, Permissions::new(&granted));
    Sandbox::start(world().with_github_app(app))
}

fn as_app(sandbox: &Sandbox) -> Run<'_> {
    Run::bootstrap(sandbox)
        .input("github-token", "")
        .input("github-app-id", "Iv23liSpacekeeper000")
        .input("github-app-private-key", &private_key_pem())
        .input("report-file", "report.json")
}

fn app_tokens(sandbox: &Sandbox) -> usize {
    let world = sandbox.world();
    let tokens = world.github.tokens.iter();
    tokens
        .filter(|token| matches!(token.holder, Holder::Installation { .. }))
        .count()
}

/// Keeps each step of the way to an App's token waiting, before and after its effect.
fn steps_to_a_token() -> [Fault; 6] {
    let step = |method: &str, part: &str| Fault::on(GitHub).method(method).path_contains(part);
    let (mint, find) = ("/access_tokens", "/installation");
    [
        step("POST", mint).hold(),
        step("POST", mint).after().hold(),
        step("GET", find).hold(),
        step("GET", find).after().hold(),
        step("GET", "/").hold(),
        step("GET", "/").after().hold(),
    ]
}

#[test]
fn a_signal_while_an_app_token_is_minted_gives_it_back() {
    std::thread::scope(|scope| {
        for (step, fault) in steps_to_a_token().into_iter().enumerate() {
            scope.spawn(move || {
                let sandbox = with_github_app();
                sandbox.script(fault);
                let flight = as_app(&sandbox).start();
                flight.held();
                flight.terminate();
                until_heard(&flight);
                sandbox.release();
                let outcome = flight.finish_within(TIME_TO_END);
                it_has_had_its_say(&outcome, &format!("step {step}"));
                assert_eq!(app_tokens(&sandbox), 0, "step {step}: {:#?}", outcome.journal);
            });
        }
    });
}

/// Waits until the process says that it has heard the signal.
fn until_heard(flight: &Running<'_>) {
    until(|| flight.log().contains("SIGTERM"));
}

fn until(is_so: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < TIME_TO_END, "it never comes to that");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_app_token_that_may_live_on_is_told() {
    std::thread::scope(|scope| {
        let minting = Fault::on(GitHub).method("POST").path_contains("/access_tokens");
        let returning = Fault::on(GitHub)
            .method("DELETE")
            .path_contains("/installation/token");
        for (story, fault) in [
            ("its mint", minting.after().hold()),
            ("its return", returning.hold()),
        ] {
            scope.spawn(move || {
                let sandbox = with_github_app();
                let outcome = cancelled(&sandbox, fault, as_app(&sandbox));
                assert!(
                    outcome.outputs.contains_key("changed"),
                    "{story}: {}",
                    outcome.stdout
                );
                assert!(!outcome.summary.is_empty(), "{story}: {}", outcome.stdout);
                let told = outcome.warnings().join("\n") + &outcome.errors().join("\n");
                assert!(
                    told.contains("token") && told.contains(REPOSITORY),
                    "{story}: {told}\n{}",
                    outcome.stdout
                );
                assert!(told.contains("hour"), "{story}: {told}");
            });
        }
    });
}

/// From any request on nothing is answered any more, and the job is cancelled then.
#[test]
fn a_run_to_which_nothing_is_answered_any_more_has_its_say() {
    let service = json!({ "name": "shop", "region": "nyc", "services": [{ "name": "api" }] });
    std::thread::scope(|scope| {
        for number in (1..44).step_by(3) {
            let service = service.clone();
            scope.spawn(move || {
                let sandbox = Sandbox::start(world().with_app(service));
                let first = last_request(&sandbox);
                for number in first + number..first + 200 {
                    sandbox.script(Fault::nth(number).hold());
                }
                let run = Run::bootstrap(&sandbox)
                    .input("log-bucket", "shop-logs")
                    .input("cdn", "true");
                let run = run
                    .input("app-platform-app", "shop")
                    .input("report-file", "report.json");
                let flight = run.start();
                flight.held();
                flight.terminate();
                let outcome = flight.finish_within(TIME_TO_END);
                it_has_had_its_say(&outcome, &format!("from request {number} on"));
            });
        }
    });
}
