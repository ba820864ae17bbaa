//! Remote text in Markdown: shown as it is, and nothing more.

use super::commands::one_line;
use crate::scrub::scrubbed;

/// What a cell shows at most, in characters. A service may answer with a page.
const LONGEST: usize = 2_000;

/// Stands behind an `@`, of which GitHub makes a mention or an address even where it is written as an entity. It takes no
/// room.
const WORD_JOINER: char = '\u{2060}';

/// Text that renders as itself in a table cell or a sentence: no markup, no HTML, no mention, no link, no new line. Text
/// that is too long is cut.
pub(super) fn text(raw: &str) -> String {
    // Behind entities no address could be told.
    let raw = &*scrubbed(raw);
    if raw.chars().count() > LONGEST {
        let cut: String = raw.chars().take(LONGEST - 1).collect();
        return escaped(&cut) + "…";
    }
    escaped(raw)
}

fn escaped(raw: &str) -> String {
    let mut shown = String::with_capacity(raw.len());
    for c in one_line(raw).chars() {
        match c {
            '|' | '`' | '<' | '>' | '&' | '*' | '_' | '[' | ']' | '\\' | '~' | '#' | '!' | '$' => {
                shown.push_str(&entity(c));
            }
            '@' => shown.extend([entity(c), WORD_JOINER.into()]),
            c => shown.push(c),
        }
    }
    unlinked(&shown)
}

fn entity(c: char) -> String {
    format!("&#{};", u32::from(c))
}

/// Bare addresses become links in GitHub's Markdown.
fn unlinked(shown: &str) -> String {
    shown
        .replace("://", &format!("{}//", entity(':')))
        .replace("www.", &format!("www{}", entity('.')))
}

/// A row of a table.
pub(super) fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// The head of a table.
pub(super) fn head(titles: &[&str]) -> String {
    let rule: Vec<String> = titles.iter().map(|_| "---".to_owned()).collect();
    let titles: Vec<String> = titles.iter().map(|title| (*title).to_owned()).collect();
    row(&titles) + &row(&rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_with_a_meaning_is_left() {
        assert_eq!(
            text("a|b `c` <i> @all [x](y)\n::e"),
            "a&#124;b &#96;c&#96; &#60;i&#62; &#64;\u{2060}all &#91;x&#93;(y) ::e"
        );
    }
}
