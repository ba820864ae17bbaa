//! The sealed box in which GitHub takes a secret: `crypto_box_seal` of libsodium.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use crypto_box::PublicKey;
use crypto_box::aead::OsRng;
use secrecy::{ExposeSecret, SecretString};

/// The public key of a target's secrets. Every target and scope has its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealingKey {
    /// Sent back with each sealed secret. A decimal beyond 2⁵³: never a number.
    pub id: String,
    /// X25519.
    pub key: [u8; 32],
}

/// The text is not a public key of 32 bytes in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the public key is not 32 bytes in base64")]
pub(super) struct NotAKey;

impl SealingKey {
    /// Reads a key as the API shows it.
    pub(super) fn decode(id: String, key: &str) -> Result<Self, NotAKey> {
        let bytes = BASE64_STANDARD.decode(key).map_err(|_| NotAKey)?;
        let key = bytes.try_into().map_err(|_| NotAKey)?;
        Ok(Self { id, key })
    }

    /// Seals the bytes of `secret` as they are and returns them in padded base64, 48 bytes longer than before. Nothing
    /// when the system has no randomness.
    pub(super) fn seal(&self, secret: &SecretString) -> Option<String> {
        let message = secret.expose_secret().as_bytes();
        let sealed = PublicKey::from(self.key).seal(&mut OsRng, message).ok()?;
        Some(BASE64_STANDARD.encode(sealed))
    }
}

#[cfg(test)]
mod tests {
    use crypto_box::SecretKey;

    use super::*;

    /// Made with `crypto_box` 0.9.1 and PyNaCl 1.6.2, which agree byte for byte.
    const PUBLIC: &str = "E75P6uryBMf9M1j8nAByGIHRdCeBKCJ+xnTzf3/pe20=";
    const SEALED: &str =
        "eaYx7t4b+cmPEgMs3q3Q56B5OY/HhriMyEbsia+FpRpLEcdEuRua3SSyTC8KQlQ4C76NX8qlFEJFj9S2AwnNgg==";
    const MESSAGE: &str = "spaces-secret-é";

    fn recipient() -> SecretKey {
        SecretKey::from([7; 32])
    }

    fn opened(sealed: &str) -> Vec<u8> {
        let ciphertext = BASE64_STANDARD.decode(sealed).expect("base64");
        recipient().unseal(&ciphertext).expect("sealed to this recipient")
    }

    fn key() -> SealingKey {
        SealingKey::decode("3380204578043523366".to_owned(), PUBLIC).expect("a public key")
    }

    #[test]
    fn the_published_vector_opens() {
        assert_eq!(recipient().public_key().to_bytes(), key().key);
        assert_eq!(opened(SEALED), MESSAGE.as_bytes());
    }

    #[test]
    fn what_is_sealed_opens_whatever_its_length() {
        for message in [String::new(), MESSAGE.to_owned(), "x".repeat(48 * 1024)] {
            let sealed = key().seal(&message.clone().into()).expect("randomness");
            assert_eq!(opened(&sealed), message.as_bytes());
        }
    }

    #[test]
    fn sealed_twice_differs() {
        let secret = SecretString::from(MESSAGE);
        assert_ne!(key().seal(&secret), key().seal(&secret));
    }

    #[test]
    fn a_flipped_bit_or_another_recipient_does_not_open() {
        let mut ciphertext = BASE64_STANDARD.decode(SEALED).expect("base64");
        assert!(SecretKey::from([8; 32]).unseal(&ciphertext).is_err());
        ciphertext[40] ^= 1;
        assert!(recipient().unseal(&ciphertext).is_err());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for key in ["", "AAAA", "not base64"] {
            assert_eq!(SealingKey::decode("1".to_owned(), key), Err(NotAKey));
        }
    }
}
