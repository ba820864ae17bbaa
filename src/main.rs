//! The process: environment in, exit code out.

use std::ffi::OsString;
use std::process::ExitCode;

use spacekeeper::config::Environment;
use spacekeeper::report::console::print;
use spacekeeper::{bug, edge};

const USAGE: &str = "\
spacekeeper [COMMAND]

COMMAND is an input like all others (default: bootstrap). Inputs are environment variables: INPUT_APP, INPUT_BUCKETS,
INPUT_DRY-RUN (or INPUT_DRY_RUN) and so on, as a workflow step sets them. The README lists them all.";

fn main() -> ExitCode {
    bug::keep_panics_silent();
    bug::caught(run).unwrap_or_else(|bug| fail(&bug.problem("this run").to_string()))
}

fn run() -> ExitCode {
    let mut environment = environment();
    match std::env::args().nth(1).as_deref() {
        None | Some("") => {}
        Some("-h" | "--help") => return say(USAGE),
        Some("-V" | "--version") => return say(concat!("spacekeeper ", env!("CARGO_PKG_VERSION"))),
        Some(command) => drop(environment.insert("INPUT_COMMAND".to_owned(), command.to_owned())),
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("no runtime: {error}")),
    };
    let exit = runtime.block_on(edge::run(&environment));
    // A host name that is still being looked up must not keep the process.
    runtime.shutdown_background();
    ExitCode::from(exit.code())
}

/// Variables that are no text cannot be inputs of ours.
fn environment() -> Environment {
    let text =
        |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    std::env::vars_os().filter_map(text).collect()
}

fn say(text: &str) -> ExitCode {
    print(text);
    ExitCode::SUCCESS
}

fn fail(why: &str) -> ExitCode {
    print(&format!("error: {why}"));
    ExitCode::FAILURE
}
