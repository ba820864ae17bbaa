//! A person at a terminal is shown colours and what is under way; a pipe and Actions get plain lines.

use std::fs::File;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::fixture::{Sandbox, World, delivered::delivered, sandbox};

const ESCAPE: char = '\u{1b}';

/// What a terminal was shown, and the exit code.
struct Shown {
    text: String,
    exit: Option<i32>,
}

/// Runs the binary at a terminal of its own.
fn at_a_terminal(words: &[&str], variables: &[(&str, &str)]) -> Shown {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).expect("the terminal is ours");
    unlockpt(&master).expect("the terminal opens");
    let name = ptsname(&master, Vec::new()).expect("the terminal has a name");
    let name = name.to_str().expect("a plain name").to_owned();
    let end = || {
        File::options()
            .read(true)
            .write(true)
            .open(&name)
            .expect("the other end")
    };
    let workspace = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_spacekeeper"));
    command
        .env_clear()
        .env("TERM", "xterm")
        .envs(variables.iter().copied());
    command.args(words).current_dir(workspace.path());
    command.stdin(Stdio::null()).stdout(end()).stderr(end());
    let mut child = command.spawn().expect("the binary starts");
    // Holds its own copies of the other end; with them the terminal would never end.
    drop(command);
    let reader = thread::spawn(move || {
        let mut shown = Vec::new();
        // A terminal whose other end is closed ends with an error.
        let _ended = File::from(master).read_to_end(&mut shown);
        String::from_utf8_lossy(&shown).into_owned()
    });
    let exit = child.wait().expect("it ends").code();
    let text = reader.join().expect("the terminal is read");
    Shown { text, exit }
}

/// A check of the usual app by flags, at a terminal.
fn check(sandbox: &Sandbox, variables: &[(&str, &str)]) -> Shown {
    let (github, digitalocean, spaces) = (
        sandbox.github_url(),
        sandbox.digitalocean_url(),
        sandbox.spaces_url(),
    );
    let around = [
        ("GITHUB_API_URL", &*github),
        ("DIGITALOCEAN_API_URL", &*digitalocean),
        ("SPACES_ENDPOINT_URL", &*spaces),
        ("DIGITALOCEAN_ACCESS_TOKEN", World::DIGITALOCEAN_TOKEN),
        ("INPUT_GITHUB_TOKEN", World::GITHUB_TOKEN),
    ];
    let words = [
        "check",
        "--app=shop",
        "--buckets=shop-uploads",
        "--github-repository=acme/shop",
    ];
    at_a_terminal(&words, &[&around[..], variables].concat())
}

#[test]
fn nothing_at_all_at_a_terminal_brings_the_help() {
    let shown = at_a_terminal(&[], &[]);
    assert_eq!(shown.exit, Some(2));
    assert!(shown.text.contains("Commands:"), "{}", shown.text);
    let asked = at_a_terminal(&[], &[("INPUT_APP", "shop")]);
    assert!(
        asked.text.contains("digitalocean-token"),
        "something was given: {}",
        asked.text
    );
}

#[test]
fn a_terminal_is_shown_colours_and_what_is_under_way() {
    let shown = check(&delivered(), &[]);
    assert_eq!(shown.exit, Some(0), "{}", shown.text);
    assert!(shown.text.contains(ESCAPE), "{}", shown.text);
    assert!(
        shown.text.contains("Looking at what is there, 0s"),
        "{}",
        shown.text
    );
}

#[test]
fn colours_are_left_out_where_they_are_not_wanted() {
    for (name, value) in [("NO_COLOR", "1"), ("CLICOLOR", "0")] {
        let refused = at_a_terminal(&["rotat"], &[(name, value)]);
        assert!(!refused.text.contains(ESCAPE), "{name}: {:?}", refused.text);
        let help = at_a_terminal(&["help"], &[(name, value)]);
        assert!(!help.text.contains(ESCAPE), "{name}: {:?}", help.text);
    }
    assert!(at_a_terminal(&["rotat"], &[]).text.contains(ESCAPE));
    assert!(at_a_terminal(&["help"], &[]).text.contains(ESCAPE));
}

#[test]
fn a_terminal_that_cannot_move_its_cursor_and_a_step_are_shown_plain_lines() {
    for plain in [("TERM", "dumb"), ("GITHUB_ACTIONS", "true")] {
        let shown = check(&sandbox(), &[plain]);
        assert!(!shown.text.contains(ESCAPE), "{plain:?}: {:?}", shown.text);
    }
}

#[test]
fn a_step_is_not_coloured_by_force() {
    let shown = at_a_terminal(&["rotat"], &[("GITHUB_ACTIONS", "true"), ("CLICOLOR_FORCE", "1")]);
    assert!(shown.text.starts_with("::error "), "{:?}", shown.text);
    assert!(!shown.text.contains(ESCAPE), "{:?}", shown.text);
}
