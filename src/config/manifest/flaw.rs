//! What is wrong with the file, and where.

use std::fmt::{self, Write as _};

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

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum At {
    /// In the input of this name.
    Input(&'static str),
    /// In the file.
    File(Place),
}

impl At {
    /// The word for something in the language of whoever wrote the value.
    pub(super) const fn says(self, in_file: &'static str, as_input: &'static str) -> &'static str {
        match self {
            Self::File(_) => in_file,
            Self::Input(_) => as_input,
        }
    }

    /// The place for a problem that an input of its own would solve; in a file it is told where the reader is.
    pub(super) const fn or_input(self, input: &'static str) -> Self {
        match self {
            Self::File(_) => self,
            Self::Input(_) => Self::Input(input),
        }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(place) => write!(f, "line {}", place.line),
            Self::Input(input) => write!(f, "input {input}"),
        }
    }
}

/// One thing that is wrong with what was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flaw<P = Place> {
    /// Where.
    pub at: P,
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
        let line = file.lines().nth(self.at.line.saturating_sub(1));
        self.excerpt_of(line.unwrap_or_default())
    }

    /// The same, of a line that was found already.
    pub(super) fn excerpt_of(&self, line: &str) -> String {
        let before = self.at.column.saturating_sub(1);
        let from = before.saturating_sub(LINE_SHOWN / 2);
        // No more of a line than is shown is looked at behind the place: a file may be one line of a megabyte.
        let shown: Vec<char> = line
            .chars()
            .skip(from)
            .take(LINE_SHOWN)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let indent = (before - from).min(shown.len());
        let carets = "^".repeat(self.at.width.min(shown.len() - indent).max(1));
        let number = self.at.line.to_string();
        let mut text = format!("{number} | {}\n", String::from_iter(shown).trim_end());
        // A text takes whatever is written to it.
        let _ = write!(
            text,
            "{} | {}{carets}",
            " ".repeat(number.len()),
            " ".repeat(indent)
        );
        text
    }
}
