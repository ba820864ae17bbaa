//! What is wrong with the secrets and variables of GitHub.

use std::time::Duration;

use crate::model::desired::{Desired, GitHubSink, WantedFamily};
use crate::model::evidence::Evidence;
use crate::model::finding::{
    Finding, SECRET_MISSING, SECRET_SHADOWED, SECRET_STALE, SECRET_TOUCHED, UNKNOWN, VARIABLE_DIFFERS,
    VARIABLE_MISSING,
};
use crate::model::observed::{Observed, TargetState};
use crate::model::sink::{SettingName, Target};
use crate::plan::generations::{Generation, Generations};
use crate::plan::{Plan, VariableWrite};

/// How far GitHub's clock may be behind DigitalOcean's before a secret counts as older than its key.
const CLOCKS_APART: Duration = Duration::from_mins(5);

/// What is wrong with every sink in GitHub.
pub(super) fn findings(
    desired: &Desired,
    plan: &Plan,
    observed: &Observed,
    evidence: &Evidence,
) -> Vec<Finding> {
    let mut all: Vec<Finding> = desired
        .families
        .iter()
        .flat_map(|wanted| {
            wanted
                .github
                .iter()
                .flat_map(move |sink| of_sink(wanted, sink, observed))
        })
        .collect();
    all.extend(plan.variables.iter().map(of_variable));
    all.extend(evidence.shadows.iter().map(|shadow| match shadow {
        Ok(shadow) => shadowed(&shadow.target, &shadow.name),
        Err(problem) => Finding::unknown(problem),
    }));
    all
}

fn of_sink(wanted: &WantedFamily, sink: &GitHubSink, observed: &Observed) -> Vec<Finding> {
    let state = match observed.targets.get(&sink.target) {
        Some(Ok(state)) => state,
        Some(Err(problem)) => return vec![Finding::unknown(problem)],
        None => return vec![not_looked_at(&sink.target)],
    };
    let generations = Generations::of(&wanted.family, observed);
    let Some(current) = generations.current() else {
        return Vec::new();
    };
    let secrets = sink
        .secrets()
        .filter_map(|name| of_secret(sink, name, current, state));
    let id = sink
        .id_variable
        .as_ref()
        .and_then(|name| of_id_variable(sink, name, current, state));
    secrets.chain(id).collect()
}

fn not_looked_at(target: &Target) -> Finding {
    let what = "nobody has looked: there is no credential for GitHub";
    Finding::new(&UNKNOWN, format!("secrets of {target}"), what)
        .remedied("Give github-token (Secrets and Variables, read) or a GitHub App.")
}

fn of_secret(
    sink: &GitHubSink,
    name: &SettingName,
    current: &Generation,
    state: &TargetState,
) -> Option<Finding> {
    let subject = format!("secret {name} in {}", sink.target);
    let id = &current.key.id;
    match state.secrets.get(name.as_str()) {
        None => Some(Finding::new(&SECRET_MISSING, subject, "it does not exist")),
        Some(at) if *at > current.since() => {
            let what = format!("someone else has written it at {at}, after {id} was delivered");
            Some(Finding::new(&SECRET_TOUCHED, subject, what))
        }
        Some(at) if at.after(CLOCKS_APART) < current.key.created_at => {
            let what = format!(
                "it was written at {at}, before {id} was minted at {}",
                current.key.created_at
            );
            let remedy = "Run rotate with force: true: it mints a key and delivers it to every place.";
            Some(Finding::new(&SECRET_STALE, subject, what).remedied(remedy))
        }
        Some(_) => None,
    }
}

fn of_id_variable(
    sink: &GitHubSink,
    name: &SettingName,
    current: &Generation,
    state: &TargetState,
) -> Option<Finding> {
    let found = state.variables.get(name)?;
    (found != current.key.id.as_str()).then(|| {
        let what = format!("it names {found}, and the current key is {}", current.key.id);
        Finding::new(
            &VARIABLE_DIFFERS,
            format!("variable {name} in {}", sink.target),
            what,
        )
    })
}

fn of_variable(write: &VariableWrite) -> Finding {
    let subject = format!("variable {} in {}", write.name, write.target);
    if write.exists {
        Finding::new(
            &VARIABLE_DIFFERS,
            subject,
            format!("it should be {}", write.value),
        )
    } else {
        Finding::new(
            &VARIABLE_MISSING,
            subject,
            format!("it does not exist; it should be {}", write.value),
        )
    }
}

fn shadowed(target: &Target, name: &SettingName) -> Finding {
    let what = format!(
        "it hides the secret of the same name of {} from jobs of this environment",
        target.repository
    );
    Finding::new(&SECRET_SHADOWED, format!("secret {name} in {target}"), what)
}
