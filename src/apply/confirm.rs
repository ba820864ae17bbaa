//! Follows a deployment until it serves. No secret is needed for it, so any run may do it.

use std::time::Duration;

use tokio::time::Instant;

use super::{Writers, apps};
use crate::model::desired::AppRef;
use crate::model::key::AccessKeyId;
use crate::model::problem::Problem;
use crate::remedy::problem;
use crate::remote::DigitalOcean;
use crate::remote::digitalocean::{Deployment, Phase};
use crate::report::spoken;

/// The first pause between two looks; they grow by half. Ten minutes make about 36 requests.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause between two looks: what a person would still call prompt.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// How many lines of a failed component's log are shown.
const LOG_LINES: usize = 20;

/// What shall be served.
pub(super) struct Awaited<'a> {
    pub(super) app: &'a AppRef,
    pub(super) id: &'a str,
    /// The keys that the deployment must carry.
    pub(super) keys: Vec<AccessKeyId>,
}

impl Awaited<'_> {
    /// Follows `deployment`, or whatever carries the keys when there is none, for at most `timeout`.
    pub(super) async fn follow(
        &self,
        writers: &Writers<'_>,
        deployment: Option<String>,
        timeout: Duration,
    ) -> Result<(), Problem> {
        let Some(digitalocean) = writers.digitalocean else {
            return Ok(());
        };
        let deadline = Instant::now() + timeout;
        let mut deployment = match deployment {
            Some(id) => id,
            None => match self.find(digitalocean).await? {
                Found::Serves => return Ok(()),
                Found::Coming(id) => id,
                Found::Nothing => self.redeploy(writers).await?,
            },
        };
        loop {
            match self
                .outcome_of(writers, digitalocean, &deployment, deadline)
                .await?
            {
                None => return Ok(()),
                Some(successor) => deployment = successor,
            }
        }
    }

    /// `None` when the keys are served; another deployment's id when that one took over.
    async fn outcome_of(
        &self,
        writers: &Writers<'_>,
        digitalocean: &DigitalOcean,
        deployment: &str,
        deadline: Instant,
    ) -> Result<Option<String>, Problem> {
        let last = self.settle(writers, digitalocean, deployment, deadline).await?;
        match last.phase {
            Phase::Active => Ok(None),
            // Another save took its place; it counts only when the keys are in it.
            Phase::Superseded | Phase::Canceled => match self.find(digitalocean).await? {
                Found::Serves => Ok(None),
                Found::Coming(id) if id != deployment => Ok(Some(id)),
                _ => Err(self.failed(digitalocean, &last).await),
            },
            _ => Err(self.failed(digitalocean, &last).await),
        }
    }

    /// Waits for a phase that does not change by itself any more.
    async fn settle(
        &self,
        writers: &Writers<'_>,
        digitalocean: &DigitalOcean,
        deployment: &str,
        deadline: Instant,
    ) -> Result<Deployment, Problem> {
        let begun = Instant::now();
        let (mut pause, mut told) = (FIRST_PAUSE, String::new());
        loop {
            let now = digitalocean
                .deployment(self.id, deployment)
                .await
                .map_err(|failure| problem(&failure))?;
            if now.phase.is_over() {
                return Ok(now);
            }
            let progress = format!(
                "{} ({} of {} steps)",
                now.phase, now.progress.done, now.progress.total
            );
            if progress != told {
                tracing::info!(
                    "app {}: deployment {deployment} is {progress} after {}",
                    self.app,
                    spoken(begun.elapsed())
                );
                told = progress;
            }
            if Instant::now() + pause > deadline {
                return Err(self.timed_out(&now));
            }
            writers
                .shutdown
                .sleep(pause)
                .await
                .map_err(|_| self.interrupted(deployment))?;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    async fn find(&self, digitalocean: &DigitalOcean) -> Result<Found, Problem> {
        let app = digitalocean
            .app(self.id)
            .await
            .map_err(|failure| problem(&failure))?;
        let carries = |deployment: &Deployment| {
            deployment
                .spec
                .as_ref()
                .is_some_and(|spec| self.keys.iter().all(|key| spec.names(key)))
        };
        if app.active.as_ref().is_some_and(carries) {
            return Ok(Found::Serves);
        }
        let coming = [app.pending, app.in_progress].into_iter().flatten().find(carries);
        Ok(coming.map_or(Found::Nothing, |deployment| Found::Coming(deployment.id)))
    }

    /// PUTs the spec as it is: `POST …/deployments` would ship new code.
    async fn redeploy(&self, writers: &Writers<'_>) -> Result<String, Problem> {
        let put = apps::put(writers, self.app, self.id, &[], None)
            .await
            .map_err(|failure| failure.problem)?;
        writers.ledger.did(
            format!("app {}", self.app),
            "spec PUT again, because no deployment carries the current key",
        );
        put.deployment.ok_or_else(|| {
            let what = "App Platform creates no deployment for the spec that names the current key";
            Problem::new(
                self.subject(),
                what,
                "Deploy the app once in the control panel; both keys stay valid meanwhile.",
            )
        })
    }

    async fn failed(&self, digitalocean: &DigitalOcean, deployment: &Deployment) -> Problem {
        let step = deployment.failed_step.as_ref();
        let component = step.and_then(|step| step.component.as_deref());
        let tail = digitalocean
            .log_tail(self.id, &deployment.id, component, LOG_LINES)
            .await
            .unwrap_or_default();
        for line in &tail {
            tracing::info!("  {line}");
        }
        let why = step.map_or(String::new(), |step| format!(": {step}"));
        let what = format!("deployment {} ended {}{why}", deployment.id, deployment.phase);
        let remedy =
            "Mend the app and run again; the old key stays valid until a deployment carries the new one.";
        Problem::new(self.subject(), what, remedy)
    }

    fn timed_out(&self, deployment: &Deployment) -> Problem {
        let what = format!(
            "deployment {} is still {} at the end of deployment-timeout",
            deployment.id, deployment.phase
        );
        Problem::new(
            self.subject(),
            what,
            "Run again to go on waiting; both keys stay valid meanwhile.",
        )
    }

    fn interrupted(&self, deployment: &str) -> Problem {
        let what = format!("a signal ended the wait for deployment {deployment}");
        Problem::new(
            self.subject(),
            what,
            "Run again to go on waiting; both keys stay valid meanwhile.",
        )
    }

    fn subject(&self) -> String {
        format!("app {}", self.app)
    }
}

enum Found {
    Serves,
    Coming(String),
    Nothing,
}
