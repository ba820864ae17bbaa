//! The inventory for programs.

use serde::Serialize;

use super::super::json::pretty;
use super::{age_days, family, grants, mark};
use crate::model::inventory::{Inventory, ListedApp, ListedBucket, ListedKey};

/// The inventory as JSON: the object `inventory` of the report.
#[must_use]
pub fn json(inventory: &Inventory) -> String {
    pretty(&InventoryEntry::from(inventory))
}

#[derive(Serialize)]
pub(in crate::report) struct InventoryEntry<'a> {
    as_of: String,
    keys: Vec<KeyEntry<'a>>,
    buckets: Vec<BucketEntry<'a>>,
    apps: Vec<AppEntry<'a>>,
    quota: Quota,
}

#[derive(Serialize)]
struct KeyEntry<'a> {
    name: &'a str,
    access_key_id: &'a str,
    family: Option<String>,
    mark: Option<String>,
    created_at: String,
    age_days: u64,
    grants: Vec<String>,
    declared: bool,
}

/// `null` is what could not be read; `logging` is empty where it is off.
#[derive(Serialize)]
struct BucketEntry<'a> {
    name: &'a str,
    region: &'a str,
    logging: Option<&'a str>,
    public_listing: Option<bool>,
    policy: Option<bool>,
    declared: bool,
}

#[derive(Serialize)]
struct AppEntry<'a> {
    name: &'a str,
    id: &'a str,
    place: &'a str,
    access_key_id: &'a str,
    key_exists: bool,
}

#[derive(Serialize)]
struct Quota {
    keys: Room,
    buckets: Room,
}

#[derive(Serialize)]
struct Room {
    used: usize,
    limit: usize,
}

impl<'a> From<&'a Inventory> for InventoryEntry<'a> {
    fn from(inventory: &'a Inventory) -> Self {
        Self {
            as_of: inventory.now.to_string(),
            keys: inventory
                .keys
                .iter()
                .map(|listed| key(listed, inventory))
                .collect(),
            buckets: inventory.buckets.iter().map(bucket).collect(),
            apps: inventory.apps.iter().map(app).collect(),
            quota: quota(inventory),
        }
    }
}

fn key<'a>(listed: &'a ListedKey, inventory: &Inventory) -> KeyEntry<'a> {
    KeyEntry {
        name: &listed.key.name,
        access_key_id: listed.key.id.as_str(),
        family: family(listed),
        mark: mark(listed),
        created_at: listed.key.created_at.to_string(),
        age_days: age_days(listed, inventory),
        grants: grants(listed),
        declared: listed.declared,
    }
}

fn bucket(listed: &ListedBucket) -> BucketEntry<'_> {
    BucketEntry {
        name: &listed.name,
        region: listed.region.slug(),
        logging: listed.logging.as_deref(),
        public_listing: listed.public_listing,
        policy: listed.policy,
        declared: listed.declared,
    }
}

fn app(listed: &ListedApp) -> AppEntry<'_> {
    AppEntry {
        name: &listed.name,
        id: &listed.id,
        place: &listed.place,
        access_key_id: &listed.access_key_id,
        key_exists: listed.known,
    }
}

fn quota(inventory: &Inventory) -> Quota {
    Quota {
        keys: Room {
            used: inventory.keys.len(),
            limit: inventory.keys_max,
        },
        buckets: Room {
            used: inventory.buckets.len(),
            limit: inventory.buckets_max,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::inventory;

    #[test]
    fn a_program_reads_this() {
        insta::assert_snapshot!(super::json(&inventory()));
    }
}
