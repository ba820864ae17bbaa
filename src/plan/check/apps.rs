//! What is wrong with the apps: their variables, pins, deployments.

use crate::model::desired::{AppRef, AppSink, Desired, WantedFamily};
use crate::model::finding::{
    APP_ENV_DIFFERS, APP_ENV_EXPOSED, APP_ENV_SHADOWED, APP_PINNED, APP_PLACE_DIFFERS, DEPLOYMENT_IN_FLIGHT,
    Finding, NOT_DEPLOYED,
};
use crate::model::observed::{AppState, Observed};
use crate::model::problem::Problem;
use crate::model::spec::Place;
use crate::plan::Plan;
use crate::plan::app::{AppPlan, Follow};
use crate::plan::generations::Generation;
use crate::plan::obstacles::pin_holds;
use crate::plan::rotation::FamilyPlan;

/// What is wrong with every app beside the drift of its keys.
pub(super) fn findings(desired: &Desired, plan: &Plan, observed: &Observed) -> Vec<Finding> {
    let families = desired.families.iter().zip(&plan.families);
    let sinks = families.flat_map(|(wanted, plan)| {
        let sinks = wanted.apps.iter();
        sinks.flat_map(move |sink| of_sink(sink, plan, observed))
    });
    let apps = plan.apps.iter().flat_map(|plan| of_app(plan, observed));
    sinks.chain(apps).collect()
}

/// One that could not be read is told with the keys that it holds.
fn of_app(plan: &AppPlan, observed: &Observed) -> Vec<Finding> {
    let subject = format!("app {}", plan.app);
    let Some(Ok(state)) = observed.apps.get(&plan.app) else {
        return Vec::new();
    };
    let plain = plan.plain.iter().map(|(place, env)| {
        let what = format!(
            "{} at {place} is missing or differs; it should be {}",
            env.key, env.value
        );
        Finding::new(&APP_PLACE_DIFFERS, subject.clone(), what)
    });
    let shadows = plan.findings.iter().map(
        |Problem {
             subject,
             what,
             remedy,
         }| { Finding::new(&APP_ENV_SHADOWED, subject, what).remedied(remedy) },
    );
    let deployment = of_deployment(plan, state, &subject);
    plain.chain(shadows).chain(deployment).collect()
}

/// One that is on its way with the key explains that what serves is not up to date; any other one does not.
fn of_deployment(plan: &AppPlan, state: &AppState, subject: &str) -> Vec<Finding> {
    let behind = match plan.follow {
        Follow::Redeploy => Some("its spec names the current key, and the deployment that serves does not"),
        Follow::Unclear => {
            Some("its spec names the current key, and the app shows no deployment that serves")
        }
        Follow::Nothing | Follow::Deployment(_) => None,
    };
    let behind = behind.filter(|_| state.pinned.is_none());
    let behind = behind.map(|what| Finding::new(&NOT_DEPLOYED, subject, what));
    let coming = state.coming.first().map(|coming| {
        let what = format!("deployment {} is under way", coming.id);
        Finding::new(&DEPLOYMENT_IN_FLIGHT, subject, what)
    });
    behind.into_iter().chain(coming).collect()
}

/// What keeps a key from the app, whether it is the current one or the first one.
fn of_sink(sink: &AppSink, plan: &FamilyPlan, observed: &Observed) -> Vec<Finding> {
    let Some(Ok(state)) = observed.apps.get(&sink.app) else {
        return Vec::new();
    };
    let current = plan.judgement.current();
    // A component that is missing where a key serves is drift.
    let places = sink.places.iter().filter(|_| current.is_none());
    let lost = places.filter_map(|place| missing(&sink.app, place, state));
    lost.chain(pinned(sink, plan, state)).collect()
}

fn missing(app: &AppRef, place: &Place, state: &AppState) -> Option<Finding> {
    let missing = state.spec.with(place, &[]).err()?;
    let finding = Finding::new(&APP_ENV_DIFFERS, format!("app {app}"), missing.to_string());
    Some(finding.remedied("Correct app-components."))
}

fn pinned(sink: &AppSink, plan: &FamilyPlan, state: &AppState) -> Option<Finding> {
    let judgement = &plan.judgement;
    let kept = judgement.current().filter(|_| judgement.drift.is_empty());
    pin_holds(state, kept).then(|| {
        let what = match kept {
            Some(_) => "it is pinned to an older deployment, which does not carry the current key",
            None => "it is pinned to an older deployment, so a new key would not reach it",
        };
        Finding::new(&APP_PINNED, format!("app {}", sink.app), what)
    })
}

/// What is wrong at a place that does not hold the current key. A secret that everybody can read is worse than one that
/// is missing.
pub(super) fn of_place(
    wanted: &WantedFamily,
    app: &str,
    place: &Place,
    current: Option<&Generation>,
    observed: &Observed,
) -> Finding {
    let sink = wanted.apps.iter().find(|sink| sink.app.0 == app);
    let seen = sink.and_then(|sink| {
        let state = observed.apps.get(&sink.app)?.as_ref().ok()?;
        let exposed = || exposed(sink, place, state);
        missing(&sink.app, place, state)
            .or_else(exposed)
            .or_else(|| lacking(sink, place, current?, state))
    });
    seen.unwrap_or_else(|| {
        let what = format!("it does not hold the current key at {place}");
        Finding::new(&APP_ENV_DIFFERS, format!("app {app}"), what)
    })
}

fn exposed(sink: &AppSink, place: &Place, state: &AppState) -> Option<Finding> {
    let key = sink.key("SPACES_SECRET_KEY");
    let exposed = state.spec.value(place, &key).is_some() && !state.spec.holds_secret(place, &key);
    exposed.then(|| {
        let what =
            format!("{key} at {place} is not of type SECRET, so everybody who reads the spec reads it");
        Finding::new(&APP_ENV_EXPOSED, format!("app {}", sink.app), what)
    })
}

fn lacking(sink: &AppSink, place: &Place, current: &Generation, state: &AppState) -> Option<Finding> {
    let id = sink.key("SPACES_ACCESS_KEY_ID");
    let current = &current.key.id;
    let what = match state.spec.value(place, &id) {
        Some(held) if held == current.as_str() => {
            let keys = ["SPACES_ACCESS_KEY", "SPACES_SECRET_KEY"].map(|name| sink.key(name));
            let missing = keys
                .into_iter()
                .find(|key| !state.spec.holds_secret(place, key))?;
            format!("{missing} at {place} does not exist as a SECRET")
        }
        Some(held) => format!("{id} at {place} names {held}, and the current key is {current}"),
        None => format!("{id} at {place} does not exist; the current key is {current}"),
    };
    Some(Finding::new(&APP_ENV_DIFFERS, format!("app {}", sink.app), what))
}
