//! GitHub Apps and where they are installed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Permissions, Reach};

/// A GitHub App.
#[derive(Debug, Clone)]
pub struct App {
    /// Its number.
    pub id: u64,
    /// Its client id, which may stand for the number in a JWT.
    pub client_id: String,
    /// The public half of its key: an `RSAPublicKey` in DER.
    pub public_key: Vec<u8>,
    /// Where it is installed.
    pub installations: Vec<Installation>,
}

/// An installation of an app on an account.
#[derive(Debug, Clone)]
pub struct Installation {
    /// Its number.
    pub id: u64,
    /// The user or organization.
    pub account: String,
    /// The repositories it was given.
    pub reach: Reach,
    /// The permissions it was given.
    pub permissions: Permissions,
    /// When it was suspended, in Unix seconds.
    pub suspended_at: Option<i64>,
}

impl App {
    /// An app that is installed nowhere. The public key may be PEM or DER, and of either form:
    /// `SubjectPublicKeyInfo` (`BEGIN PUBLIC KEY`) or PKCS#1 (`BEGIN RSA PUBLIC KEY`).
    #[must_use]
    pub fn new(id: u64, client_id: impl Into<String>, public_key: &[u8]) -> Self {
        Self {
            id,
            client_id: client_id.into(),
            public_key: pkcs1(&der(public_key)).to_vec(),
            installations: Vec::new(),
        }
    }

    /// The same app, installed on an account with these repositories and permissions.
    #[must_use]
    pub fn installed(mut self, id: u64, account: &str, reach: Reach, permissions: Permissions) -> Self {
        let account = account.to_owned();
        self.installations.push(Installation {
            id,
            account,
            reach,
            permissions,
            suspended_at: None,
        });
        self
    }
}

/// The bytes within the armour of a PEM, or the bytes as they are.
fn der(key: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(key) else {
        return key.to_vec();
    };
    let body: String = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .map(str::trim)
        .collect();
    STANDARD.decode(body).unwrap_or_else(|_| key.to_vec())
}

/// The `RSAPublicKey` within a `SubjectPublicKeyInfo`, or the key as it is.
fn pkcs1(key: &[u8]) -> &[u8] {
    /// `rsaEncryption` with its NULL parameters, then the tag of the bit string.
    const ALGORITHM: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x03";
    let Some(at) = key
        .windows(ALGORITHM.len())
        .position(|window| window == ALGORITHM)
    else {
        return key;
    };
    let bits = &key[at + ALGORITHM.len()..];
    // A length of one byte, or of as many more as its low bits say; then the count of unused bits.
    let header = match bits.first() {
        Some(length) if length & 0x80 != 0 => 2 + usize::from(length & 0x7f),
        _ => 2,
    };
    bits.get(header..).unwrap_or(key)
}
