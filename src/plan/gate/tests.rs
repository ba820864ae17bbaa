//! The gate, condition by condition.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::model::desired::AppRef;
use crate::model::intent::{Intent, Revocation};
use crate::model::observed::{History, NamingApp, Service, UnfinishedRun};
use crate::model::problem::Problem;
use crate::plan::Decision;
use crate::plan::any_world::{Dice, any_world};
use crate::plan::fixtures::World;

const DAY: i64 = 86_400;

/// DO1 was superseded by DO2, which was delivered at second 10,000; it is long after that.
fn superseded() -> World {
    World::at(10_000 + 3 * DAY)
        .key("DO1", 90, "1-aaaa", "active-2s")
        .key("DO2", 9_990, "2-bbbb", "active-7ps")
        .secrets_written(10_000)
        .id_variable("DO2")
        .nobody_holds_it()
}

fn revoking(key: Option<&str>) -> Intent {
    let key = key.map(AccessKeyId::new);
    Intent::Revoke(Revocation {
        key,
        means: Means::Delete,
    })
}

fn with_holders(world: World, change: impl FnOnce(&mut Holders)) -> World {
    world.with_holders(change)
}

fn run(id: u64, created_at: i64) -> UnfinishedRun {
    UnfinishedRun {
        id,
        created_at: Timestamp::from_unix(created_at),
    }
}

#[test]
fn a_superseded_key_that_nothing_holds_is_released() {
    assert!(superseded().holds("DO1").is_empty());
    assert!(superseded().plan().retiring[0].released().is_some());
    assert!(!superseded().whole_plan().is_quiet());
}

#[test]
fn the_current_key_is_never_among_them() {
    let plan = superseded().plan();
    assert!(plan.retiring.iter().all(|old| old.key.id.as_str() != "DO2"));
}

#[test]
fn grace_counts_from_the_stamp_of_the_successor() {
    let early = superseded().with(|observed, _| observed.now = Timestamp::from_unix(10_000 + DAY - 1));
    assert_eq!(
        early.holds("DO1"),
        ["its grace period lasts until 1970-01-02T02:46:40Z"]
    );
    assert_eq!(
        early.plan().retiring[0].free_at(),
        Some(Timestamp::from_unix(10_000 + DAY))
    );
}

#[test]
fn nobody_looked_is_not_the_same_as_nobody_is_there() {
    let unseen = superseded().with(|observed, _| observed.holders = None);
    assert_eq!(unseen.holds("DO1"), ["who may still hold it could not be read"]);
    assert_eq!(unseen.plan().retiring[0].free_at(), None);
}

#[test]
fn a_workflow_run_holds_the_values_of_its_queueing() {
    let of = |queued| {
        with_holders(superseded(), |holders| {
            let runs = holders.runs.values_mut().next().expect("a repository");
            *runs = Ok(Unfinished::Runs(vec![run(7, queued)]));
        })
    };
    assert_eq!(
        of(10_000).holds("DO1"),
        ["workflow run 7 of acme/shop, queued at 1970-01-01T02:46:40Z, may still use it"],
        "in the second of the delivery it may have had either"
    );
    assert!(of(10_001).holds("DO1").is_empty());
    let own = with_holders(superseded(), |holders| {
        let runs = holders.runs.values_mut().next().expect("a repository");
        *runs = Ok(Unfinished::Runs(vec![run(0x99, 10_000)]));
    });
    assert_eq!(
        own.holds("DO1"),
        ["this very workflow run, queued at 1970-01-01T02:46:40Z, may still use it in its later jobs"]
    );
}

#[test]
fn what_may_not_be_seen_is_told_and_what_cannot_be_read_holds() {
    let unreadable = || Problem::new("runs", "no answer", "");
    let blind = with_holders(superseded(), |holders| {
        holders
            .runs
            .values_mut()
            .for_each(|runs| *runs = Ok(Unfinished::Unknown));
        holders.apps = Ok(None);
    });
    assert!(blind.holds("DO1").is_empty());
    assert_eq!(blind.plan().retiring[0].blind_spots.len(), 2);
    let unread = with_holders(superseded(), |holders| {
        holders
            .runs
            .values_mut()
            .for_each(|runs| *runs = Err(unreadable()));
        holders.apps = Err(unreadable());
    });
    assert_eq!(unread.holds("DO1").len(), 2);
}

#[test]
fn an_app_that_names_it_holds_it() {
    let world = with_holders(superseded(), |holders| {
        holders.apps = Ok(Some(vec![NamingApp {
            id: "app-9".to_owned(),
            name: "blog".to_owned(),
            key: AccessKeyId::new("DO1"),
        }]));
    });
    assert_eq!(world.holds("DO1"), ["app blog still names it"]);
}

#[test]
fn every_deployment_must_carry_the_successor() {
    let serving = superseded().app("DO2", "DO1", None).nobody_holds_it();
    assert_eq!(
        serving.holds("DO1"),
        [
            "the serving deployment active of app shop does not carry the current key",
            "its grace period lasts until 1970-01-05T02:46:40Z",
            "the serving deployment active of app shop still names it",
        ]
    );
    let coming = superseded()
        .app("DO2", "DO2", Some(("DO1", 10_100)))
        .nobody_holds_it();
    assert!(coming.holds("DO1")[0].starts_with("the coming deployment coming of app shop does not carry"));
    assert!(
        superseded()
            .app("DO2", "DO2", None)
            .nobody_holds_it()
            .holds("DO1")
            .is_empty()
    );
}

#[test]
fn every_app_of_the_key_must_carry_the_successor() {
    let two = |second: &str| {
        superseded()
            .app("DO2", "DO2", None)
            .one_more_app("blog", second, second, None)
            .nobody_holds_it()
    };
    assert!(two("DO2").holds("DO1").is_empty());
    assert_eq!(
        two("DO1").holds("DO1"),
        ["the current key is not in every sink: app blog does not hold the current key at the app"]
    );
}

#[test]
fn grace_counts_from_the_app_that_was_last() {
    let now = 10_000 + 3 * DAY;
    let served = |blog_since: i64| {
        let world = superseded()
            .app("DO2", "DO2", None)
            .one_more_app("blog", "DO2", "DO2", None)
            .nobody_holds_it();
        with_holders(world, |holders| {
            let since = |at: i64| Ok(World::history([World::deployment("active", "DO2", at)]));
            holders.served = BTreeMap::from([
                (AppRef("blog".to_owned()), since(blog_since)),
                (AppRef("shop".to_owned()), since(10_001)),
            ]);
        })
    };
    assert!(served(10_001).holds("DO1").is_empty());
    assert_eq!(
        served(now - 60).holds("DO1").len(),
        1,
        "blog serves it for a minute only"
    );
}

/// DO2 is delivered to an app that has served these, the newest first, and serves the first.
fn having_served(deployments: &[(&str, &str, i64)]) -> World {
    let world = superseded().app("DO2", "DO2", None).nobody_holds_it();
    let past = deployments.iter();
    let history = World::history(past.map(|(id, names, at)| World::deployment(id, names, *at)));
    with_history(world, |served| *served = history)
}

fn with_history(world: World, change: impl FnOnce(&mut History)) -> World {
    with_holders(world, |holders| {
        let history = holders.served.values_mut().next().expect("an app");
        change(history.as_mut().expect("readable"));
    })
}

const NOW: i64 = 10_000 + 3 * DAY;

#[test]
fn grace_counts_from_the_end_of_the_last_deployment_that_may_hold_the_key() {
    let young = [
        ("active", "DO2", NOW - 60),
        ("b", "DO1", NOW - 120),
        ("c", "DO2", 10_001),
    ];
    let until = "its grace period lasts until 1970-01-05T02:45:40Z";
    assert_eq!(having_served(&young).holds("DO1"), [until], "b was the last");
    let old = [
        ("active", "DO2", NOW - 60),
        ("b", "DO2", NOW - 2 * DAY),
        ("c", "DO1", 50),
    ];
    assert!(
        having_served(&old).holds("DO1").is_empty(),
        "c was over when b served"
    );
    let others = [
        ("active", "DO2", NOW - 60),
        ("b", "DO9", NOW - 120),
        ("c", "DO1", 50),
    ];
    assert!(
        having_served(&others).holds("DO1").len() == 1,
        "c was over two minutes ago"
    );
    let bare = with_history(having_served(&old), |history| {
        history.deployments[1].deployment.spec = None;
    });
    assert_eq!(bare.holds("DO1"), [until], "nobody knows what b carried");
}

#[test]
fn a_deployment_that_is_not_known_to_have_served_shortens_no_grace() {
    let stuck = [
        ("active", "DO2", NOW - 60),
        ("b", "DO2", NOW - 2 * DAY),
        ("c", "DO1", 50),
    ];
    let at = |second: i64| Some(Timestamp::from_unix(second));
    let with = |of_b: Service, of_c: Service| {
        let world = with_history(having_served(&stuck), |history| {
            (history.deployments[1].service, history.deployments[2].service) = (of_b, of_c);
        });
        world.holds("DO1").len()
    };
    let (ended, untold) = (at(NOW - 60), None);
    assert_eq!(
        with(Service::Doubtful(ended), Service::Served(ended)),
        1,
        "c served until then"
    );
    assert_eq!(
        with(Service::Doubtful(ended), Service::Served(untold)),
        1,
        "it may have"
    );
    assert_eq!(
        with(Service::Served(ended), Service::Served(untold)),
        1,
        "it may have"
    );
    assert_eq!(
        with(Service::Served(ended), Service::Coming),
        1,
        "c may yet serve"
    );
    assert_eq!(
        with(Service::Served(ended), Service::Served(at(NOW - 2 * DAY))),
        0
    );
    assert_eq!(
        with(Service::Doubtful(ended), Service::Doubtful(at(NOW - 2 * DAY))),
        1,
        "nobody knows what served between"
    );
}

#[test]
fn what_is_over_and_newer_than_what_serves_holds_for_its_grace_only() {
    let rows = [("b", "DO1", NOW - 2 * DAY), ("active", "DO2", 10_001)];
    let over_at = |second: i64| {
        with_history(having_served(&rows), |history| {
            history.deployments[0].service = Service::Doubtful(Some(Timestamp::from_unix(second)));
            history.deployments[1].service = Service::Serves(Timestamp::from_unix(10_001));
        })
    };
    assert!(over_at(NOW - 2 * DAY).holds("DO1").is_empty());
    assert_eq!(over_at(NOW - 60).holds("DO1").len(), 1);
}

#[test]
fn where_not_enough_was_read_the_key_stays_and_that_is_told() {
    let busy = |oldest: i64| {
        let rows = [("active", "DO2", NOW - 60), ("b", "DO2", oldest)];
        with_history(having_served(&rows), |history| history.limit = Some(1_000))
    };
    let told = "only the newest 1000 deployments of app shop are read, the oldest of them of 1970-01-04T01:46:40Z, so \
                nobody knows what it served when the grace period began";
    assert_eq!(busy(NOW - 3_600).holds("DO1"), [told]);
    assert_eq!(busy(NOW - 3_600).plan().retiring[0].free_at(), None);
    assert!(busy(NOW - DAY).holds("DO1").is_empty());
}

#[test]
fn a_pinned_app_holds_unless_it_is_pinned_to_the_successor() {
    let pinned = |names: &str| {
        let deployment = World::deployment("pin", names, 5);
        superseded()
            .app("DO2", "DO2", None)
            .nobody_holds_it()
            .with(|observed, _| {
                let state = observed.apps.values_mut().next().expect("an app");
                state.as_mut().expect("readable").pinned = Some(deployment);
            })
    };
    assert_eq!(
        pinned("DO1").holds("DO1"),
        ["app shop is pinned to an older deployment by a rollback"]
    );
    assert!(matches!(pinned("DO1").plan().decision, Decision::Blocked { .. }));
    assert!(pinned("DO2").holds("DO1").is_empty());
}

#[test]
fn drift_and_rivals_hold_everything() {
    let drifted = superseded().id_variable("DO9").nobody_holds_it();
    assert_eq!(
        drifted.holds("DO1"),
        [
            "the current key is not in every sink: variable SPACES_ACCESS_KEY_ID in acme/shop names another key"
        ]
    );
    let now = 10_000 + 3 * DAY;
    let rivalled = superseded().key("DO3", now - 5, "3-cccc", "pending");
    assert_eq!(rivalled.holds("DO1"), ["run 3 is rotating the family"]);
}

#[test]
fn a_doubtful_key_waits_for_a_successor_and_then_like_any_other() {
    let newer = superseded().key("DO3", 10_500, "3-cccc", "delivering");
    assert!(newer.holds("DO3")[0].contains("a run died while it delivered DO3"));
    let older = superseded().key("DO0", 9_000, "3-cccc", "delivering");
    assert!(older.holds("DO0").is_empty());
}

#[test]
fn even_without_grace_the_lease_must_be_over() {
    let instant = superseded().with(|observed, wanted| {
        observed.now = Timestamp::from_unix(10_010);
        let keys = observed.keys.as_mut().expect("readable");
        keys[0].created_at = Timestamp::from_unix(9_900);
        wanted.lifetime = crate::model::lifetime::Lifetime::new(Duration::from_hours(2160), Duration::ZERO)
            .expect("a lifetime");
    });
    assert_eq!(
        instant.holds("DO1"),
        ["the run that minted it may still write until 1970-01-01T02:56:00Z"]
    );
}

#[test]
fn a_compromised_key_waits_for_its_successor_only() {
    let early = superseded().with(|observed, _| observed.now = Timestamp::from_unix(10_010));
    let old = early.asked(revoking(Some("DO1")));
    assert!(old.holds("DO1").is_empty());
    assert!(
        matches!(old.plan().decision, Decision::Keep { .. }),
        "its successor stays"
    );
    let current = superseded().asked(revoking(Some("DO2")));
    assert_eq!(current.reasons(), ["DO2 is to be revoked"]);
    assert_eq!(current.holds("DO2"), ["no newer key is delivered yet"]);
    let all = superseded().asked(revoking(None));
    assert_eq!(all.reasons(), ["DO2 is to be revoked"]);
    assert!(all.holds("DO1").is_empty());
}

#[test]
fn what_became_active_meanwhile_is_the_replacement() {
    let replaced = superseded().asked(revoking(None)).first_saw(&["DO1"]);
    assert!(matches!(replaced.plan().decision, Decision::Keep { .. }));
    assert!(replaced.holds("DO1").is_empty());
    let forced = superseded().asked(Intent::Rotate { force: true });
    assert_eq!(forced.reasons(), ["force was asked for"]);
    let done = superseded()
        .asked(Intent::Rotate { force: true })
        .first_saw(&["DO1"]);
    assert!(matches!(done.plan().decision, Decision::Keep { .. }));
}

#[test]
fn a_revoked_key_is_told_with_all_that_it_breaks() {
    let world = with_holders(superseded(), |holders| {
        let runs = (1..=9).map(|id| run(id, 10_000)).collect();
        holders
            .runs
            .values_mut()
            .for_each(|held| *held = Ok(Unfinished::Runs(Vec::clone(&runs))));
    });
    let plan = world.asked(revoking(Some("DO1"))).plan();
    let warning = plan.retiring[0]
        .warning()
        .expect("it breaks something")
        .to_string();
    assert!(
        warning.contains("workflow run 1 of acme/shop") && warning.contains("and 4 more"),
        "{warning}"
    );
}

#[test]
fn an_adopted_key_goes_through_the_gate_and_a_strangers_never() {
    let stranger = || {
        superseded().with(|observed, _| {
            let keys = observed.keys.as_mut().expect("readable");
            let mut by_hand = keys[0].clone();
            by_hand.id = AccessKeyId::new("DO9");
            "by hand".clone_into(&mut by_hand.name);
            keys.push(by_hand);
        })
    };
    assert!(stranger().whole_plan().adopted.is_none());
    assert!(stranger().adopting("DO9").holds("DO9").is_empty());
    let early = stranger()
        .adopting("DO9")
        .with(|observed, _| observed.now = Timestamp::from_unix(10_010));
    assert!(!early.holds("DO9").is_empty());
    let own = superseded().adopting("DO2").whole_plan();
    assert!(
        own.adopted.is_none(),
        "a key of the family is judged as what it is"
    );
    let revoked = stranger().asked(revoking(Some("DO9"))).whole_plan();
    assert_eq!(revoked.problems.len(), 1);
    assert!(revoked.retiring().all(|old| old.key.id.as_str() != "DO9"));
}

#[test]
fn an_app_that_nothing_is_deployed_to_means_another_key() {
    let stuck = superseded().app("DO2", "DO1", None).nobody_holds_it().stuck();
    assert_eq!(
        stuck.reasons(),
        ["app shop names the current key, and App Platform does not deploy it"]
    );
}

/// DO0 to DO3 were delivered one after the other, a day apart; DO4 a minute ago.
fn overwritten_daily() -> World {
    let key = |world: World, id: &str, at: i64, ticket: &str| world.key(id, at - 10, ticket, &mark(at));
    let world = World::at(NOW);
    let world = key(world, "DO0", NOW - 4 * DAY, "9-eeee");
    let world = key(world, "DO1", NOW - 3 * DAY, "1-aaaa");
    let world = key(world, "DO2", NOW - 2 * DAY, "2-bbbb");
    let world = key(world, "DO3", NOW - DAY + 60, "3-cccc");
    let world = key(world, "DO4", NOW - 60, "4-dddd");
    let world = world.secrets_written(NOW - 60).id_variable("DO4");
    world.nobody_holds_it()
}

#[test]
fn grace_counts_from_the_second_delivery_after_the_key() {
    let world = overwritten_daily();
    assert!(world.holds("DO0").is_empty(), "DO2 came two days ago");
    let until = |at: i64| {
        [format!(
            "its grace period lasts until {}",
            Timestamp::from_unix(at)
        )]
    };
    assert_eq!(
        world.holds("DO1"),
        until(NOW + 60),
        "DO3 came a day ago, but for a minute"
    );
    assert_eq!(world.holds("DO2"), until(NOW - 60 + DAY));
    assert_eq!(world.holds("DO3"), until(NOW - 60 + DAY));
}

#[test]
fn a_run_that_was_queued_after_the_second_delivery_has_not_got_the_key() {
    let queued = |at: i64| {
        with_holders(overwritten_daily(), |holders| {
            let runs = holders.runs.values_mut().next().expect("a repository");
            *runs = Ok(Unfinished::Runs(vec![run(0x99, at)]));
        })
    };
    assert!(queued(NOW - 120).holds("DO0").is_empty());
    assert_eq!(queued(NOW - 120).holds("DO3").len(), 2);
    assert_eq!(queued(NOW - 2 * DAY).holds("DO0").len(), 1);
}

#[test]
fn a_key_that_was_minted_within_the_lease_of_another_is_not_counted_after_it() {
    let hasty = |minted: i64| {
        World::at(NOW)
            .key("DO1", NOW - 3 * DAY, "1-aaaa", "delivering")
            .key("DO2", minted, "2-bbbb", &mark(minted + 10))
            .key("DO3", NOW - 2 * DAY, "3-cccc", &mark(NOW - 2 * DAY + 10))
            .key("DO4", NOW - 100, "4-dddd", &mark(NOW - 60))
            .secrets_written(NOW - 60)
            .id_variable("DO4")
            .nobody_holds_it()
    };
    assert!(hasty(NOW - 3 * DAY + 660).holds("DO1").is_empty());
    assert_eq!(
        hasty(NOW - 3 * DAY + 659).holds("DO1").len(),
        1,
        "the run behind DO1 may have written after DO2 was delivered"
    );
}

fn mark(since: i64) -> String {
    let since = Timestamp::from_unix(since);
    Mark::Active { since }.to_string()
}

#[test]
fn what_has_taken_the_place_of_an_adopted_key_is_the_current_one() {
    let world = overwritten_daily().with(|observed, _| {
        let keys = observed.keys.as_mut().expect("readable");
        "by hand".clone_into(&mut keys[0].name);
    });
    let held = world.adopting("DO1").holds("DO1");
    assert_eq!(held.len(), 1, "{held:?}");
}

/// Insists that nothing in the world may hold a released key, and that its successor is where it should be.
fn may_go(world: &World, old: &Retirement, story: &str) {
    let (observed, wanted) = (world.observed(), world.wanted());
    let id = &old.key.id;
    let state = observed
        .targets
        .values()
        .next()
        .expect("a target")
        .as_ref()
        .expect("readable");
    let current = state.variables.values().next().expect("the id variable");
    assert_ne!(current, id.as_str(), "the variable names it, {story}");
    let judgement = world.plan().judgement;
    let serving = judgement.current().expect("a successor");
    assert_eq!(serving.key.id.as_str(), current, "{story}");
    assert!(judgement.generations.rivals.is_empty(), "{story}");
    let delivered = |at: &Timestamp| *at >= serving.key.created_at && *at <= serving.since();
    assert!(state.secrets.values().all(delivered), "{story}");
    let successor = second_after(old, &judgement.generations.active).unwrap_or(serving);
    assert!(
        observed.now >= successor.since().after(wanted.lifetime.grace()),
        "{story}"
    );
    for app in observed.apps.values().flatten() {
        let deployments = app.active.iter().chain(&app.coming);
        for deployment in deployments {
            assert!(
                deployment.names(&serving.key.id) && !deployment.names(id),
                "{story}"
            );
        }
        assert!(!app.spec.names(id), "{story}");
    }
    let holders = observed.holders.expect("somebody looked");
    let named = |app: &NamingApp| app.key == *id;
    assert!(!holders.apps.iter().flatten().flatten().any(named), "{story}");
    let early = |run: &UnfinishedRun| run.created_at <= successor.since();
    let runs = holders.runs.values().flatten();
    for runs in runs {
        assert!(
            !matches!(runs, Unfinished::Runs(runs) if runs.iter().any(early)),
            "{story}"
        );
    }
}

/// The second key that was minted eleven minutes after this one, or later, and delivered after it.
fn second_after<'a>(old: &Retirement, active: &'a [Generation]) -> Option<&'a Generation> {
    let stamp = KeyName::parse(&old.key.name).map(|name| match name.mark {
        Mark::Active { since } => since,
        _ => Timestamp::from_unix(0),
    });
    let after = active.iter().filter(|next| {
        Some(next.since()) > stamp && next.key.created_at.unix() >= old.key.created_at.unix() + 660
    });
    let mut after: Vec<&Generation> = after.collect();
    after.sort_by_key(|next| next.since());
    after.get(1).copied()
}

#[test]
fn in_no_world_whatever_is_a_key_released_that_anything_may_hold() {
    const WORLDS: u64 = 20_000;
    let mut released = 0;
    for seed in 0..WORLDS {
        let world = any_world(&mut Dice(seed));
        let plan = world.whole_plan();
        for old in plan.retiring().filter(|old| old.is_free()) {
            may_go(&world, old, &format!("world {seed}"));
            released += 1;
        }
    }
    assert!(
        released > WORLDS / 1_000,
        "only {released} keys are released in all these worlds"
    );
}
