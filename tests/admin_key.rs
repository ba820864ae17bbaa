//! The short-lived key that may do everything is gone when the run is over, whatever ended the run; and what a dead run
//! left all the same is swept by the next.

use std::time::Duration;

use serde_json::json;
use spacekeeper_sandbox::digitalocean::Grant;
use spacekeeper_sandbox::github::Run as WorkflowRun;
use spacekeeper_sandbox::spaces::Bucket;

use crate::fixture::{
    DigitalOcean, Fault, GitHub, Outcome, REPOSITORY, Run, Running, Sandbox, Spaces, World, world,
};

/// The runner kills ten seconds after its first signal.
const TIME_TO_END: Duration = Duration::from_secs(10);

/// What the runner sends to a cancelled job, a terminal to its last process, a person to one that shall end.
const SIGNALS: [Signal; 4] = [
    |run| run.interrupt(),
    |run| run.terminate(),
    |run| run.hang_up(),
    |run| run.quit(),
];

type Signal = fn(&Running<'_>);

const HOUR: Duration = Duration::from_hours(1);

fn minting() -> Fault {
    Fault::on(DigitalOcean)
        .method("POST")
        .path_contains("/v2/spaces/keys")
}

/// The second key that a run mints is the one for the app.
fn minting_the_scoped_key() -> Fault {
    minting().skip(1)
}

fn making_a_bucket() -> Fault {
    Fault::on(Spaces).method("PUT")
}

fn writing_a_secret() -> Fault {
    Fault::on(GitHub).method("PUT").path_contains("/secrets/")
}

/// Names of the live keys that may do everything.
fn admin_keys(sandbox: &Sandbox) -> Vec<String> {
    let world = sandbox.world();
    let admins = world.digitalocean.live_keys().filter(|key| key.has_full_access());
    admins.map(|key| key.name.clone()).collect()
}

/// Marks of the live keys of the app, such as `pending`; `active` without its stamp.
fn marks(sandbox: &Sandbox) -> Vec<String> {
    let world = sandbox.world();
    let scoped = world
        .digitalocean
        .live_keys()
        .filter(|key| !key.has_full_access());
    let mark = |name: &str| {
        let mark = name.rsplit("--").next().unwrap_or_default();
        mark.split('-').next().unwrap_or_default().to_owned()
    };
    scoped.map(|key| mark(&key.name)).collect()
}

/// How many keys that may do everything were ever made.
fn admin_keys_made(sandbox: &Sandbox) -> usize {
    let world = sandbox.world();
    world
        .digitalocean
        .keys
        .iter()
        .filter(|key| key.has_full_access())
        .count()
}

#[track_caller]
fn assert_no_admin_key_is_left(sandbox: &Sandbox) {
    assert_eq!(
        admin_keys(sandbox),
        [""; 0],
        "a key that may do everything is left"
    );
}

/// Tells the story once with each signal, side by side.
fn for_each_signal(story: impl Fn(Signal) + Sync) {
    let story = &story;
    std::thread::scope(|scope| {
        for signal in SIGNALS {
            scope.spawn(move || story(signal));
        }
    });
}

/// Starts a run, sends the signal when a request is held, then does `then` and waits for the end.
fn interrupted(sandbox: &Sandbox, fault: Fault, signal: Signal, then: fn(&Sandbox)) -> Outcome {
    sandbox.script(fault);
    let flight = Run::bootstrap(sandbox).start();
    flight.held();
    signal(&flight);
    then(sandbox);
    flight.finish_within(TIME_TO_END)
}

/// After the signal; long enough that the process has heard it.
fn release_soon(sandbox: &Sandbox) {
    std::thread::sleep(Duration::from_millis(300));
    sandbox.release();
}

/// The server takes the request and never answers.
fn never_answer(_: &Sandbox) {}

#[test]
fn it_is_deleted_when_all_goes_well() {
    let sandbox = Sandbox::start(world());
    Run::bootstrap(&sandbox).go().green();
    assert_eq!(admin_keys_made(&sandbox), 1);
    assert_no_admin_key_is_left(&sandbox);
}

#[test]
fn it_is_deleted_when_a_bucket_cannot_be_made() {
    let mut world = world();
    let taken = Bucket::new("shop-uploads", "nyc3", world.clock.now()).of_a_stranger();
    world.spaces.add(taken);
    let sandbox = Sandbox::start(world);
    Run::bootstrap(&sandbox).go().red();
    assert_eq!(admin_keys_made(&sandbox), 1);
    assert_no_admin_key_is_left(&sandbox);
}

#[test]
fn it_is_deleted_when_github_refuses_everything() {
    let sandbox = Sandbox::start(world());
    Run::bootstrap(&sandbox)
        .input("github-token", "ghp_expired")
        .go()
        .red();
    assert_eq!(admin_keys_made(&sandbox), 1);
    assert_no_admin_key_is_left(&sandbox);
}

#[test]
fn it_is_deleted_when_a_secret_is_refused_in_the_middle_of_delivery() {
    let sandbox = Sandbox::start(world());
    sandbox.script(writing_a_secret().status(403).forever());
    Run::bootstrap(&sandbox).go().red();
    assert_no_admin_key_is_left(&sandbox);
}

#[test]
fn it_is_deleted_although_the_reply_to_its_mint_was_lost() {
    let sandbox = Sandbox::start(world());
    sandbox.script(minting().after().reset());
    Run::bootstrap(&sandbox).go().green();
    assert_eq!(admin_keys_made(&sandbox), 2);
    assert_no_admin_key_is_left(&sandbox);
}

#[test]
fn it_is_not_minted_beside_a_supplied_pair_and_that_pair_is_never_deleted() {
    let sandbox = Sandbox::start(world().with_full_access_pair());
    Run::bootstrap(&sandbox).with_full_access().go().green();
    assert_eq!(admin_keys(&sandbox), ["full-access"]);
    assert_eq!(admin_keys_made(&sandbox), 1);
}

#[test]
fn a_signal_during_its_mint_awaits_the_reply_and_deletes_it() {
    for_each_signal(|signal| {
        let sandbox = Sandbox::start(world());
        interrupted(&sandbox, minting().hold(), signal, release_soon).red();
        assert_eq!(admin_keys_made(&sandbox), 1);
        assert_no_admin_key_is_left(&sandbox);
        assert_eq!(marks(&sandbox), [""; 0]);
    });
}

#[test]
fn a_signal_during_a_mint_whose_reply_never_comes_finds_the_key_by_its_name() {
    for_each_signal(|signal| {
        let sandbox = Sandbox::start(world());
        interrupted(&sandbox, minting().after().hold(), signal, never_answer).red();
        assert_eq!(admin_keys_made(&sandbox), 1);
        assert_no_admin_key_is_left(&sandbox);
    });
}

#[test]
fn a_signal_while_a_bucket_is_made_deletes_it() {
    for_each_signal(|signal| {
        let sandbox = Sandbox::start(world());
        interrupted(&sandbox, making_a_bucket().hold(), signal, never_answer).red();
        assert_eq!(admin_keys_made(&sandbox), 1);
        assert_no_admin_key_is_left(&sandbox);
        assert_eq!(marks(&sandbox), [""; 0], "nothing is minted after a signal");
    });
}

#[test]
fn a_signal_while_the_world_is_read_deletes_it() {
    for_each_signal(|signal| {
        let sandbox = Sandbox::start(world());
        let reading = Fault::on(Spaces).method("HEAD");
        interrupted(&sandbox, reading.hold(), signal, never_answer).red();
        assert_no_admin_key_is_left(&sandbox);
    });
}

#[test]
fn a_signal_during_the_mint_of_the_scoped_key_leaves_neither_key() {
    for_each_signal(|signal| {
        let sandbox = Sandbox::start(world());
        let fault = minting_the_scoped_key().hold();
        let outcome = interrupted(&sandbox, fault, signal, release_soon).red();
        assert_no_admin_key_is_left(&sandbox);
        assert_eq!(marks(&sandbox), [""; 0], "{}", outcome.stdout);
    });
}

#[test]
fn a_signal_during_a_scoped_mint_whose_reply_never_comes_leaves_neither_key() {
    for_each_signal(|signal| {
        let sandbox = Sandbox::start(world());
        let fault = minting_the_scoped_key().after().hold();
        let outcome = interrupted(&sandbox, fault, signal, never_answer).red();
        assert_no_admin_key_is_left(&sandbox);
        assert_eq!(marks(&sandbox), [""; 0], "{}", outcome.stdout);
    });
}

#[test]
fn a_delivery_that_has_begun_is_finished_after_a_signal() {
    for_each_signal(|signal| {
        let sandbox = Sandbox::start(world());
        let outcome = interrupted(&sandbox, writing_a_secret().hold(), signal, release_soon);
        assert_no_admin_key_is_left(&sandbox);
        assert_eq!(marks(&sandbox), ["active"], "{}", outcome.stdout);
    });
}

#[test]
fn a_delivery_that_cannot_be_finished_in_time_leaves_a_doubtful_key_and_no_admin_key() {
    for_each_signal(|signal| {
        let sandbox = Sandbox::start(world());
        let outcome = interrupted(&sandbox, writing_a_secret().hold(), signal, never_answer).red();
        assert_no_admin_key_is_left(&sandbox);
        assert_eq!(marks(&sandbox), ["delivering"], "{}", outcome.stdout);
    });
}

fn shop() -> serde_json::Value {
    let service = json!({ "name": "api", "image": { "repository": "api" }, "http_port": 8080 });
    json!({ "name": "shop", "region": "nyc", "services": [service] })
}

#[test]
fn a_signal_while_the_app_is_given_the_key_leaves_a_doubtful_key_and_no_admin_key() {
    for_each_signal(|signal| {
        let sandbox = Sandbox::start(world().with_app(shop()));
        let giving = Fault::on(DigitalOcean).method("PUT").path_contains("/v2/apps/");
        sandbox.script(giving.after().hold());
        let flight = Run::bootstrap(&sandbox).input("app-platform-app", "shop").start();
        flight.held();
        signal(&flight);
        flight.finish_within(TIME_TO_END).red();
        assert_no_admin_key_is_left(&sandbox);
        assert_eq!(marks(&sandbox), ["delivering"]);
    });
}

#[test]
fn a_signal_while_a_deployment_is_awaited_ends_the_wait_and_leaves_the_active_key() {
    for_each_signal(|signal| awaiting_a_deployment(signal, release_soon));
    for_each_signal(|signal| awaiting_a_deployment(signal, never_answer));
}

fn awaiting_a_deployment(signal: Signal, then: fn(&Sandbox)) {
    let sandbox = Sandbox::start(world().with_app(shop()));
    // It would take an hour: only the signal ends the wait.
    sandbox.world().switches.deployment_phase = HOUR;
    let following = Fault::on(DigitalOcean)
        .method("GET")
        .path_contains("/deployments/");
    sandbox.script(following.after().hold());
    let flight = Run::bootstrap(&sandbox).input("app-platform-app", "shop").start();
    flight.held();
    signal(&flight);
    then(&sandbox);
    let outcome = flight.finish_within(TIME_TO_END).red();
    outcome.complains(&["app", "signal", "Run again"]);
    assert_no_admin_key_is_left(&sandbox);
    assert_eq!(marks(&sandbox), ["active"]);
}

#[test]
fn what_a_killed_run_left_is_swept_by_the_next() {
    let sandbox = Sandbox::start(world());
    sandbox.script(making_a_bucket().hold());
    let flight = Run::bootstrap(&sandbox).run_id(7001).start();
    flight.held();
    flight.kill();
    assert_eq!(admin_keys(&sandbox).len(), 1, "nobody could delete it");
    sandbox.drop_held();
    finish_run(&sandbox, 7001);
    Run::bootstrap(&sandbox).run_id(7002).go().green();
    assert_no_admin_key_is_left(&sandbox);
}

#[test]
fn a_second_signal_changes_nothing() {
    let sandbox = Sandbox::start(world());
    sandbox.script(minting().hold());
    let flight = Run::bootstrap(&sandbox).start();
    flight.held();
    flight.interrupt();
    flight.interrupt();
    flight.terminate();
    release_soon(&sandbox);
    flight.finish_within(TIME_TO_END).red();
    assert_eq!(admin_keys_made(&sandbox), 1);
    assert_no_admin_key_is_left(&sandbox);
}

#[test]
fn one_that_cannot_be_deleted_is_told_and_swept_by_the_next_run() {
    let sandbox = Sandbox::start(world());
    let deleting = Fault::on(DigitalOcean).method("DELETE");
    sandbox.script(deleting.status(403).forever());
    let outcome = Run::bootstrap(&sandbox).run_id(7001).go().red();
    outcome.complains(&["admin key", "full-access key may be left behind", "next run"]);
    assert_eq!(admin_keys(&sandbox).len(), 1);

    sandbox.clear_faults();
    finish_run(&sandbox, 7001);
    Run::bootstrap(&sandbox).run_id(7002).go().green();
    assert_no_admin_key_is_left(&sandbox);
}

/// Lets Actions know a run as finished.
fn finish_run(sandbox: &Sandbox, id: u64) {
    let mut world = sandbox.world();
    let now = world.clock.now();
    let repository = world.github.repository_mut(REPOSITORY).expect("a repository");
    repository.runs.retain(|run| run.id != id);
    repository
        .runs
        .push(WorkflowRun::in_progress(id, now).completed("failure"));
}

/// A world with an admin key of this run and age.
fn with_admin_key(world: World, run: &str, age: Duration) -> World {
    let name = format!("shop-spaces-key--{run}-abcd--admin");
    let mut world = world.with_key_of_age(&name, &[], age);
    let key = world.digitalocean.keys.last_mut().expect("the key just added");
    key.grants = vec![Grant::full_access()];
    world
}

#[test]
fn one_that_a_finished_run_left_is_swept() {
    let world = world();
    let over = WorkflowRun::in_progress(0x1b59, world.clock.now()).completed("cancelled");
    let world = with_admin_key(world.with_run(REPOSITORY, over), "1b59", Duration::from_mins(2));
    let sandbox = Sandbox::start(world);
    Run::bootstrap(&sandbox).go().green();
    assert_no_admin_key_is_left(&sandbox);
}

#[test]
fn one_that_is_older_than_an_hour_is_swept_whatever_its_run_is_doing() {
    let world = world();
    let stuck = WorkflowRun::in_progress(0x1b59, world.clock.now());
    let world = with_admin_key(world.with_run(REPOSITORY, stuck), "1b59", HOUR);
    let sandbox = Sandbox::start(world);
    Run::bootstrap(&sandbox).go().green();
    assert_no_admin_key_is_left(&sandbox);
}

#[test]
fn one_of_an_earlier_attempt_of_the_same_run_is_swept() {
    let sandbox = Sandbox::start(with_admin_key(world(), "1b59", Duration::from_mins(2)));
    Run::bootstrap(&sandbox)
        .run_id(7001)
        .env("GITHUB_RUN_ATTEMPT", "2")
        .go()
        .green();
    assert_no_admin_key_is_left(&sandbox);
}

#[test]
fn one_of_a_live_run_is_left_alone() {
    let world = world();
    let live = WorkflowRun::in_progress(0x1b59, world.clock.now());
    let world = with_admin_key(world.with_run(REPOSITORY, live), "1b59", HOUR / 2);
    let sandbox = Sandbox::start(world);
    Run::bootstrap(&sandbox).go().green();
    assert_eq!(admin_keys(&sandbox), ["shop-spaces-key--1b59-abcd--admin"]);
}

#[test]
fn one_of_a_run_that_nobody_can_be_asked_about_is_left_alone_for_an_hour() {
    let sandbox = Sandbox::start(with_admin_key(world(), "0", HOUR / 2));
    Run::bootstrap(&sandbox).go().green();
    assert_eq!(admin_keys(&sandbox), ["shop-spaces-key--0-abcd--admin"]);
    sandbox.advance(HOUR / 2);
    Run::bootstrap(&sandbox).go().green();
    assert_no_admin_key_is_left(&sandbox);
}

#[test]
fn one_of_another_family_is_a_strangers() {
    let mut world = with_admin_key(world(), "0", HOUR * 24);
    let key = world.digitalocean.keys.last_mut().expect("the key just added");
    "blog-spaces-key--0-abcd--admin".clone_into(&mut key.name);
    let sandbox = Sandbox::start(world);
    Run::bootstrap(&sandbox).go().green();
    assert_eq!(admin_keys(&sandbox), ["blog-spaces-key--0-abcd--admin"]);
}
