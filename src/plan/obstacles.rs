//! What would make a minted key useless, or impossible to deliver.

use std::collections::BTreeMap;

use super::generations::Generation;
use super::rotation::{Decision, FamilyPlan};
use crate::model::bucket::BucketName;
use crate::model::desired::{AppSink, GitHubSink, WantedFamily};
use crate::model::limits::{KEYS_MAX, SECRETS_MAX};
use crate::model::name::KeyName;
use crate::model::observed::{AppState, BucketState, Observed};
use crate::model::problem::Problem;

/// How many keys the account may still be given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room(Option<usize>);

/// Slots that a rotation which can wait leaves free: a repair, an admin key and a rival must still be able to mint.
pub(super) const SLOTS_KEPT_FREE: usize = 3;

impl Room {
    /// The room that is left when so many keys remain. An account that holds more than the limit has a higher one.
    pub(super) fn beside(keys: usize) -> Self {
        Self((keys <= KEYS_MAX).then(|| KEYS_MAX - keys))
    }

    pub(super) fn allows_a_voluntary_mint(self) -> bool {
        self.0.is_none_or(|slots| slots > SLOTS_KEPT_FREE)
    }

    pub(super) fn after(self, plan: &FamilyPlan) -> Self {
        let minted = usize::from(matches!(plan.decision, Decision::Mint { .. }));
        Self(self.0.map(|slots| slots.saturating_sub(minted)))
    }
}

/// All that would make a minted key useless or impossible to deliver; where a sound key is `kept`, all that makes it
/// doubtful whether it is one.
pub(super) fn obstacles(
    wanted: &WantedFamily,
    observed: &Observed,
    kept: Option<&Generation>,
) -> Vec<Problem> {
    let apps = wanted
        .apps
        .iter()
        .flat_map(|sink| app_obstacles(sink, observed, kept));
    let buckets = wanted
        .grants
        .keys()
        .filter_map(|bucket| bucket_obstacle(bucket, observed));
    let crowded = wanted.github.iter().filter_map(|sink| crowded(sink, observed));
    crowded.chain(apps).chain(buckets).collect()
}

/// A rotation that can wait does not take the last slots of the account. Those that hold most of them are named.
pub(super) fn crowded_account(wanted: &WantedFamily, observed: &Observed) -> Problem {
    let what = format!(
        "{}, and a rotation leaves {SLOTS_KEPT_FREE} slots free for repairs",
        most_keys(observed)
    );
    Problem::new(format!("key {}", wanted.family), what, MAKE_ROOM)
}

/// What to know when a mint was refused: that the account may have no room, and who takes it.
#[must_use]
pub fn full_account(observed: &Observed) -> Option<Problem> {
    let is_full = observed.keys().len() >= KEYS_MAX;
    is_full.then(|| Problem::new("account", most_keys(observed), MAKE_ROOM))
}

const MAKE_ROOM: &str = "Delete keys that nobody uses, or ask DigitalOcean's support for a higher limit.";

/// How many of the families that hold most keys are named.
const FAMILIES_NAMED: usize = 3;

fn most_keys(observed: &Observed) -> String {
    let mut held: BTreeMap<String, usize> = BTreeMap::new();
    for key in observed.keys() {
        let family = KeyName::parse(&key.name).map(|name| name.family.to_string());
        *held
            .entry(family.unwrap_or_else(|| "keys of other tools".to_owned()))
            .or_default() += 1;
    }
    let mut held: Vec<(usize, String)> = held.into_iter().map(|(family, count)| (count, family)).collect();
    held.sort_by(|one, other| other.cmp(one));
    let most = held
        .iter()
        .take(FAMILIES_NAMED)
        .map(|(count, family)| format!("{family}: {count}"));
    format!(
        "the account holds {} of {KEYS_MAX} keys ({})",
        observed.keys().len(),
        most.collect::<Vec<_>>().join(", ")
    )
}

fn crowded(sink: &GitHubSink, observed: &Observed) -> Option<Problem> {
    let state = observed.targets.get(&sink.target)?.as_ref().ok()?;
    let new = sink
        .secrets()
        .filter(|name| !state.secrets.contains_key(name.as_str()))
        .count();
    (state.secrets.len() + new > SECRETS_MAX).then(|| {
        let what = format!(
            "it has {} secrets, and GitHub keeps at most {SECRETS_MAX}",
            state.secrets.len()
        );
        Problem::new(
            format!("secrets of {}", sink.target),
            what,
            "Delete secrets that nobody needs any more.",
        )
    })
}

fn app_obstacles(sink: &AppSink, observed: &Observed, kept: Option<&Generation>) -> Vec<Problem> {
    let Some(Ok(state)) = observed.apps.get(&sink.app) else {
        return Vec::new();
    };
    let pinned = pin_holds(state, kept).then(|| pinned(sink));
    let missing = sink
        .places
        .iter()
        .filter_map(|place| state.spec.with(place, &[]).err());
    let missing = missing.map(|missing| {
        Problem::new(
            format!("app {}", sink.app),
            missing.to_string(),
            "Correct app-components.",
        )
    });
    pinned.into_iter().chain(missing).collect()
}

/// Whether a rollback keeps the app from what it should get: the key that is `kept`, or a new one. One that is pinned to
/// the very key that is kept needs nobody's attention.
pub(super) fn pin_holds(state: &AppState, kept: Option<&Generation>) -> bool {
    let fits = kept.is_some_and(|current| !state.is_pinned_away_from(&current.key.id));
    state.pinned.is_some() && !fits
}

fn pinned(sink: &AppSink) -> Problem {
    Problem::new(
        format!("app {}", sink.app),
        "it is pinned to an older deployment by a rollback, so a new key would not reach it",
        "Commit or revert the rollback in the control panel, then run again.",
    )
}

fn bucket_obstacle(bucket: &BucketName, observed: &Observed) -> Option<Problem> {
    match observed.buckets.get(bucket)? {
        Ok(BucketState::Present(settings)) if settings.has_policy => Some(policy_clash(bucket)),
        _ => None,
    }
}

/// Spaces refuses a scoped key for a bucket with a policy, and a policy for a bucket with a scoped key.
fn policy_clash(bucket: &BucketName) -> Problem {
    Problem::new(
        format!("bucket {bucket}"),
        "it has a bucket policy, and Spaces gives no scoped key to a bucket with a policy",
        "Remove the policy (DeleteBucketPolicy), or take the bucket out of the list.",
    )
}
