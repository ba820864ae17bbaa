//! Random worlds: what must be true of the planner is true in all of them.

use serde_json::json;

use super::fixtures::World;
use crate::model::key::AccessKeyId;
use crate::model::name::Mark;
use crate::model::observed::{AppState, NamingApp, TargetState, Unfinished, UnfinishedRun};
use crate::model::problem::Problem;
use crate::model::spec::AppSpec;
use crate::model::time::Timestamp;

/// The second at which every world is looked at.
const NOW: i64 = 400_000;

/// A small generator of random numbers (splitmix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// A number below `sides`.
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    fn time(&mut self) -> i64 {
        i64::try_from(self.roll(NOW.unsigned_abs())).expect("a few days")
    }

    fn id(&mut self) -> String {
        format!("DO{}", self.roll(5))
    }
}

/// A world in which anything may be so: any marks and ages, any values in the sinks, any deployments and runs. More often
/// than not the secrets were written when some key was delivered.
pub(super) fn any_world(dice: &mut Dice) -> World {
    let mut world = World::at(NOW);
    let mut written = dice.time();
    for n in 0..dice.roll(5) {
        let created_at = dice.time();
        let mark = match dice.roll(5) {
            0 => "pending".to_owned(),
            1 => "delivering".to_owned(),
            _ => Mark::Active {
                since: Timestamp::from_unix(created_at + 10),
            }
            .to_string(),
        };
        if dice.roll(2) == 0 {
            written = created_at + 10 - i64::try_from(dice.roll(12)).expect("seconds");
        }
        world = world.key(&format!("DO{n}"), created_at, &format!("{}-aaaa", n + 1), &mark);
    }
    world = world.secrets_written(written).id_variable(&dice.id());
    if dice.roll(2) == 0 {
        let (spec, active, coming, at) = (dice.id(), dice.id(), dice.id(), dice.time());
        let coming = (dice.roll(3) == 0).then_some((coming.as_str(), at));
        world = world.app(&spec, &active, coming);
    }
    world = world.nobody_holds_it();
    let (run, created_at, named) = (dice.roll(3), dice.time(), dice.id());
    world.with_holders(|holders| {
        if run == 0 {
            let created_at = Timestamp::from_unix(created_at);
            let runs = Unfinished::Runs(vec![UnfinishedRun { id: 7, created_at }]);
            holders
                .runs
                .values_mut()
                .for_each(|held| *held = Ok(runs.clone()));
        }
        holders.apps = Ok(Some(vec![NamingApp {
            id: "app-9".to_owned(),
            name: "blog".to_owned(),
            key: AccessKeyId::new(named),
        }]));
    })
}

/// Such a world in which, besides, one thing may be unreadable, missing, or as nobody would leave it.
pub(super) fn any_troubled_world(dice: &mut Dice) -> World {
    let world = any_world(dice);
    let (trouble, at) = (dice.roll(16), Timestamp::from_unix(dice.time()));
    let unreadable = || Problem::new("it", "no answer", "Run again.");
    world.with(|observed, _| {
        let target = observed.targets.keys().next().cloned().expect("a target");
        let app = observed.apps.keys().next().cloned();
        match trouble {
            0 => observed.keys = Err(unreadable()),
            1 => drop(observed.targets.insert(target, Err(unreadable()))),
            2 => drop(observed.targets.remove(&target)),
            3 => drop(app.map(|app| observed.apps.insert(app, Err(unreadable())))),
            4 => drop(app.map(|app| observed.apps.remove(&app))),
            5 => observed.holders = None,
            6 => observed
                .keys
                .iter_mut()
                .flatten()
                .for_each(|key| key.grants.clear()),
            7..=9 => observed
                .targets
                .values_mut()
                .flatten()
                .for_each(|state| trouble_target(state, trouble, at)),
            _ => observed
                .apps
                .values_mut()
                .flatten()
                .for_each(|state| trouble_app(state, trouble)),
        }
    })
}

fn trouble_target(state: &mut TargetState, trouble: u64, at: Timestamp) {
    match trouble {
        7 => state.variables.clear(),
        8 => drop(state.secrets.remove("SPACES_SECRET_KEY")),
        _ => drop(state.secrets.insert("SPACES_SECRET_KEY".to_owned(), at)),
    }
}

fn trouble_app(state: &mut AppState, trouble: u64) {
    match trouble {
        10 => state.pinned = state.active.take(),
        11 => state.pinned.clone_from(&state.active),
        12 => state.active = None,
        13 => state.spec = edited(&state.spec, |spec| spec["envs"][2]["value"] = json!("plain")),
        14 => {
            state.spec = edited(&state.spec, |spec| {
                let hiding = json!([{ "key": "SPACES_SECRET_KEY", "value": "EV[1:x:y]", "type": "SECRET" }]);
                spec["services"] = json!([{ "name": "api", "envs": hiding }]);
            });
        }
        _ => {}
    }
}

fn edited(spec: &AppSpec, edit: impl FnOnce(&mut serde_json::Value)) -> AppSpec {
    let mut raw = spec.raw().clone();
    edit(&mut raw);
    AppSpec::new(raw)
}
