//! What one run does to the world, in order.

use std::collections::{BTreeMap, BTreeSet};

use super::looking::World;
use super::{Done, Job};
use crate::apply::{
    self, BucketWork, CdnAddresses, Findings, KeyOutcome, Keys, Next, Outcomes, Round, Writers,
};
use crate::model::desired::AppRef;
use crate::model::key::AccessKeyId;
use crate::model::observed::Observed;
use crate::model::problem::Problem;
use crate::model::sink::Target;
use crate::plan::standing::Standing;
use crate::plan::variables::{self, Announced};
use crate::plan::{AppPlan, Plan, app};
use crate::remote::spaces::{KeyPair, SpacesOf};
use crate::remote::{SealingKey, deadline};
use crate::report::BucketOutcome;

/// One look, the plan that it made, and what stands in the way of a mint.
pub(super) struct View {
    pub(super) observed: Observed,
    pub(super) sealing: BTreeMap<Target, SealingKey>,
    pub(super) plan: Plan,
    pub(super) findings: Findings,
}

impl Job<'_> {
    pub(super) async fn apply(&self, plan: Plan, world: &World) -> Done {
        self.console.open_group("Preparing");
        let work = world
            .access
            .as_ref()
            .map(|(pair, spaces)| self.bucket_work(pair, spaces));
        let (created, findings) = self.prepare(&plan, world, work.as_ref()).await;
        self.console.close_group();
        self.console.open_group("Keys");
        let made = self.made(&plan, world, &created);
        self.landmarks.are_made(made.clone());
        let finish_buckets = async {
            let (outcomes, cdn) = self.configure(&plan, work.as_ref(), &created).await;
            self.landmarks.are_settled(made.settled(cdn));
            self.end_full_access().await;
            outcomes
        };
        let first = View {
            observed: world.observed.clone(),
            sealing: world.sealing.clone(),
            plan: plan.clone(),
            findings,
        };
        let mut keys = Keys::new();
        let settle_keys = self.in_time("keys", self.settle_keys(first, &created, &mut keys));
        let (buckets, last) = tokio::join!(finish_buckets, settle_keys);
        self.console.close_group();
        let last = if let Some(view) = last {
            self.announce(&view, &keys).await;
            Box::pin(self.settle_rest(view, &buckets, &mut keys)).await
        } else {
            self.tell_unrevoked(&plan, &keys);
            plan.clone()
        };
        Done {
            plan,
            last,
            buckets,
            standing: self.landmarks.standing(),
            keys,
        }
    }

    /// What stands when the buckets are made.
    fn made(&self, plan: &Plan, world: &World, created: &Outcomes) -> Standing {
        let are = |outcome: BucketOutcome| {
            let such = created.iter().filter(move |(_, found)| **found == outcome);
            such.map(|(name, _)| name.clone()).collect::<BTreeSet<_>>()
        };
        let (failed, left) = (are(BucketOutcome::Failed), are(BucketOutcome::Unseen));
        let found = Standing::found(&self.desired, &world.observed);
        found.created(&plan.buckets, &failed, &left)
    }

    /// Writes the variables of kept keys. What their buckets are called and where they are is known only now.
    async fn announce(&self, view: &View, keys: &Keys) {
        if self.shutdown.requested() {
            return;
        }
        let standing = self.landmarks.standing();
        let writes = variables::differing(self.kept(keys), &view.observed, &standing);
        let writers = self.writers(&view.observed, &view.sealing);
        self.in_time("variables", apply::announce(&writers, &writes))
            .await;
    }

    /// The families whose key stays.
    fn kept<'k>(&'k self, keys: &'k Keys) -> impl Iterator<Item = Announced<'k>> {
        let families = self.desired.families.iter();
        families.filter_map(|wanted| match keys.get(&wanted.family)? {
            KeyOutcome::Kept { current, .. } => Some((wanted, Some(current))),
            KeyOutcome::Minted { .. } | KeyOutcome::Failed { .. } => None,
        })
    }

    /// The plans of the apps, with what differs of all that stands and that a kept key opens.
    fn app_plans(&self, view: &View, keys: &Keys) -> Vec<AppPlan> {
        let standing = self.landmarks.standing();
        let plans = view.plan.apps.iter().map(|plan| {
            let state = view.observed.apps.get(&plan.app);
            let state = state.and_then(|state| state.as_ref().ok());
            let sinks = || self.kept(keys).flat_map(|(wanted, _)| wanted.sinks_in(&plan.app));
            let plain = state.map(|state| app::differing(sinks(), state, &standing));
            AppPlan {
                plain: plain.unwrap_or_default(),
                ..plan.clone()
            }
        });
        plans.collect()
    }

    /// Deployments and old keys. A compromised key goes before any deployment is waited for.
    async fn settle_rest(&self, view: View, buckets: &Outcomes, keys: &mut Keys) -> Plan {
        let mut view = view;
        if self.request.intent.revocation().is_some() {
            view = self.look_at_old_keys(view, keys, false).await;
            self.tell_unrevoked(&view.plan, keys);
        }
        if view.plan.apps.is_empty() {
            return self.look_at_old_keys(view, keys, false).await.plan;
        }
        let deployed = !view.plan.apps.iter().all(AppPlan::is_quiet);
        self.console.open_group("Deployments");
        let stuck = self.settle_deployments(&view, keys).await;
        self.console.close_group();
        if !stuck.is_empty() {
            view = Box::pin(self.replace_undeployed(view, &stuck, buckets, keys)).await;
        }
        self.look_at_old_keys(view, keys, deployed).await.plan
    }

    async fn settle_deployments(&self, view: &View, keys: &Keys) -> BTreeMap<AppRef, Problem> {
        let writers = self.writers(&view.observed, &view.sealing);
        let patience = apply::Patience {
            deployment: self.patience(),
            waits: self.request.patience.deployment.is_some(),
        };
        let plans = self.app_plans(view, keys);
        let settle = apply::settle_deployments(&writers, &plans, keys, patience);
        self.in_time("apps", settle).await
    }

    /// App Platform makes no deployment of a spec that it holds already. Other values make it another spec, so the kept
    /// keys of such an app are replaced; what was minted just now is not.
    async fn replace_undeployed(
        &self,
        view: View,
        stuck: &BTreeMap<AppRef, Problem>,
        buckets: &Outcomes,
        keys: &mut Keys,
    ) -> View {
        let before = keys.len();
        let of_stuck = self.desired.families.iter().filter(|wanted| {
            let mut sinks = wanted.apps.iter();
            sinks.any(|sink| stuck.contains_key(&sink.app))
        });
        for wanted in of_stuck {
            if let Some(KeyOutcome::Kept { .. }) = keys.get(&wanted.family) {
                keys.remove(&wanted.family);
            }
        }
        if keys.len() == before || self.shutdown.requested() {
            for problem in stuck.values() {
                self.ledger.failed(problem.clone());
            }
            return view;
        }
        self.console.open_group("Keys, once more");
        let apps: BTreeSet<AppRef> = stuck.keys().cloned().collect();
        let settled = match self.look_again(&view, &apps).await {
            Some(again) => {
                let settle = Box::pin(self.settle_keys(again, buckets, keys));
                self.in_time("keys", settle).await
            }
            None => None,
        };
        self.console.close_group();
        let Some(view) = settled else { return view };
        self.console.open_group("Deployments, once more");
        let still_stuck = self.settle_deployments(&view, keys).await;
        for problem in still_stuck.into_values() {
            self.ledger.failed(problem);
        }
        self.console.close_group();
        view
    }

    fn bucket_work(&self, pair: &KeyPair, spaces: &SpacesOf) -> BucketWork<'_> {
        BucketWork {
            spaces: spaces.clone(),
            digitalocean: self.session.digitalocean.as_ref(),
            ledger: self.ledger,
            desired: &self.desired,
            everywhere: self.session.everywhere(&self.request.access, pair),
        }
    }

    /// Everything that needs no key: leftovers, old keys, buckets, variables, the app's opinion of the new spec.
    async fn prepare(
        &self,
        plan: &Plan,
        world: &World,
        work: Option<&BucketWork<'_>>,
    ) -> (Outcomes, Findings) {
        plan.problems
            .iter()
            .for_each(|problem| self.ledger.failed(problem.clone()));
        plan.remains
            .iter()
            .chain(&plan.left_out)
            .for_each(|left| self.ledger.note(left.clone()));
        let writers = self.writers(&world.observed, &world.sealing);
        let buckets = async {
            let mut outcomes = match work {
                Some(work) => work.create_all(&plan.workable_buckets()).await,
                None => self.without_access(plan),
            };
            let withheld = plan.withheld.iter();
            outcomes.extend(withheld.map(|name| (name.clone(), BucketOutcome::Unseen)));
            outcomes
        };
        let all = async {
            let preflight = apply::preflight(&writers, plan, &self.desired, &world.observed);
            tokio::join!(buckets, preflight)
        };
        // The end of a key that has begun is not broken off: whoever reads of it would not know what came of it.
        let (prepared, ()) = tokio::join!(self.interruptible(all), apply::clear(&writers, plan));
        prepared.unwrap_or_else(|| {
            self.was_stopped("this run", "it before any key was minted");
            (Outcomes::new(), Findings::default())
        })
    }

    async fn configure(
        &self,
        plan: &Plan,
        work: Option<&BucketWork<'_>>,
        created: &Outcomes,
    ) -> (Outcomes, CdnAddresses) {
        let unchanged = || (created.clone(), CdnAddresses::new());
        let Some(work) = work else { return unchanged() };
        let configured = self
            .interruptible(work.configure_all(&plan.workable_buckets(), created))
            .await;
        configured.unwrap_or_else(unchanged)
    }

    /// No full-access key came about, so every bucket failed for the reason that the plan names.
    fn without_access(&self, plan: &Plan) -> Outcomes {
        let buckets = plan.workable_buckets();
        buckets
            .iter()
            .filter_map(|bucket| bucket.problem.clone())
            .for_each(|problem| self.ledger.failed(problem));
        buckets
            .into_iter()
            .map(|bucket| (bucket.name, BucketOutcome::Failed))
            .collect()
    }

    /// Rounds of mint and wait, until every family has come to an end. Returns the last look; nothing when a signal
    /// ended the wait for one.
    async fn settle_keys(&self, first: View, buckets: &Outcomes, keys: &mut Keys) -> Option<View> {
        let deadline = deadline(self.request.patience.lock);
        let mut view = first;
        if view.plan.may_be_torn(&view.observed) {
            view = self.look_again(&view, &BTreeSet::new()).await?;
        }
        loop {
            let writers = self.writers(&view.observed, &view.sealing);
            let round = Round {
                plans: &view.plan.families,
                observed: &view.observed,
                findings: &view.findings,
                buckets,
            };
            match round.play(&writers, deadline, keys).await {
                Next::Settled => {
                    self.tell_winners(keys);
                    return Some(view);
                }
                Next::LookAgain => view = self.look_again(&view, &BTreeSet::new()).await?,
            }
        }
    }

    /// Names the runs that have done what this one was asked to do.
    fn tell_winners(&self, keys: &Keys) {
        let is_new = |id: &AccessKeyId| self.first_seen.as_ref().is_some_and(|seen| !seen.contains(id));
        for (family, outcome) in keys {
            if let KeyOutcome::Kept { current, .. } = outcome
                && is_new(&current.key.id)
            {
                let (run, id) = (current.name.run.spoken(), &current.key.id);
                let what = format!("{run} has delivered {id} meanwhile, so this run had nothing left to do");
                self.ledger.note(Problem::new(format!("key {family}"), what, ""));
            }
        }
    }

    /// A new look, with everything cleared away that it shows to be left over: a rival that died while it was waited for
    /// has left a key that is an orphan now.
    async fn look_again(&self, view: &View, stuck: &BTreeSet<AppRef>) -> Option<View> {
        let Some(World {
            observed, sealing, ..
        }) = self.interruptible(self.observe(None)).await
        else {
            self.was_stopped("keys", "the run while it waited");
            return None;
        };
        let observed = Observed {
            buckets: view.observed.buckets.clone(),
            ..observed
        };
        let plan = self.plan(&observed, stuck);
        let writers = self.writers(&observed, &sealing);
        let preflight = apply::preflight(&writers, &plan, &self.desired, &observed);
        let (findings, ()) = tokio::join!(preflight, apply::clear(&writers, &plan));
        Some(View {
            observed,
            sealing,
            plan,
            findings,
        })
    }

    pub(super) fn writers<'w>(
        &'w self,
        observed: &Observed,
        sealing: &'w BTreeMap<Target, SealingKey>,
    ) -> Writers<'w> {
        Writers {
            transport: &self.session.transport,
            digitalocean: self.session.digitalocean.as_ref(),
            cleaner: self.session.cleaner.as_ref(),
            github: self.session.github.as_ref(),
            endpoints: &self.session.endpoints,
            sealing,
            variables: apply::variables(observed),
            secrets: apply::secrets(observed),
            landmarks: &self.landmarks,
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
            ledger: self.ledger,
            console: self.console,
            shutdown: self.shutdown,
        }
    }

    /// A key that is kept cannot be exported: nobody can read its secret back.
    pub(super) fn tell_unexported(&self, done: &Done) {
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
