//! Everything that can fail without a secret is tried before one is minted.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::Writers;
use crate::model::desired::{AppRef, Desired, WantedFamily};
use crate::model::name::Family;
use crate::model::observed::Observed;
use crate::model::problem::Problem;
use crate::model::sink::{SettingName, Target};
use crate::model::spec::{AppSpec, Env, EnvKind, Place};
use crate::plan::{Decision, Plan};
use crate::remedy::problem;
use crate::remote::{DigitalOcean, FailureKind};

/// What stands in the way of a mint, by target and by app.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    targets: BTreeMap<Target, Problem>,
    apps: BTreeMap<AppRef, Problem>,
}

impl Findings {
    /// The problems that concern one family.
    pub(super) fn of(&self, family: &Family, desired: &Desired) -> Vec<Problem> {
        let wanted = desired.families.iter().filter(|wanted| wanted.family == *family);
        let problems = wanted.flat_map(|wanted| {
            let targets = wanted
                .github
                .iter()
                .filter_map(|sink| self.targets.get(&sink.target));
            let apps = wanted.apps.iter().filter_map(|sink| self.apps.get(&sink.app));
            targets.chain(apps).cloned()
        });
        problems.collect()
    }
}

/// Asks GitHub whether the token may write variables, and lets App Platform judge the patched spec.
pub(crate) async fn preflight(
    writers: &Writers<'_>,
    plan: &Plan,
    desired: &Desired,
    observed: &Observed,
) -> Findings {
    let (variables, apps) = tokio::join!(
        may_write_variables(writers, plan, desired),
        propose(writers, plan, desired, observed)
    );
    Findings {
        targets: variables.into_iter().collect(),
        apps: apps.into_iter().collect(),
    }
}

/// Asks once for every target that is about to get its first key. Where the variable names a key of the family already, a
/// token has written it, and a rotation is not kept waiting.
async fn may_write_variables(
    writers: &Writers<'_>,
    plan: &Plan,
    desired: &Desired,
) -> Vec<(Target, Problem)> {
    let Some(github) = writers.github else {
        return Vec::new();
    };
    let known = plan.active_keys();
    let is_written = |target: &Target, name: &SettingName| {
        let named = writers.variables.get(target).and_then(|found| found.get(name));
        named.is_some_and(|id| known.iter().any(|key| key.as_str() == id))
    };
    let sinks = minting(plan, desired).flat_map(|wanted| &wanted.github);
    let named = sinks.filter_map(|sink| Some((&sink.target, sink.id_variable.as_ref()?)));
    let asked: BTreeMap<&Target, &SettingName> =
        named.filter(|(target, name)| !is_written(target, name)).collect();
    let answers = asked.into_iter().map(|(target, name)| async move {
        let refused = github.may_write_variable(target, name).await.err()?;
        let problem = problem(&refused);
        writers.ledger.failed(problem.clone());
        Some((target.clone(), problem))
    });
    join_all(answers).await.into_iter().flatten().collect()
}

/// The families that are about to get a new key.
fn minting<'a>(plan: &'a Plan, desired: &'a Desired) -> impl Iterator<Item = &'a WantedFamily> {
    let families = desired.families.iter().zip(&plan.families);
    let minting = families.filter(|(_, plan)| matches!(plan.decision, Decision::Mint { .. }));
    minting.map(|(wanted, _)| wanted)
}

/// Only apps that are about to get a new key.
async fn propose(
    writers: &Writers<'_>,
    plan: &Plan,
    desired: &Desired,
    observed: &Observed,
) -> Vec<(AppRef, Problem)> {
    let Some(digitalocean) = writers.digitalocean else {
        return Vec::new();
    };
    let proposals = desired
        .apps()
        .into_iter()
        .filter_map(|app| Some((app, rehearsal(app, plan, desired, observed)?)));
    let asked = proposals.map(|(app, rehearsal)| async move {
        let problem = judge(digitalocean, app, &rehearsal, writers).await?;
        writers.ledger.failed(problem.clone());
        Some((app.clone(), problem))
    });
    join_all(asked).await.into_iter().flatten().collect()
}

/// Why the change would be refused. A spec that is refused as it stands says nothing about the change.
async fn judge(
    digitalocean: &DigitalOcean,
    app: &AppRef,
    rehearsal: &Rehearsal<'_>,
    writers: &Writers<'_>,
) -> Option<Problem> {
    let Rehearsal { id, present, changed } = rehearsal;
    let refused = digitalocean.propose(id, changed).await.err()?;
    if refused.kind != FailureKind::Invalid || digitalocean.propose(id, present).await.is_ok() {
        return Some(problem(&refused));
    }
    let what =
        format!("App Platform refuses even its present spec, so the change cannot be tried: {refused}");
    writers.ledger.note(Problem::new(
        format!("app {app}"),
        what,
        "Nothing, if the deployment goes through.",
    ));
    None
}

struct Rehearsal<'a> {
    id: &'a str,
    present: &'a AppSpec,
    /// The spec as it will be sent, with placeholders for the pair.
    changed: AppSpec,
}

/// `None` where no new key is due.
fn rehearsal<'o>(
    app: &AppRef,
    plan: &Plan,
    desired: &Desired,
    observed: &'o Observed,
) -> Option<Rehearsal<'o>> {
    let state = observed.apps.get(app)?.as_ref().ok()?;
    let sinks: Vec<_> = minting(plan, desired)
        .flat_map(|wanted| wanted.sinks_in(app))
        .collect();
    let key_envs = sinks
        .iter()
        .flat_map(|sink| key_envs(&|name| sink.key(name), &sink.places, "DO00PREFLIGHT", "preflight"));
    let planned = plan.apps.iter().filter(|plan| plan.app == *app);
    let plain = planned.flat_map(|plan| plan.plain.iter().cloned());
    let mut changed = state.spec.clone();
    for (place, env) in plain.chain(key_envs) {
        changed = changed.with(&place, &[env]).ok()?;
    }
    (!sinks.is_empty()).then_some(Rehearsal {
        id: &state.id,
        present: &state.spec,
        changed,
    })
}

/// The variables that hold a pair, at every place.
pub(super) fn key_envs(
    key: &dyn Fn(&str) -> String,
    places: &[Place],
    id: &str,
    secret: &str,
) -> Vec<(Place, Env)> {
    let env = |name: &str, value: &str, kind| Env {
        key: key(name),
        value: value.to_owned(),
        kind,
    };
    let at = |place: &Place| {
        let envs = [
            env("SPACES_ACCESS_KEY_ID", id, EnvKind::General),
            env("SPACES_ACCESS_KEY", id, EnvKind::Secret),
            env("SPACES_SECRET_KEY", secret, EnvKind::Secret),
        ];
        envs.map(|env| (place.clone(), env))
    };
    places.iter().flat_map(at).collect()
}
