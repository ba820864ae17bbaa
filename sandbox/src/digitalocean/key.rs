//! Spaces keys as the account holds them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rand_core::{OsRng, RngCore};

use crate::clock::Clock;

/// Every access key begins with this.
const ACCESS_KEY_PREFIX: &str = "DO00";

/// Characters of an access key, prefix included.
const ACCESS_KEY_LENGTH: usize = 20;

/// A pair of access key and secret key, with what it may do.
///
/// Deleted keys stay in [`super::DigitalOcean::keys`], so that Spaces can go on
/// accepting one for as long as [`crate::Switches::key_delete_delay`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The public half, `DO00` and 16 capitals or digits; also its id in the API.
    pub access_key: String,
    /// The secret half, which the API tells once.
    pub secret_key: String,
    /// Need not be unique.
    pub name: String,
    /// What it may do, as the API shows it.
    pub grants: Vec<Grant>,
    /// When it was made, in Unix seconds.
    pub created_at: i64,
    /// When it was deleted, in Unix seconds.
    pub deleted_at: Option<i64>,
    /// From when Spaces knows it, in Unix milliseconds.
    pub usable_from_millis: i64,
    /// Until when Spaces knows it, in Unix milliseconds.
    pub usable_until_millis: i64,
    /// The grants that Spaces goes by until `grants_from_millis`.
    pub previous_grants: Vec<Grant>,
    /// From when Spaces goes by `grants`, in Unix milliseconds.
    pub grants_from_millis: i64,
}

/// A permission on one bucket, or on all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The bucket's name, without region; empty for full access.
    pub bucket: String,
    /// What is permitted.
    pub permission: Permission,
}

/// What a grant permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// The empty string: nothing.
    None,
    /// `read`
    Read,
    /// `readwrite`: also to write and to delete objects.
    ReadWrite,
    /// `fullaccess`: everything, on every bucket.
    FullAccess,
}

impl Key {
    /// A key with a new pair, usable at once.
    #[must_use]
    pub fn generate(name: &str, grants: Vec<Grant>, created_at: i64) -> Self {
        Self {
            access_key: new_access_key(),
            secret_key: new_secret_key(),
            name: name.to_owned(),
            previous_grants: grants.clone(),
            grants,
            created_at,
            deleted_at: None,
            usable_from_millis: created_at * 1000,
            usable_until_millis: i64::MAX,
            grants_from_millis: created_at * 1000,
        }
    }

    /// Whether the API still shows it.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.deleted_at.is_none()
    }

    /// Whether Spaces accepts it at the moment.
    #[must_use]
    pub fn is_usable(&self, clock: &Clock) -> bool {
        let now = clock.now_millis();
        self.usable_from_millis <= now && now < self.usable_until_millis
    }

    /// The grants that Spaces goes by at the moment.
    #[must_use]
    pub fn grants_in_force(&self, clock: &Clock) -> &[Grant] {
        if clock.now_millis() < self.grants_from_millis {
            &self.previous_grants
        } else {
            &self.grants
        }
    }

    /// Whether it has full access to the account's buckets.
    #[must_use]
    pub fn has_full_access(&self) -> bool {
        self.grants
            .iter()
            .any(|grant| grant.permission == Permission::FullAccess)
    }

    /// Gives it other grants, which Spaces goes by after `delay`.
    pub(crate) fn regrant(&mut self, grants: Vec<Grant>, clock: &Clock, delay: Duration) {
        if grants == self.grants {
            return;
        }
        self.previous_grants = self.grants_in_force(clock).to_vec();
        self.grants = grants;
        self.grants_from_millis = clock.after(delay);
    }

    /// Deletes it; Spaces notices after `delay`.
    pub(crate) fn delete(&mut self, clock: &Clock, delay: Duration) {
        self.deleted_at = Some(clock.now());
        self.usable_until_millis = clock.after(delay);
    }
}

impl Grant {
    /// A grant from the API's words: `read`, `readwrite`, `fullaccess`, or nothing.
    ///
    /// # Panics
    /// If there is no such permission.
    #[must_use]
    pub fn new(bucket: &str, permission: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            permission: Permission::from_word(permission).expect("a permission of the API"),
        }
    }

    /// Everything, on every bucket.
    #[must_use]
    pub fn full_access() -> Self {
        Self {
            bucket: String::new(),
            permission: Permission::FullAccess,
        }
    }
}

impl Permission {
    /// The API's word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Read => "read",
            Self::ReadWrite => "readwrite",
            Self::FullAccess => "fullaccess",
        }
    }

    /// The permission of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::None, Self::Read, Self::ReadWrite, Self::FullAccess]
            .into_iter()
            .find(|permission| permission.word() == word)
    }
}

/// Whether an access key has the right shape, known or not.
pub(crate) fn is_well_formed(access_key: &str) -> bool {
    access_key.len() == ACCESS_KEY_LENGTH
        && access_key.starts_with("DO")
        && access_key
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn new_access_key() -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut key = ACCESS_KEY_PREFIX.to_owned();
    for byte in random::<{ ACCESS_KEY_LENGTH - ACCESS_KEY_PREFIX.len() }>() {
        // The slight bias of the remainder does not matter: nothing real is kept.
        key.push(char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
    }
    key
}

/// 32 random bytes: 43 characters, `+` and `/` among them as in life.
fn new_secret_key() -> String {
    STANDARD_NO_PAD.encode(random::<32>())
}

/// Random bytes from the system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRng.fill_bytes(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_look_real() {
        let key = Key::generate("shop", vec![], 0);
        assert!(is_well_formed(&key.access_key), "{}", key.access_key);
        assert_eq!(key.secret_key.len(), 43);
        assert!(!is_well_formed("shop-spaces-key"));
    }

    #[test]
    fn grants_come_into_force_after_their_delay() {
        let mut clock = Clock::frozen(100);
        let mut key = Key::generate("shop", vec![], 100);
        let read = vec![Grant::new("b", "read")];
        key.regrant(read.clone(), &clock, Duration::from_secs(2));
        assert!(key.grants_in_force(&clock).is_empty());
        clock.advance(Duration::from_secs(2));
        assert_eq!(key.grants_in_force(&clock), read);
        key.delete(&clock, Duration::from_secs(5));
        assert!(!key.is_live() && key.is_usable(&clock));
        clock.advance(Duration::from_secs(5));
        assert!(!key.is_usable(&clock));
    }
}
