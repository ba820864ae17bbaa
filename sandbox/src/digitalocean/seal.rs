//! `EV[…]`: how App Platform keeps the secret values of a spec.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::key::random;

/// Characters that every sealed value begins with.
const PREFIX: &str = "EV[1:";

/// Bytes in the first part of a sealed value, as the real ones have.
const NONCE_PART_BYTES: usize = 24;

/// Seals and opens the secret values of one app; another app's do not open.
#[derive(Clone)]
pub(super) struct Seal {
    key: [u8; 32],
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    pub(super) fn new() -> Self {
        Self { key: random() }
    }

    /// `EV[1:nonce:ciphertext]`, another one each time.
    pub(super) fn seal(&self, plain: &str) -> String {
        let nonce = random::<NONCE_PART_BYTES>();
        let mut bytes = plain.as_bytes().to_vec();
        self.cipher()
            .seal_in_place_append_tag(nonce_of(&nonce), Aad::empty(), &mut bytes)
            .expect("a value of a spec is far shorter than the cipher's limit");
        format!("{PREFIX}{}:{}]", STANDARD.encode(nonce), STANDARD.encode(bytes))
    }

    /// The plain text of a value that was sealed for this app.
    pub(super) fn open(&self, sealed: &str) -> Option<String> {
        let parts = sealed.strip_prefix(PREFIX)?.strip_suffix(']')?;
        let (nonce, bytes) = parts.split_once(':')?;
        let nonce: [u8; NONCE_PART_BYTES] = STANDARD.decode(nonce).ok()?.try_into().ok()?;
        let mut bytes = STANDARD.decode(bytes).ok()?;
        let plain = self
            .cipher()
            .open_in_place(nonce_of(&nonce), Aad::empty(), &mut bytes)
            .ok()?;
        String::from_utf8(plain.to_vec()).ok()
    }

    fn cipher(&self) -> LessSafeKey {
        let key = UnboundKey::new(&AES_256_GCM, &self.key).expect("the key has the cipher's length");
        LessSafeKey::new(key)
    }
}

/// Whether a value is, or pretends to be, a sealed one.
pub(super) fn is_sealed(value: &str) -> bool {
    value.starts_with("EV[") && value.ends_with(']')
}

/// The cipher takes the first half of the longer nonce that the format has.
fn nonce_of(part: &[u8; NONCE_PART_BYTES]) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce.copy_from_slice(&part[..NONCE_LEN]);
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_app_itself_opens_its_values() {
        let (shop, other) = (Seal::new(), Seal::new());
        let sealed = shop.seal("hunter2");
        assert!(is_sealed(&sealed));
        assert_ne!(sealed, shop.seal("hunter2"));
        assert_eq!(shop.open(&sealed).as_deref(), Some("hunter2"));
        assert_eq!(other.open(&sealed), None);
    }
}
