//! Brings every app to a deployment that carries its current keys.

use std::time::Duration;

use futures_util::future::join_all;

use super::confirm::Awaited;
use super::keys::{KeyOutcome, Keys};
use super::{Writers, apps};
use crate::model::key::AccessKeyId;
use crate::plan::{AppPlan, Follow};

/// Sends what else differs, then waits for every app, side by side.
pub(crate) async fn settle(writers: &Writers<'_>, plans: &[AppPlan], keys: &Keys, wait: Option<Duration>) {
    plans
        .iter()
        .flat_map(|plan| plan.findings.clone())
        .for_each(|finding| writers.ledger.note(finding));
    join_all(plans.iter().map(|plan| settle_app(writers, plan, keys, wait))).await;
}

async fn settle_app(writers: &Writers<'_>, plan: &AppPlan, keys: &Keys, wait: Option<Duration>) {
    let Some(id) = &plan.id else { return };
    let due = match due(writers, plan, keys) {
        Due::Nothing => return,
        Due::Edit => match edit(writers, plan, id).await {
            Some(deployment) => deployment,
            None => return,
        },
        Due::Deployment(deployment) => Some(deployment),
        Due::Any => None,
    };
    let Some(timeout) = wait else {
        tracing::info!(
            "app {}: not waiting for its deployment (wait-for-deployment: false)",
            plan.app
        );
        return;
    };
    let awaited = Awaited {
        app: &plan.app,
        id,
        keys: current_keys(writers, plan, keys),
    };
    match awaited.follow(writers, due, timeout).await {
        Ok(()) => tracing::info!(
            "app {}: the deployment that carries the current key serves",
            plan.app
        ),
        Err(problem) => writers.ledger.failed(problem),
    }
}

/// What an app still waits for.
enum Due {
    Nothing,
    Edit,
    Deployment(String),
    Any,
}

fn due(writers: &Writers<'_>, plan: &AppPlan, keys: &Keys) -> Due {
    let minted = families(writers, plan).filter_map(|family| match keys.get(family) {
        Some(KeyOutcome::Minted { deployment, .. }) => Some(deployment.clone()),
        _ => None,
    });
    let failed =
        families(writers, plan).any(|family| matches!(keys.get(family), Some(KeyOutcome::Failed { .. })));
    match (minted.max(), &plan.follow) {
        (Some(Some(deployment)), _) => Due::Deployment(deployment),
        // Without a key the variables that say where are worth no deployment.
        (None, _) if !plan.plain.is_empty() && failed => Due::Nothing,
        (None, _) if !plan.plain.is_empty() => Due::Edit,
        (None, Follow::Deployment(deployment)) => Due::Deployment(deployment.clone()),
        (Some(None), _) | (None, Follow::Redeploy) => Due::Any,
        (None, Follow::Nothing) => Due::Nothing,
    }
}

/// `None` when the PUT failed; otherwise the deployment, where one was created.
async fn edit(writers: &Writers<'_>, plan: &AppPlan, id: &str) -> Option<Option<String>> {
    match apps::put(writers, &plan.app, id, &plan.plain, None).await {
        Ok(put) => {
            let names: Vec<&str> = plan.plain.iter().map(|(_, env)| env.key.as_str()).collect();
            writers
                .ledger
                .did(format!("app {}", plan.app), format!("{} set", names.join(", ")));
            Some(put.deployment)
        }
        Err(failure) => {
            writers.ledger.failed(failure.problem);
            None
        }
    }
}

fn families<'w>(
    writers: &Writers<'w>,
    plan: &AppPlan,
) -> impl Iterator<Item = &'w crate::model::name::Family> {
    let app = plan.app.clone();
    let carried = writers.desired.families.iter();
    carried
        .filter(move |wanted| wanted.app.as_ref().is_some_and(|sink| sink.app == app))
        .map(|wanted| &wanted.family)
}

fn current_keys(writers: &Writers<'_>, plan: &AppPlan, keys: &Keys) -> Vec<AccessKeyId> {
    let current = families(writers, plan).filter_map(|family| match keys.get(family)? {
        KeyOutcome::Minted { key, .. } => Some(key.key.id.clone()),
        KeyOutcome::Kept { current, .. } => Some(current.key.id.clone()),
        KeyOutcome::Failed { .. } => None,
    });
    current.collect()
}
