//! What is to be done with a key family.

use std::fmt;

use super::generations::{Generation, Generations};
use crate::model::bucket::BucketName;
use crate::model::desired::{AppSink, Desired, GitHubSink, WantedFamily};
use crate::model::key::AccessKeyId;
use crate::model::name::Family;
use crate::model::observed::{AppState, BucketState, Observed, TargetState};
use crate::model::problem::Problem;
use crate::model::sink::{SettingName, Target};
use crate::model::spec::Place;
use crate::model::time::Timestamp;

/// The steps for one family, or the reasons for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FamilyPlan {
    /// Which family.
    pub family: Family,
    /// Keys of dead runs that no sink has ever seen; they are deleted.
    pub orphans: Vec<Generation>,
    /// Delivered or doubtful keys beside the current one; they are kept, because something may still hold them.
    pub leftovers: Vec<Generation>,
    /// What becomes of the current key.
    pub decision: Decision,
}

/// What becomes of a family's current key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It stays.
    Keep {
        /// The key that serves.
        current: Generation,
        /// When `rotate` will replace it.
        due: Timestamp,
    },
    /// A new one is minted and delivered everywhere.
    Mint {
        /// Why, at least one sentence.
        reasons: Vec<Reason>,
    },
    /// Another run is at it.
    Wait {
        /// The key that the other run has minted.
        rival: Generation,
    },
    /// A sink or a bucket is not fit for a key, so none is minted.
    Blocked {
        /// What stands in the way.
        problems: Vec<Problem>,
        /// The key that serves meanwhile.
        current: Option<Generation>,
    },
}

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
    /// A variable names another key.
    VariableDiffers(Target, SettingName),
    /// The app's spec does not name the current key, or lacks its secret.
    SpecDiffers(String, Place),
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
            Self::VariableDiffers(target, name) => write!(f, "variable {name} in {target} names another key"),
            Self::SpecDiffers(app, place) => write!(f, "app {app} does not hold the current key at {place}"),
        }
    }
}

/// A variable that is written although no key is minted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VariableWrite {
    /// Where.
    pub target: Target,
    /// Its name.
    pub name: SettingName,
    /// Its value.
    pub value: String,
    /// Whether it exists already.
    pub exists: bool,
}

impl FamilyPlan {
    pub(super) fn is_quiet(&self) -> bool {
        self.orphans.is_empty() && matches!(self.decision, Decision::Keep { .. })
    }

    /// The key that serves, if any does.
    #[must_use]
    pub fn current(&self) -> Option<&Generation> {
        match &self.decision {
            Decision::Keep { current, .. } => Some(current),
            Decision::Blocked { current, .. } => current.as_ref(),
            Decision::Mint { .. } | Decision::Wait { .. } => None,
        }
    }
}

/// Plans one family.
#[must_use]
pub fn plan(wanted: &WantedFamily, observed: &Observed) -> FamilyPlan {
    let generations = Generations::of(&wanted.family, observed);
    let decision = decide(wanted, &generations, observed);
    let Generations {
        mut active,
        orphans,
        doubtful,
        rivals: _,
    } = generations;
    let kept = usize::from(matches!(
        decision,
        Decision::Keep { .. } | Decision::Blocked { .. }
    ));
    let superseded = active.split_off(kept.min(active.len()));
    let leftovers = superseded.into_iter().chain(doubtful).collect();
    FamilyPlan {
        family: wanted.family.clone(),
        orphans,
        leftovers,
        decision,
    }
}

fn decide(wanted: &WantedFamily, generations: &Generations, observed: &Observed) -> Decision {
    if let Some(rival) = generations.rivals.first() {
        return Decision::Wait { rival: rival.clone() };
    }
    let problems = obstacles(wanted, observed);
    let reasons = reasons(wanted, generations, observed);
    match generations.current() {
        current if !problems.is_empty() => Decision::Blocked {
            problems,
            current: current.cloned(),
        },
        Some(current) if reasons.is_empty() => {
            let due = current.key.created_at.after(wanted.lifetime.due_age());
            Decision::Keep {
                current: current.clone(),
                due,
            }
        }
        _ => Decision::Mint { reasons },
    }
}

fn reasons(wanted: &WantedFamily, generations: &Generations, observed: &Observed) -> Vec<Reason> {
    let Some(current) = generations.current() else {
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
            reasons.extend(github_drift(sink, current, state));
        }
    }
    if let Some(sink) = &wanted.app
        && let Some(Ok(state)) = observed.apps.get(&sink.app)
    {
        reasons.extend(app_drift(sink, current, state));
    }
    reasons
}

fn github_drift(sink: &GitHubSink, current: &Generation, state: &TargetState) -> Vec<Reason> {
    let secret = |name: &SettingName| match state.secrets.get(name.as_str()) {
        None => Some(Reason::SecretMissing(sink.target.clone(), name.clone())),
        Some(at) if *at > current.since() => {
            Some(Reason::SecretTouched(sink.target.clone(), name.clone(), *at))
        }
        Some(_) => None,
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

/// All that would make a minted key useless or impossible to deliver.
fn obstacles(wanted: &WantedFamily, observed: &Observed) -> Vec<Problem> {
    let keys = observed.keys.as_ref().err().cloned();
    let targets = wanted
        .github
        .iter()
        .filter_map(|sink| observed.targets.get(&sink.target)?.as_ref().err().cloned());
    let app = wanted.app.iter().flat_map(|sink| app_obstacles(sink, observed));
    let buckets = wanted
        .grants
        .keys()
        .filter_map(|bucket| bucket_obstacle(bucket, observed));
    let crowded = wanted.github.iter().filter_map(|sink| crowded(sink, observed));
    keys.into_iter()
        .chain(crowded)
        .chain(targets)
        .chain(app)
        .chain(buckets)
        .collect()
}

/// GitHub keeps at most 100 secrets for a repository, and as many for an environment.
const SECRETS_MAX: usize = 100;

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

fn app_obstacles(sink: &AppSink, observed: &Observed) -> Vec<Problem> {
    match observed.apps.get(&sink.app) {
        None => Vec::new(),
        Some(Err(problem)) => vec![problem.clone()],
        Some(Ok(state)) => {
            let pinned = state.pinned.then(|| pinned(sink));
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
    }
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
#[must_use]
pub fn policy_clash(bucket: &BucketName) -> Problem {
    Problem::new(
        format!("bucket {bucket}"),
        "it has a bucket policy, and Spaces gives no scoped key to a bucket with a policy",
        "Remove the policy (DeleteBucketPolicy), or take the bucket out of the list.",
    )
}

/// The variables that differ: those that say where, and the id of a kept key where nobody names it.
pub(super) fn variables(
    desired: &Desired,
    families: &[FamilyPlan],
    observed: &Observed,
) -> Vec<VariableWrite> {
    let mut writes: Vec<VariableWrite> = Vec::new();
    for (wanted, plan) in desired.families.iter().zip(families) {
        for sink in &wanted.github {
            if let Some(Ok(state)) = observed.targets.get(&sink.target) {
                writes.extend(sink_variables(sink, plan, state));
            }
        }
    }
    writes.sort();
    writes.dedup();
    writes
}

fn sink_variables(sink: &GitHubSink, plan: &FamilyPlan, state: &TargetState) -> Vec<VariableWrite> {
    let write = |name: &SettingName, value: &str| VariableWrite {
        target: sink.target.clone(),
        name: name.clone(),
        value: value.to_owned(),
        exists: state.variables.contains_key(name),
    };
    let differs =
        |name: &SettingName, value: &str| state.variables.get(name).is_none_or(|found| found != value);
    let place = sink
        .variables
        .iter()
        .filter(|variable| differs(&variable.name, &variable.value));
    let mut writes: Vec<VariableWrite> = place
        .map(|variable| write(&variable.name, &variable.value))
        .collect();
    if let (Decision::Keep { current, .. }, Some(name)) = (&plan.decision, &sink.id_variable)
        && !state.variables.contains_key(name)
    {
        writes.push(write(name, current.key.id.as_str()));
    }
    writes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixtures::World;

    /// A world in which key DO1 was delivered at second 100 and nothing has moved since.
    fn steady() -> World {
        World::at(1_000)
            .key("DO1", 90, "1-aaaa", "active-2s")
            .secrets_written(100)
            .id_variable("DO1")
    }

    #[test]
    fn a_delivered_key_that_nobody_touched_stays() {
        let plan = steady().plan();
        assert!(matches!(&plan.decision, Decision::Keep { current, .. } if current.key.id.as_str() == "DO1"));
        assert!(plan.is_quiet());
    }

    #[test]
    fn without_a_key_one_is_minted() {
        assert_eq!(World::at(1_000).reasons(), ["there is no delivered key yet"]);
    }

    #[test]
    fn a_secret_written_after_the_stamp_is_drift() {
        assert_eq!(
            steady().secrets_written(101).reasons()[0],
            "secret SPACES_ACCESS_KEY in acme/shop was written by someone else at 1970-01-01T00:01:41Z"
        );
    }

    #[test]
    fn a_missing_secret_is_drift() {
        let world = World::at(1_000)
            .key("DO1", 90, "1-aaaa", "active-2s")
            .id_variable("DO1");
        assert_eq!(
            world.reasons()[0],
            "secret SPACES_ACCESS_KEY is missing in acme/shop"
        );
    }

    #[test]
    fn a_variable_that_names_another_key_is_drift() {
        assert_eq!(
            steady().id_variable("DO9").reasons(),
            ["variable SPACES_ACCESS_KEY_ID in acme/shop names another key"]
        );
    }

    #[test]
    fn other_grants_mean_a_new_key_and_never_an_edit() {
        let world = steady().with(|observed, _| observed.keys.as_mut().expect("readable")[0].grants.clear());
        assert_eq!(
            world.reasons(),
            ["the wanted grants differ from those of the current key"]
        );
    }

    #[test]
    fn an_app_that_names_another_key_is_drift() {
        assert_eq!(
            steady().app("DO9", "DO1", None).reasons(),
            ["app shop does not hold the current key at the app"]
        );
    }

    #[test]
    fn a_dead_run_in_delivery_means_minting_anew_and_keeping_its_key() {
        let world = steady().key("DO2", 200, "2-bbbb", "delivering");
        assert_eq!(world.reasons(), ["a run died while it delivered DO2"]);
        let kept: Vec<_> = world
            .plan()
            .leftovers
            .iter()
            .map(|key| key.key.id.to_string())
            .collect();
        assert_eq!(kept, ["DO1", "DO2"]);
    }

    #[test]
    fn a_doubtful_key_older_than_the_current_one_was_overwritten() {
        let plan = steady().key("DO0", 80, "2-bbbb", "delivering").plan();
        assert!(matches!(plan.decision, Decision::Keep { .. }));
        assert_eq!(plan.leftovers.len(), 1);
    }

    #[test]
    fn a_live_rival_is_waited_for() {
        let world = steady().key("DO2", 990, "2-bbbb", "pending");
        assert!(matches!(world.plan().decision, Decision::Wait { rival } if rival.key.id.as_str() == "DO2"));
    }

    #[test]
    fn a_rival_is_dead_when_its_run_is_over_or_was_an_earlier_attempt_of_ours() {
        let finished = steady().key("DO2", 990, "2-bbbb", "pending").with(|observed, _| {
            observed
                .finished_runs
                .insert(crate::model::name::Run { id: 2, attempt: 1 });
        });
        let earlier = steady().key("DO2", 990, "99-bbbb", "pending");
        for world in [finished, earlier] {
            let plan = world.plan();
            assert!(matches!(plan.decision, Decision::Keep { .. }));
            assert_eq!(plan.orphans.len(), 1, "the dead pending key goes");
        }
    }

    #[test]
    fn an_unreadable_sink_blocks_the_mint() {
        let world = World::at(1_000).with(|observed, wanted| {
            let problem = Problem::new("secrets of acme/shop", "no permission", "");
            observed
                .targets
                .insert(wanted.github[0].target.clone(), Err(problem));
        });
        assert!(matches!(world.plan().decision, Decision::Blocked { .. }));
    }

    #[test]
    fn a_target_without_room_for_the_secrets_blocks_the_mint() {
        let world = World::at(1_000).with(|observed, _| {
            let state = observed
                .targets
                .values_mut()
                .next()
                .expect("a target")
                .as_mut()
                .expect("readable");
            state.secrets = (0..99).map(|n| (format!("OTHER_{n}"), observed.now)).collect();
        });
        assert!(matches!(world.plan().decision, Decision::Blocked { .. }));
    }

    #[test]
    fn a_missing_variable_is_written_without_a_mint() {
        let world = World::at(1_000)
            .key("DO1", 90, "1-aaaa", "active-2s")
            .secrets_written(100);
        let plan = world.plan();
        assert!(matches!(plan.decision, Decision::Keep { .. }));
        let state = world
            .observed()
            .targets
            .into_values()
            .next()
            .expect("a target")
            .expect("readable");
        let writes = sink_variables(&world.wanted().github[0], &plan, &state);
        assert_eq!((writes.len(), writes[0].value.as_str()), (1, "DO1"));
    }

    #[test]
    fn a_strangers_key_is_no_generation() {
        let world = steady().key("DO7", 10, "1-aaaa", "pending").with(|observed, _| {
            observed.keys.as_mut().expect("readable")[1].name = "shop-spaces-key".to_owned();
        });
        let plan = world.plan();
        assert!(plan.orphans.is_empty() && plan.leftovers.is_empty());
    }
}
