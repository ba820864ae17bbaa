//! The life of an account, event by event: runs that the schedule and people start, and everything around them.

mod around;
mod checks;
mod runs;
mod told;

use std::collections::BTreeMap;

use crate::account::{Account, DAY, HOUR, OneIn};
use crate::dice::Dice;
use crate::ledger::Ledger;
use crate::mutants::Mistake;
use crate::order::Broken;
use crate::outside::Outside;
use crate::planner::Blindness;
use crate::product::Product;
use crate::rules::Errand;
use crate::run::Run;
use crate::world::{DeploymentNo, RunNo, Time, World, Write};
use told::Told;

/// No account can have more keys than the model can count; an account that comes so far is left.
const MOST_KEYS: u8 = 70;

/// Something that happens at its time.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// The schedule means to start a run, the so manieth.
    Slot(u32),
    /// A run begins; with the start that the schedule meant, of a run that it started.
    Begin(Errand, Option<Time>),
    /// The answer to a run's request comes.
    Go(RunNo),
    /// Actions says that a run which was killed is over.
    Finish(RunNo),
    /// A request lands that nobody waits for any more.
    Land(Write),
    Job,
    JobEnds(u64),
    Push,
    /// Nothing more comes of the deployment in progress: it serves, or fails, or hangs.
    Deployed(DeploymentNo, Course),
    Overwrite,
    Midnight(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    Serves,
    Fails,
    Hangs,
}

/// A run at work.
#[derive(Clone)]
struct Working {
    run: Run,
    /// The start that the schedule meant, of a run that it started.
    slot: Option<Time>,
    /// Since when it awaits what it awaits now.
    waiting_since: Option<Time>,
    /// After how many more requests it is killed.
    killed_after: Option<u64>,
}

/// What somebody got wrong, to see that it is noticed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wrong {
    pub(crate) rule: Option<Mistake>,
    pub(crate) blindness: Option<Blindness>,
}

/// A promise that was broken, and when.
#[derive(Debug)]
pub(crate) struct Breach {
    pub(crate) seed: u64,
    pub(crate) day: u32,
    pub(crate) what: String,
}

#[derive(Clone)]
pub(crate) struct Life<'a> {
    account: &'a Account,
    product: &'a Product,
    wrong: Wrong,
    world: World,
    outside: Outside,
    working: Vec<Working>,
    ledger: Ledger,
    queue: BTreeMap<(Time, u32), Event>,
    queued: u32,
    next_run: RunNo,
    dice: Dice,
    /// Whether nothing goes wrong and no time passes.
    gentle: bool,
    /// From which day on every event is printed.
    told_from: Option<u32>,
}

impl<'a> Life<'a> {
    pub(crate) fn new(account: &'a Account, product: &'a Product, wrong: Wrong) -> Self {
        let world = World::empty();
        let mut life = Self {
            account,
            product,
            wrong,
            world: if account.has_app { world.with_app() } else { world },
            outside: Outside::default(),
            working: Vec::new(),
            ledger: Ledger::default(),
            queue: BTreeMap::new(),
            queued: 0,
            next_run: 0,
            dice: Dice(account.seed ^ 0xDA75),
            gentle: false,
            told_from: None,
        };
        if life.world.app.is_some() {
            life.note_deployments();
            life.outside.serves(0, 0);
        }
        life.begin();
        life
    }

    /// The same with every event from this day on printed.
    pub(crate) fn told_from(mut self, day: u32) -> Self {
        self.told_from = Some(day);
        self
    }

    fn begin(&mut self) {
        self.at(10, Event::Begin(Errand::Bootstrap, None));
        let first = HOUR + self.up_to(self.account.schedule.period);
        self.at(first, Event::Slot(0));
        self.at(HOUR, Event::Job);
        if self.account.pushes > 0 {
            self.at(HOUR, Event::Push);
        }
        if let Some(period) = self.account.trouble.overwritten {
            let first = 2 * HOUR + self.up_to(period);
            self.at(first, Event::Overwrite);
        }
        self.at(DAY, Event::Midnight(1));
    }

    /// What has happened, how often.
    pub(crate) fn happenings(&self) -> &BTreeMap<&'static str, u32> {
        &self.ledger.happenings
    }

    /// Lives it to its last day. Returns how many days it has had.
    pub(crate) fn live(&mut self) -> Result<u32, Breach> {
        while let Some(((at, _), event)) = self.queue.pop_first() {
            self.world.now = self.world.now.max(at);
            self.ledger.see(&self.world);
            self.tell(event);
            self.happen(event).map_err(|Broken(what)| self.breach(what))?;
            self.ledger.see(&self.world);
            let day = self.world.now / DAY;
            if day >= self.account.days || self.world.minted > MOST_KEYS {
                return Ok(day);
            }
        }
        Ok(self.account.days)
    }

    fn breach(&self, what: String) -> Breach {
        Breach {
            seed: self.account.seed,
            day: self.world.now.saturating_sub(1) / DAY,
            what,
        }
    }

    fn tell(&self, event: Event) {
        let day = self.world.now / DAY;
        if self.told_from.is_some_and(|from| day >= from) {
            println!("{}", Told(self, event));
        }
    }

    fn happen(&mut self, event: Event) -> Result<(), Broken> {
        match event {
            Event::Slot(no) => self.slot(no),
            Event::Begin(errand, slot) => self.start(errand, slot),
            Event::Go(no) => self.go(no)?,
            Event::Finish(no) => self.finish(no),
            Event::Land(write) => drop(self.world.take(write, false)),
            Event::Job => self.queue_job(),
            Event::JobEnds(id) => drop(self.outside.jobs.remove(&id)),
            Event::Push => self.push(),
            Event::Deployed(no, course) => self.deployed(no, course),
            Event::Overwrite => self.overwrite(),
            Event::Midnight(day) => self.midnight(day)?,
        }
        self.note_deployments();
        Ok(())
    }
}

// Time and chance.
impl Life<'_> {
    fn at(&mut self, at: Time, event: Event) {
        self.queued += 1;
        self.queue.insert((at, self.queued), event);
    }

    fn after(&mut self, span: Time, event: Event) {
        self.at(self.world.now + span, event);
    }

    /// As long as a request takes.
    fn pause(&mut self, event: Event) {
        let span = 1 + self.up_to(2);
        self.after(span, event);
    }

    fn up_to(&mut self, most: Time) -> Time {
        let rolled = self.dice.roll(u64::from(most) + 1);
        Time::try_from(rolled).expect("no more than asked for")
    }

    fn chance(&mut self, one_in: OneIn) -> bool {
        one_in.is_some_and(|sides| !self.gentle && self.dice.roll(sides) == 0)
    }
}
