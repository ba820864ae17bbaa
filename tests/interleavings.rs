//! Whatever happens in whatever order (runs, crashes, cancelled runs, requests that fail or land late, revocations, time,
//! failed deployments, edits by hand), no key is deleted that something holds, and clean runs bring everything together
//! again.
//!
//! The sandbox judges each DELETE when it arrives; the fixture fails the test at the run in which it saw one that was
//! wrong. A failure names its seed, and `INTERLEAVING_SEED=<seed> cargo test interleavings` plays that one alone.

use std::fmt::Write as _;
use std::time::Duration;

use spacekeeper_sandbox::github::Run as WorkflowRun;

use crate::fixture::delivered::delivered_to_an_app;
use crate::fixture::dice::Dice;
use crate::fixture::scenario::serves;
use crate::fixture::{REPOSITORY, Run, Sandbox, live_keys};

mod events;
mod runs;

/// Stories that are played; each is about ten processes.
const STORIES: u64 = 24;

/// Events of a story before the end.
const EVENTS: usize = 7;

const SIDE_BY_SIDE: u64 = 4;

/// Times of secrets carry seconds: what others write in the second of our own write cannot be told from it.
const TICK: Duration = Duration::from_secs(2);

/// Longer than a lease and everything that may land after it.
const LEASE: Duration = Duration::from_mins(12);

/// One world and what has happened in it.
struct Story {
    sandbox: Sandbox,
    dice: Dice,
    told: String,
    runs: u64,
}

#[test]
fn everything_comes_together_again() {
    if let Some(seed) = std::env::var("INTERLEAVING_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
    {
        return Story::begin(seed).play();
    }
    std::thread::scope(|scope| {
        for share in 0..SIDE_BY_SIDE {
            scope.spawn(move || {
                for seed in (1..=STORIES).filter(|seed| seed % SIDE_BY_SIDE == share) {
                    Story::begin(seed).play();
                }
            });
        }
    });
}

impl Story {
    fn begin(seed: u64) -> Self {
        Self {
            sandbox: delivered_to_an_app(),
            dice: Dice(seed),
            told: format!("seed {seed}"),
            runs: 100,
        }
    }

    fn play(mut self) {
        for _ in 0..EVENTS {
            match self.dice.roll(15) {
                0 | 1 => self.run(),
                2..=4 => self.crash(),
                5 => self.race(),
                6 | 7 => self.wait(),
                8 => self.edit(),
                9 => self.fail_deployment(),
                10 => self.land_late(),
                11 => self.cancel(),
                12 => self.stumble(),
                13 => self.revoke(),
                _ => self.lose_a_key(),
            }
        }
        self.end();
    }

    fn next(&mut self, event: &str) -> u64 {
        self.runs += 1;
        let _ = write!(self.told, "\n- {}: {event}", self.runs);
        let mut world = self.sandbox.world();
        let now = world.clock.now();
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        repository.runs.push(WorkflowRun::in_progress(self.runs, now));
        self.runs
    }

    /// Actions learns of the end of a run, or never does: then only its lease tells.
    fn over(&mut self, id: u64, known: bool) {
        let mut world = self.sandbox.world();
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        let run = repository
            .runs
            .iter_mut()
            .find(|run| run.id == id)
            .expect("the run");
        run.finish("success");
        if !known {
            repository.runs.retain(|run| run.id != id);
        }
    }

    fn ask(&mut self) -> &'static str {
        self.dice.pick(&["bootstrap", "rotate", "rotate by force"])
    }

    fn command(&self, what: &str, id: u64) -> Run<'_> {
        let run = match what {
            "bootstrap" => Run::bootstrap(&self.sandbox),
            "rotate" => Run::rotate(&self.sandbox),
            _ => Run::rotate(&self.sandbox).input("force", "true"),
        };
        // A rival that nobody knows to be dead is not worth twelve real minutes.
        run.input("app-platform-app", "shop")
            .input("lock-timeout", "3s")
            .run_id(id)
    }

    /// The app is mended, leases pass, runs go undisturbed, grace passes, and one key is left that everything holds.
    fn end(mut self) {
        self.mend();
        self.sandbox.advance(LEASE);
        self.run();
        self.sandbox.advance(Duration::from_hours(25));
        let id = self.next("the last but one");
        let cleared = self.command("rotate", id).go();
        self.over(id, true);
        let story = format!("{}\n{cleared:#?}", self.told);
        assert_eq!(cleared.exit, Some(0), "{story}");
        serves(&self.sandbox, &story);
        self.sandbox.advance(Duration::from_hours(25));
        let id = self.next("the last");
        let last = self.command("rotate", id).go();
        assert_eq!(last.exit, Some(0), "{story}\n{last:#?}");
        assert_eq!(live_keys(&self.sandbox).len(), 1, "{story}\n{last:#?}");
        serves(&self.sandbox, &story);
    }
}
