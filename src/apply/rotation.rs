//! A new key on its way from the mint to being the current one, as a chain of types: each step can only be taken with
//! what the step before returned, and only a [`Minted`] pair can ever be delivered.

use std::time::Duration;

use tokio::time::Instant;

use super::delivery::{self, Receipt, Undelivered};
use super::export::export;
use super::keys::Deployments;
use super::mint::{Draft, Fresh, Sent};
use super::naming::is_called_so;
use super::{Writers, look};

use crate::model::desired::WantedFamily;
use crate::model::key::{AccessKeyId, SpacesKey, listed_grants};
use crate::model::name::{KeyName, Mark};
use crate::model::observed::Observed;
use crate::model::problem::Problem;
use crate::model::time::Timestamp;
use crate::plan::Reason;
use crate::plan::delivery::Delivery;
use crate::plan::election::{Verdict, elect};
use crate::plan::generations::{Generation, Generations, LEASE};
use crate::remedy::problem;
use crate::remote::spaces::{Freshness, KeyPair, ProofFailure, SpacesOf};
use crate::remote::{Cause, Interrupted, REQUEST_TIMEOUT, Spaces, deadline};

/// What is added to the timeout of a request before it is compared with the end of the lease: `Date` headers and
/// `created_at` may come from servers whose clocks differ.
const SKEW: Duration = Duration::from_secs(30);

/// The pause between two looks at rivals.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long a run with a later ticket may take to delete its key, however short `lock-timeout` is: who is ahead does not
/// wait for the lock, it has it.
const WITHDRAWAL: Duration = Duration::from_mins(1);

/// How often a key is minted again because it was born in the same second as an older one.
const TIES_TRIED: usize = 3;

/// How long the clock of DigitalOcean may be behind its own `created_at` before it is no longer waited for: the tie is
/// seen after the mint.
const OWN_CLOCK: Duration = Duration::from_secs(15);

/// How far GitHub's clock may be ahead before DigitalOcean's is no longer waited for: more is no matter of seconds, and
/// the order of deliveries shows in GitHub's own times.
const TWO_CLOCKS: Duration = Duration::from_secs(3);

/// The pause between two glances at a clock.
const GLANCE: Duration = Duration::from_millis(250);

/// The order to replace a family's key.
pub(super) struct Order<'a> {
    pub(super) wanted: &'a WantedFamily,
    pub(super) reasons: Vec<Reason>,
    /// The family's active keys when the need was seen; one that is not among them ends the need.
    pub(super) known: Vec<AccessKeyId>,
    /// When the family's newest key was created: the new one must be of a later second.
    pub(super) newest: Option<Timestamp>,
    /// When GitHub last wrote a secret of a delivered key: those of the new one must be of a later second.
    pub(super) stamped: Option<Timestamp>,
}

/// Why a family has no new key from this run.
pub(super) enum Setback {
    /// Something failed.
    Failed(Problem),
    /// Another run is ahead.
    Yield(Generation),
    /// Another run has done it.
    Done(Generation),
}

/// A key that no sink has seen, and the only copy of its secret.
pub(super) struct Minted<'a> {
    order: &'a Order<'a>,
    fresh: Fresh,
}

/// A minted key that opens its buckets, and no more than it should.
pub(super) struct Proven<'a>(Minted<'a>);

/// A proven key whose name says that sinks may hold it from now on.
pub(super) struct Delivering<'a>(Minted<'a>);

/// A key that every sink holds.
pub(super) struct Delivered<'a> {
    minted: Minted<'a>,
    receipt: Receipt,
}

/// The current key of its family. The secret is gone.
#[derive(Debug, Clone)]
pub(super) struct Active {
    pub(super) key: SpacesKey,
    pub(super) name: KeyName,
    /// The deployments that carry it, where one was created.
    pub(super) deployments: Deployments,
}

impl<'a> Minted<'a> {
    /// Mints when the server's clock has left the second of the family's newest key, since `created_at` is all that
    /// tells which is newer, and that of the last delivery, since then no secret of a former key looks younger than the
    /// new one. A key of that second all the same is deleted and minted again.
    pub(super) async fn mint(order: &'a Order<'a>, writers: &Writers<'_>) -> Result<Self, Setback> {
        let Some(digitalocean) = writers.digitalocean else {
            return Err(Setback::Failed(no_token(order)));
        };
        let grants = listed_grants(&order.wanted.grants);
        let draft = Draft {
            family: &order.wanted.family,
            run: writers.run,
            mark: Mark::Pending,
            grants: &grants,
            young_buckets: !writers.desired.buckets.is_empty(),
            // Left `pending`, such a key is no secret to the next run.
            sent: &Sent::default(),
        };
        for _ in 0..TIES_TRIED {
            leave_the_second_of(order.newest, OWN_CLOCK, writers).await?;
            leave_the_second_of(order.stamped, TWO_CLOCKS, writers).await?;
            let fresh = draft
                .mint(digitalocean, writers.console, writers.shutdown)
                .await
                .map_err(Setback::Failed)?;
            writers.ledger.begins(&fresh.key.id, &order.wanted.family);
            let minted = Self { order, fresh };
            if order
                .newest
                .is_none_or(|newest| minted.fresh.key.created_at > newest)
            {
                writers.ledger.did(minted.subject(), minted.story());
                return Ok(minted);
            }
            tracing::debug!(
                "{}: born in the same second as an older key, minted again",
                minted.subject()
            );
            minted.delete(writers).await?;
        }
        Err(Setback::Failed(Problem::new(
            format!("key {}", order.wanted.family),
            "every new key was born in the same second as an older one",
            "Run again a little later.",
        )))
    }

    /// Tries the key on its buckets while the account is looked over for rivals.
    pub(super) async fn prove(self, writers: &Writers<'_>) -> Result<Proven<'a>, Setback> {
        let (proof, first_look) = tokio::join!(self.open_buckets(writers), self.verdict(writers));
        let setback = match (proof, first_look) {
            (Err(setback), _) | (_, Err(setback)) => setback,
            (Ok(()), Ok(Verdict::Yield { to })) => Setback::Yield(to),
            (Ok(()), Ok(Verdict::Done { by })) => Setback::Done(by),
            (Ok(()), Ok(Verdict::GoOn | Verdict::LookAgain)) => return Ok(Proven(self)),
        };
        Err(self.withdraw(writers, setback).await)
    }

    async fn open_buckets(&self, writers: &Writers<'_>) -> Result<(), Setback> {
        let pair = KeyPair {
            id: self.fresh.key.id.clone(),
            secret: self.fresh.secret.clone(),
        };
        // The proof itself is patient with a new key.
        let client = |region| {
            let (endpoint, shutdown) = (writers.endpoints.at(region), writers.shutdown.clone());
            Spaces::new(writers.transport, endpoint, &pair, Freshness::Settled, shutdown)
        };
        let granted = &self.order.wanted.grants;
        let homes = granted
            .keys()
            .map(|bucket| (bucket.clone(), writers.desired.home_of(bucket)));
        let spaces = SpacesOf::new(writers.desired.region, &homes.collect(), client);
        let proven = spaces.prove(granted).await;
        proven.map_err(|failure| Setback::Failed(self.unproven(&failure)))
    }

    fn unproven(&self, failure: &ProofFailure) -> Problem {
        match failure {
            ProofFailure::Failed(failure) => problem(failure),
            ProofFailure::WritesThoughReadOnly(bucket) => Problem::new(
                self.subject(),
                format!("it may write to bucket {bucket}, though its grant says read"),
                "Nothing was delivered. Report this to DigitalOcean's support.",
            ),
        }
    }

    async fn verdict(&self, writers: &Writers<'_>) -> Result<Verdict, Setback> {
        let mut observed = look(writers).await.map_err(Setback::Failed)?;
        self.disown(&mut observed, writers).await;
        Ok(elect(
            &self.fresh.key.id,
            &self.order.wanted.family,
            &self.order.known,
            &observed,
        ))
    }

    /// A mint that was given up may land late. Its key is no rival: nobody has its secret, so it is deleted.
    async fn disown(&self, observed: &mut Observed, writers: &Writers<'_>) {
        let is_lost = |key: &SpacesKey| self.fresh.lost.iter().any(|lost| lost.to_string() == key.name);
        let (late, keys) = observed.keys().iter().cloned().partition(is_lost);
        let late: Vec<SpacesKey> = late;
        observed.keys = Ok(keys);
        let Some(cleaner) = writers.cleaner else { return };
        for key in late {
            match cleaner.delete_key(&key.id).await {
                Ok(()) => writers.ledger.did(
                    self.subject(),
                    format!("deleted {}, whose mint had been given up", key.id),
                ),
                // The next run sweeps it.
                Err(failure) => tracing::warn!("{failure}"),
            }
        }
    }

    /// Deletes the key, which no sink has seen, and passes on why.
    async fn withdraw(self, writers: &Writers<'_>, setback: Setback) -> Setback {
        match self.delete(writers).await {
            Ok(()) => setback,
            // The first trouble is the one to tell; the orphan is swept by the next run.
            Err(_) => match setback {
                Setback::Failed(problem) => Setback::Failed(problem),
                _ => Setback::Failed(Problem::new(
                    self.subject(),
                    format!(
                        "its key {} is not needed any more and could not be deleted",
                        self.fresh.key.id
                    ),
                    "The next run deletes it.",
                )),
            },
        }
    }

    async fn delete(&self, writers: &Writers<'_>) -> Result<(), Setback> {
        let Some(digitalocean) = writers.cleaner else {
            return Ok(());
        };
        let deleted = digitalocean.delete_key(&self.fresh.key.id).await;
        deleted.map_err(|failure| Setback::Failed(problem(&failure)))?;
        writers.ledger.ends(&self.fresh.key.id);
        writers.ledger.did(
            self.subject(),
            format!("deleted {}, which no sink has seen", self.fresh.key.id),
        );
        Ok(())
    }

    /// The last moment at which a request may be sent so that it still arrives within the lease.
    fn fence(&self, writers: &Writers<'_>) -> Result<Instant, Problem> {
        let clock = writers
            .digitalocean
            .and_then(|digitalocean| digitalocean.clock().at_latest());
        let now = clock.unwrap_or(self.fresh.key.created_at);
        let last = self
            .fresh
            .key
            .created_at
            .after(LEASE.saturating_sub(REQUEST_TIMEOUT + SKEW));
        if now <= last {
            return Ok(deadline(last.since(now)));
        }
        let what = format!(
            "the lease of {} is over, so this run writes to no further sink",
            self.fresh.key.id
        );
        Err(Problem::new(
            self.subject(),
            what,
            "Run again: it mints anew and delivers everywhere.",
        ))
    }

    fn subject(&self) -> String {
        format!("key {}", self.order.wanted.family)
    }

    fn story(&self) -> String {
        let reasons: Vec<String> = self.order.reasons.iter().map(ToString::to_string).collect();
        format!("minted {}: {}", self.fresh.key.id, reasons.join("; "))
    }
}

impl<'a> Proven<'a> {
    /// Looks once more, since the later list decides, and says in the key's name that sinks may hold it from now on.
    pub(super) async fn announce(self, writers: &Writers<'_>) -> Result<Delivering<'a>, Setback> {
        let Self(minted) = self;
        if let Err(setback) = minted.win(writers).await {
            return Err(minted.withdraw(writers, setback).await);
        }
        let renamed = match writers.digitalocean {
            Some(digitalocean) if !writers.shutdown.requested() => {
                let name = minted.fresh.name.marked(Mark::Delivering);
                digitalocean
                    .rename(&minted.fresh.key, &name.to_string())
                    .await
                    .map_err(|failure| problem(&failure))
            }
            _ => Err(stopped(&minted, writers.shutdown.cause())),
        };
        match renamed {
            Ok(key) => {
                let name = minted.fresh.name.marked(Mark::Delivering);
                Ok(Delivering(Minted {
                    fresh: Fresh {
                        key,
                        name,
                        ..minted.fresh
                    },
                    ..minted
                }))
            }
            // Nothing was delivered, so the key may go whether or not the rename took effect.
            Err(problem) => Err(minted.withdraw(writers, Setback::Failed(problem)).await),
        }
    }
}

impl Minted<'_> {
    /// Waits until the key is the only live one, or gives way.
    async fn win(&self, writers: &Writers<'_>) -> Result<(), Setback> {
        let patience = deadline(writers.lock_timeout.max(WITHDRAWAL));
        loop {
            match self.verdict(writers).await? {
                Verdict::GoOn => return self.fence(writers).map(drop).map_err(Setback::Failed),
                Verdict::Yield { to } => return Err(Setback::Yield(to)),
                Verdict::Done { by } => return Err(Setback::Done(by)),
                Verdict::LookAgain => {}
            }
            if Instant::now() >= patience || self.fence(writers).is_err() {
                return Err(self.give_way(writers).await);
            }
            writers
                .shutdown
                .sleep(LOOK_AGAIN)
                .await
                .map_err(|Interrupted(cause)| Setback::Failed(stopped(self, Some(cause))))?;
        }
    }

    /// The rival came later and does not go: its run has died unseen. It is waited for like any other, without a key of
    /// our own that it could wait for.
    async fn give_way(&self, writers: &Writers<'_>) -> Setback {
        let observed = match look(writers).await {
            Ok(observed) => observed,
            Err(problem) => return Setback::Failed(problem),
        };
        let rivals = Generations::of(&self.order.wanted.family, &observed).rivals;
        let rival = rivals.into_iter().find(|rival| rival.key.id != self.fresh.key.id);
        rival.map_or_else(|| Setback::Failed(unlisted(self)), Setback::Yield)
    }
}

impl<'a> Delivering<'a> {
    /// The family that it belongs to.
    pub(super) fn wanted(&self) -> &'a WantedFamily {
        self.0.order.wanted
    }

    /// The pair, for the sinks and nothing else.
    pub(super) fn pair(&self) -> delivery::Pair<'_> {
        delivery::Pair {
            id: &self.0.fresh.key.id,
            secret: &self.0.fresh.secret,
        }
    }

    /// Insists that every other run sees by its name what sinks may hold.
    pub(super) async fn is_seen(&self, writers: &Writers<'_>) -> Result<(), Problem> {
        match writers.digitalocean {
            Some(digitalocean) => is_called_so(digitalocean, &self.0.fresh.key).await,
            None => Ok(()),
        }
    }

    /// The delivery, if the last of these times is its stamp.
    pub(super) fn dated(&self, written: &[Timestamp]) -> Option<Delivery> {
        Some(Delivery {
            minted: self.0.fresh.key.created_at,
            stamp: written.iter().copied().max()?,
            before: self.0.order.stamped,
        })
    }

    /// The last moment at which a sink may be written.
    pub(super) fn fence(&self, writers: &Writers<'_>) -> Result<Instant, Problem> {
        self.0.fence(writers)
    }

    /// Takes back a key of which it is certain that no sink holds it.
    pub(super) async fn withdraw(self, writers: &Writers<'_>, problem: Problem) -> Setback {
        self.0.withdraw(writers, Setback::Failed(problem)).await
    }

    /// Writes the pair to every target in GitHub and reads it back; the apps have it already.
    pub(super) async fn deliver(
        self,
        writers: &Writers<'_>,
        apps: Vec<delivery::AppDelivery>,
    ) -> Result<Delivered<'a>, Setback> {
        match delivery::to_github(&self, writers, apps).await {
            Ok(receipt) => Ok(Delivered {
                minted: self.0,
                receipt,
            }),
            Err(Undelivered {
                problem,
                touched: false,
            }) => Err(self.withdraw(writers, problem).await),
            Err(Undelivered { problem, .. }) => Err(Setback::Failed(problem)),
        }
    }

    /// Whether another key of the family is being delivered or was activated meanwhile.
    pub(super) async fn is_overtaken(&self, writers: &Writers<'_>) -> Result<Option<Generation>, Problem> {
        let observed = look(writers).await?;
        let generations = Generations::of(&self.0.order.wanted.family, &observed);
        let own = &self.0.fresh.key;
        let rivals = generations
            .rivals
            .into_iter()
            .filter(|rival| rival.name.mark == Mark::Delivering);
        let newer = generations
            .active
            .into_iter()
            .filter(|active| !self.0.order.known.contains(&active.key.id));
        let overtaking = rivals.chain(newer).find(|other| other.key.id != own.id);
        Ok(overtaking)
    }
}

impl Delivered<'_> {
    /// Drops the secret and makes the key the current one.
    pub(super) async fn activate(self, writers: &Writers<'_>) -> Result<Active, Setback> {
        let Self { minted, receipt } = self;
        let subject = minted.subject();
        let Fresh {
            key, name, secret, ..
        } = minted.fresh;
        export(minted.order.wanted, &key.id, &secret, writers);
        drop(secret);
        let Some(digitalocean) = writers.digitalocean else {
            return Err(Setback::Failed(no_token(minted.order)));
        };
        let since = receipt.since.unwrap_or(key.created_at);
        let name = name.marked(Mark::Active { since });
        let renamed = digitalocean.rename(&key, &name.to_string()).await;
        let key = renamed.map_err(|failure| Setback::Failed(problem(&failure)))?;
        writers.ledger.ends(&key.id);
        writers
            .ledger
            .did(subject, format!("{} delivered everywhere and active", key.id));
        Ok(Active {
            key,
            name,
            deployments: receipt.deployments,
        })
    }
}

/// Waits until DigitalOcean's clock has left that second, for `patience` at most.
async fn leave_the_second_of(
    last: Option<Timestamp>,
    patience: Duration,
    writers: &Writers<'_>,
) -> Result<(), Setback> {
    let now = || {
        writers
            .digitalocean
            .and_then(|digitalocean| digitalocean.clock().now())
    };
    let Some(last) = last else { return Ok(()) };
    let deadline = Instant::now() + patience;
    while now().is_some_and(|now| now <= last) && Instant::now() < deadline {
        let stopped = |Interrupted(cause)| {
            let what = format!("{cause} stopped it before the mint");
            Setback::Failed(Problem::new("rotation", what, "Run again."))
        };
        writers.shutdown.sleep(GLANCE).await.map_err(stopped)?;
    }
    Ok(())
}

fn stopped(minted: &Minted<'_>, cause: Option<Cause>) -> Problem {
    let cause = cause.unwrap_or(Cause::Signal);
    let what = format!("{cause} stopped the run before anything was delivered");
    Problem::new(minted.subject(), what, "Run again.")
}

fn unlisted(minted: &Minted<'_>) -> Problem {
    let what = format!(
        "its new key {} does not show in the list of keys",
        minted.fresh.key.id
    );
    Problem::new(
        minted.subject(),
        what,
        "Nothing was delivered. Run again a little later.",
    )
}

fn no_token(order: &Order<'_>) -> Problem {
    let family = &order.wanted.family;
    Problem::new(
        format!("key {family}"),
        "there is no DigitalOcean token to mint it with",
        "Set digitalocean-token.",
    )
}
