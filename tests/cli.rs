//! The command line is a full door: every input is a flag, help is a page, and whatever is not understood is refused before
//! anybody is asked anything.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt as _;
use std::process;
use std::time::Duration;

use spacekeeper::config::{Command, Input, Takes};

use crate::fixture::delivered::delivered;
use crate::fixture::{Outcome, Run, Sandbox, World, live_keys, sandbox, secret, the_active_key};

/// A run that wants the usual app, all by flags.
fn by_flags<'a>(sandbox: &'a Sandbox, command: &[&str]) -> Run<'a> {
    let least = [
        "--app",
        "shop",
        "--buckets=shop-uploads",
        "--github-repository",
        "acme/shop",
    ];
    Run::shell(sandbox).words(command).words(&least)
}

/// Insists that the words are refused with these phrases and that nobody was asked anything.
#[track_caller]
fn refused(words: &[&str], phrases: &[&str]) -> Outcome {
    let sandbox = delivered();
    refuses(Run::shell(&sandbox).words(words), phrases)
}

#[track_caller]
fn refuses(run: Run<'_>, phrases: &[&str]) -> Outcome {
    let outcome = run.go().exits(2);
    assert!(
        outcome.journal.is_empty(),
        "asked somebody: {:#?}",
        outcome.journal
    );
    assert!(
        outcome.stdout.contains("nothing was touched"),
        "{}",
        outcome.stdout
    );
    for phrase in phrases {
        assert!(outcome.stdout.contains(phrase), "{phrase} in {}", outcome.stdout);
    }
    outcome
}

#[track_caller]
fn page(words: &[&str]) -> String {
    let sandbox = sandbox();
    let outcome = Run::shell(&sandbox).words(words).go().green();
    assert!(
        outcome.journal.is_empty(),
        "asked somebody: {:#?}",
        outcome.journal
    );
    outcome.stdout
}

#[test]
fn a_dry_run_by_flag_writes_nothing() {
    for command in [
        &["bootstrap", "--dry-run"],
        &["revoke", "--dry-run"],
        &["--dry-run", "revoke"],
    ] {
        let sandbox = delivered();
        let before = live_keys(&sandbox);
        let outcome = by_flags(&sandbox, command).go().green();
        assert!(
            outcome.journal.writes().is_empty(),
            "{command:?}: {:#?}",
            outcome.journal
        );
        assert_eq!(live_keys(&sandbox), before, "{command:?}");
    }
}

#[test]
fn a_step_may_give_its_words_as_args_beside_what_the_runner_sets() {
    let sandbox = delivered();
    let run = Run::bootstrap(&sandbox).with_the_runners_defaults();
    let outcome = run
        .words(&["revoke", "--dry-run", "", "--max-age=60d"])
        .go()
        .green();
    assert!(outcome.journal.writes().is_empty(), "{:#?}", outcome.journal);
    assert!(
        outcome.stdout.contains("Spacekeeper revoke"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn an_empty_word_is_nothing() {
    let sandbox = sandbox();
    Run::bootstrap(&sandbox).words(&["", ""]).go().green();
    assert!(secret(&sandbox, "SPACES_SECRET_KEY").is_some());
}

#[test]
fn all_of_a_request_can_be_said_in_flags() {
    let sandbox = sandbox();
    let outcome = by_flags(&sandbox, &["--log-bucket", "shop-logs", "bootstrap"])
        .words(&["--buckets", "shop-imports=read", "--wait-for-deployment=false"])
        .go();
    outcome.green();
    let key = the_active_key(&sandbox);
    let world = sandbox.world();
    let key = world.digitalocean.key(&key).expect("the key");
    let grants: Vec<_> = key.grants.iter().map(|grant| grant.bucket.as_str()).collect();
    assert_eq!(
        grants,
        ["shop-imports", "shop-uploads"],
        "a list is given by repeating its flag"
    );
    assert!(world.spaces.bucket("shop-logs").is_some());
}

#[test]
fn every_input_is_a_flag_of_its_own_name() {
    let value = |input: &Input| match input.takes {
        Takes::Secret => format!("--{}=no/such.txt", input.file_flag),
        _ => format!("--{}={}", input.name, input.default().unwrap_or("x")),
    };
    let secrets = Input::ALL.iter().filter(|input| input.takes == Takes::Secret);
    let words: Vec<String> = Input::ALL.iter().map(value).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // The files of the secrets are not there, and nothing else is wrong with the words themselves.
    let told = refused(&words, &["no/such.txt"]);
    let problems = told
        .stdout
        .lines()
        .filter(|line| line.starts_with("error: "))
        .count();
    assert_eq!(problems, secrets.count(), "{}", told.stdout);
}

#[test]
fn help_is_told_wherever_it_is_asked_for_and_nothing_is_done() {
    let rotate = page(&["help", "rotate"]);
    for words in [
        &["rotate", "--help"][..],
        &["-h", "rotate"],
        &["rotate", "--no-such-flag", "-h"],
        &["rotate", "--app", "shop", "extra", "--help"],
    ] {
        assert_eq!(page(words), rotate, "{words:?}");
    }
    assert_eq!(page(&["--help"]), page(&["help"]));
}

#[test]
fn help_needs_no_environment() {
    let sandbox = delivered();
    let run = Run::bootstrap(&sandbox).input("dry-run", "perhaps");
    let outcome = run.words(&["rotate", "--help"]).go().green();
    assert!(outcome.journal.is_empty());
    assert!(outcome.stdout.contains("--max-age"), "{}", outcome.stdout);
}

#[test]
fn the_pages_of_the_help_read_like_this() {
    insta::assert_snapshot!("help", page(&["help"]));
    for command in Command::ALL.map(Command::word) {
        insta::assert_snapshot!(format!("help_{command}"), page(&["help", command]));
    }
}

#[test]
fn a_page_has_the_inputs_of_its_command_and_no_other() {
    for command in Command::ALL {
        let page = page(&["help", command.word()]);
        let told = |flag: &str| {
            page.split([' ', '[', '\n'])
                .any(|word| word == format!("--{flag}"))
        };
        for input in Input::ALL.iter().filter(|input| input.name != "command") {
            let flag = if input.takes == Takes::Secret {
                input.file_flag
            } else {
                input.name
            };
            let heeded = input.heeded_by.contains(&command);
            assert_eq!(told(flag), heeded, "--{flag} in the page of {}", command.word());
        }
    }
}

#[test]
fn the_version_is_the_one_of_the_package() {
    let version = format!("spacekeeper {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(page(&["-V"]), version);
    assert_eq!(page(&["rotate", "--version"]), version);
}

#[test]
fn there_are_completions_for_three_shells() {
    for shell in ["bash", "zsh", "fish"] {
        let script = page(&["completions", shell]);
        for word in ["rotate", "audit", "dry-run", "github-token-file", "nyc3"] {
            assert!(script.contains(word), "{word} in the completions of {shell}");
        }
        assert!(
            !script.contains("--github-token "),
            "{shell}: a secret is no flag"
        );
    }
    refused(
        &["completions", "fsh"],
        &["completions: ", "did you mean `fish`?"],
    );
    refused(&["completions"], &["completions: ", "bash"]);
}

#[test]
fn flags_are_completed_before_a_command_and_behind_it() {
    let script = page(&["completions", "bash"]);
    for words in ["--dry", "rotate --dry"] {
        let last = words.split(' ').count();
        let ask = format!(
            "{script}\nCOMP_WORDS=(spacekeeper {words}); COMP_CWORD={last}; \
             _spacekeeper spacekeeper --dry; echo \"${{COMPREPLY[@]}}\""
        );
        let shell = process::Command::new("bash")
            .args(["-c", &ask])
            .output()
            .expect("a shell");
        let completed = String::from_utf8_lossy(&shell.stdout).into_owned();
        assert_eq!(completed.trim(), "--dry-run", "{words}: {shell:?}");
    }
}

#[test]
fn what_is_no_command_is_refused_with_the_nearest() {
    refused(
        &["rotat", "--app", "shop"],
        &["command: `rotat` is no command", "did you mean `rotate`?"],
    );
    refused(&["help", "revok"], &["help: ", "did you mean `revoke`?"]);
    refused(&["hlep"], &["did you mean `help`?"]);
    refused(&["", "explode"], &["`explode` is no command"]);
}

#[test]
fn what_is_no_flag_is_refused_with_the_nearest() {
    refused(
        &["bootstrap", "--log-buckt", "x"],
        &["--log-buckt: ", "did you mean `--log-bucket`?"],
    );
    refused(
        &["bootstrap", "--github-tokn-file=x"],
        &["did you mean `--github-token-file`?"],
    );
    refused(
        &["rotate", "--no-wait-for-deployment"],
        &["write --wait-for-deployment=false"],
    );
    refused(&["rotate", "-f"], &["no flag"]);
    refused(
        &["rotate", "--websites=x"],
        &["--websites: this version knows no such flag"],
    );
}

#[test]
fn extra_words_are_refused() {
    refused(&["bootstrap", "extra"], &["`extra` stands behind the command"]);
    let told = refused(&["bootstrap", "dop_v1_0123456789abcdef"], &["not shown here"]);
    assert!(
        !told.stdout.contains("dop_v1"),
        "it may be a secret: {}",
        told.stdout
    );
    let told = refused(&["dop_v1_0123456789abcdef"], &["not shown here"]);
    assert!(
        !told.stdout.contains("dop_v1"),
        "it may be a secret: {}",
        told.stdout
    );
}

#[test]
fn a_switch_with_a_value_of_its_own_does_not_become_true() {
    refused(
        &["revoke", "--dry-run", "false"],
        &["--dry-run: write --dry-run=false"],
    );
    refused(&["--dry-run", "false"], &["`false` is no command"]);
    refused(&["revoke", "--dry-run="], &["--dry-run: it is empty"]);
    let sandbox = sandbox();
    refuses(
        by_flags(&sandbox, &["--dry-run=maybe"]),
        &["dry-run: ", "true or false"],
    );
    by_flags(&sandbox, &["--dry-run=false"]).go().green();
    assert!(secret(&sandbox, "SPACES_SECRET_KEY").is_some(), "false is false");
}

#[test]
fn a_flag_without_its_value_is_refused() {
    refused(&["bootstrap", "--app"], &["--app: it takes a value"]);
    refused(&["bootstrap", "--app", "--dry-run"], &["--app: it takes a value"]);
    refused(
        &["bootstrap", "--github-token-file"],
        &["--github-token-file: it takes a value"],
    );
}

#[test]
fn a_value_may_begin_with_a_hyphen_behind_an_equals_sign() {
    let hint = "--log-retention-days: its value begins with a hyphen";
    refused(&["bootstrap", "--log-retention-days", "-5"], &[hint]);
    let sandbox = sandbox();
    let run = by_flags(&sandbox, &["--log-bucket=shop-logs", "--log-retention-days=-5"]);
    refuses(run, &["log-retention-days: `-5`"]);
}

#[test]
fn one_flag_twice_must_say_the_same() {
    refused(
        &["--app", "a", "--app", "b"],
        &["--app: it is given more than once"],
    );
    refused(
        &["rotate", "--force", "--force=false"],
        &["--force: it is given more than once"],
    );
    refused(
        &["rotate", "--command", "revoke"],
        &["--command: it is given more than once"],
    );
    let sandbox = sandbox();
    by_flags(&sandbox, &["--dry-run", "--dry-run=TRUE", "--app", "shop"])
        .go()
        .green();
}

#[test]
fn a_flag_and_an_input_that_differ_are_refused_by_name() {
    let sandbox = delivered();
    let step = || Run::bootstrap(&sandbox).with_the_runners_defaults();
    let differ = |run: Run<'_>, input: &str| {
        let both = format!(
            "--{input} and INPUT_{} say different things",
            input.to_uppercase()
        );
        let errors = refuses(run, &[]).errors();
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert!(errors[0].starts_with(&format!("{input}: {both}")), "{errors:#?}");
    };
    differ(step().words(&["--app", "blog"]), "app");
    differ(
        step().input("dry-run", "true").words(&["--dry-run=false"]),
        "dry-run",
    );
    differ(step().input("command", "rotate").words(&["revoke"]), "command");
    step()
        .words(&["--app", "shop", "--buckets", "shop-uploads"])
        .go()
        .green();
}

#[test]
fn a_secret_is_no_flag_and_its_value_is_shown_nowhere() {
    for words in [
        &["--digitalocean-token", "canary-0123456789"][..],
        &["--digitalocean-token=canary-0123456789"],
        &["rotate", "--digitalocean-token", "-canary-0123456789"],
        &[
            "rotate",
            "--digitalocean-token",
            "canary-0123456789",
            "--github-token=canary-0123456789",
        ],
        &["rotate", "--digitalocean-tokn=canary-0123456789"],
        &["rotate", "--digitalocean-token-file", "canary-0123456789abc"],
    ] {
        let told = refused(words, &["token"]);
        assert!(!told.stdout.contains("canary"), "{words:?}: {}", told.stdout);
    }
    refused(
        &["--github-token"],
        &[
            "--github-token: a secret is no flag",
            "list of processes",
            "--github-token-file",
        ],
    );
}

#[test]
fn every_secret_can_come_from_a_file_or_from_standard_input() {
    let sandbox = sandbox();
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    writeln!(file, "{}", World::GITHUB_TOKEN).expect("the file is written");
    let path = file.path().to_str().expect("a plain path");
    let run = by_flags(
        &sandbox,
        &[
            "bootstrap",
            "--github-token-file",
            path,
            "--digitalocean-token-file",
            "-",
        ],
    );
    run.without_env("INPUT_GITHUB_TOKEN")
        .without_env("DIGITALOCEAN_ACCESS_TOKEN")
        .stdin(&format!("{}\r\n", World::DIGITALOCEAN_TOKEN))
        .go()
        .green();
    assert!(secret(&sandbox, "SPACES_SECRET_KEY").is_some());
}

#[test]
fn a_file_without_a_secret_is_refused_by_its_name() {
    let sandbox = sandbox();
    let run = || Run::shell(&sandbox).without_env("INPUT_GITHUB_TOKEN");
    let token = |path: &'static str| run().words(&["--github-token-file", path]);
    refuses(
        token("no/such.txt"),
        &["--github-token-file: file no/such.txt cannot be read"],
    );
    refuses(token("empty").file("empty", "\n"), &["file empty is empty"]);
    refuses(
        token("big").file("big", &"x".repeat(49 * 1024)),
        &["file big is longer than 48 KB"],
    );
    refuses(token("/dev/zero"), &["file /dev/zero is longer than 48 KB"]);
    refuses(token("."), &["file . cannot be read"]);
    let both = run().words(&["--github-token-file", "-", "--secret-key-file=-"]);
    refuses(both.stdin("a secret\n"), &["standard input was read already"]);
    let differs = run()
        .env("INPUT_GITHUB-TOKEN", "another")
        .words(&["--github-token-file", "token"]);
    refuses(
        differs.file("token", "one"),
        &["github-token: ", "say different things"],
    );
}

#[test]
fn a_word_that_is_no_text_is_refused() {
    let no_text = |start: &str| OsString::from_vec([start.as_bytes(), b"caf\xe9"].concat());
    let sandbox = delivered();
    let run = || Run::shell(&sandbox).words(&["revoke", "--dry-run"]);
    refuses(run().raw_word(no_text("--app=")), &["--app: it is not UTF-8"]);
    refuses(
        run().words(&["--app"]).raw_word(no_text("")),
        &["--app: it is not UTF-8"],
    );
    refuses(run().raw_word(no_text("")), &["word 3: it is not UTF-8"]);
}

#[test]
fn a_flag_that_the_command_does_not_heed_is_told() {
    let sandbox = delivered();
    let run = by_flags(&sandbox, &["rotate", "--log-bucket=shop-logs", "--force=false"]);
    let warnings = run.go().green().warnings();
    let told = |what: &str| warnings.iter().any(|warning| warning.contains(what));
    assert!(
        told("log-bucket is heeded by bootstrap, check, not by rotate"),
        "{warnings:#?}"
    );
    assert!(!told("force"), "its default asks for nothing: {warnings:#?}");
}

#[test]
fn what_a_command_does_by_flags_it_does_by_inputs() {
    let sandbox = delivered();
    sandbox.advance(Duration::from_hours(1));
    let before = the_active_key(&sandbox);
    by_flags(&sandbox, &["revoke", "--revoke-access-key-id", &before])
        .go()
        .green();
    assert_ne!(the_active_key(&sandbox), before);
}

#[test]
fn a_pair_that_no_later_step_could_be_given_is_refused() {
    for command in ["bootstrap", "rotate", "revoke"] {
        refuses(
            by_flags(&delivered(), &[command, "--export-env"]).env("GITHUB_ENV", ""),
            &["export-env: ", "GITHUB_ENV is not set"],
        );
    }
}
