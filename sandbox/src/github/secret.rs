//! Secrets and the store that holds them under one key pair.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use super::KeyPair;
use super::organization::Sharing;

/// A secret as the store holds it: opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The plain text that was sealed.
    pub value: Vec<u8>,
    /// When it was first written, in Unix seconds.
    pub created_at: i64,
    /// When it was last written, in Unix seconds.
    pub updated_at: i64,
    /// Which repositories see it; organization secrets only.
    pub sharing: Option<Sharing>,
}

impl Secret {
    /// The value as text; what is not UTF-8 in it is replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("updated_at", &self.updated_at)
            .finish_non_exhaustive()
    }
}

/// A store of secrets: each repository, environment and organization has its own, with its own
/// key pair.
#[derive(Debug, Clone)]
pub struct Secrets {
    key: KeyPair,
    by_name: BTreeMap<String, Secret>,
}

impl Secrets {
    /// The pair that values are sealed for at present.
    #[must_use]
    pub fn key(&self) -> &KeyPair {
        &self.key
    }

    /// Replaces the pair: what is sealed for the old one opens no more.
    pub fn rotate_key(&mut self) {
        self.key = KeyPair::generate();
    }

    /// The secret of that name, in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.by_name.get(&name.to_ascii_uppercase())
    }

    /// As [`Secrets::get`], to change it behind the clients' back.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Secret> {
        self.by_name.get_mut(&name.to_ascii_uppercase())
    }

    /// Names, upper-case and sorted, and secrets.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Secret)> {
        self.by_name.iter().map(|(name, secret)| (name.as_str(), secret))
    }

    /// Writes a value at `now` (Unix seconds); `true` if the name is new.
    pub fn set(&mut self, name: &str, value: impl Into<Vec<u8>>, now: i64) -> bool {
        let name = name.to_ascii_uppercase();
        let is_new = !self.by_name.contains_key(&name);
        let secret = self.by_name.entry(name).or_insert(Secret {
            value: Vec::new(),
            created_at: now,
            updated_at: now,
            sharing: None,
        });
        secret.value = value.into();
        secret.updated_at = now;
        is_new
    }

    /// Deletes a secret; `None` if there was none.
    pub fn remove(&mut self, name: &str) -> Option<Secret> {
        self.by_name.remove(&name.to_ascii_uppercase())
    }
}

impl Default for Secrets {
    fn default() -> Self {
        Self {
            key: KeyPair::generate(),
            by_name: BTreeMap::new(),
        }
    }
}
