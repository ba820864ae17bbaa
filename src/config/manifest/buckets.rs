//! The buckets of the file, and where their logs go.

use std::collections::{BTreeMap, BTreeSet};

use super::super::defaults;
use super::super::values::LONGEST_LOG_PREFIX;
use super::flaw::At;
use super::keys::DeclaredKey;
use super::read::{Reader, Spot};
use super::shape::{BucketShape, LoggingShape, LoggingTarget, Manifest};
use super::wanted::Context;
use crate::model::bucket::{BucketName, Logging, Region};
use crate::model::desired::WantedBucket;
use crate::model::endpoint::SpacesUrl;
use crate::model::lifecycle::LifecycleRule;

/// Every bucket that the file names, wherever it stands.
pub(super) struct Declared<'m> {
    buckets: BTreeMap<&'m BucketName, Bucket<'m>>,
    /// In the order of the file.
    order: Vec<&'m BucketName>,
}

struct Bucket<'m> {
    at: At,
    app: &'m str,
    region: Region,
    /// Nothing where it is wrong.
    shape: Option<&'m BucketShape>,
}

impl<'m> Declared<'m> {
    /// Collects the buckets of all apps; one that stands in two of them is told.
    pub(super) fn of(manifest: &'m Manifest, region: Region, reader: &mut Reader) -> Self {
        let mut declared = Self {
            buckets: BTreeMap::new(),
            order: Vec::new(),
        };
        for (app, shape) in &manifest.apps.entries {
            let buckets = shape.iter().flat_map(|app| &app.buckets);
            for (name, bucket) in buckets.flat_map(|buckets| &buckets.entries) {
                declared.add(&app.value.0, name, bucket.as_deref(), region, reader);
            }
        }
        declared
    }

    fn add(
        &mut self,
        app: &'m str,
        name: &'m Spot<BucketName>,
        shape: Option<&'m BucketShape>,
        region: Region,
        reader: &mut Reader,
    ) {
        if let Some(first) = self.buckets.get(&name.value) {
            let what = format!(
                "the bucket is declared a second time; the first is in {}, in app {}",
                first.at, first.app
            );
            reader.tell(name.at, path(app, &name.value, ""), what);
            return;
        }
        let region = shape
            .and_then(|shape| shape.region)
            .map_or(region, |region| region.value);
        let bucket = Bucket {
            at: name.at,
            app,
            region,
            shape,
        };
        self.order.push(&name.value);
        self.buckets.insert(&name.value, bucket);
    }

    /// Whether the file names this bucket.
    pub(super) fn has(&self, name: &BucketName) -> bool {
        self.buckets.contains_key(name)
    }

    /// Where a bucket of the file lives.
    pub(super) fn home_of(&self, name: &BucketName) -> Option<Region> {
        self.buckets.get(name).map(|bucket| bucket.region)
    }

    /// Under which address the CDN of a bucket answers.
    pub(super) fn cdn_of(&self, name: &BucketName) -> Option<String> {
        let bucket = self.buckets.get(name)?;
        let wish = bucket.shape?.cdn.as_ref()?.wish()?;
        Some(wish.url(name, bucket.region))
    }

    /// Where all of them live.
    pub(super) fn homes(&self) -> BTreeMap<BucketName, Region> {
        let home = |(name, bucket): (&&BucketName, &Bucket<'_>)| ((*name).clone(), bucket.region);
        self.buckets.iter().map(home).collect()
    }

    /// Refuses regions that one fixed address of Spaces does not reach.
    pub(super) fn refuse_out_of_reach(&self, url: &SpacesUrl, reader: &mut Reader) {
        if url.knows_regions_apart() {
            return;
        }
        let all = self
            .order
            .iter()
            .filter_map(|name| Some((*name, self.buckets.get(name)?)));
        let mut first = url.region();
        for (name, bucket) in all {
            let reached = *first.get_or_insert(bucket.region);
            if bucket.region != reached {
                let what = format!(
                    "`{name}` is in region {}, and the address of Spaces that is given reaches {reached} alone; \
                     write {{region}} where the region stands in spaces-endpoint-url, or leave it out",
                    bucket.region
                );
                let at = bucket.at.or_input("region");
                reader.tell(at, path(bucket.app, name, ".region"), what);
            }
        }
    }

    /// Where the buckets stand, in the order of the file.
    pub(super) fn places(&self) -> Vec<At> {
        self.order
            .iter()
            .filter_map(|name| Some(self.buckets.get(*name)?.at))
            .collect()
    }

    /// The buckets with their settings, log buckets first.
    pub(super) fn wanted(&self, keys: &[DeclaredKey], reader: &mut Reader) -> Vec<WantedBucket> {
        let logging = self.logging(reader);
        let named = self.named_targets();
        let targets: BTreeSet<&BucketName> = logging.values().map(|logging| &logging.target).collect();
        let (first, rest): (Vec<&BucketName>, Vec<&BucketName>) =
            self.order.iter().partition(|name| targets.contains(*name));
        let all = first.into_iter().chain(rest);
        all.filter_map(|name| {
            let bucket = self.buckets.get(name)?;
            let received = received(name, bucket, &logging, named.contains(name), reader);
            let context = Context {
                name,
                region: bucket.region,
                logging: &logging,
                received,
                keys,
                field: path(bucket.app, name, ""),
            };
            Some(context.wanted(bucket.shape?, reader))
        })
        .collect()
    }

    /// The buckets to which others send their logs, be the rest of it right or wrong.
    fn named_targets(&self) -> BTreeSet<&'m BucketName> {
        let shapes = self.buckets.values().filter_map(|bucket| bucket.shape);
        let targets = shapes.filter_map(|shape| match shape.logging.as_ref()? {
            LoggingShape::To(target) => Some(&target.bucket.value),
            LoggingShape::Off => None,
        });
        targets.collect()
    }

    /// Where the logs of each bucket go, as far as that makes sense.
    fn logging(&self, reader: &mut Reader) -> BTreeMap<&'m BucketName, Logging> {
        let mut logging = BTreeMap::new();
        for name in &self.order {
            let Some(bucket) = self.buckets.get(*name) else {
                continue;
            };
            if let Some(LoggingShape::To(target)) = bucket.shape.and_then(|shape| shape.logging.as_ref())
                && let Some(found) = self.target(name, bucket, target, reader)
            {
                logging.insert(*name, found);
            }
        }
        logging
    }

    fn target(
        &self,
        source: &BucketName,
        bucket: &Bucket<'_>,
        wish: &LoggingTarget,
        reader: &mut Reader,
    ) -> Option<Logging> {
        let target = &wish.bucket.value;
        let what = match self.home_of(target) {
            _ if target == source => Some("a bucket cannot hold its own logs; name another one".to_owned()),
            None => Some(format!(
                "`{target}` is not declared; add it to the buckets of an app"
            )),
            Some(home) if home != bucket.region => Some(format!(
                "`{target}` is in region {home} and `{source}` in {}; logs stay within a region",
                bucket.region
            )),
            Some(_) => None,
        };
        if let Some(what) = what {
            reader.tell(wish.bucket.at, path(bucket.app, source, ".logging.bucket"), what);
            return None;
        }
        let template = wish
            .prefix
            .as_ref()
            .map_or(defaults::LOG_PREFIX, |prefix| &prefix.value.0);
        let prefix = template
            .replace("{app}", bucket.app)
            .replace("{bucket}", source.as_str());
        if prefix.len() > LONGEST_LOG_PREFIX {
            let at = wish.prefix.as_ref().map_or(wish.at, |prefix| prefix.at);
            let what = format!(
                "with its names filled in it has {} bytes; at most {LONGEST_LOG_PREFIX} leave room for the names of objects",
                prefix.len()
            );
            reader.tell(at, path(bucket.app, source, ".logging.prefix"), what);
            return None;
        }
        Some(Logging {
            target: target.clone(),
            prefix,
        })
    }
}

/// The expiry of the logs that a bucket receives. S3 refuses two rules with one prefix.
fn received(
    name: &BucketName,
    bucket: &Bucket<'_>,
    logging: &BTreeMap<&BucketName, Logging>,
    is_target: bool,
    reader: &mut Reader,
) -> Vec<LifecycleRule> {
    let Some(days) = bucket.shape.and_then(|shape| shape.retention_days) else {
        return Vec::new();
    };
    let sources = logging.iter().filter(|(_, logging)| logging.target == *name);
    let rules =
        sources.map(|(source, logging)| LifecycleRule::of_logs(source, &logging.prefix, days.value.0));
    let mut rules: Vec<LifecycleRule> = rules.collect();
    let mut seen = BTreeSet::new();
    rules.retain(|rule| seen.insert(rule.prefix.clone()));
    if rules.is_empty() && !is_target {
        let what = "no bucket of this file sends its access logs here; for other objects use `lifecycle`";
        reader.tell(days.at, path(bucket.app, name, ".retention_days"), what);
    }
    rules
}

/// The field of a bucket, as people find it in the file.
fn path(app: &str, bucket: &BucketName, rest: &str) -> String {
    format!("apps.{app}.buckets.{bucket}{rest}")
}
