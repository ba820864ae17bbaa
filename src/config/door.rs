//! Collects problems instead of stopping at the first.

use std::fmt;

use crate::model::problem::FilePlace;
use crate::scrub::scrubbed;

/// What is wrong with an input. Never quotes the value of one that holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputProblem {
    /// The input's name as in `action.yml`.
    pub input: String,
    /// A sentence that goes on from "`input`: ".
    pub what: String,
    /// Where it stands, when it stands in a file.
    pub at: Option<FilePlace>,
}

impl InputProblem {
    /// What is wrong with an input itself.
    #[must_use]
    pub fn of(input: &str, what: impl Into<String>) -> Self {
        Self {
            input: input.to_owned(),
            what: what.into(),
            at: None,
        }
    }

    pub(super) fn unknown(name: &str, meant: Option<&str>) -> Self {
        let hint = meant.map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
        Self::of(name, format!("this version knows no such input{hint}"))
    }
}

impl fmt::Display for InputProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.input, self.what)
    }
}

/// More than anybody mends before the next try; the rest is counted.
pub(super) const TOLD: usize = 100;

/// Everything noticed on the way in.
#[derive(Debug, Default)]
pub(super) struct Door {
    pub(super) problems: Vec<InputProblem>,
    /// How many more there are.
    pub(super) untold: usize,
    pub(super) warnings: Vec<String>,
}

impl Door {
    pub(super) fn refuse(&mut self, input: &str, what: impl Into<String>) {
        self.problems.push(InputProblem::of(input, what));
    }

    /// Whether no problem of this input has been told.
    pub(super) fn is_silent_about(&self, input: &str) -> bool {
        self.problems.iter().all(|problem| problem.input != input)
    }

    /// The problems that are told, as many as somebody reads; the last counts the rest.
    pub(super) fn told(mut problems: Vec<InputProblem>, untold: usize) -> Vec<InputProblem> {
        let rest = untold + problems.len().saturating_sub(TOLD);
        problems.truncate(TOLD);
        if rest > 0 {
            let what = format!("{rest} more problems are not shown; mend these first");
            problems.push(InputProblem::of("and more", what));
        }
        problems
    }

    /// Parses a value that may be missing; a bad one is a problem that quotes it.
    pub(super) fn parse<T, E: fmt::Display>(
        &mut self,
        input: &str,
        text: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = text?.trim();
        match parse(text) {
            Ok(value) => Some(value),
            Err(refusal) => {
                let shown = shortened(&scrubbed(text));
                self.refuse(input, format!("`{shown}` is not accepted: {refusal}"));
                None
            }
        }
    }

    /// Parses a value that must be there.
    pub(super) fn require<T, E: fmt::Display>(
        &mut self,
        input: &str,
        text: Option<&str>,
        why: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if text.is_none() {
            self.refuse(input, format!("it is missing; {why}"));
        }
        self.parse(input, text, parse)
    }
}

/// Long values would drown the sentence about them.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
