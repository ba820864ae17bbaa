//! What happens again and again by the sandbox's clock, whoever looks: pushes that deploy an app, another tool that writes
//! a secret.

use std::time::Duration;

use crate::digitalocean::DigitalOcean;
use crate::github::GitHub;

/// Something that happens at regular times of the sandbox's clock.
#[derive(Debug, Clone)]
pub struct Routine {
    /// Seconds between two times.
    every: i64,
    /// The next time, in Unix seconds.
    next: i64,
    deed: Deed,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Somebody pushes: the app is deployed as it stands and is live at once, unless a deployment is under way.
    Deploy {
        /// The app's name.
        app: String,
    },
    /// Another tool writes an Actions secret.
    WriteSecret {
        /// `owner/name`.
        repository: String,
        /// The secret's name.
        name: String,
        /// What it writes each time.
        value: String,
    },
}

impl Routine {
    /// A deed that is first done one span after `now` (Unix seconds). A span below a second counts as one.
    #[must_use]
    pub fn every(span: Duration, now: i64, deed: Deed) -> Self {
        let every = i64::try_from(span.as_secs()).unwrap_or(i64::MAX).max(1);
        let next = now.saturating_add(every);
        Self { every, next, deed }
    }
}

/// Does all that is due by `now` (Unix seconds), each at its own time and the earliest first.
pub(crate) fn carry_on(
    routines: &mut [Routine],
    now: i64,
    digitalocean: &mut DigitalOcean,
    github: &mut GitHub,
) {
    while let Some(due) = routines.iter_mut().min_by_key(|routine| routine.next) {
        if due.next > now {
            return;
        }
        let at = due.next;
        due.next = at.saturating_add(due.every);
        match &due.deed {
            Deed::Deploy { app } => {
                if let Some(app) = digitalocean.app_mut(app) {
                    app.deploy_at_once("Commit pushed", at);
                }
            }
            Deed::WriteSecret {
                repository,
                name,
                value,
            } => {
                if let Some(repository) = github.repository_mut(repository) {
                    repository.secrets.set(name, value.as_str(), at);
                }
            }
        }
    }
}
