//! The PUT of an app spec: fresh GET, edit, PUT, look.

use tokio::time::Instant;

use super::Writers;
use crate::model::desired::AppRef;
use crate::model::problem::Problem;
use crate::model::spec::{AppSpec, Env, EnvKind, Place};
use crate::remedy::problem;
use crate::remote::digitalocean::{App, Deployment};
use crate::remote::{DigitalOcean, WriteFailure};

/// How often a PUT is sent whose replies are lost without a trace in the app.
const PUTS_TRIED: usize = 3;

/// What a PUT brought about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Put {
    /// The app's id.
    pub(super) id: String,
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

/// Writes these variables, and nothing else, into the app; without any, the spec is sent back as it is. What bears a
/// secret is sent within its `lease` or not at all.
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
    let (mut before, known) = errand.look().await.map_err(untouched)?;
    let mut base = before.spec.clone();
    for tried in 0..PUTS_TRIED {
        let last = tried + 1 == PUTS_TRIED || writers.shutdown.requested();
        match errand.send(&base, tried > 0).await {
            Ok(after) => {
                let put = done(app, id, &before, &after, edits)?;
                let Some(saved) = errand
                    .overwritten(&known, &put, &before.spec)
                    .await
                    .map_err(doubtful)?
                else {
                    return Ok(put);
                };
                tracing::info!(
                    "app {app}: somebody saved it meanwhile, so their spec is given the variables too"
                );
                (before, _) = errand.look().await.map_err(doubtful)?;
                base = saved;
            }
            Err(Sending::Refused(failure)) => return Err(failure),
            Err(Sending::Lost(problem)) if last => return Err(doubtful(problem)),
            Err(Sending::Lost(_)) => {
                (before, _) = errand.look().await.map_err(doubtful)?;
                if holds(&before.spec, edits) {
                    return Ok(Put {
                        id: id.to_owned(),
                        deployment: newest(&before),
                    });
                }
                base = before.spec.clone();
            }
        }
    }
    Err(doubtful(contested(app)))
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

/// Why a PUT has no answer that would do.
enum Sending {
    Refused(PutFailure),
    Lost(Problem),
}

impl Errand<'_> {
    /// The app, and the deployments that existed before it was read: a save between the two is then seen in the spec,
    /// where the other order would take it for known and lose it.
    async fn look(&self) -> Result<(App, Vec<Deployment>), Problem> {
        let listed = deployments(self.digitalocean, self.id).await?;
        let app = self
            .digitalocean
            .app(self.id)
            .await
            .map_err(|failure| problem(&failure))?;
        Ok((app, listed))
    }

    /// Sends `base` with the change, once. `touched`: an earlier PUT may have taken effect.
    async fn send(&self, base: &AppSpec, touched: bool) -> Result<App, Sending> {
        let refused = |problem| Sending::Refused(PutFailure { problem, touched });
        let spec = edited(self.app, base, self.edits).map_err(refused)?;
        if self.lease.is_some_and(|lease| Instant::now() > lease) {
            return Err(refused(too_late(self.app)));
        }
        self.writer
            .update_app(self.id, &spec)
            .await
            .map_err(|failure| match failure {
                WriteFailure::Refused(failure) => refused(problem(&failure)),
                WriteFailure::Lost(failure) => Sending::Lost(problem(&failure)),
            })
    }

    /// What somebody else saved between our read of the app and our PUT, which replaced it. A save leaves a deployment:
    /// the newest one that is neither `known` nor ours, whose spec is not what we read and does not have our change.
    async fn overwritten(
        &self,
        known: &[Deployment],
        put: &Put,
        read: &AppSpec,
    ) -> Result<Option<AppSpec>, Problem> {
        let since = deployments(self.digitalocean, self.id).await?;
        let is_new = |other: &&Deployment| !known.iter().any(|old| old.id == other.id);
        let is_ours = |other: &Deployment| put.deployment.as_ref() == Some(&other.id);
        let newest = since.iter().filter(is_new).find(|other| !is_ours(other));
        let has_ours = |spec: &AppSpec| readable(self.edits).all(|(place, env)| spec.has(place, env));
        let saved = newest.and_then(|other| other.spec.clone());
        Ok(saved.filter(|spec| spec != read && !has_ours(spec)))
    }
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

fn done(
    app: &AppRef,
    id: &str,
    before: &App,
    after: &App,
    edits: &[(Place, Env)],
) -> Result<Put, PutFailure> {
    if !readable(edits).all(|(place, env)| after.spec.has(place, env)) {
        let what = "App Platform took the new spec, but its answer shows other values";
        let problem = Problem::new(
            format!("app {app}"),
            what,
            "Somebody else saves this app at the same time: run again.",
        );
        return Err(PutFailure {
            problem,
            touched: true,
        });
    }
    let known = [&before.active, &before.in_progress, &before.pending];
    let known = |deployment: &&Deployment| {
        known
            .iter()
            .any(|old| old.as_ref().is_some_and(|old| old.id == deployment.id))
    };
    let created = [&after.pending, &after.in_progress, &after.active]
        .into_iter()
        .flatten();
    let deployment = created
        .into_iter()
        .find(|deployment| !known(deployment))
        .map(|deployment| deployment.id.clone());
    Ok(Put {
        id: id.to_owned(),
        deployment,
    })
}

fn newest(app: &App) -> Option<String> {
    let coming = [&app.pending, &app.in_progress].into_iter().flatten();
    coming.map(|deployment| deployment.id.clone()).next()
}

fn edited(app: &AppRef, spec: &AppSpec, edits: &[(Place, Env)]) -> Result<AppSpec, Problem> {
    edits.iter().try_fold(spec.clone(), |spec, (place, env)| {
        spec.with(place, std::slice::from_ref(env)).map_err(|missing| {
            Problem::new(
                format!("app {app}"),
                missing.to_string(),
                "Correct app-components.",
            )
        })
    })
}

fn holds(spec: &AppSpec, edits: &[(Place, Env)]) -> bool {
    edits.iter().all(|(place, env)| spec.has(place, env))
}

/// The variables whose value comes back as it was sent.
fn readable(edits: &[(Place, Env)]) -> impl Iterator<Item = &(Place, Env)> {
    edits.iter().filter(|(_, env)| env.kind == EnvKind::General)
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
