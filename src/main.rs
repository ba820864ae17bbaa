//! The process: words and environment in, exit code out.

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use spacekeeper::bug;
use spacekeeper::cli::{self, Around, Ask};
use spacekeeper::config::Given;
use spacekeeper::edge::{self, Exit};
use spacekeeper::report::console::{page, print};
use spacekeeper::report::under_way;

fn main() -> ExitCode {
    bug::keep_panics_silent();
    let exit = bug::caught(answer).unwrap_or_else(|bug| fail(&bug.problem("this run").to_string()));
    under_way::end();
    exit
}

fn answer() -> ExitCode {
    let mut given = Given::of(std::env::vars_os());
    let mut around = Around {
        environment: &given.environment,
        stdin: &mut io::stdin(),
        at_a_terminal: io::stdout().is_terminal(),
    };
    let (told, exit) = match cli::read(std::env::args_os().skip(1), &mut around) {
        Ask::Run(flags) => {
            given.flags = flags;
            return run(&given);
        }
        Ask::Refused(problems) => return edge::refused(&given, &problems).into(),
        Ask::Tell(page) => (page, Exit::Fine),
        Ask::Nothing(page) => (page, Exit::Refused),
    };
    page(&told.0);
    exit.into()
}

fn run(given: &Given) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("no runtime: {error}")),
    };
    let exit = runtime.block_on(edge::run(given));
    // A host name that is still being looked up must not keep the process.
    runtime.shutdown_background();
    exit.into()
}

fn fail(why: &str) -> ExitCode {
    print(&format!("error: {why}"));
    ExitCode::FAILURE
}
