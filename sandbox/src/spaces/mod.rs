//! Spaces: the buckets of all regions, and the S3 face that serves them.

mod access;
mod bucket;
mod buckets;
mod call;
mod cors;
mod demands;
mod face;
mod host;
mod lifecycle;
mod listing;
mod multipart;
mod object;
mod objects;
mod permission;
mod preflight;
mod reply;
mod service;
mod settings;
mod world;

use std::collections::BTreeMap;

pub use bucket::{Acl, Bucket, Logging, Owner, Versioning};
pub use cors::CorsRule;
pub(crate) use face::answer;
pub use lifecycle::{LifecycleRule, PrefixForm};
pub use object::{Object, Part, Upload};

/// Every bucket there is: ours and strangers', in all regions.
#[derive(Debug, Clone, Default)]
pub struct Spaces {
    buckets: Vec<Bucket>,
    /// When a bucket of that name was deleted, in Unix seconds: the name stays blocked for a while.
    deleted_names: BTreeMap<String, i64>,
}

impl Spaces {
    /// The bucket of that name, whoever owns it. Where names are unique per region only
    /// ([`crate::Switches::bucket_names_are_global`]) this is the one that was made first.
    #[must_use]
    pub fn bucket(&self, name: &str) -> Option<&Bucket> {
        self.buckets.iter().find(|bucket| bucket.name == name)
    }

    /// As [`Spaces::bucket`], to change it behind the clients' back.
    pub fn bucket_mut(&mut self, name: &str) -> Option<&mut Bucket> {
        self.buckets.iter_mut().find(|bucket| bucket.name == name)
    }

    /// All buckets, oldest first.
    pub fn buckets(&self) -> impl Iterator<Item = &Bucket> {
        self.buckets.iter()
    }

    /// Puts a bucket into the world, in place of one of the same name and region.
    pub fn add(&mut self, bucket: Bucket) {
        self.deleted_names.remove(&bucket.name);
        self.buckets
            .retain(|old| (&old.name, &old.region) != (&bucket.name, &bucket.region));
        self.buckets.push(bucket);
    }

    /// Takes a bucket out of the world with all it holds, and blocks its name from `now` (Unix
    /// seconds) on.
    pub fn remove(&mut self, name: &str, region: &str, now: i64) -> Option<Bucket> {
        let at = self
            .buckets
            .iter()
            .position(|it| it.name == name && it.region == region)?;
        self.deleted_names.insert(name.to_owned(), now);
        Some(self.buckets.remove(at))
    }

    /// When the last bucket of that name was deleted, in Unix seconds.
    #[must_use]
    pub fn deleted_at(&self, name: &str) -> Option<i64> {
        self.deleted_names.get(name).copied()
    }

    /// The bucket of that name in that region.
    pub(crate) fn in_region(&self, name: &str, region: &str) -> Option<&Bucket> {
        self.buckets
            .iter()
            .find(|bucket| bucket.name == name && bucket.region == region)
    }

    /// As [`Spaces::in_region`], to change it.
    pub(crate) fn in_region_mut(&mut self, name: &str, region: &str) -> Option<&mut Bucket> {
        self.buckets
            .iter_mut()
            .find(|bucket| bucket.name == name && bucket.region == region)
    }
}
