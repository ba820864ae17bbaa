//! What is wished of access logs.

use std::collections::BTreeSet;

use super::super::door::Door;
use super::super::inputs::RawInputs;
use super::super::values::days;
use crate::model::bucket::{BucketName, Logging, Retention};
use crate::model::desired::WantedBucket;
use crate::model::key::Permission;

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

/// Longer ones leave no room for the object names, which end at 1,024 bytes.
const LONGEST_PREFIX: usize = 512;

fn log_prefix(text: &str) -> Result<String, &'static str> {
    let braces = text.replace("{app}", "").replace("{bucket}", "");
    match text {
        _ if text.len() > LONGEST_PREFIX => Err("it is longer than 512 bytes"),
        _ if text.starts_with('/') => Err("it starts with a slash, which would make an empty folder"),
        _ if braces.contains(['{', '}']) => Err("it has a placeholder other than {app} and {bucket}"),
        _ if text.chars().any(char::is_control) => Err("it has control characters"),
        _ => Ok(text.to_owned()),
    }
}

/// Log bucket first: the logging of the others needs it.
pub(super) fn wanted_buckets(
    buckets: &[(BucketName, Permission)],
    log: Option<&LogWish>,
) -> Vec<WantedBucket> {
    let mut wanted: Vec<WantedBucket> = log.into_iter().map(log_bucket).collect();
    wanted.extend(buckets.iter().map(|(name, _)| WantedBucket {
        name: name.clone(),
        logging: log.and_then(|log| log.logging_of(name)),
        retentions: Vec::new(),
    }));
    wanted
}

fn log_bucket(log: &LogWish) -> WantedBucket {
    let days = log.retention_days;
    let rules = log
        .prefixes
        .iter()
        .filter_map(|(source, prefix)| Some(Retention::of(source, prefix, days?)));
    let mut retentions: Vec<Retention> = rules.collect();
    // S3 refuses two rules with one prefix, which a log-prefix without {bucket} would make.
    let mut seen = BTreeSet::new();
    retentions.retain(|rule| seen.insert(rule.prefix.clone()));
    WantedBucket {
        name: log.bucket.clone(),
        logging: None,
        retentions,
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
