//! The language of the Actions runner: workflow commands and command files.
//!
//! `actions/toolkit` is the reference for the escapes (`core/src/command.ts`) and for the random delimiters
//! (`core/src/file-command.ts`); `FileCommandManager.cs` of the runner is what reads the files.

use std::fmt;

use crate::model::finding::Place;

/// How an annotation is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Red.
    Error,
    /// Yellow.
    Warning,
    /// Blue.
    Notice,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        })
    }
}

/// A line that makes an annotation; with a place it is shown at that line of the file too.
#[must_use]
pub fn annotation(level: Level, title: &str, message: &str, place: Option<&Place>) -> String {
    let place = place.map_or_else(String::new, |Place { file, line, column }| {
        let column = column.map_or(String::new(), |column| format!(",col={column}"));
        format!(",file={},line={line}{column}", escape_property(file))
    });
    format!(
        "::{level} title={}{place}::{}",
        escape_property(title),
        escape_data(message)
    )
}

/// A line that makes the runner hide a value wherever it is printed. Never for short or public values: a masked
/// `nyc3` makes GitHub drop every output that contains it.
#[must_use]
pub fn mask(secret: &str) -> String {
    format!("::add-mask::{}", escape_data(secret))
}

/// An entry of a command file. The delimiter is random, so that no value can end early and set another name.
#[must_use]
pub fn file_entry(name: &str, value: &str, delimiter: &str) -> String {
    debug_assert!(!value.contains(delimiter), "a random delimiter never occurs");
    format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
}

/// A delimiter that no value can know beforehand.
///
/// # Panics
///
/// Without random numbers it could be known, and a value could end early.
#[must_use]
pub fn delimiter() -> String {
    let random = || getrandom::u64().expect("the system has random numbers");
    format!("spacekeeper_{:016x}{:016x}", random(), random())
}

/// Remote text that is safe in a line of log: it stays in its line, and the runner takes no part of it for a command.
/// `::` counts at the start of a line, `##[` anywhere (`ActionCommand.cs`).
#[must_use]
pub fn harmless(text: &str) -> String {
    let line = one_line(text);
    let line = line.replace("##[", "# #[");
    match line.trim_start().strip_prefix("::") {
        Some(rest) => format!(": :{rest}"),
        None => line,
    }
}

/// The text without line breaks and without the signs that turn the direction of reading, under which a line says
/// something else than it holds.
pub(super) fn one_line(text: &str) -> String {
    let misleads = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200E}' | '\u{200F}' | '\u{061C}')
            || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    text.replace(misleads, " ")
}

/// Percent-encodes what would end a command early.
fn escape_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Percent-encodes also what parts the properties of a command.
fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_cannot_be_broken_out_of() {
        assert_eq!(
            annotation(Level::Error, "a,b:c", "50%\n::set-env::x", None),
            "::error title=a%2Cb%3Ac::50%25%0A::set-env::x"
        );
        let place = Place {
            file: "a,title=x::y".to_owned(),
            line: 7,
            column: Some(3),
        };
        assert_eq!(
            annotation(Level::Notice, "t", "m", Some(&place)),
            "::notice title=t,file=a%2Ctitle=x%3A%3Ay,line=7,col=3::m"
        );
    }

    #[test]
    fn remote_text_holds_no_command() {
        assert_eq!(harmless("  ::error::x"), ": :error::x");
        assert_eq!(harmless("a ##[group]b"), "a # #[group]b");
        assert_eq!(harmless("one\r\n::error::two"), "one  ::error::two");
        assert_eq!(harmless("one\u{2028}two\u{202E}three"), "one two three");
    }

    #[test]
    fn a_value_of_many_lines_is_one_entry() {
        assert_eq!(
            file_entry("keys", "a=b\nc<<d", "eof-1"),
            "keys<<eof-1\na=b\nc<<d\neof-1\n"
        );
    }
}
