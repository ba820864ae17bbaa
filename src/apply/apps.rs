//! The PUT of an app spec: fresh GET, edit, PUT, look.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::Writers;
use super::progress::UNTIL_IT_SHOWS;
use crate::model::desired::AppRef;
use crate::model::problem::Problem;
use crate::model::spec::{AppSpec, Env, EnvKind, NoSuchComponent, Place};
use crate::plan::saves::{Contradiction, Judged, Saves, Version};
use crate::remedy::problem;
use crate::remote::digitalocean::{App, Deployment};
use crate::remote::{DigitalOcean, FailureKind, Shutdown, WriteFailure};

/// How often a spec is sent whose replies are lost without a trace in the app.
const LOST_TRIED: usize = 3;

/// How often a spec is sent that is answered as if it had been taken, and does not stand: once more may be a mistake of one
/// server, twice is none.
const HOLLOW_TRIED: usize = 2;

/// How often a spec is sent in all, because others save the app again and again. Every save that we replace costs one.
const SENT_AT_MOST: usize = 6;

/// What a PUT brought about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Put {
    /// The app's id.
    pub(super) id: String,
    /// Whether a spec was sent at all; the app may have held everything already.
    pub(super) sent: bool,
    /// The deployment that carries the change; App Platform may create none.
    pub(super) deployment: Option<String>,
}

/// Why the change is not in the app, as far as can be told.
#[derive(Debug)]
pub(super) struct PutFailure {
    pub(super) problem: Problem,
    /// Whether the app may hold the change all the same.
    pub(super) touched: bool,
}

/// Writes these variables, and nothing else, into the app; without any, the spec is sent back as it is. Nothing is sent
/// when the app holds all of it already. What bears a secret is sent within its `lease` or not at all.
pub(super) async fn put(
    writers: &Writers<'_>,
    app: &AppRef,
    id: &str,
    edits: &[(Place, Env)],
    lease: Option<Instant>,
) -> Result<Put, PutFailure> {
    let Some(digitalocean) = writers.digitalocean else {
        return Err(untouched(no_client(app)));
    };
    let writer = lease.map_or_else(
        || digitalocean.clone(),
        |lease| digitalocean.until(lease.into_std()),
    );
    let errand = Errand {
        app,
        id,
        edits,
        digitalocean,
        writer,
        lease,
    };
    errand.run(writers.shutdown).await
}

/// One change to one app.
struct Errand<'a> {
    app: &'a AppRef,
    id: &'a str,
    edits: &'a [(Place, Env)],
    digitalocean: &'a DigitalOcean,
    /// The same client, which sends nothing again after the lease.
    writer: DigitalOcean,
    lease: Option<Instant>,
}

/// The app, and the deployments that existed before it was read: a save between the two is then seen in the spec, where
/// the other order would take it for known and lose it.
struct Seen {
    known: BTreeSet<String>,
    app: App,
}

/// How a PUT was answered.
enum Answer {
    /// With the app, as it is said to be now.
    App(Box<App>),
    /// As a success, by something that is no app.
    Hollow(Problem),
    /// Not, or not in a way that tells whether it was carried out.
    Lost(Problem),
}

impl Errand<'_> {
    async fn run(&self, shutdown: &Shutdown) -> Result<Put, PutFailure> {
        let Seen { known, app } = self.look().await.map_err(untouched)?;
        if self.is_needless(&app.spec) {
            return Ok(self.put(false, None));
        }
        let saves = Saves::since(app.spec, self.edits);
        let mut saves = saves.map_err(|missing| untouched(misplaced(self.app, &missing)))?;
        let (mut spec, mut in_vain) = (saves.first().clone(), 0);
        for sent in 1..=SENT_AT_MOST {
            let answer = self.send(&spec, sent > 1).await?;
            saves.sent(spec, answer.deployment(&known));
            let judged = self.outcome(&mut saves, &answer, &known, shutdown).await;
            let judged = judged.map_err(doubtful)?;
            in_vain = if judged.landed { 0 } else { in_vain + 1 };
            let Some(next) = self.next(&judged, &saves, &answer) else {
                return Ok(self.put(true, judged.deployment));
            };
            if in_vain >= answer.tries() || (in_vain > 0 && shutdown.requested()) {
                return Err(doubtful(answer.unwritten(self.app)));
            }
            spec = next;
        }
        Err(doubtful(contested(self.app)))
    }

    /// What is to be sent next; nothing where all stands. A spec that changes nothing shows only in its deployment.
    fn next(&self, judged: &Judged, saves: &Saves<'_>, answer: &Answer) -> Option<AppSpec> {
        if judged.landed && judged.wanted.is_some() {
            let app = self.app;
            tracing::info!(
                "app {app}: somebody saved it meanwhile, so their change and ours are brought together"
            );
        }
        let lost = !matches!(answer, Answer::App(_));
        let is_unseen = self.edits.is_empty() && lost && judged.deployment.is_none();
        let again = || is_unseen.then(|| saves.first().clone());
        judged.wanted.clone().or_else(again)
    }

    async fn look(&self) -> Result<Seen, Problem> {
        let known = deployments(self.digitalocean, self.id).await?;
        let known = known.into_iter().map(|deployment| deployment.id).collect();
        let app = self.read().await?;
        Ok(Seen { known, app })
    }

    async fn read(&self) -> Result<App, Problem> {
        let app = self.digitalocean.app(self.id).await;
        app.map_err(|failure| problem(&failure))
    }

    /// Whether the app holds all of it already, as far as can be read: a secret may be an older one.
    fn is_needless(&self, spec: &AppSpec) -> bool {
        let readable_only = self.edits.iter().all(|(_, env)| env.kind == EnvKind::General);
        !self.edits.is_empty() && readable_only && holds(spec, self.edits)
    }

    /// Sends the spec, once. `touched`: an earlier PUT may have taken effect.
    async fn send(&self, spec: &AppSpec, touched: bool) -> Result<Answer, PutFailure> {
        if self.lease.is_some_and(|lease| Instant::now() > lease) {
            let problem = too_late(self.app);
            return Err(PutFailure { problem, touched });
        }
        match self.writer.update_app(self.id, spec).await {
            Ok(app) => Ok(Answer::App(Box::new(app))),
            Err(WriteFailure::Lost(failure)) if failure.kind == FailureKind::Malformed => {
                Ok(Answer::Hollow(problem(&failure)))
            }
            Err(WriteFailure::Lost(failure)) => Ok(Answer::Lost(problem(&failure))),
            Err(WriteFailure::Refused(failure)) => Err(PutFailure {
                problem: problem(&failure),
                touched: touched || self.may_hold_it().await,
            }),
        }
    }

    /// Whether the app holds the change although it was refused: what stands between may refuse what was done.
    async fn may_hold_it(&self) -> bool {
        let app = self.digitalocean.app(self.id).await;
        app.map_or(true, |app| holds(&app.spec, self.edits))
    }

    /// What has become of the spec that was sent last, and of the saves beside it. Its deployment is looked for until it
    /// shows. The app itself is read where that is not at once, and before anything is sent again.
    async fn outcome(
        &self,
        saves: &mut Saves<'_>,
        answer: &Answer,
        known: &BTreeSet<String>,
        shutdown: &Shutdown,
    ) -> Result<Judged, Problem> {
        let mut pauses = UNTIL_IT_SHOWS.into_iter();
        let mut seen = self.made_since(known).await?;
        if let (Answer::App(_), Ok(judged)) = (answer, saves.judge(seen.clone(), None))
            && judged.wanted.is_none()
            && shows(&judged, &seen)
        {
            return Ok(judged);
        }
        loop {
            let standing = self.read().await?.spec;
            let nothing_happened = !self.edits.is_empty() && seen.is_empty() && saves.is_as_read(&standing);
            let judged = saves.judge(seen.clone(), Some(standing));
            let judged = judged.map_err(|contradiction| contradictory(self.app, &contradiction))?;
            let waits = !nothing_happened && !shows(&judged, &seen);
            let pause = pauses.next().filter(|_| waits);
            let Some(pause) = pause else { return Ok(judged) };
            if shutdown.sleep(pause).await.is_err() {
                return Ok(judged);
            }
            seen = self.made_since(known).await?;
        }
    }

    /// The deployments that were made since the app was read, newest first. One that is listed without its spec is read by
    /// itself: what somebody saved must not be guessed.
    async fn made_since(&self, known: &BTreeSet<String>) -> Result<Vec<Version>, Problem> {
        let listed = deployments(self.digitalocean, self.id).await?;
        let mut made = Vec::new();
        for mut deployment in listed.into_iter().filter(|one| !known.contains(&one.id)) {
            if deployment.spec.is_none() {
                let read = self.digitalocean.deployment(self.id, &deployment.id).await;
                deployment = read.map_err(|failure| problem(&failure))?;
            }
            let Some(spec) = deployment.spec else {
                return Err(bare(self.app, &deployment.id));
            };
            made.push(Version {
                deployment: Some(deployment.id),
                previous: deployment.previous,
                spec,
            });
        }
        Ok(made)
    }

    fn put(&self, sent: bool, deployment: Option<String>) -> Put {
        Put {
            id: self.id.to_owned(),
            sent,
            deployment,
        }
    }
}

impl Answer {
    /// The deployment that it names as what came of the update (`app.yml` of digitalocean/openapi: the pending one).
    fn deployment(&self, known: &BTreeSet<String>) -> Option<String> {
        let Self::App(app) = self else { return None };
        let pending = app.pending.as_ref()?.id.clone();
        (!known.contains(&pending)).then_some(pending)
    }

    /// How often what is answered so, and shows nowhere, is sent.
    fn tries(&self) -> usize {
        match self {
            Self::App(_) | Self::Hollow(_) => HOLLOW_TRIED,
            Self::Lost(_) => LOST_TRIED,
        }
    }

    fn unwritten(&self, app: &AppRef) -> Problem {
        match self {
            Self::Lost(problem) => problem.clone(),
            Self::App(_) => unwritten(app, "the update was answered as done"),
            Self::Hollow(problem) => unwritten(app, &problem.what),
        }
    }
}

/// Whether the deployment of what was sent is listed: then those of all saves before it are too.
fn shows(judged: &Judged, listed: &[Version]) -> bool {
    let named = judged.deployment.as_ref().filter(|_| judged.landed);
    let mut listed = listed.iter().filter_map(|version| version.deployment.as_ref());
    named.is_some_and(|id| listed.any(|listed| listed == id))
}

async fn deployments(digitalocean: &DigitalOcean, id: &str) -> Result<Vec<Deployment>, Problem> {
    let listed = digitalocean.deployments(id).await;
    listed.map_err(|failure| problem(&failure))
}

/// Whether the app's spec holds all of these variables; secrets count when they are encrypted.
pub(super) async fn still_holds(
    digitalocean: &DigitalOcean,
    id: &str,
    edits: &[(Place, Env)],
) -> Result<bool, Problem> {
    let app = digitalocean.app(id).await.map_err(|failure| problem(&failure))?;
    Ok(holds(&app.spec, edits))
}

fn holds(spec: &AppSpec, edits: &[(Place, Env)]) -> bool {
    edits.iter().all(|(place, env)| spec.has(place, env))
}

fn doubtful(problem: Problem) -> PutFailure {
    PutFailure {
        problem,
        touched: true,
    }
}

fn untouched(problem: Problem) -> PutFailure {
    PutFailure {
        problem,
        touched: false,
    }
}

fn misplaced(app: &AppRef, missing: &NoSuchComponent) -> Problem {
    Problem::new(
        format!("app {app}"),
        missing.to_string(),
        "Correct app-components.",
    )
}

fn unwritten(app: &AppRef, answer: &str) -> Problem {
    let what = format!("it does not show the spec that was sent twice, though {answer}");
    let remedy = "Run again; if it stays so, save the app once in the control panel.";
    Problem::new(format!("app {app}"), what, remedy)
}

fn contradictory(app: &AppRef, contradiction: &Contradiction) -> Problem {
    let remedy = "Nothing more was sent. Save the app as it should be, and run again.";
    Problem::new(format!("app {app}"), contradiction.to_string(), remedy)
}

fn bare(app: &AppRef, deployment: &str) -> Problem {
    let what = format!("deployment {deployment} does not show what was saved with it");
    let remedy = "Nothing more was sent, since a save could be lost. Run again.";
    Problem::new(format!("app {app}"), what, remedy)
}

fn contested(app: &AppRef) -> Problem {
    let what = "somebody else saves it again and again";
    Problem::new(format!("app {app}"), what, "Run again when nobody edits the app.")
}

fn too_late(app: &AppRef) -> Problem {
    let what = "the lease of the new key ended before the app could be given it";
    Problem::new(
        format!("app {app}"),
        what,
        "Run again: it mints anew and delivers everywhere.",
    )
}

fn no_client(app: &AppRef) -> Problem {
    Problem::new(
        format!("app {app}"),
        "there is no DigitalOcean token to reach it with",
        "Set digitalocean-token.",
    )
}
