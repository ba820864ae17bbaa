//! A story: two runs in one world, and everything that can happen next.

use std::fmt;

use crate::clock;
use crate::order::{self, Broken};
use crate::promises;
use crate::rules::{Errand, Rules};
use crate::run::{Answer, Run, Step};
use crate::world::{Key, Mark, RunNo, Theirs, Time, Value, World, Write};

/// A point in a story. What cannot matter any more is forgotten, so that like points are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Story {
    pub(crate) world: World,
    pub(crate) runs: Vec<Run>,
    /// Requests of nobody who still waits for their answer; they may land at any time, or never.
    pub(crate) late: Vec<Write>,
    pub(crate) past: Past,
}

/// What has happened that may not happen again and again, or that excuses what comes of it.
#[expect(clippy::struct_excessive_bools, reason = "each excuses something else")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Past {
    /// A hand has changed something.
    pub(crate) hand: bool,
    /// A write landed whose run was dead, past its lease, or had given it up.
    pub(crate) came_late: bool,
    /// While a key was about to be deleted, a hand or a late write changed a sink: the look at the sinks and the
    /// DELETE are two requests.
    pub(crate) disturbed: bool,
    /// What others have saved in the app.
    pub(crate) saved: Theirs,
    /// A run ended between its PUT of the app and its look at what that has replaced: nobody knows it any more.
    pub(crate) cut_short: bool,
}

/// How often something may happen in one story.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Faults, failures and hand edits, all taken together.
    pub(crate) faults: u8,
    /// Keys that are ever minted.
    pub(crate) mints: u8,
    /// Saves of the app by others while a run is at it, beside the faults.
    pub(crate) saves: u32,
}

/// Something that can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Answer(RunNo, Answer),
    /// A look whose two halves lie apart.
    Half(RunNo, KeysFirst),
    GiveUp(RunNo),
    Crash(RunNo),
    /// Actions notices that the run is over.
    Finish(RunNo),
    /// A late request lands.
    Land(usize),
    Pass(Span),
    Deployed,
    DeploymentFails,
    Hand(Hand),
}

/// Whether the keys are read before the sinks.
pub(crate) type KeysFirst = bool;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    /// A few seconds.
    Pause,
    /// More than a lease and its margin, less than grace.
    Lease,
    /// More than grace and more than anybody waits for a deployment.
    Grace,
}

/// What somebody does who is no run of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hand {
    OverwritesId,
    OverwritesSecret,
    DeletesSecret,
    OverwritesVariable,
    DeletesVariable,
    /// A deploy script sends the app the oldest key that there is.
    SavesOldSpec,
    /// Somebody reads the app and saves something of their own in it.
    SavesTheirs,
    DeletesTheKey,
}

const HANDS: [Hand; 7] = [
    Hand::OverwritesId,
    Hand::OverwritesSecret,
    Hand::DeletesSecret,
    Hand::OverwritesVariable,
    Hand::DeletesVariable,
    Hand::SavesOldSpec,
    Hand::DeletesTheKey,
];

impl Span {
    pub(crate) fn seconds(self) -> Time {
        match self {
            Self::Pause => 3,
            Self::Lease => 12 * 60,
            Self::Grace => 2 * 60 * 60,
        }
    }
}

impl Story {
    /// One run is about to begin.
    pub(crate) fn of_one(world: World, errand: Errand) -> Self {
        let mut story = Self::of(world, [errand; 2]);
        story.runs.truncate(1);
        story
    }

    /// Two runs are about to begin.
    pub(crate) fn of(world: World, errands: [Errand; 2]) -> Self {
        let runs = (0..).zip(errands).map(|(no, errand)| Run::new(no, errand));
        Self {
            world,
            runs: runs.collect(),
            late: Vec::new(),
            past: Past::default(),
        }
    }

    /// Everything that can happen now.
    pub(crate) fn events(&self, bounds: Bounds, faults: u8, rules: &dyn Rules) -> Vec<Event> {
        let more = faults < bounds.faults;
        let mut events = Vec::new();
        for run in &self.runs {
            self.answers(run, bounds, more, rules, &mut events);
            if more && !run.is_over() {
                events.push(Event::Crash(run.no));
            }
            if run.is_over() && self.matters_whether_finished(run.no) {
                events.push(Event::Finish(run.no));
            }
        }
        events.extend((0..self.late.len()).map(Event::Land));
        events.extend(self.spans(more).into_iter().map(Event::Pass));
        if self.world.app.is_some_and(|app| app.in_progress.is_some()) {
            events.push(Event::Deployed);
            events.extend(more.then_some(Event::DeploymentFails));
        }
        if self.past.saved.count_ones() < bounds.saves && self.has_something_for(Hand::SavesTheirs) {
            events.push(Event::Hand(Hand::SavesTheirs));
        }
        if more && !self.past.hand {
            events.extend(
                HANDS
                    .into_iter()
                    .filter(|hand| self.has_something_for(*hand))
                    .map(Event::Hand),
            );
        }
        events
    }

    fn answers(&self, run: &Run, bounds: Bounds, more: bool, rules: &dyn Rules, events: &mut Vec<Event>) {
        let mut answer = |answer| events.push(Event::Answer(run.no, answer));
        let full = self.world.minted >= bounds.mints;
        if matches!(run.step, Step::Mint) && full {
            return;
        }
        if run.can_go_on(&self.world, rules) {
            answer(Answer::Plain);
        }
        match run.step {
            Step::Mint if self.is_a_tie() => {
                answer(Answer::SmallId);
                answer(Answer::Later);
            }
            Step::PutSecrets {
                id: true,
                secret: true,
            } => answer(Answer::SecondFirst),
            _ => {}
        }
        if !more {
            return;
        }
        let writes = !run.writes().is_empty();
        if writes {
            answer(Answer::Refused);
            answer(Answer::Late);
        }
        match run.step {
            Step::Mint => {
                answer(Answer::Lost);
                answer(Answer::Tie);
            }
            Step::PutApp(_) => answer(Answer::Lost),
            Step::Announce | Step::Activate(_) | Step::PutSecrets { .. } => {
                answer(Answer::Lost);
                answer(Answer::Ineffective);
            }
            Step::PutVariable | Step::MendVariable(_) => answer(Answer::Ineffective),
            _ => {}
        }
        if matches!(run.step, Step::PutApp(_)) {
            answer(Answer::Undeployed);
        }
        if matches!(run.step, Step::Look) {
            events.extend([true, false].map(|keys_first| Event::Half(run.no, keys_first)));
        }
        if matches!(run.step, Step::Wait(_) | Step::Follow(_) | Step::Win) {
            events.push(Event::GiveUp(run.no));
        }
    }

    /// Whether a key minted now is of the same second as another: only then does it matter which id is smaller.
    fn is_a_tie(&self) -> bool {
        self.world.keys.iter().any(|key| key.created_at == self.world.now)
    }

    fn matters_whether_finished(&self, run: RunNo) -> bool {
        let unfinished = |mark| !matches!(mark, Mark::Active(_));
        let mut keys = self.world.keys.iter();
        let known = self.world.finished & (1 << run) != 0;
        !known && keys.any(|key| key.run == run && unfinished(key.mark))
    }

    /// The spans that make a difference. While a run is at work they are a fault: it is frozen meanwhile.
    fn spans(&self, more: bool) -> Vec<Span> {
        let unfinished = |key: &Key| !matches!(key.mark, Mark::Active(_));
        let lease = self.world.keys.iter().any(unfinished);
        let grace = self.world.keys.len() > 1 || self.world.app.is_some_and(|app| app.in_progress.is_some());
        let spans = [(lease, Span::Lease), (grace, Span::Grace)];
        let spans = spans
            .into_iter()
            .filter(|(matters, _)| *matters && (more || !self.is_busy()));
        spans.map(|(_, span)| span).collect()
    }

    fn is_busy(&self) -> bool {
        self.runs.iter().any(|run| !run.is_over() && !run.is_idle())
    }

    fn has_something_for(&self, hand: Hand) -> bool {
        let repository = &self.world.repository;
        match hand {
            Hand::OverwritesId => repository.id.value != Value::Nothing,
            Hand::OverwritesSecret | Hand::DeletesSecret => repository.secret.value != Value::Nothing,
            Hand::OverwritesVariable | Hand::DeletesVariable => repository.variable != Value::Nothing,
            Hand::SavesOldSpec => self.world.app.is_some_and(|app| app.spec != self.oldest()),
            // Only while a run is at the app does it matter.
            Hand::SavesTheirs => self.runs.iter().any(|run| run.editing.is_some()),
            Hand::DeletesTheKey => self.world.current().is_some(),
        }
    }

    /// The key that a script knows which nobody has told of the newer ones.
    fn oldest(&self) -> Value {
        let oldest = self.world.keys.iter().min_by_key(|key| (key.created_at, key.id));
        oldest.map_or(Value::Nothing, |key| Value::Key(key.id))
    }

    /// The point after the event, or the promise that it breaks.
    pub(crate) fn after(&self, event: Event, rules: &dyn Rules) -> Result<Self, Broken> {
        let mut story = self.clone();
        match event {
            Event::Answer(run, answer) => story.answer(run, answer, rules)?,
            Event::Half(run, keys_first) => {
                story.runs[usize::from(run)].look_at_half(&self.world, keys_first);
            }
            Event::GiveUp(run) => story.runs[usize::from(run)].give_up(),
            Event::Crash(run) => story.crash(run),
            Event::Finish(run) => story.finish(run),
            Event::Land(which) => story.land(which)?,
            Event::Pass(span) => story.pass(span),
            Event::Deployed => story.world.deploy(true),
            Event::DeploymentFails => story.world.deploy(false),
            Event::Hand(hand) => story.edit(hand),
        }
        if story.runs.iter().all(|run| run.editing.is_none()) {
            story.world.saves.clear();
        }
        promises::hold(&story)?;
        Ok(clock::rewound(story))
    }

    fn answer(&mut self, no: RunNo, answer: Answer, rules: &dyn Rules) -> Result<(), Broken> {
        let run = &mut self.runs[usize::from(no)];
        if let (Step::Delete(key), true) = (&run.step, answer != Answer::Refused && answer != Answer::Late) {
            let excused = self.past.disturbed || run.revokes(*key);
            order::may_go(&self.world, *key, excused)?;
        }
        if let (Step::Activate(_), Some(key), true) = (&run.step, run.own_key(), run.delivers(self.world.now))
        {
            promises::is_whole(self, key)?;
        }
        let run = &mut self.runs[usize::from(no)];
        let delivers = run.writes().iter().any(|write| write.delivers());
        let late = delivers && run.frozen;
        if late {
            self.world.now += Span::Pause.seconds();
        }
        let editing = run.may_have_replaced();
        // What is feigned is feigned in a later second than all before, for the same reason as a late write.
        if answer == Answer::Ineffective {
            self.world.now += Span::Pause.seconds();
        }
        self.late.extend(run.go_on(&mut self.world, rules, answer));
        self.past.cut_short |= editing && run.step == Step::Ended { green: false };
        if late {
            self.disturb();
            self.past.came_late = true;
        }
        if !self.runs.iter().any(|run| matches!(run.step, Step::Delete(_))) {
            self.past.disturbed = false;
        }
        Ok(())
    }

    /// It takes Actions a moment.
    fn finish(&mut self, no: RunNo) {
        self.world.now += Span::Pause.seconds();
        self.world.finished |= 1 << no;
    }

    /// Its requests are still on their way.
    fn crash(&mut self, no: RunNo) {
        let run = &mut self.runs[usize::from(no)];
        self.late.extend(run.writes());
        self.past.cut_short |= run.may_have_replaced();
        run.give_up();
        run.step = Step::Dead;
    }

    /// What lands late lands in a later second than all before: a server's times carry no fractions, so within one
    /// second nobody could see it.
    fn land(&mut self, which: usize) -> Result<(), Broken> {
        let write = self.late.remove(which);
        if let Write::Delete(key) = write {
            order::may_go(&self.world, key, true)?;
        }
        self.world.now += Span::Pause.seconds();
        self.world.take(write, false);
        if write.delivers() {
            self.disturb();
            self.past.came_late = true;
        }
        Ok(())
    }

    fn disturb(&mut self) {
        self.past.disturbed |= self.runs.iter().any(|run| matches!(run.step, Step::Delete(_)));
    }

    fn pass(&mut self, span: Span) {
        self.world.now += span.seconds();
        self.runs.iter_mut().for_each(Run::freeze);
    }

    /// Somebody reads the app, adds something, and saves it at once.
    fn save(&mut self) {
        let Some(app) = self.world.app else { return };
        let new = 1 << self.past.saved.count_ones();
        self.past.saved |= new;
        self.world.save(app.spec, app.theirs | new);
    }

    /// A hand edits in a later second than all before, for the same reason.
    fn edit(&mut self, hand: Hand) {
        if hand == Hand::SavesTheirs {
            return self.save();
        }
        self.disturb();
        self.past.hand = true;
        let (current, oldest) = (self.world.current(), self.oldest());
        let world = &mut self.world;
        world.now += Span::Pause.seconds();
        let foreign = crate::world::Secret {
            value: Value::Foreign,
            updated_at: world.now,
        };
        match hand {
            Hand::OverwritesId => world.repository.id = foreign,
            Hand::OverwritesSecret => world.repository.secret = foreign,
            Hand::DeletesSecret => {
                let gone = Value::Nothing;
                world.repository.secret = crate::world::Secret {
                    value: gone,
                    updated_at: 0,
                };
            }
            Hand::OverwritesVariable => world.repository.variable = Value::Foreign,
            Hand::DeletesVariable => world.repository.variable = Value::Nothing,
            Hand::SavesOldSpec => {
                let theirs = world.app.map_or(0, |app| app.theirs);
                world.save(oldest, theirs);
            }
            Hand::SavesTheirs => {}
            Hand::DeletesTheKey => world.keys.retain(|key| Some(key.id) != current),
        }
    }
}

impl Event {
    /// How many faults it adds to the story.
    pub(crate) fn faults(self, story: &Story) -> u8 {
        let fault = match self {
            Self::Answer(_, answer) => answer.is_fault(),
            Self::Finish(_) | Self::Land(_) | Self::Deployed | Self::Hand(Hand::SavesTheirs) => false,
            Self::Half(..) | Self::GiveUp(_) | Self::Crash(_) | Self::DeploymentFails | Self::Hand(_) => true,
            Self::Pass(_) => story.is_busy(),
        };
        u8::from(fault)
    }

    /// What happens with it, in words that name neither run nor key.
    pub(crate) fn happening(self, story: &Story) -> &'static str {
        match self {
            Self::Answer(_, answer) => answer.happening(),
            Self::Half(..) => "the two halves of a look lie apart",
            Self::GiveUp(_) => "a run loses patience",
            Self::Crash(_) => "a run dies",
            Self::Finish(_) => "Actions says that a run is over",
            Self::Land(_) => "a late request lands",
            Self::Pass(Span::Grace) => "grace passes",
            Self::Pass(_) if story.is_busy() => "a lease passes",
            Self::Pass(_) => "a dead run's lease passes",
            Self::Deployed => "a deployment becomes active",
            Self::DeploymentFails => "a deployment fails",
            Self::Hand(Hand::SavesOldSpec) => "a hand saves the app",
            Self::Hand(Hand::SavesTheirs) => "somebody saves the app while a run is at it",
            Self::Hand(Hand::DeletesTheKey) => "a hand deletes the current key",
            Self::Hand(Hand::OverwritesVariable | Hand::DeletesVariable) => "a hand changes the variable",
            Self::Hand(_) => "a hand changes a secret",
        }
    }
}

/// The event as it reads in a trace, told from the point before it.
pub(crate) struct Told<'a>(pub(crate) &'a Story, pub(crate) Event);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(story, event) = self;
        let step = |run: RunNo| format!("{:?}", story.runs[usize::from(run)].step);
        match *event {
            Event::Answer(run, answer) => write!(f, "run {run}: {} ({answer:?})", step(run)),
            Event::Half(run, true) => write!(f, "run {run}: reads the keys, the sinks later"),
            Event::Half(run, false) => write!(f, "run {run}: reads the sinks, the keys later"),
            Event::GiveUp(run) => write!(f, "run {run}: gives up {}", step(run)),
            Event::Crash(run) => write!(f, "run {run}: dies at {}", step(run)),
            Event::Finish(run) => write!(f, "Actions says that run {run} is over"),
            Event::Land(which) => write!(f, "lands late: {:?}", story.late[which]),
            Event::Pass(span) => write!(f, "{} seconds pass", span.seconds()),
            Event::Deployed => write!(f, "the deployment in progress becomes active"),
            Event::DeploymentFails => write!(f, "the deployment in progress fails"),
            Event::Hand(hand) => write!(f, "somebody: {hand:?}"),
        }
    }
}
