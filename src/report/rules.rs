//! The rules as people read them, and where.

use crate::model::finding::{RULES, Rule};
use crate::model::home::Home;

/// Where the project lives, for who is shown help outside a step; the owner is filled in with a release, as in the README.
pub(crate) const HOME: &str = "https://github.com/OWNER/spacekeeper";

/// Where a rule is explained: its heading in `docs/FINDINGS.md` of this release.
pub(super) fn page_of(rule: &Rule, home: &Home) -> String {
    home.file(&format!("docs/FINDINGS.md#{}", rule.id.to_lowercase()))
}

/// `docs/FINDINGS.md`: every rule with its meaning and its cure. `UPDATE_DOCS=1 cargo test --test promises surface`
/// writes it.
#[must_use]
pub fn findings_document() -> String {
    let rows: String = RULES.iter().map(|rule| row(rule)).collect();
    let chapters: String = RULES.iter().map(|rule| chapter(rule)).collect();
    format!("{INTRODUCTION}\n| id | name | severity |\n|---|---|---|\n{rows}\n{chapters}")
}

/// What stands before the rules.
const INTRODUCTION: &str = include_str!("findings.md");

fn row(rule: &Rule) -> String {
    let Rule {
        id, name, severity, ..
    } = rule;
    format!("| [{id}](#{}) | `{name}` | {severity} |\n", id.to_lowercase())
}

/// The anchor is written out, because the one that GitHub makes of the heading has the name in it, which may change.
fn chapter(rule: &Rule) -> String {
    let Rule {
        id,
        name,
        severity,
        meaning,
        cure,
    } = rule;
    format!(
        "\n<a id=\"{}\"></a>\n\n## {id} {name}\n\nSeverity: {severity}\n\n{meaning}\n\n**What to do:** {cure}\n",
        id.to_lowercase()
    )
}
