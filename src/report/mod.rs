//! What a person, a later step and a program are told about a run.

pub mod command_file;
pub mod commands;
pub mod console;
#[cfg(test)]
mod fixtures;
pub mod inventory;
mod json;
mod markdown;
mod outputs;
mod paint;
mod remarks;
mod rules;
mod sarif;
mod summary;
pub mod under_way;
mod verdict;

use std::time::Duration;

use serde::Serialize;

use crate::model::bucket::{BucketName, Region};
use crate::model::finding::{Finding, Severity};
use crate::model::home::Home;
use crate::model::inventory::Inventory;
use crate::model::problem::Problem;
use crate::model::time::Timestamp;

pub use json::render as json;
pub use outputs::outputs;
pub use remarks::{Remark, ranked, remarks, shown};
pub(crate) use rules::HOME;
pub use rules::findings_document;
pub use sarif::sarif;
pub use summary::{refusal, summary};

/// Everything that is told about one run. It holds no secret.
#[derive(Debug, Clone)]
pub struct Report {
    /// The command that ran.
    pub command: &'static str,
    /// Whether the changes are only planned.
    pub dry_run: bool,
    /// The region of all buckets.
    pub region: Region,
    /// The base URL of Spaces, where there is something to reach at it.
    pub endpoint: Option<String>,
    /// Where the first bucket with a CDN is reached through it, where it stands.
    pub cdn_endpoint: Option<String>,
    /// The buckets, in the order of the request.
    pub buckets: Vec<BucketReport>,
    /// The key families.
    pub keys: Vec<KeyReport>,
    /// Keys that no longer serve and are still there.
    pub older: Vec<OlderKey>,
    /// What was (or would be) written, in order: the admin key's pair is not among it.
    pub changes: Vec<Change>,
    /// What was left as it is, and why.
    pub kept: Vec<Change>,
    /// What failed or stands in the way, worst first.
    pub problems: Vec<Problem>,
    /// What `check` and `audit` have found, worst first.
    pub findings: Vec<Finding>,
    /// What the account holds, as `audit` has listed it.
    pub inventory: Option<Inventory>,
    /// From which severity on findings make the run end with exit code 3; nothing for never.
    pub fail_on: Option<Severity>,
    /// What a person should know although the run did what it should.
    pub notes: Vec<Problem>,
    /// DigitalOcean's clock at the end; ages count by it.
    pub now: Option<Timestamp>,
    /// Where this release is documented.
    pub home: Option<Home>,
    /// Where the JSON report was written.
    pub report_file: Option<String>,
}

/// One line of the report: where, and what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The subject: `bucket shop-uploads`, `key shop-spaces-key`.
    pub subject: String,
    /// What was done, or is left undone: `created`, `kept: 12 days old, due in 76 days`.
    pub what: String,
}

impl Change {
    /// A line of the report.
    #[must_use]
    pub fn new(subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            what: what.into(),
        }
    }
}

/// A bucket at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketReport {
    /// Its name.
    pub name: BucketName,
    /// Where it lives.
    pub region: Region,
    /// The base URL of Spaces there.
    pub endpoint: String,
    /// How it stands.
    pub state: BucketOutcome,
    /// Whether it is there, whatever became of its settings; a dry run tells of what it would make.
    pub stands: bool,
}

/// How a bucket stands at the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BucketOutcome {
    /// It was made by this run (or would be, in a dry run).
    Created,
    /// It was there and some setting was changed (or would be).
    Changed,
    /// It was there and right.
    Kept,
    /// It could not be brought about.
    Failed,
    /// It is not there, as a look has found.
    Missing,
    /// Some setting is not what was asked for, as a look has found.
    Differs,
    /// Nobody looked, or it is left alone: a dry run without a full-access pair, or keys that would go to what is not ours.
    Unseen,
}

/// A key family at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyReport {
    /// The family.
    pub family: String,
    /// The id of the key that serves, where one does.
    pub access_key_id: Option<String>,
    /// When it was minted.
    pub created_at: Option<Timestamp>,
    /// Since when it is in every sink, on GitHub's clock.
    pub active_since: Option<Timestamp>,
    /// How old a key of the family may become, the overlap with its successor included.
    pub max_age: Duration,
    /// When it will be due.
    pub next_rotation: Option<Timestamp>,
    /// What it opens, as `bucket=permission`.
    pub grants: Vec<String>,
    /// Whether this run minted it.
    pub rotated: bool,
    /// How it stands, in one sentence.
    pub state: String,
}

/// A key that no longer serves and is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OlderKey {
    /// Its family; `adopted` for a key that was given to all of them.
    pub family: String,
    /// Its id.
    pub access_key_id: String,
    /// `superseded`, `doubtful` or `adopted`.
    pub standing: String,
    /// When it was minted.
    pub created_at: Timestamp,
    /// Since when it was in every sink; nothing where it never came so far.
    pub active_since: Option<Timestamp>,
    /// When it will be free, where nothing but time holds it back.
    pub until: Option<Timestamp>,
    /// What holds it back, a sentence each.
    pub because: Vec<String>,
}

impl Report {
    /// Adds what failed, or is worth knowing, after the rest was told; nothing is told twice.
    pub fn add(&mut self, problems: Vec<Problem>, notes: Vec<Problem>) {
        for (told, more) in [(&mut self.problems, problems), (&mut self.notes, notes)] {
            for one in more {
                if !told.contains(&one) {
                    told.push(one);
                }
            }
        }
    }

    /// Whether anything was written, or would be; the admin key's pair does not count.
    #[must_use]
    pub fn changed(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Whether anything was found that is bad enough to fail.
    #[must_use]
    pub fn fails(&self) -> bool {
        let fails = |finding: &Finding| self.fail_on.is_some_and(|least| finding.rule.severity >= least);
        self.findings.iter().any(fails)
    }

    /// Whether any key was replaced.
    #[must_use]
    pub fn rotated(&self) -> bool {
        self.keys.iter().any(|key| key.rotated)
    }

    /// The first time at which any key will be due.
    #[must_use]
    pub fn next_rotation(&self) -> Option<Timestamp> {
        self.keys.iter().filter_map(|key| key.next_rotation).min()
    }
}

/// A span as a person says it: days when there are two or more of them, else the largest unit that is not zero.
#[must_use]
pub fn spoken(span: Duration) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let seconds = span.as_secs();
    let (count, unit) = UNITS
        .into_iter()
        .find_map(|(length, unit)| (seconds >= length).then_some((seconds / length, unit)))
        .unwrap_or((seconds, "second"));
    if count == 1 {
        format!("1 {unit}")
    } else {
        format!("{count} {unit}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_in_their_largest_unit() {
        let said = [0, 1, 59, 60, 7_200, 86_400, 90 * 86_400 + 5].map(|s| spoken(Duration::from_secs(s)));
        assert_eq!(
            said,
            [
                "0 seconds",
                "1 second",
                "59 seconds",
                "1 minute",
                "2 hours",
                "1 day",
                "90 days"
            ]
        );
    }
}
