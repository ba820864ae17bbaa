//! What is to be done with an app beside giving it a new key.

use std::time::Duration;

use super::rotation::{Decision, FamilyPlan};
use super::standing::Standing;
use crate::model::desired::{AppRef, AppSink, Desired, KEY_ENVS};
use crate::model::key::AccessKeyId;
use crate::model::observed::{AppState, Observed};
use crate::model::problem::Problem;
use crate::model::spec::{Env, EnvKind, Place};
use crate::model::time::Timestamp;

/// The steps for one app.
#[derive(Debug, Clone)]
pub struct AppPlan {
    /// How the user calls it.
    pub app: AppRef,
    /// Its id, where it was found.
    pub id: Option<String>,
    /// Variables that say where and differ, of the families that have a key or get one.
    pub plain: Vec<(Place, Env)>,
    /// Whether a deployment of a kept key is still awaited.
    pub follow: Follow,
    /// What a person should know and we do not touch.
    pub findings: Vec<Problem>,
}

/// What became of the deployment that shall carry a kept key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Follow {
    /// It serves, or no kept key is in this app.
    Nothing,
    /// It is on its way.
    Deployment(String),
    /// It failed or was never created: the unchanged spec is PUT again.
    Redeploy,
    /// The app shows no deployment that serves. It may have none, or leave it out: the list of its deployments tells.
    Unclear,
}

impl AppPlan {
    /// Whether nothing is sent to the app, and nothing awaited of it.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.plain.is_empty() && self.follow == Follow::Nothing
    }
}

/// Plans every app once, however many families it carries.
pub(super) fn plan(
    desired: &Desired,
    families: &[FamilyPlan],
    observed: &Observed,
    standing: &Standing,
    patience: Duration,
) -> Vec<AppPlan> {
    let apps = desired.apps().into_iter();
    apps.map(|app| {
        let sinks: Vec<(&AppSink, &FamilyPlan)> = desired
            .families
            .iter()
            .zip(families)
            .flat_map(|(wanted, plan)| wanted.sinks_in(app).map(move |sink| (sink, plan)))
            .collect();
        match observed.apps.get(app) {
            Some(Ok(state)) => AppPlan {
                plain: differing(with_keys(&sinks), state, standing),
                ..plan_app(app, state, &sinks, observed, patience)
            },
            _ => AppPlan {
                app: app.clone(),
                id: None,
                plain: vec![],
                follow: Follow::Nothing,
                findings: vec![],
            },
        }
    })
    .collect()
}

fn plan_app(
    app: &AppRef,
    state: &AppState,
    sinks: &[(&AppSink, &FamilyPlan)],
    observed: &Observed,
    patience: Duration,
) -> AppPlan {
    let kept = sinks.iter().filter_map(|(_, plan)| match &plan.decision {
        Decision::Keep { current, .. } => Some(&current.key.id),
        _ => None,
    });
    AppPlan {
        app: app.clone(),
        id: Some(state.id.clone()),
        follow: follow(state, kept, observed, patience),
        findings: sinks.iter().flat_map(|(sink, _)| shadows(sink, state)).collect(),
        plain: Vec::new(),
    }
}

/// The sinks of families that have a key or get one: the others open nothing that could be named.
fn with_keys<'s>(sinks: &'s [(&'s AppSink, &FamilyPlan)]) -> impl Iterator<Item = &'s AppSink> {
    let with_key = |plan: &FamilyPlan| matches!(plan.decision, Decision::Keep { .. } | Decision::Mint { .. });
    let sinks = sinks.iter().filter(move |(_, plan)| with_key(plan));
    sinks.map(|(sink, _)| *sink)
}

/// The variables of these sinks that say where, and say something else than what stands.
#[must_use]
pub fn differing<'s>(
    sinks: impl Iterator<Item = &'s AppSink>,
    state: &AppState,
    standing: &Standing,
) -> Vec<(Place, Env)> {
    let envs = sinks.flat_map(|sink| plain_envs(sink, standing));
    let mut differing: Vec<_> = envs.filter(|(place, env)| !state.spec.has(place, env)).collect();
    differing.dedup_by(|one, other| one.0 == other.0 && one.1.key == other.1.key);
    differing
}

/// The variables of a sink that say where, as far as what they name stands.
#[must_use]
pub fn plain_envs(sink: &AppSink, standing: &Standing) -> Vec<(Place, Env)> {
    let env = |(name, value): (String, String)| Env {
        key: name,
        value,
        kind: EnvKind::General,
    };
    let standing = sink
        .variables
        .iter()
        .filter_map(|variable| Some((variable.name.to_string(), standing.value_of(variable)?)));
    let standing: Vec<(String, String)> = standing.collect();
    let at = |place: &Place| {
        let envs = standing.iter().cloned().map(env);
        envs.map(|env| (place.clone(), env)).collect::<Vec<_>>()
    };
    sink.places.iter().flat_map(at).collect()
}

/// The keys' own variables never stand here: they are written with a minted pair or not at all.
fn follow<'a>(
    state: &AppState,
    mut kept: impl Iterator<Item = &'a AccessKeyId>,
    observed: &Observed,
    patience: Duration,
) -> Follow {
    let serves = |id: &AccessKeyId| state.active.as_ref().is_some_and(|active| active.names(id));
    let Some(waiting) = kept.find(|id| state.spec.names(id) && !serves(id)) else {
        return Follow::Nothing;
    };
    // One that has been on its way for longer than anybody would wait counts as failed.
    let fresh = |created_at: Option<Timestamp>| created_at.is_none_or(|at| observed.now.since(at) < patience);
    let mut coming = state.coming.iter();
    match coming.find(|coming| coming.names(waiting) && fresh(coming.created_at)) {
        Some(coming) => Follow::Deployment(coming.id.clone()),
        None if state.active.is_none() => Follow::Unclear,
        None => Follow::Redeploy,
    }
}

/// What a component says wins over what the app says, so ours at the app level would not reach it.
fn shadows(sink: &AppSink, state: &AppState) -> Vec<Problem> {
    if sink.places != [Place::App] {
        return Vec::new();
    }
    let keys = sink
        .variables
        .iter()
        .map(|variable| variable.name.to_string())
        .chain(KEY_ENVS.map(|name| sink.key(name)));
    let shadowed = keys.flat_map(|key| {
        state
            .spec
            .shadows(&key)
            .into_iter()
            .map(move |component| (key.clone(), component))
    });
    shadowed
        .map(|(key, component)| shadow(sink, &key, &component))
        .collect()
}

fn shadow(sink: &AppSink, key: &str, component: &str) -> Problem {
    Problem::new(
        format!("app {}", sink.app),
        format!("component {component} has a {key} of its own, which hides the one of the app"),
        format!("List {component} in app-components, or remove the variable from it."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixtures::World;

    const PATIENCE: Duration = Duration::from_mins(30);

    fn follow_of(world: &World) -> Follow {
        let (observed, wanted, plan) = (world.observed(), world.wanted(), world.plan());
        let sink = wanted.apps.first().expect("an app");
        let state = observed.apps[&sink.app].as_ref().expect("a readable app");
        plan_app(&sink.app, state, &[(sink, &plan)], &observed, PATIENCE).follow
    }

    fn steady() -> World {
        World::at(2_000)
            .key("DO1", 90, "1-aaaa", "active-2s")
            .secrets_written(100)
            .id_variable("DO1")
    }

    #[test]
    fn a_served_key_is_not_followed() {
        assert_eq!(follow_of(&steady().app("DO1", "DO1", None)), Follow::Nothing);
    }

    #[test]
    fn a_deployment_on_its_way_is_joined() {
        let world = steady().app("DO1", "DO0", Some(("DO1", 1_900)));
        assert_eq!(follow_of(&world), Follow::Deployment("coming".to_owned()));
    }

    #[test]
    fn an_app_that_shows_nothing_that_serves_is_no_evidence() {
        let world = steady().app("DO1", "DO0", None).with(|observed, _| {
            let state = observed.apps.values_mut().next().expect("an app");
            state.as_mut().expect("a readable app").active = None;
        });
        assert_eq!(follow_of(&world), Follow::Unclear);
    }

    #[test]
    fn one_that_failed_or_hangs_is_redeployed() {
        assert_eq!(follow_of(&steady().app("DO1", "DO0", None)), Follow::Redeploy);
        assert_eq!(
            follow_of(&steady().app("DO1", "DO0", Some(("DO1", 100)))),
            Follow::Redeploy
        );
    }
}
