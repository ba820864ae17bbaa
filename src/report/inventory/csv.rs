//! The inventory as one table for spreadsheets: a line for each thing, what it has no use for left empty.

use serde::Serialize;

use super::super::commands::harmless;
use super::{age_days, family, grants, known, logging, mark, yes_or_no};
use crate::model::inventory::{Inventory, ListedApp, ListedBucket, ListedKey};
use crate::scrub::scrubbed;

/// The inventory as CSV (RFC 4180): a line of titles, then keys, buckets, apps and quotas, told apart by `kind`.
#[must_use]
pub fn csv(inventory: &Inventory) -> String {
    let keys = inventory.keys.iter().map(|listed| key(listed, inventory));
    let buckets = inventory.buckets.iter().map(bucket);
    let apps = inventory.apps.iter().map(app);
    let quotas = [
        quota("keys", inventory.keys.len(), inventory.keys_max),
        quota("buckets", inventory.buckets.len(), inventory.buckets_max),
    ];
    let lines = keys.chain(buckets).chain(apps).chain(quotas);
    written(lines)
}

/// Written to memory, with as many columns in every line and texts in all of them: there is nothing that could fail.
fn written(lines: impl Iterator<Item = Line>) -> String {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    for line in lines {
        writer.serialize(line).expect("every line has the same columns");
    }
    let text = writer.into_inner().expect("memory takes what is written");
    String::from_utf8(text).expect("all cells are texts")
}

/// The columns, in their order.
#[derive(Default, Serialize)]
struct Line {
    kind: &'static str,
    name: String,
    id: String,
    region: String,
    declared: &'static str,
    family: String,
    mark: String,
    created_at: String,
    age_days: Option<u64>,
    grants: String,
    logging: String,
    public_listing: &'static str,
    policy: &'static str,
    place: String,
    access_key_id: String,
    key_exists: &'static str,
    used: Option<usize>,
    limit: Option<usize>,
}

fn key(listed: &ListedKey, inventory: &Inventory) -> Line {
    Line {
        kind: "key",
        name: inert(&listed.key.name),
        id: inert(listed.key.id.as_str()),
        declared: yes_or_no(listed.declared),
        family: family(listed).unwrap_or_default(),
        mark: mark(listed).unwrap_or_default(),
        created_at: listed.key.created_at.to_string(),
        age_days: Some(age_days(listed, inventory)),
        grants: inert(&grants(listed).join(" ")),
        ..Line::default()
    }
}

fn bucket(listed: &ListedBucket) -> Line {
    Line {
        kind: "bucket",
        name: inert(&listed.name),
        region: listed.region.slug().to_owned(),
        declared: yes_or_no(listed.declared),
        logging: inert(logging(listed.logging.as_deref())),
        public_listing: known(listed.public_listing),
        policy: known(listed.policy),
        ..Line::default()
    }
}

fn app(listed: &ListedApp) -> Line {
    Line {
        kind: "app",
        name: inert(&listed.name),
        id: inert(&listed.id),
        place: inert(&listed.place),
        access_key_id: inert(&listed.access_key_id),
        key_exists: yes_or_no(listed.known),
        ..Line::default()
    }
}

fn quota(name: &str, used: usize, limit: usize) -> Line {
    Line {
        kind: "quota",
        name: name.to_owned(),
        used: Some(used),
        limit: Some(limit),
        ..Line::default()
    }
}

/// Text that a spreadsheet takes for text, and the runner too where a later step prints it: a spreadsheet runs what begins with one of these as a formula (OWASP, CSV injection).
fn inert(text: &str) -> String {
    let text = harmless(&scrubbed(text));
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{bucket, inventory, key};
    use super::*;

    #[test]
    fn a_spreadsheet_reads_this() {
        insta::assert_snapshot!(csv(&inventory()));
    }

    #[test]
    fn no_cell_is_a_formula_and_none_leaves_its_line() {
        let hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "a\",\"=1\n\"b", "\r=1"];
        let mut inventory = inventory();
        inventory.keys = hostile
            .iter()
            .map(|name| key("DO00X", name, Vec::new()))
            .collect();
        inventory.buckets = hostile.iter().map(|name| bucket(name)).collect();
        let text = csv(&inventory);
        let mut read = ::csv::Reader::from_reader(text.as_bytes());
        let lines: Vec<::csv::StringRecord> = read.records().map(|line| line.expect("a line")).collect();
        assert_eq!(lines.len(), 2 * hostile.len() + 3);
        let cells = lines.iter().flat_map(::csv::StringRecord::iter);
        let formulas: Vec<&str> = cells
            .filter(|cell| cell.starts_with(['=', '+', '-', '@', '\t', '\r']))
            .collect();
        assert_eq!(formulas, Vec::<&str>::new());
    }
}
