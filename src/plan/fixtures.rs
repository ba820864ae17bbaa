//! The one language in which the planner's tests describe a world.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;

use super::rotation::{Decision, FamilyPlan};
use super::{Brief, Plan};
use crate::model::desired::{AppRef, AppSink, Desired, GitHubSink, WantedFamily};
use crate::model::endpoint::SpacesUrl;
use crate::model::evidence::Evidence;
use crate::model::finding::Finding;
use crate::model::intent::Intent;
use crate::model::key::{AccessKeyId, Grants, Permission, SpacesKey, listed_grants};
use crate::model::lifetime::Lifetime;
use crate::model::name::Run;
use crate::model::observed::{
    AppState, DeploymentState, History, Holders, Observed, PastDeployment, Service, TargetState, Unfinished,
};
use crate::model::sink::Target;
use crate::model::spec::{AppSpec, Place};
use crate::model::time::Timestamp;

/// The family that all fixtures speak of.
pub(crate) const FAMILY: &str = "shop-spaces-key";

/// A world around one family, delivered to one repository.
pub(crate) struct World {
    observed: Observed,
    wanted: WantedFamily,
    intent: Intent,
    first_seen: Option<BTreeSet<AccessKeyId>>,
    adopted: Option<AccessKeyId>,
    overwrite: bool,
    stuck: BTreeSet<AppRef>,
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
            intent: Intent::Bootstrap,
            first_seen: None,
            adopted: None,
            overwrite: false,
            stuck: BTreeSet::new(),
        }
    }

    /// What the run is asked to do; without it, `bootstrap`.
    pub(crate) fn asked(mut self, intent: Intent) -> Self {
        self.intent = intent;
        self
    }

    /// This is not the run's first look: then these keys were active.
    pub(crate) fn first_saw(mut self, ids: &[&str]) -> Self {
        self.first_seen = Some(ids.iter().map(|id| AccessKeyId::new(*id)).collect());
        self
    }

    /// A hand-made key of this id was given to the family.
    pub(crate) fn adopting(mut self, id: &str) -> Self {
        self.adopted = Some(AccessKeyId::new(id));
        self
    }

    /// What is not ours may be overwritten.
    pub(crate) fn overwriting(mut self) -> Self {
        self.overwrite = true;
        self
    }

    /// App Platform made no deployment of the spec as it stands.
    pub(crate) fn stuck(mut self) -> Self {
        self.stuck.insert(AppRef("shop".to_owned()));
        self
    }

    /// Somebody has looked at who may hold old keys, and found nobody.
    pub(crate) fn nobody_holds_it(mut self) -> Self {
        let repository = self.wanted.github[0].target.repository.clone();
        let state = self.observed.apps.iter();
        let served = state.filter_map(|(app, state)| {
            let state = state.as_ref().ok()?;
            Some((app.clone(), Ok(Self::history(state.active.iter().cloned()))))
        });
        self.observed.holders = Some(Holders {
            runs: BTreeMap::from([(repository, Ok(Unfinished::Runs(Vec::new())))]),
            served: served.collect(),
            apps: Ok(Some(Vec::new())),
        });
        self
    }

    /// What was found of who may hold old keys, otherwise.
    pub(crate) fn with_holders(self, change: impl FnOnce(&mut Holders)) -> Self {
        self.with(|observed, _| change(observed.holders.as_mut().expect("somebody looked")))
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
        self.wanted.apps.clear();
        self.one_more_app("shop", spec, active, coming)
    }

    /// An app that holds the key beside the first one.
    pub(crate) fn one_more_app(
        mut self,
        name: &str,
        spec: &str,
        active: &str,
        coming: Option<(&str, i64)>,
    ) -> Self {
        let deployment = Self::deployment;
        let state = AppState {
            id: format!("id-of-{name}"),
            spec: spec_with(spec),
            origins: Vec::new(),
            pinned: None,
            active: Some(deployment("active", active, 0)),
            coming: coming
                .map(|(names, at)| deployment("coming", names, at))
                .into_iter()
                .collect(),
        };
        let app = AppRef(name.to_owned());
        self.wanted.apps.push(AppSink {
            app: app.clone(),
            places: vec![Place::App],
            suffix: String::new(),
            variables: vec![],
        });
        self.observed.apps.insert(app, Ok(state));
        self
    }

    /// A deployment whose spec names this key.
    pub(crate) fn deployment(id: &str, names: &str, created_at: i64) -> DeploymentState {
        DeploymentState {
            id: id.to_owned(),
            created_at: Some(Timestamp::from_unix(created_at)),
            spec: Some(spec_with(names)),
        }
    }

    /// What an app has served: the first serves since its creation, each other one did until the one before it was created.
    pub(crate) fn history(deployments: impl IntoIterator<Item = DeploymentState>) -> History {
        let mut next = None;
        let past = deployments.into_iter().map(|deployment| {
            let created_at = deployment.created_at.expect("a time");
            let service = next.map_or(Service::Serves(created_at), |until| Service::Served(Some(until)));
            next = Some(created_at);
            PastDeployment { deployment, service }
        });
        History {
            deployments: past.collect(),
            limit: None,
        }
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
        self.whole_plan().families.remove(0)
    }

    /// The plan, and what `check` finds by it when it has tried nothing out.
    pub(crate) fn checked(&self) -> (Plan, Vec<Finding>) {
        let (plan, evidence) = (self.whole_plan(), Evidence::default());
        let findings = super::check::findings(&self.desired(), &plan, &self.observed, &evidence);
        (plan, findings)
    }

    fn desired(&self) -> Desired {
        Desired {
            region: "nyc3".parse().expect("a region"),
            spaces_url: SpacesUrl::new("https://{region}.digitaloceanspaces.com"),
            homes: BTreeMap::new(),
            buckets: Vec::new(),
            families: vec![self.wanted.clone()],
        }
    }

    /// The plan of everything around the family.
    pub(crate) fn whole_plan(&self) -> Plan {
        let brief = Brief {
            intent: &self.intent,
            adopted: self.adopted.as_ref(),
            overwrite: self.overwrite,
            first_seen: self.first_seen.as_ref(),
            stuck: &self.stuck,
            patience: Duration::from_mins(30),
        };
        super::plan(&self.desired(), &self.wanted.family, &self.observed, &brief)
    }

    /// What holds back the old key of this id, as a person reads it.
    pub(crate) fn holds(&self, id: &str) -> Vec<String> {
        let plan = self.whole_plan();
        let mut all = plan.retiring();
        let retirement = all
            .find(|retirement| retirement.key.id.as_str() == id)
            .expect("an old key");
        retirement.holds.iter().map(ToString::to_string).collect()
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
        apps: Vec::new(),
    }
}

fn spec_with(id: &str) -> AppSpec {
    AppSpec::new(json!({ "name": "shop", "envs": [
        { "key": "SPACES_ACCESS_KEY_ID", "value": id },
        { "key": "SPACES_ACCESS_KEY", "value": "EV[1:a:b]", "type": "SECRET" },
        { "key": "SPACES_SECRET_KEY", "value": "EV[1:c:d]", "type": "SECRET" },
    ]}))
}
