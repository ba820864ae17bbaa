//! From the wanted and the observed world to what is to be done, or why nothing is.
//!
//! Everything here is a pure function of its arguments; `now` is one of them. Every entry of a plan is an action or a
//! reason for none.

pub mod app;
pub mod bucket;
pub mod election;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod generations;
pub mod rotation;

use crate::model::desired::Desired;
use crate::model::key::SpacesKey;
use crate::model::name::Family;
use crate::model::observed::Observed;

pub use app::{AppPlan, Follow};
pub use bucket::{BucketAction, BucketPlan};
pub use rotation::{Decision, FamilyPlan, Reason, VariableWrite};

/// All that one run is going to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The buckets, in the order of the work.
    pub buckets: Vec<BucketPlan>,
    /// The keys.
    pub families: Vec<FamilyPlan>,
    /// Variables that say where, or lack the id of a key that is kept.
    pub variables: Vec<VariableWrite>,
    /// The apps.
    pub apps: Vec<AppPlan>,
    /// Full-access keys that dead runs left behind.
    pub stray_admins: Vec<SpacesKey>,
}

/// Makes the plan. `patience` is how long a deployment may take before it counts as failed.
#[must_use]
pub fn plan(desired: &Desired, admin: &Family, observed: &Observed, patience: std::time::Duration) -> Plan {
    let families: Vec<FamilyPlan> = desired
        .families
        .iter()
        .map(|wanted| rotation::plan(wanted, observed))
        .collect();
    Plan {
        buckets: desired
            .buckets
            .iter()
            .map(|wanted| bucket::plan(wanted, observed))
            .collect(),
        variables: rotation::variables(desired, &families, observed),
        apps: app::plan(desired, &families, observed, patience),
        stray_admins: generations::stray_admins(desired, admin, observed),
        families,
    }
}

impl Plan {
    /// Whether the plan holds no write at all.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let Self {
            buckets,
            families,
            variables,
            apps,
            stray_admins,
        } = self;
        buckets.iter().all(|bucket| bucket.actions.is_empty())
            && families.iter().all(FamilyPlan::is_quiet)
            && variables.is_empty()
            && apps.iter().all(AppPlan::is_quiet)
            && stray_admins.is_empty()
    }
}
