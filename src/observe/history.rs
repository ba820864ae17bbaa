//! What apps have served, as far back as a grace period asks for.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::deployment_state;
use crate::model::desired::AppRef;
use crate::model::observed::{AppState, History, Observed, PastDeployment, Question, Reading, Service};
use crate::model::problem::Problem;
use crate::remedy::problem;
use crate::remote::DigitalOcean;
use crate::remote::digitalocean::{Deployment, Deployments, Phase};

/// What every app that could be read has served.
pub(super) async fn of_apps(
    digitalocean: &DigitalOcean,
    observed: &Observed,
    question: &Question,
) -> BTreeMap<AppRef, Reading<History>> {
    let found = observed
        .apps
        .iter()
        .filter_map(|(app, state)| Some((app, state.as_ref().ok()?)));
    let asked = found.map(|(app, state)| async move {
        let enough = |read: &[&Deployment]| is_enough(read, state, question);
        let listed = digitalocean.deployments_back(&state.id, enough).await;
        let history = listed.map_err(|failure| problem(&failure));
        (app.clone(), history.and_then(|listed| history_of(state, listed)))
    });
    join_all(asked).await.into_iter().collect()
}

/// Whether nothing older matters: of every old key it is seen when it last served, or what served at the horizon is seen.
fn is_enough(read: &[&Deployment], state: &AppState, question: &Question) -> bool {
    let chain = chain(state, read);
    let mut past = read.iter().filter(|one| !gave_nothing(one));
    let serving = read.iter().any(|one| is_active(one, state));
    let mentions = |one: &&&Deployment, key| one.spec.as_ref().is_none_or(|spec| spec.mentions(key));
    let every_key_is_seen = || {
        let mut keys = question.keys.iter();
        keys.all(|key| {
            let mut past = read.iter().filter(|one| !gave_nothing(one));
            past.any(|one| mentions(&one, key))
        })
    };
    let reaches_back = past.any(|one| match service(one, state, &chain) {
        Service::Serves(since) => since <= question.horizon,
        Service::Served(until) => until.is_some_and(|until| until <= question.horizon),
        Service::Doubtful(_) | Service::Coming => false,
    });
    (serving || state.active.is_none()) && (reaches_back || every_key_is_seen())
}

/// Grace counts from these times, so one that is missing must not pass for one long ago; nor must an app that shows no
/// deployment pass for one that serves none while its list has one, or the other way round.
fn history_of(state: &AppState, listed: Deployments) -> Reading<History> {
    let Deployments { items, limited } = listed;
    let unclear = |what: &str| {
        let subject = format!("deployments of app {}", state.spec.name());
        Err(Problem::new(subject, what, "Run again."))
    };
    let read: Vec<&Deployment> = items.iter().collect();
    if state.active.is_none() && items.iter().any(|one| one.phase == Phase::Active) {
        return unclear("one of them is ACTIVE, and the app shows none that is");
    }
    if state.active.is_some() && !limited && !items.iter().any(|one| is_active(one, state)) {
        return unclear("the one that serves is not in their list");
    }
    let chain = chain(state, &read);
    let past = items.iter().filter(|one| !gave_nothing(one));
    let deployments: Vec<PastDeployment> = past
        .map(|one| PastDeployment {
            service: service(one, state, &chain),
            deployment: deployment_state(one.clone()),
        })
        .collect();
    let shown = deployments.iter().map(|past| &past.deployment);
    if shown.chain(&state.active).any(|one| one.created_at.is_none()) {
        return unclear("one of them shows no `created_at`");
    }
    let limit = limited.then_some(items.len());
    Ok(History { deployments, limit })
}

/// One that failed or was given up has never served.
fn gave_nothing(deployment: &Deployment) -> bool {
    matches!(deployment.phase, Phase::Error | Phase::Canceled)
}

fn is_active(deployment: &Deployment, state: &AppState) -> bool {
    let active = state.active.as_ref();
    active.is_some_and(|active| active.id == deployment.id)
}

/// One that is superseded has served when all its steps are done: the last of them makes it live. Where its steps are not
/// told, it has when the one that serves took its place, or the place of one that took it.
fn service(deployment: &Deployment, state: &AppState, chain: &BTreeSet<&str>) -> Service {
    let changed_at = deployment.changed_at;
    let steps = deployment.progress;
    let has_served = steps.is_complete() || (steps.total == 0 && chain.contains(deployment.id.as_str()));
    match deployment.phase {
        _ if is_active(deployment, state) => match changed_at.max(deployment.created_at) {
            Some(since) => Service::Serves(since),
            None => Service::Coming,
        },
        Phase::Superseded if has_served => Service::Served(changed_at),
        Phase::Superseded => Service::Doubtful(changed_at),
        _ => Service::Coming,
    }
}

/// The ids of the deployments whose places were taken, one after the other, by the one that serves.
fn chain<'r>(state: &AppState, read: &[&'r Deployment]) -> BTreeSet<&'r str> {
    let named = |id: &str| read.iter().find(|one| one.id == id);
    let mut chain = BTreeSet::new();
    let mut at = state.active.as_ref().and_then(|active| named(&active.id));
    while let Some(previous) = at.and_then(|one| one.previous.as_deref()) {
        if !chain.insert(previous) {
            break;
        }
        at = named(previous);
    }
    chain
}
