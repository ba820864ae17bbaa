//! The private key of a GitHub App, and the short-lived token that it signs.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::model::time::Timestamp;
use crate::scrub;

/// How far the token's birth is put back, in seconds, against a server clock that lags.
const BACKDATED: i64 = 60;

/// How long the token lives, in seconds; GitHub allows ten minutes.
const LIFETIME: i64 = 9 * 60;

/// The private key of a GitHub App.
#[derive(Clone)]
pub struct AppKey(Arc<RsaKeyPair>);

/// The text is not an RSA private key in PEM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAppKey {
    /// There is no `BEGIN … PRIVATE KEY` with its `END`, or what stands between is not base64.
    #[error("it is not a private key in PEM; give the whole file that GitHub let you download")]
    NotPem,
    /// The key is damaged, of another kind or shorter than 2048 bits.
    #[error("it is not an RSA key of at least 2048 bits")]
    NotRsa,
}

impl AppKey {
    /// Reads PKCS#1 (as GitHub gives it) or PKCS#8. A literal `\n` counts as a line break: secrets are often stored so.
    pub fn from_pem(pem: &SecretString) -> Result<Self, BadAppKey> {
        let text = pem.expose_secret().replace("\\n", "\n");
        let pair = if let Some(der) = section(&text, "RSA PRIVATE KEY") {
            RsaKeyPair::from_der(&der?)
        } else {
            RsaKeyPair::from_pkcs8(&section(&text, "PRIVATE KEY").ok_or(BadAppKey::NotPem)??)
        };
        pair.map(|pair| Self(Arc::new(pair)))
            .map_err(|_| BadAppKey::NotRsa)
    }

    /// The JWT with which an App asks for a token; nothing when the system has no randomness.
    pub(super) fn sign(&self, issuer: &str, now: Timestamp) -> Option<SecretString> {
        let claims = json!({
            "iat": now.unix().saturating_sub(BACKDATED),
            "exp": now.unix().saturating_add(LIFETIME),
            "iss": issuer,
        });
        let encode = |part: &str| BASE64_URL_SAFE_NO_PAD.encode(part);
        let message = format!(
            "{}.{}",
            encode(r#"{"alg":"RS256","typ":"JWT"}"#),
            encode(&claims.to_string())
        );
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message.as_bytes(),
                &mut signature,
            )
            .ok()?;
        let token: SecretString = format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)).into();
        scrub::know(&token);
        Some(token)
    }
}

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppKey")
    }
}

/// The bytes between the first `BEGIN` and `END` of this label; nothing when there is no such label.
fn section(text: &str, label: &str) -> Option<Result<Vec<u8>, BadAppKey>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let body = rest
        .split_once(&format!("-----END {label}-----"))
        .map(|(body, _)| body);
    let base64: Option<String> = body.map(|body| body.split_whitespace().collect());
    Some(
        base64
            .and_then(|base64| BASE64_STANDARD.decode(base64).ok())
            .ok_or(BadAppKey::NotPem),
    )
}
