//! Old keys as the gate leaves them: what holds each of them, in a sentence each.

use std::fmt;
use std::time::Duration;

use super::super::generations::LEASE;
use crate::model::desired::AppRef;
use crate::model::intent::Means;
use crate::model::key::SpacesKey;
use crate::model::name::Run;
use crate::model::observed::History;
use crate::model::problem::Problem;
use crate::model::sink::{Repository, Target};
use crate::model::time::Timestamp;

/// How long after the end of a lease a write of its run may still land: a request that was under way, and two clocks.
const LEASE_MARGIN: Duration = Duration::from_mins(1);

/// A key that no longer serves, and whether it may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retirement {
    /// The key.
    pub key: SpacesKey,
    /// How it came to be one that no longer serves.
    pub standing: Standing,
    /// What speaks for keeping it; without any it goes.
    pub holds: Vec<Hold>,
    /// What certainly or possibly still holds it and is disregarded, because the key is compromised.
    pub breaks: Vec<Holder>,
    /// Whether it is to be revoked whoever holds it.
    pub compromised: bool,
    /// When the second key was in every sink that was delivered after it; nothing where that one is yet to come, or where
    /// nobody knows.
    pub replaced_at: Option<Timestamp>,
    /// What becomes of it.
    pub means: Means,
    /// What could not be looked at for want of a permission, so that grace alone stands for it.
    pub blind_spots: Vec<String>,
}

/// How a key came to be one that no longer serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It serves, and goes when its successor is delivered.
    Serving,
    /// It was delivered, and a newer one was delivered after it.
    Superseded,
    /// A run died while it delivered it, so a sink may have got any part of it.
    Doubtful,
    /// It was made by hand, and its owner gave it to the family.
    Adopted,
}

/// A reason to keep an old key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// There is no delivered key after it.
    NoSuccessor,
    /// Another run is at the family.
    Rival(Run),
    /// The current key may not be in every sink.
    Drift(String),
    /// What holds the current key could not be read.
    Unread(String),
    /// The run that minted it may still write.
    Lease(Timestamp),
    /// Its holders still have time to change over.
    Grace(Timestamp),
    /// An app is deployed so often that what it served when the grace period began is not read.
    Beyond {
        /// The app.
        app: String,
        /// How many deployments are read.
        read: usize,
        /// When the oldest of them that counts was created.
        oldest: Timestamp,
    },
    /// A rollback pinned an app.
    Pinned(String),
    /// An app has no deployment that serves, so none carries the current key.
    Unserved(String),
    /// A deployment does not carry the current key.
    Behind(Carrier),
    /// Something may still hold it.
    Held(Holder),
}

/// Something that holds, or may hold, an old key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A workflow run that was given its secrets before the successor was there.
    Run {
        /// Whose.
        repository: Repository,
        /// Its id.
        id: u64,
        /// When it was queued.
        queued_at: Timestamp,
        /// Whether it is the one that looks: its later jobs were given the same values.
        own: bool,
    },
    /// A deployment that names it.
    Deployment(Carrier),
    /// An app that names it in its spec, or in a deployment.
    App(String),
    /// A secret that this request does not write, and that was last written when the key was delivered.
    Secret {
        /// Where.
        target: Target,
        /// Its name.
        name: String,
        /// When it was last written, on GitHub's clock.
        written: Timestamp,
    },
    /// A component whose own variable hides the app's and cannot be read.
    Component {
        /// The app, as the user calls it.
        app: String,
        /// The component's name.
        component: String,
        /// The variable.
        variable: String,
    },
}

/// A deployment, as it is called in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carrier {
    /// The app, as the user calls it.
    pub app: String,
    /// The deployment's id.
    pub id: String,
    /// Whether it serves now, or is on its way.
    pub serves: bool,
}

/// A key that the gate has let go: the only order by which a delivered key ever ends.
#[derive(Debug, Clone, Copy)]
pub struct Released<'a>(&'a Retirement);

impl<'a> Released<'a> {
    /// The key.
    #[must_use]
    pub fn retirement(self) -> &'a Retirement {
        self.0
    }
}

impl Retirement {
    /// The order to end it, where nothing speaks against that.
    #[must_use]
    pub fn released(&self) -> Option<Released<'_>> {
        self.is_free().then_some(Released(self))
    }

    /// Why it is kept, a sentence each; a long list is cut.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        let blind = self
            .blind_spots
            .iter()
            .map(|spot| format!("not to be seen: {spot}"));
        told(&self.holds).into_iter().chain(blind).collect()
    }

    /// What a person must know before a compromised key ends.
    #[must_use]
    pub fn warning(&self) -> Option<Problem> {
        if self.breaks.is_empty() {
            return None;
        }
        let what = format!("what still uses it breaks: {}", told(&self.breaks).join("; "));
        let remedy =
            "Run those jobs again afterwards; an app recovers when the deployment with the new key serves.";
        Some(Problem::new(format!("key {}", self.key.id), what, remedy))
    }

    /// Whether nothing speaks against its end.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.holds.is_empty()
    }

    /// What time alone demands when another key was delivered after this judgement: the later of grace and lease. What
    /// has surely taken its place before, has.
    #[must_use]
    pub fn time_after(&self, delivered: Timestamp, grace: Duration) -> Hold {
        let replaced = self.replaced_at.unwrap_or(delivered);
        let (grace, lease) = (replaced.after(grace), lease_end(&self.key));
        if lease > grace {
            Hold::Lease(lease)
        } else {
            Hold::Grace(grace)
        }
    }

    /// When it will be free, where nothing but time holds it back.
    #[must_use]
    pub fn free_at(&self) -> Option<Timestamp> {
        let times: Option<Vec<Timestamp>> = self.holds.iter().map(Hold::ends_at).collect();
        times?.into_iter().max()
    }
}

/// When the last write of the run that minted the key has landed.
pub(super) fn lease_end(key: &SpacesKey) -> Timestamp {
    key.created_at.after(LEASE + LEASE_MARGIN)
}

/// More of one kind say nothing new: the first workflow runs of a long queue stand for all.
const TOLD: usize = 5;

fn told<T: ToString>(items: &[T]) -> Vec<String> {
    let mut told: Vec<String> = items.iter().take(TOLD).map(ToString::to_string).collect();
    if items.len() > TOLD {
        told.push(format!("and {} more", items.len() - TOLD));
    }
    told
}

impl Hold {
    /// Too many deployments were made since `oldest`.
    pub(super) fn beyond(app: &AppRef, history: &History, oldest: Timestamp) -> Self {
        Self::Beyond {
            app: app.to_string(),
            read: history.limit.unwrap_or(history.deployments.len()),
            oldest,
        }
    }

    /// When it ends by itself, where it does.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        match self {
            Self::Lease(until) | Self::Grace(until) => Some(*until),
            _ => None,
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Serving => "serving",
            Self::Superseded => "superseded",
            Self::Doubtful => "doubtful",
            Self::Adopted => "adopted",
        })
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuccessor => f.write_str("no newer key is delivered yet"),
            Self::Rival(run) => write!(f, "{} is rotating the family", run.spoken()),
            Self::Drift(why) => write!(f, "the current key is not in every sink: {why}"),
            Self::Unread(subject) => write!(f, "{subject} could not be read"),
            Self::Lease(until) => write!(f, "the run that minted it may still write until {until}"),
            Self::Grace(until) => write!(f, "its grace period lasts until {until}"),
            Self::Beyond { app, read, oldest } => write!(
                f,
                "only the newest {read} deployments of app {app} are read, the oldest of them of {oldest}, so nobody \
                 knows what it served when the grace period began"
            ),
            Self::Pinned(app) => write!(f, "app {app} is pinned to an older deployment by a rollback"),
            Self::Unserved(app) => write!(f, "no deployment of app {app} serves"),
            Self::Behind(carrier) => write!(f, "{carrier} does not carry the current key"),
            Self::Held(holder) => holder.fmt(f),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run {
                queued_at, own: true, ..
            } => write!(
                f,
                "this very workflow run, queued at {queued_at}, may still use it in its later jobs"
            ),
            Self::Run {
                repository,
                id,
                queued_at,
                own: false,
            } => write!(
                f,
                "workflow run {id} of {repository}, queued at {queued_at}, may still use it"
            ),
            Self::Deployment(carrier) => write!(f, "{carrier} still names it"),
            Self::App(name) => write!(f, "app {name} still names it"),
            Self::Secret {
                target,
                name,
                written,
            } => write!(
                f,
                "secret {name} of {target}, which this request does not write, was written with it at {written}"
            ),
            Self::Component {
                app,
                component,
                variable,
            } => write!(
                f,
                "component {component} of app {app} has a {variable} of its own, which may hold it"
            ),
        }
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = if self.serves { "serving" } else { "coming" };
        write!(f, "the {stage} deployment {} of app {}", self.id, self.app)
    }
}

impl Retirement {
    /// Held back by whatever holds either back.
    pub(super) fn and(mut self, other: Self) -> Self {
        let Self {
            holds,
            breaks,
            blind_spots,
            ..
        } = other;
        self.holds.extend(holds);
        self.breaks.extend(breaks);
        self.blind_spots.extend(blind_spots);
        self.holds.dedup();
        self.breaks.dedup();
        self.blind_spots.dedup();
        self
    }
}
