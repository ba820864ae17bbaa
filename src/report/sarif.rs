//! The findings as SARIF 2.1.0, which code scanning reads.
//!
//! What GitHub heeds: docs.github.com, "SARIF support for code scanning".

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Report;
use super::commands::harmless;
use super::json::pretty;
use super::rules::page_of;
use crate::model::finding::{Finding, Place, RULES, Rule, Severity};
use crate::model::home::Home;
use crate::model::problem::ended;

/// What a path keeps in a URI.
const IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'~');

/// The findings as SARIF. Code scanning shows a result at a line of a file of the repository: its own place, or the
/// start of `file`, which asks for what was found wrong: the manifest or the workflow.
#[must_use]
pub fn sarif(report: &Report, file: &str) -> String {
    let asked_for_in = Place {
        file: file.to_owned(),
        line: 1,
        column: None,
    };
    let log = Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: driver(report.home.as_ref()),
            },
            // Without it, `check` and `audit` would take each other's results for mended.
            automation_details: Automation {
                id: format!("spacekeeper-{}/", report.command),
            },
            results: results(&report.findings, &asked_for_in),
        }],
    };
    // Only texts and numbers: there is nothing that serde_json could refuse.
    pretty(&log)
}

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    automation_details: Automation,
    results: Vec<Outcome>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Automation {
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    information_uri: Option<String>,
    rules: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: &'static str,
    name: &'static str,
    short_description: Text,
    full_description: Text,
    help: Help,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<String>,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Help {
    text: &'static str,
    markdown: String,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: [Location; 1],
    partial_fingerprints: Fingerprints,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Physical,
    logical_locations: [Logical; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical {
    fully_qualified_name: String,
    kind: &'static str,
}

/// The one fingerprint by which GitHub knows a result again.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fingerprints {
    primary_location_line_hash: String,
}

fn driver(home: Option<&Home>) -> Driver {
    Driver {
        name: "Spacekeeper",
        semantic_version: env!("CARGO_PKG_VERSION"),
        information_uri: home.map(|home| home.address().to_owned()),
        rules: RULES.iter().map(|rule| descriptor(rule, home)).collect(),
    }
}

fn descriptor(rule: &Rule, home: Option<&Home>) -> Descriptor {
    let text = |text: String| Text { text };
    Descriptor {
        id: rule.id,
        name: rule.name,
        short_description: text(rule.name.replace('-', " ")),
        full_description: text(rule.meaning.to_owned()),
        help: Help {
            text: rule.cure,
            markdown: format!("{}\n\n**What to do:** {}", rule.meaning, rule.cure),
        },
        help_uri: home.map(|home| page_of(rule, home)),
        default_configuration: Configuration {
            level: level(rule.severity),
        },
    }
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "note",
    }
}

fn results(findings: &[Finding], asked_for_in: &Place) -> Vec<Outcome> {
    let mut seen = BTreeMap::new();
    let outcome = |finding| {
        let hash = fingerprint(finding);
        let count: &mut u32 = seen.entry(hash.clone()).or_default();
        *count += 1;
        result(finding, asked_for_in, format!("{hash}:{count}"))
    };
    findings.iter().map(outcome).collect()
}

fn result(finding: &Finding, asked_for_in: &Place, hash: String) -> Outcome {
    let rule = finding.rule;
    Outcome {
        rule_id: rule.id,
        rule_index: RULES.iter().take_while(|known| known.id != rule.id).count(),
        level: level(rule.severity),
        message: message(finding),
        locations: [location(finding, asked_for_in)],
        partial_fingerprints: Fingerprints {
            primary_location_line_hash: hash,
        },
    }
}

fn message(finding: &Finding) -> Text {
    let Finding {
        subject,
        what,
        remedy,
        ..
    } = finding;
    Text {
        text: unlinked(&format!("{subject}: {} {remedy}", ended(what))),
    }
}

/// `[text](target)` in a message is a link (SARIF 2.1.0, 3.11.6): remote text makes none.
fn unlinked(text: &str) -> String {
    harmless(text).replace("](", "] (")
}

fn location(finding: &Finding, asked_for_in: &Place) -> Location {
    let Place { file, line, .. } = finding.place.as_ref().unwrap_or(asked_for_in);
    Location {
        physical_location: Physical {
            artifact_location: Artifact {
                uri: utf8_percent_encode(file, IN_PATHS).to_string(),
                uri_base_id: "%SRCROOT%",
            },
            region: Region { start_line: *line },
        },
        logical_locations: [Logical {
            fully_qualified_name: finding.subject.clone(),
            kind: "resource",
        }],
    }
}

/// The same for every run that finds the same thing wrong at the same place, whatever the sentence says of it.
fn fingerprint(finding: &Finding) -> String {
    let hash = Sha256::digest(format!("{}\0{}", finding.rule.id, finding.subject));
    let (start, _) = hash.split_at(8);
    start
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::fixtures::{checked, finding, findings};
    use super::*;
    use crate::model::finding::{PLACEHOLDER_UNSET, SECRET_MISSING, UNKNOWN};

    const FILE: &str = ".github/workflows/check all.yml";

    fn log(findings: Vec<Finding>) -> Value {
        serde_json::from_str(&sarif(&checked(findings), FILE)).expect("JSON")
    }

    fn hashes(log: &Value) -> Vec<&str> {
        let results = log["runs"][0]["results"].as_array().expect("results").iter();
        let hashes = results.map(|result| &result["partialFingerprints"]["primaryLocationLineHash"]);
        hashes.map(|hash| hash.as_str().expect("a hash")).collect()
    }

    #[test]
    fn the_types_of_the_standard_hold_all_of_it() {
        for findings in [vec![], findings()] {
            let ours = log(findings);
            let standard: serde_sarif::sarif::Sarif = serde_json::from_value(ours.clone()).expect("SARIF");
            assert_eq!(serde_json::to_value(standard).expect("JSON"), ours);
        }
    }

    #[test]
    fn a_finding_reads_like_this() {
        let log = log(vec![finding(&SECRET_MISSING, "secrets of acme/shop")]);
        let result = &log["runs"][0]["results"][0];
        insta::assert_snapshot!(serde_json::to_string_pretty(result).expect("JSON"));
    }

    #[test]
    fn every_rule_is_there_and_a_result_points_at_its_own() {
        let log = log(findings());
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        assert_eq!(rules.len(), RULES.len());
        for result in run["results"].as_array().expect("results") {
            let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
            assert_eq!(rules[index]["id"], result["ruleId"]);
        }
    }

    #[test]
    fn a_result_is_known_again_whatever_its_sentence_says() {
        let one = finding(&UNKNOWN, "app shop");
        let other = Finding {
            what: "another sentence".to_owned(),
            ..one.clone()
        };
        let (alone, reworded) = (log(vec![one.clone()]), log(vec![other.clone()]));
        assert_eq!(hashes(&alone), hashes(&reworded));
        let both = log(vec![one, other]);
        assert_ne!(hashes(&both)[0], hashes(&both)[1]);
        let elsewhere = log(vec![finding(&UNKNOWN, "app other")]);
        assert_ne!(hashes(&alone), hashes(&elsewhere));
    }

    #[test]
    fn a_finding_with_a_place_is_shown_there() {
        let log = log(vec![
            finding(&PLACEHOLDER_UNSET, "file app.yaml").at(".do/app.yaml", 12),
        ]);
        let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], ".do/app.yaml");
        assert_eq!(place["region"]["startLine"], 12);
    }

    #[test]
    fn remote_text_makes_no_link() {
        let hostile = finding(&UNKNOWN, "app [click](https://evil.example)\n##[error]");
        let log = log(vec![hostile]);
        let text = log["runs"][0]["results"][0]["message"]["text"]
            .as_str()
            .expect("a text");
        assert!(
            !text.contains("](") && !text.contains("##[") && !text.contains('\n'),
            "{text}"
        );
    }
}
