//! Writes the variables of kept keys: after the buckets and CDN endpoints that they name stand.

use futures_util::future::join_all;

use super::Writers;
use crate::plan::VariableWrite;
use crate::remedy::problem;

/// Writes these variables, side by side.
pub(crate) async fn announce(writers: &Writers<'_>, writes: &[VariableWrite]) {
    join_all(writes.iter().map(|write| write_variable(writers, write))).await;
}

async fn write_variable(writers: &Writers<'_>, write: &VariableWrite) {
    let VariableWrite {
        target,
        name,
        value,
        exists,
    } = write;
    let Some(github) = writers.github else { return };
    let written = if *exists {
        github.put_variable(target, name, value, true).await.map(|_| true)
    } else {
        // One that has appeared meanwhile was written by a run that knows better.
        github.add_variable(target, name, value).await
    };
    match written {
        Ok(false) => {}
        Ok(true) => writers
            .ledger
            .did(format!("variables of {target}"), format!("{name} set to {value}")),
        Err(failure) => writers.ledger.failed(problem(&failure)),
    }
}
