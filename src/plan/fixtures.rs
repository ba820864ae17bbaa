//! The one language in which the planner's tests describe a world.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;

use super::rotation::{self, Decision, FamilyPlan};
use crate::model::desired::{AppRef, AppSink, GitHubSink, Lifetime, WantedFamily};
use crate::model::key::{AccessKeyId, Grants, Permission, SpacesKey, listed_grants};
use crate::model::name::Run;
use crate::model::observed::{AppState, DeploymentState, Observed, TargetState};
use crate::model::sink::Target;
use crate::model::spec::{AppSpec, Place};
use crate::model::time::Timestamp;

/// The family that all fixtures speak of.
pub(crate) const FAMILY: &str = "shop-spaces-key";

/// A world around one family, delivered to one repository.
pub(crate) struct World {
    observed: Observed,
    wanted: WantedFamily,
}

impl World {
    /// An account without keys, at this second.
    pub(crate) fn at(now: i64) -> Self {
        let target = Target {
            repository: "acme/shop".parse().expect("a repository"),
            environment: None,
        };
        let run = Run { id: 0x99, attempt: 2 };
        let mut observed = Observed::of_keys(Timestamp::from_unix(now), run, Vec::new(), BTreeSet::new());
        observed
            .targets
            .insert(target.clone(), Ok(TargetState::default()));
        Self {
            observed,
            wanted: wanted(target),
        }
    }

    /// A key of the family: `ticket` is `<run>-<nonce>`.
    pub(crate) fn key(mut self, id: &str, created_at: i64, ticket: &str, mark: &str) -> Self {
        self.observed.keys.as_mut().expect("readable").push(SpacesKey {
            id: AccessKeyId::new(id),
            name: format!("{FAMILY}--{ticket}--{mark}"),
            grants: listed_grants(&self.wanted.grants),
            created_at: Timestamp::from_unix(created_at),
        });
        self
    }

    /// Both secrets exist, last written then.
    pub(crate) fn secrets_written(mut self, at: i64) -> Self {
        let at = Timestamp::from_unix(at);
        self.target().secrets =
            BTreeMap::from([("SPACES_ACCESS_KEY".into(), at), ("SPACES_SECRET_KEY".into(), at)]);
        self
    }

    /// The id variable says this.
    pub(crate) fn id_variable(mut self, id: &str) -> Self {
        self.target()
            .variables
            .insert("SPACES_ACCESS_KEY_ID".parse().expect("a name"), id.to_owned());
        self
    }

    /// The app's spec, and what its deployments carry: the active one and one on its way since then.
    pub(crate) fn app(mut self, spec: &str, active: &str, coming: Option<(&str, i64)>) -> Self {
        let deployment = |id: &str, names: &str, created_at| DeploymentState {
            id: id.to_owned(),
            created_at: Some(Timestamp::from_unix(created_at)),
            spec: Some(spec_with(names)),
        };
        let state = AppState {
            id: "app-1".to_owned(),
            spec: spec_with(spec),
            pinned: false,
            active: Some(deployment("active", active, 0)),
            coming: coming
                .map(|(names, at)| deployment("coming", names, at))
                .into_iter()
                .collect(),
        };
        let app = AppRef("shop".to_owned());
        self.wanted.app = Some(AppSink {
            app: app.clone(),
            places: vec![Place::App],
            suffix: String::new(),
            variables: vec![],
        });
        self.observed.apps.insert(app, Ok(state));
        self
    }

    /// Anything else that a test wants different.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Observed, &mut WantedFamily)) -> Self {
        change(&mut self.observed, &mut self.wanted);
        self
    }

    pub(crate) fn observed(&self) -> Observed {
        self.observed.clone()
    }

    pub(crate) fn plan(&self) -> FamilyPlan {
        rotation::plan(&self.wanted, &self.observed)
    }

    /// The reasons of a mint as a person reads them.
    pub(crate) fn reasons(&self) -> Vec<String> {
        match self.plan().decision {
            Decision::Mint { reasons } => reasons.iter().map(ToString::to_string).collect(),
            other => vec![format!("{other:?}")],
        }
    }

    pub(crate) fn wanted(&self) -> WantedFamily {
        self.wanted.clone()
    }

    fn target(&mut self) -> &mut TargetState {
        let target = self.wanted.github[0].target.clone();
        self.observed
            .targets
            .get_mut(&target)
            .and_then(|state| state.as_mut().ok())
            .expect("a readable target")
    }
}

fn wanted(target: Target) -> WantedFamily {
    let name = |text: &str| text.parse().expect("a setting name");
    WantedFamily {
        family: FAMILY.parse().expect("a family"),
        grants: Grants::from([("shop-uploads".parse().expect("a bucket"), Permission::ReadWrite)]),
        lifetime: Lifetime::new(Duration::from_hours(2160), Duration::from_hours(24)).expect("a lifetime"),
        github: vec![GitHubSink {
            target,
            access_key: name("SPACES_ACCESS_KEY"),
            secret_key: name("SPACES_SECRET_KEY"),
            combined: None,
            id_variable: Some(name("SPACES_ACCESS_KEY_ID")),
            variables: vec![],
        }],
        app: None,
    }
}

fn spec_with(id: &str) -> AppSpec {
    AppSpec::new(json!({ "name": "shop", "envs": [
        { "key": "SPACES_ACCESS_KEY_ID", "value": id },
        { "key": "SPACES_ACCESS_KEY", "value": "EV[1:a:b]", "type": "SECRET" },
        { "key": "SPACES_SECRET_KEY", "value": "EV[1:c:d]", "type": "SECRET" },
    ]}))
}
