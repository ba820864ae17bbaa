//! `audit`: what the account holds, and what is wrong with it.

use std::collections::BTreeSet;

use super::Job;
use crate::model::bucket::{BucketName, Region};
use crate::model::inventory::{Inventory, ListedBucket, ListedKey};
use crate::model::key::{AccessKeyId, SpacesKey};
use crate::model::limits::{BUCKETS_MAX, KEYS_MAX};
use crate::model::name::KeyName;
use crate::model::observed::Observed;
use crate::model::problem::Problem;
use crate::observe::inventory::{self, Listed};
use crate::plan::audit::{self, Yardstick};
use crate::remote::Spaces;
use crate::remote::spaces::{Freshness, KeyPair};
use crate::report::Report;
use crate::tell::{self, Told};

/// What was listed, and what could not be read.
struct Account {
    observed: Observed,
    inventory: Inventory,
    unread: Vec<Problem>,
    sees_apps: bool,
}

impl Job<'_> {
    /// Lists the account and tells what is wrong.
    pub(super) async fn audit(self) -> Report {
        self.full_access.order().await;
        self.console.open_group("Looking at the account");
        let account = self.interruptible(self.account()).await;
        let Some(account) = account else {
            return self.stopped();
        };
        self.end_full_access().await;
        self.console.close_group();
        let Account {
            observed,
            inventory,
            unread,
            sees_apps,
        } = account;
        let yardstick = Yardstick {
            desired: &self.desired,
            admin_family: &self.admin_family,
            max_age: self.request.looks.max_age,
            own: self.request.access.full_access.as_ref().map(|pair| &pair.id),
            sees_apps,
        };
        let stuck = BTreeSet::new();
        let brief = self.brief(&stuck);
        let findings = audit::findings(&inventory, &unread, &observed, &yardstick, &brief);
        let told = Told::Audited { inventory, findings };
        tell::report(
            self.request,
            &self.desired,
            &told,
            self.ledger.told(),
            Some(observed.now),
        )
    }

    async fn account(&self) -> Account {
        let (buckets, (observed, apps)) = tokio::join!(self.all_buckets(), self.keys_and_apps());
        let own = self.full_access.own_id().await;
        let mut unread: Vec<Problem> = observed.keys.as_ref().err().cloned().into_iter().collect();
        let sees_apps = apps.unread.is_empty();
        unread.extend(buckets.unread);
        unread.extend(apps.unread);
        let inventory = Inventory {
            now: observed.now,
            keys: self.listed_keys(&observed, own.as_ref()),
            buckets: buckets.items,
            apps: apps.items,
            keys_max: KEYS_MAX,
            buckets_max: BUCKETS_MAX,
        };
        Account {
            observed,
            inventory,
            unread,
            sees_apps,
        }
    }

    async fn keys_and_apps(&self) -> (Observed, Listed<crate::model::inventory::ListedApp>) {
        let ((now, keys, finished), github) = tokio::join!(self.keys_and_runs(), Box::pin(self.github()));
        let ids: BTreeSet<AccessKeyId> = keys
            .as_deref()
            .unwrap_or_default()
            .iter()
            .map(|key| key.id.clone())
            .collect();
        let apps = match &self.session.digitalocean {
            Some(digitalocean) => inventory::apps(digitalocean, &ids).await,
            None => Listed::default(),
        };
        let run = self.request.runner.run;
        let mut observed = Observed::of_keys(now, run, Vec::new(), finished);
        observed.keys = keys;
        observed.targets = github.targets;
        (observed, apps)
    }

    /// Oldest first; the short-lived key of this very run is not part of the account.
    fn listed_keys(&self, observed: &Observed, own: Option<&AccessKeyId>) -> Vec<ListedKey> {
        let families: BTreeSet<_> = self
            .desired
            .families
            .iter()
            .map(|wanted| &wanted.family)
            .collect();
        let listed = |key: &SpacesKey| {
            let name = KeyName::parse(&key.name);
            let declared = name.as_ref().is_some_and(|name| families.contains(&name.family));
            ListedKey {
                key: key.clone(),
                name,
                declared,
            }
        };
        let others = observed.keys().iter().filter(|key| Some(&key.id) != own);
        let mut keys: Vec<ListedKey> = others.map(listed).collect();
        keys.sort_by(|one, other| one.key.rank().cmp(&other.key.rank()));
        keys
    }

    async fn all_buckets(&self) -> Listed<ListedBucket> {
        let freshness = if self.full_access.is_fresh() {
            Freshness::Fresh
        } else {
            Freshness::Settled
        };
        let unread = |problem: Problem| Listed {
            items: Vec::new(),
            unread: vec![problem],
        };
        match self.full_access.pair().await {
            Ok(Some(pair)) => {
                let declared: BTreeSet<BucketName> = self
                    .desired
                    .buckets
                    .iter()
                    .map(|wanted| wanted.name.clone())
                    .collect();
                inventory::buckets(&self.regions(&pair, freshness), &declared).await
            }
            Ok(None) => unread(no_access()),
            Err(problem) => unread(problem),
        }
    }

    /// Every region that has an endpoint of its own; each lists only its own buckets.
    fn regions(&self, pair: &KeyPair, freshness: Freshness) -> Vec<(Region, Spaces)> {
        let access = &self.request.access;
        if !access.knows_regions_apart() {
            let region = self.desired.region;
            return vec![(region, self.session.spaces(region, pair, freshness))];
        }
        let client = |region: Region| (region, self.session.spaces(region, pair, freshness));
        Region::all().map(client).collect()
    }
}

fn no_access() -> Problem {
    let what = "nobody has looked: they show only to a full-access key";
    let remedy =
        "Give spaces-access-key-id and its secret, or a digitalocean-token that may mint a short-lived key.";
    Problem::new("buckets", what, remedy)
}
