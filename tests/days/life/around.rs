//! What goes on around the runs.

use super::{Course, Event, Life};
use crate::account::{DAY, MINUTE};
use crate::outside::{Job, Phase, displaced};
use crate::world::{DeploymentNo, Repository, Secret, Value};

impl Life<'_> {
    pub(super) fn queue_job(&mut self) {
        let longest = self.account.longest_job;
        let length = MINUTE + self.up_to(longest - MINUTE);
        let id = 1_000 + u64::from(self.queued);
        let job = Job::queued(self.world.now, &self.world.repository);
        self.outside.jobs.insert(id, job);
        self.after(length, Event::JobEnds(id));
        let next = self.up_to(2 * DAY / self.account.jobs);
        self.after(1 + next, Event::Job);
    }

    /// New code: the spec as it is, deployed.
    pub(super) fn push(&mut self) {
        let next = self.up_to(2 * DAY / self.account.pushes);
        self.after(1 + next, Event::Push);
        if let Some(app) = self.world.app {
            self.world.save(app.spec, app.theirs);
        }
    }

    pub(super) fn overwrite(&mut self) {
        let Some(period) = self.account.trouble.overwritten else {
            return;
        };
        self.after(period, Event::Overwrite);
        let (now, second) = (self.world.now, self.dice.roll(2) == 0);
        let Repository { id, secret, .. } = &mut self.world.repository;
        let secret = if second { secret } else { id };
        // What stands there before our first delivery would be the other tool's for good.
        if secret.value != Value::Nothing {
            self.ledger.happened("another tool overwrites a secret");
            *secret = Secret {
                value: Value::Foreign,
                updated_at: now,
            };
        }
    }

    pub(super) fn deployed(&mut self, no: DeploymentNo, course: Course) {
        let Some(app) = self.world.app else { return };
        if app.in_progress.is_none_or(|one| one.no != no) {
            return;
        }
        match course {
            Course::Hangs if app.pending.is_none() => {
                return self.after(10 * MINUTE, Event::Deployed(no, course));
            }
            Course::Hangs => self.outside.deployments[usize::from(no)].phase = displaced(self.world.now),
            Course::Fails => self.outside.deployments[usize::from(no)].phase = Phase::Failed,
            Course::Serves => self.outside.serves(no, self.world.now),
        }
        self.ledger.happened(match course {
            Course::Hangs => "a deployment hangs until a newer one takes its place",
            Course::Fails => "a deployment fails",
            Course::Serves => "a deployment becomes active",
        });
        self.world.deploy(course == Course::Serves);
    }

    /// What is in progress will come to some end.
    pub(super) fn note_deployments(&mut self) {
        let Some(app) = self.world.app else { return };
        self.outside.note(&app, self.world.now);
        let Some(no) = app.in_progress.map(|one| one.no) else {
            return;
        };
        let deployment = &mut self.outside.deployments[usize::from(no)];
        if std::mem::replace(&mut deployment.has_begun, true) {
            return;
        }
        let trouble = self.account.trouble;
        let course = match () {
            () if self.gentle => Course::Serves,
            () if self.chance(trouble.failing) => Course::Fails,
            () if self.chance(trouble.stuck) => Course::Hangs,
            () => Course::Serves,
        };
        let length = 2 * MINUTE + self.up_to(6 * MINUTE);
        self.after(length, Event::Deployed(no, course));
    }
}
