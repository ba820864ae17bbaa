//! The way of the data: observe, plan, apply, report. Every command goes it; they differ in what is wanted and in what
//! is asked of the keys.

mod auditing;
mod checking;
mod looking;
mod old_keys;
mod working;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::apply::{FullAccess, Keys, Ledger, Outcomes};
use crate::config::{Command, Request};
use crate::model::desired::{AppRef, Desired};
use crate::model::key::AccessKeyId;
use crate::model::name::Family;
use crate::model::observed::Observed;
use crate::model::problem::Problem;
use crate::plan::generations::Generations;
use crate::plan::{Brief, Plan, plan};
use crate::remote::Shutdown;
use crate::report::Report;
use crate::report::console::Console;
use crate::session::Session;
use crate::tell::{self, Told};

/// How long a deployment may take before it counts as failed, where nobody waits for it.
const DEPLOYMENT_PATIENCE: Duration = Duration::from_mins(30);

/// How long after a signal a delivery that has begun may go on: the runner kills ten seconds after the first signal, and
/// what happened must still be told.
const DELIVERY_AFTER_SIGNAL: Duration = Duration::from_secs(7);

/// How long after a signal a token may be given back.
const FAREWELL_AFTER_SIGNAL: Duration = Duration::from_secs(8);

/// One run, from the first look to the last effect.
pub struct Job<'a> {
    request: &'a Request,
    session: &'a Session,
    console: Console,
    shutdown: &'a Shutdown,
    desired: Desired,
    admin_family: Family,
    ledger: Ledger,
    /// The active keys of the first look, once it was taken.
    first_seen: Option<BTreeSet<AccessKeyId>>,
}

/// How the world stands after the work.
struct Done {
    plan: Plan,
    /// The plan that the last look made.
    last: Plan,
    buckets: Outcomes,
    keys: Keys,
}

impl<'a> Job<'a> {
    /// Prepares the run; nothing is sent.
    #[must_use]
    pub fn new(request: &'a Request, session: &'a Session, console: Console, shutdown: &'a Shutdown) -> Self {
        let desired = request.desired.clone();
        let admin_family = request.admin_family.clone();
        Self {
            request,
            session,
            console,
            shutdown,
            desired,
            admin_family,
            ledger: Ledger::default(),
            first_seen: None,
        }
    }

    /// Does the work. The admin key is gone when this returns, whatever happened.
    pub async fn run(self) -> Report {
        match self.request.command {
            Command::Check => Box::pin(self.check()).await,
            Command::Audit => Box::pin(self.audit()).await,
            _ => self.work().await,
        }
    }

    async fn work(mut self) -> Report {
        let mut full_access = self.full_access();
        self.console.open_group("Looking at what is there");
        let world = self.interruptible(self.observe(&mut full_access)).await;
        let Some(mut world) = world else {
            return self.stopped(full_access).await;
        };
        self.follow_moves(&mut world);
        let plan = self.plan(&world.observed, &BTreeSet::new());
        self.first_seen = Some(self.active_keys(&world.observed));
        self.console.close_group();
        if self.request.dry_run {
            self.give_back_token().await;
            let now = Some(world.observed.now);
            let planned = Told::Planned {
                plan: &plan,
                observed: &world.observed,
            };
            return tell::report(self.request, &self.desired, &planned, self.ledger.close(), now);
        }
        let done = Box::pin(self.apply(plan, &world, full_access)).await;
        self.tell(&done).await
    }

    /// Buckets are the only work for which full access is needed.
    fn full_access(&self) -> FullAccess {
        if self.desired.buckets.is_empty() {
            FullAccess::none()
        } else {
            self.any_full_access()
        }
    }

    fn any_full_access(&self) -> FullAccess {
        match (&self.request.access.full_access, &self.session.cleaner) {
            (Some(pair), _) => FullAccess::supplied(pair),
            (None, Some(cleaner)) if !self.request.dry_run => FullAccess::mint(
                cleaner,
                &self.admin_family,
                self.request.runner.run,
                self.console,
                self.shutdown,
            ),
            _ => FullAccess::none(),
        }
    }

    fn plan(&self, observed: &Observed, stuck: &BTreeSet<AppRef>) -> Plan {
        plan(&self.desired, &self.admin_family, observed, &self.brief(stuck))
    }

    fn brief<'b>(&'b self, stuck: &'b BTreeSet<AppRef>) -> Brief<'b> {
        Brief {
            intent: &self.request.intent,
            adopted: self.request.adopted.as_ref(),
            first_seen: self.first_seen.as_ref(),
            stuck,
            patience: self.request.patience.deployment.unwrap_or(DEPLOYMENT_PATIENCE),
        }
    }

    fn active_keys(&self, observed: &Observed) -> BTreeSet<AccessKeyId> {
        let families = self.desired.families.iter();
        let active = families.flat_map(|wanted| Generations::of(&wanted.family, observed).active);
        active.map(|generation| generation.key.id).collect()
    }

    /// `None` when a signal came first. What is cut off here is safe to repeat.
    async fn interruptible<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.shutdown.wait() => None,
            done = work => Some(done),
        }
    }

    /// Takes what the work comes to, unless it goes on long after a signal: then nothing is known of its end.
    async fn in_time<T: Default>(&self, subject: &str, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            done = work => done,
            () = self.shutdown.overdue(DELIVERY_AFTER_SIGNAL) => {
                let what = "a signal stopped the run while an answer was awaited";
                let remedy = "Run again: it goes on from what it finds, and delivers anew where that is in doubt.";
                self.ledger.failed(Problem::new(subject, what, remedy));
                T::default()
            }
        }
    }

    async fn stopped(self, full_access: FullAccess) -> Report {
        self.ledger.failed(Problem::new(
            "this run",
            "a signal stopped it before anything was changed",
            "Run again.",
        ));
        tokio::join!(self.retire_admin(full_access), self.give_back_token());
        self.console.close_group();
        let nothing = Told::Nothing;
        tell::report(self.request, &self.desired, &nothing, self.ledger.close(), None)
    }

    /// The token ends by itself within the hour; that it could not be given back is no failure of the run.
    async fn give_back_token(&self) {
        let Some(github) = &self.session.github else {
            return;
        };
        tokio::select! {
            biased;
            given_back = github.revoke() => {
                if let Err(failure) = given_back {
                    tracing::debug!("{failure}");
                }
            }
            () = self.shutdown.overdue(FAREWELL_AFTER_SIGNAL) => {}
        }
    }

    async fn retire_admin(&self, full_access: FullAccess) {
        if let Err(problem) = full_access.retire().await {
            self.ledger.failed(problem);
        }
    }

    async fn tell(self, done: &Done) -> Report {
        self.give_back_token().await;
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
            keys,
        } = done;
        let told = Told::Done {
            plan,
            last,
            buckets,
            keys,
        };
        tell::report(self.request, &self.desired, &told, self.ledger.close(), now)
    }
}
