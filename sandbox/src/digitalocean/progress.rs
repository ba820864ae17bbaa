//! The steps of a deployment, as far as its phase has brought them.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::deployment::{Course, Deployment, Failure, Phase};
use super::spec;
use crate::clock::rfc3339;

/// A step that is not made of others.
struct Step {
    name: &'static str,
    component: Option<String>,
    /// The phase that does its work.
    phase: Phase,
}

/// The `progress` of a deployment: counters, and the tree of steps.
pub(super) fn progress(deployment: &Deployment) -> Value {
    let components = spec::component_names(&deployment.spec);
    let steps = Steps { deployment };
    let parts = [steps.build(&components), steps.deploy(&components)];
    let leaves: Vec<&str> = parts
        .iter()
        .flat_map(|part| part.statuses.iter().copied())
        .collect();
    let mut progress = counters(&leaves);
    progress["summary_steps"] = parts.iter().map(Branch::summary).collect();
    progress["steps"] = parts.into_iter().map(|part| part.tree).collect();
    progress
}

/// How many leaves have which status; a zero is left out.
fn counters(leaves: &[&str]) -> Value {
    let mut counters = json!({ "total_steps": leaves.len() });
    for status in ["PENDING", "RUNNING", "SUCCESS", "ERROR"] {
        let count = leaves.iter().filter(|leaf| **leaf == status).count();
        if count > 0 {
            counters[format!("{}_steps", status.to_lowercase())] = Value::from(count);
        }
    }
    counters
}

struct Steps<'a> {
    deployment: &'a Deployment,
}

/// A step made of others, with the status of every leaf below it.
struct Branch {
    tree: Value,
    statuses: Vec<&'static str>,
}

impl Steps<'_> {
    fn build(&self, components: &[String]) -> Branch {
        let built = components
            .iter()
            .map(|name| self.leaf(&step("build", Some(name), Phase::Building)));
        let built = Branch::of("components", None, built.collect());
        let initialize = self.leaf(&step("initialize", None, Phase::Building));
        Branch::of("build", None, vec![initialize, built])
    }

    fn deploy(&self, components: &[String]) -> Branch {
        let deployed = components.iter().map(|name| {
            let parts = ["deploy", "wait"].map(|part| self.leaf(&step(part, Some(name), Phase::Deploying)));
            Branch::of("component", Some(name), parts.into())
        });
        let deployed = Branch::of("components", None, deployed.collect());
        let initialize = self.leaf(&step("initialize", None, Phase::Deploying));
        let finalize = self.leaf(&step("finalize", None, Phase::Deploying));
        Branch::of("deploy", None, vec![initialize, deployed, finalize])
    }

    fn leaf(&self, step: &Step) -> Branch {
        let failure = self.failure_at(step);
        let status = match failure {
            Some(_) => "ERROR",
            None => self.status(step),
        };
        let component = step.component.as_deref();
        // A component is built in one step, which bears its name.
        let name = component.filter(|_| step.name == "build").unwrap_or(step.name);
        let mut tree = named(name, component, status);
        if let Some(failure) = failure {
            tree["reason"] = json!({ "code": failure.code, "message": failure.message });
        }
        if status != "PENDING" {
            tree["started_at"] = Value::from(rfc3339(self.deployment.created_at));
        }
        if matches!(status, "SUCCESS" | "ERROR") {
            tree["ended_at"] = Value::from(rfc3339(self.deployment.updated_at));
        }
        Branch {
            tree,
            statuses: vec![status],
        }
    }

    fn status(&self, step: &Step) -> &'static str {
        let reached = self.deployment.reached;
        let phase = self.deployment.phase;
        // The last part waits for the others, so it is never the one that runs.
        let is_last = matches!(step.name, "wait" | "finalize");
        match reached.cmp(&step.phase) {
            Ordering::Greater => "SUCCESS",
            Ordering::Equal if step.name == "initialize" => "SUCCESS",
            Ordering::Equal if !phase.is_terminal() && !is_last => "RUNNING",
            // What failed is told from the rest, which was done by then.
            Ordering::Equal if phase == Phase::Error && !is_last => "SUCCESS",
            _ => "PENDING",
        }
    }

    /// The failure, if this is the step that it happened in.
    fn failure_at(&self, step: &Step) -> Option<&Failure> {
        let Course::Fails(failure) = &self.deployment.course else {
            return None;
        };
        let name = match (&failure.component, failure.phase) {
            (None, _) => "initialize",
            (Some(_), Phase::Building) => "build",
            (Some(_), _) => "wait",
        };
        let here = failure.phase == step.phase && failure.component == step.component && name == step.name;
        (here && self.deployment.phase == Phase::Error).then_some(failure)
    }
}

impl Branch {
    fn of(name: &'static str, component: Option<&str>, parts: Vec<Self>) -> Self {
        let statuses: Vec<_> = parts.iter().flat_map(|part| part.statuses.clone()).collect();
        let mut tree = named(component.unwrap_or(name), component, together(&statuses));
        tree["steps"] = parts.into_iter().map(|part| part.tree).collect();
        Self { tree, statuses }
    }

    fn summary(&self) -> Value {
        json!({ "name": self.tree["name"], "status": self.tree["status"] })
    }
}

fn step(name: &'static str, component: Option<&String>, phase: Phase) -> Step {
    Step {
        name,
        component: component.cloned(),
        phase,
    }
}

fn named(name: &str, component: Option<&str>, status: &str) -> Value {
    let mut tree = json!({ "name": name, "status": status });
    if let Some(component) = component {
        tree["component_name"] = Value::from(component);
    }
    tree
}

fn together(statuses: &[&str]) -> &'static str {
    let all = |status| statuses.iter().all(|s| *s == status);
    if statuses.contains(&"ERROR") {
        "ERROR"
    } else if all("SUCCESS") {
        "SUCCESS"
    } else if all("PENDING") {
        "PENDING"
    } else {
        "RUNNING"
    }
}
