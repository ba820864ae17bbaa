//! Lifecycle rules of a bucket: what expires, and when unfinished uploads are dropped.

use std::fmt;

use super::bucket::BucketName;

/// What the ids of our rules start with; all others are someone's own.
pub const OURS: &str = "spacekeeper-";

/// What the ids of declared rules start with. Rules for access logs are called otherwise, because several requests may
/// share one log bucket and none may drop the rules of another.
pub const DECLARED: &str = "spacekeeper-rule-";

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

    /// A declared rule. It is called by its prefix, of which S3 takes one rule each.
    #[must_use]
    pub fn declared(prefix: &str, expire_days: Option<i32>, abort_uploads_days: Option<i32>) -> Self {
        let slug: String = prefix
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let slug = if slug.is_empty() { "all" } else { slug.as_str() };
        Self {
            id: format!("{DECLARED}{}", slug.chars().take(200).collect::<String>()),
            prefix: prefix.to_owned(),
            expire_days,
            abort_uploads_days,
        }
    }
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
