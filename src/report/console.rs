//! The one place that prints: log lines, masks, annotations, command files.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use tracing::{Event, Level as LogLevel, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::commands::{self, Level, harmless};
use crate::config::Runner;
use crate::model::finding::{Finding, Severity};
use crate::model::problem::Problem;

/// How many annotations of a kind GitHub shows for one step; the summary has them all.
const ANNOTATIONS_SHOWN: usize = 10;

/// Speaks to whoever started us: the runner, or a person at a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Console {
    in_actions: bool,
}

impl Console {
    /// A console that knows whether workflow commands are understood.
    #[must_use]
    pub fn new(runner: &Runner) -> Self {
        Self {
            in_actions: runner.in_actions,
        }
    }

    /// Sends the log to standard output. Requests are shown when the runner debugs.
    pub fn start_log(self, debug: bool) {
        let level = if debug {
            LevelFilter::DEBUG
        } else {
            LevelFilter::INFO
        };
        let lines = Lines {
            in_actions: self.in_actions,
        };
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .event_format(lines)
            .with_writer(io::stdout)
            .finish();
        // A second start happens only where tests share a process; the first log is as good.
        let _already_started = tracing::subscriber::set_global_default(subscriber);
    }

    /// Hides a secret from the log for good. Flushed before anything else can be printed. Outside Actions the command
    /// itself would show the secret, so nothing is printed there.
    pub fn mask(self, secret: &SecretString) {
        if self.in_actions {
            secret
                .expose_secret()
                .lines()
                .filter(|line| !line.is_empty())
                .for_each(|line| say(&commands::mask(line)));
        }
    }

    /// Opens a part of the log that can be folded.
    pub fn open_group(self, title: &str) {
        let start = if self.in_actions { "::group::" } else { "" };
        say(&format!("{start}{title}"));
    }

    /// Ends the part of the log.
    pub fn close_group(self) {
        if self.in_actions {
            say("::endgroup::");
        }
    }

    /// Shows problems, worst first: as many as GitHub shows, each once, the last one counting the rest.
    pub fn problems(self, level: Level, problems: &[Problem]) {
        let mut distinct: Vec<&Problem> = Vec::new();
        for problem in problems {
            if !distinct.contains(&problem) {
                distinct.push(problem);
            }
        }
        let shown = if distinct.len() > ANNOTATIONS_SHOWN {
            ANNOTATIONS_SHOWN - 1
        } else {
            distinct.len()
        };
        for problem in &distinct[..shown] {
            self.annotate(level, &problem.subject, &sentence(problem));
        }
        if distinct.len() > shown {
            let rest = format!("{} more are in the job summary", distinct.len() - shown);
            self.annotate(level, "more problems", &rest);
        }
    }

    /// Shows findings, worst first, each level as many times as GitHub shows it.
    pub fn findings(self, findings: &[Finding]) {
        let levels = [
            (Severity::Error, Level::Error),
            (Severity::Warning, Level::Warning),
            (Severity::Notice, Level::Notice),
        ];
        for (severity, level) in levels {
            let of_level = findings
                .iter()
                .filter(|finding| finding.rule.severity == severity);
            let told: Vec<Problem> = of_level.map(told).collect();
            self.problems(level, &told);
        }
    }

    /// One line for a person.
    pub fn line(self, text: &str) {
        say(&harmless(text));
    }

    fn annotate(self, level: Level, title: &str, message: &str) {
        let message = harmless(message);
        if self.in_actions {
            say(&commands::annotation(level, &harmless(title), &message));
        } else {
            say(&format!("{level}: {}: {message}", harmless(title)));
        }
    }
}

/// The rule stands in the title, where people search for it.
fn told(finding: &Finding) -> Problem {
    let Finding {
        rule,
        subject,
        what,
        remedy,
    } = finding;
    Problem::new(format!("{} {}: {subject}", rule.id, rule.name), what, remedy)
}

fn sentence(problem: &Problem) -> String {
    let Problem {
        subject: _,
        what,
        remedy,
    } = problem;
    format!("{what}. {remedy}").trim_end().to_owned()
}

/// A closed pipe is no reason to stop a rotation halfway, so a failed print is let go.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _unheard = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Appends entries to a command file of the runner. Never truncates: earlier steps of the action may have written.
pub fn append(file: &Path, entries: &str) -> io::Result<()> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)?
        .write_all(entries.as_bytes())
}

/// One line per event: the message alone, without time (the runner adds it) and target.
struct Lines {
    in_actions: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let mut text = String::new();
        let visited = tracing_subscriber::fmt::format::DefaultFields::new()
            .format_fields(Writer::new(&mut text), event);
        visited?;
        let line = harmless(&text);
        match *event.metadata().level() {
            // Libraries below us may put anything into their debug events; only our own are shown.
            LogLevel::DEBUG if !event.metadata().target().starts_with("spacekeeper") => Ok(()),
            LogLevel::DEBUG if self.in_actions => writeln!(writer, "::debug::{line}"),
            LogLevel::DEBUG => writeln!(writer, "debug: {line}"),
            LogLevel::WARN | LogLevel::ERROR => writeln!(writer, "warning: {line}"),
            _ => writeln!(writer, "{line}"),
        }
    }
}
