//! The words of the command line, as text.

use std::ffi::OsString;

use crate::config::{Command, Input, InputProblem, Takes, is_plain_word};

/// The words behind the program's name, in their order. One may be a secret: they do not show themselves.
pub(super) struct Words(Vec<String>);

impl Words {
    /// Takes words that are text; any other is refused by the flag that it stands at, or by its place.
    pub(super) fn of(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Vec<InputProblem>> {
        let mut words = Vec::new();
        let mut problems = Vec::new();
        for (at, argument) in arguments.into_iter().enumerate() {
            match argument.into_string() {
                Ok(word) => words.push(word),
                Err(argument) => {
                    let subject = subject(&argument.to_string_lossy(), words.last(), at);
                    let what = "it is not UTF-8 (the value is not shown); write it as text";
                    problems.push(InputProblem::of(&subject, what));
                }
            }
        }
        if problems.is_empty() {
            Ok(Self(words))
        } else {
            Err(problems)
        }
    }

    /// What clap parses: its first word is the program's name.
    pub(super) fn for_clap(&self) -> impl Iterator<Item = &str> {
        std::iter::once("spacekeeper").chain(self.0.iter().map(String::as_str))
    }

    /// Whether nothing is said: an `args:` whose expression is empty is an empty word.
    pub(super) fn are_none(&self) -> bool {
        self.0.iter().all(String::is_empty)
    }

    /// Whether help is asked for, wherever it stands. Nobody has an input of that value.
    pub(super) fn ask_for_help(&self) -> bool {
        self.0.iter().any(|word| word == "-h" || word == "--help")
    }

    /// Whether the version is asked for.
    pub(super) fn ask_for_the_version(&self) -> bool {
        self.0.iter().any(|word| word == "-V" || word == "--version")
    }

    /// The first command among the words.
    pub(super) fn command(&self) -> Option<Command> {
        self.0.iter().find_map(|word| Command::of_word(word).ok())
    }

    /// The input whose flag stands before the first word that begins so.
    pub(super) fn input_before(&self, start: &str) -> Option<&'static Input> {
        let at = self.0.iter().position(|word| word.starts_with(start))?;
        let before = self.0.get(at.checked_sub(1)?)?;
        Input::named(before.strip_prefix("--")?)
    }
}

/// What is told of a word that stands where it does not belong: it may be a secret.
pub(super) fn shown(word: &str) -> String {
    if is_plain_word(word) {
        format!("`{word}`")
    } else {
        "a word (not shown here)".to_owned()
    }
}

fn subject(argument: &str, before: Option<&String>, at: usize) -> String {
    let is_switch = |name: &str| Input::named(name).is_some_and(|input| input.takes == Takes::Switch);
    let awaits = |word: &&String| {
        word.strip_prefix("--")
            .is_some_and(|name| !name.contains('=') && !is_switch(name))
    };
    match before.filter(awaits) {
        _ if argument.starts_with("--") => name_of(argument).to_owned(),
        Some(flag) => flag.clone(),
        None => format!("word {}", at + 1),
    }
}

/// `--app` of `--app=shop`.
fn name_of(word: &str) -> &str {
    word.split('=').next().unwrap_or(word)
}
