//! What a run is asked to do with keys, beside what every run repairs.

use super::key::AccessKeyId;

/// The part of a command that the planner must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Keys are minted where one is needed, and kept whatever their age.
    Bootstrap,
    /// Keys that are due are replaced; with `force` all of them.
    Rotate {
        /// Whether keys are replaced that are not due.
        force: bool,
    },
    /// A key is compromised: it is replaced now, and its successor's delivery is all that it outlives.
    Revoke(Revocation),
}

/// A key that must go at once, whoever holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Which one; without it every key of every family that is older than the successor.
    pub key: Option<AccessKeyId>,
    /// What becomes of it.
    pub means: Means,
}

/// How a compromised key is made useless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// It is deleted, for good.
    Delete,
    /// Its grants are emptied. It opens nothing, and can be given its grants back.
    Quarantine,
}

impl Revocation {
    /// Whether this key is meant.
    #[must_use]
    pub fn means(&self, id: &AccessKeyId) -> bool {
        self.key.as_ref().is_none_or(|named| named == id)
    }
}

impl Intent {
    /// The compromised keys, where the run is about any.
    #[must_use]
    pub fn revocation(&self) -> Option<&Revocation> {
        match self {
            Self::Revoke(revocation) => Some(revocation),
            Self::Bootstrap | Self::Rotate { .. } => None,
        }
    }
}
