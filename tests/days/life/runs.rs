//! The schedule, and the runs that it and people start.

use super::{Event, Life, Working};
use crate::account::{MINUTE, seconds};
use crate::mutants::Mutant;
use crate::order::Broken;
use crate::outside::{Job, Outside};
use crate::planner::Planner;
use crate::product::PATIENCE;
use crate::rules::{Errand, Rules};
use crate::run::{Answer, Run, Step};
use crate::world::{RunNo, Time};

/// How long a run waits for another one: the default of `lock-timeout`.
pub(super) const LOCK_TIMEOUT: Time = 12 * MINUTE;

/// How often a run looks whether what it awaits has come.
const POLL: Time = 20;

/// How many numbers there are for runs that may overlap.
const RUNS: RunNo = 6;

impl Life<'_> {
    pub(super) fn slot(&mut self, no: u32) {
        let schedule = self.account.schedule;
        self.after(schedule.period, Event::Slot(no + 1));
        if self.chance(schedule.dropped) {
            self.ledger.happened("a start is dropped");
            self.ledger.lost_slots.push(self.world.now);
            return;
        }
        let late = self.up_to(schedule.latest);
        if late > 0 {
            self.ledger.happened("a start is late");
        }
        self.after(late, Event::Begin(Errand::Rotate, Some(self.world.now)));
    }

    pub(super) fn start(&mut self, errand: Errand, slot: Option<Time>) {
        if errand == Errand::Force {
            self.ledger.happened("somebody forces a rotation");
        }
        let no = self.next_run;
        self.next_run = (no + 1) % RUNS;
        self.world.finished &= !(1 << no);
        let killed = self.chance(self.account.trouble.killed);
        let killed_after = killed.then(|| self.dice.roll(16));
        self.working.retain(|working| working.run.no != no);
        self.working.push(Working {
            run: Run::new(no, errand),
            slot,
            waiting_since: None,
            killed_after,
        });
        let job = Job::of_ours(self.world.now);
        self.outside.jobs.insert(Outside::id_of(no), job);
        self.pause(Event::Go(no));
    }

    pub(super) fn go(&mut self, no: RunNo) -> Result<(), Broken> {
        let Some(at) = self.working.iter().position(|working| working.run.no == no) else {
            return Ok(());
        };
        let mut working = self.working.swap_remove(at);
        if working.is_killed() {
            self.kill(&working);
            return Ok(());
        }
        self.answer(&mut working)?;
        if let Step::Ended { green } = working.run.step {
            self.conclude(&working, green);
        } else {
            let waits = working.waiting_since.is_some();
            self.working.push(working);
            if waits {
                self.after(POLL, Event::Go(no));
            } else {
                self.pause(Event::Go(no));
            }
        }
        Ok(())
    }

    pub(super) fn answer(&mut self, working: &mut Working) -> Result<(), Broken> {
        let can_go_on = self.with_rules(|rules, life| working.run.can_go_on(&life.world, rules));
        if !can_go_on {
            self.wait(working);
            return Ok(());
        }
        working.waiting_since = None;
        let answer = self.draw_answer(&working.run);
        self.ledger.happened(answer.happening());
        let lands = !matches!(answer, Answer::Refused | Answer::Late | Answer::Ineffective);
        if let Step::Delete(key) = working.run.step
            && lands
        {
            self.may_go(key)?;
            self.ledger.happened("a key goes");
        }
        let mut world = self.world.clone();
        let late = self.with_rules(|rules, _| working.run.go_on(&mut world, rules, answer));
        self.world = world;
        if let Some(write) = late {
            let delay = 1 + self.up_to(30);
            self.after(delay, Event::Land(write));
        }
        Ok(())
    }

    pub(super) fn wait(&mut self, working: &mut Working) {
        if matches!(working.run.step, Step::Wait(_)) {
            self.ledger.happened("a run waits for another one");
        }
        let since = *working.waiting_since.get_or_insert(self.world.now);
        let patience = match working.run.step {
            Step::Wait(_) => LOCK_TIMEOUT,
            _ => seconds(PATIENCE),
        };
        if self.gentle {
            self.hurry();
        } else if self.world.now >= since + patience {
            working.run.give_up();
        }
    }

    pub(super) fn draw_answer(&mut self, run: &Run) -> Answer {
        if run.writes().is_empty() {
            return Answer::Plain;
        }
        // Not the first rename: that it was not done is seen when the secrets are read back, and a run that ends before
        // that leaves a key which looks as if no sink had seen it (`tests/model/main.rs`).
        let may_be_feigned = matches!(
            run.step,
            Step::PutSecrets { .. } | Step::PutVariable | Step::MendVariable(_) | Step::Activate(_)
        );
        if may_be_feigned && self.chance(self.account.trouble.lying) {
            return Answer::Ineffective;
        }
        if !self.chance(self.account.trouble.lost) {
            return Answer::Plain;
        }
        match run.step {
            Step::PutApp(_) => {
                self.dice
                    .pick(&[Answer::Lost, Answer::Late, Answer::Refused, Answer::Undeployed])
            }
            _ => self.dice.pick(&[Answer::Lost, Answer::Late, Answer::Refused]),
        }
    }

    /// What it has sent may still land. Actions says that it is over, or cannot be asked.
    pub(super) fn kill(&mut self, working: &Working) {
        self.ledger.happened("a run is killed");
        for write in working.run.writes() {
            if self.dice.roll(2) == 0 {
                let delay = 1 + self.up_to(20);
                self.after(delay, Event::Land(write));
            }
        }
        self.ledger.lost_slots.extend(working.slot);
        self.outside.jobs.remove(&Outside::id_of(working.run.no));
        if self.dice.roll(3) > 0 {
            let delay = MINUTE + self.up_to(5 * MINUTE);
            self.after(delay, Event::Finish(working.run.no));
        }
    }

    pub(super) fn conclude(&mut self, working: &Working, green: bool) {
        if !green {
            self.ledger.lost_slots.extend(working.slot);
        }
        self.finish(working.run.no);
    }

    pub(super) fn finish(&mut self, no: RunNo) {
        // Only a run that is at the app asks for the saves since it has read it.
        if self.working.is_empty() {
            self.world.saves.clear();
        }
        if self.working.iter().all(|working| working.run.no != no) {
            self.world.finished |= 1 << no;
            self.outside.jobs.remove(&Outside::id_of(no));
        }
    }

    pub(super) fn with_rules<T>(&self, ask: impl FnOnce(&dyn Rules, &Self) -> T) -> T {
        let planner = Planner {
            product: self.product,
            outside: &self.outside,
            grace: seconds(self.account.lifetime.grace()),
            blindness: self.wrong.blindness,
        };
        match self.wrong.rule {
            None => ask(&planner, self),
            Some(mistake) => ask(
                &Mutant {
                    product: planner,
                    mistake,
                },
                self,
            ),
        }
    }
}

impl Working {
    /// Whether it comes no further.
    fn is_killed(&mut self) -> bool {
        let left = self.killed_after;
        self.killed_after = left.map(|left| left.saturating_sub(1));
        left == Some(0)
    }
}
