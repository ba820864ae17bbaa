//! Workflow runs: whether the run that minted a key still lives, and whether any run may still use an old one.

use futures_util::future::join_all;
use serde::Deserialize;

use super::super::failure::{Failure, FailureKind, Service};
use super::super::json::time;
use super::super::page::{Listed, Page};
use super::{GitHub, repository_path};
use crate::model::observed::{Unfinished, UnfinishedRun};
use crate::model::sink::Repository;
use crate::model::time::Timestamp;

/// States of a run that has not begun or not ended. A job that waits for an approval may read its secrets much later.
const UNFINISHED: [&str; 5] = ["queued", "in_progress", "waiting", "pending", "requested"];

/// The states that every server knows; the others came with deployment protection rules, and a server without them
/// refuses the words.
const KNOWN_EVERYWHERE: [&str; 2] = ["queued", "in_progress"];

/// The largest page that the API gives.
const PER_PAGE: usize = 100;

/// A filtered list ends after 1,000 runs.
const LAST_PAGE: usize = 10;

/// How often the oldest page is looked for in a list that gets shorter meanwhile.
const LOOKS: usize = 4;

/// The status may be `null` (GitHub's description of a workflow run); then nobody knows it.
#[derive(Deserialize)]
struct Run {
    id: u64,
    #[serde(default)]
    status: Option<String>,
}

/// One whose status is not said counts as one that has not ended.
#[derive(Deserialize)]
struct ListedRun {
    id: u64,
    #[serde(deserialize_with = "time")]
    created_at: Timestamp,
    #[serde(default)]
    status: Option<String>,
}

impl Listed for ListedRun {
    const FIELD: &'static str = "workflow_runs";
    const COUNTED: bool = true;

    fn identity(&self) -> String {
        self.id.to_string()
    }
}

impl GitHub {
    /// Whether a workflow run has ended; nothing when it cannot be told: no permission to read Actions, or no such run.
    pub async fn run_is_over(&self, repository: &Repository, run_id: u64) -> Result<Option<bool>, Failure> {
        let subject = format!("read workflow run {run_id} of {repository}");
        let path = format!("{}/actions/runs/{run_id}", repository_path(repository));
        let run: Option<Run> = readable(self.get(repository, &subject, path).await)?;
        let run = run.filter(|run| run.id == run_id);
        Ok(run.and_then(|run| run.status).map(|status| status == "completed"))
    }

    /// The workflow runs that have not ended, queued and waiting ones included.
    ///
    /// Of each state the last page is read, since the list is newest first and the oldest are those that matter. A token
    /// that may see one list may see them all, so one that is hidden beside others is a failure.
    pub async fn unfinished_runs(&self, repository: &Repository) -> Result<Unfinished, Failure> {
        let states = UNFINISHED.map(|status| self.oldest_runs(repository, status));
        let lists = join_all(states).await;
        if lists
            .iter()
            .all(|list| list.as_ref().is_err_and(Failure::is_hidden))
        {
            return Ok(Unfinished::Unknown);
        }
        let lists: Result<Vec<Vec<UnfinishedRun>>, Failure> = lists.into_iter().collect();
        let mut all = lists?.concat();
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
        let runs = match Box::pin(self.oldest_page(repository, &subject, status)).await {
            Err(Failure {
                kind: FailureKind::Invalid,
                ..
            }) if !KNOWN_EVERYWHERE.contains(&status) => return Ok(Vec::new()),
            listed => listed?,
        };
        // One that ended since the list was made may still stand in it.
        let unfinished = runs
            .into_iter()
            .filter(|run| run.status.as_deref() != Some("completed"));
        let read = |ListedRun { id, created_at, .. }| UnfinishedRun { id, created_at };
        Ok(unfinished.map(read).collect())
    }

    /// The last page by its own count, which holds as many runs as it should: a list gets shorter while runs end.
    async fn oldest_page(
        &self,
        repository: &Repository,
        subject: &str,
        status: &str,
    ) -> Result<Vec<ListedRun>, Failure> {
        let path = format!("{}/actions/runs", repository_path(repository));
        let (mut number, mut gap) = (1, String::new());
        for _ in 0..LOOKS {
            let query = format!("status={status}&per_page={PER_PAGE}&page={number}");
            let page: Page<ListedRun> = self.get(repository, subject, format!("{path}?{query}")).await?;
            let counted = page.total.unwrap_or_default().min(LAST_PAGE * PER_PAGE);
            let last = counted.div_ceil(PER_PAGE).max(1);
            let due = counted.saturating_sub((number - 1) * PER_PAGE);
            // Of a page that is not full there is no more, whatever the count says.
            let whole = page.items.len() == due || (due..PER_PAGE).contains(&page.items.len());
            if number == last && whole {
                return Ok(page.items);
            }
            let held = page.items.len();
            gap = format!("it counts {counted} `workflow_runs`, and page {number} holds {held}");
            number = last;
        }
        Err(Failure::malformed(Service::GitHub, subject, &gap))
    }
}

/// Nothing where the token may not look.
fn readable<T>(answered: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answered {
        Err(failure) if failure.is_hidden() => Ok(None),
        answered => answered.map(Some),
    }
}
