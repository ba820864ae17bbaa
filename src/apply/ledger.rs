//! Keeps book of what was done: one line of log and one entry of the report per effect.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::key::AccessKeyId;
use crate::model::name::Family;
use crate::model::problem::Problem;
use crate::remote::Cause;
use crate::report::Change;

/// What has happened so far.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Mutex<Entries>,
    /// The keys that were minted and have come to no end yet, each with its family.
    under_way: Mutex<BTreeMap<AccessKeyId, Family>>,
}

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

    /// A key was minted, of which something must become.
    pub(super) fn begins(&self, key: &AccessKeyId, family: &Family) {
        self.under_way().insert(key.clone(), family.clone());
    }

    /// It is current now, or gone.
    pub(super) fn ends(&self, key: &AccessKeyId) {
        self.under_way().remove(key);
    }

    /// Tells of the keys whose way was broken off.
    pub(crate) fn tell_unfinished(&self, cause: Cause) {
        for (id, family) in std::mem::take(&mut *self.under_way()) {
            let what =
                format!("{cause} stopped the run before {id} was delivered to an end; secrets may hold it");
            let remedy = "Run again: it mints another key and delivers that everywhere.";
            self.failed(Problem::new(format!("key {family}"), what, remedy));
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
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn under_way(&self) -> MutexGuard<'_, BTreeMap<AccessKeyId, Family>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
