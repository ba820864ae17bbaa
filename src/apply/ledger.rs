//! Keeps book of what was done: one line of log and one entry of the report per effect.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::problem::Problem;
use crate::report::Change;

/// What has happened so far.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Entries>);

/// The entries of a finished run.
#[derive(Debug, Default, Clone)]
pub struct Entries {
    /// Effects, in order.
    pub changes: Vec<Change>,
    /// Failures.
    pub problems: Vec<Problem>,
    /// What a person should know all the same.
    pub notes: Vec<Problem>,
}

impl Ledger {
    /// Something was written.
    pub fn did(&self, subject: impl Into<String>, what: impl Into<String>) {
        let change = Change::new(subject, what);
        tracing::info!("{}: {}", change.subject, change.what);
        self.entries().changes.push(change);
    }

    /// Something failed; it is told once.
    pub fn failed(&self, problem: Problem) {
        let mut entries = self.entries();
        if !entries.problems.contains(&problem) {
            tracing::warn!("{problem}");
            entries.problems.push(problem);
        }
    }

    /// Something is worth knowing; it is told once.
    pub fn note(&self, note: Problem) {
        let mut entries = self.entries();
        if !entries.notes.contains(&note) {
            tracing::info!("{note}");
            entries.notes.push(note);
        }
    }

    /// Whether anything failed.
    pub fn has_problems(&self) -> bool {
        !self.entries().problems.is_empty()
    }

    /// All entries so far.
    pub fn told(&self) -> Entries {
        self.entries().clone()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
