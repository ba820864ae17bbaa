//! What is thought of a family: made once per look, and read by decision, gate, `check`, `apply` and report alike.

use super::Brief;
use super::drift::{Reason, drift};
use super::generations::{Generation, Generations};
use super::ownership::{self, Stranger};
use crate::model::desired::WantedFamily;
use crate::model::lifetime::Lifetime;
use crate::model::observed::Observed;
use crate::model::problem::Problem;
use crate::model::sink::Target;
use crate::model::time::Timestamp;

/// What is thought of a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Its keys, by what they are.
    pub generations: Generations,
    /// All that makes it doubtful whether every sink holds the current key.
    pub drift: Vec<Reason>,
    /// What could not be read, or was not looked at, of the account's keys and of what holds the family's.
    pub unread: Vec<Problem>,
    /// The places with names that the family would write, and that are not its own.
    pub strangers: Vec<Stranger>,
    /// How far the current key is in its life.
    pub age: Option<Age>,
}

/// How far a key is in its life, and since when its successor may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    /// How urgent its replacement is.
    pub stage: Stage,
    /// From when on `rotate` replaces it.
    pub due: Timestamp,
}

/// A stage in the life of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It need not be replaced yet.
    Young,
    /// The next scheduled run replaces it.
    Due,
    /// A daily schedule would have replaced it by now: with its grace period, and the run that finds that over, the key
    /// will outlive its limit.
    Late,
    /// It is older than its limit.
    Overdue,
}

impl Judgement {
    /// Judges one family.
    pub(super) fn of(wanted: &WantedFamily, observed: &Observed, brief: &Brief<'_>) -> Self {
        let generations = Generations::of(&wanted.family, observed);
        let current = generations.current();
        Self {
            drift: drift(wanted, &generations, observed, brief),
            unread: unread(wanted, observed),
            strangers: ownership::strangers(wanted, &generations, observed, brief),
            age: current.map(|current| Age::of(current, wanted.lifetime, observed.now)),
            generations,
        }
    }

    /// The key that serves.
    #[must_use]
    pub fn current(&self) -> Option<&Generation> {
        self.generations.current()
    }
}

impl Age {
    fn of(current: &Generation, lifetime: Lifetime, now: Timestamp) -> Self {
        let stage = match now.since(current.key.created_at) {
            age if age >= lifetime.max_age() => Stage::Overdue,
            age if age >= lifetime.late_age() => Stage::Late,
            age if age >= lifetime.due_age() => Stage::Due,
            _ => Stage::Young,
        };
        Self {
            stage,
            due: lifetime.due(current.key.created_at),
        }
    }
}

/// What nobody could read, and what nobody has looked at, cannot be relied upon.
fn unread(wanted: &WantedFamily, observed: &Observed) -> Vec<Problem> {
    let keys = observed.keys.as_ref().err().cloned();
    let targets = wanted.github.iter();
    let targets = targets.filter_map(|sink| match observed.targets.get(&sink.target) {
        Some(state) => state.as_ref().err().cloned(),
        None => Some(unseen_target(&sink.target)),
    });
    let apps = wanted.apps.iter();
    let apps = apps.filter_map(|sink| match observed.apps.get(&sink.app) {
        Some(state) => state.as_ref().err().cloned(),
        None => Some(unseen_app(&sink.app.to_string())),
    });
    keys.into_iter().chain(targets).chain(apps).collect()
}

fn unseen_target(target: &Target) -> Problem {
    let what = "nobody has looked: there is no credential for GitHub";
    let remedy = "Give github-token (Secrets and Variables, read) or a GitHub App.";
    Problem::new(format!("secrets of {target}"), what, remedy)
}

fn unseen_app(app: &str) -> Problem {
    let what = "nobody has looked: there is no digitalocean-token";
    let remedy = "Give digitalocean-token (scope app:read).";
    Problem::new(format!("app {app}"), what, remedy)
}
