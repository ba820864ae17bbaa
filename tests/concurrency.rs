//! Any number of runs may start at once: one of them rotates, the others wait, find the work done, end green and name
//! the run that did it. No pair is torn and nothing is left over.

use std::thread::sleep;
use std::time::{Duration, Instant};

use spacekeeper_sandbox::Entry;
use spacekeeper_sandbox::github::Run as WorkflowRun;

use crate::fixture::delivered::{delivered, delivered_to_an_app};
use crate::fixture::{
    DigitalOcean, Fault, Outcome, REPOSITORY, Run, Sandbox, Spaces, live_keys, the_delivered_pair, variable,
    world,
};

const DAY: Duration = Duration::from_hours(24);

/// The longest wait that a request is given by chance, before its effect and once more before its answer.
const JITTER: Duration = Duration::from_millis(60);

/// The number of the first of the runs.
const FIRST: u64 = 101;

/// Several runs of one command in one world.
#[derive(Clone, Copy)]
struct Race {
    before: fn() -> Sandbox,
    ask: for<'a> fn(&'a Sandbox) -> Run<'a>,
    runs: u64,
    /// Keys that live when all is over: the new one, and the one that it has superseded.
    left: usize,
}

impl Race {
    /// The world before, in which Actions knows of all the runs.
    fn sandbox(self) -> Sandbox {
        let sandbox = (self.before)();
        let mut world = sandbox.world();
        let now = world.clock.now();
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        let ids = FIRST..FIRST + self.runs;
        repository
            .runs
            .extend(ids.map(|id| WorkflowRun::in_progress(id, now)));
        drop(world);
        sandbox
    }

    /// Kills the first of them after so many requests of all; the others put right what it leaves.
    #[track_caller]
    fn outlives_one(self, requests: usize, seed: u64) {
        let sandbox = self.sandbox();
        shuffle(&sandbox, seed);
        let ids = FIRST..FIRST + self.runs;
        let mut running = ids.map(|id| (self.ask)(&sandbox).run_id(id).start());
        let mut first = running.next().expect("a run");
        let others: Vec<_> = running.collect();
        while !first.is_over() && sandbox.journal().len() < requests {
            sleep(Duration::from_millis(2));
        }
        first.kill();
        finish(&sandbox, FIRST);
        let outcomes: Vec<Outcome> = others.into_iter().map(crate::fixture::Running::finish).collect();
        let story = format!(
            "killed after {requests} requests, {}",
            told(FIRST + 1, seed, &outcomes)
        );
        assert!(outcomes.iter().all(|outcome| outcome.exit == Some(0)), "{story}");
        the_delivered_pair(&sandbox);
        (FIRST..FIRST + self.runs).for_each(|id| finish(&sandbox, id));
        sandbox.advance(DAY + Duration::from_hours(1));
        let last = (self.ask)(&sandbox).run_id(FIRST + self.runs).go();
        assert_eq!(last.exit, Some(0), "{story}\n{last:#?}");
        the_delivered_pair(&sandbox);
        let left = live_keys(&sandbox);
        assert_eq!(left.len(), 1, "{left:?} {story}\n{last:#?}");
    }

    /// Lets all start before any of them has seen the world.
    fn outcomes(self, seed: u64) -> (Sandbox, Vec<Outcome>) {
        let sandbox = self.sandbox();
        let first_looks = Fault::on(DigitalOcean)
            .method("GET")
            .path_contains("/v2/spaces/keys");
        let all = u32::try_from(self.runs).expect("a few");
        sandbox.script(first_looks.times(all).hold());
        let ids = FIRST..FIRST + self.runs;
        let mut running: Vec<_> = ids.map(|id| (self.ask)(&sandbox).run_id(id).start()).collect();
        until_all_look(&sandbox, all);
        shuffle(&sandbox, seed);
        // One of the looks may be counted a moment before it is held.
        while !running.iter_mut().all(crate::fixture::Running::is_over) {
            sandbox.release();
            sleep(Duration::from_millis(5));
        }
        let outcomes = running.into_iter().map(crate::fixture::Running::finish).collect();
        (sandbox, outcomes)
    }

    /// One run rotates, and all others say which.
    #[track_caller]
    fn ends_with_one_winner(self, seed: u64) {
        let (sandbox, outcomes) = self.outcomes(seed);
        let story = || told(FIRST, seed, &outcomes);
        assert!(
            outcomes.iter().all(|outcome| outcome.exit == Some(0)),
            "{}",
            story()
        );
        let won = |outcome: &Outcome| outcome.output("rotated") == "true";
        let winners: Vec<usize> = (0..outcomes.len()).filter(|at| won(&outcomes[*at])).collect();
        let [winner] = winners[..] else {
            panic!("{} winners, {}", winners.len(), story())
        };
        let name = format!("run {}", FIRST + winner as u64);
        for loser in outcomes.iter().filter(|outcome| !won(outcome)) {
            assert!(
                loser.warnings().join("\n").contains(&name),
                "{name} is not named, {}",
                story()
            );
        }
        let id = the_delivered_pair(&sandbox);
        assert_eq!(
            variable(&sandbox, "SPACES_ACCESS_KEY_ID"),
            Some(id),
            "{}",
            story()
        );
        let left = live_keys(&sandbox);
        assert_eq!(left.len(), self.left, "{left:?} {}", story());
        assert!(
            left.iter().all(|name| name.contains("--active-")),
            "{left:?} {}",
            story()
        );
    }
}

/// From now on requests take their time, each another.
fn shuffle(sandbox: &Sandbox, seed: u64) {
    let switches = &mut sandbox.world().switches;
    (switches.jitter, switches.jitter_seed) = (JITTER, seed);
}

/// Actions learns that this run is over.
fn finish(sandbox: &Sandbox, id: u64) {
    let mut world = sandbox.world();
    let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
    let run = repository.runs.iter_mut().find(|run| run.id == id);
    run.expect("the run").finish("failure");
}

/// What the runs said, the first of which has this number.
fn told(first: u64, seed: u64, outcomes: &[Outcome]) -> String {
    let logs = (first..).zip(outcomes).map(|(id, outcome)| {
        let Outcome { exit, stdout, .. } = outcome;
        format!("--- run {id}, exit {exit:?}\n{stdout}")
    });
    format!("seed {seed}\n{}", logs.collect::<String>())
}

fn until_all_look(sandbox: &Sandbox, all: u32) {
    let is_look = |entry: &Entry| entry.method == "GET" && entry.path.starts_with("/v2/spaces/keys");
    until("all runs look", || {
        let looks = sandbox.journal().iter().filter(|entry| is_look(entry)).count();
        looks >= all as usize
    });
}

fn due(runs: u64) -> Race {
    Race {
        before: || {
            let sandbox = delivered();
            sandbox.advance(DAY * 88);
            sandbox
        },
        ask: |sandbox| Run::rotate(sandbox),
        runs,
        left: 2,
    }
}

fn forced(runs: u64) -> Race {
    Race {
        before: || {
            let sandbox = delivered();
            sandbox.advance(Duration::from_hours(1));
            sandbox
        },
        ask: |sandbox| Run::rotate(sandbox).input("force", "true"),
        ..due(runs)
    }
}

fn first(runs: u64) -> Race {
    Race {
        before: || Sandbox::start(world()),
        ask: |sandbox| Run::bootstrap(sandbox),
        runs,
        left: 1,
    }
}

fn with_app(runs: u64) -> Race {
    Race {
        before: || {
            let sandbox = delivered_to_an_app();
            sandbox.advance(DAY * 88);
            sandbox
        },
        ask: |sandbox| Run::rotate(sandbox).input("app-platform-app", "shop"),
        ..due(runs)
    }
}

#[test]
fn two_due_rotations() {
    (1..=16).for_each(|seed| due(2).ends_with_one_winner(seed));
}

#[test]
fn three_due_rotations() {
    (1..=10).for_each(|seed| due(3).ends_with_one_winner(seed));
}

#[test]
fn eight_due_rotations() {
    (1..=4).for_each(|seed| due(8).ends_with_one_winner(seed));
}

#[test]
fn eight_forced_rotations_are_one() {
    (1..=4).for_each(|seed| forced(8).ends_with_one_winner(seed));
}

#[test]
fn three_rotations_with_an_app() {
    (1..=6).for_each(|seed| with_app(3).ends_with_one_winner(seed));
}

#[test]
fn three_first_bootstraps() {
    (1..=6).for_each(|seed| first(3).ends_with_one_winner(seed));
}

#[test]
fn whenever_one_of_three_dies_the_others_go_on() {
    (1..=8).for_each(|seed| due(3).outlives_one(20 + 12 * usize::try_from(seed).expect("a few"), seed));
}

#[test]
fn whenever_one_of_three_dies_with_an_app_the_others_go_on() {
    (1..=6).for_each(|seed| with_app(3).outlives_one(24 + 16 * usize::try_from(seed).expect("a few"), seed));
}

#[test]
fn without_patience_the_losers_are_red_at_once_and_one_wins() {
    let impatient = Race {
        ask: |sandbox| {
            Run::rotate(sandbox)
                .input("force", "true")
                .input("lock-timeout", "0")
        },
        ..forced(3)
    };
    for seed in 1..=8 {
        let (sandbox, outcomes) = impatient.outcomes(seed);
        let green = outcomes.iter().filter(|outcome| outcome.exit == Some(0)).count();
        assert!(green >= 1, "{}", told(FIRST, seed, &outcomes));
        for loser in outcomes.iter().filter(|outcome| outcome.exit != Some(0)) {
            assert!(
                loser.errors().join("\n").contains("is rotating it"),
                "{}",
                told(FIRST, seed, &outcomes)
            );
        }
        the_delivered_pair(&sandbox);
        let left = live_keys(&sandbox);
        assert!(
            left.iter().all(|name| name.contains("--active-")),
            "seed {seed}: {left:?}"
        );
        assert_eq!(left.len(), 2, "seed {seed}: {left:?}");
    }
}

/// Long enough for another run to rotate in the middle of one look.
const MEANWHILE: Duration = Duration::from_secs(4);

fn until(what: &str, mut there: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !there() {
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "it never happens that {what}"
        );
        sleep(Duration::from_millis(5));
    }
}

fn answered(sandbox: &Sandbox, method: &str, part: &str) -> usize {
    let journal = sandbox.journal().into_iter();
    let matching = journal.filter(|entry| entry.method == method && entry.path.contains(part));
    matching.filter(|entry| entry.status.is_some()).count()
}

#[test]
fn a_look_that_another_run_rotates_in_the_middle_of_is_no_reason_to_rotate_again() {
    let sandbox = delivered();
    sandbox.advance(DAY * 88);
    // The list of keys comes late, so that it shows the new key where the variable was still the old one.
    let late = Fault::on(DigitalOcean)
        .method("GET")
        .path_contains("/v2/spaces/keys");
    sandbox.script(late.hold());
    let slow = Run::rotate(&sandbox).run_id(102).start();
    slow.held();
    until("the slow run has read the variables", || {
        answered(&sandbox, "GET", "/actions/variables?") == 1
    });
    Run::rotate(&sandbox).run_id(101).go().green();
    let id = the_delivered_pair(&sandbox);
    sandbox.release();
    let outcome = slow.finish().green();
    assert_eq!(outcome.output("rotated"), "false", "{}", outcome.stdout);
    assert_eq!(the_delivered_pair(&sandbox), id);
}

#[test]
fn a_key_that_is_delivered_during_a_long_look_is_not_taken_for_an_orphan() {
    let sandbox = delivered_to_an_app();
    sandbox.advance(DAY * 88);
    let ask = |id| {
        let run = Run::rotate(&sandbox).input("app-platform-app", "shop");
        run.run_id(id)
    };
    let rename = Fault::on(DigitalOcean)
        .method("PUT")
        .path_contains("/v2/spaces/keys/");
    sandbox.script(rename.delay(MEANWHILE));
    let delivering = ask(101).start();
    until("the key is proven", || {
        let journal = sandbox.journal().into_iter();
        journal.filter(|entry| entry.method == "PUT").count() == 1
    });
    // The other one lists the keys now and is told of the app, and with it the time, when the lease is over.
    let late = Fault::on(DigitalOcean).method("GET").path_contains("/v2/apps?");
    sandbox.script(late.after().hold());
    let slow = ask(102).start();
    slow.held();
    until("the slow run has listed the keys", || {
        answered(&sandbox, "GET", "/v2/spaces/keys") == 4
    });
    delivering.finish().green();
    sandbox.advance(Duration::from_mins(12));
    sandbox.release();
    slow.finish().green();
    the_delivered_pair(&sandbox);
    assert_eq!(live_keys(&sandbox).len(), 2, "{:?}", live_keys(&sandbox));
}

#[test]
fn a_run_that_ends_during_a_look_has_not_left_an_orphan() {
    let sandbox = delivered();
    {
        let mut world = sandbox.world();
        let now = world.clock.now();
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        repository.runs.push(WorkflowRun::in_progress(101, now));
    }
    sandbox.advance(DAY * 88);
    let rename = Fault::on(DigitalOcean)
        .method("PUT")
        .path_contains("/v2/spaces/keys/");
    sandbox.script(rename.hold());
    let delivering = Run::rotate(&sandbox).run_id(101).start();
    delivering.held();
    // Actions is asked about the run while it delivers, and answers when it is over.
    let late = Fault::any().method("GET").path_contains("/actions/runs/101");
    sandbox.script(late.delay(MEANWHILE));
    let slow = Run::rotate(&sandbox).run_id(102).start();
    until("Actions is asked", || {
        let journal = sandbox.journal().into_iter();
        journal
            .filter(|entry| entry.path.contains("/actions/runs/101"))
            .count()
            == 1
    });
    sandbox.release();
    delivering.finish().green();
    {
        let mut world = sandbox.world();
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        repository.runs[0].finish("success");
    }
    let outcome = slow.finish().green();
    assert_eq!(outcome.output("rotated"), "false", "{}", outcome.stdout);
    the_delivered_pair(&sandbox);
    assert_eq!(live_keys(&sandbox).len(), 2, "{:?}", live_keys(&sandbox));
}

#[test]
fn a_bucket_that_another_run_makes_between_two_questions_is_read_once_more() {
    let sandbox = Sandbox::start(world().with_bucket("nyc3", "shop-uploads"));
    let absent = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>NoSuchBucket</Code></Error>";
    let policy = Fault::on(Spaces).method("GET").path_contains("?policy");
    sandbox.script(
        policy
            .status(404)
            .header("content-type", "application/xml")
            .body(absent),
    );
    Run::bootstrap(&sandbox).go().green();
}
