//! Everything that an account holds. Nothing here writes.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use crate::model::bucket::{BucketName, Region};
use crate::model::inventory::{ListedApp, ListedBucket};
use crate::model::key::AccessKeyId;
use crate::model::observed::Reading;
use crate::model::problem::Problem;
use crate::remedy::problem;
use crate::remote::{DigitalOcean, Spaces};

/// What was listed, and what could not be read.
#[derive(Debug)]
pub struct Listed<T> {
    /// What was listed.
    pub items: Vec<T>,
    /// What could not be read.
    pub unread: Vec<Problem>,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            unread: Vec::new(),
        }
    }
}

impl<T> Listed<T> {
    fn gather(readings: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::default();
        for one in readings {
            all.items.extend(one.items);
            all.unread.extend(one.unread);
        }
        all
    }
}

/// Every app that holds a Spaces key in its spec.
pub async fn apps(digitalocean: &DigitalOcean, keys: &BTreeSet<AccessKeyId>) -> Listed<ListedApp> {
    match digitalocean.apps().await {
        Ok(apps) => Listed {
            items: apps.iter().flat_map(|app| of_app(app, keys)).collect(),
            unread: Vec::new(),
        },
        Err(failure) => Listed {
            items: Vec::new(),
            unread: vec![problem(&failure)],
        },
    }
}

fn of_app(app: &crate::remote::digitalocean::App, keys: &BTreeSet<AccessKeyId>) -> Vec<ListedApp> {
    let held = app.spec.held_keys(keys);
    held.into_iter()
        .map(|(place, id)| ListedApp {
            id: app.id.clone(),
            name: app.spec.name().to_owned(),
            access_key_id: id.to_string(),
            place: place.to_string(),
            known: keys.contains(&id),
        })
        .collect()
}

/// Every bucket of these regions, each with the settings that an auditor asks for.
pub async fn buckets(regions: &[(Region, Spaces)], declared: &BTreeSet<BucketName>) -> Listed<ListedBucket> {
    let asked = regions
        .iter()
        .map(|(region, spaces)| of_region(*region, spaces, declared));
    let mut all = Listed::gather(join_all(asked).await);
    all.items
        .sort_by(|one, other| (one.region, &one.name).cmp(&(other.region, &other.name)));
    all
}

async fn of_region(region: Region, spaces: &Spaces, declared: &BTreeSet<BucketName>) -> Listed<ListedBucket> {
    let names = match spaces.bucket_names().await {
        Ok(names) => names,
        Err(failure) => {
            let Problem { what, remedy, .. } = problem(&failure);
            return Listed {
                items: Vec::new(),
                unread: vec![Problem::new(format!("buckets of {region}"), what, remedy)],
            };
        }
    };
    let asked = names
        .into_iter()
        .map(|name| of_bucket(region, spaces, name, declared));
    Listed::gather(join_all(asked).await)
}

async fn of_bucket(
    region: Region,
    spaces: &Spaces,
    name: String,
    declared: &BTreeSet<BucketName>,
) -> Listed<ListedBucket> {
    let mut bucket = ListedBucket {
        name,
        region,
        logging: None,
        public_listing: None,
        policy: None,
        declared: false,
    };
    // A name that could not be declared, such as one with a dot, is listed and not looked into.
    let Ok(name) = bucket.name.parse::<BucketName>() else {
        return Listed {
            items: vec![bucket],
            unread: Vec::new(),
        };
    };
    let (logging, listing, policy) = tokio::join!(
        spaces.logging(&name),
        spaces.is_listed_to_everybody(&name),
        spaces.has_policy(&name)
    );
    let mut unread = Vec::new();
    bucket.declared = declared.contains(&name);
    bucket.logging = noted(logging, &mut unread).map(|logging| {
        logging.map_or(String::new(), |logging| {
            format!("{}/{}", logging.target, logging.prefix)
        })
    });
    bucket.public_listing = noted(listing, &mut unread).flatten();
    bucket.policy = noted(policy, &mut unread);
    Listed {
        items: vec![bucket],
        unread,
    }
}

fn noted<T>(answered: Result<T, crate::remote::Failure>, unread: &mut Vec<Problem>) -> Option<T> {
    let reading: Reading<T> = answered.map_err(|failure| problem(&failure));
    reading.map_err(|problem| unread.push(problem)).ok()
}
