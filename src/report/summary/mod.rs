//! The job summary: what was found, what changed, what was kept and why, what to do.

mod bar;
mod findings;
mod inventory;
mod keys;
mod section;
#[cfg(test)]
mod tests;
mod timeline;

use super::markdown::{row, text};
use super::{Change, Report};
use crate::model::problem::Problem;
use section::{Section, page};

/// The summary as GitHub-flavoured Markdown, at most as long as GitHub takes.
#[must_use]
pub fn summary(report: &Report) -> String {
    let changed = if report.dry_run { "Planned" } else { "Changed" };
    let mut sections = vec![
        problems("Problems", &report.problems),
        findings::findings(&report.findings, report.home.as_ref()),
        problems("Worth knowing", &report.notes),
        changes(changed, &report.changes),
        keys::keys(report),
        Section::block("Key generations", timeline::timeline(report)),
        keys::older(report),
    ];
    sections.extend(report.inventory.iter().flat_map(inventory::inventory));
    sections.push(changes("Left as it is", &report.kept));
    page(&heading(report), &sections, &elsewhere(report))
}

/// The summary of a request that was refused at the door. It has every problem; of annotations GitHub shows ten.
#[must_use]
pub fn refusal(refused: &[Problem]) -> String {
    let heading = "## ❌ Spacekeeper: the request is wrong, nothing was touched";
    page(heading, &[problems("Problems", refused)], "Correct these first.")
}

fn heading(report: &Report) -> String {
    let sign = match () {
        () if !report.problems.is_empty() || report.fails() => "❌",
        () if !report.findings.is_empty() => "⚠️",
        () => "✅",
    };
    format!(
        "## {sign} Spacekeeper {}: {}",
        report.command,
        text(&report.verdict())
    )
}

/// Where the rows are that have no room here.
fn elsewhere(report: &Report) -> String {
    match &report.report_file {
        Some(file) => format!("All are in {}.", text(file)),
        None => "Set report-file to have all of them as JSON.".to_owned(),
    }
}

fn problems(title: &'static str, problems: &[Problem]) -> Section {
    let line = |problem: &Problem| {
        let Problem {
            subject,
            what,
            remedy,
        } = problem;
        row(&[text(subject), text(what), text(remedy)])
    };
    let titles = ["Where", "What", "What to do"];
    Section::table(title, &titles, problems.iter().map(line))
}

fn changes(title: &'static str, changes: &[Change]) -> Section {
    let line = |Change { subject, what }: &Change| row(&[text(subject), text(what)]);
    Section::table(title, &["Where", "What"], changes.iter().map(line))
}
