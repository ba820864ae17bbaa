//! The edge of the process: environment in, report and exit code out. It owns what must not outlive the run.

mod watch;

use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::apply::{Entries, FullAccess, Ledger, Minter};
use crate::bug::caught_in;
use crate::config::{Files, Given, InputProblem, InventoryFormat, Refused, Request, Runner, credentials};
use crate::job::Job;
use crate::model::inventory::Inventory;
use crate::model::path::WorkspacePath;
use crate::model::problem::Problem;
use crate::remote::{Shutdown, Trigger};
use crate::report::command_file;
use crate::report::commands::{Level, delimiter, file_entry};
use crate::report::console::Console;
use crate::report::{
    Change, OlderKey, Remark, Report, inventory, json, outputs, refusal, remarks, sarif, summary,
};
use crate::scrub::without_known;
use crate::session::{NoSession, Session};
use crate::signals;
use crate::tell::{self, Told};
use crate::workspace::Workspace;
use watch::Watch;

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

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Tells why a command line is not understood.
#[must_use]
pub fn refused(given: &Given, problems: &[InputProblem]) -> Exit {
    let runner = Runner::read(&given.environment);
    let console = Console::new(&runner);
    mask_all(given, console);
    refuse(console, &runner, problems)
}

/// Does what flags and environment ask for.
pub async fn run(given: &Given) -> Exit {
    let runner = Runner::read(&given.environment);
    let console = Console::new(&runner);
    mask_all(given, console);
    console.start_log(runner.debug);
    let answered = caught_in(Box::pin(answer(given, &runner, console))).await;
    answered.unwrap_or_else(|bug| {
        console.problems(Level::Error, &[bug.problem("this run")]);
        Exit::Failed
    })
}

/// First of all: not even the refusal of a request may quote what it was given.
fn mask_all(given: &Given, console: Console) {
    for credential in credentials(given) {
        console.mask(&credential);
    }
}

async fn answer(given: &Given, runner: &Runner, console: Console) -> Exit {
    let (trigger, shutdown) = Shutdown::new();
    let ledger = Ledger::default();
    for problem in signals::heed(&trigger) {
        ledger.note(problem);
    }
    let workspace = Workspace::at(given.environment.get("GITHUB_WORKSPACE").map(String::as_str));
    let request = match Request::read(given, &workspace) {
        Ok(request) => request,
        Err(Refused { problems, warnings }) => {
            warn(&warnings);
            return refuse(console, runner, &problems);
        }
    };
    warn(&request.warnings);
    let session = match Session::open(&request, console, &shutdown) {
        Ok(session) => session,
        Err(NoSession::Input(problem)) => return refuse(console, runner, &[problem]),
        Err(NoSession::Machine(problem)) => {
            console.problems(Level::Error, &[problem]);
            return Exit::Failed;
        }
    };
    let report = Box::pin(conduct(
        &request,
        &session,
        console,
        (&trigger, &shutdown),
        &ledger,
    ))
    .await;
    publish(report, &request, &workspace, console)
}

/// Runs the job under watch. What the farewell adds stands in the report too.
async fn conduct(
    request: &Request,
    session: &Session,
    console: Console,
    (trigger, shutdown): (&Trigger, &Shutdown),
    ledger: &Ledger,
) -> Report {
    let full_access = full_access(request, session, console);
    let watch = Watch {
        full_access: &full_access,
        github: session.github.as_ref(),
        ledger,
        trigger,
        shutdown,
        limit: request.patience.run,
    };
    let job = Job::new(request, session, console, shutdown, &full_access, ledger);
    let report = watch.over(Box::pin(job.run())).await;
    let mut report = report.unwrap_or_else(|| {
        console.close_group();
        tell::report(request, &request.desired, &Told::BrokenOff, ledger.told(), None)
    });
    let Entries { problems, notes, .. } = ledger.told();
    report.add(problems, notes);
    // First, since it may be what the rest comes of.
    let clocks = tell::clocks(&session.transport.clocks().gaps());
    report.notes.splice(0..0, clocks);
    report
}

fn full_access(request: &Request, session: &Session, console: Console) -> FullAccess {
    match (&request.access.full_access, &session.cleaner) {
        (Some(pair), _) => FullAccess::supplied(pair),
        (None, Some(cleaner)) if !request.dry_run => FullAccess::own(Minter {
            digitalocean: cleaner.clone(),
            family: request.admin_family.clone(),
            run: request.runner.run,
            console,
        }),
        _ => FullAccess::none(),
    }
}

fn warn(warnings: &[String]) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
}

fn refuse(console: Console, runner: &Runner, problems: &[InputProblem]) -> Exit {
    let (problems, remarks): (Vec<Problem>, Vec<Remark>) = problems
        .iter()
        .map(|InputProblem { input, what, at }| {
            let problem = Problem::new(input, what, "");
            let remark = Remark::of_problem(Level::Error, &problem);
            (problem, at.iter().fold(remark, Remark::at))
        })
        .unzip();
    console.remarks(&remarks);
    let page = runner
        .summary_file
        .as_deref()
        .map(|path| told(path, command_file::publish(path, &refusal(&problems))));
    if let Some(Err(unwritten)) = page {
        console.problems(Level::Error, &[unwritten]);
    }
    console.line("The request is wrong; nothing was touched.");
    Exit::Refused
}

/// Tells everyone. A report that cannot be written is a failure of its own: later steps would miss it.
fn publish(mut report: Report, request: &Request, workspace: &Workspace, console: Console) -> Exit {
    // The files first, so that no output names one that is not there.
    write_files(&mut report, request, workspace);
    let report = &report;
    if let Some(inventory) = &report.inventory {
        console.inventory(inventory);
    }
    let unwritten = tell_runner(report, &request.runner);
    console.remarks(&remarks(report, &unwritten));
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

/// The outputs and the summary of the step.
fn tell_runner(report: &Report, runner: &Runner) -> Vec<Problem> {
    let delimiter = delimiter();
    let entries: String = outputs(report)
        .iter()
        .map(|(name, value)| file_entry(name, value, &delimiter))
        .collect();
    let output = runner
        .output_file
        .as_deref()
        .map(|path| told(path, command_file::tell(path, &entries)));
    let page = runner
        .summary_file
        .as_deref()
        .map(|path| told(path, command_file::publish(path, &summary(report))));
    let written = [output, page].into_iter().flatten();
    written.filter_map(Result::err).collect()
}

/// Code scanning shows a finding at a file. Outside a workflow it is the one that would ask for what was found wrong.
const MANIFEST: &str = ".github/spaces.yml";

/// The files in the workspace that were asked for. One that cannot be written is a problem of the report, which is the last.
fn write_files(report: &mut Report, request: &Request, workspace: &Workspace) {
    let Files {
        report: report_file,
        sarif: sarif_file,
        inventory: inventory_file,
    } = &request.files;
    let asked_for_in = request.runner.workflow_file.as_deref().unwrap_or(MANIFEST);
    let listed = inventory_file.as_ref().zip(report.inventory.as_ref());
    let others = [
        sarif_file
            .as_ref()
            .map(|path| (path, sarif(report, asked_for_in))),
        listed.map(|(file, inventory)| (&file.path, inventory_text(inventory, file.format))),
    ];
    for (path, text) in others.into_iter().flatten() {
        report.problems.extend(write(workspace, path, &text).err());
    }
    if let Some(path) = report_file
        && let Err(unwritten) = write(workspace, path, &json(report))
    {
        report.problems.push(unwritten);
        report.report_file = None;
    }
}

fn write(workspace: &Workspace, path: &WorkspacePath, text: &str) -> Result<(), Problem> {
    let text = text.trim_end().to_owned() + "\n";
    let written = workspace.write(path, without_known(&text).as_bytes());
    written.map_err(|error| unwritten(path.as_str(), &error))
}

fn inventory_text(inventory: &Inventory, format: InventoryFormat) -> String {
    match format {
        InventoryFormat::Csv => inventory::csv(inventory),
        InventoryFormat::Json => inventory::json(inventory),
    }
}

fn told(path: &Path, written: io::Result<()>) -> Result<(), Problem> {
    written.map_err(|error| unwritten(&path.display().to_string(), &error))
}

fn unwritten(file: &str, error: &dyn std::error::Error) -> Problem {
    Problem::new(
        format!("file {file}"),
        format!("it cannot be written: {error}"),
        "Check the path, its permissions and the room on the disk.",
    )
}
