//! The gate sees every workflow run that may still use an old key, however many there are and however they move, and takes
//! nothing else for an answer.

use std::time::Duration;

use serde_json::{Value, json};
use spacekeeper_sandbox::Entry;
use spacekeeper_sandbox::github::Run as WorkflowRun;

use crate::fixture::{Fault, GitHub, Outcome, REPOSITORY, Run, Sandbox, the_delivered_pair, world};

const DAY: Duration = Duration::from_hours(24);

fn plain(sandbox: &Sandbox) -> Run<'_> {
    Run::rotate(sandbox)
}

fn is_alive(sandbox: &Sandbox, id: &str) -> bool {
    let world = sandbox.world();
    world.digitalocean.key(id).expect("the key").is_live()
}

/// A repository with these runs, and a key that was replaced two days ago; `runs` is told the time of that, in Unix
/// seconds.
fn with_runs(runs: impl FnOnce(i64) -> Vec<WorkflowRun>) -> (Sandbox, String) {
    let sandbox = Sandbox::start(world());
    plain(&sandbox).input("command", "bootstrap").go().green();
    let old = the_delivered_pair(&sandbox);
    sandbox.advance(Duration::from_secs(5));
    plain(&sandbox).input("force", "true").go().green();
    {
        let mut world = sandbox.world();
        let now = world.clock.now();
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        repository.runs.extend(runs(now));
    }
    sandbox.advance(DAY * 2);
    (sandbox, old)
}

fn lists_of_runs(outcome: &Outcome) -> usize {
    outcome.journal.count(GitHub, "GET", "/actions/runs?")
}

/// So many runs that were over long before the delivery.
fn finished(count: u64, before: i64) -> impl Iterator<Item = WorkflowRun> {
    (1..=count).map(move |id| WorkflowRun::in_progress(id, before).completed("success"))
}

#[test]
fn a_run_that_changes_its_status_while_the_lists_are_read_is_seen() {
    for busy in [0, 300] {
        let (sandbox, old) = with_runs(|now| {
            let eluding = WorkflowRun::in_progress(7_777, now - 600).queued().eluding(1);
            finished(busy, now - 900).chain([eluding]).collect()
        });
        let outcome = plain(&sandbox).run_id(5).go().green();
        assert!(is_alive(&sandbox, &old), "{busy}: {}", outcome.stdout);
        let told = outcome.keeps(&old);
        assert!(
            told.contains("workflow run 7777 of acme/shop, queued at "),
            "{busy}: {told}"
        );
    }
}

#[test]
fn lists_that_never_agree_hold_the_key_and_that_is_said() {
    let (sandbox, old) = with_runs(|_| Vec::new());
    // Each reading shows another run, all of them queued long after the delivery.
    let restless = |entry: &Entry, body: &mut Value| {
        let run = json!({ "id": entry.number, "status": "queued", "created_at": "2100-01-01T00:00:00Z" });
        *body = json!({ "total_count": 1, "workflow_runs": [run] });
    };
    let reading = Fault::on(GitHub).path_contains("/actions/runs?");
    sandbox.script(reading.forever().edits(restless));
    let outcome = plain(&sandbox).run_id(5).go().red();
    assert!(is_alive(&sandbox, &old), "{}", outcome.stdout);
    outcome.complains(&[
        "workflow runs of acme/shop",
        "no two of 5 readings show the same unfinished runs",
    ]);
    sandbox.clear_faults();
    plain(&sandbox).run_id(6).go().green();
    assert!(!is_alive(&sandbox, &old));
}

#[test]
fn the_oldest_of_more_queued_runs_than_github_shows_is_seen() {
    let (sandbox, old) = with_runs(|now| {
        let oldest = WorkflowRun::in_progress(1, now - 600).queued();
        let later = (2..=1_051).map(|id| WorkflowRun::in_progress(id, now + 600).queued());
        std::iter::once(oldest).chain(later).collect()
    });
    let outcome = plain(&sandbox).run_id(5).go().green();
    assert!(is_alive(&sandbox, &old), "{}", outcome.stdout);
    let told = outcome.keeps(&old);
    assert!(told.contains("workflow run 1 of acme/shop, queued at "), "{told}");
}

#[test]
fn more_runs_than_github_shows_hold_the_key_and_that_is_said() {
    for counts_all in [true, false] {
        let (sandbox, old) = with_runs(|now| {
            let runs = (1..=1_051).map(|id| WorkflowRun::in_progress(id, now - 600).queued());
            runs.collect()
        });
        sandbox.world().switches.searches_count_what_they_hide = counts_all;
        let outcome = plain(&sandbox).run_id(5).go().red();
        assert!(is_alive(&sandbox, &old), "{}", outcome.stdout);
        let told = outcome.keeps(&old);
        assert!(
            told.contains("the list of workflow runs of acme/shop could not be read"),
            "{told}"
        );
        outcome.complains(&["queued workflow runs of acme/shop", "GitHub shows 1000 of a list"]);
    }
}

#[test]
fn any_number_of_finished_runs_costs_a_few_requests() {
    for count in [0, 60, 3_000] {
        let (sandbox, old) = with_runs(|now| finished(count, now - 900).collect());
        let outcome = plain(&sandbox).run_id(5).go().green();
        assert!(!is_alive(&sandbox, &old), "{count}: {}", outcome.stdout);
        let asked = lists_of_runs(&outcome);
        let most = if count > 100 { 12 } else { 2 };
        assert!(asked <= most, "{count}: {asked} lists: {:#?}", outcome.journal);
    }
}

#[test]
fn a_run_that_can_no_longer_run_holds_nothing() {
    let (sandbox, old) = with_runs(|now| {
        let forgotten = now - 70 * 86_400;
        vec![WorkflowRun::in_progress(1, forgotten).queued()]
    });
    plain(&sandbox).run_id(5).go().green();
    assert!(!is_alive(&sandbox, &old), "GitHub cancels every run long before");
}

#[test]
fn json_that_is_no_list_of_runs_holds_the_key() {
    let nonsense = [
        json!({}),
        json!([]),
        json!("no runs"),
        json!(null),
        json!({ "total_count": 0 }),
        json!({ "workflow_runs": [] }),
        json!({ "total_count": 0, "runs": [] }),
        json!({ "total_count": 0, "workflow_runs": {} }),
    ];
    for body in nonsense {
        let (sandbox, old) = with_runs(|_| Vec::new());
        let reading = Fault::on(GitHub).path_contains("/actions/runs?");
        sandbox.script(reading.forever().json(&body));
        let outcome = plain(&sandbox).run_id(5).go().red();
        assert!(is_alive(&sandbox, &old), "{body}: {}", outcome.stdout);
        let told = outcome.keeps(&old);
        assert!(
            told.contains("the list of workflow runs of acme/shop could not be read"),
            "{body}: {told}"
        );
    }
}
