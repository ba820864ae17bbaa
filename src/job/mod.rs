//! The way of the data: observe, plan, apply, report. Every command goes it; they differ in what is wanted and in what
//! is asked of the keys.

mod auditing;
mod checking;
mod looking;
mod old_keys;
mod working;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::apply::{ENDING_AFTER_SIGNAL, FullAccess, Keys, Landmarks, Ledger, Outcomes};
use crate::config::{Command, Request};
use crate::model::desired::{AppRef, Desired};
use crate::model::key::AccessKeyId;
use crate::model::name::Family;
use crate::model::observed::Observed;
use crate::model::problem::Problem;
use crate::plan::standing::Standing;
use crate::plan::{Brief, Plan, plan};
use crate::remedy;
use crate::remote::spaces::SpacesOf;
use crate::remote::{Cause, DigitalOcean, GitHub, Interrupted, Shutdown};
use crate::report::Report;
use crate::report::console::Console;
use crate::session::Session;
use crate::tell::{self, Told};
use looking::World;

/// How long a deployment may take before it counts as failed, where nobody waits for it.
const DEPLOYMENT_PATIENCE: Duration = Duration::from_mins(30);

/// How long after a signal a delivery that has begun may go on: the runner kills ten seconds after the first signal, and
/// what happened must still be told.
const DELIVERY_AFTER_SIGNAL: Duration = Duration::from_secs(7);

/// One run, from the first look to the last effect.
pub struct Job<'a> {
    request: &'a Request,
    session: &'a Session,
    console: Console,
    shutdown: &'a Shutdown,
    desired: Desired,
    admin_family: Family,
    full_access: &'a FullAccess,
    ledger: &'a Ledger,
    /// What stands of the buckets.
    landmarks: Landmarks,
    /// The active keys of the first look, once it was taken.
    first_seen: Option<BTreeSet<AccessKeyId>>,
}

/// How the world stands after the work.
struct Done {
    plan: Plan,
    /// The plan that the last look made.
    last: Plan,
    buckets: Outcomes,
    /// What stands of the buckets after all work on them.
    standing: Standing,
    keys: Keys,
}

impl<'a> Job<'a> {
    /// Prepares the run; nothing is sent. Whoever lends the full-access key and the book ends the one and reads the
    /// other, also when the run breaks off.
    #[must_use]
    pub fn new(
        request: &'a Request,
        session: &'a Session,
        console: Console,
        shutdown: &'a Shutdown,
        full_access: &'a FullAccess,
        ledger: &'a Ledger,
    ) -> Self {
        let desired = request.desired.clone();
        let admin_family = request.admin_family.clone();
        Self {
            request,
            session,
            console,
            shutdown,
            desired,
            admin_family,
            full_access,
            ledger,
            landmarks: Landmarks::default(),
            first_seen: None,
        }
    }

    /// Does the work.
    pub async fn run(self) -> Report {
        match self.request.command {
            Command::Check => Box::pin(self.check()).await,
            Command::Audit => Box::pin(self.audit()).await,
            _ => Box::pin(self.work()).await,
        }
    }

    async fn work(mut self) -> Report {
        let access = self.order_full_access().await;
        self.console.open_group("Looking at what is there");
        let world = self.interruptible(self.observe(access)).await;
        let Some(mut world) = world else {
            return self.stopped();
        };
        let rejections = self.rejections(&world);
        if !rejections.is_empty() {
            return self.rejected(rejections);
        }
        self.follow_moves(&mut world);
        if self.request.dry_run {
            self.look_twice(&mut world).await;
            self.look_elsewhere(&mut world).await;
        }
        let mut plan = self.plan(&world.observed, &BTreeSet::new());
        if plan.may_mistake_a_run_for_a_stranger(&world.observed) {
            let Some(again) = self.interruptible(self.observe(access)).await else {
                return self.stopped();
            };
            world = again;
            self.follow_moves(&mut world);
            plan = self.plan(&world.observed, &BTreeSet::new());
        }
        self.first_seen = Some(plan.active_keys());
        self.console.close_group();
        if self.request.dry_run {
            self.tell_unseen(&plan);
            let now = Some(world.observed.now);
            let planned = Told::Planned {
                plan: &plan,
                observed: &world.observed,
            };
            return tell::report(self.request, &self.desired, &planned, self.ledger.told(), now);
        }
        let done = Box::pin(self.apply(plan, &world)).await;
        self.tell(&done)
    }

    /// A plan that nobody has looked at says nothing of what the run would do.
    fn tell_unseen(&self, plan: &Plan) {
        let unseen = plan.buckets.iter().filter(|bucket| bucket.is_unseen());
        let names: Vec<&str> = unseen.map(|bucket| bucket.name.as_str()).collect();
        if !names.is_empty() {
            self.ledger.note(Problem::new(
                "buckets",
                format!(
                    "not looked at, since a dry run mints no full-access key: {}",
                    names.join(", ")
                ),
                "Give spaces-access-key-id and its secret to see what would change.",
            ));
        }
    }

    /// Buckets are the only work for which full access is needed.
    async fn order_full_access(&self) -> Option<&'a FullAccess> {
        if self.desired.buckets.is_empty() {
            return None;
        }
        self.full_access.order().await;
        Some(self.full_access)
    }

    /// The bucket work is done. What cannot be deleted now is tried again at the very end, and told there.
    async fn end_full_access(&self) {
        let end = self.shutdown.within(ENDING_AFTER_SIGNAL, self.full_access.end());
        if let Ok(Err(problem)) = end.await {
            tracing::debug!("{problem}");
        }
    }

    fn plan(&self, observed: &Observed, stuck: &BTreeSet<AppRef>) -> Plan {
        plan(&self.desired, &self.admin_family, observed, &self.brief(stuck))
    }

    fn brief<'b>(&'b self, stuck: &'b BTreeSet<AppRef>) -> Brief<'b> {
        Brief {
            intent: &self.request.intent,
            adopted: self.request.adopted.as_ref(),
            overwrite: self.request.overwrite,
            first_seen: self.first_seen.as_ref(),
            stuck,
            patience: self.patience(),
        }
    }

    /// How long a deployment may take, whether or not the run waits for it.
    fn patience(&self) -> Duration {
        let asked = self.request.patience.deployment;
        asked.unwrap_or(DEPLOYMENT_PATIENCE)
    }

    /// `None` when a signal came first. What is cut off here is safe to repeat.
    async fn interruptible<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            _ = self.shutdown.wait() => None,
            done = work => Some(done),
        }
    }

    /// Takes what the work comes to, unless it goes on long after a signal: then nothing is known of its end.
    async fn in_time<T: Default>(&self, subject: &str, work: impl Future<Output = T>) -> T {
        let done = self.shutdown.within(DELIVERY_AFTER_SIGNAL, work).await;
        done.unwrap_or_else(|Interrupted(cause)| {
            let what = format!("{cause} stopped the run while an answer was awaited");
            let remedy =
                "Run again: it goes on from what it finds, and delivers anew where that is in doubt.";
            self.ledger.failed(Problem::new(subject, what, remedy));
            self.ledger.tell_unfinished(cause);
            T::default()
        })
    }

    /// Tells that the run was stopped, by whatever asked for it, at this point of its way.
    fn was_stopped(&self, subject: &str, where_it_was: &str) {
        let cause = self.shutdown.cause().unwrap_or(Cause::Signal);
        let what = format!("{cause} stopped {where_it_was}");
        self.ledger.failed(Problem::new(subject, what, "Run again."));
    }

    fn stopped(self) -> Report {
        self.was_stopped("this run", "it before anything was changed");
        self.leave()
    }

    /// The services that did not accept their credential during the first look, each told once.
    fn rejections(&self, world: &World) -> Vec<Problem> {
        let digitalocean = self.session.digitalocean.as_ref();
        let github = self.session.github.as_ref();
        let spaces = world.access.as_ref().map(|(_, spaces)| spaces);
        let rejections = [
            digitalocean.and_then(DigitalOcean::rejection),
            github.and_then(GitHub::rejection),
            spaces.and_then(SpacesOf::rejection),
        ];
        rejections.into_iter().flatten().map(remedy::rejection).collect()
    }

    /// Without one of its credentials a run does nothing at all: half of it would announce what the other half cannot
    /// bring about.
    fn rejected(self, rejections: Vec<Problem>) -> Report {
        for rejection in rejections {
            self.ledger.failed(rejection);
        }
        self.leave()
    }

    /// The way out of a run that has changed nothing.
    fn leave(self) -> Report {
        self.console.close_group();
        let nothing = Told::Nothing;
        tell::report(self.request, &self.desired, &nothing, self.ledger.told(), None)
    }

    fn tell(self, done: &Done) -> Report {
        self.tell_unexported(done);
        let now = self
            .session
            .digitalocean
            .as_ref()
            .and_then(|digitalocean| digitalocean.clock().now());
        let Done {
            plan,
            last,
            buckets,
            standing,
            keys,
        } = done;
        let told = Told::Done {
            plan,
            last,
            buckets,
            standing,
            keys,
        };
        tell::report(self.request, &self.desired, &told, self.ledger.told(), now)
    }
}
