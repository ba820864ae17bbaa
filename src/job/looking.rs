//! The looks at the world that one run takes.

use std::collections::{BTreeMap, BTreeSet};

use super::Job;
use crate::apply::{self, FullAccess};
use crate::model::bucket::BucketName;
use crate::model::desired::{AppRef, WantedBucket};
use crate::model::key::SpacesKey;
use crate::model::name::Run;
use crate::model::observed::{AppState, BucketState, Observed, Reading};
use crate::model::problem::Problem;
use crate::model::sink::Target;
use crate::model::time::Timestamp;
use crate::observe::{self, GitHubView};
use crate::plan::gate::question;
use crate::plan::generations::runs_in_question;
use crate::remote::SealingKey;
use crate::remote::spaces::{Freshness, KeyPair, SpacesOf};

/// What was read of the world, and what seals secrets for it.
pub(super) struct World {
    pub(super) observed: Observed,
    pub(super) sealing: BTreeMap<Target, SealingKey>,
    pub(super) access: Option<(KeyPair, SpacesOf)>,
}

impl Job<'_> {
    /// Reads the world; its buckets only where something may open them.
    pub(super) async fn observe(&self, full_access: Option<&FullAccess>) -> World {
        let buckets = async {
            let access = self.open_buckets(full_access).await;
            let states = self.observe_buckets(access.as_ref()).await;
            (access.ok().flatten(), states)
        };
        let ((access, buckets), (now, keys, finished_runs), github, apps) = tokio::join!(
            buckets,
            self.keys_and_runs(),
            Box::pin(self.github()),
            Box::pin(self.apps())
        );
        let GitHubView {
            targets,
            sealing,
            moved,
        } = github;
        let mut observed = Observed {
            now,
            run: self.request.runner.run,
            keys,
            finished_runs,
            buckets,
            targets,
            apps,
            moved,
            holders: None,
        };
        self.look_for_holders(&mut observed).await;
        World {
            observed,
            sealing,
            access,
        }
    }

    /// Looks again where a key was delivered while the services were read one after the other, so that one of them was
    /// read before and another one after it. A run that works does the same before it mints.
    pub(super) async fn look_twice(&self, world: &mut World) {
        let nothing_stuck = BTreeSet::new();
        if !self
            .plan(&world.observed, &nothing_stuck)
            .may_be_torn(&world.observed)
        {
            return;
        }
        if let Some(again) = self.interruptible(self.observe(None)).await {
            let buckets = std::mem::take(&mut world.observed.buckets);
            world.observed = Observed {
                buckets,
                ..again.observed
            };
        }
    }

    /// Asked only when there is a key that no longer serves: it takes lists of workflow runs and of all apps.
    async fn look_for_holders(&self, observed: &mut Observed) {
        let stuck = BTreeSet::new();
        let question = question(&self.desired, &self.brief(&stuck), observed.keys(), observed.now);
        if let (Some(question), Some(digitalocean)) = (question, &self.session.digitalocean) {
            let github = self.session.github.as_ref();
            observed.holders = Some(observe::holders(digitalocean, github, observed, &question).await);
        }
    }

    pub(super) async fn keys_and_runs(&self) -> (Timestamp, Reading<Vec<SpacesKey>>, BTreeSet<Run>) {
        let Some(digitalocean) = &self.session.digitalocean else {
            return (observe::EPOCH, Ok(Vec::new()), BTreeSet::new());
        };
        let runner = &self.request.runner;
        let in_question =
            |keys: &[SpacesKey]| runs_in_question(&self.desired, &self.admin_family, keys, runner.run);
        let github = self.session.github.as_ref();
        observe::keys_and_runs(digitalocean, github, runner.repository.as_ref(), in_question).await
    }

    pub(super) async fn github(&self) -> GitHubView {
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

    async fn open_buckets(
        &self,
        full_access: Option<&FullAccess>,
    ) -> Result<Option<(KeyPair, SpacesOf)>, Problem> {
        let Some(full_access) = full_access else {
            return Ok(None);
        };
        let freshness = if full_access.is_fresh() {
            Freshness::Fresh
        } else {
            Freshness::Settled
        };
        let pair = full_access.pair().await?;
        Ok(pair.map(|pair| {
            let spaces = self.session.spaces_of(&self.desired, &pair, freshness);
            (pair, spaces)
        }))
    }

    async fn observe_buckets(
        &self,
        access: Result<&Option<(KeyPair, SpacesOf)>, &Problem>,
    ) -> BTreeMap<BucketName, Reading<BucketState>> {
        match access {
            Ok(access) => {
                let spaces = access.as_ref().map(|(_, spaces)| spaces);
                Box::pin(observe::buckets(
                    spaces,
                    self.session.digitalocean.as_ref(),
                    &self.desired,
                ))
                .await
            }
            Err(problem) => {
                let unreadable = |wanted: &WantedBucket| (wanted.name.clone(), Err(problem.clone()));
                self.desired.buckets.iter().map(unreadable).collect()
            }
        }
    }

    /// A repository that has moved is written under its new name; GitHub redirects reads only. An app that is called by
    /// its id and by its name is one app.
    pub(super) fn follow_moves(&mut self, world: &mut World) {
        self.desired.merge_apps(&apply::app_ids(&world.observed));
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
}
