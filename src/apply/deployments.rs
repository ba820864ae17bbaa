//! Brings every app to a deployment that carries its current keys.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;

use super::confirm::{Awaited, Found, Served, Unserved};
use super::keys::{KeyOutcome, Keys};
use super::{Writers, apps};
use crate::model::desired::AppRef;
use crate::model::key::AccessKeyId;
use crate::model::name::Family;
use crate::model::problem::Problem;
use crate::plan::generations::Generation;
use crate::plan::{AppPlan, Follow};

/// How deployments are waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// How long one may take.
    pub(crate) deployment: Duration,
    /// Whether the run waits for them at all.
    pub(crate) waits: bool,
}

/// Sends what else differs, then waits for every app, side by side. Returns the apps for which App Platform creates no
/// deployment although the spec names the current key, each with what to say if nothing else helps.
pub(crate) async fn settle(
    writers: &Writers<'_>,
    plans: &[AppPlan],
    keys: &Keys,
    patience: Patience,
) -> BTreeMap<AppRef, Problem> {
    plans
        .iter()
        .flat_map(|plan| plan.findings.clone())
        .for_each(|finding| writers.ledger.note(finding));
    let settled = plans
        .iter()
        .map(|plan| async { (plan.app.clone(), settle_app(writers, plan, keys, patience).await) });
    let mut stuck = BTreeMap::new();
    for (app, outcome) in join_all(settled).await {
        match outcome {
            Ok(()) => {}
            Err(Unserved::NoDeployment(problem)) => drop(stuck.insert(app, problem)),
            Err(Unserved::Failed(problem)) => writers.ledger.failed(problem),
        }
    }
    stuck
}

async fn settle_app(
    writers: &Writers<'_>,
    plan: &AppPlan,
    keys: &Keys,
    patience: Patience,
) -> Result<(), Unserved> {
    let Some(id) = &plan.id else { return Ok(()) };
    let due = due(writers, plan, keys);
    let awaited = Awaited {
        app: &plan.app,
        id,
        keys: current_keys(writers, plan, keys),
        patience: patience.deployment,
    };
    let found = match due {
        Due::Nothing => return Ok(()),
        Due::Edit => edit(writers, plan, id).await?.map(Found::Coming),
        Due::Deployment(deployment) => Some(Found::Coming(deployment)),
        Due::Redeploy => Some(awaited.find(writers).await?),
        Due::Any => None,
    };
    if !patience.waits {
        if matches!(found, Some(Found::Nothing)) {
            awaited.redeploy(writers).await?;
        }
        tracing::info!(
            "app {}: not waiting for its deployment (wait-for-deployment: false)",
            plan.app
        );
        return Ok(());
    }
    match awaited.follow(writers, found).await? {
        Served::Serves => tracing::info!(
            "app {}: the deployment that carries the current key serves",
            plan.app
        ),
        Served::Replaced(by) => writers.ledger.note(replaced(&plan.app, &by)),
    }
    Ok(())
}

fn replaced(app: &AppRef, by: &Generation) -> Problem {
    let what = format!(
        "{} has given it {} meanwhile, so the deployment of the key before is not waited for any more",
        by.name.run.spoken(),
        by.key.id
    );
    Problem::new(format!("app {app}"), what, "")
}

/// What an app still waits for.
enum Due {
    Nothing,
    Edit,
    Deployment(String),
    /// Whatever carries the new key.
    Any,
    /// What was to carry a kept key has failed, as far as was seen.
    Redeploy,
}

fn due(writers: &Writers<'_>, plan: &AppPlan, keys: &Keys) -> Due {
    let minted = families(writers, plan).filter_map(|family| match keys.get(family) {
        Some(KeyOutcome::Minted { deployments, .. }) => Some(deployments.get(&plan.app).cloned()),
        _ => None,
    });
    match (minted.max(), &plan.follow) {
        (Some(Some(deployment)), _) => Due::Deployment(deployment),
        (None, _) if !plan.plain.is_empty() => Due::Edit,
        (None, Follow::Deployment(deployment)) => Due::Deployment(deployment.clone()),
        (None, Follow::Redeploy | Follow::Unclear) => Due::Redeploy,
        (Some(None), _) => Due::Any,
        (None, Follow::Nothing) => Due::Nothing,
    }
}

/// Returns the deployment, where one was created.
async fn edit(writers: &Writers<'_>, plan: &AppPlan, id: &str) -> Result<Option<String>, Problem> {
    let put = apps::put(writers, &plan.app, id, &plan.plain, None).await;
    let put = put.map_err(|failure| failure.problem)?;
    if put.sent {
        let names: Vec<&str> = plan.plain.iter().map(|(_, env)| env.key.as_str()).collect();
        let what = format!("{} set", names.join(", "));
        writers.ledger.did(format!("app {}", plan.app), what);
    }
    Ok(put.deployment)
}

fn families<'w>(writers: &Writers<'w>, plan: &AppPlan) -> impl Iterator<Item = &'w Family> {
    let app = plan.app.clone();
    let carried = writers.desired.families.iter();
    carried
        .filter(move |wanted| wanted.sinks_in(&app).next().is_some())
        .map(|wanted| &wanted.family)
}

fn current_keys<'w>(writers: &Writers<'w>, plan: &AppPlan, keys: &Keys) -> Vec<(&'w Family, AccessKeyId)> {
    let current = families(writers, plan).filter_map(|family| match keys.get(family)? {
        KeyOutcome::Minted { key, .. } => Some((family, key.key.id.clone())),
        KeyOutcome::Kept { current, .. } => Some((family, current.key.id.clone())),
        KeyOutcome::Failed { .. } => None,
    });
    current.collect()
}
