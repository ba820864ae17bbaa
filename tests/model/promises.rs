//! What must be true at every point of every story.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::clock;
use crate::order::{Broken, in_order, may_go};
use crate::rules::{Errand, Rules};
use crate::run::{Answer, Run, Step};
use crate::story::{Span, Story};
use crate::world::{Key, KeyId, Mark, RunNo, Value, World};

/// The number of the runs that come after the story.
const LATER: RunNo = 7;

/// More steps than any run takes that comes to an end.
const STEPS: usize = 60;

/// What can be seen at one point.
pub(crate) fn hold(story: &Story) -> Result<(), Broken> {
    one_delivers(story)?;
    nobody_s_save_is_lost(story)?;
    no_sink_holds_a_deleted_key(story)
}

/// A key is activated within its lease when every place in GitHub holds it, unless somebody interfered.
pub(crate) fn is_whole(story: &Story, key: KeyId) -> Result<(), Broken> {
    let repository = &story.world.repository;
    let values = [repository.id.value, repository.secret.value, repository.variable];
    if story.past.hand || story.past.came_late || values.iter().all(|value| *value == Value::Key(key)) {
        return Ok(());
    }
    Err(Broken(format!(
        "key {key} is activated, and the secrets and the variable hold {values:?}"
    )))
}

fn one_delivers(story: &Story) -> Result<(), Broken> {
    let delivering = story.runs.iter().filter(|run| run.delivers(story.world.now));
    if delivering.count() > 1 {
        return Err(Broken(
            "two runs deliver at the same time, both within their leases".to_owned(),
        ));
    }
    Ok(())
}

/// Whoever saves the app while a run is at it finds it there when the run has done.
fn nobody_s_save_is_lost(story: &Story) -> Result<(), Broken> {
    let under_way = story.runs.iter().any(|run| run.editing.is_some());
    let theirs = story.world.app.map_or(0, |app| app.theirs);
    let lost = story.past.saved & !theirs;
    if lost == 0 || under_way || story.past.came_late || story.past.cut_short {
        return Ok(());
    }
    Err(Broken(format!("somebody's save {lost:b} of the app is lost")))
}

fn no_sink_holds_a_deleted_key(story: &Story) -> Result<(), Broken> {
    let revoking = story.runs.iter().any(|run| run.task.errand == Errand::Revoke);
    if story.past.hand || story.past.came_late || revoking {
        return Ok(());
    }
    let repository = &story.world.repository;
    let spec = story.world.app.map(|app| app.spec);
    let values = [repository.id.value, repository.secret.value, repository.variable];
    let gone = |value: &Value| matches!(value, Value::Key(key) if story.world.key(*key).is_none());
    match values.into_iter().chain(spec).find(gone) {
        Some(value) => Err(Broken(format!("a sink holds {value:?}, which is deleted"))),
        None => Ok(()),
    }
}

/// Two runs that nobody disturbed and that have ended leave one pair, whole and current, and nothing unfinished.
pub(crate) fn undisturbed_runs_leave_order(story: &Story) -> Result<(), Broken> {
    let ended = story
        .runs
        .iter()
        .all(|run| matches!(run.step, Step::Ended { .. }));
    if !ended {
        return Ok(());
    }
    if !story
        .runs
        .iter()
        .all(|run| run.step == Step::Ended { green: true })
    {
        return Err(Broken("nothing went wrong, and a run ended red".to_owned()));
    }
    let unfinished = |key: &Key| !matches!(key.mark, Mark::Active(_));
    if story.world.keys.iter().any(unfinished) {
        return Err(Broken("an unfinished key is left".to_owned()));
    }
    in_order(&story.world)
}

/// What clean runs make of the worlds that stories come through.
#[derive(Default)]
pub(crate) struct Recovery {
    mended: Verdicts,
    finished: Verdicts,
}

type Verdicts = RefCell<HashMap<World, Result<(), Broken>>>;

impl Recovery {
    /// Whatever happened: when every run is dead, one clean run brings order; when grace is over, one more leaves one
    /// key; and then there is nothing left to write.
    pub(crate) fn check(&self, story: &Story, rules: &dyn Rules) -> Result<(), Broken> {
        if story
            .runs
            .iter()
            .any(|run| run.delivers_unannounced(&story.world))
        {
            return Ok(());
        }
        let mut by_word = story.world.clone();
        by_word.now += Span::Pause.seconds();
        by_word.finished = u8::MAX >> 1;
        once(&self.mended, by_word, |world| self.mends(world, rules))?;
        if story
            .world
            .keys
            .iter()
            .all(|key| matches!(key.mark, Mark::Active(_)))
        {
            return Ok(());
        }
        let mut by_lease = story.world.clone();
        by_lease.now += Span::Lease.seconds();
        by_lease.finished = 0;
        once(&self.mended, by_lease, |world| self.mends(world, rules))
    }

    fn mends(&self, mut world: World, rules: &dyn Rules) -> Result<(), Broken> {
        clean_run(&mut world, rules).map_err(|broken| broken.at("the clean run after a crash here"))?;
        in_order(&world).map_err(|broken| broken.at("after a clean run"))?;
        while world.app.is_some_and(|app| app.in_progress.is_some()) {
            world.deploy(true);
        }
        world.now += Span::Grace.seconds();
        once(&self.finished, world, |world| finishes(world, rules))
    }

    pub(crate) fn worlds(&self) -> usize {
        self.mended.borrow().len()
    }
}

fn finishes(mut world: World, rules: &dyn Rules) -> Result<(), Broken> {
    let began = world.now;
    clean_run(&mut world, rules).map_err(|broken| broken.at("the clean run after grace"))?;
    in_order(&world).map_err(|broken| broken.at("after a clean run when grace is over"))?;
    // Somebody had an older key deployed after the run before; only now does grace begin.
    if world.app.is_some_and(|app| app.row_began.created_at >= began) {
        world.now += Span::Grace.seconds();
        clean_run(&mut world, rules).map_err(|broken| broken.at("the clean run after grace began anew"))?;
    }
    if world.keys.len() != 1 {
        return Err(Broken(
            "after a clean run when grace is over, an old key is left".to_owned(),
        ));
    }
    let writes = clean_run(&mut world, rules).map_err(|broken| broken.at("one more clean run"))?;
    if writes > 0 {
        return Err(Broken("a run writes although everything is in order".to_owned()));
    }
    Ok(())
}

/// Judges worlds that differ in nothing that matters only once.
fn once(
    verdicts: &Verdicts,
    world: World,
    judge: impl FnOnce(World) -> Result<(), Broken>,
) -> Result<(), Broken> {
    let world = clock::rewound(world.renumbered());
    if let Some(verdict) = verdicts.borrow().get(&world) {
        return verdict.clone();
    }
    let verdict = judge(world.clone());
    verdicts.borrow_mut().insert(world, verdict.clone());
    verdict
}

/// A run to which nothing happens. Returns how often it wrote.
fn clean_run(world: &mut World, rules: &dyn Rules) -> Result<usize, Broken> {
    let mut run = Run::new(LATER, Errand::Bootstrap);
    let mut writes = 0;
    for _ in 0..STEPS {
        if let Step::Ended { green } = run.step {
            return if green {
                Ok(writes)
            } else {
                Err(Broken("it ended red".to_owned()))
            };
        }
        if let Step::Delete(key) = run.step {
            may_go(world, key, false)?;
        }
        if run.can_go_on(world, rules) {
            writes += run.writes().len();
            run.go_on(world, rules, Answer::Plain);
        } else if world.app.is_some_and(|app| app.in_progress.is_some()) {
            world.deploy(true);
        } else {
            return Err(Broken(format!("it waits in vain at {:?}", run.step)));
        }
    }
    Err(Broken("it comes to no end".to_owned()))
}
