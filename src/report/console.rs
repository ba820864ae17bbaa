//! The one place that prints: log lines, masks, annotations. What leaves here has been scrubbed.

use std::io::{self, Write};

use secrecy::{ExposeSecret, SecretString};
use tracing::{Event, Level as LogLevel, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::commands::{self, Level, harmless};
use super::inventory;
use super::paint::Paint;
use super::remarks::{Remark, ranked, shown};
use super::under_way::{self, Beside};
use crate::config::Runner;
use crate::model::inventory::Inventory;
use crate::model::problem::Problem;
use crate::scrub::{self, scrubbed};

/// Speaks to whoever started us: the runner, or a person at a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Console {
    in_actions: bool,
    paint: Paint,
}

impl Console {
    /// A console that knows whether workflow commands are understood.
    #[must_use]
    pub fn new(runner: &Runner) -> Self {
        Self {
            in_actions: runner.in_actions,
            paint: Paint::choose(runner.in_actions),
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
            paint: self.paint,
        };
        let subscriber = tracing_subscriber::fmt()
            // It would tell of its errors on standard error, and panic where that is closed.
            .log_internal_errors(false)
            .with_max_level(level)
            .event_format(lines)
            .with_writer(|| Beside)
            .finish();
        // A second start happens only where tests share a process; the first log is as good.
        let _already_started = tracing::subscriber::set_global_default(subscriber);
    }

    /// The one way to say that something is secret: it is hidden from here on in all that we tell, and in all that the
    /// runner shows of this job. Flushed before anything else can be printed. Outside Actions the command itself would
    /// show the secret, so nothing is printed there.
    pub fn mask(self, secret: &SecretString) {
        scrub::know(secret);
        if self.in_actions {
            for part in scrub::parts(secret.expose_secret()) {
                write_line(&commands::mask(part));
            }
        }
    }

    /// Opens a part of the log that can be folded.
    pub fn open_group(self, title: &str) {
        if self.in_actions {
            say(&format!("::group::{title}"));
        } else {
            say(&self.paint.title(title));
            under_way::show(title);
        }
    }

    /// Ends the part of the log.
    pub fn close_group(self) {
        if self.in_actions {
            say("::endgroup::");
        }
    }

    /// Shows problems, as many as GitHub shows.
    pub fn problems(self, level: Level, problems: &[Problem]) {
        let remarks = problems.iter().map(|problem| Remark::of_problem(level, problem));
        self.remarks(&remarks.collect::<Vec<_>>());
    }

    /// Shows remarks, worst first. In Actions as many as GitHub shows; at a terminal, where nothing else has them, all.
    pub fn remarks(self, remarks: &[Remark]) {
        let shown = if self.in_actions {
            shown(remarks)
        } else {
            ranked(remarks)
        };
        for remark in shown {
            self.annotate(&remark);
        }
    }

    /// What the account holds, a part of the log for each table.
    pub fn inventory(self, inventory: &Inventory) {
        for table in inventory::tables(inventory)
            .iter()
            .filter(|table| !table.rows.is_empty())
        {
            self.open_group(&format!("{} ({})", table.title, table.rows.len()));
            for line in inventory::plain(table) {
                self.line(&line);
            }
            self.close_group();
        }
    }

    /// One line for a person.
    pub fn line(self, text: &str) {
        say(&harmless(text));
    }

    fn annotate(self, remark: &Remark) {
        let Remark {
            level,
            title,
            message,
            place,
            excerpt,
        } = remark;
        let (title, message) = (harmless(&scrubbed(title)), harmless(&scrubbed(message)));
        if self.in_actions {
            say(&commands::annotation(*level, &title, &message, place.as_ref()));
        } else {
            let level = self.paint.level(&level.to_string());
            say(&format!("{level}: {title}: {message}"));
        }
        excerpt.lines().for_each(|line| self.line(&format!("  {line}")));
    }
}

/// Prints a text of our own as it is, for when there is no console yet.
pub fn print(text: &str) {
    say(text);
}

/// A page for whoever asked for it, with its styles where they can be seen.
pub fn page(text: &str) {
    let _unheard = anstream::AutoStream::auto(io::stdout()).write_all(text.as_bytes());
}

fn say(line: &str) {
    write_line(&scrubbed(line));
}

fn write_line(line: &str) {
    let _never_fails = Beside.write_all(format!("{line}\n").as_bytes());
}

/// One line per event: the message alone, without time (the runner adds it) and target.
struct Lines {
    in_actions: bool,
    paint: Paint,
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
        let line = harmless(&scrubbed(&text));
        match *event.metadata().level() {
            // Libraries below us may put anything into their events, and speak of matters of their own.
            _ if !event.metadata().target().starts_with("spacekeeper") => Ok(()),
            LogLevel::DEBUG if self.in_actions => writeln!(writer, "::debug::{line}"),
            LogLevel::DEBUG => writeln!(writer, "{}: {line}", self.paint.level("debug")),
            LogLevel::WARN | LogLevel::ERROR => {
                writeln!(writer, "{}: {line}", self.paint.level("warning"))
            }
            _ => writeln!(writer, "{line}"),
        }
    }
}
