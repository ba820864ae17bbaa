//! Writes the variables of kept keys: after the buckets and CDN endpoints that they name stand.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::Writers;
use crate::model::problem::Problem;
use crate::model::sink::{SettingName, Target};
use crate::plan::VariableWrite;
use crate::remedy::problem;
use crate::remote::{Failure, GitHub};

/// How often a variable is written that does not show.
const PASSES: usize = 2;

/// Writes these variables, side by side, and reads them back.
pub(crate) async fn announce(writers: &Writers<'_>, writes: &[VariableWrite]) {
    let Some(github) = writers.github else { return };
    let mut unseen: Vec<&VariableWrite> = writes.iter().collect();
    for _ in 0..PASSES {
        let written = join_all(unseen.iter().map(|write| write_variable(github, write))).await;
        let written = unseen
            .into_iter()
            .zip(written)
            .filter_map(|(write, written)| match written {
                Ok(written) => written.then_some(write),
                Err(failure) => {
                    writers.ledger.failed(problem(&failure));
                    None
                }
            });
        unseen = read_back(writers, github, written.collect()).await;
        if unseen.is_empty() {
            return;
        }
    }
    for write in unseen {
        writers.ledger.failed(not_stored(write));
    }
}

/// Whether it was written: one that has appeared meanwhile was written by a run that knows better.
async fn write_variable(github: &GitHub, write: &VariableWrite) -> Result<bool, Failure> {
    let VariableWrite {
        target,
        name,
        value,
        exists,
    } = write;
    if *exists {
        return github.put_variable(target, name, value, true).await.map(|_| true);
    }
    github.add_variable(target, name, value).await
}

/// Tells of those that show, and returns those that show what was there before. One that shows anything else was written
/// by somebody after us.
async fn read_back<'w>(
    writers: &Writers<'_>,
    github: &GitHub,
    written: Vec<&'w VariableWrite>,
) -> Vec<&'w VariableWrite> {
    let targets: BTreeSet<&Target> = written.iter().map(|write| &write.target).collect();
    let looks = targets.into_iter().map(|target| {
        let here = written.iter().filter(|write| write.target == *target);
        let names: BTreeSet<SettingName> = here.map(|write| write.name.clone()).collect();
        async move { (target, github.variables(target, &names).await) }
    });
    let found: BTreeMap<&Target, _> = join_all(looks).await.into_iter().collect();
    let unseen = written.iter().filter(|write| match &found[&write.target] {
        Ok(found) => {
            let before = writers
                .variables
                .get(&write.target)
                .and_then(|found| found.get(&write.name));
            let now = found.get(&write.name);
            let stored = now == Some(&write.value) || now != before;
            if stored {
                let what = format!("{} set to {}", write.name, write.value);
                writers.ledger.did(format!("variables of {}", write.target), what);
            }
            !stored
        }
        Err(failure) => {
            writers.ledger.failed(problem(failure));
            false
        }
    });
    unseen.copied().collect()
}

fn not_stored(VariableWrite { target, name, .. }: &VariableWrite) -> Problem {
    let what = format!("GitHub accepted variable {name} {PASSES} times, and it was not stored");
    let remedy =
        "Look for a proxy that answers in GitHub's place, or another tool that writes there, and run again.";
    Problem::new(format!("variables of {target}"), what, remedy)
}
