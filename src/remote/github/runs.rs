//! Workflow runs: whether the run that minted a key still lives, and whether any run may still use an old one.

use serde::Deserialize;

use super::super::failure::{Failure, FailureKind};
use super::secrets::read_time;
use super::{GitHub, repository_path};
use crate::model::sink::Repository;
use crate::model::time::Timestamp;

/// States of a run that has not begun or not ended. A job that waits for an approval may read its secrets much later.
const UNFINISHED: [&str; 5] = ["queued", "in_progress", "waiting", "pending", "requested"];

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
}

/// What is known of the workflow runs that have not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// The token may not look.
    Unknown,
    /// There is none.
    None,
    /// The oldest of them.
    Oldest(UnfinishedRun),
}

/// A workflow run that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnfinishedRun {
    /// Its id.
    pub id: u64,
    /// When it was queued, by GitHub's clock: then it was given the repository's secrets.
    pub created_at: Timestamp,
}

impl GitHub {
    /// Whether a workflow run has ended; nothing when it cannot be told: no permission to read Actions, or no such run.
    pub async fn run_is_over(&self, repository: &Repository, run_id: u64) -> Result<Option<bool>, Failure> {
        let subject = format!("read workflow run {run_id} of {repository}");
        let path = format!("{}/actions/runs/{run_id}", repository_path(repository));
        let run: Option<Run> = readable(self.get(repository, &subject, path).await)?;
        Ok(run.and_then(|run| run.status).map(|status| status == "completed"))
    }

    /// The oldest workflow run that has not ended, queued and waiting ones included.
    ///
    /// Of each state the last page is read, since the list is newest first.
    pub async fn oldest_unfinished_run(&self, repository: &Repository) -> Result<Unfinished, Failure> {
        let mut oldest: Option<UnfinishedRun> = None;
        for status in UNFINISHED {
            let Some(run) = readable(self.oldest_run(repository, status).await)? else {
                return Ok(Unfinished::Unknown);
            };
            let older = run.filter(|run| oldest.is_none_or(|oldest| run.created_at < oldest.created_at));
            oldest = older.or(oldest);
        }
        Ok(oldest.map_or(Unfinished::None, Unfinished::Oldest))
    }

    async fn oldest_run(
        &self,
        repository: &Repository,
        status: &str,
    ) -> Result<Option<UnfinishedRun>, Failure> {
        let subject = format!("list {status} workflow runs of {repository}");
        let path = repository_path(repository);
        let page = |number| format!("{path}/actions/runs?status={status}&per_page={PER_PAGE}&page={number}");
        let mut runs: RunPage = self.get(repository, &subject, page(1)).await?;
        let last = runs.total_count.div_ceil(PER_PAGE).min(LAST_PAGE);
        if last > 1 {
            runs = self.get(repository, &subject, page(last)).await?;
        }
        let runs = runs.workflow_runs.iter().map(|run| run.read(&subject));
        let runs: Vec<_> = runs.collect::<Result<_, Failure>>()?;
        Ok(runs.into_iter().min_by_key(|run| run.created_at))
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
