//! The way of the data: observe, plan, apply, report.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::apply::{
    self, BucketWork, Entries, Findings, FullAccess, KeyOutcome, Keys, Ledger, Next, Outcomes, Round, Writers,
};
use crate::config::Request;
use crate::model::bucket::BucketName;
use crate::model::desired::{AppRef, Desired, WantedBucket};
use crate::model::key::SpacesKey;
use crate::model::name::Family;
use crate::model::observed::{AppState, BucketState, Observed, Reading};
use crate::model::problem::Problem;
use crate::model::sink::Target;
use crate::observe::{self, GitHubView};
use crate::plan::generations::runs_in_question;
use crate::plan::{AppPlan, Plan, plan};
use crate::remote::spaces::{Freshness, KeyPair};
use crate::remote::{SealingKey, Shutdown, Spaces};
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

/// One run of `bootstrap`, from the first look to the last effect.
pub struct Bootstrap<'a> {
    request: &'a Request,
    session: &'a Session,
    console: Console,
    shutdown: &'a Shutdown,
    desired: Desired,
    admin_family: Family,
    ledger: Ledger,
}

/// What was read of the world, and what seals secrets for it.
struct World {
    observed: Observed,
    sealing: BTreeMap<Target, SealingKey>,
    access: Option<(KeyPair, Spaces)>,
}

/// How the world stands after the work.
struct Done {
    plan: Plan,
    buckets: Outcomes,
    keys: Keys,
}

impl<'a> Bootstrap<'a> {
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
        }
    }

    /// Does the work. The admin key is gone when this returns, whatever happened.
    pub async fn run(mut self) -> Report {
        let mut full_access = self.full_access();
        self.console.open_group("Looking at what is there");
        let world = self.interruptible(self.observe(&mut full_access)).await;
        let Some(mut world) = world else {
            return self.stopped(full_access).await;
        };
        self.follow_moves(&mut world);
        let plan = self.plan(&world.observed);
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

    fn full_access(&self) -> FullAccess {
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
        tokio::join!(self.retire(full_access), self.give_back_token());
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

    async fn retire(&self, full_access: FullAccess) {
        if let Err(problem) = full_access.retire().await {
            self.ledger.failed(problem);
        }
    }
}

// Observe.
impl Bootstrap<'_> {
    async fn observe(&self, full_access: &mut FullAccess) -> World {
        let buckets = async {
            let access = self.open_buckets(full_access).await;
            let states = self.observe_buckets(access.as_ref()).await;
            (access.ok().flatten(), states)
        };
        let keys = async {
            let keys = self.keys().await;
            let runs = runs_in_question(
                &self.desired,
                &self.admin_family,
                keys.as_deref().unwrap_or_default(),
                self.request.runner.run,
            );
            let repository = self.request.runner.repository.as_ref();
            let finished = observe::finished_runs(self.session.github.as_ref(), repository, &runs).await;
            (keys, finished)
        };
        let ((access, buckets), (keys, finished_runs), github, apps) =
            tokio::join!(buckets, keys, self.github(), self.apps());
        let GitHubView {
            targets,
            sealing,
            moved,
        } = github;
        let clock = self
            .session
            .digitalocean
            .as_ref()
            .and_then(|digitalocean| digitalocean.clock().now());
        let observed = Observed {
            now: clock.unwrap_or(observe::EPOCH),
            run: self.request.runner.run,
            keys,
            finished_runs,
            buckets,
            targets,
            apps,
            moved,
        };
        World {
            observed,
            sealing,
            access,
        }
    }

    async fn keys(&self) -> Reading<Vec<SpacesKey>> {
        match &self.session.digitalocean {
            Some(digitalocean) => observe::keys(digitalocean).await,
            None => Ok(Vec::new()),
        }
    }

    async fn github(&self) -> GitHubView {
        match &self.session.github {
            Some(github) => observe::github(github, &self.desired).await,
            None => GitHubView::default(),
        }
    }

    async fn apps(&self) -> BTreeMap<AppRef, Reading<AppState>> {
        match &self.session.digitalocean {
            Some(digitalocean) => observe::apps(digitalocean, &self.desired).await,
            None => BTreeMap::new(),
        }
    }

    async fn open_buckets(&self, full_access: &mut FullAccess) -> Result<Option<(KeyPair, Spaces)>, Problem> {
        let freshness = if full_access.is_fresh() {
            Freshness::Fresh
        } else {
            Freshness::Settled
        };
        let pair = full_access.pair().await?;
        Ok(pair.map(|pair| {
            let spaces = self.session.spaces(&pair, freshness);
            (pair, spaces)
        }))
    }

    async fn observe_buckets(
        &self,
        access: Result<&Option<(KeyPair, Spaces)>, &Problem>,
    ) -> BTreeMap<BucketName, Reading<BucketState>> {
        match access {
            Ok(access) => observe::buckets(access.as_ref().map(|(_, spaces)| spaces), &self.desired).await,
            Err(problem) => {
                let unreadable = |wanted: &WantedBucket| (wanted.name.clone(), Err(problem.clone()));
                self.desired.buckets.iter().map(unreadable).collect()
            }
        }
    }

    /// A repository that has moved is written under its new name; GitHub redirects reads only.
    fn follow_moves(&mut self, world: &mut World) {
        for (wanted, found) in std::mem::take(&mut world.observed.moved) {
            self.desired.rename_repository(&wanted, &found);
            if wanted != found {
                let what = format!("it has moved to {found}, where the secrets are written now");
                let remedy = format!("Set github-repository: {found}.");
                self.ledger
                    .note(Problem::new(format!("repository {wanted}"), what, remedy));
            }
        }
    }

    fn plan(&self, observed: &Observed) -> Plan {
        let patience = self.request.patience.deployment.unwrap_or(DEPLOYMENT_PATIENCE);
        plan(&self.desired, &self.admin_family, observed, patience)
    }
}

// Apply.
impl Bootstrap<'_> {
    async fn apply(&self, plan: Plan, world: &World, full_access: FullAccess) -> Done {
        self.console.open_group("Buckets, variables, preflight");
        let work = world
            .access
            .as_ref()
            .map(|(pair, spaces)| self.bucket_work(pair, spaces));
        let (created, findings) = self.prepare(&plan, world, work.as_ref()).await;
        self.console.close_group();
        self.console.open_group("Bucket settings, keys");
        let finish_buckets = async {
            let outcomes = self.configure(&plan, work.as_ref(), &created).await;
            self.retire(full_access).await;
            outcomes
        };
        let settle_keys = self.in_time("keys", self.settle_keys(&plan, world, &created, findings));
        let (buckets, (keys, apps)) = tokio::join!(finish_buckets, settle_keys);
        self.console.close_group();
        if !apps.is_empty() {
            self.console.open_group("Deployments");
            let writers = self.writers(&world.observed, &world.sealing);
            let settle = apply::settle_deployments(&writers, &apps, &keys, self.request.patience.deployment);
            self.in_time("apps", settle).await;
            self.console.close_group();
        }
        Done { plan, buckets, keys }
    }

    fn bucket_work(&self, pair: &KeyPair, spaces: &Spaces) -> BucketWork<'_> {
        let elsewhere = self
            .session
            .elsewhere(&self.request.access, self.desired.region, pair);
        BucketWork {
            spaces: spaces.clone(),
            ledger: &self.ledger,
            elsewhere,
        }
    }

    /// Everything that needs no key: leftovers, buckets, variables, the app's opinion of the new spec.
    async fn prepare(
        &self,
        plan: &Plan,
        world: &World,
        work: Option<&BucketWork<'_>>,
    ) -> (Outcomes, Findings) {
        let writers = self.writers(&world.observed, &world.sealing);
        let buckets = async {
            match work {
                Some(work) => work.create_all(&plan.buckets).await,
                None => self.without_access(plan),
            }
        };
        let all = async {
            let preflight = apply::preflight(&writers, plan, &self.desired, &world.observed);
            let (buckets, findings, ()) = tokio::join!(buckets, preflight, apply::sweep(&writers, plan));
            (buckets, findings)
        };
        self.interruptible(all).await.unwrap_or_else(|| {
            self.ledger.failed(Problem::new(
                "this run",
                "a signal stopped it while buckets were made",
                "Run again.",
            ));
            (Outcomes::new(), Findings::default())
        })
    }

    async fn configure(&self, plan: &Plan, work: Option<&BucketWork<'_>>, created: &Outcomes) -> Outcomes {
        let Some(work) = work else { return created.clone() };
        let configured = self
            .interruptible(work.configure_all(&plan.buckets, created))
            .await;
        configured.unwrap_or_else(|| created.clone())
    }

    /// No full-access key came about, so every bucket failed for the reason that the plan names.
    fn without_access(&self, plan: &Plan) -> Outcomes {
        plan.buckets
            .iter()
            .filter_map(|bucket| bucket.problem.clone())
            .for_each(|problem| self.ledger.failed(problem));
        plan.buckets
            .iter()
            .map(|bucket| (bucket.name.clone(), crate::report::BucketOutcome::Failed))
            .collect()
    }

    /// Rounds of mint and wait, until every family has come to an end; with the apps as the last round saw them.
    async fn settle_keys(
        &self,
        plan: &Plan,
        world: &World,
        buckets: &Outcomes,
        mut findings: Findings,
    ) -> (Keys, Vec<AppPlan>) {
        let deadline = Instant::now() + self.request.patience.lock;
        let mut keys = Keys::new();
        let (mut plan, mut observed) = (plan.clone(), world.observed.clone());
        let mut sealing = world.sealing.clone();
        loop {
            let writers = self.writers(&observed, &sealing);
            let round = Round {
                plans: &plan.families,
                observed: &observed,
                findings: &findings,
                buckets,
            };
            match round.play(&writers, deadline, &mut keys).await {
                Next::Settled => return (keys, plan.apps),
                Next::LookAgain => {}
            }
            let Some(view) = self.interruptible(self.observe(&mut FullAccess::none())).await else {
                self.ledger.failed(Problem::new(
                    "keys",
                    "a signal stopped the run while it waited",
                    "Run again.",
                ));
                return (keys, plan.apps);
            };
            observed = Observed {
                buckets: world.observed.buckets.clone(),
                ..view.observed
            };
            sealing = view.sealing;
            plan = self.plan(&observed);
            let writers = self.writers(&observed, &sealing);
            // A rival that died while it was waited for has left a key that is an orphan now.
            let preflight = apply::preflight(&writers, &plan, &self.desired, &observed);
            (findings, ()) = tokio::join!(preflight, apply::sweep(&writers, &plan));
        }
    }

    fn writers<'w>(&'w self, observed: &Observed, sealing: &'w BTreeMap<Target, SealingKey>) -> Writers<'w> {
        Writers {
            transport: &self.session.transport,
            digitalocean: self.session.digitalocean.as_ref(),
            cleaner: self.session.cleaner.as_ref(),
            github: self.session.github.as_ref(),
            spaces_endpoint: &self.session.spaces_endpoint,
            sealing,
            existing_variables: apply::existing_variables(observed),
            app_ids: apply::app_ids(observed),
            desired: &self.desired,
            admin_family: &self.admin_family,
            run: self.request.runner.run,
            repository: self.request.runner.repository.as_ref(),
            lock_timeout: self.request.patience.lock,
            env_file: self
                .request
                .runner
                .env_file
                .as_deref()
                .filter(|_| self.request.export_env),
            ledger: &self.ledger,
            console: self.console,
            shutdown: self.shutdown,
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
        let Done { plan, buckets, keys } = done;
        let told = Told::Done { plan, buckets, keys };
        let entries: Entries = self.ledger.close();
        tell::report(self.request, &self.desired, &told, entries, now)
    }

    /// A key that is kept cannot be exported: nobody can read its secret back.
    fn tell_unexported(&self, done: &Done) {
        let minted = done
            .keys
            .values()
            .any(|outcome| matches!(outcome, KeyOutcome::Minted { .. }));
        if self.request.export_env && !minted && !done.keys.is_empty() {
            let what = "no key was minted, and the secret of a kept key cannot be read back";
            self.ledger.note(Problem::new(
                "export-env",
                what,
                "Read the GitHub secrets in later steps instead.",
            ));
        }
    }
}
