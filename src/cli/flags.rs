//! From words to the values of inputs.

use std::io::Read;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches};

use super::Values;
use super::secret_file::SecretFiles;
use super::words::{Words, shown};
use crate::config::{Input, InputProblem, Takes, nearest};

/// The words that are no flags.
const NAMED: &str = "COMMAND";

/// What clap has understood.
pub(super) struct Flags {
    /// The command, and what belongs to it.
    pub(super) named: Vec<String>,
    /// Why what follows it cannot stay.
    extra: Vec<InputProblem>,
    matches: ArgMatches,
}

/// Takes the words apart, by clap. Every flag is accepted with every command: whether the command heeds it is no matter of
/// how it was given.
pub(super) fn read(words: &Words) -> Result<Flags, Vec<InputProblem>> {
    let parsed = parser().try_get_matches_from_mut(words.for_clap());
    let matches = parsed.map_err(|error| vec![problem(&error, words)])?;
    let named = texts(&matches, NAMED);
    let named: Vec<String> = named.filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let extra = named.iter().skip(1).map(|word| extra(word, words)).collect();
    Ok(Flags {
        named,
        extra,
        matches,
    })
}

impl Flags {
    /// The values of inputs by their names; a secret's is read out of the file that its flag names.
    pub(super) fn values(&self, stdin: &mut dyn Read) -> Result<Values, Vec<InputProblem>> {
        let mut problems = self.extra.clone();
        let mut files = SecretFiles::new(stdin);
        let mut values = Values::new();
        for input in Input::ALL {
            match self.value(input, &mut files) {
                Ok(Some(value)) => drop(values.insert(input.name, value)),
                Ok(None) => {}
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            Ok(values)
        } else {
            Err(problems)
        }
    }

    fn value(&self, input: &Input, files: &mut SecretFiles<'_>) -> Result<Option<String>, InputProblem> {
        let mut texts: Vec<&str> = texts(&self.matches, input.name).collect();
        match input.takes {
            Takes::Secret if !texts.is_empty() => Err(exposed(input)),
            Takes::Secret => self.secret(input, files),
            Takes::Switch if texts.contains(&"") => {
                let what = format!("it is empty; write --{0} or --{0}=false", input.name);
                Err(InputProblem::of(&flag_of(input.name), what))
            }
            Takes::List(_) => Ok((!texts.is_empty()).then(|| texts.join("\n"))),
            _ => {
                if input.name == "command" {
                    texts.extend(self.named.first().map(String::as_str));
                }
                one_of(input, input.name, &texts)
            }
        }
    }

    fn secret(&self, input: &Input, files: &mut SecretFiles<'_>) -> Result<Option<String>, InputProblem> {
        let paths: Vec<&str> = texts(&self.matches, input.file_flag).collect();
        let path = one_of(input, input.file_flag, &paths)?;
        path.map(|path| files.read(&flag_of(input.file_flag), &path))
            .transpose()
    }
}

/// The one thing that all occurrences say.
fn one_of(input: &Input, flag: &str, texts: &[&str]) -> Result<Option<String>, InputProblem> {
    let Some((first, others)) = texts.split_first() else {
        return Ok(None);
    };
    if others.iter().all(|other| input.says_the_same(first, other)) {
        return Ok(Some((*first).to_owned()));
    }
    let what = "it is given more than once, with different values; leave all but one out";
    Err(InputProblem::of(&flag_of(flag), what))
}

fn exposed(input: &Input) -> InputProblem {
    let what = format!(
        "a secret is no flag (the value is not shown): every user of the machine reads it in the list of processes, and a \
         shell writes it to its history. Give it in the environment, or name a file: --{} PATH, or - for standard input",
        input.file_flag
    );
    InputProblem::of(&flag_of(input.name), what)
}

/// `rotate now`, or `--dry-run false`: the value of a switch stands behind an equals sign, as its flag needs none.
fn extra(word: &str, words: &Words) -> InputProblem {
    match words.input_before(word) {
        Some(input) if input.takes == Takes::Switch && matches!(word, "true" | "false") => InputProblem::of(
            &flag_of(input.name),
            format!("write --{}={word}: a switch alone means true", input.name),
        ),
        _ => {
            let what = format!(
                "{} stands behind the command, and nothing belongs there but flags",
                shown(word)
            );
            InputProblem::of("command line", what)
        }
    }
}

fn texts<'m>(matches: &'m ArgMatches, name: &str) -> impl Iterator<Item = &'m str> {
    let values = matches.get_many::<String>(name);
    values.into_iter().flatten().map(String::as_str)
}

fn flag_of(name: &str) -> String {
    format!("--{name}")
}

/// Every input as a flag. Values are taken as they are: what they mean is decided where all inputs are read.
fn parser() -> clap::Command {
    let words = Arg::new(NAMED).num_args(0..).action(ArgAction::Append);
    clap::Command::new("spacekeeper")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(words)
        .args(Input::ALL.iter().flat_map(arguments))
}

fn arguments(input: &Input) -> Vec<Arg> {
    let flag = |name| Arg::new(name).long(name).action(ArgAction::Append);
    match input.takes {
        Takes::Switch => vec![
            flag(input.name)
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true"),
        ],
        // Swallowed with whatever stands behind it, so that no complaint about that word shows it.
        Takes::Secret => vec![
            flag(input.name)
                .num_args(0..=1)
                .allow_hyphen_values(true)
                .default_missing_value(""),
            flag(input.file_flag).num_args(1),
        ],
        _ => vec![flag(input.name).num_args(1)],
    }
}

/// What clap does not understand, in our words: its own would quote a value.
fn problem(error: &clap::Error, words: &Words) -> InputProblem {
    let flag = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(shown)) => shown.split([' ', '=', '[', '<']).next().unwrap_or_default(),
        _ => "command line",
    };
    match error.kind() {
        ErrorKind::UnknownArgument => unknown(flag, words),
        _ => InputProblem::of(flag, "it takes a value; write it behind the flag"),
    }
}

fn unknown(flag: &str, words: &Words) -> InputProblem {
    let Some(name) = flag.strip_prefix("--") else {
        return no_long_flag(flag, words);
    };
    if let Some(input) = name.strip_prefix("no-").and_then(Input::named)
        && input.takes == Takes::Switch
    {
        return InputProblem::of(
            flag,
            format!("this version knows no such flag; write --{}=false", input.name),
        );
    }
    let meant = nearest(name, known_flags());
    let meant = meant.map_or(String::new(), |meant| format!("; did you mean `--{meant}`?"));
    InputProblem::of(flag, format!("this version knows no such flag{meant}"))
}

/// `-f`, or the value of the flag before it.
fn no_long_flag(flag: &str, words: &Words) -> InputProblem {
    match words.input_before(flag) {
        Some(input) if input.takes != Takes::Switch => {
            let what = format!(
                "its value begins with a hyphen; write it behind an equals sign, --{}=…",
                input.name
            );
            InputProblem::of(&flag_of(input.name), what)
        }
        _ => InputProblem::of(
            "command line",
            format!("{} is no flag; flags are written --NAME", shown(flag)),
        ),
    }
}

fn known_flags() -> impl Iterator<Item = &'static str> + Clone {
    let names = |input: &'static Input| match input.takes {
        Takes::Secret => input.file_flag,
        _ => input.name,
    };
    Input::ALL.iter().map(names).chain(["help", "version"])
}
