//! The outputs of the step.

use serde::Serialize;

use super::{Report, json};
use crate::config::OUTPUTS;

/// Every output with its value, in the order of `action.yml`; one that does not apply is empty.
#[must_use]
pub fn outputs(report: &Report) -> Vec<(&'static str, String)> {
    let first = report.keys.first().and_then(|key| key.access_key_id.clone());
    let values = [
        report.changed().to_string(),
        report.rotated().to_string(),
        first.unwrap_or_default(),
        compact(&json::keys(report)),
        compact(&json::buckets(report)),
        report.endpoint.clone(),
        report
            .next_rotation()
            .map(|due| due.to_string())
            .unwrap_or_default(),
        compact(&json::findings(report)),
        report.report_file.clone().unwrap_or_default(),
    ];
    OUTPUTS.iter().copied().zip(values).collect()
}

fn compact(value: &impl Serialize) -> String {
    // Only texts and booleans: there is nothing that serde_json could refuse.
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::report;
    use super::*;

    #[test]
    fn the_outputs_read_like_this() {
        let lines: Vec<String> = outputs(&report())
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
