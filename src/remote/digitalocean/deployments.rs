//! Deployments of an app: how far they are, and what stopped them.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::super::failure::{Failure, Service};
use super::super::json::{self, null_is_empty};
use super::super::page::{Listed, Page};
use super::{DigitalOcean, segment};
use crate::model::spec::AppSpec;
use crate::model::time::{NotATime, Timestamp};

/// How many of an app's deployments are looked at, from the newest back.
const RECENT: usize = 20;

/// One deployment of an app.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// A UUID.
    pub id: String,
    /// Where it stands.
    pub phase: Phase,
    /// On DigitalOcean's clock; nothing where the API leaves it unset.
    pub created_at: Option<Timestamp>,
    /// What it deploys.
    pub spec: Option<AppSpec>,
    /// The deployment that was live when it was made, where the API names one (`previous_deployment_id` of godo's
    /// `Deployment`).
    pub previous: Option<String>,
    /// How many of its steps are done.
    pub progress: Progress,
    /// The innermost step that failed, once one has.
    pub failed_step: Option<FailedStep>,
    /// Why it was made, in the API's words; untrusted text.
    pub cause: Option<String>,
    /// When it came to where it stands, or was last changed where that is not told, on DigitalOcean's clock.
    pub changed_at: Option<Timestamp>,
}

/// Where a deployment stands (`apps_deployment_phase.yml` of digitalocean/openapi).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Waits for its build.
    PendingBuild,
    /// Is being built.
    Building,
    /// Waits for its rollout.
    PendingDeploy,
    /// Is being rolled out.
    Deploying,
    /// Is live.
    Active,
    /// Was live, or would have been: a newer one is.
    Superseded,
    /// Failed.
    Error,
    /// Was given up.
    Canceled,
    /// Not said, or a word that is new.
    Unknown(String),
}

/// How far a deployment is. Zero of zero early on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Steps that succeeded.
    pub done: u32,
    /// All steps.
    pub total: u32,
}

/// The step at which a deployment failed. All untrusted text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailedStep {
    /// The component it was for.
    pub component: Option<String>,
    /// Its name.
    pub name: String,
    /// The code of the reason, such as `DeployContainerHealthChecksFailed`.
    pub code: Option<String>,
    /// The reason in words.
    pub message: Option<String>,
}

#[derive(Deserialize)]
struct DeploymentReply {
    deployment: WireDeployment,
}

/// Zero, false and empty fields are left out by the API. The phase is then `UNKNOWN`, which is its zero.
#[derive(Deserialize)]
pub(super) struct WireDeployment {
    #[serde(deserialize_with = "json::id")]
    id: String,
    #[serde(default)]
    phase: String,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default, deserialize_with = "spec_if_any")]
    spec: Option<AppSpec>,
    #[serde(default)]
    previous_deployment_id: Option<String>,
    #[serde(default)]
    progress: Option<WireProgress>,
    #[serde(default)]
    cause: Option<String>,
    #[serde(default)]
    phase_last_updated_at: Option<String>,
    #[serde(default)]
    updated_at: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireProgress {
    success_steps: u32,
    total_steps: u32,
    #[serde(deserialize_with = "null_is_empty")]
    steps: Vec<Step>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Step {
    name: String,
    status: String,
    component_name: Option<String>,
    reason: Option<Reason>,
    #[serde(deserialize_with = "null_is_empty")]
    steps: Vec<Step>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reason {
    code: Option<String>,
    message: Option<String>,
}

impl Listed for WireDeployment {
    const FIELD: &'static str = "deployments";
    const COUNTED: bool = false;

    fn identity(&self) -> String {
        self.id.clone()
    }
}

impl DigitalOcean {
    /// The newest 20 deployments of an app, newest first.
    pub async fn deployments(&self, app_id: &str) -> Result<Vec<Deployment>, Failure> {
        let subject = format!("list deployments of app {app_id}");
        let path = format!(
            "/v2/apps/{}/deployments?per_page={RECENT}&page=1",
            segment(app_id)
        );
        let page: Page<WireDeployment> = self.get(&subject, path).await?;
        let (counted, held) = (page.total.unwrap_or_default().min(RECENT), page.items.len());
        if held < counted {
            let why = format!("it counts {counted} `deployments` or more, and holds {held}");
            return Err(Failure::malformed(Service::DigitalOcean, &subject, &why));
        }
        page.items.into_iter().map(|wire| wire.read(&subject)).collect()
    }

    /// One deployment of an app.
    pub async fn deployment(&self, app_id: &str, id: &str) -> Result<Deployment, Failure> {
        let subject = format!("read deployment {id} of app {app_id}");
        let path = format!("/v2/apps/{}/deployments/{}", segment(app_id), segment(id));
        let reply: DeploymentReply = self.get(&subject, path).await?;
        let read = reply.deployment.read(&subject)?;
        same(&subject, id, &read.id).map(|()| read)
    }
}

impl Progress {
    /// Whether it is told, and nothing of it is left to do.
    #[must_use]
    pub const fn is_complete(self) -> bool {
        self.total > 0 && self.done >= self.total
    }
}

impl Phase {
    /// Whether nothing more happens to it, except that a live one is superseded later.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(
            self,
            Self::Active | Self::Superseded | Self::Error | Self::Canceled
        )
    }
}

impl From<String> for Phase {
    fn from(word: String) -> Self {
        match word.as_str() {
            "PENDING_BUILD" => Self::PendingBuild,
            "BUILDING" => Self::Building,
            "PENDING_DEPLOY" => Self::PendingDeploy,
            "DEPLOYING" => Self::Deploying,
            "ACTIVE" => Self::Active,
            "SUPERSEDED" => Self::Superseded,
            "ERROR" => Self::Error,
            "CANCELED" => Self::Canceled,
            _ => Self::Unknown(word),
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PendingBuild => "PENDING_BUILD",
            Self::Building => "BUILDING",
            Self::PendingDeploy => "PENDING_DEPLOY",
            Self::Deploying => "DEPLOYING",
            Self::Active => "ACTIVE",
            Self::Superseded => "SUPERSEDED",
            Self::Error => "ERROR",
            Self::Canceled => "CANCELED",
            Self::Unknown(word) if word.is_empty() => "in no phase yet",
            Self::Unknown(word) => word,
        })
    }
}

impl fmt::Display for FailedStep {
    /// `step deploy of api: Unhealthy, no answer on port 8080`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            component,
            name,
            code,
            message,
        } = self;
        write!(f, "step {name}")?;
        component
            .as_ref()
            .map_or(Ok(()), |component| write!(f, " of {component}"))?;
        let why: Vec<&str> = [code, message]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        if why.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", why.join(", "))
        }
    }
}

impl WireDeployment {
    pub(super) fn read(self, subject: &str) -> Result<Deployment, Failure> {
        let progress = self.progress.unwrap_or_default();
        let in_phase = time_if_any(subject, self.phase_last_updated_at.as_deref())?;
        let changed = time_if_any(subject, self.updated_at.as_deref())?;
        Ok(Deployment {
            id: self.id,
            phase: self.phase.into(),
            created_at: time_if_any(subject, self.created_at.as_deref())?,
            spec: self.spec,
            previous: self.previous_deployment_id.filter(|id| !id.is_empty()),
            progress: Progress {
                done: progress.success_steps,
                total: progress.total_steps,
            },
            failed_step: failed_step(&progress.steps, None),
            cause: self.cause,
            changed_at: in_phase.or(changed),
        })
    }
}

/// A spec: an object that names its app. Anything else would be one that holds no key.
pub(super) fn spec<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AppSpec, D::Error> {
    readable_spec(Value::deserialize(deserializer)?)
}

/// As [`spec`], for a deployment that may come without.
fn spec_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<AppSpec>, D::Error> {
    Option::<Value>::deserialize(deserializer)?
        .map(readable_spec)
        .transpose()
}

fn readable_spec<E: Error>(spec: Value) -> Result<AppSpec, E> {
    match spec.get("name") {
        Some(Value::String(name)) if !name.is_empty() => Ok(AppSpec::new(spec)),
        _ => Err(E::custom("a `spec` is not an object with the `name` of its app")),
    }
}

/// A reply about another thing than the one asked for tells nothing.
pub(super) fn same(subject: &str, asked: &str, answered: &str) -> Result<(), Failure> {
    if asked.eq_ignore_ascii_case(answered) {
        return Ok(());
    }
    let why = format!("the reply is about {answered}");
    Err(Failure::malformed(Service::DigitalOcean, subject, &why))
}

/// The API writes an unset time as the first second of the year 1.
fn time_if_any(subject: &str, text: Option<&str>) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let not_a_time = |error: NotATime| Failure::malformed(Service::DigitalOcean, subject, &error.to_string());
    let time = Timestamp::from_rfc3339(text).map_err(not_a_time)?;
    Ok(Some(time).filter(|time| time.unix() > 0))
}

/// The first step with an error and, within it, the first of its own steps with one: the innermost knows the reason.
/// The component is said on any level.
fn failed_step(steps: &[Step], component: Option<&String>) -> Option<FailedStep> {
    let step = steps.iter().find(|step| step.status == "ERROR")?;
    let component = step.component_name.as_ref().or(component);
    let own = || {
        let reason = step.reason.as_ref();
        FailedStep {
            component: component.cloned(),
            name: step.name.clone(),
            code: reason.and_then(|reason| reason.code.clone()),
            message: reason.and_then(|reason| reason.message.clone()),
        }
    };
    Some(failed_step(&step.steps, component).unwrap_or_else(own))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(deployment: Value) -> Deployment {
        let wire: WireDeployment = serde_json::from_value(deployment).expect("a deployment");
        wire.read("test").expect("a readable deployment")
    }

    #[test]
    fn what_the_api_leaves_out_is_empty() {
        let early = read(json!({ "id": "d-1", "created_at": "0001-01-01T00:00:00Z" }));
        assert_eq!(early.created_at, None);
        assert_eq!(early.phase, Phase::Unknown(String::new()));
        assert_eq!(early.progress, Progress::default());
        assert!(!early.phase.is_over() && early.failed_step.is_none());
    }

    #[test]
    fn a_spec_that_names_no_app_is_none() {
        for spec in [
            json!({}),
            json!([]),
            json!("shop"),
            json!({ "name": "" }),
            json!({ "name": 1 }),
        ] {
            let deployment = json!({ "id": "d-1", "spec": spec });
            assert!(serde_json::from_value::<WireDeployment>(deployment).is_err());
        }
        assert!(read(json!({ "id": "d-1", "spec": null })).spec.is_none());
    }

    #[test]
    fn the_innermost_failed_step_is_told_with_its_component() {
        let failed = read(json!({ "id": "d-2", "phase": "ERROR", "progress": {
            "success_steps": 3, "total_steps": 6,
            "steps": [
                { "name": "build", "status": "SUCCESS" },
                { "name": "deploy", "status": "ERROR", "steps": [
                    { "name": "components", "status": "ERROR", "steps": [
                        { "name": "api", "status": "ERROR", "component_name": "api", "steps": [
                            { "name": "deploy", "status": "SUCCESS" },
                            { "name": "wait", "status": "ERROR", "reason": { "code": "Unhealthy", "message": "no answer" } },
                        ]},
                    ]},
                ]},
            ],
        }}));
        assert_eq!(failed.progress, Progress { done: 3, total: 6 });
        let (component, code) = (Some("api".to_owned()), Some("Unhealthy".to_owned()));
        let step = FailedStep {
            component,
            name: "wait".to_owned(),
            code,
            message: Some("no answer".to_owned()),
        };
        assert_eq!(failed.failed_step, Some(step));
    }
}
