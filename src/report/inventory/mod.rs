//! What an account holds, for people and for programs.

mod csv;
mod entries;
mod tables;

pub use csv::csv;
pub(super) use entries::InventoryEntry;
pub use entries::json;
pub(super) use tables::Table;
pub use tables::{plain, tables};

use crate::model::inventory::{Inventory, ListedKey};
use crate::model::key::ListedGrant;

/// What stands where something could not be read: nobody may take it for a no.
const UNKNOWN: &str = "unknown";

const fn yes_or_no(answer: bool) -> &'static str {
    if answer { "yes" } else { "no" }
}

fn known(answer: Option<bool>) -> &'static str {
    answer.map_or(UNKNOWN, yes_or_no)
}

/// Where access logs go; nowhere is told in a word.
fn logging(target: Option<&str>) -> &str {
    match target {
        None => UNKNOWN,
        Some("") => "off",
        Some(target) => target,
    }
}

/// Grants as `bucket=permission`; full access as `*=fullaccess`.
fn grants(key: &ListedKey) -> Vec<String> {
    let grant = |ListedGrant { bucket, permission }: &ListedGrant| {
        let bucket = if bucket.is_empty() { "*" } else { bucket };
        format!("{bucket}={permission}")
    };
    key.key.grants.iter().map(grant).collect()
}

fn family(key: &ListedKey) -> Option<String> {
    key.name.as_ref().map(|name| name.family.to_string())
}

/// `pending`, `delivering`, `active`, `admin`: the mark in the name without its time.
fn mark(key: &ListedKey) -> Option<String> {
    let mark = key.name.as_ref()?.mark.to_string();
    mark.split('-').next().map(str::to_owned)
}

fn age_days(key: &ListedKey, inventory: &Inventory) -> u64 {
    inventory.now.since(key.key.created_at).as_secs() / 86_400
}

#[cfg(test)]
pub(in crate::report) mod fixtures {
    use super::*;
    use crate::model::inventory::{ListedApp, ListedBucket};
    use crate::model::key::{AccessKeyId, SpacesKey, full_access};
    use crate::model::name::KeyName;
    use crate::model::time::Timestamp;

    pub(in crate::report) fn key(id: &str, name: &str, grants: Vec<ListedGrant>) -> ListedKey {
        let parsed = KeyName::parse(name);
        ListedKey {
            declared: parsed.is_some(),
            name: parsed,
            key: SpacesKey {
                id: AccessKeyId::new(id),
                name: name.to_owned(),
                grants,
                created_at: Timestamp::from_unix(1_790_000_000),
            },
        }
    }

    pub(in crate::report) fn bucket(name: &str) -> ListedBucket {
        ListedBucket {
            name: name.to_owned(),
            region: "nyc3".parse().expect("a region"),
            logging: Some(String::new()),
            public_listing: Some(true),
            policy: None,
            declared: false,
        }
    }

    pub(in crate::report) fn inventory() -> Inventory {
        let scoped = vec![ListedGrant {
            bucket: "shop-uploads".to_owned(),
            permission: "readwrite".to_owned(),
        }];
        let logged = ListedBucket {
            logging: Some("shop-logs/access-logs/".to_owned()),
            public_listing: Some(false),
            policy: Some(false),
            declared: true,
            ..bucket("shop-uploads")
        };
        let app = ListedApp {
            id: "4f6c71e2-1e90-4762-9fee-6cc4a0a9f2cf".to_owned(),
            name: "shop".to_owned(),
            access_key_id: "DO00EXAMPLE".to_owned(),
            place: "the app as a whole".to_owned(),
            known: true,
        };
        Inventory {
            now: Timestamp::from_unix(1_795_000_100),
            keys: vec![
                key("DO00HAND", "=made by hand", full_access()),
                key(
                    "DO00EXAMPLE",
                    "shop-spaces-key--1f2e--a1b2--active-tlpwv2",
                    scoped,
                ),
            ],
            buckets: vec![logged, bucket("old-things")],
            apps: vec![app],
            keys_max: 200,
            buckets_max: 100,
        }
    }
}
