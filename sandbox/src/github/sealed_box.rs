//! The key pair of a secret store: what is sealed with its public half opens with its private one.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_box::SecretKey;
use rand_core::{OsRng, RngCore};

/// Ids are longer than what a double holds exactly, so that a client which reads them as
/// numbers stumbles.
const SMALLEST_KEY_ID: u64 = 1_000_000_000_000_000_000;

/// An X25519 key pair with its id.
#[derive(Clone)]
pub struct KeyPair {
    id: String,
    private: SecretKey,
}

impl KeyPair {
    /// A new pair.
    #[must_use]
    pub fn generate() -> Self {
        let id = SMALLEST_KEY_ID + OsRng.next_u64() % SMALLEST_KEY_ID;
        Self {
            id: id.to_string(),
            private: SecretKey::generate(&mut OsRng),
        }
    }

    /// The `key_id`: a decimal number of 19 digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public half in base64, as the API tells it.
    #[must_use]
    pub fn public_key(&self) -> String {
        STANDARD.encode(self.private.public_key().as_bytes())
    }

    /// What was sealed with the public half; `None` if it was not.
    #[must_use]
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        self.private.unseal(sealed).ok()
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_opens_with_its_own_key_only() {
        let pair = KeyPair::generate();
        let sealed = pair
            .private
            .public_key()
            .seal(&mut OsRng, b"value")
            .expect("sealing works");
        assert_eq!(pair.open(&sealed).as_deref(), Some(&b"value"[..]));
        assert_eq!(KeyPair::generate().open(&sealed), None);
        assert_eq!(pair.id().len(), 19);
    }

    /// From the fact sheet: the same bytes as libsodium makes.
    #[test]
    fn a_box_of_libsodium_opens() {
        let pair = KeyPair {
            id: String::new(),
            private: SecretKey::from_bytes([7; 32]),
        };
        assert_eq!(pair.public_key(), "E75P6uryBMf9M1j8nAByGIHRdCeBKCJ+xnTzf3/pe20=");
        let sealed =
            "eaYx7t4b+cmPEgMs3q3Q56B5OY/HhriMyEbsia+FpRpLEcdEuRua3SSyTC8KQlQ4C76NX8qlFEJFj9S2AwnNgg==";
        let sealed = STANDARD.decode(sealed).expect("base64");
        assert_eq!(pair.open(&sealed).as_deref(), Some("spaces-secret-é".as_bytes()));
    }
}
