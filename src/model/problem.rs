//! Something that a person must know and do something about.

use std::fmt;

/// One thing that went wrong or stands in the way, told once, with what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// What it is about: `bucket shop-uploads`, `secrets of acme/shop`.
    pub subject: String,
    /// What happened and why, a sentence without a full stop.
    pub what: String,
    /// What to do about it, a sentence; empty where there is nothing to do.
    pub remedy: String,
}

/// Where in a file of the workspace something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePlace {
    /// Its path within the workspace.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The line itself with a caret under the column.
    pub excerpt: String,
}

impl Problem {
    /// A problem with its remedy.
    #[must_use]
    pub fn new(subject: impl Into<String>, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            what: what.into(),
            remedy: remedy.into(),
        }
    }
}

/// The sentence with its full stop; a question has its mark already.
#[must_use]
pub fn ended(sentence: &str) -> String {
    if sentence.ends_with(['?', '.']) {
        sentence.to_owned()
    } else {
        format!("{sentence}.")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subject,
            what,
            remedy,
        } = self;
        write!(f, "{subject}: {}", ended(what))?;
        if remedy.is_empty() {
            Ok(())
        } else {
            write!(f, " {remedy}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_ends_as_one() {
        let asked = Problem::new("log-buckt", "did you mean `log-bucket`?", "");
        assert_eq!(asked.to_string(), "log-buckt: did you mean `log-bucket`?");
        let told = Problem::new("bucket a", "it is gone", "Run again.");
        assert_eq!(told.to_string(), "bucket a: it is gone. Run again.");
    }
}
