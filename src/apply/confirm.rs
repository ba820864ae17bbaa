//! Follows a deployment until it serves. No secret is needed for it, so any run may do it.

use std::time::Duration;

use tokio::time::Instant;

use super::progress::{Story, UNTIL_IT_SHOWS, pauses};
use super::{Writers, apps, look};
use crate::model::desired::AppRef;
use crate::model::key::AccessKeyId;
use crate::model::name::{Family, Mark};
use crate::model::problem::Problem;
use crate::model::spec::AppSpec;
use crate::model::time::Timestamp;
use crate::plan::generations::{Generation, Generations};
use crate::remedy::problem;
use crate::remote::digitalocean::{Deployment, Phase};
use crate::remote::{DigitalOcean, Interrupted};

/// How many lines of a failed component's log are shown.
const LOG_LINES: usize = 20;

/// What shall be served.
pub(super) struct Awaited<'a> {
    pub(super) app: &'a AppRef,
    pub(super) id: &'a str,
    /// The keys that the deployment must carry, each with its family.
    pub(super) keys: Vec<(&'a Family, AccessKeyId)>,
    /// How long a deployment may take: one that is older and still on its way counts as failed.
    pub(super) patience: Duration,
}

/// What shows of the keys in the app.
pub(super) enum Found {
    /// A deployment that carries them serves.
    Serves,
    /// Another run has delivered a newer key.
    Replaced(Generation),
    /// The deployment of this id is on its way, and is to carry them.
    Coming(String),
    /// No deployment carries them.
    Nothing,
}

/// How a wait ended well.
pub(super) enum Served {
    /// A deployment that carries the keys serves.
    Serves,
    /// Another run has delivered a newer key meanwhile, so that nobody needs this deployment any more.
    Replaced(Generation),
}

/// Why the keys are not served.
pub(super) enum Unserved {
    /// App Platform creates no deployment for the spec that names them; and what to say if it stays so.
    NoDeployment(Problem),
    /// The deployment failed, takes too long, or cannot be looked at.
    Failed(Problem),
}

impl From<Problem> for Unserved {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl Awaited<'_> {
    /// What carries the keys. A deployment may show a moment after the save that it comes of, so where there is none it is
    /// looked for a few times.
    pub(super) async fn find(&self, writers: &Writers<'_>) -> Result<Found, Problem> {
        let Some(wait) = self.wait(writers) else {
            return Ok(Found::Serves);
        };
        for pause in UNTIL_IT_SHOWS {
            match wait.find().await? {
                Found::Nothing => {}
                found => return Ok(found),
            }
            if writers.shutdown.sleep(pause).await.is_err() {
                break;
            }
        }
        wait.find().await
    }

    /// Waits for what was found, or for whatever carries the keys, for as long as it may take.
    pub(super) async fn follow(
        &self,
        writers: &Writers<'_>,
        found: Option<Found>,
    ) -> Result<Served, Unserved> {
        let Some(wait) = self.wait(writers) else {
            return Ok(Served::Serves);
        };
        let mut next = match found {
            Some(found) => found,
            None => wait.find().await?,
        };
        loop {
            next = match next {
                Found::Serves => return Ok(Served::Serves),
                Found::Replaced(by) => return Ok(Served::Replaced(by)),
                Found::Coming(id) => wait.outcome_of(&id).await?,
                Found::Nothing => Found::Coming(wait.redeploy().await?),
            }
        }
    }

    /// PUTs the spec as it is: `POST …/deployments` would ship new code. Returns the deployment that comes of it.
    pub(super) async fn redeploy(&self, writers: &Writers<'_>) -> Result<Option<String>, Problem> {
        let put = apps::put(writers, self.app, self.id, &[], None)
            .await
            .map_err(|failure| failure.problem)?;
        writers.ledger.did(
            self.subject(),
            "spec PUT again, because no deployment carries the current key",
        );
        Ok(put.deployment)
    }

    fn wait<'w>(&'w self, writers: &'w Writers<'w>) -> Option<Wait<'w>> {
        Some(Wait {
            awaited: self,
            writers,
            digitalocean: writers.digitalocean?,
            deadline: crate::remote::deadline(self.patience),
        })
    }

    fn is_carried_by(&self, deployment: &Deployment) -> bool {
        let names_all = |spec: &AppSpec| self.keys.iter().all(|(_, key)| spec.names(key));
        deployment.spec.as_ref().is_some_and(names_all)
    }

    fn subject(&self) -> String {
        format!("app {}", self.app)
    }
}

/// One wait for what shall be served.
struct Wait<'a> {
    awaited: &'a Awaited<'a>,
    writers: &'a Writers<'a>,
    digitalocean: &'a DigitalOcean,
    deadline: Instant,
}

impl Wait<'_> {
    /// Waits for the end of a deployment. One that was overtaken, or failed and was mended meanwhile, counts by what
    /// came instead of it.
    async fn outcome_of(&self, deployment: &str) -> Result<Found, Problem> {
        let last = self.end_of(deployment).await?;
        let serves =
            last.phase == Phase::Active && (last.spec.is_none() || self.awaited.is_carried_by(&last));
        if serves {
            return Ok(Found::Serves);
        }
        match self.find().await? {
            Found::Coming(id) if id != deployment => return Ok(Found::Coming(id)),
            Found::Serves => return Ok(Found::Serves),
            _ => {}
        }
        match self.successor().await? {
            Some(by) => Ok(Found::Replaced(by)),
            None => Err(self.failed(&last).await),
        }
    }

    /// A key of another run that is being delivered, or was, after one that is waited for.
    async fn successor(&self) -> Result<Option<Generation>, Problem> {
        let observed = look(self.writers).await?;
        let newer = |(family, key): &(&Family, AccessKeyId)| {
            let Generations { active, rivals, .. } = Generations::of(family, &observed);
            let delivering = rivals
                .into_iter()
                .filter(|rival| rival.name.mark == Mark::Delivering);
            let current = active.into_iter().next();
            delivering.chain(current).find(|newer| newer.key.id != *key)
        };
        Ok(self.awaited.keys.iter().find_map(newer))
    }

    /// Waits for a phase that does not change by itself any more. The phase alone tells: early on a deployment has no
    /// steps at all, so that all of them are done.
    async fn end_of(&self, deployment: &str) -> Result<Deployment, Problem> {
        let (mut pauses, mut story) = (pauses(), Story::new(self.awaited.app));
        loop {
            let now = self.digitalocean.deployment(self.awaited.id, deployment).await;
            let now = now.map_err(|failure| problem(&failure))?;
            if now.phase.is_over() {
                return Ok(now);
            }
            story.tell(&now);
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.timed_out(&now));
            }
            let pause = pauses.next().unwrap_or(left).min(left);
            let slept = self.writers.shutdown.sleep(pause).await;
            slept.map_err(|stopped| self.interrupted(deployment, stopped))?;
        }
    }

    async fn find(&self) -> Result<Found, Problem> {
        let app = self.digitalocean.app(self.awaited.id).await;
        let app = app.map_err(|failure| problem(&failure))?;
        let carries = |deployment: &Deployment| self.awaited.is_carried_by(deployment);
        if self.serving(app.active).await?.as_ref().is_some_and(carries) {
            return Ok(Found::Serves);
        }
        let mut coming = [app.pending, app.in_progress].into_iter().flatten();
        let coming = coming.find(|coming| carries(coming) && self.is_fresh(coming.created_at));
        Ok(coming.map_or(Found::Nothing, |coming| Found::Coming(coming.id)))
    }

    /// The deployment that serves, with its spec: what the app's reply leaves out is no evidence.
    async fn serving(&self, shown: Option<Deployment>) -> Result<Option<Deployment>, Problem> {
        let id = self.awaited.id;
        let shown = if shown.is_some() {
            shown
        } else {
            let listed = self.digitalocean.deployments(id).await;
            let listed = listed.map_err(|failure| problem(&failure))?;
            listed.into_iter().find(|one| one.phase == Phase::Active)
        };
        match shown {
            Some(bare) if bare.spec.is_none() => {
                let read = self.digitalocean.deployment(id, &bare.id).await;
                read.map(Some).map_err(|failure| problem(&failure))
            }
            shown => Ok(shown),
        }
    }

    fn is_fresh(&self, created_at: Option<Timestamp>) -> bool {
        let age = created_at.zip(self.digitalocean.now());
        age.is_none_or(|(created_at, now)| now.since(created_at) < self.awaited.patience)
    }

    /// One that shows so late that the PUT has not seen it is looked for once more.
    async fn redeploy(&self) -> Result<String, Unserved> {
        if let Some(id) = self.awaited.redeploy(self.writers).await? {
            return Ok(id);
        }
        match self.find().await? {
            Found::Coming(id) => Ok(id),
            Found::Serves | Found::Replaced(_) | Found::Nothing => {
                Err(Unserved::NoDeployment(self.never_created()))
            }
        }
    }

    fn never_created(&self) -> Problem {
        let what = "App Platform creates no deployment for the spec that names the current key";
        let remedy = "Deploy the app once in the control panel; both keys stay valid meanwhile.";
        Problem::new(self.awaited.subject(), what, remedy)
    }

    async fn failed(&self, deployment: &Deployment) -> Problem {
        let step = deployment.failed_step.as_ref();
        let component = step.and_then(|step| step.component.as_deref());
        let log = self
            .digitalocean
            .log_tail(self.awaited.id, &deployment.id, component, LOG_LINES);
        match log.await {
            Ok(tail) => tail.iter().for_each(|line| tracing::info!("  {line}")),
            Err(failure) => tracing::info!("  {failure}"),
        }
        let why = step.map_or(String::new(), |step| format!(": {step}"));
        let what = match deployment.phase {
            Phase::Active => format!("deployment {} serves without the current key", deployment.id),
            _ => format!("deployment {} ended {}{why}", deployment.id, deployment.phase),
        };
        let remedy =
            "Mend the app and run again; the old key stays valid until a deployment carries the new one.";
        Problem::new(self.awaited.subject(), what, remedy)
    }

    fn timed_out(&self, deployment: &Deployment) -> Problem {
        let what = format!(
            "deployment {} is still {} at the end of deployment-timeout",
            deployment.id, deployment.phase
        );
        Problem::new(
            self.awaited.subject(),
            what,
            "Run again to go on waiting; both keys stay valid meanwhile.",
        )
    }

    fn interrupted(&self, deployment: &str, Interrupted(cause): Interrupted) -> Problem {
        let what = format!("{cause} ended the wait for deployment {deployment}");
        Problem::new(
            self.awaited.subject(),
            what,
            "Run again to go on waiting; both keys stay valid meanwhile.",
        )
    }
}
