//! The outputs of the step.

use serde::Serialize;

use super::{Report, json};
use crate::config::OUTPUTS;

/// How long a list may be. GitHub drops outputs of a job that together exceed 1 MB, counted in UTF-16; three lists of this
/// length, each character at two bytes, stay below it with room for the rest.
const LONGEST_LIST: usize = 160 * 1024;

/// Every output with its value, in the order of `action.yml`; one that does not apply is empty.
#[must_use]
pub fn outputs(report: &Report) -> Vec<(&'static str, String)> {
    let first = report.keys.first().and_then(|key| key.access_key_id.clone());
    let values = [
        report.changed().to_string(),
        report.rotated().to_string(),
        first.unwrap_or_default(),
        list(&json::keys(report)),
        list(&json::standing_buckets(report)),
        report.endpoint.clone().unwrap_or_default(),
        report.cdn_endpoint.clone().unwrap_or_default(),
        report
            .next_rotation()
            .map(|due| due.to_string())
            .unwrap_or_default(),
        list(&json::findings(report)),
        report.report_file.clone().unwrap_or_default(),
    ];
    OUTPUTS.iter().copied().zip(values).collect()
}

/// A JSON list. One that is too long ends with an entry `{"more": …}`, which counts those that are left out.
fn list<T: Serialize>(entries: &[T]) -> String {
    let entries = entries
        .iter()
        .map(|entry| json::scrubbed_value(entry).to_string());
    let mut entries: Vec<String> = entries.collect();
    let whole = entries.len();
    entries.truncate(fitting(&entries));
    if entries.len() < whole {
        entries.push(format!("{{\"more\":{}}}", whole - entries.len()));
    }
    format!("[{}]", entries.join(","))
}

/// How many of the first entries have room, a comma with each.
fn fitting(entries: &[String]) -> usize {
    let lengths = entries.iter().scan(0, |length, entry| {
        *length += entry.encode_utf16().count() + 1;
        Some(*length)
    });
    lengths.take_while(|length| *length <= LONGEST_LIST).count()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::fixtures::{checked, finding, findings, report};
    use super::*;
    use crate::model::finding::UNKNOWN;

    fn read(report: &Report) -> String {
        let lines = outputs(report)
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_outputs_read_like_this() {
        insta::assert_snapshot!(read(&report()));
    }

    #[test]
    fn the_outputs_of_a_check_read_like_this() {
        insta::assert_snapshot!(read(&checked(findings()[..2].to_vec())));
    }

    #[test]
    fn a_list_that_is_too_long_ends_with_the_count_of_the_rest() {
        let many = (0..5_000).map(|number| finding(&UNKNOWN, &format!("bucket {number}")));
        let outputs = outputs(&checked(many.collect()));
        let (_, found) = outputs
            .iter()
            .find(|(name, _)| *name == "findings")
            .expect("findings");
        assert!(found.len() <= LONGEST_LIST + 32);
        let list: Vec<Value> = serde_json::from_str(found).expect("a list");
        let (last, shown) = list.split_last().expect("entries");
        assert_eq!(last["more"].as_u64(), Some(5_000 - shown.len() as u64));
        assert!(shown.iter().all(|entry| entry["id"] == "SK090"));
    }
}
