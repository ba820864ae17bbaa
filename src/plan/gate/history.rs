//! Since when an app has served no old key.
//!
//! What is known is when the last deployment that may hold the key was over. A newer one counts only where it is known to
//! have served: one that hung and was superseded has taken the place of none.

use super::hidden::in_spec;
use crate::model::desired::AppSink;
use crate::model::key::AccessKeyId;
use crate::model::observed::{DeploymentState, History, PastDeployment, Service};
use crate::model::time::Timestamp;

/// Since when an app has served no deployment that may hold a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clear {
    /// Since this time.
    Since(Timestamp),
    /// At least since this time; what served before is not read, for want of room.
    AtLeastSince(Timestamp),
    /// A deployment that may hold it is on its way or serves.
    Not,
}

/// Since when this app has served no deployment that may hold the key.
pub(super) fn clear_of(id: &AccessKeyId, sink: &AppSink, history: &History) -> Clear {
    let all = &history.deployments;
    let last = all.iter().position(|past| may_hold(id, sink, &past.deployment));
    let newer = &all[..last.unwrap_or(all.len())];
    let Some((serving, since)) = serving(all) else {
        return Clear::Not;
    };
    let served = newer.iter().filter(|past| past.service.is_known());
    // None of them has served before it was created.
    let row = served.filter_map(|past| past.deployment.created_at).min();
    let Some(row) = row.or(serving.deployment.created_at) else {
        return Clear::Not;
    };
    match last.map(|at| all[at].service) {
        None if history.limit.is_some() => Clear::AtLeastSince(row),
        None => Clear::Since(row),
        Some(Service::Serves(_) | Service::Coming) => Clear::Not,
        Some(Service::Served(Some(until)) | Service::Doubtful(Some(until))) => Clear::Since(row.max(until)),
        Some(Service::Served(None) | Service::Doubtful(None)) => Clear::Since(row.max(since)),
    }
}

/// The deployment that serves, and since when.
fn serving(deployments: &[PastDeployment]) -> Option<(&PastDeployment, Timestamp)> {
    deployments.iter().find_map(|past| match past.service {
        Service::Serves(since) => Some((past, since)),
        Service::Served(_) | Service::Doubtful(_) | Service::Coming => None,
    })
}

/// Whether it names the key, or does not say at every place of ours that it holds another one.
fn may_hold(id: &AccessKeyId, sink: &AppSink, deployment: &DeploymentState) -> bool {
    let Some(spec) = &deployment.spec else { return true };
    let names_another = |place| {
        let named = spec.value(place, &sink.key("SPACES_ACCESS_KEY_ID"));
        named.is_some_and(|named| !named.is_empty() && named != id.as_str())
    };
    spec.mentions(id) || !sink.places.iter().all(names_another) || !in_spec(sink, spec, id).is_empty()
}
