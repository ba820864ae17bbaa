//! A small model of rotation, gone through exhaustively: two runs, one account, one repository, one app, and whatever
//! can go wrong between them.
//!
//! What a run decides, the product's own pure functions decide ([`product`]): [`spacekeeper::plan::plan`] with its gate,
//! [`spacekeeper::plan::election::elect`] and [`spacekeeper::plan::generations`]. The order of a run's steps ([`run`])
//! is a copy of `src/job` and `src/apply`; whoever changes it there changes it here. The services ([`world`]) are
//! as small as they can be; what can happen to them, and how often, is in [`story`], what must be true all the same in
//! [`promises`].
//!
//! The model is as patient as the design: a request may land at any time after it was sent, a run may die or freeze at
//! every request. What the design does not promise is excused here too, and nothing else:
//!
//! - A write that lands late (its run is dead, frozen past its lease, or has given it up) may tear the pair once more, or
//!   bring a deleted key back to a sink. The next run must mend it.
//! - The look of the gate and the DELETE are two requests: what changes between them is not seen.
//! - A rename to `delivering` that is answered and not done is seen when the secrets are read back. A run that dies before
//!   that leaves a key that looks as if no sink had seen it.
//! - Servers tell times in whole seconds, so a foreign write in the very second of our own is not seen either: here,
//!   hands, late writes and feigned answers come in a later one, and Actions takes a moment to notice that a run is over.
//!
//! Left out, because other tests have them: buckets, proofs, several families or targets, other people's workflow runs
//! and apps, pinned apps.

mod clock;
mod explore;
mod mutants;
mod order;
mod product;
mod promises;
mod remembered;
mod rules;
mod run;
mod story;
mod world;

use std::time::Instant;

use explore::{Explored, explore};
use mutants::{Mistake, Mutant};
use product::Product;
use rules::Errand::{Bootstrap, Force, Revoke};
use rules::{Errand, Rules};
use story::{Bounds, Story};
use world::World;

/// What must have happened in some story that begins in a world of its own, so that the model cannot become empty
/// unseen.
const HAPPENINGS: [&str; 16] = [
    "a request is answered",
    "a request is refused",
    "a request comes late",
    "a reply is lost",
    "a write is answered and not done",
    "two keys are minted in one second",
    "a key is born in the second of an older one",
    "the two halves of a look lie apart",
    "a run loses patience",
    "a run dies",
    "Actions says that a run is over",
    "a late request lands",
    "a lease passes",
    "grace passes",
    "a hand changes a secret",
    "a hand deletes the current key",
];

/// The same where there is an app.
const HAPPENINGS_WITH_AN_APP: [&str; 4] = [
    "a deployment becomes active",
    "a deployment fails",
    "a PUT creates no deployment",
    "a hand saves the app",
];

#[test]
fn two_first_runs_keep_every_promise() {
    let explored = every_story(World::empty(), [Bootstrap, Bootstrap], 1);
    explored.has_seen(&HAPPENINGS);
}

#[test]
fn two_undisturbed_runs_with_an_app_keep_every_promise() {
    let explored = every_story(World::empty().with_app(), [Bootstrap, Bootstrap], 0);
    explored.has_seen(&["two keys are minted in one second", "a deployment becomes active"]);
    let explored = every_story(World::empty().with_app().in_service(), [Force, Force], 0);
    explored.has_seen(&["two keys are minted in one second", "a deployment becomes active"]);
}

#[test]
fn two_rotations_keep_every_promise() {
    let explored = every_story(World::empty().in_service(), [Force, Force], 1);
    explored.has_seen(&HAPPENINGS);
}

#[test]
fn a_rotation_and_a_repair_with_an_app_keep_every_promise() {
    let explored = every_story(World::empty().with_app().in_service(), [Force, Bootstrap], 1);
    explored.has_seen(&HAPPENINGS);
    explored.has_seen(&HAPPENINGS_WITH_AN_APP);
}

#[test]
fn a_revocation_and_a_rotation_keep_every_promise() {
    let explored = every_story(World::empty().in_service(), [Revoke, Force], 1);
    explored.has_seen(&HAPPENINGS);
}

#[test]
fn a_revocation_and_a_repair_with_an_app_keep_every_promise() {
    let explored = every_story(World::empty().with_app().in_service(), [Revoke, Bootstrap], 1);
    explored.has_seen(&HAPPENINGS);
    explored.has_seen(&HAPPENINGS_WITH_AN_APP);
}

#[test]
fn two_saves_of_others_at_any_points_are_kept() {
    let explored = every_save(Force, (0, 2));
    explored.has_seen(&["somebody saves the app while a run is at it"]);
}

#[test]
fn a_save_of_somebody_else_is_kept_whatever_goes_wrong() {
    let explored = every_save(Force, (1, 1));
    explored.has_seen(&["somebody saves the app while a run is at it", "a reply is lost"]);
    explored.has_seen(&[
        "a PUT creates no deployment",
        "a request comes late",
        "a run dies",
    ]);
}

#[test]
fn the_model_notices_that_saves_of_others_are_lost() {
    for mistake in [Mistake::SavesAreForgotten, Mistake::SavesAreNotMerged] {
        let product = Product::new();
        let world = World::empty().with_app().in_service();
        match with_saves(world, Force, (0, 2), Mutant { product, mistake }) {
            Err(counterexample) => {
                assert!(
                    counterexample.0.contains("of the app is lost"),
                    "{}",
                    counterexample.0
                );
            }
            Ok(explored) => panic!("{mistake:?} goes unnoticed in {} points", explored.points),
        }
    }
}

#[track_caller]
fn every_save(errand: Errand, bounds: (u8, u32)) -> Explored {
    let began = Instant::now();
    let world = World::empty().with_app().in_service();
    match with_saves(world, errand, bounds, Product::new()) {
        Ok(explored) => {
            let Explored { points, worlds, .. } = &explored;
            println!(
                "{errand:?} with saves: {points} points, {worlds} worlds, {:?}",
                began.elapsed()
            );
            explored
        }
        Err(counterexample) => panic!("{}", counterexample.0),
    }
}

#[test]
fn runs_that_find_an_old_key_keep_every_promise() {
    let explored = every_story(superseded(), [Bootstrap, Bootstrap], 1);
    explored.has_seen(&[
        "a hand saves the app",
        "a hand deletes the current key",
        "grace passes",
    ]);
}

#[test]
fn runs_that_find_former_names_keep_every_promise() {
    let explored = every_story(renamed(), [Bootstrap, Bootstrap], 1);
    explored.has_seen(&["a hand changes a secret", "a hand deletes the current key"]);
}

#[test]
fn the_model_notices_that_former_secrets_are_not_told_from_present_ones() {
    notices(
        Mistake::FormerSecretsAreOverlooked,
        renamed(),
        [Bootstrap, Bootstrap],
        0,
        "is deleted, and the id secret",
    );
}

#[test]
fn the_model_notices_a_gate_that_forgets_coming_deployments() {
    let world = superseded().redeploying();
    notices(
        Mistake::ComingDeploymentsAreForgotten,
        world,
        [Bootstrap, Bootstrap],
        0,
        "a coming deployment holds it",
    );
}

#[test]
fn the_model_notices_a_gate_that_disregards_drift() {
    let world = World::empty().in_service();
    notices(
        Mistake::DriftHoldsNothingBack,
        world,
        [Force, Bootstrap],
        1,
        " holds it",
    );
}

#[test]
fn the_model_notices_an_election_by_the_later_ticket() {
    let world = World::empty().in_service();
    notices(
        Mistake::LaterTicketsWin,
        world,
        [Force, Force],
        0,
        "two runs deliver at the same time",
    );
}

#[test]
fn the_model_notices_a_winner_that_does_not_wait() {
    let world = World::empty().in_service();
    notices(
        Mistake::WinnersDoNotWait,
        world,
        [Force, Force],
        0,
        "two runs deliver at the same time",
    );
}

#[test]
fn the_model_notices_an_election_that_overlooks_a_delivery() {
    let world = World::empty().in_service();
    notices(
        Mistake::DeliveriesStopNobody,
        world,
        [Force, Force],
        0,
        "two runs deliver at the same time",
    );
}

#[test]
fn the_model_notices_that_secrets_are_not_watched() {
    let world = World::empty().in_service();
    let torn = "the sinks do not hold one and the same key";
    notices(
        Mistake::LateWritesAreOverlooked,
        world,
        [Bootstrap, Bootstrap],
        1,
        torn,
    );
}

#[test]
fn the_model_notices_a_doubtful_key_that_is_swept() {
    let world = World::empty().in_service();
    notices(
        Mistake::DoubtfulKeysAreSwept,
        world,
        [Force, Force],
        0,
        "the id secret holds it",
    );
}

#[test]
fn the_model_notices_a_run_that_outlives_its_lease() {
    let world = World::empty().in_service();
    notices(
        Mistake::LeasesAreIgnored,
        world,
        [Force, Bootstrap],
        1,
        "the id secret holds it",
    );
}

#[test]
fn the_model_notices_that_answers_are_believed() {
    notices(
        Mistake::AnswersAreBelieved,
        World::empty().in_service(),
        [Force, Bootstrap],
        1,
        "is activated",
    );
}

/// A key in service in an app, and the one before it, whose grace is over.
fn superseded() -> World {
    World::empty().with_app().in_service().in_service()
}

/// Secrets of the key before the one that serves, whose grace is over: names were changed and changed back.
fn renamed() -> World {
    World::empty().in_service().renamed()
}

fn stories<R: Rules>(
    world: World,
    errands: [Errand; 2],
    faults: u8,
    rules: R,
) -> Result<Explored, explore::Counterexample> {
    let (mints, saves) = (world.minted + 4, 0);
    explore(&Story::of(world, errands), Bounds { faults, mints, saves }, rules)
}

/// One run, and saves of others at whatever points while it is at the app.
fn with_saves<R: Rules>(
    world: World,
    errand: Errand,
    (faults, saves): (u8, u32),
    rules: R,
) -> Result<Explored, explore::Counterexample> {
    let mints = world.minted + 4;
    explore(
        &Story::of_one(world, errand),
        Bounds { faults, mints, saves },
        rules,
    )
}

#[track_caller]
fn every_story(world: World, errands: [Errand; 2], faults: u8) -> Explored {
    let began = Instant::now();
    match stories(world, errands, faults, Product::new()) {
        Ok(explored) => {
            let Explored { points, worlds, .. } = &explored;
            println!(
                "{errands:?}: {points} points, {worlds} worlds, {:?}",
                began.elapsed()
            );
            explored
        }
        Err(counterexample) => panic!("{}", counterexample.0),
    }
}

#[track_caller]
fn notices(mistake: Mistake, world: World, errands: [Errand; 2], faults: u8, how: &str) {
    let product = Product::new();
    match stories(world, errands, faults, Mutant { product, mistake }) {
        Err(counterexample) => assert!(counterexample.0.contains(how), "{}", counterexample.0),
        Ok(explored) => panic!("{mistake:?} goes unnoticed in {} points", explored.points),
    }
}
