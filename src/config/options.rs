//! How a run goes about its work: what it may write, how long it waits, when a finding makes it fail.

use std::time::Duration;

use super::defaults;
use super::door::Door;
use super::errand::Command;
use super::inputs::RawInputs;
use super::runner::Runner;
use super::values::{run_limit, span, switch};
use crate::model::finding::Severity;

/// How long to wait for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For another run that is rotating the same family; zero fails at once.
    pub lock: Duration,
    /// For the deployment that carries the new key; `None` does not wait.
    pub deployment: Option<Duration>,
    /// For the whole run.
    pub run: Duration,
}

/// How a run goes about its work.
pub(super) struct Options {
    pub(super) overwrite: bool,
    pub(super) dry_run: bool,
    pub(super) export_env: bool,
    pub(super) patience: Patience,
    pub(super) fail_on: Option<Severity>,
}

impl Options {
    pub(super) fn read(
        raw: &RawInputs,
        command: Option<Command>,
        runner: &Runner,
        door: &mut Door,
    ) -> Option<Self> {
        let overwrite = door.parse(
            "overwrite",
            raw.overwrite.as_deref().or(Some(defaults::OVERWRITE)),
            switch,
        );
        let dry_run = door.parse(
            "dry-run",
            raw.dry_run.as_deref().or(Some(defaults::DRY_RUN)),
            switch,
        );
        let export_env = export_env(raw, command, runner, door);
        let patience = patience(raw, door);
        let fail_on = door.parse(
            "fail-on",
            raw.fail_on.as_deref().or(Some(defaults::FAIL_ON)),
            threshold,
        );
        Some(Self {
            overwrite: overwrite?,
            dry_run: dry_run?,
            export_env: export_env?,
            patience: patience?,
            fail_on: fail_on?,
        })
    }
}

/// Without `GITHUB_ENV` the pair would be dropped, and the caller would look for it in vain.
fn export_env(raw: &RawInputs, command: Option<Command>, runner: &Runner, door: &mut Door) -> Option<bool> {
    let text = raw.export_env.as_deref().or(Some(defaults::EXPORT_ENV));
    let wanted = door.parse("export-env", text, switch)?;
    let heeded = command.is_none_or(|command| !command.only_looks());
    if wanted && heeded && runner.env_file.is_none() {
        let what = "it is true, but GITHUB_ENV is not set, so no later step can be given the pair; \
                    leave it out outside Actions";
        door.refuse("export-env", what);
    }
    Some(wanted)
}

fn patience(raw: &RawInputs, door: &mut Door) -> Option<Patience> {
    let lock = door.parse(
        "lock-timeout",
        raw.lock_timeout.as_deref().or(Some(defaults::LOCK_TIMEOUT)),
        span,
    );
    let wait = door.parse(
        "wait-for-deployment",
        raw.wait_for_deployment
            .as_deref()
            .or(Some(defaults::WAIT_FOR_DEPLOYMENT)),
        switch,
    );
    let timeout = door.parse(
        "deployment-timeout",
        raw.deployment_timeout
            .as_deref()
            .or(Some(defaults::DEPLOYMENT_TIMEOUT)),
        span,
    );
    let run = door.parse(
        "run-timeout",
        raw.run_timeout.as_deref().or(Some(defaults::RUN_TIMEOUT)),
        run_limit,
    );
    Some(Patience {
        lock: lock?,
        deployment: wait?.then_some(timeout?),
        run: run?,
    })
}

/// What `fail-on` says.
fn threshold(text: &str) -> Result<Option<Severity>, &'static str> {
    match text {
        "none" => Ok(None),
        "warning" => Ok(Some(Severity::Warning)),
        "error" => Ok(Some(Severity::Error)),
        _ => Err("write none, warning or error"),
    }
}
