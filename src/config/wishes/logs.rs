//! What is wished of access logs.

use std::collections::BTreeSet;

use super::super::door::Door;
use super::super::inputs::RawInputs;
use super::super::values::{days, log_prefix};
use crate::model::bucket::{BucketName, Logging, LoggingWish, Region};
use crate::model::cdn::CdnWish;
use crate::model::cors::CorsWish;
use crate::model::desired::WantedBucket;
use crate::model::key::Permission;
use crate::model::lifecycle::LifecycleRule;

/// The log bucket, and what goes there.
pub(super) struct LogWish {
    bucket: BucketName,
    prefixes: Vec<(BucketName, String)>,
    retention_days: Option<i32>,
}

/// Reads the inputs about access logs; nothing when no log bucket is wished for.
pub(super) fn log_wish(
    raw: &RawInputs,
    buckets: &[(BucketName, Permission)],
    app: Option<&str>,
    door: &mut Door,
) -> Option<LogWish> {
    let retention_days = door.parse("log-retention-days", raw.log_retention_days.as_deref(), days);
    let prefix = door.parse("log-prefix", raw.log_prefix.as_deref(), log_prefix);
    let bucket: Option<BucketName> = door.parse("log-bucket", raw.log_bucket.as_deref(), str::parse);
    for (input, set) in [
        ("log-prefix", raw.log_prefix.is_some()),
        ("log-retention-days", raw.log_retention_days.is_some()),
    ] {
        if set && raw.log_bucket.is_none() {
            door.refuse(
                input,
                "it says something about access logs, but log-bucket is not set",
            );
        }
    }
    let bucket = bucket?;
    if buckets.iter().any(|(name, _)| *name == bucket) {
        door.refuse(
            "log-bucket",
            format!("`{bucket}` is also one of the buckets; logs must go to another bucket"),
        );
    }
    let template = prefix.unwrap_or_else(|| "access-logs/{app}/{bucket}/".to_owned());
    let filled = |name: &BucketName| {
        template
            .replace("{app}", app.unwrap_or_default())
            .replace("{bucket}", name.as_str())
    };
    let prefixes = buckets
        .iter()
        .map(|(name, _)| (name.clone(), filled(name)))
        .collect();
    Some(LogWish {
        bucket,
        prefixes,
        retention_days,
    })
}

/// What is wished of every bucket but the one for logs.
#[derive(Default)]
pub(super) struct BucketSettings {
    pub(super) cors: Option<CorsWish>,
    pub(super) cdn: Option<CdnWish>,
}

/// Log bucket first: the logging of the others needs it.
pub(super) fn wanted_buckets(
    buckets: &[(BucketName, Permission)],
    log: Option<&LogWish>,
    region: Region,
    settings: &BucketSettings,
) -> Vec<WantedBucket> {
    let mut wanted: Vec<WantedBucket> = log.into_iter().map(|log| log_bucket(log, region)).collect();
    wanted.extend(buckets.iter().map(|(name, _)| WantedBucket {
        logging: log.and_then(|log| log.logging_of(name)).map(LoggingWish::To),
        cors: settings.cors.clone(),
        cdn: settings.cdn.clone(),
        ..WantedBucket::bare(name.clone(), region)
    }));
    wanted
}

fn log_bucket(log: &LogWish, region: Region) -> WantedBucket {
    let days = log.retention_days;
    let rules = log
        .prefixes
        .iter()
        .filter_map(|(source, prefix)| Some(LifecycleRule::of_logs(source, prefix, days?)));
    let mut lifecycle: Vec<LifecycleRule> = rules.collect();
    // S3 refuses two rules with one prefix, which a log-prefix without {bucket} would make.
    let mut seen = BTreeSet::new();
    lifecycle.retain(|rule| seen.insert(rule.prefix.clone()));
    WantedBucket {
        lifecycle,
        ..WantedBucket::bare(log.bucket.clone(), region)
    }
}

impl LogWish {
    fn logging_of(&self, source: &BucketName) -> Option<Logging> {
        let (_, prefix) = self.prefixes.iter().find(|(name, _)| name == source)?;
        Some(Logging {
            target: self.bucket.clone(),
            prefix: prefix.clone(),
        })
    }
}
