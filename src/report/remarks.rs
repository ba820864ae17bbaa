//! Problems and findings as a step shows them: worst first, each once, as many as GitHub shows.

use std::collections::HashSet;

use super::Report;
use super::commands::Level;
use crate::model::finding::{Finding, Place, Severity};
use crate::model::problem::{FilePlace, Problem, ended};

/// How many annotations of a level GitHub shows for one step (`ExecutionContext.cs`); the summary has them all.
const SHOWN: usize = 10;

/// One annotation, or one line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Remark {
    /// How bad it is.
    pub level: Level,
    /// What it is about.
    pub title: String,
    /// What is so, and what to do.
    pub message: String,
    /// The line of a file of the workspace at which it is shown.
    pub place: Option<Place>,
    /// That line, with a mark under what is meant; shown in the log only.
    pub excerpt: String,
}

/// All that a person must see of a run: what failed (`unwritten` beside what the report has), what was found, what is
/// worth knowing.
#[must_use]
pub fn remarks(report: &Report, unwritten: &[Problem]) -> Vec<Remark> {
    let failed = report.problems.iter().chain(unwritten);
    let failed = failed.map(|problem| Remark::of_problem(Level::Error, problem));
    let found = report.findings.iter().map(Remark::of_finding);
    let notes = report.notes.iter();
    let notes = notes.map(|note| Remark::of_problem(Level::Warning, note));
    failed.chain(found).chain(notes).collect()
}

/// The remarks that have room as annotations, worst first, the last of a level counting the rest.
#[must_use]
pub fn shown(remarks: &[Remark]) -> Vec<Remark> {
    by_level(remarks)
        .into_iter()
        .flat_map(|(level, remarks)| cut(level, remarks))
        .collect()
}

/// All remarks, worst first, each once.
#[must_use]
pub fn ranked(remarks: &[Remark]) -> Vec<Remark> {
    let levels = by_level(remarks).into_iter();
    levels.flat_map(|(_, remarks)| remarks).collect()
}

fn by_level(remarks: &[Remark]) -> [(Level, Vec<Remark>); 3] {
    [Level::Error, Level::Warning, Level::Notice].map(|level| (level, of_level(level, remarks)))
}

/// The remarks of a level, each once.
fn of_level(level: Level, remarks: &[Remark]) -> Vec<Remark> {
    let mut seen = HashSet::new();
    let of_level = remarks.iter().filter(|remark| remark.level == level);
    of_level.filter(|remark| seen.insert(*remark)).cloned().collect()
}

fn cut(level: Level, mut remarks: Vec<Remark>) -> Vec<Remark> {
    if remarks.len() > SHOWN {
        let rest = remarks.split_off(SHOWN - 1).len();
        remarks.push(Remark {
            level,
            title: "more of this kind".to_owned(),
            message: format!("{rest} more are in the job summary"),
            place: None,
            excerpt: String::new(),
        });
    }
    remarks
}

impl Remark {
    /// A problem as a remark.
    #[must_use]
    pub fn of_problem(level: Level, problem: &Problem) -> Self {
        let Problem {
            subject,
            what,
            remedy,
        } = problem;
        Self {
            level,
            title: subject.clone(),
            message: sentences(what, remedy),
            place: None,
            excerpt: String::new(),
        }
    }

    /// The remark, shown at a place in a file.
    #[must_use]
    pub fn at(self, place: &FilePlace) -> Self {
        Self {
            place: Some(Place {
                file: place.file.clone(),
                line: place.line,
                column: Some(place.column),
            }),
            excerpt: place.excerpt.clone(),
            ..self
        }
    }

    /// A finding as a remark. The rule stands in the title, where people search for it.
    fn of_finding(finding: &Finding) -> Self {
        let Finding {
            rule,
            subject,
            what,
            remedy,
            place,
        } = finding;
        Self {
            level: level(rule.severity),
            title: format!("{} {}: {subject}", rule.id, rule.name),
            message: sentences(what, remedy),
            place: place.clone(),
            excerpt: String::new(),
        }
    }
}

const fn level(severity: Severity) -> Level {
    match severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Notice => Level::Notice,
    }
}

fn sentences(what: &str, remedy: &str) -> String {
    format!("{} {remedy}", ended(what)).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{checked, finding, findings, report};
    use super::*;
    use crate::model::finding::{SECRET_MISSING, UNKNOWN};

    fn titles(remarks: &[Remark]) -> Vec<String> {
        let line = |remark: &Remark| format!("{}: {}", remark.level, remark.title);
        remarks.iter().map(line).collect()
    }

    #[test]
    fn the_worst_is_told_first_and_failures_before_findings() {
        let run = Report {
            problems: report().problems,
            notes: vec![Problem::new("inputs", "x", "")],
            ..checked(findings()[4..6].to_vec())
        };
        let unwritten = [Problem::new("file out", "it cannot be written", "")];
        let told = shown(&remarks(&run, &unwritten));
        assert_eq!(
            titles(&told),
            [
                "error: app sh|op",
                "error: file out",
                "error: SK047 cors-refused: bucket shop-uploads",
                "warning: SK034 app-pinned: app shop",
                "warning: inputs",
            ]
        );
    }

    #[test]
    fn ten_of_a_level_are_shown_whatever_they_are_and_the_last_counts_the_rest() {
        let many =
            |rule, count: usize| (0..count).map(move |number| finding(rule, &format!("subject {number}")));
        let found: Vec<Finding> = many(&SECRET_MISSING, 12).chain(many(&UNKNOWN, 10)).collect();
        let run = Report {
            problems: report().problems,
            ..checked(found)
        };
        let told = shown(&remarks(&run, &[]));
        let of = |level| told.iter().filter(|remark| remark.level == level).count();
        assert_eq!((of(Level::Error), of(Level::Warning)), (10, 10));
        assert_eq!(told[9].message, "4 more are in the job summary");
        assert_eq!(told[19].title, "SK090 unknown: subject 9");
    }

    #[test]
    fn the_same_is_told_once() {
        let run = checked(vec![finding(&UNKNOWN, "app shop"), finding(&UNKNOWN, "app shop")]);
        let remarks = remarks(&run, &[]);
        assert_eq!((shown(&remarks).len(), ranked(&remarks).len()), (1, 1));
    }
}
