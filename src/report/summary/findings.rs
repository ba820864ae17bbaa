//! What was found, with what to do about it.

use super::super::markdown::{row, text};
use super::super::rules::page_of;
use super::section::Section;
use crate::model::finding::{Finding, Severity};
use crate::model::home::Home;

pub(super) fn findings(findings: &[Finding], home: Option<&Home>) -> Section {
    let titles = ["Severity", "Finding", "Where", "What", "What to do"];
    Section::table(
        "Findings",
        &titles,
        findings.iter().map(|finding| line(finding, home)),
    )
}

fn line(finding: &Finding, home: Option<&Home>) -> String {
    let Finding {
        rule,
        subject,
        what,
        remedy,
        ..
    } = finding;
    row(&[
        format!("{} {}", sign(rule.severity), rule.severity),
        match home {
            Some(home) => format!("[{}]({}) {}", rule.id, page_of(rule, home), rule.name),
            None => format!("{} {}", rule.id, rule.name),
        },
        text(subject),
        text(what),
        text(remedy),
    ])
}

/// The word beside it says the same to those who do not see colours.
fn sign(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "❌",
        Severity::Warning => "⚠️",
        Severity::Notice => "ℹ️",
    }
}
