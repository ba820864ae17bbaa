//! What a run asks of the rules, and their answers. The product's are in [`crate::product`]; a test may put others in
//! their place, to see that the model notices.

use crate::run::Editing;
use crate::world::{App, DeploymentNo, Key, KeyId, Repository, RunNo, Save, Theirs, Time, Value};

/// A list of keys as it was read, and what Actions said about the runs behind them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Seen {
    pub(crate) now: Time,
    pub(crate) keys: Vec<Key>,
    pub(crate) finished: u8,
}

/// Everything that a run looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Sight {
    pub(crate) seen: Seen,
    pub(crate) repository: Repository,
    pub(crate) app: Option<App>,
}

/// What a run was started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Errand {
    Bootstrap,
    /// What a schedule starts: the key is replaced when it is due.
    #[allow(dead_code, reason = "in the stories of the model no key grows old")]
    Rotate,
    Force,
    Revoke,
}

/// What a run is after, and what it has learnt so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Task {
    pub(crate) errand: Errand,
    /// The active keys of its first look.
    pub(crate) first_seen: Option<KeySet>,
    /// Whether App Platform made no deployment of the unchanged spec.
    pub(crate) stuck: bool,
}

/// The part of a plan that the model carries out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Advice {
    /// Keys of dead runs that no sink has seen.
    pub(crate) sweep: KeySet,
    /// Old keys that nothing holds back any more.
    pub(crate) retire: KeySet,
    pub(crate) need: Need,
    /// The current key that the id variable lacks.
    pub(crate) variable: Option<KeyId>,
    pub(crate) chase: Chase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Keep(KeyId),
    Mint,
    Wait(KeyId),
    Blocked,
}

/// Which deployment of a kept key is still awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Chase {
    Nothing,
    Deployment(DeploymentNo),
    Redeploy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Election {
    GoOn,
    LookAgain,
    Yield(KeyId),
    Done,
}

/// What is known after a PUT of the app.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Sent {
    /// The key that the app is given; nothing where it is sent back as it is.
    pub(crate) edit: Option<KeyId>,
    pub(crate) editing: Editing,
    /// The saves since the app was read, as their deployments show them.
    pub(crate) made: Vec<Save>,
    pub(crate) standing: (Value, Theirs),
}

impl Sent {
    /// Whether the last PUT had no answer.
    pub(crate) fn is_lost(&self) -> bool {
        self.editing.sent.last().is_some_and(|put| !put.answered)
    }

    /// What the latest save of somebody else says.
    pub(crate) fn latest_of_others(&self) -> Option<Theirs> {
        let ours = |save: &&Save| self.editing.sent.iter().any(|put| put.spec == save.spec);
        let others = self.made.iter().rev().find(|save| !ours(save));
        others.map(|save| save.spec.1)
    }
}

/// What has become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) deployment: Option<DeploymentNo>,
    /// What of others is to be sent once more; nothing where all stands.
    pub(crate) wanted: Option<Theirs>,
}

pub(crate) trait Rules {
    fn advise(&self, sight: &Sight, who: RunNo, task: &Task) -> Advice;
    fn elect(&self, own: KeyId, known: KeySet, seen: &Seen, who: RunNo) -> Election;
    /// The unfinished keys of runs that live.
    fn rivals(&self, seen: &Seen, who: RunNo) -> KeySet;
    /// What a run makes of the saves beside its own.
    fn judge(&self, sent: &Sent) -> Judged;
    /// Whether a run heeds the end of its lease.
    fn fences(&self) -> bool {
        true
    }
    /// Whether a run believes a write when it is seen, not when it is answered.
    fn reads_back(&self) -> bool {
        true
    }
}

/// A few keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct KeySet(u128);

impl KeySet {
    pub(crate) fn contains(self, id: KeyId) -> bool {
        self.0 & (1 << id) != 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = KeyId> {
        (0..128).filter(move |id| self.contains(*id))
    }

    pub(crate) fn first(self) -> Option<KeyId> {
        u8::try_from(self.0.trailing_zeros()).ok().filter(|id| *id < 128)
    }

    pub(crate) fn without(self, id: KeyId) -> Self {
        Self(self.0 & !(1 << id))
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<KeyId> for KeySet {
    fn from_iter<T: IntoIterator<Item = KeyId>>(ids: T) -> Self {
        Self(ids.into_iter().fold(0, |set, id| set | 1 << id))
    }
}
