//! What the Actions runner tells every step.

use std::path::PathBuf;
use std::str::FromStr;

use super::door::Door;
use super::request::Environment;
use super::values::switch;
use crate::model::home::Home;
use crate::model::name::Run;
use crate::model::sink::Repository;

/// The Actions runner around the process; everything is absent outside Actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runner {
    /// Whether workflow commands are understood. Outside Actions a mask command would itself print the secret.
    pub in_actions: bool,
    /// Whether debug logging was asked for (`RUNNER_DEBUG=1`).
    pub debug: bool,
    /// The run that we are.
    pub run: Run,
    /// The repository whose workflow this is, where rival runs can be asked about.
    pub repository: Option<Repository>,
    /// The file of the workflow within its repository, such as `.github/workflows/check.yml`.
    pub workflow_file: Option<String>,
    /// The repository and version of the action that the step uses, where documentation is.
    pub home: Option<Home>,
    /// `GITHUB_OUTPUT`.
    pub output_file: Option<PathBuf>,
    /// `GITHUB_STEP_SUMMARY`.
    pub summary_file: Option<PathBuf>,
    /// `GITHUB_ENV`.
    pub env_file: Option<PathBuf>,
}

impl Runner {
    /// Reads what the runner tells every step. What cannot be understood is absent here; [`Request::read`](super::Request::read) refuses it.
    #[must_use]
    pub fn read(environment: &Environment) -> Self {
        Self::understood(environment, &mut Door::default())
    }

    pub(super) fn understood(environment: &Environment, door: &mut Door) -> Self {
        let set = |name: &str| {
            let value = environment.get(name).map(String::as_str);
            value.filter(|value| !value.is_empty())
        };
        let mut is_on = |name| door.parse(name, set(name), switch_of_the_runner) == Some(true);
        let (in_actions, debug) = (is_on("GITHUB_ACTIONS"), is_on("RUNNER_DEBUG"));
        let id = door.parse("GITHUB_RUN_ID", set("GITHUB_RUN_ID"), number);
        let attempt = door.parse("GITHUB_RUN_ATTEMPT", set("GITHUB_RUN_ATTEMPT"), number);
        Self {
            in_actions,
            debug,
            run: id.map_or(Run::OUTSIDE, |id| Run {
                id,
                attempt: attempt.unwrap_or(1),
            }),
            // Refused where the request is read: as the default of an input it may have been refused there.
            repository: set("GITHUB_REPOSITORY").and_then(|name| name.parse().ok()),
            workflow_file: set("GITHUB_WORKFLOW_REF").and_then(workflow_file),
            home: set("GITHUB_ACTION_REPOSITORY").and_then(|name| {
                let server = set("GITHUB_SERVER_URL")?;
                Home::new(server, &name.parse().ok()?, set("GITHUB_ACTION_REF")?)
            }),
            output_file: set("GITHUB_OUTPUT").map(PathBuf::from),
            summary_file: set("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            env_file: set("GITHUB_ENV").map(PathBuf::from),
        }
    }
}

/// The runner writes `true` or `1`; whoever writes a variable by hand may write the other.
fn switch_of_the_runner(text: &str) -> Result<bool, &'static str> {
    match text {
        "1" => Ok(true),
        "0" => Ok(false),
        text => switch(text),
    }
}

fn number<N: FromStr>(text: &str) -> Result<N, &'static str> {
    text.parse()
        .map_err(|_| "the runner sets a whole number; outside Actions leave it unset")
}

/// The path in `acme/shop/.github/workflows/check.yml@refs/heads/main`.
fn workflow_file(reference: &str) -> Option<String> {
    let (path, _) = reference.split_once('@')?;
    let inside = path.splitn(3, '/').nth(2)?;
    inside.starts_with(".github/").then(|| inside.to_owned())
}
