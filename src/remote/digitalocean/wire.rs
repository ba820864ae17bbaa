//! How the API writes keys. What is unknown is ignored; what is missing is a failure, since the grants of a key are sent
//! back on its rename and its absence from the list means that it may be minted anew.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::json::{access_key_id, null_is_empty, secret, time};
use super::super::page::Listed;
use crate::model::key::{AccessKeyId, ListedGrant, SpacesKey};
use crate::model::time::Timestamp;

/// `{"key": …}`; the OpenAPI description says `keys` for a single key, its examples and godo say `key`.
#[derive(Deserialize)]
pub(super) struct KeyReply {
    pub key: Key,
}

/// A key as it is listed.
///
/// One that cannot be read is a failure of the whole list: it may be a rival's or the one that serves. Its name is free
/// text of whoever made it and may be anything; the rest is the API's own, so no stranger's key stops a run by being odd.
#[derive(Deserialize)]
pub(super) struct Key {
    #[serde(rename = "access_key", deserialize_with = "access_key_id")]
    id: AccessKeyId,
    name: String,
    #[serde(deserialize_with = "null_is_empty")]
    grants: Vec<Grant>,
    #[serde(deserialize_with = "time")]
    created_at: Timestamp,
}

/// The one reply that bears a secret.
#[derive(Deserialize)]
pub(super) struct MintReply {
    pub key: MintedKey,
}

/// Not a [`Key`] and more: flattening would copy the secret through serde's buffers.
#[derive(Deserialize)]
pub(super) struct MintedKey {
    #[serde(rename = "access_key", deserialize_with = "access_key_id")]
    id: AccessKeyId,
    name: String,
    #[serde(deserialize_with = "null_is_empty")]
    grants: Vec<Grant>,
    #[serde(deserialize_with = "time")]
    created_at: Timestamp,
    #[serde(rename = "secret_key", deserialize_with = "secret")]
    secret: SecretString,
}

/// Both are required (`models/grant.yml` of digitalocean/openapi); full access is a bucket of an empty name.
#[derive(Deserialize)]
struct Grant {
    bucket: String,
    permission: String,
}

impl Listed for Key {
    const FIELD: &'static str = "keys";
    const COUNTED: bool = false;

    fn identity(&self) -> String {
        self.id.to_string()
    }
}

impl From<Key> for SpacesKey {
    fn from(key: Key) -> Self {
        let Key {
            id,
            name,
            grants,
            created_at,
        } = key;
        Self {
            id,
            name,
            grants: grants.into_iter().map(Into::into).collect(),
            created_at,
        }
    }
}

impl MintedKey {
    /// Parts the secret from the rest.
    pub(super) fn split(self) -> (SpacesKey, SecretString) {
        let Self {
            id,
            name,
            grants,
            created_at,
            secret,
        } = self;
        let key = Key {
            id,
            name,
            grants,
            created_at,
        };
        (key.into(), secret)
    }
}

impl From<Grant> for ListedGrant {
    fn from(Grant { bucket, permission }: Grant) -> Self {
        Self { bucket, permission }
    }
}

/// The body of a mint and of a rename. Grants always stand there: without them a rename may wipe them.
pub(super) fn key_body(name: &str, grants: &[ListedGrant]) -> Value {
    let grant = |grant: &ListedGrant| json!({ "bucket": grant.bucket, "permission": grant.permission });
    json!({ "name": name, "grants": grants.iter().map(grant).collect::<Vec<_>>() })
}
