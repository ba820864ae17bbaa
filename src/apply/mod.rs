//! Carries a plan out: effects in order, each told once. Only this module writes.

mod admin;
mod announce;
mod apps;
mod buckets;
mod cdn;
mod confirm;
mod delivery;
mod deployments;
mod export;
mod full_access;
mod keys;
mod landmarks;
mod ledger;
mod mint;
mod naming;
mod preflight;
mod progress;
mod read_back;
mod replace;
mod retiring;
mod rotation;
mod waiting;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;

use crate::model::desired::{AppRef, Desired};
use crate::model::key::SpacesKey;
use crate::model::name::{Family, Run};
use crate::model::observed::Observed;
use crate::model::problem::Problem;
use crate::model::sink::{Repository, SettingName, Target};
use crate::model::time::Timestamp;
use crate::observe;
use crate::plan::Plan;
use crate::plan::generations::runs_in_question;
use crate::remedy::problem;
use crate::remote::spaces::Endpoints;
use crate::remote::{DigitalOcean, GitHub, Interrupted, SealingKey, Shutdown, Transport};
use crate::report::console::Console;

pub use admin::Minter;
pub use buckets::Outcomes;
pub use full_access::FullAccess;
pub use keys::{Deployments, KeyOutcome, Keys};
pub use ledger::{Entries, Ledger};

pub(crate) use admin::left_behind;
pub(crate) use announce::announce;
pub(crate) use buckets::{BucketWork, CdnAddresses};
pub(crate) use deployments::{Patience, settle as settle_deployments};
pub(crate) use keys::{Next, Round};
pub(crate) use landmarks::Landmarks;
pub(crate) use preflight::{Findings, preflight};

/// How long after a signal the end of a key is awaited, once begun: what follows, and above all the end of the full-access
/// key, needs the rest of the ten seconds that the runner gives.
pub(crate) const ENDING_AFTER_SIGNAL: Duration = Duration::from_secs(4);

/// Everything that can write. It exists only while a plan is carried out.
pub(crate) struct Writers<'a> {
    pub(crate) transport: &'a Transport,
    pub(crate) digitalocean: Option<&'a DigitalOcean>,
    /// The same client, heedless of signals: it takes back what must not stay.
    pub(crate) cleaner: Option<&'a DigitalOcean>,
    pub(crate) github: Option<&'a GitHub>,
    pub(crate) endpoints: &'a Endpoints,
    pub(crate) sealing: &'a BTreeMap<Target, SealingKey>,
    /// The variables that were there, as far as they are ours to write.
    pub(crate) variables: BTreeMap<Target, BTreeMap<SettingName, String>>,
    /// When each secret was written last, before this run wrote any.
    pub(crate) secrets: BTreeMap<Target, BTreeMap<String, Timestamp>>,
    /// What stands of the buckets that variables name.
    pub(crate) landmarks: &'a Landmarks,
    pub(crate) app_ids: BTreeMap<AppRef, String>,
    pub(crate) desired: &'a Desired,
    pub(crate) admin_family: &'a Family,
    pub(crate) run: Run,
    /// The repository whose runs can be asked about.
    pub(crate) repository: Option<&'a Repository>,
    pub(crate) lock_timeout: Duration,
    /// `GITHUB_ENV`, when the new pair is wanted there.
    pub(crate) env_file: Option<&'a Path>,
    pub(crate) ledger: &'a Ledger,
    pub(crate) console: Console,
    pub(crate) shutdown: &'a Shutdown,
}

impl Writers<'_> {
    /// Whether a variable of ours says that the secrets beside it are this key's.
    fn is_named(&self, key: &SpacesKey) -> bool {
        let mut values = self.variables.values().flat_map(BTreeMap::values);
        values.any(|value| value == key.id.as_str())
    }
}

/// The variables that an observation has found.
pub(crate) fn variables(observed: &Observed) -> BTreeMap<Target, BTreeMap<SettingName, String>> {
    let readable = observed
        .targets
        .iter()
        .filter_map(|(target, state)| Some((target.clone(), state.as_ref().ok()?.variables.clone())));
    readable.collect()
}

/// The times of the secrets that an observation has found.
pub(crate) fn secrets(observed: &Observed) -> BTreeMap<Target, BTreeMap<String, Timestamp>> {
    let readable = observed
        .targets
        .iter()
        .filter_map(|(target, state)| Some((target.clone(), state.as_ref().ok()?.secrets.clone())));
    readable.collect()
}

/// The ids of the apps that were found.
pub(crate) fn app_ids(observed: &Observed) -> BTreeMap<AppRef, String> {
    let found = observed
        .apps
        .iter()
        .filter_map(|(app, state)| Some((app.clone(), state.as_ref().ok()?.id.clone())));
    found.collect()
}

/// The keys of the account now, and which runs behind unfinished ones are over.
async fn look(writers: &Writers<'_>) -> Result<Observed, Problem> {
    let Some(digitalocean) = writers.digitalocean else {
        return Err(Problem::new("keys", "there is no token to list them with", ""));
    };
    let in_question =
        |keys: &[SpacesKey]| runs_in_question(writers.desired, writers.admin_family, keys, writers.run);
    let (now, keys, finished_runs) =
        observe::keys_and_runs(digitalocean, writers.github, writers.repository, in_question).await;
    Ok(Observed::of_keys(now, writers.run, keys?, finished_runs))
}

/// Clears away what the plan shows to be left over: what dead runs have left, and old keys that nothing holds any more.
pub(crate) async fn clear(writers: &Writers<'_>, plan: &Plan) {
    tokio::join!(sweep(writers, plan), retiring::retire(writers, plan));
}

/// Deletes what dead runs have left: keys that no sink has ever seen, and full-access keys.
async fn sweep(writers: &Writers<'_>, plan: &Plan) {
    let Some(digitalocean) = writers.digitalocean else {
        return;
    };
    let orphans = plan
        .families
        .iter()
        .flat_map(|family| family.orphans().iter().map(|orphan| &orphan.key));
    // A rename that was answered and not done: what a variable names was delivered, whatever the key is called.
    let unseen = orphans.filter(|orphan| !writers.is_named(orphan));
    let swept = unseen.chain(&plan.stray_admins).map(|key| async move {
        let deletion = digitalocean.delete_key(&key.id);
        match writers.shutdown.within(ENDING_AFTER_SIGNAL, deletion).await {
            Ok(Ok(())) => writers.ledger.did(
                format!("key {}", key.name),
                "deleted: a dead run left it, and no sink has seen it",
            ),
            Ok(Err(failure)) => writers.ledger.failed(problem(&failure)),
            Err(Interrupted(cause)) => {
                let what = format!(
                    "{cause} stopped the run before the deletion of {} was answered",
                    key.id
                );
                let left = Problem::new(format!("key {}", key.name), what, "The next run tries again.");
                writers.ledger.failed(left);
            }
        }
    });
    join_all(swept).await;
}
