//! The signals that ask the process to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::model::problem::Problem;
use crate::remote::{Cause, Trigger};

/// How a process is asked to end: by a key press, by the runner that cancels a job, by a terminal that is closed.
const SIGNALS: [(&str, SignalKind); 4] = [
    ("SIGINT", SignalKind::interrupt()),
    ("SIGTERM", SignalKind::terminate()),
    ("SIGHUP", SignalKind::hangup()),
    ("SIGQUIT", SignalKind::quit()),
];

/// Listens to all of them, and returns those that cannot be heard. As PID 1 of a container the process has no default
/// handlers: there an unheard signal is ignored until the kill; elsewhere it ends the process at once.
///
/// Must be called within a runtime.
#[must_use]
pub fn heed(trigger: &Trigger) -> Vec<Problem> {
    let unheard = SIGNALS.into_iter().filter_map(|(name, kind)| {
        let heard = signal(kind).map(|signal| drop(tokio::spawn(listen(name, signal, trigger.clone()))));
        heard.err().map(|error| unheard(name, &error.to_string()))
    });
    unheard.collect()
}

async fn listen(name: &'static str, mut signal: Signal, trigger: Trigger) {
    if signal.recv().await.is_some() {
        tracing::warn!("{name}: what has begun is finished or taken back, and then the run ends");
        trigger.pull(Cause::Signal);
    }
}

fn unheard(name: &str, why: &str) -> Problem {
    let what = format!(
        "{name} cannot be heard ({why}), so a run that it ends leaves its full-access key to the next one"
    );
    Problem::new("this machine", what, "Let the process install signal handlers.")
}
