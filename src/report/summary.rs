//! The job summary: what changed, what was kept and why, what to do.

use super::markdown::{head, row, text};
use super::{Change, KeyReport, OlderKey, Report, spoken};
use crate::model::problem::Problem;

/// The summary as GitHub-flavoured Markdown.
#[must_use]
pub fn summary(report: &Report) -> String {
    let sign = if report.problems.is_empty() { "✅" } else { "❌" };
    let mut page = format!(
        "## {sign} Spacekeeper {}: {}\n\n",
        report.command,
        text(&report.verdict())
    );
    page += &problems("Problems", &report.problems);
    page += &problems("Worth knowing", &report.notes);
    page += &changes(
        if report.dry_run { "Planned" } else { "Changed" },
        &report.changes,
    );
    page += &keys(report);
    page += &older(report);
    page += &changes("Left as it is", &report.kept);
    page
}

/// The summary of a request that was refused at the door. It has every problem; of annotations GitHub shows ten.
#[must_use]
pub fn refusal(refused: &[Problem]) -> String {
    "## ❌ Spacekeeper: the request is wrong, nothing was touched\n\n".to_owned()
        + &problems("Problems", refused)
}

fn problems(title: &str, problems: &[Problem]) -> String {
    let line = |problem: &Problem| {
        let Problem {
            subject,
            what,
            remedy,
        } = problem;
        row(&[text(subject), text(what), text(remedy)])
    };
    table(title, &["Where", "What", "What to do"], problems.iter().map(line))
}

fn changes(title: &str, changes: &[Change]) -> String {
    let line = |Change { subject, what }: &Change| row(&[text(subject), text(what)]);
    table(title, &["Where", "What"], changes.iter().map(line))
}

fn keys(report: &Report) -> String {
    let titles = ["Key", "Access key id", "Opens", "Age", "Next rotation", "State"];
    table(
        "Keys",
        &titles,
        report.keys.iter().map(|key| key_row(key, report)),
    )
}

fn key_row(key: &KeyReport, report: &Report) -> String {
    let age = key
        .created_at
        .zip(report.now)
        .map(|(created, now)| spoken(now.since(created)));
    let or_dash = |shown: Option<String>| shown.unwrap_or_else(|| "–".to_owned());
    row(&[
        text(&key.family),
        text(&or_dash(key.access_key_id.clone())),
        text(&key.grants.join(", ")),
        or_dash(age),
        or_dash(key.next_rotation.map(|due| due.to_string())),
        text(&key.state),
    ])
}

fn older(report: &Report) -> String {
    let line = |older: &OlderKey| {
        let until = older.until.map_or("–".to_owned(), |until| until.to_string());
        row(&[
            text(&older.family),
            text(&older.access_key_id),
            text(&older.standing),
            until,
            text(&older.because.join("; ")),
        ])
    };
    let titles = ["Key", "Access key id", "Standing", "Kept until", "Because"];
    table("Older keys", &titles, report.older.iter().map(line))
}

fn table(title: &str, titles: &[&str], rows: impl Iterator<Item = String>) -> String {
    let rows: String = rows.collect();
    if rows.is_empty() {
        String::new()
    } else {
        format!("### {title}\n\n{}{rows}\n", head(titles))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::report;
    use super::*;

    #[test]
    fn the_whole_summary_reads_like_this() {
        insta::assert_snapshot!(summary(&report()));
    }

    #[test]
    fn a_quiet_run_is_short() {
        let quiet = Report {
            changes: vec![],
            problems: vec![],
            keys: vec![],
            older: vec![],
            kept: vec![],
            ..report()
        };
        assert_eq!(
            summary(&quiet),
            "## ✅ Spacekeeper bootstrap: nothing to change\n\n"
        );
    }
}
