//! Old keys do not pile up, whoever overwrites what a key was delivered to; where they do all the same, that is an error
//! with its cause.

use std::time::Duration;

use serde_json::json;
use spacekeeper_sandbox::github::Run as WorkflowRun;
use spacekeeper_sandbox::{Deed, Routine};

use crate::fixture::app::save;
use crate::fixture::{REPOSITORY, Run, Sandbox, World, live_keys, secret, the_delivered_pair, world};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

fn app_world() -> World {
    world().with_app(json!({ "name": "shop", "services": [{ "name": "api" }] }))
}

fn plain(sandbox: &Sandbox) -> Run<'_> {
    Run::rotate(sandbox)
}

fn with_app(sandbox: &Sandbox) -> Run<'_> {
    plain(sandbox).input("app-platform-app", "shop")
}

fn every(sandbox: &Sandbox, span: Duration, deed: Deed) {
    let mut world = sandbox.world();
    let routine = Routine::every(span, world.clock.now(), deed);
    world.routines.push(routine);
}

fn is_overwritten_daily(sandbox: &Sandbox) {
    let (repository, name) = (REPOSITORY.to_owned(), "SPACES_SECRET_KEY".to_owned());
    let value = "another tool's".to_owned();
    let deed = Deed::WriteSecret {
        repository,
        name,
        value,
    };
    every(sandbox, DAY, deed);
}

/// Each day somebody overwrites something that a key was delivered to, and each day a new key is delivered.
#[track_caller]
fn nothing_piles_up(world: World, ask: for<'a> fn(&'a Sandbox) -> Run<'a>, overwrite: fn(&Sandbox)) {
    let sandbox = Sandbox::start(world);
    ask(&sandbox).input("command", "bootstrap").go().green();
    for day in 1..=6 {
        sandbox.advance(DAY + Duration::from_mins(2));
        overwrite(&sandbox);
        let before = the_delivered_id(&sandbox);
        ask(&sandbox).run_id(100 + day).go().green();
        assert_ne!(the_delivered_pair(&sandbox), before, "day {day}: it was replaced");
    }
    let left = live_keys(&sandbox);
    assert!(left.len() <= 3, "{left:#?}");
    assert!(sandbox.violations().is_empty(), "{:?}", sandbox.violations());
}

fn the_delivered_id(sandbox: &Sandbox) -> String {
    secret(sandbox, "SPACES_ACCESS_KEY").expect("the first half")
}

#[test]
fn keys_do_not_pile_up_where_another_tool_overwrites_a_secret_every_day() {
    for (app, ask) in [
        (false, plain as for<'a> fn(&'a Sandbox) -> Run<'a>),
        (true, with_app),
    ] {
        let mut world = app_world();
        if !app {
            world.digitalocean.apps.clear();
        }
        let (repository, name) = (REPOSITORY.to_owned(), "SPACES_SECRET_KEY".to_owned());
        let value = "another tool's".to_owned();
        let deed = Deed::WriteSecret {
            repository,
            name,
            value,
        };
        nothing_piles_up(world.with_routine(DAY, deed), ask, |_| {});
    }
}

#[test]
fn keys_do_not_pile_up_where_a_variable_is_overwritten_every_day() {
    nothing_piles_up(world(), plain, |sandbox| {
        let mut world = sandbox.world();
        let now = world.clock.now();
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        repository
            .variables
            .set("SPACES_ACCESS_KEY_ID", "DO00FORMERKEYOFANAPP", now);
    });
}

/// A spec that is kept elsewhere names a key that is long gone, and is applied over and over.
#[test]
fn keys_do_not_pile_up_where_an_app_is_given_a_former_key_every_day() {
    nothing_piles_up(app_world(), with_app, |sandbox| {
        save(sandbox, |spec| {
            for env in spec["envs"].as_array_mut().expect("variables") {
                if env["key"] == "SPACES_ACCESS_KEY_ID" {
                    env["value"] = json!("DO00FORMERKEYOFANAPP");
                }
            }
        });
        sandbox.advance(HOUR);
    });
}

/// Keys that a workflow run of long ago holds, while another tool overwrites a secret every day.
fn piled_up() -> Sandbox {
    let sandbox = Sandbox::start(world());
    let begun = sandbox.world().clock.now();
    plain(&sandbox).input("command", "bootstrap").go().green();
    let waiting = WorkflowRun::in_progress(77, begun - 60);
    {
        let mut world = sandbox.world();
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        repository.runs.push(waiting);
    }
    is_overwritten_daily(&sandbox);
    for day in 1..=6 {
        sandbox.advance(DAY + Duration::from_mins(2));
        plain(&sandbox).run_id(100 + day).go().green();
    }
    sandbox
}

#[test]
fn a_family_that_piles_up_is_an_error_with_its_cause() {
    let sandbox = piled_up();
    sandbox.advance(DAY + Duration::from_mins(2));
    let check = plain(&sandbox).input("command", "check").go().exits(3);
    let audit = plain(&sandbox).input("command", "audit").go().exits(3);
    for looked in [&check, &audit] {
        looked.complains(&[
            "SK075",
            "shop-spaces-key",
            "6 older keys",
            "secret SPACES_SECRET_KEY in acme/shop was written by someone else at ",
        ]);
    }
    let run = plain(&sandbox).run_id(200).go().green();
    let warned = run.warnings().join("\n");
    assert!(
        warned.contains("7 older keys") && warned.contains("workflow run 77 of acme/shop"),
        "{warned}"
    );
    assert!(
        warned.contains("secret SPACES_SECRET_KEY in acme/shop was written by someone else at "),
        "{warned}"
    );
    {
        let mut world = sandbox.world();
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        repository.runs[0].finish("success");
    }
    sandbox.world().routines.clear();
    sandbox.advance(DAY + HOUR);
    let quiet = plain(&sandbox).run_id(201).go().green();
    assert_eq!(live_keys(&sandbox).len(), 1, "{}", quiet.stdout);
    assert!(!quiet.warnings().join("\n").contains("older keys"));
}

#[test]
fn five_older_keys_are_no_error_yet() {
    let sandbox = Sandbox::start(world());
    let begun = sandbox.world().clock.now();
    plain(&sandbox).input("command", "bootstrap").go().green();
    {
        let mut world = sandbox.world();
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        repository.runs.push(WorkflowRun::in_progress(77, begun - 60));
    }
    for run in 1..=5 {
        sandbox.advance(HOUR);
        let forced = plain(&sandbox).run_id(100 + run).input("force", "true");
        let told = forced.go().green();
        assert!(!told.warnings().join("\n").contains("older keys"));
    }
    let check = plain(&sandbox).input("command", "check").go();
    assert!(!check.stdout.contains("SK075"), "{}", check.stdout);
    assert!(check.stdout.contains("SK007"), "{}", check.stdout);
}
