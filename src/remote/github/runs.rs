//! Workflow runs: whether the run that minted a key still lives, and whether any run may still use an old one.

use futures_util::future::join_all;
use serde::Deserialize;

use super::super::failure::{Failure, FailureKind};
use super::secrets::read_time;
use super::{GitHub, repository_path};
use crate::model::observed::{Unfinished, UnfinishedRun};
use crate::model::sink::Repository;

/// States of a run that has not begun or not ended. A job that waits for an approval may read its secrets much later.
const UNFINISHED: [&str; 5] = ["queued", "in_progress", "waiting", "pending", "requested"];

/// The states that every server knows; the others came with deployment protection rules, and a server without them
/// refuses the words.
const KNOWN_EVERYWHERE: [&str; 2] = ["queued", "in_progress"];

/// The largest page that the API gives.
const PER_PAGE: u64 = 100;

/// A filtered list ends after 1,000 runs.
const LAST_PAGE: u64 = 10;

#[derive(Deserialize)]
struct Run {
    #[serde(default)]
    status: Option<String>,
}

#[derive(Deserialize)]
struct RunPage {
    #[serde(default)]
    total_count: u64,
    #[serde(default)]
    workflow_runs: Vec<ListedRun>,
}

#[derive(Deserialize)]
struct ListedRun {
    id: u64,
    created_at: String,
    #[serde(default)]
    status: Option<String>,
}

impl GitHub {
    /// Whether a workflow run has ended; nothing when it cannot be told: no permission to read Actions, or no such run.
    pub async fn run_is_over(&self, repository: &Repository, run_id: u64) -> Result<Option<bool>, Failure> {
        let subject = format!("read workflow run {run_id} of {repository}");
        let path = format!("{}/actions/runs/{run_id}", repository_path(repository));
        let run: Option<Run> = readable(self.get(repository, &subject, path).await)?;
        Ok(run.and_then(|run| run.status).map(|status| status == "completed"))
    }

    /// The workflow runs that have not ended, queued and waiting ones included.
    ///
    /// Of each state the last page is read, since the list is newest first and the oldest are those that matter.
    pub async fn unfinished_runs(&self, repository: &Repository) -> Result<Unfinished, Failure> {
        let states = UNFINISHED.map(|status| self.oldest_runs(repository, status));
        let mut all = Vec::new();
        for runs in join_all(states).await {
            match readable(runs)? {
                Some(runs) => all.extend(runs),
                None => return Ok(Unfinished::Unknown),
            }
        }
        // One that changed its state between two lists is in both.
        all.sort_by_key(|run| (run.created_at, run.id));
        all.dedup();
        Ok(Unfinished::Runs(all))
    }

    async fn oldest_runs(
        &self,
        repository: &Repository,
        status: &str,
    ) -> Result<Vec<UnfinishedRun>, Failure> {
        let subject = format!("list {status} workflow runs of {repository}");
        let path = repository_path(repository);
        let page = |number| format!("{path}/actions/runs?status={status}&per_page={PER_PAGE}&page={number}");
        let mut runs: RunPage = match self.get(repository, &subject, page(1)).await {
            Err(Failure {
                kind: FailureKind::Invalid,
                ..
            }) if !KNOWN_EVERYWHERE.contains(&status) => return Ok(Vec::new()),
            listed => listed?,
        };
        let last = runs.total_count.div_ceil(PER_PAGE).min(LAST_PAGE);
        if last > 1 {
            runs = self.get(repository, &subject, page(last)).await?;
        }
        // One that ended since the list was made may still stand in it.
        let ended = |run: &&ListedRun| run.status.as_deref() == Some("completed");
        let runs = runs.workflow_runs.iter().filter(|run| !ended(run));
        runs.map(|run| run.read(&subject)).collect()
    }
}

impl ListedRun {
    fn read(&self, subject: &str) -> Result<UnfinishedRun, Failure> {
        let created_at = read_time(subject, &self.created_at)?;
        Ok(UnfinishedRun {
            id: self.id,
            created_at,
        })
    }
}

/// Nothing where the token may not look.
fn readable<T>(answered: Result<T, Failure>) -> Result<Option<T>, Failure> {
    use FailureKind::{Forbidden, NotFound};
    match answered {
        Err(failure) if matches!(failure.kind, NotFound | Forbidden { .. }) => Ok(None),
        answered => answered.map(Some),
    }
}
