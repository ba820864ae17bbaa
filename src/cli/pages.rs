//! What people and shells are told: help, version, completions.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ValueHint};
use clap_complete::{Generator, generate, shells};

use super::Page;
use crate::config::{Command, Input, Takes, Unset};
use crate::report::HOME;

/// The shells that there are completions for.
pub(super) const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// Longer lines are hard to read.
const WIDEST: usize = 100;

const ABOUT: &str =
    "Gives a DigitalOcean App Platform app its object storage and keeps the credentials fresh.";

const USAGE: &str = "spacekeeper [COMMAND] [--NAME VALUE | --NAME=VALUE | --FLAG]...";

/// What is true of every command.
const INPUTS: &str = "\
Every input of the action is a flag of its name, before or behind the command, and an environment variable: \
--log-bucket, INPUT_LOG-BUCKET, or INPUT_LOG_BUCKET where a shell takes no hyphens. What is given twice must be the \
same. A switch takes a value only behind an equals sign: --dry-run=false. A list is given line by line, or by \
repeating its flag.

Secrets are no flags, because every user of the machine reads those in the list of processes. They come from the \
environment (DIGITALOCEAN_ACCESS_TOKEN, INPUT_GITHUB_TOKEN) or from a file: --github-token-file PATH, where - is \
standard input.

Nothing is sent before all of it is understood; --dry-run shows what bootstrap, rotate or revoke would do.";

/// The help without a command.
pub(super) fn overview() -> Page {
    let after = format!("{INPUTS}\n\n{}\n\n{}", exit_codes(true), address());
    let mut overview = root().subcommands(Command::ALL.map(|command| {
        let word = clap::Command::new(command.word());
        word.about(headline(command))
    }));
    overview = overview.subcommands(OTHERS.map(|(word, about)| clap::Command::new(word).about(about)));
    rendered(overview.after_help(after))
}

/// The help of a command: its inputs alone.
pub(super) fn command(command: Command) -> Page {
    rendered(with_inputs(command))
}

/// The version.
pub(super) fn version() -> Page {
    Page(format!("spacekeeper {}\n", env!("CARGO_PKG_VERSION")))
}

/// The script that completes commands and flags in a shell; nothing for one that is not known.
pub(super) fn completions(shell: &str) -> Option<Page> {
    match shell {
        "bash" => Some(script(shells::Bash)),
        "zsh" => Some(script(shells::Zsh)),
        "fish" => Some(script(shells::Fish)),
        _ => None,
    }
}

fn script(shell: impl Generator) -> Page {
    let shells = Arg::new("SHELL").value_parser(PossibleValuesParser::new(SHELLS));
    let commands =
        Arg::new("COMMAND").value_parser(PossibleValuesParser::new(Command::ALL.map(Command::word)));
    let [(help, about_help), (completions, about_completions)] = OTHERS;
    let mut tree = root()
        .version(env!("CARGO_PKG_VERSION"))
        .args(
            Input::ALL
                .iter()
                .filter(|input| input.name != "command")
                .map(flag),
        )
        .subcommands(Command::ALL.map(with_inputs))
        .subcommand(clap::Command::new(help).about(about_help).arg(commands))
        .subcommand(
            clap::Command::new(completions)
                .about(about_completions)
                .arg(shells),
        );
    let mut script = Vec::new();
    generate(shell, &mut tree, "spacekeeper", &mut script);
    Page(String::from_utf8_lossy(&script).into_owned())
}

/// The words that are no commands of the input `command`.
pub(super) const OTHERS: [(&str, &str); 2] = [
    (
        "help",
        "Shows this, or the inputs of a command: spacekeeper help rotate",
    ),
    (
        "completions",
        "Prints a script that completes commands and flags: bash, zsh or fish",
    ),
];

fn root() -> clap::Command {
    clap::Command::new("spacekeeper")
        .about(ABOUT)
        .override_usage(USAGE)
        .disable_help_subcommand(true)
        .max_term_width(WIDEST)
}

fn with_inputs(command: Command) -> clap::Command {
    let heeded = Input::ALL
        .iter()
        .filter(|input| input.heeded_by.contains(&command));
    let flags = heeded.filter(|input| input.name != "command").map(flag);
    let after = format!(
        "Example:\n  {}\n\n{}\n\n{}",
        example(command),
        exit_codes(command.only_looks()),
        address()
    );
    clap::Command::new(command.word())
        .bin_name(format!("spacekeeper {}", command.word()))
        .about(headline(command))
        .args(flags)
        .after_help(after)
        .max_term_width(WIDEST)
        .next_line_help(true)
}

fn rendered(mut command: clap::Command) -> Page {
    Page(command.render_help().ansi().to_string())
}

/// An input as a flag that is told of.
fn flag(input: &Input) -> Arg {
    let arg = Arg::new(input.name)
        .help_heading(input.group.title())
        .help(help(input));
    let arg = match input.takes {
        Takes::Text(shown) => arg.long(input.name).value_name(shown),
        Takes::List(shown) => arg.long(input.name).value_name(shown).action(ArgAction::Append),
        Takes::Path => path(arg.long(input.name)),
        Takes::OneOf(words) => arg
            .long(input.name)
            .value_name("WORD")
            .value_parser(PossibleValuesParser::new(words)),
        Takes::Switch => arg
            .long(input.name)
            .num_args(0..=1)
            .require_equals(true)
            .value_parser(PossibleValuesParser::new(["true", "false"])),
        Takes::Secret => path(arg.long(input.file_flag)),
    };
    let arg = match input.takes {
        Takes::Switch => arg.value_name("true|false"),
        _ => arg,
    };
    match input.unset {
        Unset::Default(value) => arg.default_value(value),
        Unset::Words(_) | Unset::Nothing => arg,
    }
    .hide_possible_values(true)
}

fn path(arg: Arg) -> Arg {
    arg.value_name("PATH").value_hint(ValueHint::FilePath)
}

fn help(input: &Input) -> String {
    let about = input.about;
    let unset = match input.unset {
        Unset::Words(words) => format!(" Unset: {words}."),
        Unset::Default(_) | Unset::Nothing => String::new(),
    };
    match input.takes {
        Takes::Secret => {
            let variable = input.variable().replace('-', "_");
            format!(
                "{about}. It is read from the file, or from standard input for -; or set {variable}.{unset}"
            )
        }
        _ => format!("{about}.{unset}"),
    }
}

const fn headline(command: Command) -> &'static str {
    match command {
        Command::Bootstrap => {
            "Makes buckets, keys, secrets, variables and the app's environment match the request"
        }
        Command::Rotate => "Replaces keys that are due, and deletes old ones that nothing holds any more",
        Command::Revoke => {
            "Replaces a compromised key now, and deletes it as soon as its successor is delivered"
        }
        Command::Check => "Compares the world with the request and tries the credentials; changes nothing",
        Command::Audit => {
            "Lists every key, bucket and app of the account with what is wrong; changes nothing"
        }
    }
}

const fn example(command: Command) -> &'static str {
    match command {
        Command::Bootstrap => {
            "spacekeeper bootstrap --app shop --buckets shop-uploads --log-bucket shop-logs \\\n      \
             --github-repository acme/shop --github-token-file token.txt --dry-run"
        }
        Command::Rotate => {
            "spacekeeper rotate --app shop --buckets shop-uploads --max-age 30d \\\n      \
             --github-repository acme/shop --github-token-file token.txt"
        }
        Command::Revoke => {
            "spacekeeper revoke --app shop --buckets shop-uploads --revoke-access-key-id DO00EXAMPLEEXAMPLE00 \\\n      \
             --github-repository acme/shop --github-token-file token.txt --dry-run"
        }
        Command::Check => {
            "spacekeeper check --app shop --buckets shop-uploads --github-repository acme/shop \\\n      \
             --access-key DO00EXAMPLEEXAMPLE00 --secret-key-file secret.txt"
        }
        Command::Audit => "spacekeeper audit --inventory-file account.csv --fail-on error",
    }
}

fn exit_codes(looks: bool) -> String {
    let found = if looks {
        "\n  3  check or audit found something that is bad enough (fail-on)"
    } else {
        ""
    };
    format!(
        "Exit codes:\n  0  all that was asked for is so\n  1  something failed; the rest was still done\n  \
         2  the request is wrong; nothing was touched{found}"
    )
}

fn address() -> String {
    format!("Documentation: {HOME}#readme")
}
