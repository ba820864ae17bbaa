//! The revoke gate: whether a key that no longer serves may go, and what speaks against it.
//!
//! A key outlives its usefulness as long as anything may still hold it. Nobody can be asked whether it does (the API
//! knows no last use), so every place is ruled out that may have got it: sinks, deployments, other apps, workflow runs
//! that were queued before its successor was delivered; grace stands for the rest.

mod hidden;
mod history;
mod retirement;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use super::Brief;
use super::generations::Generation;
use super::judgement::Judgement;
use crate::model::desired::{AppSink, Desired, GitHubSink, WantedFamily};
use crate::model::intent::Means;
use crate::model::key::{AccessKeyId, SpacesKey};
use crate::model::name::{Family, KeyName, Mark, Run};
use crate::model::observed::{AppState, DeploymentState, Holders, Observed, Question, Reading, Unfinished};
use crate::model::problem::Problem;
use crate::model::sink::{Repository, Target};
use crate::model::time::Timestamp;
use hidden::hidden;
use history::{Clear, clear_of};
use retirement::lease_end;

pub use retirement::{Carrier, Hold, Holder, Released, Retirement, Standing};

/// What the gate will have to know, read off the names of the keys alone; nothing when there is no old one.
#[must_use]
pub fn question(
    desired: &Desired,
    brief: &Brief<'_>,
    keys: &[SpacesKey],
    now: Timestamp,
) -> Option<Question> {
    let families = desired.families.iter();
    let old = families.flat_map(|wanted| old_keys(&wanted.family, brief, keys));
    let mut in_question: Vec<AccessKeyId> = old.collect();
    let adopted = brief.adopted.filter(|id| keys.iter().any(|key| key.id == **id));
    in_question.extend(adopted.cloned());
    (!in_question.is_empty()).then(|| Question {
        keys: in_question,
        horizon: horizon(desired, now),
        delivered: last_delivery(desired, brief, keys),
    })
}

/// Every grace period that began by then is over.
fn horizon(desired: &Desired, now: Timestamp) -> Timestamp {
    let grace = desired.families.iter().map(|wanted| wanted.lifetime.grace());
    now.before(grace.max().unwrap_or(Duration::ZERO))
}

/// When the last of all current keys was delivered: runs that were queued later have no older one. What a revocation
/// breaks are the runs of the current key too.
fn last_delivery(desired: &Desired, brief: &Brief<'_>, keys: &[SpacesKey]) -> Option<Timestamp> {
    if brief.intent.revocation().is_some() {
        return None;
    }
    let names = keys.iter().filter_map(|key| KeyName::parse(&key.name));
    let is_wanted = |name: &KeyName| desired.families.iter().any(|wanted| wanted.family == name.family);
    let stamps = names.filter(is_wanted).filter_map(|name| match name.mark {
        Mark::Active { since } => Some(since),
        Mark::Pending | Mark::Delivering | Mark::Admin => None,
    });
    stamps.max()
}

/// Every delivered or half delivered key of a family that has more than one; a compromised one even when it is alone,
/// since a person wants to know beforehand what its end breaks.
fn old_keys(family: &Family, brief: &Brief<'_>, keys: &[SpacesKey]) -> Vec<AccessKeyId> {
    let delivered = keys.iter().filter(|key| {
        KeyName::parse(&key.name).is_some_and(|name| {
            name.family == *family && matches!(name.mark, Mark::Active { .. } | Mark::Delivering)
        })
    });
    let ids: Vec<AccessKeyId> = delivered.map(|key| key.id.clone()).collect();
    if ids.len() > 1 || brief.intent.revocation().is_some() {
        ids
    } else {
        Vec::new()
    }
}

/// The successor of old keys: a key of which it is known that every sink holds it, or why it is not.
#[derive(Debug, Clone)]
pub(super) struct Succession<'a> {
    pub(super) wanted: &'a WantedFamily,
    pub(super) current: Option<&'a Generation>,
    /// The delivered keys, the newest first.
    active: &'a [Generation],
    /// Why it cannot be relied upon.
    pub(super) doubts: Vec<Hold>,
}

impl<'a> Succession<'a> {
    /// What the family's judgement says of its current key as a successor.
    pub(super) fn of(wanted: &'a WantedFamily, judgement: &'a Judgement) -> Self {
        let Judgement {
            generations,
            drift,
            unread,
            strangers,
            age: _,
        } = judgement;
        let rival = generations.rivals.first();
        let rival = rival.map(|rival| Hold::Rival(rival.name.run)).into_iter();
        let drifted = drift.first().map(|reason| Hold::Drift(reason.to_string()));
        let strange = || {
            strangers
                .first()
                .map(|stranger| Hold::Drift(stranger.problem.to_string()))
        };
        let drifted = drifted.or_else(strange);
        let unread = unread.iter().map(|problem| Hold::Unread(problem.subject.clone()));
        Self {
            wanted,
            current: generations.current(),
            active: &generations.active,
            doubts: rival.chain(drifted).chain(unread).collect(),
        }
    }
}

impl Succession<'_> {
    /// Judges one old key.
    pub(super) fn judge(
        &self,
        key: &SpacesKey,
        standing: Standing,
        observed: &Observed,
        brief: &Brief<'_>,
    ) -> Retirement {
        // A key that is quarantined already waits for the gate like any other.
        let ended = |means| means == Means::Quarantine && key.grants.is_empty();
        let revocation = brief.intent.revocation();
        let compromised =
            revocation.filter(|revocation| revocation.means(&key.id) && !ended(revocation.means));
        let mut holds = self.doubts_about(key);
        let mut breaks = Vec::new();
        match (compromised, self.current) {
            (Some(_), _) => breaks = self.holders(key, observed.now, observed),
            (None, Some(current)) if holds.is_empty() => {
                holds = self.conditions(key, current, observed);
            }
            _ => {}
        }
        Retirement {
            key: key.clone(),
            standing,
            holds,
            breaks,
            compromised: compromised.is_some(),
            replaced_at: self.sure_successor(key).map(delivered_at),
            means: compromised.map_or(Means::Delete, |revocation| revocation.means),
            blind_spots: self.blind_spots(observed),
        }
    }

    /// The delivery that surely took this key out of every sink: the second after it. The first may have been undone, and
    /// by this very key: a secret, a name or a spec of before was brought back, and that is why there is a second one. What
    /// was minted within this key's lease may have been overwritten by its run, so it does not count. Nothing is known of a
    /// key that somebody adopted: its sinks may have held it until now.
    fn sure_successor(&self, key: &SpacesKey) -> Option<&Generation> {
        let name = KeyName::parse(&key.name).filter(|name| name.family == self.wanted.family)?;
        let is_later = |next: &&Generation| match name.mark {
            Mark::Active { since } => next.since() > since,
            _ => true,
        };
        let in_its_stead = |next: &&Generation| next.key.created_at >= lease_end(key) && is_later(next);
        self.active.iter().rev().filter(in_its_stead).nth(1)
    }

    fn doubts_about(&self, key: &SpacesKey) -> Vec<Hold> {
        match self.current {
            Some(current) if current.key.id != key.id => self.doubts.clone(),
            _ => vec![Hold::NoSuccessor],
        }
    }

    /// All that must have come about since the successor was delivered.
    fn conditions(&self, key: &SpacesKey, current: &Generation, observed: &Observed) -> Vec<Hold> {
        let Some(holders) = &observed.holders else {
            return vec![Hold::Unread("who may still hold it".to_owned())];
        };
        let successor = self.sure_successor(key).unwrap_or(current);
        let mut holds = self.unserved(current, observed);
        let grace = self.grace(key, delivered_at(successor), observed, holders);
        let lease = Hold::Lease(lease_end(key));
        let pending = |hold: &Hold| hold.ends_at().is_none_or(|until| observed.now < until);
        holds.extend(grace.into_iter().chain([lease]).filter(pending));
        holds.extend(self.unreadable(holders));
        let held = self.holders(key, successor.since(), observed);
        holds.extend(held.into_iter().map(Hold::Held));
        holds
    }

    /// What keeps the successor from being what every app serves and is going to serve.
    fn unserved(&self, current: &Generation, observed: &Observed) -> Vec<Hold> {
        let id = &current.key.id;
        let mut holds = Vec::new();
        for (sink, state) in self.apps(observed) {
            let behind = carriers(sink, state).filter(|(deployment, _)| !deployment.names(id));
            holds.extend(behind.map(|(_, carrier)| Hold::Behind(carrier)));
            if state.active.is_none() {
                holds.push(Hold::Unserved(sink.app.to_string()));
            }
            if state.is_pinned_away_from(id) {
                holds.push(Hold::Pinned(sink.app.to_string()));
            }
        }
        holds
    }

    /// The holds of grace: it counts from the delivery of the successor and, for every app, from the end of the last
    /// deployment that may hold the key.
    fn grace(
        &self,
        key: &SpacesKey,
        delivered: Timestamp,
        observed: &Observed,
        holders: &Holders,
    ) -> Vec<Hold> {
        let (mut since, mut unknown) = (delivered, Vec::new());
        let grace = self.wanted.lifetime.grace();
        let serving = self.apps(observed).filter(|(_, state)| state.active.is_some());
        for (sink, _) in serving {
            // That it could not be read holds the key by itself.
            let Some(Ok(history)) = holders.served.get(&sink.app) else {
                continue;
            };
            match clear_of(&key.id, sink, history) {
                Clear::Since(at) => since = since.max(at),
                Clear::AtLeastSince(at) if observed.now < at.after(grace) => {
                    unknown.push(Hold::beyond(&sink.app, history, at));
                }
                Clear::AtLeastSince(_) => {}
                Clear::Not => since = since.max(observed.now),
            }
        }
        unknown.push(Hold::Grace(since.after(grace)));
        unknown
    }

    /// What a condition needs and nobody could read. A missing permission is no such thing: see [`Self::blind_spots`].
    fn unreadable(&self, holders: &Holders) -> Vec<Hold> {
        let unread = |subject: String| Hold::Unread(subject);
        let runs = self.repositories().into_iter().filter_map(|repository| {
            let unreadable = holders.runs.get(repository).is_none_or(Reading::is_err);
            unreadable.then(|| unread(format!("the list of workflow runs of {repository}")))
        });
        let served = self.wanted.apps.iter().filter_map(|sink| {
            let unreadable = holders.served.get(&sink.app).is_none_or(Reading::is_err);
            unreadable.then(|| unread(format!("the list of deployments of app {}", sink.app)))
        });
        let apps = holders
            .apps
            .is_err()
            .then(|| unread("the list of the account's apps".to_owned()));
        runs.chain(served).chain(apps).collect()
    }

    /// Everything that holds the key, or was given its secrets before `delivered`.
    fn holders(&self, key: &SpacesKey, delivered: Timestamp, observed: &Observed) -> Vec<Holder> {
        let own: Vec<_> = self.apps(observed).collect();
        let naming = own.iter().flat_map(|(sink, state)| naming(sink, state, &key.id));
        let hiding = own.iter().flat_map(|(sink, state)| hidden(sink, state, &key.id));
        let mut found: Vec<Holder> = naming.chain(hiding).collect();
        if let Some(holders) = &observed.holders {
            let repositories = self.repositories().into_iter();
            found.extend(
                repositories.flat_map(|repository| queued_by(delivered, repository, holders, observed.run)),
            );
            let others = holders.apps.iter().flatten().flatten();
            let others = others.filter(|app| own.iter().all(|(_, state)| state.id != app.id));
            found.extend(
                others
                    .filter(|app| app.key == key.id)
                    .map(|app| Holder::App(app.name.clone())),
            );
        }
        found
    }

    fn blind_spots(&self, observed: &Observed) -> Vec<String> {
        let Some(holders) = &observed.holders else {
            return Vec::new();
        };
        let runs = self.repositories().into_iter().filter_map(|repository| {
            let unseen = matches!(holders.runs.get(repository), Some(Ok(Unfinished::Unknown)));
            unseen.then(|| format!("workflow runs of {repository} (github-token lacks Actions: read)"))
        });
        let apps = matches!(holders.apps, Ok(None))
            .then(|| "other apps of the account (digitalocean-token lacks app:read)".to_owned());
        runs.chain(apps).collect()
    }

    fn apps<'o>(&self, observed: &'o Observed) -> impl Iterator<Item = (&AppSink, &'o AppState)> {
        let sinks = self.wanted.apps.iter();
        sinks.filter_map(|sink| Some((sink, observed.apps.get(&sink.app)?.as_ref().ok()?)))
    }

    fn repositories(&self) -> BTreeSet<&Repository> {
        let sinks = self.wanted.github.iter();
        sinks.map(|sink| &sink.target.repository).collect()
    }
}

/// When a key was in every sink, on the later of both clocks.
fn delivered_at(generation: &Generation) -> Timestamp {
    generation.since().max(generation.key.created_at)
}

fn carriers<'s>(sink: &AppSink, state: &'s AppState) -> impl Iterator<Item = (&'s DeploymentState, Carrier)> {
    let app = sink.app.to_string();
    let active = state.active.iter().map(|deployment| (deployment, true));
    let coming = state.coming.iter().map(|deployment| (deployment, false));
    active.chain(coming).map(move |(deployment, serves)| {
        let carrier = Carrier {
            app: app.clone(),
            id: deployment.id.clone(),
            serves,
        };
        (deployment, carrier)
    })
}

/// What of one of the family's own apps names the key: its deployments, or a variable that is not ours.
fn naming(sink: &AppSink, state: &AppState, id: &AccessKeyId) -> Vec<Holder> {
    let named = carriers(sink, state).filter(|(deployment, _)| deployment.mentions(id));
    let named: Vec<Holder> = named.map(|(_, carrier)| Holder::Deployment(carrier)).collect();
    if named.is_empty() && state.spec.mentions(id) {
        vec![Holder::App(sink.app.to_string())]
    } else {
        named
    }
}

/// Repository secrets are read when a run is queued, so one that was queued by the time of the delivery may have the
/// old ones; so may the later jobs of our own run.
fn queued_by(delivered: Timestamp, repository: &Repository, holders: &Holders, own: Run) -> Vec<Holder> {
    let Some(Ok(Unfinished::Runs(runs))) = holders.runs.get(repository) else {
        return Vec::new();
    };
    let old = runs.iter().filter(|run| run.created_at <= delivered);
    old.map(|run| Holder::Run {
        repository: repository.clone(),
        id: run.id,
        queued_at: run.created_at,
        own: run.id == own.id,
    })
    .collect()
}

/// The key that its owner gave to the request's families, held back by whatever holds it back in any of them.
pub(super) fn adopted(
    successions: &[Succession<'_>],
    observed: &Observed,
    brief: &Brief<'_>,
) -> Option<Retirement> {
    let id = brief.adopted?;
    let key = observed.keys().iter().find(|key| key.id == *id)?;
    let family = KeyName::parse(&key.name).map(|name| name.family);
    let is_ours = |succession: &Succession<'_>| Some(&succession.wanted.family) == family.as_ref();
    if successions.iter().any(is_ours) {
        return None;
    }
    let mut judged = successions
        .iter()
        .map(|succession| succession.judge(key, Standing::Adopted, observed, brief));
    let first = judged.next()?;
    let mut judged = judged.fold(first, Retirement::and);
    if !judged.compromised {
        let left = secrets_of(key, successions, observed);
        judged.holds.extend(left.into_iter().map(Hold::Held));
    }
    Some(judged)
}

/// How long before its stamp a delivery writes the first of its secrets: they go back to back.
const BACK_TO_BACK: Duration = Duration::from_mins(1);

/// The secrets beside those of the request that were last written when this key was delivered: whoever adopts the key of
/// another family takes over the names of its own request only.
fn secrets_of(key: &SpacesKey, successions: &[Succession<'_>], observed: &Observed) -> Vec<Holder> {
    let Some(Mark::Active { since }) = KeyName::parse(&key.name).map(|name| name.mark) else {
        return Vec::new();
    };
    let sinks = || {
        successions
            .iter()
            .flat_map(|succession| &succession.wanted.github)
    };
    let is_ours = |target: &Target, name: &str| {
        let mut ours = sinks()
            .filter(|sink| sink.target == *target)
            .flat_map(GitHubSink::secrets);
        ours.any(|own| own.as_str() == name)
    };
    let with_it = |written: Timestamp| written <= since && written.after(BACK_TO_BACK) >= since;
    let readable = observed
        .targets
        .iter()
        .filter_map(|(target, state)| Some((target, state.as_ref().ok()?)));
    let secrets =
        readable.flat_map(|(target, state)| state.secrets.iter().map(move |secret| (target, secret)));
    let left = secrets.filter(|(target, (name, written))| with_it(**written) && !is_ours(target, name));
    left.map(|(target, (name, written))| Holder::Secret {
        target: target.clone(),
        name: name.clone(),
        written: *written,
    })
    .collect()
}

impl Brief<'_> {
    /// A key that is to be revoked by its id and is not one of the request's families.
    pub(super) fn strangers(&self, desired: &Desired, observed: &Observed) -> Vec<Problem> {
        let named = self
            .intent
            .revocation()
            .and_then(|revocation| revocation.key.as_ref());
        let named = named.filter(|id| self.adopted != Some(*id));
        let key = named.and_then(|id| observed.keys().iter().find(|key| key.id == *id));
        let family = |key: &SpacesKey| KeyName::parse(&key.name).map(|name| name.family);
        let is_ours = |key: &&SpacesKey| {
            let family = family(key);
            desired
                .families
                .iter()
                .any(|wanted| Some(&wanted.family) == family.as_ref())
        };
        let stranger = key.filter(|key| !is_ours(key)).map(not_ours);
        let nearly = named
            .filter(|_| key.is_none())
            .and_then(|id| misspelt(id, observed));
        stranger.or(nearly).into_iter().collect()
    }
}

/// Whoever believes that a key was revoked must not be mistaken: an id that differs from one of the account in nothing but
/// case was meant for that.
fn misspelt(id: &AccessKeyId, observed: &Observed) -> Option<Problem> {
    let meant = observed
        .keys()
        .iter()
        .find(|key| key.id.as_str().eq_ignore_ascii_case(id.as_str()))?;
    let what = format!(
        "the account has no key of this id, but {}; nothing was revoked",
        meant.id
    );
    let remedy = format!("Give revoke-access-key-id: {}, if that is the one.", meant.id);
    Some(Problem::new(format!("key {id}"), what, remedy))
}

fn not_ours(key: &SpacesKey) -> Problem {
    let what = format!(
        "its name is {}, so it is no key of this request's families",
        key.name
    );
    let remedy = "Check revoke-access-key-id; a hand-made key is named in adopt-access-key-id too.";
    Problem::new(format!("key {}", key.id), what, remedy)
}
