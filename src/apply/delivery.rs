//! Brings a pair to its sinks, back to back: the app first, then secrets, the id variable last; then reads back.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::time::Instant;

use super::Writers;
use super::apps::{self, Put, PutFailure};
use super::preflight::key_envs;
use super::rotation::{Active, Delivering, Setback};
use crate::model::desired::{AppRef, CombinedSecret, GitHubSink, WantedFamily};
use crate::model::key::AccessKeyId;
use crate::model::problem::Problem;
use crate::model::sink::{SettingName, Target};
use crate::model::spec::{Env, Place};
use crate::model::time::Timestamp;
use crate::plan::app::plain_envs;
use crate::remedy::problem;
use crate::remote::{Failure, GitHub, WriteFailure};

/// How far `updated_at` may lie after the `Date` of our own write: two servers of GitHub, whole seconds.
const WRITE_SLACK: Duration = Duration::from_secs(2);

/// How often a pair is written when somebody else writes the same secrets at the same time.
const PASSES: usize = 2;

/// An id and its secret, on the way to a sink.
pub(super) struct Pair<'a> {
    pub(super) id: &'a AccessKeyId,
    pub(super) secret: &'a SecretString,
}

/// What an app has been given.
pub(super) struct AppDelivery {
    pub(super) put: Put,
    /// What it must hold when it is read back.
    edits: Vec<(Place, Env)>,
}

/// The proof that every sink was written and read back.
pub(super) struct Receipt {
    /// The latest `updated_at` of the secrets, on GitHub's clock.
    pub(super) since: Option<Timestamp>,
    /// The app's PUT.
    pub(super) put: Option<Put>,
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
type Ready<'a> = Vec<(Delivering<'a>, Option<AppDelivery>)>;

/// One PUT per app, with the pairs of all its families.
pub(super) async fn to_apps<'a>(
    keys: Vec<Delivering<'a>>,
    writers: &Writers<'_>,
) -> (Ready<'a>, Refused<'a>) {
    let mut by_app: BTreeMap<Option<AppRef>, Vec<Delivering<'a>>> = BTreeMap::new();
    for key in keys {
        by_app
            .entry(key.wanted().app.as_ref().map(|sink| sink.app.clone()))
            .or_default()
            .push(key);
    }
    let (mut ready, mut refused) = (Vec::new(), Vec::new());
    for (app, keys) in by_app {
        match app {
            None => ready.extend(keys.into_iter().map(|key| (key, None))),
            Some(app) => match to_app(&app, &keys, writers).await {
                Ok(put) => ready.extend(keys.into_iter().map(|key| {
                    let edits = edits(&key);
                    (
                        key,
                        Some(AppDelivery {
                            put: put.clone(),
                            edits,
                        }),
                    )
                })),
                Err(failure) => refused.extend(refuse(keys, failure, writers).await),
            },
        }
    }
    (ready, refused)
}

async fn to_app(app: &AppRef, keys: &[Delivering<'_>], writers: &Writers<'_>) -> Result<Put, PutFailure> {
    let untouched = |problem| PutFailure {
        problem,
        touched: false,
    };
    let fences: Result<Vec<Instant>, Problem> = keys.iter().map(|key| key.fence(writers)).collect();
    let lease = fences.map_err(untouched)?.into_iter().min();
    let Some(id) = writers.app_ids.get(app) else {
        let problem = Problem::new(
            format!("app {app}"),
            "it was not found",
            "Check app-platform-app.",
        );
        return Err(untouched(problem));
    };
    // What says where goes with it for every family of the app, so that no second PUT is needed for one that is kept.
    let sinks = writers.desired.app_sinks(app);
    let edits: Vec<_> = sinks
        .flat_map(plain_envs)
        .chain(keys.iter().flat_map(edits))
        .collect();
    let put = apps::put(writers, app, id, &edits, lease).await?;
    writers.ledger.did(format!("app {app}"), "spec given the new key");
    Ok(put)
}

/// All variables of one family in its app.
fn edits(key: &Delivering<'_>) -> Vec<(Place, Env)> {
    let Some(sink) = &key.wanted().app else {
        return Vec::new();
    };
    let Pair { id, secret } = key.pair();
    let mut edits = plain_envs(sink);
    edits.extend(key_envs(
        &|name| sink.key(name),
        &sink.places,
        id.as_str(),
        secret.expose_secret(),
    ));
    edits
}

/// A key that certainly reached no sink is taken back; one that may have stays, and the next run mints anew.
async fn refuse<'a>(keys: Vec<Delivering<'a>>, failure: PutFailure, writers: &Writers<'_>) -> Refused<'a> {
    let mut refused = Vec::new();
    for key in keys {
        let wanted = key.wanted();
        let setback = if failure.touched {
            Setback::Failed(failure.problem.clone())
        } else {
            key.withdraw(writers, failure.problem.clone()).await
        };
        refused.push((wanted, Err(setback)));
    }
    refused
}

/// Writes the pair to every target and reads back until nothing has moved since.
pub(super) async fn to_github(
    key: &Delivering<'_>,
    writers: &Writers<'_>,
    mut app: Option<AppDelivery>,
) -> Result<Receipt, Undelivered> {
    let Some(github) = writers.github else {
        return Err(no_github(key).into());
    };
    let (mut pass, mut before) = (1, None::<Found>);
    loop {
        let earlier = app.is_some() || pass > 1;
        let written = write_all(key, github, writers).await;
        let written = written.map_err(|Undelivered { problem, touched }| Undelivered {
            problem,
            touched: touched || earlier,
        })?;
        let found = read_back(key, github, &written).await?;
        let app_moved = !app_holds(writers, app.as_ref()).await?;
        if !app_moved && (!found.moved || found.is_a_clock_gap(before.as_ref())) {
            return Ok(receipt(&found, app));
        }
        if let Some(other) = key.is_overtaken(writers).await? {
            return Err(overtaken(key, &other.name.run.to_string()).into());
        }
        // A stamp that covers what somebody else wrote would hide a torn pair for good; a doubtful key is mended.
        if pass == PASSES {
            return Err(unsettled(key).into());
        }
        tracing::info!(
            "key {}: a sink was written by someone else meanwhile, writing again",
            key.wanted().family
        );
        if app_moved {
            app = put_again(key, writers, app).await?;
        }
        (pass, before) = (pass + 1, Some(found));
    }
}

/// Somebody saved the app over our change: it is given the pair once more.
async fn put_again(
    key: &Delivering<'_>,
    writers: &Writers<'_>,
    app: Option<AppDelivery>,
) -> Result<Option<AppDelivery>, Problem> {
    let (Some(delivery), Some(sink)) = (app, &key.wanted().app) else {
        return Ok(None);
    };
    let lease = key.fence(writers)?;
    let put = apps::put(writers, &sink.app, &delivery.put.id, &delivery.edits, Some(lease)).await;
    let put = put.map_err(|failure| failure.problem)?;
    Ok(Some(AppDelivery { put, ..delivery }))
}

/// A secret that was written, and when GitHub said so.
struct Written<'a> {
    target: &'a Target,
    name: &'a SettingName,
    date: Option<Timestamp>,
}

async fn write_all<'k>(
    key: &'k Delivering<'_>,
    github: &GitHub,
    writers: &Writers<'_>,
) -> Result<Vec<Written<'k>>, Undelivered> {
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
    let mut written = Vec::new();
    for outcome in secrets {
        written.extend(outcome.map_err(|Undelivered { problem, .. }| Undelivered { problem, touched })?);
    }
    let github = &github.until(key.fence(writers)?.into_std());
    let variables = join_all(sinks.iter().map(|sink| write_id(key, sink, github, writers))).await;
    variables
        .into_iter()
        .find_map(Result::err)
        .map_or(Ok(written), |failure| Err(problem(&failure).into()))
}

/// Writes all secrets of one sink; when every one is refused, none is there.
async fn write_secrets<'k>(
    key: &'k Delivering<'_>,
    sink: &'k GitHubSink,
    github: &GitHub,
    writers: &Writers<'_>,
) -> Result<Vec<Written<'k>>, Undelivered> {
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
        Ok::<_, WriteFailure>(Written {
            target: &sink.target,
            name,
            date: written.date,
        })
    });
    let answers = join_all(puts).await;
    let touched = !answers
        .iter()
        .all(|answer| matches!(answer, Err(WriteFailure::Refused(_))));
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

async fn write_id(
    key: &Delivering<'_>,
    sink: &GitHubSink,
    github: &GitHub,
    writers: &Writers<'_>,
) -> Result<(), Failure> {
    let Some(name) = &sink.id_variable else {
        return Ok(());
    };
    let id = key.pair().id;
    let exists = writers
        .existing_variables
        .contains(&(sink.target.clone(), name.clone()));
    github
        .put_variable(&sink.target, name, id.as_str(), exists)
        .await?;
    writers.ledger.did(
        format!("variables of {}", sink.target),
        format!("{name} set to {id}"),
    );
    Ok(())
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

/// What the sinks show after the writes.
struct Found {
    latest: Option<Timestamp>,
    moved: bool,
    missing: bool,
    /// By how much the sinks' times are ahead of the times at which our writes were answered, secret by secret.
    ahead: Vec<Duration>,
}

async fn read_back(key: &Delivering<'_>, github: &GitHub, written: &[Written<'_>]) -> Result<Found, Problem> {
    let secrets = join_all(
        written
            .iter()
            .map(|secret| github.secret(secret.target, secret.name)),
    );
    let named = key
        .wanted()
        .github
        .iter()
        .filter_map(|sink| Some((&sink.target, sink.id_variable.as_ref()?)));
    let variables = join_all(named.map(|(target, name)| github.variable(target, name)));
    let (secrets, variables) = tokio::join!(secrets, variables);
    let mut found = Found {
        latest: None,
        moved: false,
        missing: false,
        ahead: Vec::new(),
    };
    for (secret, reading) in written.iter().zip(secrets) {
        found.add(secret, reading.map_err(|failure| problem(&failure))?);
    }
    for variable in variables {
        let variable = variable.map_err(|failure| problem(&failure))?;
        found.missing |= variable.is_none_or(|variable| variable.value != key.pair().id.as_str());
    }
    found.moved |= found.missing;
    Ok(found)
}

impl Found {
    fn add(&mut self, written: &Written<'_>, updated_at: Option<Timestamp>) {
        self.missing |= updated_at.is_none();
        self.latest = self.latest.max(updated_at);
        let ahead = updated_at
            .zip(written.date)
            .map(|(updated_at, ours)| updated_at.since(ours));
        self.moved |= ahead.is_some_and(|ahead| ahead > WRITE_SLACK);
        self.ahead.extend(ahead);
    }

    /// Whether all secrets are ahead by the same time, now as `before`: then two clocks differ, and nobody has written.
    fn is_a_clock_gap(&self, before: Option<&Self>) -> bool {
        let all = || {
            self.ahead
                .iter()
                .chain(before.iter().flat_map(|before| &before.ahead))
        };
        let spread = all()
            .max()
            .zip(all().min())
            .map(|(most, least)| most.saturating_sub(*least));
        before.is_some() && !self.missing && spread.is_some_and(|spread| spread <= WRITE_SLACK)
    }
}

async fn app_holds(writers: &Writers<'_>, app: Option<&AppDelivery>) -> Result<bool, Problem> {
    match (app, writers.digitalocean) {
        (Some(app), Some(digitalocean)) => apps::still_holds(digitalocean, &app.put.id, &app.edits).await,
        _ => Ok(true),
    }
}

fn receipt(found: &Found, app: Option<AppDelivery>) -> Receipt {
    Receipt {
        since: found.latest,
        put: app.map(|app| app.put),
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

fn unsettled(key: &Delivering<'_>) -> Problem {
    let what = "a sink does not show what was written to it, twice";
    Problem::new(
        subject(key),
        what,
        "Look for another tool that writes the same secrets or app, then run again.",
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    fn found(ahead: [u64; 2]) -> Found {
        Found {
            latest: None,
            moved: true,
            missing: false,
            ahead: ahead.map(Duration::from_secs).to_vec(),
        }
    }

    #[test]
    fn clocks_differ_by_the_same_time_for_every_secret_and_every_time() {
        assert!(found([90, 91]).is_a_clock_gap(Some(&found([90, 90]))));
        assert!(
            !found([90, 91]).is_a_clock_gap(None),
            "seen once, it may be anything"
        );
        assert!(
            !found([5, 0]).is_a_clock_gap(Some(&found([0, 7]))),
            "two late writes of somebody else"
        );
        assert!(!found([90, 90]).is_a_clock_gap(Some(&found([30, 30]))));
    }

    #[test]
    fn what_is_missing_is_no_matter_of_clocks() {
        let missing = Found {
            missing: true,
            ..found([90, 90])
        };
        assert!(!missing.is_a_clock_gap(Some(&found([90, 90]))));
    }
}
