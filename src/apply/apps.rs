//! The PUT of an app spec: fresh GET, edit, PUT, look.

use tokio::time::Instant;

use super::Writers;
use crate::model::desired::AppRef;
use crate::model::problem::Problem;
use crate::model::spec::{AppSpec, Env, EnvKind, Place};
use crate::remedy::problem;
use crate::remote::digitalocean::{App, Deployment};
use crate::remote::{DigitalOcean, Shutdown, WriteFailure};

/// How often a PUT is sent whose replies are lost without a trace in the app.
const PUTS_TRIED: usize = 3;

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
    deployments: Vec<Deployment>,
    app: App,
}

/// Why a PUT has no answer that would do.
enum Sending {
    Refused(PutFailure),
    Lost(Problem),
}

impl Errand<'_> {
    async fn run(&self, shutdown: &Shutdown) -> Result<Put, PutFailure> {
        let mut seen = self.look().await.map_err(untouched)?;
        if self.is_needless(&seen.app.spec) {
            return Ok(Put {
                sent: false,
                ..self.put(None)
            });
        }
        let mut base = seen.app.spec.clone();
        for tried in 1..=PUTS_TRIED {
            let after = match self.send(&base, tried > 1).await {
                Ok(after) => after,
                Err(Sending::Refused(failure)) => return Err(failure),
                Err(Sending::Lost(problem)) => {
                    let now = self.look().await.map_err(doubtful)?;
                    if !self.has_landed(&seen, &now, &base) {
                        if tried == PUTS_TRIED || shutdown.requested() {
                            return Err(doubtful(problem));
                        }
                        (base, seen) = (now.app.spec.clone(), now);
                        continue;
                    }
                    now.app
                }
            };
            let put = self.outcome(&seen, &after, &base)?;
            let replaced = self.replaced(&seen, &put, &base).await.map_err(doubtful)?;
            let Some(saved) = replaced else { return Ok(put) };
            tracing::info!(
                "app {}: somebody saved it meanwhile, so their spec is given the variables too",
                self.app
            );
            seen = self.look().await.map_err(doubtful)?;
            base = saved;
        }
        Err(doubtful(contested(self.app)))
    }

    async fn look(&self) -> Result<Seen, Problem> {
        let deployments = deployments(self.digitalocean, self.id).await?;
        let app = self.digitalocean.app(self.id).await;
        let app = app.map_err(|failure| problem(&failure))?;
        Ok(Seen { deployments, app })
    }

    /// Whether the app holds all of it already, as far as can be read: a secret may be an older one.
    fn is_needless(&self, spec: &AppSpec) -> bool {
        let readable_only = self.edits.len() == readable(self.edits).count();
        !self.edits.is_empty() && readable_only && holds(spec, self.edits)
    }

    /// Sends `base` with the change, once. `touched`: an earlier PUT may have taken effect.
    async fn send(&self, base: &AppSpec, touched: bool) -> Result<App, Sending> {
        let refused = |problem| Sending::Refused(PutFailure { problem, touched });
        let spec = edited(self.app, base, self.edits).map_err(refused)?;
        if self.lease.is_some_and(|lease| Instant::now() > lease) {
            return Err(refused(too_late(self.app)));
        }
        match self.writer.update_app(self.id, &spec).await {
            Ok(app) => Ok(app),
            Err(WriteFailure::Lost(failure)) => Err(Sending::Lost(problem(&failure))),
            Err(WriteFailure::Refused(failure)) => Err(Sending::Refused(PutFailure {
                problem: problem(&failure),
                touched: touched || self.may_hold_it().await,
            })),
        }
    }

    /// Whether the app holds the change although it was refused: what stands between may refuse what was done.
    async fn may_hold_it(&self) -> bool {
        let app = self.digitalocean.app(self.id).await;
        app.map_or(true, |app| holds(&app.spec, self.edits))
    }

    /// Whether a PUT without an answer took effect. One that changes nothing shows only in what it caused.
    fn has_landed(&self, before: &Seen, now: &Seen, base: &AppSpec) -> bool {
        let caused = || self.caused(before, &now.app, base).is_some();
        holds(&now.app.spec, self.edits) && (!self.edits.is_empty() || caused())
    }

    fn outcome(&self, before: &Seen, after: &App, base: &AppSpec) -> Result<Put, PutFailure> {
        if readable(self.edits).all(|(place, env)| after.spec.has(place, env)) {
            return Ok(self.put(self.caused(before, after, base)));
        }
        Err(doubtful(garbled(self.app)))
    }

    /// The deployment that came of the PUT: one that was not there before and carries the change.
    fn caused(&self, before: &Seen, after: &App, base: &AppSpec) -> Option<String> {
        let named = [&before.app.pending, &before.app.in_progress, &before.app.active];
        let known: Vec<&Deployment> = named.into_iter().flatten().chain(&before.deployments).collect();
        let created = [&after.pending, &after.in_progress, &after.active];
        let mut created = created.into_iter().flatten();
        let is_new = |new: &Deployment| !known.iter().any(|old| old.id == new.id);
        let ours = created.find(|new| is_new(new) && self.is_carried_by(new, base))?;
        Some(ours.id.clone())
    }

    fn put(&self, deployment: Option<String>) -> Put {
        Put {
            id: self.id.to_owned(),
            sent: true,
            deployment,
        }
    }

    /// What somebody else saved and our PUT replaced, or what replaced ours. A save leaves a deployment: one that was
    /// not there when we looked and whose spec is not the `base` that was sent with our change.
    async fn replaced(&self, seen: &Seen, put: &Put, base: &AppSpec) -> Result<Option<AppSpec>, Problem> {
        let listed = deployments(self.digitalocean, self.id).await?;
        let known = |new: &Deployment| seen.deployments.iter().any(|old| old.id == new.id);
        let new: Vec<Deployment> = listed.into_iter().take_while(|new| !known(new)).collect();
        let ours = new
            .iter()
            .position(|new| Some(&new.id) == put.deployment.as_ref());
        // The newest comes first: what stands before ours was saved after it.
        let (later, earlier) = ours.map_or((&new[..], &[][..]), |ours| (&new[..ours], &new[ours + 1..]));
        let has_something_to_lose = ours.is_none() || !self.edits.is_empty();
        let against = later
            .first()
            .filter(|later| has_something_to_lose && !self.is_carried_by(later, base));
        let lost = against.or(earlier.first()).and_then(|lost| lost.spec.as_ref());
        Ok(lost.filter(|spec| *spec != base).cloned())
    }

    /// Whether the deployment's spec is `base` with our change, as far as our change tells; one that shows no spec is
    /// given the benefit of the doubt.
    fn is_carried_by(&self, deployment: &Deployment, base: &AppSpec) -> bool {
        let carries = |spec: &AppSpec| match self.edits {
            [] => spec == base,
            edits => readable(edits).all(|(place, env)| spec.has(place, env)),
        };
        deployment.spec.as_ref().is_none_or(carries)
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

fn garbled(app: &AppRef) -> Problem {
    let what = "App Platform took the new spec, but its answer shows other values";
    Problem::new(
        format!("app {app}"),
        what,
        "Somebody else saves this app at the same time: run again.",
    )
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
