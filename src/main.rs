//! The process: signals in, exit code out.

use std::ffi::OsString;
use std::process::ExitCode;

use spacekeeper::config::Environment;
use spacekeeper::edge;
use spacekeeper::remote::Shutdown;
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
spacekeeper [COMMAND]

COMMAND is an input like all others (default: bootstrap). Inputs are environment variables: INPUT_APP, INPUT_BUCKETS,
INPUT_DRY-RUN (or INPUT_DRY_RUN) and so on, as a workflow step sets them. The README lists them all.";

fn main() -> ExitCode {
    let mut environment = environment();
    match std::env::args().nth(1).as_deref() {
        None | Some("") => {}
        Some("-h" | "--help") => return say(USAGE),
        Some("-V" | "--version") => return say(concat!("spacekeeper ", env!("CARGO_PKG_VERSION"))),
        Some(command) => drop(environment.insert("INPUT_COMMAND".to_owned(), command.to_owned())),
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            println!("error: no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let exit = runtime.block_on(async {
        let shutdown = heed_signals();
        edge::run(&environment, &shutdown).await
    });
    ExitCode::from(exit.code())
}

/// Variables that are no text cannot be inputs of ours.
fn environment() -> Environment {
    let text =
        |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    std::env::vars_os().filter_map(text).collect()
}

fn say(text: &str) -> ExitCode {
    println!("{text}");
    ExitCode::SUCCESS
}

/// As PID 1 of a container the process has no default handlers: unheard signals would be ignored until the kill.
fn heed_signals() -> Shutdown {
    let (trigger, shutdown) = Shutdown::new();
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let (trigger, Ok(mut heard)) = (trigger.clone(), signal(kind)) else {
            continue;
        };
        tokio::spawn(async move {
            heard.recv().await;
            trigger.pull();
        });
    }
    shutdown
}
