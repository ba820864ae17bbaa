//! A run may be killed before or after any of its requests: the next one puts everything right, and at no instant was a
//! key deleted that something held.
//!
//! Each pair of sweeps kills a process twice per request, once in a way that Actions knows of and once so that only the
//! lease tells that the run is dead. The sandbox judges every DELETE of a key at the moment of its
//! arrival; every run of the fixture insists that it saw nothing wrong.

use std::time::Duration;

use spacekeeper_sandbox::github::Run as WorkflowRun;

use crate::fixture::scenario::{
    DUE_ROTATION, DUE_ROTATION_WITH_AN_APP, FIRST_BOOTSTRAP, FIRST_BOOTSTRAP_WITH_AN_APP, REPAIR_WITH_AN_APP,
    REVOCATION, REVOCATION_WITH_AN_APP, Scenario, serves,
};
use crate::fixture::under_way::kill_at;
use crate::fixture::{Outcome, REPOSITORY, Sandbox, live_keys};

const DAY: Duration = Duration::from_hours(24);

/// Longer than a lease and everything that may land after it.
const LEASE: Duration = Duration::from_mins(12);

/// Runs that are killed side by side: most of a run is waiting.
const SIDE_BY_SIDE: usize = 6;

/// The moment of a request at which its process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    BeforeItsEffect,
    AfterItsEffect,
}

#[test]
fn a_first_bootstrap_before_each_effect() {
    FIRST_BOOTSTRAP.sweep(Moment::BeforeItsEffect);
}

#[test]
fn a_first_bootstrap_after_each_effect() {
    FIRST_BOOTSTRAP.sweep(Moment::AfterItsEffect);
}

#[test]
fn a_first_bootstrap_with_an_app_before_each_effect() {
    FIRST_BOOTSTRAP_WITH_AN_APP.sweep(Moment::BeforeItsEffect);
}

#[test]
fn a_first_bootstrap_with_an_app_after_each_effect() {
    FIRST_BOOTSTRAP_WITH_AN_APP.sweep(Moment::AfterItsEffect);
}

#[test]
fn a_repair_with_an_app_before_each_effect() {
    REPAIR_WITH_AN_APP.sweep(Moment::BeforeItsEffect);
}

#[test]
fn a_repair_with_an_app_after_each_effect() {
    REPAIR_WITH_AN_APP.sweep(Moment::AfterItsEffect);
}

#[test]
fn a_due_rotation_before_each_effect() {
    DUE_ROTATION.sweep(Moment::BeforeItsEffect);
}

#[test]
fn a_due_rotation_after_each_effect() {
    DUE_ROTATION.sweep(Moment::AfterItsEffect);
}

#[test]
fn a_rotation_with_an_app_before_each_effect() {
    DUE_ROTATION_WITH_AN_APP.sweep(Moment::BeforeItsEffect);
}

#[test]
fn a_rotation_with_an_app_after_each_effect() {
    DUE_ROTATION_WITH_AN_APP.sweep(Moment::AfterItsEffect);
}

#[test]
fn a_revocation_before_each_effect() {
    REVOCATION.sweep(Moment::BeforeItsEffect);
}

#[test]
fn a_revocation_after_each_effect() {
    REVOCATION.sweep(Moment::AfterItsEffect);
}

#[test]
fn a_revocation_with_an_app_before_each_effect() {
    REVOCATION_WITH_AN_APP.sweep(Moment::BeforeItsEffect);
}

#[test]
fn a_revocation_with_an_app_after_each_effect() {
    REVOCATION_WITH_AN_APP.sweep(Moment::AfterItsEffect);
}

impl Scenario {
    fn sweep(self, moment: Moment) {
        let model = (self.before)();
        let requests = (self.ask)(&model).run_id(101).go().green().journal.0.len() as u64;
        assert!(requests >= self.requests, "{requests} requests");
        std::thread::scope(|scope| {
            for share in 1..=SIDE_BY_SIDE as u64 {
                scope.spawn(move || {
                    for number in (share..=requests).step_by(SIDE_BY_SIDE) {
                        self.crash_at(number, moment);
                    }
                });
            }
        });
    }

    fn crash_at(self, number: u64, moment: Moment) {
        let after = moment == Moment::AfterItsEffect;
        let known_to_actions = number.is_multiple_of(2) == after;
        let sandbox = (self.before)();
        if known_to_actions {
            started(&sandbox);
        }
        let crashed = kill_at(&sandbox, |sandbox| (self.ask)(sandbox).run_id(101), number, after);
        if known_to_actions {
            finished(&sandbox);
        } else {
            sandbox.advance(LEASE);
        }
        let repaired = (self.ask)(&sandbox).run_id(102).go();
        let story = || {
            format!(
                "killed at request {number}, {moment:?}: {:#?}\n{repaired:#?}",
                crashed.journal
            )
        };
        assert_eq!(repaired.exit, Some(0), "{}", story());
        serves(&sandbox, &story());
        // Grace counts from the stamp, and a deployment of the app comes a little later.
        sandbox.advance(DAY + LEASE);
        let cleared = self.quietly(&sandbox, 103);
        assert_eq!(cleared.exit, Some(0), "{}\n{cleared:#?}", story());
        let left = live_keys(&sandbox);
        let ours: Vec<_> = left.iter().filter(|name| name.contains("--")).collect();
        assert_eq!(ours.len(), 1, "{left:?} {}\n{cleared:#?}", story());
        serves(&sandbox, &story());
        let again = self.again(&sandbox, 104);
        assert_eq!(again.exit, Some(0), "{}\n{again:#?}", story());
        assert_eq!(
            lasting_writes(&again),
            Vec::<String>::new(),
            "{}\n{again:#?}",
            story()
        );
        assert_eq!(live_keys(&sandbox), left, "{}\n{again:#?}", story());
    }
}

/// All writes but those of the admin pair, which comes and goes.
fn lasting_writes(outcome: &Outcome) -> Vec<String> {
    let mut writes = outcome.journal.writes();
    writes.retain(|line| !line.contains(" /v2/spaces/keys"));
    writes
}

/// Actions knows the run that is going to be killed.
fn started(sandbox: &Sandbox) {
    let mut world = sandbox.world();
    let now = world.clock.now();
    let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
    repository.runs.push(WorkflowRun::in_progress(101, now));
}

fn finished(sandbox: &Sandbox) {
    let mut world = sandbox.world();
    let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
    repository.runs[0].finish("failure");
}
