//! Workflow runs: whether the run that minted a key still lives, and whether any run may still use an old one.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use serde::Deserialize;

use super::super::failure::{Failure, FailureKind, Service};
use super::super::json::time;
use super::super::page::{Listed, Page};
use super::super::paging::List;
use super::{GitHub, host_of, repository_path};
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

/// How many runs a list with a filter shows; its count may end there too ("List workflow runs for a repository").
const SEARCH_SHOWS: usize = 1_000;

/// How often the runs are read, at most, until two readings agree. Runs created by a past time become fewer and never more,
/// so that more readings than these disagree means that the lists cannot be trusted.
const READINGS: usize = 5;

/// After this time since its creation no run runs any more. GitHub cancels a run after 35 days ("Actions limits"), and one
/// may be started once more within 30 days of its first attempt ("Re-running workflows and jobs"). A day is for two clocks.
const LONGEST_LIFE: Duration = Duration::from_hours((35 + 30 + 1) * 24);

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

    /// The workflow runs created by a time that have not ended, queued and waiting ones included; nothing known where the
    /// token may not look.
    ///
    /// There is no list of unfinished runs: `status` takes one word, and the list of all runs has every finished one too.
    /// So a reading takes the newest 100 of all runs by that time. Where these are all, each is there with the status that
    /// it has at that moment. Otherwise a list by each status is read beside it, and a run that changes its status between
    /// two of them is on none. Therefore the readings are repeated until two in a row show the same runs; what any of them
    /// showed counts as unfinished.
    ///
    /// `Excessive` when more runs of one status are found than GitHub shows, `Malformed` when no two readings agree.
    pub async fn unfinished_runs(
        &self,
        repository: &Repository,
        created: Created,
    ) -> Result<Unfinished, Failure> {
        let Some(range) = created.range() else {
            return Ok(Unfinished::Runs(Vec::new()));
        };
        let search = Search {
            github: self,
            repository,
            range,
        };
        let Some(first) = readable(search.newest().await)? else {
            return Ok(Unfinished::Unknown);
        };
        let mut last = search.unfinished(first).await?;
        let mut seen = last.clone();
        for _ in 1..READINGS {
            let again = search.unfinished(search.newest().await?).await?;
            seen.extend(&again);
            if again == last {
                return Ok(Unfinished::Runs(seen.into_iter().collect()));
            }
            last = again;
        }
        Err(search.unsteady())
    }
}

/// When the runs were created that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    /// The present time.
    pub now: Timestamp,
    /// The last second that matters; nothing where all do.
    pub until: Option<Timestamp>,
}

impl Created {
    /// In the words of GitHub's search; nothing where every run of that time is over.
    fn range(self) -> Option<String> {
        let from = self.now.before(LONGEST_LIFE);
        match self.until {
            Some(until) if until < from => None,
            Some(until) => Some(format!("{from}..{until}")),
            None => Some(format!("{from}..*")),
        }
    }
}

/// A search for the runs of one repository that were created in a range of time.
struct Search<'a> {
    github: &'a GitHub,
    repository: &'a Repository,
    range: String,
}

impl Search<'_> {
    /// The first page of all runs, finished ones included.
    async fn newest(&self) -> Result<Page<ListedRun>, Failure> {
        let subject = format!("list workflow runs of {}", self.repository);
        let page = self.page(&subject, "", 1).await?;
        let (counted, held) = (page.total.unwrap_or_default(), page.items.len());
        if held < counted.min(PER_PAGE) || held > counted {
            let why = format!("it counts {counted} `workflow_runs`, and its first page holds {held}");
            return Err(Failure::malformed(Service::GitHub, &subject, &why));
        }
        Ok(page)
    }

    /// The unfinished runs, as one reading shows them that begins with the newest.
    async fn unfinished(&self, newest: Page<ListedRun>) -> Result<BTreeSet<UnfinishedRun>, Failure> {
        let is_whole = newest.total == Some(newest.items.len());
        let mut runs = newest.items;
        if !is_whole {
            let lists = UNFINISHED.map(|status| self.of_status(status));
            for list in join_all(lists).await {
                runs.extend(list?);
            }
        }
        // One that ended since a list was made may still stand in it.
        let unfinished = runs
            .into_iter()
            .filter(|run| run.status.as_deref() != Some("completed"));
        let read = |ListedRun { id, created_at, .. }| UnfinishedRun { created_at, id };
        Ok(unfinished.map(read).collect())
    }

    async fn of_status(&self, status: &str) -> Result<Vec<ListedRun>, Failure> {
        let subject = format!("list {status} workflow runs of {}", self.repository);
        let filter = format!("status={status}&");
        let list = List {
            service: Service::GitHub,
            subject: &subject,
            host: host_of(&self.github.base),
        };
        match list
            .whole(|number| self.shown_page(&subject, &filter, number))
            .await
        {
            Err(Failure {
                kind: FailureKind::Invalid,
                ..
            }) if !KNOWN_EVERYWHERE.contains(&status) => Ok(Vec::new()),
            listed => listed,
        }
    }

    /// A page of a list that GitHub shows to its end.
    async fn shown_page(
        &self,
        subject: &str,
        filter: &str,
        number: usize,
    ) -> Result<Page<ListedRun>, Failure> {
        let page = self.page(subject, filter, number).await?;
        let counted = page.total.unwrap_or_default();
        if counted >= SEARCH_SHOWS {
            let why =
                format!("it counts {counted} `workflow_runs`, and GitHub shows {SEARCH_SHOWS} of a list");
            return Err(Failure::new(
                Service::GitHub,
                subject,
                FailureKind::Excessive,
                &why,
            ));
        }
        Ok(page)
    }

    async fn page(&self, subject: &str, filter: &str, number: usize) -> Result<Page<ListedRun>, Failure> {
        let (path, range) = (repository_path(self.repository), &self.range);
        let query = format!("{filter}created={range}&per_page={PER_PAGE}&page={number}");
        let path = format!("{path}/actions/runs?{query}");
        self.github.get(self.repository, subject, path).await
    }

    fn unsteady(&self) -> Failure {
        let subject = format!("list workflow runs of {}", self.repository);
        let why = format!("no two of {READINGS} readings show the same unfinished runs");
        Failure::malformed(Service::GitHub, &subject, &why)
    }
}

/// Nothing where the token may not look.
fn readable<T>(answered: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answered {
        Err(failure) if failure.is_hidden() => Ok(None),
        answered => answered.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_asked_for_as_far_back_as_one_can_still_run() {
        let now = Timestamp::from_rfc3339("2026-11-28T04:00:00Z").expect("a time");
        let range = |until: Option<&str>| {
            let until = until.map(|until| Timestamp::from_rfc3339(until).expect("a time"));
            Created { now, until }.range()
        };
        let delivered = range(Some("2026-11-27T04:00:00Z"));
        assert_eq!(
            delivered.as_deref(),
            Some("2026-09-23T04:00:00Z..2026-11-27T04:00:00Z")
        );
        assert_eq!(range(None).as_deref(), Some("2026-09-23T04:00:00Z..*"));
        assert_eq!(range(Some("2026-09-23T03:59:59Z")), None);
    }
}
