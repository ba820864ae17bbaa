//! The command line: `spacekeeper [COMMAND] [--INPUT VALUE]…`, made of the one list of inputs. It turns words into the
//! texts of inputs; what those mean is decided where all inputs are read, whichever way they came.

mod flags;
mod pages;
mod secret_file;
mod words;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;

use crate::config::{Command, Environment, InputProblem, nearest};
use flags::Flags;
use words::Words;

/// A text for a person or a shell, with the styles of a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page(pub String);

/// What the command line asks for.
pub enum Ask {
    /// To be told something.
    Tell(Page),
    /// Nothing at all, at a terminal: whoever typed that wants to know what there is.
    Nothing(Page),
    /// A run with these values of inputs.
    Run(Values),
    /// Something that is not understood. Nothing was touched.
    Refused(Vec<InputProblem>),
}

/// The values of inputs by their names. Some are secret.
pub type Values = BTreeMap<&'static str, String>;

/// What stands around the command line.
pub struct Around<'a> {
    /// The environment variables.
    pub environment: &'a Environment,
    /// Standard input, from which one secret may come.
    pub stdin: &'a mut dyn Read,
    /// Whether a person looks at what is printed.
    pub at_a_terminal: bool,
}

/// Reads the words behind the program's name. Files are read only where a flag names them.
#[must_use]
pub fn read(arguments: impl IntoIterator<Item = OsString>, around: &mut Around<'_>) -> Ask {
    let words = match Words::of(arguments) {
        Ok(words) => words,
        Err(problems) => return Ask::Refused(problems),
    };
    if words.are_none() && around.at_a_terminal && says_nothing(around.environment) {
        Ask::Nothing(pages::overview())
    } else if words.are_none() {
        // A step has its inputs in the environment, and need not wait for flags to be taken apart.
        Ask::Run(Values::new())
    } else if words.ask_for_help() {
        Ask::Tell(words.command().map_or_else(pages::overview, pages::command))
    } else if words.ask_for_the_version() {
        Ask::Tell(pages::version())
    } else {
        let asked = flags::read(&words).and_then(|flags| asked(&flags, around.stdin));
        asked.unwrap_or_else(Ask::Refused)
    }
}

fn says_nothing(environment: &Environment) -> bool {
    let says = |name: &String| name.starts_with("INPUT_") || name == "GITHUB_ACTIONS";
    !environment.keys().any(says)
}

fn asked(flags: &Flags, stdin: &mut dyn Read) -> Result<Ask, Vec<InputProblem>> {
    match flags.named.as_slice() {
        [word, words @ ..] if word == "help" => help(words).map(Ask::Tell),
        [word, words @ ..] if word == "completions" => completions(words).map(Ask::Tell),
        [word, ..] => {
            Command::of_word(word).map_err(|refusal| no_command(word, refusal))?;
            flags.values(stdin).map(Ask::Run)
        }
        [] => flags.values(stdin).map(Ask::Run),
    }
}

fn no_command(word: &str, refusal: String) -> Vec<InputProblem> {
    let meant = nearest(word, pages::OTHERS.iter().map(|(word, _)| *word));
    let what = meant.map_or(refusal, |meant| {
        format!("`{word}` is no command; did you mean `{meant}`?")
    });
    one("command", what)
}

fn help(words: &[String]) -> Result<Page, Vec<InputProblem>> {
    match words {
        [] => Ok(pages::overview()),
        [word] => match Command::of_word(word) {
            Ok(command) => Ok(pages::command(command)),
            Err(refusal) => Err(one("help", refusal)),
        },
        [_, ..] => Err(one("help", "write `spacekeeper help COMMAND`")),
    }
}

fn completions(words: &[String]) -> Result<Page, Vec<InputProblem>> {
    let [word] = words else {
        return Err(one(
            "completions",
            "write `spacekeeper completions bash`, `zsh` or `fish`",
        ));
    };
    pages::completions(word).ok_or_else(|| {
        let meant = nearest(word, pages::SHELLS.into_iter());
        let meant = meant.map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
        one(
            "completions",
            format!("there are completions for bash, zsh and fish{meant}"),
        )
    })
}

fn one(subject: &str, what: impl Into<String>) -> Vec<InputProblem> {
    vec![InputProblem::of(subject, what)]
}
