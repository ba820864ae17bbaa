//! What becomes of a deployment decides how the run ends, and the next run goes on from there with the same key.

use std::time::Duration;

use serde_json::json;
use spacekeeper_sandbox::Overtaken;
use spacekeeper_sandbox::digitalocean::{Course, Failure, Phase};

use crate::fixture::app::{holds_the_pair, look, run, save, with_app, with_spec};
use crate::fixture::{DigitalOcean, Fault, Outcome, Sandbox, the_delivered_pair};

/// Longer than anybody waits for a deployment by default.
const OUT_OF_PATIENCE: Duration = Duration::from_mins(31);

/// An app whose next deployment goes this way.
fn with_course(course: Course) -> Sandbox {
    let sandbox = with_app();
    sandbox
        .world()
        .digitalocean
        .app_mut("shop")
        .expect("the app")
        .script(course);
    sandbox
}

/// The look at a deployment while it is waited for.
fn following() -> Fault {
    Fault::on(DigitalOcean)
        .method("GET")
        .path_contains("/deployments/")
}

/// Insists that a run puts the same key once more, and that it serves then.
#[track_caller]
fn the_next_run_deploys_the_same_key(sandbox: &Sandbox) -> Outcome {
    let id = the_delivered_pair(sandbox);
    let outcome = run(sandbox).go().green();
    assert_eq!(the_delivered_pair(sandbox), id);
    holds_the_pair(sandbox, None);
    assert_eq!(
        outcome.journal.writes().len(),
        1,
        "{:#?}",
        outcome.journal.writes()
    );
    assert_eq!(outcome.journal.count(DigitalOcean, "PUT", "/v2/apps/"), 1);
    outcome
}

#[test]
fn one_that_was_overtaken_is_counted_by_the_one_that_came_instead() {
    for overtaken in [Overtaken::Superseded, Overtaken::Canceled, Overtaken::Finished] {
        let sandbox = with_app();
        {
            let mut world = sandbox.world();
            world.switches.overtaken = overtaken;
            world.switches.deployment_phase = Duration::from_millis(200);
        }
        sandbox.script(following().hold());
        let running = run(&sandbox).start();
        running.held();
        save(&sandbox, |spec| spec["services"][1]["instance_count"] = json!(7));
        sandbox.release();
        let outcome = running.finish().green();
        assert_eq!(outcome.journal.count(DigitalOcean, "PUT", "/v2/apps/"), 1);
        assert_eq!(
            look(&sandbox, |app| app.spec["services"][1]["instance_count"].clone()),
            7
        );
        the_delivered_pair(&sandbox);
    }
}

#[test]
fn one_that_ends_superseded_by_nothing_is_told_and_put_again_by_the_next_run() {
    let sandbox = with_course(Course::SupersededAfter(Phase::Building));
    run(&sandbox)
        .go()
        .red()
        .complains(&["app shop", "SUPERSEDED", "run again"]);
    the_next_run_deploys_the_same_key(&sandbox);
}

#[test]
fn one_that_is_canceled_is_put_again_by_the_next_run() {
    let sandbox = with_course(Course::CanceledAfter(Phase::Building));
    run(&sandbox)
        .go()
        .red()
        .complains(&["app shop", "CANCELED", "run again"]);
    the_next_run_deploys_the_same_key(&sandbox);
}

#[test]
fn one_that_failed_and_was_mended_meanwhile_counts_by_the_one_that_came_after() {
    let sandbox = with_course(Course::fails("api", "DeployContainerExitNonZero", "farewell"));
    sandbox.script(following().hold());
    let running = run(&sandbox).start();
    running.held();
    {
        let mut world = sandbox.world();
        let app = world.digitalocean.app_mut("shop").expect("the app");
        let failing = app.deployments.last_mut().expect("its deployment");
        (failing.phase, failing.reached) = (Phase::Error, Phase::Deploying);
    }
    save(&sandbox, |spec| spec["services"][1]["instance_count"] = json!(7));
    sandbox.release();
    running.finish().green();
    the_delivered_pair(&sandbox);
}

#[test]
fn one_that_hangs_is_waited_for_by_the_next_run_and_put_again_by_one_that_comes_too_late_for_it() {
    let sandbox = with_course(Course::StuckIn(Phase::Building));
    run(&sandbox).input("deployment-timeout", "1s").go().red();
    let outcome = run(&sandbox).input("deployment-timeout", "5s").go().red();
    outcome.complains(&["app shop", "BUILDING", "deployment-timeout"]);
    assert!(
        outcome.journal.writes().is_empty(),
        "{:#?}",
        outcome.journal.writes()
    );
    sandbox.advance(OUT_OF_PATIENCE);
    the_next_run_deploys_the_same_key(&sandbox);
}

#[test]
fn one_that_failed_is_put_again_by_a_run_that_does_not_wait() {
    let sandbox = with_course(Course::fails("api", "DeployContainerExitNonZero", "farewell"));
    run(&sandbox).go().red();
    let outcome = run(&sandbox).input("wait-for-deployment", "false").go().green();
    assert_eq!(outcome.journal.count(DigitalOcean, "PUT", "/v2/apps/"), 1);
    run(&sandbox).go().green();
    holds_the_pair(&sandbox, None);
}

#[test]
fn a_failed_deployment_is_told_with_the_log_of_the_component_that_failed() {
    let failed = |phase| {
        Course::Fails(Failure {
            phase,
            component: Some("admin".to_owned()),
            code: "ComponentFailed".to_owned(),
            message: "the last words of admin".to_owned(),
        })
    };
    for (phase, step) in [
        (Phase::Building, "step admin of admin"),
        (Phase::Deploying, "step wait of admin"),
    ] {
        let sandbox = with_course(failed(phase));
        let outcome = run(&sandbox).go().red();
        outcome.complains(&[
            "app shop",
            "ended ERROR",
            step,
            "ComponentFailed",
            "the last words of admin",
        ]);
        assert_ne!(
            outcome
                .journal
                .count(DigitalOcean, "GET", "/components/admin/logs"),
            0
        );
        let log = outcome
            .stdout
            .lines()
            .find(|line| line.contains("error: ComponentFailed"));
        assert!(log.is_some(), "the log's end is shown:\n{}", outcome.stdout);
    }
}

#[test]
fn a_log_that_cannot_be_had_hides_no_failure() {
    let sandbox = with_course(Course::fails("api", "DeployContainerExitNonZero", "farewell"));
    sandbox.script(
        Fault::on(DigitalOcean)
            .path_contains("/logs")
            .forever()
            .status(404),
    );
    run(&sandbox)
        .go()
        .red()
        .complains(&["app shop", "ended ERROR", "farewell"]);
}

#[test]
fn one_that_shows_neither_phase_nor_steps_yet_is_not_taken_for_done() {
    let sandbox = with_course(Course::fails("api", "DeployContainerExitNonZero", "farewell"));
    sandbox.script(following().times(2).edits(|_, body| {
        let id = &body["deployment"]["id"];
        *body = json!({ "deployment": { "id": id, "progress": { "total_steps": 0, "success_steps": 0 } } });
    }));
    let outcome = run(&sandbox).go().red();
    outcome.complains(&["app shop", "ended ERROR"]);
    assert!(
        outcome.stdout.contains("in no phase yet after"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn the_way_of_a_deployment_is_told() {
    let sandbox = with_app();
    sandbox.world().switches.deployment_phase = Duration::from_millis(900);
    let outcome = run(&sandbox).go().green();
    let id = look(&sandbox, |app| {
        app.deployments.last().expect("a deployment").id.clone()
    });
    let told = |line: &&str| line.contains(&format!("deployment {id} is ")) && line.contains("steps)");
    let lines: Vec<&str> = outcome.stdout.lines().filter(told).collect();
    assert!(lines.len() > 1, "{}", outcome.stdout);
    assert!(
        outcome
            .stdout
            .contains("the deployment that carries the current key serves")
    );
}

#[test]
fn an_app_of_workers_that_has_no_url_is_served_like_any_other() {
    let sandbox = with_spec(json!({ "name": "shop", "region": "nyc", "workers": [{ "name": "mailer" }] }));
    let outcome = run(&sandbox).input("app-components", "mailer").go().green();
    holds_the_pair(&sandbox, Some("mailer"));
    let shown = outcome.journal.find(DigitalOcean, "GET", "/v2/apps/");
    assert!(!shown.is_empty());
    look(&sandbox, |app| {
        assert_eq!(app.url(), None, "App Platform gives it none");
    });
}

#[test]
fn one_whose_key_another_run_has_replaced_meanwhile_is_not_needed_any_more() {
    let sandbox = with_app();
    sandbox.script(following().hold());
    let first = run(&sandbox).run_id(0x11).start();
    first.held();
    let second = run(&sandbox).run_id(0x22).input("command", "rotate");
    second.input("force", "true").go().green();
    sandbox.release();
    let outcome = first.finish().green();
    let told = outcome.warnings().join("\n");
    assert!(told.contains("run 34 has given it"), "{told}");
    holds_the_pair(&sandbox, None);
}

#[test]
fn one_that_is_superseded_by_a_save_without_the_key_is_red_and_repaired_by_the_next_run() {
    let sandbox = with_app();
    let before = look(&sandbox, |app| app.spec.clone());
    // It must not serve before somebody saves.
    sandbox.world().switches.deployment_phase = Duration::from_secs(2);
    sandbox.script(following().hold());
    let running = run(&sandbox).start();
    running.held();
    save(&sandbox, |spec| *spec = before);
    sandbox.world().switches.deployment_phase = Duration::from_millis(20);
    sandbox.release();
    running
        .finish()
        .red()
        .complains(&["app shop", "SUPERSEDED", "run again"]);
    run(&sandbox).go().green();
    holds_the_pair(&sandbox, None);
}
