//! What is wrong with an account, by its inventory. Pure, like all of the plan.

use std::collections::BTreeSet;
use std::time::Duration;

use super::generations::{ADMIN_LIFE, Generations, LEASE, stray_admins};
use super::judgement::Judgement;
use super::pile::{OldKey, Pile};
use super::{Brief, obstacles};
use crate::model::bucket::{Acl, LoggingWish};
use crate::model::desired::Desired;
use crate::model::finding::{
    self, APP_HOLDS_UNKNOWN_KEY, BUCKET_UNDECLARED, BUCKETS_NEARLY_FULL, FAMILY_NOT_ROTATED,
    FULL_ACCESS_LEFT, FULL_ACCESS_STANDING, Finding, GRANT_WITHOUT_BUCKET, KEY_HOLDER_UNSEEN,
    KEY_OPENS_NOTHING, KEY_STALE, KEY_UNFINISHED, KEY_UNHELD, KEY_WIDER_THAN_ASKED, KEYS_NEARLY_FULL,
    KEYS_PILE_UP, LISTING_PUBLIC, LOGGING_OFF, POLICY_PRESENT,
};
use crate::model::inventory::{Inventory, ListedBucket, ListedKey};
use crate::model::key::{AccessKeyId, ListedGrant, Permission, SpacesKey};
use crate::model::name::{Family, Mark};
use crate::model::observed::Observed;
use crate::model::problem::Problem;

/// From how many free places on a limit is no matter yet.
const BUCKETS_KEPT_FREE: usize = 5;

/// The grant of a full-access key.
const FULL_ACCESS: &str = "fullaccess";

/// What an audit goes by.
#[derive(Debug, Clone, Copy)]
pub struct Yardstick<'a> {
    /// What is declared; empty where nothing is.
    pub desired: &'a Desired,
    /// The family of the short-lived admin keys.
    pub admin_family: &'a Family,
    /// How old a key may become that no declared family says anything about.
    pub max_age: Duration,
    /// The full-access key that this very run works with.
    pub own: Option<&'a AccessKeyId>,
    /// Whether all apps of the account were listed.
    pub sees_apps: bool,
}

/// Everything that is wrong, the worst first.
#[must_use]
pub fn findings(
    inventory: &Inventory,
    unread: &[Problem],
    observed: &Observed,
    yardstick: &Yardstick<'_>,
    brief: &Brief<'_>,
) -> Vec<Finding> {
    let strays: BTreeSet<AccessKeyId> =
        stray_admins(yardstick.desired, yardstick.admin_family, observed, brief)
            .into_iter()
            .map(|key| key.id)
            .collect();
    let complete = unread.is_empty();
    let buckets: BTreeSet<&str> = inventory
        .buckets
        .iter()
        .map(|bucket| bucket.name.as_str())
        .collect();
    let keys = inventory.keys.iter().flat_map(|key| {
        let gone = complete.then_some(&buckets);
        of_key(key, gone, &strays, observed, yardstick)
    });
    let log_targets = log_targets(inventory);
    let of_buckets = inventory
        .buckets
        .iter()
        .flat_map(|bucket| of_bucket(bucket, &log_targets, yardstick.desired));
    let mut all: Vec<Finding> = keys.chain(of_buckets).chain(of_apps(inventory)).collect();
    all.extend(quotas(inventory));
    all.extend(piles(inventory, observed, yardstick, brief));
    all.extend(inventory.keys.iter().filter_map(|key| {
        let held = inventory
            .apps
            .iter()
            .any(|app| app.access_key_id == key.key.id.as_str());
        unheld(key, observed, yardstick).filter(|_| !held)
    }));
    let unread_targets = observed.targets.values().filter_map(|state| state.as_ref().err());
    all.extend(unread_targets.map(Finding::unknown));
    all.extend(unread.iter().map(Finding::unknown));
    finding::rank(&mut all);
    all
}

fn of_key(
    listed: &ListedKey,
    buckets: Option<&BTreeSet<&str>>,
    strays: &BTreeSet<AccessKeyId>,
    observed: &Observed,
    yardstick: &Yardstick<'_>,
) -> Vec<Finding> {
    let key = &listed.key;
    let subject = format!("key {} ({})", key.name, key.id);
    if listed.name.as_ref().is_some_and(|name| name.mark == Mark::Admin) {
        let old = observed.now >= key.created_at.after(ADMIN_LIFE);
        let left = old || strays.contains(&key.id);
        let what = "it opens every bucket, and the run that minted it is over";
        return left
            .then(|| Finding::new(&FULL_ACCESS_LEFT, subject, what))
            .into_iter()
            .collect();
    }
    let mut all: Vec<Finding> = Vec::new();
    all.extend(standing(key, &subject, yardstick));
    all.extend(stale(listed, &subject, observed, yardstick));
    all.extend(unfinished(listed, &subject, observed));
    all.extend(wider(listed, &subject, yardstick.desired));
    all.extend(
        key.grants
            .is_empty()
            .then(|| Finding::new(&KEY_OPENS_NOTHING, subject.clone(), "it has no grants")),
    );
    let gone = |grant: &&ListedGrant| {
        !grant.bucket.is_empty() && buckets.is_some_and(|buckets| !buckets.contains(grant.bucket.as_str()))
    };
    all.extend(key.grants.iter().filter(gone).map(|grant| {
        let what = format!(
            "it opens bucket {}, which the account does not have",
            grant.bucket
        );
        Finding::new(&GRANT_WITHOUT_BUCKET, subject.clone(), what)
    }));
    all
}

fn opens_everything(key: &SpacesKey) -> bool {
    key.grants.iter().any(|grant| grant.permission == FULL_ACCESS)
}

fn standing(key: &SpacesKey, subject: &str, yardstick: &Yardstick<'_>) -> Option<Finding> {
    opens_everything(key).then(|| {
        let supplied = if yardstick.own == Some(&key.id) {
            "; this run works with it"
        } else {
            ""
        };
        Finding::new(
            &FULL_ACCESS_STANDING,
            subject,
            format!("it opens every bucket of the account{supplied}"),
        )
    })
}

fn stale(
    listed: &ListedKey,
    subject: &str,
    observed: &Observed,
    yardstick: &Yardstick<'_>,
) -> Option<Finding> {
    let family = listed.name.as_ref().map(|name| &name.family);
    let declared = yardstick
        .desired
        .families
        .iter()
        .find(|wanted| Some(&wanted.family) == family);
    let limit = declared.map_or(yardstick.max_age, |wanted| wanted.lifetime.max_age());
    let age = observed.now.since(listed.key.created_at);
    let days = |span: Duration| span.as_secs() / 86_400;
    let what = format!("it is {} days old; max-age is {} days", days(age), days(limit));
    let found = match current_of(listed, observed) {
        Some(family) => {
            let what = format!("its current key is {}: {what}", listed.key.id);
            Finding::new(&FAMILY_NOT_ROTATED, format!("key {family}"), what)
        }
        None => Finding::new(&KEY_STALE, subject, what),
    };
    (age >= limit).then_some(found)
}

/// The family whose current key it is.
fn current_of<'k>(listed: &'k ListedKey, observed: &Observed) -> Option<&'k Family> {
    let family = &listed.name.as_ref()?.family;
    let generations = Generations::of(family, observed);
    let current = generations.current()?;
    (current.key.id == listed.key.id).then_some(family)
}

/// A current key that no id variable names, as far as anybody can look; what apps hold is looked up by the caller. Of a
/// family that is not declared nobody knows the repositories.
fn unheld(listed: &ListedKey, observed: &Observed, yardstick: &Yardstick<'_>) -> Option<Finding> {
    let family = current_of(listed, observed).filter(|_| yardstick.sees_apps)?;
    let subject = format!("key {} ({})", listed.key.name, listed.key.id);
    let mut declared = yardstick.desired.families.iter();
    let Some(wanted) = declared.find(|wanted| wanted.family == *family) else {
        let what = format!("no app names it, and family {family} is not declared here");
        return Some(Finding::new(&KEY_HOLDER_UNSEEN, subject, what));
    };
    let mut places = Vec::new();
    for sink in &wanted.github {
        // Where nobody may look, or where no variable would tell, it may be held.
        let state = observed.targets.get(&sink.target)?.as_ref().ok()?;
        let named = state.variables.get(sink.id_variable.as_ref()?);
        if named.is_some_and(|named| named == listed.key.id.as_str()) {
            return None;
        }
        places.push(sink.target.to_string());
    }
    let what = format!("no app names it, and no variable of {}", places.join(", "));
    Some(Finding::new(&KEY_UNHELD, subject, what))
}

/// A run that still lives is not blamed for what it has not finished.
fn unfinished(listed: &ListedKey, subject: &str, observed: &Observed) -> Option<Finding> {
    let name = listed.name.as_ref()?;
    let mark = match name.mark {
        Mark::Pending => "minted, and no sink has seen it",
        Mark::Delivering => "in the middle of its delivery, so a sink may hold it",
        Mark::Active { .. } | Mark::Admin => return None,
    };
    let over = observed.now >= listed.key.created_at.after(LEASE);
    over.then(|| Finding::new(&KEY_UNFINISHED, subject, format!("its run left it {mark}")))
}

fn wider(listed: &ListedKey, subject: &str, desired: &Desired) -> Option<Finding> {
    let family = &listed.name.as_ref()?.family;
    let wanted = desired.families.iter().find(|wanted| wanted.family == *family)?;
    let allowed = |grant: &ListedGrant| {
        let permission = wanted
            .grants
            .iter()
            .find(|(bucket, _)| bucket.as_str() == grant.bucket);
        match permission {
            Some((_, Permission::ReadWrite)) => grant.permission != FULL_ACCESS,
            Some((_, Permission::Read)) => grant.permission == Permission::Read.word(),
            None => false,
        }
    };
    let excess: Vec<String> = listed
        .key
        .grants
        .iter()
        .filter(|grant| grant.permission != FULL_ACCESS && !allowed(grant))
        .map(|grant| format!("{}={}", grant.bucket, grant.permission))
        .collect();
    (!excess.is_empty()).then(|| {
        let what = format!(
            "it also opens {}, which the request does not ask for",
            excess.join(", ")
        );
        Finding::new(&KEY_WIDER_THAN_ASKED, subject, what)
    })
}

/// Buckets that receive access logs; logging their own accesses would make logs of logs.
fn log_targets(inventory: &Inventory) -> BTreeSet<&str> {
    let places = inventory
        .buckets
        .iter()
        .filter_map(|bucket| bucket.logging.as_deref());
    places
        .filter_map(|place| place.split('/').next())
        .filter(|name| !name.is_empty())
        .collect()
}

fn of_bucket(bucket: &ListedBucket, log_targets: &BTreeSet<&str>, desired: &Desired) -> Vec<Finding> {
    let subject = format!("bucket {}", bucket.name);
    let wanted = desired
        .buckets
        .iter()
        .find(|wanted| wanted.name.as_str() == bucket.name);
    let meant_off = wanted.is_some_and(|wanted| wanted.logging == Some(LoggingWish::Off));
    let meant_public = wanted.is_some_and(|wanted| wanted.acl == Some(Acl::PublicRead));
    let off =
        bucket.logging.as_deref() == Some("") && !log_targets.contains(bucket.name.as_str()) && !meant_off;
    let mut all: Vec<Finding> = Vec::new();
    all.extend(off.then(|| Finding::new(&LOGGING_OFF, subject.clone(), "its accesses are logged nowhere")));
    let public = bucket.public_listing == Some(true) && !meant_public;
    all.extend(public.then(|| Finding::new(&LISTING_PUBLIC, subject.clone(), "everybody can list it")));
    let policy = bucket.policy == Some(true);
    all.extend(policy.then(|| Finding::new(&POLICY_PRESENT, subject.clone(), "it has a bucket policy")));
    let stray = !bucket.declared && !desired.buckets.is_empty();
    all.extend(stray.then(|| Finding::new(&BUCKET_UNDECLARED, subject, "the request does not declare it")));
    all
}

fn of_apps(inventory: &Inventory) -> impl Iterator<Item = Finding> + '_ {
    let unknown = inventory.apps.iter().filter(|app| !app.known);
    unknown.map(|app| {
        let what = format!(
            "{} names key {}, which the account does not have",
            app.place, app.access_key_id
        );
        Finding::new(&APP_HOLDS_UNKNOWN_KEY, format!("app {}", app.name), what)
    })
}

/// The families whose old keys pile up, declared or not. What overwrites their sinks shows in the repositories of those that
/// are declared.
fn piles(
    inventory: &Inventory,
    observed: &Observed,
    yardstick: &Yardstick<'_>,
    brief: &Brief<'_>,
) -> Vec<Finding> {
    let names = inventory.keys.iter().filter_map(|key| key.name.as_ref());
    let families: BTreeSet<&Family> = names.map(|name| &name.family).collect();
    let told = families.into_iter().filter_map(|family| {
        let mut declared = yardstick.desired.families.iter();
        let wanted = declared.find(|wanted| wanted.family == *family);
        let judgement = wanted.map(|wanted| Judgement::of(wanted, observed, brief));
        let Generations { active, doubtful, .. } = Generations::of(family, observed);
        let old = active.iter().skip(1).chain(&doubtful);
        let pile = Pile {
            keys: old.map(|old| OldKey::unexplained(&old.key)).collect(),
            drift: judgement.as_ref().map_or(&[], |judgement| &judgement.drift),
            max_age: wanted.map(|wanted| wanted.lifetime.max_age()),
        };
        let told = pile.told()?;
        Some(Finding::new(&KEYS_PILE_UP, format!("key {family}"), told))
    });
    told.collect()
}

fn quotas(inventory: &Inventory) -> Vec<Finding> {
    let (keys, buckets) = (inventory.keys.len(), inventory.buckets.len());
    let keys = (keys + obstacles::SLOTS_KEPT_FREE >= inventory.keys_max).then(|| {
        let what = format!("it holds {keys} of {} keys", inventory.keys_max);
        Finding::new(&KEYS_NEARLY_FULL, "account", what)
    });
    let buckets = (buckets + BUCKETS_KEPT_FREE >= inventory.buckets_max).then(|| {
        let what = format!("it holds {buckets} of {} buckets", inventory.buckets_max);
        Finding::new(&BUCKETS_NEARLY_FULL, "account", what)
    });
    keys.into_iter().chain(buckets).collect()
}
