//! The edge of the process: environment in, report and exit code out.

use std::fs;
use std::path::Path;

use crate::config::{Environment, InputProblem, Refused, Request, Runner};
use crate::job::Job;
use crate::model::problem::Problem;
use crate::remote::Shutdown;
use crate::report::commands::{Level, delimiter, file_entry};
use crate::report::console::{Console, append};
use crate::report::{Change, OlderKey, Report, json, outputs, refusal, summary};
use crate::session::{NoSession, Session};

/// How a run ended, as the process tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All that was asked for is so.
    Fine,
    /// Something failed; the rest was still done.
    Failed,
    /// The request is wrong; nothing was touched.
    Refused,
    /// A look has found something that is bad enough.
    Found,
}

impl Exit {
    /// The exit code: 0, 1, 2 or 3.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Failed => 1,
            Self::Refused => 2,
            Self::Found => 3,
        }
    }
}

/// Does what the environment asks for.
pub async fn run(environment: &Environment, shutdown: &Shutdown) -> Exit {
    let runner = Runner::read(environment);
    let console = Console::new(&runner);
    console.start_log(runner.debug);
    let request = match Request::parse(environment) {
        Ok(request) => request,
        Err(Refused { problems, warnings }) => {
            warn(&warnings);
            return refuse(console, &runner, &problems);
        }
    };
    warn(&request.warnings);
    let session = match Session::open(&request, console, shutdown) {
        Ok(session) => session,
        Err(NoSession::Input(problem)) => return refuse(console, &runner, &[problem]),
        Err(NoSession::Machine(problem)) => {
            console.problems(Level::Error, &[problem]);
            return Exit::Failed;
        }
    };
    let run = Job::new(&request, &session, console, shutdown).run();
    let report = Box::pin(run).await;
    publish(&report, &runner, console)
}

fn warn(warnings: &[String]) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
}

fn refuse(console: Console, runner: &Runner, problems: &[InputProblem]) -> Exit {
    let problems: Vec<Problem> = problems
        .iter()
        .map(|InputProblem { input, what }| Problem::new(input.clone(), what.clone(), ""))
        .collect();
    console.problems(Level::Error, &problems);
    let page = runner
        .summary_file
        .as_deref()
        .map(|path| told(path, append(path, &refusal(&problems))));
    if let Some(Err(unwritten)) = page {
        console.problems(Level::Error, &[unwritten]);
    }
    console.line("The request is wrong; nothing was touched.");
    Exit::Refused
}

/// Tells everyone. A report that cannot be written is a failure of its own: later steps would miss it.
fn publish(report: &Report, runner: &Runner, console: Console) -> Exit {
    console.problems(Level::Error, &report.problems);
    console.problems(Level::Warning, &report.notes);
    console.findings(&report.findings);
    let unwritten: Vec<Problem> = write_files(report, runner);
    console.problems(Level::Error, &unwritten);
    // What is done is told when it is done; a plan is told here.
    for Change { subject, what } in report.changes.iter().filter(|_| report.dry_run) {
        console.line(&format!("{subject}: {what}"));
    }
    for OlderKey {
        family,
        access_key_id,
        because,
        ..
    } in &report.older
    {
        console.line(&format!(
            "key {family}: older key {access_key_id} kept: {}",
            because.join("; ")
        ));
    }
    console.line(&format!("Spacekeeper {}: {}", report.command, report.verdict()));
    match () {
        () if !report.problems.is_empty() || !unwritten.is_empty() => Exit::Failed,
        () if report.fails() => Exit::Found,
        () => Exit::Fine,
    }
}

fn write_files(report: &Report, runner: &Runner) -> Vec<Problem> {
    let delimiter = delimiter();
    let entries: String = outputs(report)
        .iter()
        .map(|(name, value)| file_entry(name, value, &delimiter))
        .collect();
    let output = runner
        .output_file
        .as_deref()
        .map(|path| told(path, append(path, &entries)));
    let page = runner
        .summary_file
        .as_deref()
        .map(|path| told(path, append(path, &summary(report))));
    let file = report
        .report_file
        .as_deref()
        .map(Path::new)
        .map(|path| told(path, write_report(path, report)));
    [output, page, file]
        .into_iter()
        .flatten()
        .filter_map(Result::err)
        .collect()
}

fn write_report(path: &Path, report: &Report) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, json(report) + "\n")
}

fn told(path: &Path, written: std::io::Result<()>) -> Result<(), Problem> {
    written.map_err(|error| {
        let what = format!("it cannot be written: {error}");
        Problem::new(
            format!("file {}", path.display()),
            what,
            "Check the path and its permissions.",
        )
    })
}
