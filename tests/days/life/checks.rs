//! What is looked at every day, and at every deletion.

use std::fmt;

use super::runs::LOCK_TIMEOUT;
use super::{Course, Event, Life};
use crate::account::{Account, DAY, HOUR, seconds};
use crate::order::{self, Broken};
use crate::rules::Errand;
use crate::run::Step;
use crate::world::{KeyId, Time};

impl Life<'_> {
    pub(super) fn midnight(&mut self, day: u32) -> Result<(), Broken> {
        self.at((day + 1) * DAY, Event::Midnight(day + 1));
        if self.chance(self.account.trouble.by_hand) {
            let delay = self.up_to(DAY);
            self.after(delay, Event::Begin(Errand::Force, None));
        }
        for key in &self.world.keys {
            self.is_young_enough(key.id)?;
        }
        self.is_tidy()?;
        if self.working.is_empty() {
            self.clone().comes_to_rest()?;
        }
        Ok(())
    }

    /// A key goes when nothing holds it, and nothing has held it for the grace period.
    pub(super) fn may_go(&self, key: KeyId) -> Result<(), Broken> {
        order::may_go(&self.world, key, false)?;
        if let Some(job) = self.outside.job_with(key) {
            return Err(Broken(format!(
                "key {key} is deleted, and workflow run {job} holds it"
            )));
        }
        let grace = seconds(self.account.lifetime.grace());
        let served = self.outside.served_without(key);
        let left = self.ledger.left_secrets(key).into_iter().chain(served).max();
        match left {
            Some(left) if left.saturating_add(grace) > self.world.now => Err(Broken(format!(
                "key {key} is deleted {} s after it was replaced; the grace period is {grace} s",
                self.world.now.saturating_sub(left)
            ))),
            _ => self.is_young_enough(key),
        }
    }

    pub(super) fn is_young_enough(&self, key: KeyId) -> Result<(), Broken> {
        let Some(created_at) = self.world.key(key).map(|key| key.created_at) else {
            return Ok(());
        };
        let age = self.world.now - created_at;
        let allowed = seconds(self.account.lifetime.max_age());
        let excuse = self.ledger.excuse(created_at, self.account);
        if age <= allowed + excuse {
            return Ok(());
        }
        Err(Broken(format!(
            "key {key} is {} old; max-age is {}, and {} are excused",
            Hours(age),
            Hours(allowed),
            Hours(excuse)
        )))
    }

    /// No more than five older keys, unless another tool is at work. Every start whose run did not end well may have left
    /// one more, and where a schedule replaces several keys within a grace period or a long job, all of them are kept.
    pub(super) fn is_tidy(&self) -> Result<(), Broken> {
        let older = self.world.keys.len().saturating_sub(1);
        let oldest = self.world.keys.iter().map(|key| key.created_at).min();
        let lost = oldest.map_or(0, |since| self.ledger.lost_since(since));
        if older > 5 + lost + self.replaced_while_kept() && !self.account.is_overwritten() {
            return Err(Broken(format!("{older} older keys are there")));
        }
        Ok(())
    }

    /// How often a schedule can replace a key within its grace period, or while a job holds it.
    fn replaced_while_kept(&self) -> usize {
        let Account {
            lifetime,
            schedule,
            longest_job,
            ..
        } = self.account;
        let kept = seconds(lifetime.grace()).max(*longest_job);
        let often = schedule
            .period
            .saturating_sub(schedule.latest)
            .max(seconds(lifetime.due_age()));
        usize::try_from(kept / often).expect("a few")
    }

    /// If nothing more went wrong, one run would bring order, and a second one write nothing.
    pub(super) fn comes_to_rest(mut self) -> Result<(), Broken> {
        self.gentle = true;
        self.queue.clear();
        let writes = self.quiet_run().map_err(|broken| broken.at("a clean run"))?;
        order::in_order(&self.world).map_err(|broken| broken.at("after a clean run"))?;
        // After one that has written nothing a second one would be the same once more.
        if writes == 0 {
            return Ok(());
        }
        match self.quiet_run() {
            Ok(0) => Ok(()),
            Ok(writes) => Err(Broken(format!("a second clean run writes {writes} times"))),
            Err(broken) => Err(broken.at("a second clean run")),
        }
    }

    /// Returns how often it wrote.
    pub(super) fn quiet_run(&mut self) -> Result<usize, Broken> {
        self.start(Errand::Bootstrap, None);
        let mut working = self
            .working
            .pop()
            .ok_or_else(|| Broken("it does not start".to_owned()))?;
        working.killed_after = None;
        self.queue.clear();
        let mut writes = 0;
        for _ in 0..100 {
            if let Step::Ended { green } = working.run.step {
                self.finish(working.run.no);
                return green
                    .then_some(writes)
                    .ok_or_else(|| Broken("it ended red".to_owned()));
            }
            writes += working.run.writes().len();
            self.answer(&mut working)?;
            self.note_deployments();
        }
        Err(Broken(format!("it comes to no end: {:?}", working.run.step)))
    }

    /// What a run waits for comes at once.
    pub(super) fn hurry(&mut self) {
        let in_progress = self.world.app.and_then(|app| app.in_progress);
        match in_progress {
            Some(one) => self.deployed(one.no, Course::Serves),
            None => self.world.now += LOCK_TIMEOUT,
        }
    }
}

/// A span in hours, as a person reads it.
struct Hours(Time);

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} h", f64::from(self.0) / f64::from(HOUR))
    }
}
