//! `check`: everything is read and compared, and nothing is written but the short-lived admin key.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::Job;
use super::looking::World;
use crate::config::PairAtHand;
use crate::model::bucket::BucketName;
use crate::model::desired::WantedFamily;
use crate::model::evidence::Evidence;
use crate::model::key::Permission;
use crate::model::name::KeyName;
use crate::model::observed::{BucketState, Observed};
use crate::model::problem::Problem;
use crate::model::sink::{Repository, SettingName};
use crate::observe::evidence::{self, Candidate, Question, Shadows};
use crate::plan::check;
use crate::plan::cors;
use crate::remote::spaces::{Freshness, KeyPair};
use crate::remote::{BaseUrl, Spaces};
use crate::report::Report;
use crate::tell::{self, Told};

impl Job<'_> {
    /// Looks at everything and tells what is wrong.
    pub(super) async fn check(mut self) -> Report {
        let access = self.order_full_access().await;
        self.console.open_group("Looking at what is there");
        let world = self.interruptible(self.observe(access)).await;
        let Some(mut world) = world else {
            return self.stopped();
        };
        self.tell_blind(&mut world.observed);
        self.look_elsewhere(&mut world).await;
        self.follow_moves(&mut world);
        self.look_twice(&mut world).await;
        let (evidence, ()) = tokio::join!(self.evidence(&world), self.end_full_access());
        self.console.close_group();
        let plan = self.plan(&world.observed, &BTreeSet::new());
        let findings = check::findings(&self.desired, &plan, &world.observed, &evidence);
        let told = Told::Checked {
            plan: &plan,
            observed: &world.observed,
            findings,
        };
        let now = self.session.digitalocean.as_ref().map(|_| world.observed.now);
        tell::report(self.request, &self.desired, &told, self.ledger.told(), now)
    }

    /// Without a token there are no keys to see, which is another thing than that there are none.
    fn tell_blind(&self, observed: &mut Observed) {
        if self.session.digitalocean.is_none() && !self.desired.families.is_empty() {
            let what = "nobody has looked: there is no digitalocean-token";
            let remedy = "Give digitalocean-token (scope spaces_key:read).";
            observed.keys = Err(Problem::new("Spaces keys", what, remedy));
        }
    }

    /// A bucket that is missing where it should be may be in another region.
    pub(super) async fn look_elsewhere(&self, world: &mut World) {
        let Some((pair, _)) = &world.access else { return };
        let regions = self.session.everywhere(&self.request.access, pair);
        let states = world.observed.buckets.iter_mut();
        for (name, state) in states.filter(|(_, state)| **state == Ok(BucketState::Absent)) {
            let asked = regions
                .iter()
                .map(|(region, spaces)| async move { (region, spaces.owns(name).await.unwrap_or(false)) });
            let found = join_all(asked).await.into_iter().find(|(_, owns)| *owns);
            if let Some((region, _)) = found {
                *state = Ok(BucketState::Elsewhere {
                    region: Some(region.to_string()),
                });
            }
        }
    }

    /// What a signal cuts off here is not known in the end.
    async fn evidence(&self, world: &World) -> Evidence {
        let gathered = self.interruptible(self.gather(world)).await;
        gathered.unwrap_or_else(|| {
            self.was_stopped("this run", "it before everything was looked at");
            Evidence::default()
        })
    }

    async fn gather(&self, world: &World) -> Evidence {
        let observed = &world.observed;
        let trials = self
            .request
            .looks
            .pairs
            .iter()
            .map(|pair| self.candidate(pair, observed));
        let trials = join_all(trials.map(evidence::trial));
        let (trials, preflights, shadows) = tokio::join!(
            trials,
            evidence::preflights(self.questions(observed)),
            self.shadows(observed)
        );
        let spec_file = self.request.looks.spec_file.as_ref();
        Evidence {
            trials,
            preflights,
            shadows: shadows.found,
            unseen: shadows.unseen,
            placeholders: spec_file.map(evidence::placeholders).unwrap_or_default(),
            ..Evidence::default()
        }
    }

    /// A pair is tried on the buckets of the family that it belongs to. One that belongs to none should belong to the
    /// first.
    fn candidate<'p>(&self, pair: &'p PairAtHand, observed: &Observed) -> Candidate<'p> {
        if let Some(place) = &pair.place {
            let client = self.client(pair, &place.bucket, Some(&place.endpoint));
            return Candidate {
                pair,
                family: None,
                buckets: vec![(place.bucket.clone(), None, client)],
            };
        }
        let family = self
            .family_of(pair, observed)
            .or_else(|| self.desired.families.first());
        let grants = family.into_iter().flat_map(|wanted| &wanted.grants);
        let with_client = |(bucket, permission): (&BucketName, &Permission)| {
            (bucket.clone(), Some(*permission), self.client(pair, bucket, None))
        };
        Candidate {
            pair,
            family: family.map(|wanted| wanted.family.clone()),
            buckets: grants.map(with_client).collect(),
        }
    }

    fn family_of(&self, pair: &PairAtHand, observed: &Observed) -> Option<&WantedFamily> {
        let key = observed.keys().iter().find(|key| key.id == pair.id)?;
        let name = KeyName::parse(&key.name)?;
        self.desired
            .families
            .iter()
            .find(|wanted| wanted.family == name.family)
    }

    fn client(&self, pair: &PairAtHand, bucket: &BucketName, endpoint: Option<&BaseUrl>) -> Spaces {
        let pair = KeyPair {
            id: pair.id.clone(),
            secret: pair.secret.clone(),
        };
        match endpoint {
            Some(endpoint) => self.session.spaces_at(endpoint, &pair, Freshness::Settled),
            None => self
                .session
                .spaces(self.desired.home_of(bucket), &pair, Freshness::Settled),
        }
    }

    fn questions(&self, observed: &Observed) -> Vec<Question> {
        let wanted = self.desired.buckets.iter();
        let questions = wanted.flat_map(|wanted| {
            cors::questions(wanted, observed)
                .into_iter()
                .map(|asked| Question {
                    bucket: wanted.name.clone(),
                    asked,
                    browser: self.session.browser(self.desired.home_of(&wanted.name)),
                })
        });
        questions.collect()
    }

    async fn shadows(&self, observed: &Observed) -> Shadows {
        match &self.session.github {
            Some(github) => evidence::shadows(github, &self.secrets_of_repositories(observed)).await,
            None => Shadows::default(),
        }
    }

    /// The secrets that are kept at the level of a repository which could be read.
    fn secrets_of_repositories(&self, observed: &Observed) -> Vec<(Repository, Vec<SettingName>)> {
        let mut all: Vec<(Repository, Vec<SettingName>)> = Vec::new();
        let sinks = self.desired.families.iter().flat_map(|wanted| &wanted.github);
        let readable = sinks.filter(|sink| {
            sink.target.environment.is_none() && matches!(observed.targets.get(&sink.target), Some(Ok(_)))
        });
        for sink in readable {
            let repository = &sink.target.repository;
            let names = sink.secrets().cloned();
            match all.iter_mut().find(|(known, _)| known == repository) {
                Some((_, known)) => known.extend(names),
                None => all.push((repository.clone(), names.collect())),
            }
        }
        all
    }
}
