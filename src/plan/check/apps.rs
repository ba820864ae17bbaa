//! What is wrong with the apps: their variables, pins, deployments.

use crate::model::desired::{AppRef, AppSink, Desired, WantedFamily};
use crate::model::finding::{
    APP_ENV_DIFFERS, APP_ENV_EXPOSED, APP_ENV_SHADOWED, APP_PINNED, APP_PLACE_DIFFERS, DEPLOYMENT_IN_FLIGHT,
    Finding, NOT_DEPLOYED, UNKNOWN,
};
use crate::model::observed::{AppState, Observed};
use crate::model::problem::Problem;
use crate::model::spec::Place;
use crate::plan::Plan;
use crate::plan::app::{AppPlan, Follow};
use crate::plan::generations::{Generation, Generations};

/// What is wrong with every app.
pub(super) fn findings(desired: &Desired, plan: &Plan, observed: &Observed) -> Vec<Finding> {
    let families = desired.families.iter();
    let keys = families.flat_map(|wanted| {
        wanted
            .apps
            .iter()
            .flat_map(|sink| of_sink(wanted, sink, observed))
    });
    let apps = plan.apps.iter().flat_map(|plan| of_app(plan, observed));
    keys.chain(apps).collect()
}

fn of_app(plan: &AppPlan, observed: &Observed) -> Vec<Finding> {
    let subject = format!("app {}", plan.app);
    let state = match observed.apps.get(&plan.app) {
        Some(Ok(state)) => state,
        Some(Err(problem)) => return vec![Finding::unknown(problem)],
        None => return vec![not_looked_at(&plan.app)],
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

fn not_looked_at(app: &AppRef) -> Finding {
    let what = "nobody has looked: there is no digitalocean-token";
    Finding::new(&UNKNOWN, format!("app {app}"), what).remedied("Give digitalocean-token (scope app:read).")
}

/// One that is on its way explains that what serves is not up to date.
fn of_deployment(plan: &AppPlan, state: &AppState, subject: &str) -> Option<Finding> {
    if let Some(coming) = state.coming.first() {
        let what = format!("deployment {} is under way", coming.id);
        return Some(Finding::new(&DEPLOYMENT_IN_FLIGHT, subject, what));
    }
    (plan.follow == Follow::Redeploy && state.pinned.is_none()).then(|| {
        let what = "its spec names the current key, and the deployment that serves does not";
        Finding::new(&NOT_DEPLOYED, subject, what)
    })
}

fn of_sink(wanted: &WantedFamily, sink: &AppSink, observed: &Observed) -> Vec<Finding> {
    let Some(Ok(state)) = observed.apps.get(&sink.app) else {
        return Vec::new();
    };
    let generations = Generations::of(&wanted.family, observed);
    let Some(current) = generations.current() else {
        return Vec::new();
    };
    let places = sink
        .places
        .iter()
        .filter_map(|place| of_place(sink, place, current, state));
    places.chain(pinned(sink, current, state)).collect()
}

/// One finding per place: a secret that everybody can read is worse than one that is missing.
fn of_place(sink: &AppSink, place: &Place, current: &Generation, state: &AppState) -> Option<Finding> {
    let subject = format!("app {}", sink.app);
    if let Err(missing) = state.spec.with(place, &[]) {
        let finding = Finding::new(&APP_ENV_DIFFERS, subject, missing.to_string());
        return Some(finding.remedied("Correct app-components."));
    }
    let secret = |name: &str| {
        let key = sink.key(name);
        let exposed = state.spec.value(place, &key).is_some() && !state.spec.holds_secret(place, &key);
        (exposed, key)
    };
    let (exposed, key) = secret("SPACES_SECRET_KEY");
    if exposed {
        let what =
            format!("{key} at {place} is not of type SECRET, so everybody who reads the spec reads it");
        return Some(Finding::new(&APP_ENV_EXPOSED, subject, what));
    }
    let id = sink.key("SPACES_ACCESS_KEY_ID");
    let held = state.spec.value(place, &id);
    let what = match held {
        Some(held) if held == current.key.id.as_str() => lacking(sink, place, state)?,
        Some(held) => format!(
            "{id} at {place} names {held}, and the current key is {}",
            current.key.id
        ),
        None => format!(
            "{id} at {place} does not exist; the current key is {}",
            current.key.id
        ),
    };
    Some(Finding::new(&APP_ENV_DIFFERS, subject, what))
}

fn lacking(sink: &AppSink, place: &Place, state: &AppState) -> Option<String> {
    let keys = ["SPACES_ACCESS_KEY", "SPACES_SECRET_KEY"].map(|name| sink.key(name));
    let missing = keys
        .into_iter()
        .find(|key| !state.spec.holds_secret(place, key))?;
    Some(format!("{missing} at {place} does not exist as a SECRET"))
}

fn pinned(sink: &AppSink, current: &Generation, state: &AppState) -> Option<Finding> {
    let away = state.is_pinned_away_from(&current.key.id);
    away.then(|| {
        let what = "it is pinned to an older deployment, which does not carry the current key";
        Finding::new(&APP_PINNED, format!("app {}", sink.app), what)
    })
}
