//! Actions secrets of a repository or an environment. Values are sealed before they leave and can never be read back.

use http::Method;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::super::failure::{Failure, FailureKind, Service, WriteFailure};
use super::super::json;
use super::super::page::Listed;
use super::super::seal::SealingKey;
use super::{Call, GitHub, Written, optional, target_path};
use crate::model::sink::{SettingName, Target};
use crate::model::time::Timestamp;

/// The largest page that the API gives.
const PER_PAGE: usize = 100;

#[derive(Deserialize)]
struct PublicKey {
    #[serde(deserialize_with = "json::id")]
    key_id: String,
    key: String,
}

#[derive(Deserialize)]
struct WireSecret {
    name: String,
    #[serde(deserialize_with = "json::time")]
    updated_at: Timestamp,
}

impl Listed for WireSecret {
    const FIELD: &'static str = "secrets";
    const COUNTED: bool = true;

    fn identity(&self) -> String {
        self.name.clone()
    }
}

impl GitHub {
    /// The public key with which secrets of this target are sealed; every target has its own.
    ///
    /// `NotFound` when the environment or repository does not exist, or the token may not see it. `Forbidden` for a
    /// `GITHUB_TOKEN`, which cannot touch secrets at all.
    pub async fn sealing_key(&self, target: &Target) -> Result<SealingKey, Failure> {
        let subject = format!("read the public key of {target}");
        let path = format!("{}/secrets/public-key", target_path(target));
        let PublicKey { key_id, key } = self.get(&target.repository, &subject, path).await?;
        SealingKey::decode(key_id, &key)
            .map_err(|error| Failure::malformed(Service::GitHub, &subject, &error.to_string()))
    }

    /// All secrets of a target, upper-case as GitHub stores them, each with its last change by GitHub's clock.
    pub async fn secrets(&self, target: &Target) -> Result<Vec<(String, Timestamp)>, Failure> {
        let subject = format!("list secrets of {target}");
        let path = format!("{}/secrets", target_path(target));
        let listed: Vec<WireSecret> = self.list(&target.repository, &subject, &path, PER_PAGE).await?;
        let upper = |secret: WireSecret| (secret.name.to_ascii_uppercase(), secret.updated_at);
        Ok(listed.into_iter().map(upper).collect())
    }

    /// When a secret was last changed, by GitHub's clock; nothing when there is none of this name.
    pub async fn secret(&self, target: &Target, name: &SettingName) -> Result<Option<Timestamp>, Failure> {
        let subject = format!("read secret {name} of {target}");
        let path = format!("{}/secrets/{name}", target_path(target));
        let secret: Option<WireSecret> = optional(self.get(&target.repository, &subject, path).await)?;
        Ok(secret.map(|secret| secret.updated_at))
    }

    /// Sets a secret, whether or not it exists. Repeating it does no harm, so it is tried again after a lost reply.
    ///
    /// The server opens the box at once and answers 422 to one that was sealed with a former key; so after a 422 the key
    /// is read anew and the secret sealed again, once.
    ///
    /// `Refused`: the secret is as it was.
    pub async fn put_secret(
        &self,
        target: &Target,
        name: &SettingName,
        key: &SealingKey,
        secret: &SecretString,
    ) -> Result<Written, WriteFailure> {
        match self.put_sealed(target, name, key, secret).await {
            Err(WriteFailure::Refused(failure)) if failure.kind == FailureKind::Invalid => {
                let key = self.sealing_key(target).await?;
                self.put_sealed(target, name, &key, secret).await
            }
            answered => answered,
        }
    }

    async fn put_sealed(
        &self,
        target: &Target,
        name: &SettingName,
        key: &SealingKey,
        secret: &SecretString,
    ) -> Result<Written, WriteFailure> {
        let subject = format!("set secret {name} of {target}");
        let no_randomness = || {
            Failure::new(
                Service::GitHub,
                &subject,
                FailureKind::Unavailable,
                "no randomness to seal with",
            )
        };
        let sealed = key.seal(secret).ok_or_else(no_randomness)?;
        let body = json!({ "encrypted_value": sealed, "key_id": key.id });
        let path = format!("{}/secrets/{name}", target_path(target));
        let call = Call::new(&subject, Method::PUT, path).with(body);
        self.write_or_tell(&target.repository, &call).await
    }
}
