//! Reads the world. Nothing here writes.

mod buckets;
pub mod evidence;
mod history;
pub mod inventory;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use crate::model::bucket::BucketName;
use crate::model::cdn::{self, CdnEndpoint};
use crate::model::desired::{AppRef, Desired, WantedBucket};
use crate::model::key::{AccessKeyId, SpacesKey};
use crate::model::name::Run;
use crate::model::observed::{
    AppState, BucketState, DeploymentState, Holders, NamingApp, Observed, Question, Reading, TargetState,
    Unfinished,
};
use crate::model::problem::Problem;
use crate::model::sink::{Repository, SettingName, Target};
use crate::model::time::Timestamp;
use crate::remedy::problem;
use crate::remote::digitalocean::{App, Deployment};
use crate::remote::spaces::SpacesOf;
use crate::remote::{Created, DigitalOcean, Failure, GitHub, SealingKey};

/// Every Spaces key of the account.
pub async fn keys(digitalocean: &DigitalOcean) -> Reading<Vec<SpacesKey>> {
    digitalocean
        .list_keys()
        .await
        .map_err(|failure| problem(&failure))
}

/// The keys of the account with the time of their list, and those of the runs `in_question` that are over.
///
/// A run that is over may have delivered its key after the list was made, so then the list is made once more: what it
/// still shows as unfinished stays so. The time is that of the list, since a later one would make leases end early.
pub async fn keys_and_runs(
    digitalocean: &DigitalOcean,
    github: Option<&GitHub>,
    repository: Option<&Repository>,
    in_question: impl Fn(&[SpacesKey]) -> Vec<Run>,
) -> (Timestamp, Reading<Vec<SpacesKey>>, BTreeSet<Run>) {
    let listed = async || {
        let keys = keys(digitalocean).await;
        (digitalocean.now().unwrap_or(EPOCH), keys)
    };
    let (now, keys) = listed().await;
    let runs = in_question(keys.as_deref().unwrap_or_default());
    let finished = finished_runs(github, repository, &runs).await;
    if finished.is_empty() {
        return (now, keys, finished);
    }
    let (now, keys) = listed().await;
    (now, keys, finished)
}

/// Stands for DigitalOcean's clock where DigitalOcean is not asked: nothing is old, no lease is over.
pub const EPOCH: Timestamp = Timestamp::from_unix(0);

/// What GitHub holds, and what seals a secret for it.
#[derive(Default)]
pub struct GitHubView {
    /// The wanted targets, by their wanted names.
    pub targets: BTreeMap<Target, Reading<TargetState>>,
    /// What seals a secret for each readable target.
    pub sealing: BTreeMap<Target, SealingKey>,
    /// Repositories that have moved: the wanted name and the one that answers.
    pub moved: Vec<(Repository, Repository)>,
}

/// Reads every wanted place in GitHub, side by side.
pub async fn github(github: &GitHub, desired: &Desired) -> GitHubView {
    let reads = desired.targets().into_iter().map(|target| async move {
        let names = variable_names(desired, target);
        (
            target.clone(),
            Box::pin(read_target(github, target, &names)).await,
        )
    });
    let mut view = GitHubView::default();
    for (target, reading) in join_all(reads).await {
        view.add(target, reading);
    }
    view
}

impl GitHubView {
    fn add(&mut self, wanted: Target, reading: Reading<TargetView>) {
        match reading {
            Ok(TargetView {
                target,
                state,
                sealing,
            }) => {
                if wanted.repository.to_string() != target.repository.to_string() {
                    self.moved.push((wanted.repository, target.repository.clone()));
                }
                self.sealing.insert(target.clone(), sealing);
                self.targets.insert(target, Ok(state));
            }
            Err(problem) => {
                self.targets.insert(wanted, Err(problem));
            }
        }
    }
}

struct TargetView {
    target: Target,
    state: TargetState,
    sealing: SealingKey,
}

/// Every variable that we write there, or may have written for an earlier request.
fn variable_names(desired: &Desired, target: &Target) -> BTreeSet<SettingName> {
    let sinks = desired
        .families
        .iter()
        .flat_map(|family| &family.github)
        .filter(|sink| sink.target == *target);
    sinks
        .flat_map(|sink| {
            sink.variables
                .iter()
                .map(|variable| variable.name.clone())
                .chain(sink.id_variable.clone())
                .chain(sink.unasked_cdn_variable())
        })
        .collect()
}

/// A repository that was renamed answers the first reads with a redirect: then its new name is read.
async fn read_target(github: &GitHub, wanted: &Target, names: &BTreeSet<SettingName>) -> Reading<TargetView> {
    let (facts, view) = tokio::join!(
        github.repository(&wanted.repository),
        read_settings(github, wanted, names)
    );
    let facts = facts.map_err(|failure| problem(&failure))?;
    if facts.archived {
        return Err(archived(&facts.repository));
    }
    let moved = facts.repository != wanted.repository;
    let target = Target {
        repository: facts.repository,
        environment: wanted.environment.clone(),
    };
    let view = if moved {
        Box::pin(read_settings(github, &target, names)).await
    } else {
        view
    };
    let (state, sealing) = view.map_err(|failure| problem(&failure))?;
    Ok(TargetView {
        target,
        state,
        sealing,
    })
}

fn archived(repository: &Repository) -> Problem {
    let remedy = "Unarchive it, or set github-repository to another one.";
    Problem::new(
        format!("repository {repository}"),
        "it is archived, so GitHub takes no secrets for it",
        remedy,
    )
}

async fn read_settings(
    github: &GitHub,
    target: &Target,
    names: &BTreeSet<SettingName>,
) -> Result<(TargetState, SealingKey), Failure> {
    let (sealing, secrets, variables) = tokio::join!(
        github.sealing_key(target),
        github.secrets(target),
        github.variables(target, names)
    );
    let state = TargetState {
        secrets: secrets?.into_iter().collect(),
        variables: variables?,
    };
    Ok((state, sealing?))
}

/// Which of these runs are finished. A run that cannot be asked about is not; its lease tells in the end.
async fn finished_runs(
    github: Option<&GitHub>,
    repository: Option<&Repository>,
    runs: &[Run],
) -> BTreeSet<Run> {
    let (Some(github), Some(repository)) = (github, repository) else {
        return BTreeSet::new();
    };
    let asked = runs
        .iter()
        .map(|run| async move { (run, github.run_is_over(repository, run.id).await) });
    let over = join_all(asked)
        .await
        .into_iter()
        .filter(|(_, answer)| matches!(answer, Ok(Some(true))));
    over.map(|(run, _)| *run).collect()
}

/// Who may still hold old keys. `observed` has the targets and apps that were given keys.
pub async fn holders(
    digitalocean: &DigitalOcean,
    github: Option<&GitHub>,
    observed: &Observed,
    question: &Question,
) -> Holders {
    let (runs, served, apps) = tokio::join!(
        unfinished_runs(github, observed, question.delivered),
        history::of_apps(digitalocean, observed, question),
        naming_apps(digitalocean, observed, &question.keys)
    );
    Holders { runs, served, apps }
}

async fn unfinished_runs(
    github: Option<&GitHub>,
    observed: &Observed,
    until: Option<Timestamp>,
) -> BTreeMap<Repository, Reading<Unfinished>> {
    let Some(github) = github else {
        return BTreeMap::new();
    };
    let targets = observed.targets.iter().filter(|(_, state)| state.is_ok());
    let repositories: BTreeSet<&Repository> = targets.map(|(target, _)| &target.repository).collect();
    let now = observed.now;
    let asked = repositories.into_iter().map(|repository| async move {
        let runs = github.unfinished_runs(repository, Created { now, until }).await;
        (repository.clone(), runs.map_err(|failure| problem(&failure)))
    });
    join_all(asked).await.into_iter().collect()
}

/// Nothing where the token may not list apps: one that manages keys only needs no such scope. One that has shown an app
/// may, and a refusal is then no word about the others.
async fn naming_apps(
    digitalocean: &DigitalOcean,
    observed: &Observed,
    keys: &[AccessKeyId],
) -> Reading<Option<Vec<NamingApp>>> {
    let own = observed
        .apps
        .values()
        .filter_map(|app| Some(app.as_ref().ok()?.id.as_str()));
    let own: Vec<&str> = own.collect();
    match digitalocean.apps_naming(keys, &own).await {
        Err(failure) if failure.is_hidden() && own.is_empty() => Ok(None),
        listed => listed.map(Some).map_err(|failure| problem(&failure)),
    }
}

/// Reads every wanted app, side by side.
pub async fn apps(digitalocean: &DigitalOcean, desired: &Desired) -> BTreeMap<AppRef, Reading<AppState>> {
    let wanted = desired.apps();
    let names: Vec<&str> = wanted.iter().map(|app| app.0.as_str()).collect();
    let found = digitalocean.find_apps(&names).await;
    let states = found
        .into_iter()
        .map(|found| found.map(app_state).map_err(|failure| problem(&failure)));
    wanted.into_iter().cloned().zip(states).collect()
}

/// What the planner needs of an app.
#[must_use]
pub fn app_state(app: App) -> AppState {
    let coming = [app.pending, app.in_progress].into_iter().flatten();
    AppState {
        id: app.id,
        spec: app.spec,
        origins: app.origins,
        pinned: app.pinned.map(deployment_state),
        active: app.active.map(deployment_state),
        coming: coming.map(deployment_state).collect(),
    }
}

fn deployment_state(deployment: Deployment) -> DeploymentState {
    DeploymentState {
        id: deployment.id,
        created_at: deployment.created_at,
        spec: deployment.spec,
    }
}

/// Reads every wanted bucket, side by side. Without a full-access key nobody can look; without a token nobody sees CDN
/// endpoints.
pub async fn buckets(
    spaces: Option<&SpacesOf>,
    digitalocean: Option<&DigitalOcean>,
    desired: &Desired,
) -> BTreeMap<BucketName, Reading<BucketState>> {
    let Some(spaces) = spaces else {
        let unseen = |wanted: &WantedBucket| (wanted.name.clone(), Ok(BucketState::Unseen));
        return desired.buckets.iter().map(unseen).collect();
    };
    let reads = desired.buckets.iter().map(|wanted| async move {
        let state = Box::pin(buckets::read(spaces.of(&wanted.name), wanted, desired)).await;
        (wanted.name.clone(), state.map_err(|failure| problem(&failure)))
    });
    let (read, endpoints) = tokio::join!(join_all(reads), cdn_endpoints(digitalocean, desired));
    let mut states: BTreeMap<BucketName, Reading<BucketState>> = read.into_iter().collect();
    for wanted in desired.buckets.iter().filter(|wanted| wanted.cdn.is_some()) {
        if let Some(Ok(BucketState::Present(settings))) = states.get_mut(&wanted.name) {
            buckets::add_cdn(settings, &cdn::origin(&wanted.name, wanted.region), &endpoints);
        }
    }
    states
}

/// One list serves all buckets: the API takes five such calls in ten seconds.
async fn cdn_endpoints(digitalocean: Option<&DigitalOcean>, desired: &Desired) -> Reading<Vec<CdnEndpoint>> {
    match digitalocean {
        Some(digitalocean) if desired.buckets.iter().any(|wanted| wanted.cdn.is_some()) => digitalocean
            .cdn_endpoints()
            .await
            .map_err(|failure| problem(&failure)),
        _ => Ok(Vec::new()),
    }
}
