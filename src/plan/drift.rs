//! What makes it doubtful whether every sink holds the current key. Values cannot be read back, so every doubt ends in a
//! new key.

use std::fmt;

use super::Brief;
use super::delivery::Delivery;
use super::generations::{Generation, Generations};
use crate::model::desired::{AppSink, GitHubSink, WantedFamily};
use crate::model::key::AccessKeyId;
use crate::model::observed::{AppState, Observed, TargetState};
use crate::model::sink::{SettingName, Target};
use crate::model::spec::Place;
use crate::model::time::Timestamp;

/// Why a key is minted: values cannot be read back, so every doubt about them ends here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The family has no key that was delivered.
    NoKey,
    /// A run died while it delivered this key, so a sink may hold any part of it.
    Interrupted(AccessKeyId),
    /// The current key opens something else than it should.
    GrantsDiffer,
    /// A secret does not exist.
    SecretMissing(Target, SettingName),
    /// A secret was written after the current key was delivered.
    SecretTouched(Target, SettingName, Timestamp),
    /// A secret was written before the current key was delivered, so it holds another one.
    SecretStale(Target, SettingName, Timestamp),
    /// A variable names another key.
    VariableDiffers(Target, SettingName),
    /// The app's spec does not name the current key, or lacks its secret.
    SpecDiffers(String, Place),
    /// App Platform makes no deployment of a spec that it holds already, and none carries the current key.
    Undeployed(String),
    /// The current key must go, or its successor could not be in time.
    Due(Timestamp),
    /// The user asked for it.
    Forced,
    /// The current key is to be revoked.
    Compromised(AccessKeyId),
}

impl Reason {
    /// Whether it was read off a sink.
    pub(super) fn is_of_a_sink(&self) -> bool {
        use Reason::{SecretMissing, SecretStale, SecretTouched, SpecDiffers, VariableDiffers};
        matches!(
            self,
            SecretMissing(..) | SecretTouched(..) | SecretStale(..) | VariableDiffers(..) | SpecDiffers(..)
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => f.write_str("there is no delivered key yet"),
            Self::Interrupted(id) => write!(f, "a run died while it delivered {id}"),
            Self::GrantsDiffer => f.write_str("the wanted grants differ from those of the current key"),
            Self::SecretMissing(target, name) => write!(f, "secret {name} is missing in {target}"),
            Self::SecretTouched(target, name, at) => {
                write!(f, "secret {name} in {target} was written by someone else at {at}")
            }
            Self::SecretStale(target, name, at) => write!(
                f,
                "secret {name} in {target} was written at {at}, before the current key was delivered"
            ),
            Self::VariableDiffers(target, name) => write!(f, "variable {name} in {target} names another key"),
            Self::SpecDiffers(app, place) => write!(f, "app {app} does not hold the current key at {place}"),
            Self::Undeployed(app) => {
                write!(
                    f,
                    "app {app} names the current key, and App Platform does not deploy it"
                )
            }
            Self::Due(since) => write!(f, "the current key is due since {since}"),
            Self::Forced => f.write_str("force was asked for"),
            Self::Compromised(id) => write!(f, "{id} is to be revoked"),
        }
    }
}

/// All that makes it doubtful whether every sink holds the current key. Where the keys could not be read, nothing is
/// known of them, not even that there is none.
pub(super) fn drift(
    wanted: &WantedFamily,
    generations: &Generations,
    observed: &Observed,
    brief: &Brief<'_>,
) -> Vec<Reason> {
    if observed.keys.is_err() {
        return Vec::new();
    }
    let (Some(current), Some(delivery)) = (generations.current(), Delivery::of_current(generations)) else {
        let interrupted = generations
            .doubtful
            .iter()
            .map(|key| Reason::Interrupted(key.key.id.clone()));
        return std::iter::once(Reason::NoKey).chain(interrupted).collect();
    };
    // A doubtful key that is older than the current one was overwritten by the current one's delivery.
    let doubtful = generations
        .doubtful
        .iter()
        .filter(|key| key.key.created_at >= current.key.created_at);
    let mut reasons: Vec<Reason> = doubtful
        .map(|key| Reason::Interrupted(key.key.id.clone()))
        .collect();
    if !current.key.opens_exactly(&wanted.grants) {
        reasons.push(Reason::GrantsDiffer);
    }
    for sink in &wanted.github {
        if let Some(Ok(state)) = observed.targets.get(&sink.target) {
            reasons.extend(github_drift(sink, current, &delivery, state));
        }
    }
    for sink in &wanted.apps {
        if let Some(Ok(state)) = observed.apps.get(&sink.app) {
            reasons.extend(app_drift(sink, current, state));
            let stuck = brief.stuck.contains(&sink.app) && !serves(state, current);
            reasons.extend(stuck.then(|| Reason::Undeployed(sink.app.to_string())));
        }
    }
    reasons
}

fn serves(state: &AppState, current: &Generation) -> bool {
    let active = state.active.as_ref();
    active.is_some_and(|active| active.names(&current.key.id))
}

fn github_drift(
    sink: &GitHubSink,
    current: &Generation,
    delivery: &Delivery,
    state: &TargetState,
) -> Vec<Reason> {
    let secret = |name: &SettingName| {
        let (target, name, written) = (
            sink.target.clone(),
            name.clone(),
            state.secrets.get(name.as_str()),
        );
        match written {
            None => Some(Reason::SecretMissing(target, name)),
            Some(at) if *at > delivery.stamp => Some(Reason::SecretTouched(target, name, *at)),
            Some(at) if delivery.began_after(*at) => Some(Reason::SecretStale(target, name, *at)),
            Some(_) => None,
        }
    };
    let mut reasons: Vec<Reason> = sink.secrets().filter_map(secret).collect();
    // A variable that is missing is only written again; one that names another key says that somebody delivered it.
    let differs = |name: &&SettingName| {
        state
            .variables
            .get(name)
            .is_some_and(|id| id != current.key.id.as_str())
    };
    reasons.extend(
        sink.id_variable
            .iter()
            .filter(differs)
            .map(|name| Reason::VariableDiffers(sink.target.clone(), name.clone())),
    );
    reasons
}

fn app_drift(sink: &AppSink, current: &Generation, state: &AppState) -> Vec<Reason> {
    let holds = |place: &Place| {
        state.spec.value(place, &sink.key("SPACES_ACCESS_KEY_ID")) == Some(current.key.id.as_str())
            && state.spec.holds_secret(place, &sink.key("SPACES_ACCESS_KEY"))
            && state.spec.holds_secret(place, &sink.key("SPACES_SECRET_KEY"))
    };
    let missing = sink.places.iter().filter(|place| !holds(place));
    missing
        .map(|place| Reason::SpecDiffers(sink.app.to_string(), place.clone()))
        .collect()
}

impl AppSink {
    /// The name under which this family keeps `name` in the app's environment.
    #[must_use]
    pub fn key(&self, name: &str) -> String {
        format!("{name}{}", self.suffix)
    }
}
