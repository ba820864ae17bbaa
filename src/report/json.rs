//! The report for programs.

use serde::Serialize;
use serde_json::Value;

use super::inventory::InventoryEntry;
use super::{BucketOutcome, BucketReport, Change, KeyReport, OlderKey, Report};
use crate::model::finding::Finding;
use crate::model::problem::Problem;
use crate::scrub::scrubbed_json;

/// The report as JSON, fields in a fixed order. `schema` grows when a field changes its meaning.
#[must_use]
pub fn render(report: &Report) -> String {
    let document = Document {
        schema: 1,
        command: report.command,
        dry_run: report.dry_run,
        changed: report.changed(),
        rotated: report.rotated(),
        region: report.region.slug(),
        spaces_endpoint: report.endpoint.as_deref(),
        next_rotation: report.next_rotation().map(|due| due.to_string()),
        buckets: buckets(report),
        keys: keys(report),
        older_keys: report.older.iter().map(OlderEntry::from).collect(),
        changes: &report.changes,
        kept: &report.kept,
        problems: report.problems.iter().map(ProblemEntry::from).collect(),
        findings: findings(report),
        notes: report.notes.iter().map(ProblemEntry::from).collect(),
        inventory: report.inventory.as_ref().map(InventoryEntry::from),
    };
    pretty(&document)
}

/// A document as JSON, for people too. Each of its texts is scrubbed by itself, so that it stays JSON whatever they hold.
pub(super) fn pretty<T: Serialize>(document: &T) -> String {
    format!("{:#}", scrubbed_value(document))
}

/// The same as a value.
pub(super) fn scrubbed_value<T: Serialize>(document: &T) -> Value {
    let value = serde_json::to_value(document).expect("texts, numbers and booleans are JSON");
    scrubbed_json(value)
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'a str,
    dry_run: bool,
    changed: bool,
    rotated: bool,
    region: &'a str,
    spaces_endpoint: Option<&'a str>,
    next_rotation: Option<String>,
    buckets: Vec<BucketEntry<'a>>,
    keys: Vec<KeyEntry<'a>>,
    older_keys: Vec<OlderEntry<'a>>,
    changes: &'a [Change],
    kept: &'a [Change],
    problems: Vec<ProblemEntry<'a>>,
    findings: Vec<FindingEntry<'a>>,
    notes: Vec<ProblemEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inventory: Option<InventoryEntry<'a>>,
}

/// A bucket as the output `buckets` and the report show it.
#[derive(Serialize)]
pub(super) struct BucketEntry<'a> {
    name: &'a str,
    region: &'a str,
    endpoint: &'a str,
    state: BucketOutcome,
}

/// A key as the output `keys` and the report show it.
#[derive(Serialize)]
pub(super) struct KeyEntry<'a> {
    family: &'a str,
    access_key_id: Option<&'a str>,
    created_at: Option<String>,
    active_since: Option<String>,
    max_age_seconds: u64,
    next_rotation: Option<String>,
    grants: &'a [String],
    rotated: bool,
    state: &'a str,
}

#[derive(Serialize)]
struct OlderEntry<'a> {
    family: &'a str,
    access_key_id: &'a str,
    standing: &'a str,
    created_at: String,
    active_since: Option<String>,
    until: Option<String>,
    because: &'a [String],
}

impl<'a> From<&'a OlderKey> for OlderEntry<'a> {
    fn from(
        OlderKey {
            family,
            access_key_id,
            standing,
            created_at,
            active_since,
            until,
            because,
        }: &'a OlderKey,
    ) -> Self {
        Self {
            family,
            access_key_id,
            standing,
            created_at: created_at.to_string(),
            active_since: active_since.map(|since| since.to_string()),
            until: until.map(|until| until.to_string()),
            because,
        }
    }
}

#[derive(Serialize)]
struct ProblemEntry<'a> {
    subject: &'a str,
    what: &'a str,
    remedy: &'a str,
}

impl<'a> From<&'a Problem> for ProblemEntry<'a> {
    fn from(
        Problem {
            subject,
            what,
            remedy,
        }: &'a Problem,
    ) -> Self {
        Self {
            subject,
            what,
            remedy,
        }
    }
}

/// A finding as the output `findings` and the report show it.
#[derive(Serialize)]
pub(super) struct FindingEntry<'a> {
    id: &'a str,
    name: &'a str,
    severity: &'a str,
    subject: &'a str,
    what: &'a str,
    remedy: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

impl<'a> From<&'a Finding> for FindingEntry<'a> {
    fn from(
        Finding {
            rule,
            subject,
            what,
            remedy,
            place,
        }: &'a Finding,
    ) -> Self {
        Self {
            id: rule.id,
            name: rule.name,
            severity: rule.severity.word(),
            subject,
            what,
            remedy,
            file: place.as_ref().map(|place| place.file.as_str()),
            line: place.as_ref().map(|place| place.line),
        }
    }
}

pub(super) fn findings(report: &Report) -> Vec<FindingEntry<'_>> {
    report.findings.iter().map(FindingEntry::from).collect()
}

pub(super) fn buckets(report: &Report) -> Vec<BucketEntry<'_>> {
    report.buckets.iter().map(BucketEntry::from).collect()
}

/// The buckets that are there: what a later step may rely on.
pub(super) fn standing_buckets(report: &Report) -> Vec<BucketEntry<'_>> {
    let standing = report.buckets.iter().filter(|bucket| bucket.stands);
    standing.map(BucketEntry::from).collect()
}

impl<'a> From<&'a BucketReport> for BucketEntry<'a> {
    fn from(bucket: &'a BucketReport) -> Self {
        Self {
            name: bucket.name.as_str(),
            region: bucket.region.slug(),
            endpoint: &bucket.endpoint,
            state: bucket.state,
        }
    }
}

pub(super) fn keys(report: &Report) -> Vec<KeyEntry<'_>> {
    report.keys.iter().map(KeyEntry::from).collect()
}

impl<'a> From<&'a KeyReport> for KeyEntry<'a> {
    fn from(key: &'a KeyReport) -> Self {
        let KeyReport {
            family,
            access_key_id,
            created_at,
            active_since,
            max_age,
            next_rotation,
            grants,
            rotated,
            state,
        } = key;
        Self {
            family,
            access_key_id: access_key_id.as_deref(),
            created_at: created_at.map(|at| at.to_string()),
            active_since: active_since.map(|at| at.to_string()),
            max_age_seconds: max_age.as_secs(),
            next_rotation: next_rotation.map(|at| at.to_string()),
            grants,
            rotated: *rotated,
            state,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::report;
    use super::*;

    #[test]
    fn the_whole_report_reads_like_this() {
        insta::assert_snapshot!(render(&report()));
    }

    #[test]
    fn it_stays_json_whatever_its_texts_hold() {
        for text in [
            r#"a "https://x.example/?a=b" c"#,
            "https://me:pw@x.example/?sig=a,b\\",
            "\"://\"?=\\\"",
        ] {
            let document = [("name", text), ("id", "DO00")];
            let read: Value = serde_json::from_str(&pretty(&document)).expect("JSON");
            assert_eq!(read[1][1], "DO00", "{read}");
            assert!(
                !read.to_string().contains("pw@") && !read.to_string().contains("sig=a"),
                "{read}"
            );
        }
    }
}
