//! Workflow runs.

/// A run of a workflow, at its latest attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number, the same for all attempts.
    pub id: u64,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// `queued`, `in_progress`, `waiting`, `requested`, `pending` or `completed`.
    pub status: String,
    /// `success`, `failure`, `cancelled` and so on; `None` until it is completed.
    pub conclusion: Option<String>,
    /// When it was created, in Unix seconds.
    pub created_at: i64,
    /// When its state last changed, in Unix seconds.
    pub updated_at: i64,
    /// Name of the workflow.
    pub name: String,
    /// What set it off, such as `schedule` or `push`.
    pub event: String,
    /// In how many passes over the lists by status it is on none: it changes its status while they are read. A pass ends
    /// when a status is asked for once more.
    pub eludes: u32,
    /// The statuses that this pass has asked for.
    asked: Vec<String>,
}

impl Run {
    /// A run that is under way since `created_at` (Unix seconds).
    #[must_use]
    pub fn in_progress(id: u64, created_at: i64) -> Self {
        Self {
            id,
            attempt: 1,
            status: "in_progress".to_owned(),
            conclusion: None,
            created_at,
            updated_at: created_at,
            name: "CI".to_owned(),
            event: "push".to_owned(),
            eludes: 0,
            asked: Vec::new(),
        }
    }

    /// The same run, which eludes so many passes over the lists by status.
    #[must_use]
    pub fn eluding(mut self, passes: u32) -> Self {
        self.eludes = passes;
        self
    }

    /// The same run, waiting for a runner.
    #[must_use]
    pub fn queued(mut self) -> Self {
        "queued".clone_into(&mut self.status);
        self
    }

    /// The same run, over, with a conclusion such as `success`.
    #[must_use]
    pub fn completed(mut self, conclusion: &str) -> Self {
        self.finish(conclusion);
        self
    }

    /// The same run at a later attempt.
    #[must_use]
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// Ends the run.
    pub fn finish(&mut self, conclusion: &str) {
        "completed".clone_into(&mut self.status);
        self.conclusion = Some(conclusion.to_owned());
    }

    /// The list of this status is about to be read.
    pub(super) fn is_looked_for(&mut self, status: &str) {
        if self.asked.iter().any(|asked| asked == status) {
            self.asked.clear();
            self.eludes = self.eludes.saturating_sub(1);
        }
        if self.eludes == 0 {
            return;
        }
        if self.is(status) {
            let elsewhere = if status == "queued" {
                "in_progress"
            } else {
                "queued"
            };
            self.status = self.asked.last().map_or(elsewhere, String::as_str).to_owned();
        }
        self.asked.push(status.to_owned());
    }

    /// Whether the `status` parameter of a list asks for it: status or conclusion.
    pub(super) fn is(&self, status: &str) -> bool {
        self.status == status || self.conclusion.as_deref() == Some(status)
    }
}
