//! What stands of all that a variable can name: nothing is announced before it is there.

use std::collections::{BTreeMap, BTreeSet};

use super::bucket::{BucketAction, BucketPlan};
use crate::model::bucket::BucketName;
use crate::model::desired::{Desired, Landmark, Variable, WantedBucket};
use crate::model::observed::{BucketState, Observed};

/// The buckets and CDN endpoints of a request, as far as they stand. A bucket at which nobody has looked counts as
/// standing, since a key was proven on it; of a CDN endpoint that nobody has seen nobody knows the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    missing: BTreeSet<BucketName>,
    endpoints: BTreeMap<BucketName, String>,
    coming: BTreeSet<BucketName>,
}

impl Standing {
    /// What a look has found.
    #[must_use]
    pub fn found(desired: &Desired, observed: &Observed) -> Self {
        let mut standing = Self::default();
        for wanted in &desired.buckets {
            standing.note(wanted, observed);
        }
        standing
    }

    /// What there is when the plan has come true, with the addresses that new CDN endpoints usually get.
    #[must_use]
    pub(super) fn planned(desired: &Desired, observed: &Observed, plans: &[BucketPlan]) -> Self {
        let mut standing = Self::found(desired, observed);
        for (wanted, plan) in desired.buckets.iter().zip(plans) {
            if plan.problem.is_none() {
                standing.missing.remove(&wanted.name);
            }
            if let Some(wish) = wanted.cdn.as_ref().filter(|_| changes_the_cdn(plan)) {
                let usual = wish.url(&wanted.name, wanted.region);
                standing.endpoints.insert(wanted.name.clone(), usual);
            }
        }
        standing
    }

    /// The same after the buckets were made: `failed` are those that could not be had, `left` those that nobody has
    /// touched.
    #[must_use]
    pub fn created(
        mut self,
        plans: &[BucketPlan],
        failed: &BTreeSet<BucketName>,
        left: &BTreeSet<BucketName>,
    ) -> Self {
        self.missing.retain(|name| left.contains(name));
        self.missing.extend(failed.iter().cloned());
        let coming = plans.iter().filter(|plan| changes_the_cdn(plan));
        let coming = coming.map(|plan| plan.name.clone());
        self.coming = coming
            .filter(|name| !failed.contains(name) && !left.contains(name))
            .collect();
        self
    }

    /// The same after all work on buckets: with the addresses of the CDN endpoints that were made or changed.
    #[must_use]
    pub fn settled(mut self, endpoints: BTreeMap<BucketName, String>) -> Self {
        self.endpoints.extend(endpoints);
        self.coming.clear();
        self
    }

    /// What a variable may say now; nothing while what it names does not stand.
    #[must_use]
    pub fn value_of(&self, variable: &Variable) -> Option<String> {
        match &variable.names {
            Landmark::Bucket(bucket) => (!self.missing.contains(bucket)).then(|| variable.value.clone()),
            Landmark::Cdn(bucket) => self.endpoints.get(bucket).cloned(),
        }
    }

    /// Whether the work that decides about this variable is still under way.
    #[must_use]
    pub fn awaits(&self, variable: &Variable) -> bool {
        matches!(&variable.names, Landmark::Cdn(bucket) if self.coming.contains(bucket))
    }

    /// Whether a bucket is there.
    #[must_use]
    pub fn has(&self, bucket: &BucketName) -> bool {
        !self.missing.contains(bucket)
    }

    /// Where the first bucket with a CDN is reached through it.
    #[must_use]
    pub fn first_cdn(&self, desired: &Desired) -> Option<String> {
        let mut buckets = desired.buckets.iter();
        buckets.find_map(|wanted| self.endpoints.get(&wanted.name).cloned())
    }

    fn note(&mut self, wanted: &WantedBucket, observed: &Observed) {
        match observed.buckets.get(&wanted.name) {
            None | Some(Ok(BucketState::Unseen)) => {}
            Some(Ok(BucketState::Present(settings))) => {
                let url = wanted.cdn.as_ref().zip(settings.cdn.as_ref());
                let url = url.map(|(wish, endpoint)| (wanted.name.clone(), endpoint.url(wish)));
                self.endpoints.extend(url);
            }
            Some(_) => drop(self.missing.insert(wanted.name.clone())),
        }
    }
}

fn changes_the_cdn(plan: &BucketPlan) -> bool {
    plan.actions
        .iter()
        .any(|action| matches!(action, BucketAction::Cdn(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(name: &str) -> BucketName {
        name.parse().expect("a bucket")
    }

    fn variable(names: Landmark) -> Variable {
        Variable {
            name: "SPACES_ANYTHING".parse().expect("a name"),
            value: "wanted".to_owned(),
            names,
        }
    }

    #[test]
    fn a_bucket_that_could_not_be_had_is_not_named() {
        let failed = BTreeSet::from([bucket("shop-uploads")]);
        let standing = Standing::default().created(&[], &failed, &BTreeSet::new());
        let value = |name: &str| standing.value_of(&variable(Landmark::Bucket(bucket(name))));
        assert_eq!(value("shop-uploads"), None);
        assert_eq!(value("shop-invoices").as_deref(), Some("wanted"));
    }

    #[test]
    fn a_cdn_endpoint_is_named_by_the_address_that_it_was_given() {
        let cdn = variable(Landmark::Cdn(bucket("shop-uploads")));
        assert_eq!(Standing::default().value_of(&cdn), None);
        let address = "https://elsewhere.example".to_owned();
        let settled =
            Standing::default().settled(BTreeMap::from([(bucket("shop-uploads"), address.clone())]));
        assert_eq!(settled.value_of(&cdn), Some(address));
    }
}
