//! Remote text in Markdown: shown as it is, and nothing more.

/// Text that renders as itself in a table cell or a sentence: no markup, no HTML, no mention, no new line.
pub(super) fn text(raw: &str) -> String {
    let mut shown = String::with_capacity(raw.len());
    for c in raw.chars() {
        match c {
            c if c.is_control() => shown.push(' '),
            '|' | '`' | '<' | '>' | '&' | '*' | '_' | '[' | ']' | '\\' | '~' | '@' | '#' | '!' | '$' => {
                shown.push_str("&#");
                shown.push_str(&u32::from(c).to_string());
                shown.push(';');
            }
            c => shown.push(c),
        }
    }
    shown
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
            "a&#124;b &#96;c&#96; &#60;i&#62; &#64;all &#91;x&#93;(y) ::e"
        );
    }
}
