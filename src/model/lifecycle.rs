//! Lifecycle rules of a bucket: what expires, and when unfinished uploads are dropped.

use std::fmt;

use sha2::{Digest, Sha256};

use super::bucket::BucketName;

/// What the ids of our rules start with; all others are someone's own.
pub const OURS: &str = "spacekeeper-";

/// What the ids of declared rules start with. Rules for access logs are called otherwise, because several requests may
/// share one log bucket and none may drop the rules of another.
const DECLARED: &str = "spacekeeper-rule-";

/// A lifecycle rule of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleRule {
    /// By which it is found again.
    pub id: String,
    /// Which objects: those whose names start so; empty for all.
    pub prefix: String,
    /// After how many days they expire, at least one.
    pub expire_days: Option<i32>,
    /// After how many days an unfinished upload is dropped, at least one.
    pub abort_uploads_days: Option<i32>,
}

impl LifecycleRule {
    /// The rule for the access logs of `source`.
    ///
    /// One rule per log prefix, so that nothing else that lives in the log bucket ever expires by our doing.
    #[must_use]
    pub fn of_logs(source: &BucketName, prefix: &str, days: i32) -> Self {
        Self {
            id: format!("spacekeeper-logs-{source}"),
            prefix: prefix.to_owned(),
            expire_days: Some(days),
            abort_uploads_days: None,
        }
    }

    /// A declared rule. It is called by its prefix, of which S3 takes one rule each: by what can be read of it, and by a
    /// fingerprint, since prefixes that differ in signs or in other scripts read alike.
    #[must_use]
    pub fn declared(prefix: &str, expire_days: Option<i32>, abort_uploads_days: Option<i32>) -> Self {
        let readable = prefix
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
        let readable: String = readable.take(READABLE).collect();
        let readable = if readable.is_empty() {
            "all"
        } else {
            readable.as_str()
        };
        Self {
            id: format!("{DECLARED}{readable}-{}", fingerprint(prefix)),
            prefix: prefix.to_owned(),
            expire_days,
            abort_uploads_days,
        }
    }

    /// Whether it is a declared rule. Its prefix tells which one: earlier releases called it otherwise.
    #[must_use]
    pub fn is_declared(&self) -> bool {
        self.id.starts_with(DECLARED)
    }

    /// Whether it does the same to the same objects, whatever it is called.
    #[must_use]
    pub fn says(&self, other: &Self) -> bool {
        let Self {
            id: _,
            prefix,
            expire_days,
            abort_uploads_days,
        } = self;
        (prefix, expire_days, abort_uploads_days)
            == (&other.prefix, &other.expire_days, &other.abort_uploads_days)
    }
}

/// How much of a prefix is read in the id of its rule; S3 takes ids of 255 characters.
const READABLE: usize = 100;

/// Sixteen hexadecimal digits: no two prefixes that anybody writes have the same.
fn fingerprint(prefix: &str) -> String {
    let digest = Sha256::digest(prefix.as_bytes());
    let start: [u8; 8] = std::array::from_fn(|at| digest[at]);
    format!("{:016x}", u64::from_be_bytes(start))
}

impl fmt::Display for LifecycleRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefix, .. } = self;
        let of = if prefix.is_empty() { "everything" } else { prefix };
        match (self.expire_days, self.abort_uploads_days) {
            (Some(days), None) => write!(f, "{of} expires after {days} days"),
            (Some(days), Some(uploads)) => {
                write!(
                    f,
                    "{of} expires after {days} days, unfinished uploads after {uploads}"
                )
            }
            (None, Some(uploads)) => write!(f, "unfinished uploads of {of} end after {uploads} days"),
            (None, None) => write!(f, "nothing of {of}"),
        }
    }
}
