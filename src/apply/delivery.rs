//! Brings a pair to its sinks, back to back: the apps first, then secrets, the id variable last; then reads back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::time::Instant;

use super::Writers;
use super::apps::{self, Put, PutFailure};
use super::keys::Deployments;
use super::preflight::key_envs;
use super::read_back::{Found, Writes, WrittenSecret};
use super::rotation::{Active, Delivering, Setback};
use crate::model::desired::{AppRef, AppSink, CombinedSecret, GitHubSink, WantedFamily};
use crate::model::key::AccessKeyId;
use crate::model::problem::Problem;
use crate::model::sink::{SettingName, Target};
use crate::model::spec::{Env, Place};
use crate::model::time::Timestamp;
use crate::plan::VariableWrite;
use crate::plan::app::plain_envs;
use crate::plan::destinations::in_app;
use crate::plan::variables::saying_where;
use crate::remedy::problem;
use crate::remote::{Failure, GitHub, WriteFailure};

/// A second and what a request may take to reach its server early.
const NEXT_SECOND: Duration = Duration::from_millis(1_100);

/// How often a pair is written when somebody else writes the same secrets at the same time.
const PASSES: usize = 2;

/// An id and its secret, on the way to a sink.
pub(super) struct Pair<'a> {
    pub(super) id: &'a AccessKeyId,
    pub(super) secret: &'a SecretString,
}

/// What an app has been given.
pub(super) struct AppDelivery {
    app: AppRef,
    put: Put,
    /// What it must hold when it is read back.
    edits: Vec<(Place, Env)>,
}

/// The proof that every sink was written and read back.
pub(super) struct Receipt {
    /// The latest `updated_at` of the secrets, on GitHub's clock.
    pub(super) since: Option<Timestamp>,
    /// The deployments that the apps' PUTs created.
    pub(super) deployments: Deployments,
}

/// Why a pair is not in its sinks.
pub(super) struct Undelivered {
    pub(super) problem: Problem,
    /// Whether a sink may hold it all the same.
    pub(super) touched: bool,
}

impl From<Problem> for Undelivered {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            touched: true,
        }
    }
}

type Refused<'a> = Vec<(&'a WantedFamily, Result<Active, Setback>)>;
type Ready<'a> = Vec<(Delivering<'a>, Vec<AppDelivery>)>;
type Puts = BTreeMap<AppRef, Result<Put, PutFailure>>;

/// One PUT per app, with the pairs of all its families; the apps side by side.
///
/// What says where goes with it for the `kept` families of the app too, so that no second PUT is needed for them.
pub(super) async fn to_apps<'a>(
    keys: Vec<Delivering<'a>>,
    kept: &[&WantedFamily],
    writers: &Writers<'_>,
) -> (Ready<'a>, Refused<'a>) {
    let sinks = keys.iter().flat_map(|key| &key.wanted().apps);
    let apps: BTreeSet<&AppRef> = sinks.map(|sink| &sink.app).collect();
    let puts = apps.into_iter().map(|app| {
        let keys = &keys;
        async move { (app.clone(), to_app(app, keys, kept, writers).await) }
    });
    let puts: Puts = join_all(puts).await.into_iter().collect();
    let (mut ready, mut refused) = (Vec::new(), Vec::new());
    for key in keys {
        match delivered(&key, &puts, writers) {
            Ok(apps) => ready.push((key, apps)),
            Err(failure) => refused.push(refuse(key, failure, writers).await),
        }
    }
    (ready, refused)
}

/// What the key's apps were given. A key that one of them did not take goes no further; another one may hold it.
fn delivered(
    key: &Delivering<'_>,
    puts: &Puts,
    writers: &Writers<'_>,
) -> Result<Vec<AppDelivery>, PutFailure> {
    let (mut given, mut failed) = (Vec::new(), Vec::new());
    for sink in &key.wanted().apps {
        match puts.get(&sink.app) {
            Some(Ok(put)) => given.push(AppDelivery {
                app: sink.app.clone(),
                put: put.clone(),
                edits: edits(key, sink, writers),
            }),
            Some(Err(failure)) => failed.push(failure),
            None => {}
        }
    }
    let touched = !given.is_empty() || failed.iter().any(|failure| failure.touched);
    let Some((first, others)) = failed.split_first() else {
        return Ok(given);
    };
    for other in others {
        writers.ledger.failed(other.problem.clone());
    }
    Err(PutFailure {
        problem: first.problem.clone(),
        touched,
    })
}

async fn to_app(
    app: &AppRef,
    keys: &[Delivering<'_>],
    kept: &[&WantedFamily],
    writers: &Writers<'_>,
) -> Result<Put, PutFailure> {
    let untouched = |problem| PutFailure {
        problem,
        touched: false,
    };
    let carried = || {
        let sinks = |key| Delivering::wanted(key).sinks_in(app).map(move |sink| (key, sink));
        keys.iter().flat_map(sinks)
    };
    let fences: Result<Vec<Instant>, Problem> = carried().map(|(key, _)| key.fence(writers)).collect();
    let lease = fences.map_err(untouched)?.into_iter().min();
    let Some(id) = writers.app_ids.get(app) else {
        let problem = Problem::new(
            format!("app {app}"),
            "it was not found",
            "Check app-platform-app.",
        );
        return Err(untouched(problem));
    };
    let standing = writers.landmarks.standing();
    let sinks = kept.iter().flat_map(|wanted| wanted.sinks_in(app));
    let edits: Vec<_> = sinks
        .flat_map(|sink| plain_envs(sink, &standing))
        .chain(carried().flat_map(|(key, sink)| edits(key, sink, writers)))
        .collect();
    let put = apps::put(writers, app, id, &edits, lease).await?;
    for place in carried().flat_map(|(_, sink)| in_app(sink)) {
        writers.ledger.did(place.subject.clone(), place.done());
    }
    Ok(put)
}

/// All variables of one family in one of its apps.
fn edits(key: &Delivering<'_>, sink: &AppSink, writers: &Writers<'_>) -> Vec<(Place, Env)> {
    let Pair { id, secret } = key.pair();
    let mut edits = plain_envs(sink, &writers.landmarks.standing());
    edits.extend(key_envs(
        &|name| sink.key(name),
        &sink.places,
        id.as_str(),
        secret.expose_secret(),
    ));
    edits
}

/// A key that certainly reached no sink is taken back; one that may have stays, and the next run mints anew.
async fn refuse<'a>(
    key: Delivering<'a>,
    failure: PutFailure,
    writers: &Writers<'_>,
) -> (&'a WantedFamily, Result<Active, Setback>) {
    let wanted = key.wanted();
    let setback = if failure.touched {
        Setback::Failed(failure.problem)
    } else {
        key.withdraw(writers, failure.problem).await
    };
    (wanted, Err(setback))
}

/// Writes the pair to every target and reads back until nothing has moved since.
pub(super) async fn to_github(
    key: &Delivering<'_>,
    writers: &Writers<'_>,
    mut apps: Vec<AppDelivery>,
) -> Result<Receipt, Undelivered> {
    let Some(github) = writers.github else {
        return Err(no_github(key).into());
    };
    let (mut pass, mut before) = (1, None::<Found>);
    loop {
        let earlier = !apps.is_empty() || pass > 1;
        let written = write_all(key, github, writers).await;
        let written = written.map_err(|Undelivered { problem, touched }| Undelivered {
            problem,
            touched: touched || earlier,
        })?;
        let found = written.read_back(github, |place| last_seen(place, before.as_ref(), writers));
        let (found, announced) = tokio::join!(found, key.is_seen(writers));
        let found = announced.and(found)?;
        let moved_apps = moved(writers, &apps).await?;
        let early = found.pause_before_rewriting(|times| key.dated(times));
        let disturbed = !moved_apps.is_empty() || found.is_disturbed(before.as_ref());
        if early.is_none() && !disturbed {
            return Ok(receipt(&found, apps));
        }
        if let Some(other) = key.is_overtaken(writers).await? {
            return Err(overtaken(key, &other.name.run.to_string()).into());
        }
        // A stamp that covers what somebody else wrote would hide a torn pair for good; a doubtful key is mended.
        if pass == PASSES {
            return Err(unsettled(key, &found).into());
        }
        let why = if !found.unstored().is_empty() {
            "what was written does not show"
        } else if disturbed {
            "a sink was written by someone else meanwhile"
        } else {
            "a secret looks older than this delivery"
        };
        tracing::info!("key {}: {why}, writing again", key.wanted().family);
        // Once begun, a delivery goes on after a signal. GitHub's times have whole seconds: what is written again within the
        // one in which it was written shows no later time.
        let pause = early.unwrap_or(Duration::ZERO).max(NEXT_SECOND);
        tokio::time::sleep(pause).await;
        for app in apps.iter_mut().filter(|app| moved_apps.contains(&app.app)) {
            app.put = put_again(key, writers, app).await?;
        }
        (pass, before) = (pass + 1, Some(found));
    }
}

/// Somebody saved the app over our change: it is given the pair once more.
async fn put_again(
    key: &Delivering<'_>,
    writers: &Writers<'_>,
    delivery: &AppDelivery,
) -> Result<Put, Problem> {
    let AppDelivery { app, put, edits } = delivery;
    let lease = key.fence(writers)?;
    let put = apps::put(writers, app, &put.id, edits, Some(lease)).await;
    put.map_err(|failure| failure.problem)
}

/// When GitHub showed a secret as written before it was written now: by the pass `before`, else by another run.
fn last_seen(
    (target, name): (&Target, &SettingName),
    before: Option<&Found>,
    writers: &Writers<'_>,
) -> Option<Timestamp> {
    match before {
        Some(before) => before.time_of(target, name),
        None => writers.secrets.get(target)?.get(name.as_str()).copied(),
    }
}

async fn write_all<'k>(
    key: &'k Delivering<'_>,
    github: &GitHub,
    writers: &Writers<'_>,
) -> Result<Writes<'k>, Undelivered> {
    let lease = key.fence(writers).map_err(|problem| Undelivered {
        problem,
        touched: false,
    })?;
    let github = &github.to_the_end().until(lease.into_std());
    let sinks = &key.wanted().github;
    let secrets = join_all(sinks.iter().map(|sink| write_secrets(key, sink, github, writers))).await;
    let touched = secrets.iter().any(|outcome| {
        outcome.as_ref().is_ok_and(|written| !written.is_empty())
            || matches!(outcome, Err(failed) if failed.touched)
    });
    let mut writes = Writes::default();
    for outcome in secrets {
        let written = outcome.map_err(|Undelivered { problem, .. }| Undelivered { problem, touched })?;
        writes.secrets.extend(written);
    }
    let github = &github.until(key.fence(writers)?.into_std());
    // Side by side: the id says what the secrets hold now, and only the mark of the key vouches for all of it.
    let variables = sinks.iter().map(|sink| async move {
        let (place, id) = tokio::join!(
            write_place(sink, github, writers),
            write_id(key, sink, github, writers)
        );
        let values: BTreeMap<_, _> = place?.into_iter().chain(id?).collect();
        Ok((&sink.target, values))
    });
    let variables: Result<Vec<_>, Failure> = join_all(variables).await.into_iter().collect();
    writes.variables = variables.map_err(|failure| problem(&failure))?;
    Ok(writes)
}

/// Writes all secrets of one sink; when every one is refused, none is there.
async fn write_secrets<'k>(
    key: &'k Delivering<'_>,
    sink: &'k GitHubSink,
    github: &GitHub,
    writers: &Writers<'_>,
) -> Result<Vec<WrittenSecret<'k>>, Undelivered> {
    let Some(sealing) = writers.sealing.get(&sink.target) else {
        return Err(Undelivered {
            problem: unsealable(sink),
            touched: false,
        });
    };
    let pair = key.pair();
    let id = SecretString::from(pair.id.as_str());
    let combined = sink
        .combined
        .as_ref()
        .map(|combined| (&combined.name, combined_value(combined, &pair)));
    let values = [(&sink.access_key, &id), (&sink.secret_key, pair.secret)];
    let values = values
        .into_iter()
        .chain(combined.iter().map(|(name, value)| (*name, value)));
    let puts = values.map(|(name, value)| async move {
        let written = github.put_secret(&sink.target, name, sealing, value).await?;
        Ok::<_, WriteFailure>(WrittenSecret {
            target: &sink.target,
            name,
            written,
        })
    });
    let answers = join_all(puts).await;
    let refused = |answer: &Result<_, _>| matches!(answer, Err(WriteFailure::Refused(_)));
    let touched = !answers.iter().all(refused) || may_be_written(sink, github, writers).await;
    let written: Result<Vec<_>, WriteFailure> = answers.into_iter().collect();
    let written = written.map_err(|failure| Undelivered {
        problem: problem(failure.failure()),
        touched,
    });
    let names: Vec<&str> = sink.secrets().map(SettingName::as_str).collect();
    written.inspect(|_| {
        writers.ledger.did(
            format!("secrets of {}", sink.target),
            format!("{} set", names.join(", ")),
        );
    })
}

/// Whether a secret shows another time than before although its write was refused: what stands between may refuse what was
/// done.
async fn may_be_written(sink: &GitHubSink, github: &GitHub, writers: &Writers<'_>) -> bool {
    let before = writers.secrets.get(&sink.target);
    let looks = sink.secrets().map(|name| async move {
        let before = before.and_then(|secrets| secrets.get(name.as_str()));
        let now = github.secret(&sink.target, name).await;
        now.map_or(true, |now| now.as_ref() != before)
    });
    join_all(looks).await.contains(&true)
}

/// A variable and its value.
type Setting = (SettingName, String);

/// Writes what says where, as far as it differs: now that the secrets open it.
async fn write_place(
    sink: &GitHubSink,
    github: &GitHub,
    writers: &Writers<'_>,
) -> Result<Vec<Setting>, Failure> {
    let none = BTreeMap::new();
    let found = writers.variables.get(&sink.target).unwrap_or(&none);
    let writes = saying_where(sink, found, &writers.landmarks.standing());
    let written = writes.iter().map(|write| async move {
        let VariableWrite {
            target,
            name,
            value,
            exists,
        } = write;
        github.put_variable(target, name, value, *exists).await?;
        writers
            .ledger
            .did(format!("variables of {target}"), format!("{name} set to {value}"));
        Ok((name.clone(), value.clone()))
    });
    join_all(written).await.into_iter().collect()
}

async fn write_id(
    key: &Delivering<'_>,
    sink: &GitHubSink,
    github: &GitHub,
    writers: &Writers<'_>,
) -> Result<Option<Setting>, Failure> {
    let Some(name) = &sink.id_variable else {
        return Ok(None);
    };
    let id = key.pair().id;
    let found = writers.variables.get(&sink.target);
    let exists = found.is_some_and(|found| found.contains_key(name));
    github
        .put_variable(&sink.target, name, id.as_str(), exists)
        .await?;
    writers.ledger.did(
        format!("variables of {}", sink.target),
        format!("{name} set to {id}"),
    );
    Ok(Some((name.clone(), id.to_string())))
}

/// The combined secret's text.
#[derive(Serialize)]
struct Combined<'a> {
    bucket: &'a str,
    region: &'a str,
    endpoint: &'a str,
    access_key: &'a str,
    secret_key: &'a str,
}

fn combined_value(combined: &CombinedSecret, pair: &Pair<'_>) -> SecretString {
    let text = Combined {
        bucket: combined.bucket.as_str(),
        region: combined.region.slug(),
        endpoint: &combined.endpoint,
        access_key: pair.id.as_str(),
        secret_key: pair.secret.expose_secret(),
    };
    // Five texts: there is nothing that serde_json could refuse.
    SecretString::from(serde_json::to_string(&text).unwrap_or_default())
}

/// The apps that do not hold any more what they were given.
async fn moved(writers: &Writers<'_>, apps: &[AppDelivery]) -> Result<Vec<AppRef>, Problem> {
    let Some(digitalocean) = writers.digitalocean else {
        return Ok(Vec::new());
    };
    let looks = apps.iter().map(|delivery| async move {
        let holds = apps::still_holds(digitalocean, &delivery.put.id, &delivery.edits).await?;
        Ok((!holds).then(|| delivery.app.clone()))
    });
    let moved: Result<Vec<_>, Problem> = join_all(looks).await.into_iter().collect();
    Ok(moved?.into_iter().flatten().collect())
}

fn receipt(found: &Found, apps: Vec<AppDelivery>) -> Receipt {
    let deployments = apps
        .into_iter()
        .filter_map(|delivery| Some((delivery.app, delivery.put.deployment?)));
    Receipt {
        since: found.last_time(),
        deployments: deployments.collect(),
    }
}

fn subject(key: &Delivering<'_>) -> String {
    format!("key {}", key.wanted().family)
}

fn overtaken(key: &Delivering<'_>, run: &str) -> Problem {
    let what = format!("run {run} delivered another key while this run delivered its own");
    Problem::new(
        subject(key),
        what,
        "Run again: it mints anew and delivers everywhere.",
    )
}

fn unsettled(key: &Delivering<'_>, found: &Found) -> Problem {
    let unstored = found.unstored();
    if unstored.is_empty() {
        let what = "a sink does not show what was written to it, twice";
        let remedy = "Look for another tool that writes the same secrets or app, then run again.";
        return Problem::new(subject(key), what, remedy);
    }
    let unstored = unstored.join(", ");
    let what = format!("GitHub accepted what was written twice, and it was not stored: {unstored}");
    let remedy = "Look for a proxy that answers in GitHub's place, or another tool that writes there, and run again; \
                  the key before this one stays.";
    Problem::new(subject(key), what, remedy)
}

fn unsealable(sink: &GitHubSink) -> Problem {
    let what = "its public key is not known, so nothing can be sealed for it";
    Problem::new(format!("secrets of {}", sink.target), what, "Run again.")
}

fn no_github(key: &Delivering<'_>) -> Problem {
    Problem::new(
        subject(key),
        "there is no GitHub credential to deliver it with",
        "Set github-token.",
    )
}
