//! The rules of the product: what the model sees is put into the product's own types and judged by its own pure
//! functions. Nothing is decided here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;
use spacekeeper::model::desired::{AppRef, AppSink, Desired, GitHubSink, WantedFamily};
use spacekeeper::model::endpoint::SpacesUrl;
use spacekeeper::model::intent::{Intent, Means, Revocation};
use spacekeeper::model::key::{AccessKeyId, Grants, Permission, SpacesKey, listed_grants};
use spacekeeper::model::lifetime::Lifetime;
use spacekeeper::model::name::{self, Family, KeyName, Nonce, Run};
use spacekeeper::model::observed::{
    AppState, DeploymentState, History, Holders, Observed, PastDeployment, Service, TargetState, Unfinished,
};
use spacekeeper::model::sink::{SettingName, Target};
use spacekeeper::model::spec::{AppSpec, Env, EnvKind, Place};
use spacekeeper::model::time::Timestamp;
use spacekeeper::plan::election::{self, Verdict};
use spacekeeper::plan::generations::Generations;
use spacekeeper::plan::saves::{Saves, Version};
use spacekeeper::plan::{Brief, Decision, FamilyPlan, Follow, plan};

use crate::rules::{Advice, Chase, Election, Judged, KeySet, Need, Rules, Seen, Sent, Sight, Task};
use crate::world::{App, Deployment, Key, KeyId, Mark, Repository, RunNo, Save, Secret, Theirs, Time, Value};

/// How long an old key is kept beside its successor: longer than a lease, shorter than what is skipped by
/// [`crate::story::Span::Grace`].
const GRACE: Duration = Duration::from_hours(1);
const MAX_AGE: Duration = Duration::from_hours(2160);
/// How long a deployment may take.
pub(crate) const PATIENCE: Duration = Duration::from_mins(30);
/// The second at which the story begins.
const EPOCH: i64 = 1_795_000_000;

const FAMILY: &str = "shop-spaces-key";
const ID_VARIABLE: &str = "SPACES_ACCESS_KEY_ID";

/// The product as it is.
pub(crate) struct Product {
    with_app: Desired,
    without_app: Desired,
    family: Family,
}

impl Product {
    /// With a life so long that nothing is due in a story.
    pub(crate) fn new() -> Self {
        Self::with(Lifetime::new(MAX_AGE, GRACE).expect("a lifetime"))
    }

    /// With a life of its own.
    pub(crate) fn with(lifetime: Lifetime) -> Self {
        let family: Family = FAMILY.parse().expect("a family");
        Self {
            with_app: desired(wanted(&family, lifetime, Some(app_sink()))),
            without_app: desired(wanted(&family, lifetime, None)),
            family,
        }
    }

    fn desired(&self, has_app: bool) -> &Desired {
        if has_app {
            &self.with_app
        } else {
            &self.without_app
        }
    }

    fn keys(&self, seen: &Seen, who: RunNo) -> Observed {
        let keys = seen.keys.iter().map(|key| self.listed(key)).collect();
        let finished = (0..8).filter(|run| seen.finished & (1 << run) != 0).map(run);
        Observed::of_keys(at(seen.now), run(who), keys, finished.collect())
    }

    fn listed(&self, key: &Key) -> SpacesKey {
        let mark = match key.mark {
            Mark::Pending => name::Mark::Pending,
            Mark::Delivering => name::Mark::Delivering,
            Mark::Active(since) => name::Mark::Active { since: at(since) },
        };
        let name = KeyName {
            family: self.family.clone(),
            run: run(key.run),
            nonce: Nonce::from_random([0, 0, key.id / 36, key.id % 36]),
            mark,
        };
        SpacesKey {
            id: id(key.id),
            name: name.to_string(),
            grants: listed_grants(&grants()),
            created_at: at(key.created_at),
        }
    }

    /// The sight in the product's own types.
    pub(crate) fn observed(&self, sight: &Sight, who: RunNo) -> Observed {
        let mut observed = self.keys(&sight.seen, who);
        observed
            .targets
            .insert(target(), Ok(target_state(&sight.repository)));
        if let Some(app) = &sight.app {
            observed.apps.insert(app_ref(), Ok(app_state(app)));
        }
        observed.holders = Some(holders(sight));
        observed
    }
}

impl Product {
    /// What the plan for what was observed comes to.
    pub(crate) fn advise_on(&self, observed: &Observed, has_app: bool, task: &Task) -> Advice {
        let intent = intent(task);
        let first_seen = task.first_seen.map(ids);
        let stuck = task.stuck.then(app_ref).into_iter().collect();
        let brief = Brief {
            intent: &intent,
            adopted: None,
            overwrite: false,
            first_seen: first_seen.as_ref(),
            stuck: &stuck,
            patience: PATIENCE,
        };
        let plan = plan(self.desired(has_app), &self.family, observed, &brief);
        let [family] = plan.families.as_slice() else {
            unreachable!("one family is wanted")
        };
        Advice {
            sweep: family.orphans().iter().map(|orphan| no(&orphan.key.id)).collect(),
            retire: retired(family),
            need: need(&family.decision),
            variable: family
                .current()
                .filter(|_| !plan.variables.is_empty())
                .map(|current| no(&current.key.id)),
            chase: plan.apps.first().map_or(Chase::Nothing, |app| chase(&app.follow)),
        }
    }
}

impl Rules for Product {
    fn advise(&self, sight: &Sight, who: RunNo, task: &Task) -> Advice {
        self.advise_on(&self.observed(sight, who), sight.app.is_some(), task)
    }

    fn elect(&self, own: KeyId, known: KeySet, seen: &Seen, who: RunNo) -> Election {
        let observed = self.keys(seen, who);
        let known: Vec<AccessKeyId> = ids(known).into_iter().collect();
        match election::elect(&id(own), &self.family, &known, &observed) {
            Verdict::GoOn => Election::GoOn,
            Verdict::LookAgain => Election::LookAgain,
            Verdict::Yield { to } => Election::Yield(no(&to.key.id)),
            Verdict::Done { .. } => Election::Done,
        }
    }

    fn judge(&self, sent: &Sent) -> Judged {
        let edits = sent.edit.map_or(Vec::new(), pair);
        let mut saves = Saves::since(saved(sent.editing.base), &edits).expect("the app level exists");
        let made: Vec<Version> = sent.made.iter().copied().map(version).collect();
        let newest_first = |made: &[Version]| made.iter().rev().cloned().collect();
        for put in &sent.editing.sent {
            let before = saves.judge(newest_first(&made[..put.listed]), None);
            before.expect("single entries never clash");
            let spec = with(&saved(put.spec), &edits);
            saves.sent(spec, put.deployment.map(|no| no.to_string()));
        }
        let judged = saves.judge(newest_first(&made), Some(saved(sent.standing)));
        let judged = judged.expect("single entries never clash");
        let unseen = sent.edit.is_none() && judged.deployment.is_none() && sent.is_lost();
        let again = unseen.then(|| saves.first().clone());
        let no = |id: String| id.parse().expect("a deployment of the model");
        Judged {
            deployment: judged.deployment.map(no),
            wanted: judged.wanted.or(again).as_ref().map(theirs),
        }
    }

    fn rivals(&self, seen: &Seen, who: RunNo) -> KeySet {
        let generations = Generations::of(&self.family, &self.keys(seen, who));
        generations.rivals.iter().map(|rival| no(&rival.key.id)).collect()
    }
}

fn retired(family: &FamilyPlan) -> KeySet {
    let free = family.retiring.iter().filter(|retirement| retirement.is_free());
    free.map(|retirement| no(&retirement.key.id)).collect()
}

fn need(decision: &Decision) -> Need {
    match decision {
        Decision::Keep { current, .. } => Need::Keep(no(&current.key.id)),
        Decision::Mint { .. } => Need::Mint,
        Decision::Wait { rival } => Need::Wait(no(&rival.key.id)),
        Decision::Blocked { .. } => Need::Blocked,
    }
}

fn chase(follow: &Follow) -> Chase {
    match follow {
        Follow::Nothing => Chase::Nothing,
        Follow::Deployment(id) => Chase::Deployment(id.parse().expect("a deployment of the model")),
        Follow::Redeploy | Follow::Unclear => Chase::Redeploy,
    }
}

fn intent(task: &Task) -> Intent {
    match task.errand {
        crate::rules::Errand::Bootstrap => Intent::Bootstrap,
        crate::rules::Errand::Rotate => Intent::Rotate { force: false },
        crate::rules::Errand::Force => Intent::Rotate { force: true },
        crate::rules::Errand::Revoke => Intent::Revoke(Revocation {
            key: None,
            means: Means::Delete,
        }),
    }
}

fn holders(sight: &Sight) -> Holders {
    let served = sight.app.iter().map(|app| {
        let began = Some(app.row_began).filter(|first| first.no != app.active.no);
        let began = began.map(|first| past(first, Service::Served(Some(at(app.active.created_at)))));
        let active = past(app.active, Service::Serves(at(app.active.created_at)));
        let deployments = std::iter::once(active).chain(began).collect();
        let limit = None;
        (app_ref(), Ok(History { deployments, limit }))
    });
    Holders {
        runs: BTreeMap::from([(target().repository, Ok(Unfinished::Runs(Vec::new())))]),
        served: served.collect(),
        apps: Ok(Some(Vec::new())),
    }
}

fn past(of: Deployment, service: Service) -> PastDeployment {
    PastDeployment {
        deployment: deployment(of),
        service,
    }
}

fn target_state(repository: &Repository) -> TargetState {
    let secrets = [
        ("SPACES_ACCESS_KEY", repository.id),
        ("SPACES_SECRET_KEY", repository.secret),
    ];
    let written = |secret: &Secret| secret.value != Value::Nothing;
    let secrets = secrets
        .into_iter()
        .filter(|(_, secret)| written(secret))
        .map(|(name, secret)| (name.to_owned(), at(secret.updated_at)));
    let variable = text(repository.variable).map(|text| (setting(ID_VARIABLE), text));
    TargetState {
        secrets: secrets.collect(),
        variables: variable.into_iter().collect(),
    }
}

fn app_state(app: &App) -> AppState {
    let coming = [app.pending, app.in_progress].into_iter().flatten();
    AppState {
        origins: Vec::new(),
        id: "app-1".to_owned(),
        spec: spec(app.spec),
        pinned: None,
        active: Some(deployment(app.active)),
        coming: coming.map(deployment).collect(),
    }
}

pub(crate) fn deployment(deployment: Deployment) -> DeploymentState {
    DeploymentState {
        id: deployment.no.to_string(),
        created_at: Some(at(deployment.created_at)),
        spec: Some(spec(deployment.names)),
    }
}

/// A spec that names a key holds its secret too: both come with one PUT.
pub(crate) fn spec(names: Value) -> AppSpec {
    let envs = text(names).map(|id| {
        json!([
            { "key": ID_VARIABLE, "value": id },
            { "key": "SPACES_ACCESS_KEY", "value": "EV[1:a:b]", "type": "SECRET" },
            { "key": "SPACES_SECRET_KEY", "value": "EV[1:c:d]", "type": "SECRET" },
        ])
    });
    AppSpec::new(json!({ "name": "shop", "envs": envs.unwrap_or_else(|| json!([])) }))
}

/// A spec with what others have saved in it.
fn saved((names, theirs): (Value, Theirs)) -> AppSpec {
    let entries = (0..Theirs::BITS)
        .filter(|bit| theirs & (1 << bit) != 0)
        .map(|bit| Env {
            key: format!("THEIRS_{bit}"),
            value: "theirs".to_owned(),
            kind: EnvKind::General,
        });
    let entries: Vec<(Place, Env)> = entries.map(|env| (Place::App, env)).collect();
    with(&spec(names), &entries)
}

fn with(spec: &AppSpec, entries: &[(Place, Env)]) -> AppSpec {
    entries.iter().fold(spec.clone(), |spec, (place, env)| {
        let edited = spec.with(place, std::slice::from_ref(env));
        edited.expect("the app level exists")
    })
}

/// What others have saved in a spec.
fn theirs(spec: &AppSpec) -> Theirs {
    let stands = |bit: &u32| spec.value(&Place::App, &format!("THEIRS_{bit}")).is_some();
    (0..Theirs::BITS)
        .filter(stands)
        .fold(0, |all, bit| all | 1 << bit)
}

fn version(save: Save) -> Version {
    Version {
        deployment: Some(save.deployment.to_string()),
        previous: None,
        spec: saved(save.spec),
    }
}

/// The variables of a key.
fn pair(key: KeyId) -> Vec<(Place, Env)> {
    let env = |key: &str, value: String, kind| Env {
        key: key.to_owned(),
        value,
        kind,
    };
    let pair = [
        env(ID_VARIABLE, id(key).to_string(), EnvKind::General),
        env("SPACES_ACCESS_KEY", id(key).to_string(), EnvKind::Secret),
        env("SPACES_SECRET_KEY", "secret".to_owned(), EnvKind::Secret),
    ];
    pair.map(|env| (Place::App, env)).into()
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Nothing => None,
        Value::Key(key) => Some(id(key).to_string()),
        Value::Foreign => Some("of-nobody-we-know".to_owned()),
    }
}

fn desired(family: WantedFamily) -> Desired {
    Desired {
        region: "nyc3".parse().expect("a region"),
        spaces_url: SpacesUrl::new("https://{region}.digitaloceanspaces.com"),
        homes: BTreeMap::new(),
        buckets: Vec::new(),
        families: vec![family],
    }
}

fn wanted(family: &Family, lifetime: Lifetime, app: Option<AppSink>) -> WantedFamily {
    WantedFamily {
        family: family.clone(),
        grants: grants(),
        lifetime,
        github: vec![GitHubSink {
            target: target(),
            access_key: setting("SPACES_ACCESS_KEY"),
            secret_key: setting("SPACES_SECRET_KEY"),
            combined: None,
            id_variable: Some(setting(ID_VARIABLE)),
            variables: Vec::new(),
        }],
        apps: app.into_iter().collect(),
    }
}

fn app_sink() -> AppSink {
    AppSink {
        app: app_ref(),
        places: vec![Place::App],
        suffix: String::new(),
        variables: Vec::new(),
    }
}

fn grants() -> Grants {
    Grants::from([("shop-uploads".parse().expect("a bucket"), Permission::ReadWrite)])
}

pub(crate) fn target() -> Target {
    Target {
        repository: "acme/shop".parse().expect("a repository"),
        environment: None,
    }
}

pub(crate) fn app_ref() -> AppRef {
    AppRef("shop".to_owned())
}

fn setting(name: &str) -> SettingName {
    name.parse().expect("a setting name")
}

pub(crate) fn run(no: RunNo) -> Run {
    Run {
        id: 0x10 + u64::from(no),
        attempt: 1,
    }
}

pub(crate) fn at(time: Time) -> Timestamp {
    Timestamp::from_unix(EPOCH + i64::from(time))
}

fn id(no: KeyId) -> AccessKeyId {
    format!("DO{no:02}").parse().expect("an id")
}

fn no(id: &AccessKeyId) -> KeyId {
    let digits = id.as_str().strip_prefix("DO");
    digits
        .and_then(|digits| digits.parse().ok())
        .expect("a key of the model")
}

fn ids(keys: KeySet) -> BTreeSet<AccessKeyId> {
    keys.iter().map(id).collect()
}
