//! What is to be done with a key family.

use super::Brief;
use super::drift::Reason;
use super::gate::{Retirement, Standing, Succession};
use super::generations::Generation;
use super::judgement::{Age, Judgement, Stage};
use super::obstacles::{Room, crowded_account, obstacles};
use crate::model::desired::WantedFamily;
use crate::model::intent::Intent;
use crate::model::name::Family;
use crate::model::observed::Observed;
use crate::model::problem::Problem;
use crate::model::time::Timestamp;

/// The steps for one family, or the reasons for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FamilyPlan {
    /// Which family.
    pub family: Family,
    /// What is thought of it.
    pub judgement: Judgement,
    /// Delivered or doubtful keys that do not serve, or shall not go on serving, and whether they may go.
    pub retiring: Vec<Retirement>,
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
        /// Why, at least one sentence: the drift, and what the run is after.
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

impl FamilyPlan {
    pub(super) fn is_quiet(&self) -> bool {
        self.orphans().is_empty()
            && !self.retiring.iter().any(Retirement::is_free)
            && matches!(self.decision, Decision::Keep { .. })
    }

    /// Keys of dead runs that no sink has ever seen; they are deleted.
    #[must_use]
    pub fn orphans(&self) -> &[Generation] {
        &self.judgement.generations.orphans
    }

    /// The key that serves and goes on serving, if any does.
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
pub(super) fn plan(
    wanted: &WantedFamily,
    judgement: Judgement,
    observed: &Observed,
    brief: &Brief<'_>,
    room: Room,
) -> FamilyPlan {
    let decision = decide(wanted, &judgement, observed, brief, room);
    let serves_on = matches!(decision, Decision::Keep { .. } | Decision::Blocked { .. });
    let retiring = retiring(wanted, &judgement, serves_on, observed, brief);
    FamilyPlan {
        family: wanted.family.clone(),
        judgement,
        retiring,
        decision,
    }
}

/// Every key that does not serve, and the one that serves when it shall not go on.
fn retiring(
    wanted: &WantedFamily,
    judgement: &Judgement,
    serves_on: bool,
    observed: &Observed,
    brief: &Brief<'_>,
) -> Vec<Retirement> {
    let succession = Succession::of(wanted, judgement);
    let generations = &judgement.generations;
    let serving = generations.current().filter(|_| !serves_on);
    let serving = serving.map(|key| (key, Standing::Serving)).into_iter();
    let superseded = generations.superseded().iter();
    let superseded = superseded.map(|key| (key, Standing::Superseded));
    let doubtful = generations.doubtful.iter();
    let doubtful = doubtful.map(|key| (key, Standing::Doubtful));
    let old = serving.chain(superseded).chain(doubtful);
    old.map(|(key, standing)| succession.judge(&key.key, standing, observed, brief))
        .collect()
}

fn decide(
    wanted: &WantedFamily,
    judgement: &Judgement,
    observed: &Observed,
    brief: &Brief<'_>,
    room: Room,
) -> Decision {
    let Judgement {
        generations,
        drift,
        unread,
        strangers,
        age,
    } = judgement;
    if let Some(rival) = generations.rivals.first() {
        return Decision::Wait { rival: rival.clone() };
    }
    let current = generations.current().zip(*age);
    let wish = current.and_then(|(current, age)| wish(current, age, brief));
    let reasons: Vec<Reason> = drift.iter().cloned().chain(wish.clone()).collect();
    let kept = judgement.current().filter(|_| reasons.is_empty());
    let mut problems = unread.clone();
    problems.extend(obstacles(wanted, observed, kept));
    problems.extend(strangers.iter().map(|stranger| stranger.problem.clone()));
    let can_wait = drift.is_empty() && matches!(wish, Some(Reason::Due(_) | Reason::Forced));
    if can_wait && !room.allows_a_voluntary_mint() {
        problems.push(crowded_account(wanted, observed));
    }
    match current {
        _ if !problems.is_empty() => Decision::Blocked {
            problems,
            current: judgement.current().cloned(),
        },
        Some((current, age)) if reasons.is_empty() => Decision::Keep {
            current: current.clone(),
            due: age.due,
        },
        _ => Decision::Mint { reasons },
    }
}

/// Why a sound key is replaced all the same. One that became active since the run's first look is the very rotation
/// that was asked for, whoever did it.
fn wish(current: &Generation, age: Age, brief: &Brief<'_>) -> Option<Reason> {
    let id = &current.key.id;
    let is_old = brief.first_seen.is_none_or(|seen| seen.contains(id));
    match brief.intent {
        Intent::Rotate { force: true } if is_old => Some(Reason::Forced),
        Intent::Rotate { .. } if age.stage >= Stage::Due => Some(Reason::Due(age.due)),
        Intent::Revoke(revocation) if is_old && revocation.means(id) => Some(Reason::Compromised(id.clone())),
        Intent::Bootstrap | Intent::Rotate { .. } | Intent::Revoke(_) => None,
    }
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
            .retiring
            .iter()
            .map(|retirement| retirement.key.id.to_string())
            .collect();
        assert_eq!(kept, ["DO1", "DO2"]);
    }

    #[test]
    fn a_doubtful_key_older_than_the_current_one_was_overwritten() {
        let plan = steady().key("DO0", 80, "2-bbbb", "delivering").plan();
        assert!(matches!(plan.decision, Decision::Keep { .. }));
        assert_eq!(plan.retiring.len(), 1);
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
            assert_eq!(plan.orphans().len(), 1, "the dead pending key goes");
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
        let plan = world.whole_plan();
        assert!(matches!(plan.families[0].decision, Decision::Keep { .. }));
        let writes = plan.variables;
        assert_eq!((writes.len(), writes[0].value.as_str()), (1, "DO1"));
    }

    #[test]
    fn a_strangers_key_is_no_generation() {
        let world = steady().key("DO7", 10, "1-aaaa", "pending").with(|observed, _| {
            observed.keys.as_mut().expect("readable")[1].name = "shop-spaces-key".to_owned();
        });
        let plan = world.plan();
        assert!(plan.orphans().is_empty() && plan.retiring.is_empty());
    }
}
