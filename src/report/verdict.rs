//! A run in one line: the first thing that a person reads, and often the only one.

use super::Report;
use crate::model::finding::{Finding, Severity};

impl Report {
    /// The run in one line, without the markup.
    #[must_use]
    pub fn verdict(&self) -> String {
        let found = counted(&self.findings);
        let mut parts = match self.is_a_look() {
            true if found.is_empty() => vec!["nothing found".to_owned()],
            true => Vec::new(),
            false => vec![changes(self.changes.len(), self.dry_run)],
        };
        parts.extend(found);
        parts.extend(problems(self.problems.len()));
        parts.join(", ")
    }

    /// Whether the command looks and changes nothing.
    fn is_a_look(&self) -> bool {
        matches!(self.command, "check" | "audit")
    }
}

fn changes(count: usize, planned: bool) -> String {
    let changes = match count {
        0 => "nothing to change".to_owned(),
        1 => "one change".to_owned(),
        many => format!("{many} changes"),
    };
    if planned {
        changes + " planned, nothing written"
    } else {
        changes
    }
}

fn problems(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("one problem".to_owned()),
        many => Some(format!("{many} problems")),
    }
}

/// `2 errors`, `1 warning`: what there is, worst first.
fn counted(findings: &[Finding]) -> Vec<String> {
    let severities = [Severity::Error, Severity::Warning, Severity::Notice];
    let counted = severities.into_iter().filter_map(|severity| {
        let of_it = |finding: &&Finding| finding.rule.severity == severity;
        match findings.iter().filter(of_it).count() {
            0 => None,
            1 => Some(format!("1 {severity}")),
            many => Some(format!("{many} {severity}s")),
        }
    });
    counted.collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{checked, findings, report};
    use super::*;

    #[test]
    fn a_run_that_changes_is_told_by_its_changes() {
        assert_eq!(report().verdict(), "2 changes, one problem");
        let dry = Report {
            dry_run: true,
            problems: vec![],
            ..report()
        };
        assert_eq!(dry.verdict(), "2 changes planned, nothing written");
    }

    #[test]
    fn a_look_is_told_by_what_it_found() {
        assert_eq!(checked(vec![]).verdict(), "nothing found");
        assert_eq!(checked(findings()).verdict(), "5 errors, 4 warnings, 1 notice");
        let torn = Report {
            problems: report().problems,
            ..checked(vec![])
        };
        assert_eq!(torn.verdict(), "nothing found, one problem");
    }
}
