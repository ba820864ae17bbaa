//! What is wrong with the file, and where.

use std::fmt::Write as _;

/// A place in the file: line and column, both from 1, and how many characters are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How many characters of the line are meant, at least one.
    pub width: usize,
}

/// One thing that is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flaw {
    /// Where.
    pub at: Place,
    /// Which field: `apps.shop.keys.shop-spaces-key.max_age`; empty for the file as a whole.
    pub field: String,
    /// A sentence that goes on from "`field`: ".
    pub what: String,
}

/// Of a longer line, only so many characters around the place are shown.
const LINE_SHOWN: usize = 120;

impl Flaw {
    /// The sentence with its field.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self.field.as_str() {
            "" => self.what.clone(),
            field => format!("{field}: {}", self.what),
        }
    }

    /// The offending line of the file with a caret under the place.
    #[must_use]
    pub fn excerpt(&self, file: &str) -> String {
        let line: Vec<char> = file
            .lines()
            .nth(self.at.line.saturating_sub(1))
            .unwrap_or_default()
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let column = self.at.column.saturating_sub(1).min(line.len());
        let from = column.saturating_sub(LINE_SHOWN / 2);
        let shown: String = line.iter().skip(from).take(LINE_SHOWN).collect();
        let room = LINE_SHOWN
            .min(line.len().saturating_sub(from))
            .saturating_sub(column - from);
        let carets = "^".repeat(self.at.width.min(room).max(1));
        let number = self.at.line.to_string();
        let mut text = format!("{number} | {}\n", shown.trim_end());
        // A text takes whatever is written to it.
        let _ = write!(
            text,
            "{} | {}{carets}",
            " ".repeat(number.len()),
            " ".repeat(column - from)
        );
        text
    }
}
