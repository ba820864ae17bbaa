//! How the API writes keys and pages. Lenient: what is missing is empty, what is unknown is ignored.

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::model::key::{BadAccessKeyId, ListedGrant, SpacesKey};
use crate::model::time::{NotATime, Timestamp};

/// `{"key": …}`; the OpenAPI description says `keys` for a single key, its examples and godo say `key`.
#[derive(Deserialize)]
pub(super) struct KeyReply {
    pub key: Key,
}

/// A key as it is listed.
#[derive(Deserialize)]
pub(super) struct Key {
    #[serde(rename = "access_key")]
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default, deserialize_with = "null_is_empty")]
    grants: Vec<Grant>,
    created_at: String,
}

/// The one reply that bears a secret.
#[derive(Deserialize)]
pub(super) struct MintReply {
    pub key: MintedKey,
}

/// Not a [`Key`] and more: flattening would copy the secret through serde's buffers.
#[derive(Deserialize)]
pub(super) struct MintedKey {
    #[serde(rename = "access_key")]
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default, deserialize_with = "null_is_empty")]
    grants: Vec<Grant>,
    created_at: String,
    #[serde(rename = "secret_key")]
    secret: SecretString,
}

#[derive(Deserialize)]
struct Grant {
    #[serde(default)]
    bucket: String,
    #[serde(default)]
    permission: String,
}

/// One page of a list, whatever it lists.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct Page<T> {
    #[serde(
        default,
        alias = "keys",
        alias = "apps",
        alias = "deployments",
        alias = "endpoints",
        deserialize_with = "null_is_empty"
    )]
    pub items: Vec<T>,
    #[serde(default)]
    links: Option<Links>,
}

/// `{}`, `{"pages": {}}` or absent on the last page.
#[derive(Deserialize)]
struct Links {
    #[serde(default)]
    pages: Option<Pages>,
}

#[derive(Deserialize)]
struct Pages {
    #[serde(default)]
    next: Option<String>,
}

impl<T> Page<T> {
    /// Whether no other page is announced. The URL of the next one is never used: its host may be anyone's.
    pub(super) fn is_last(&self) -> bool {
        let next = self
            .links
            .as_ref()
            .and_then(|links| links.pages.as_ref()?.next.as_ref());
        self.items.is_empty() || next.is_none()
    }
}

/// Why a key of a reply cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadKey {
    #[error("access_key: {0}")]
    Id(#[from] BadAccessKeyId),
    #[error("created_at: {0}")]
    CreatedAt(#[from] NotATime),
}

impl TryFrom<Key> for SpacesKey {
    type Error = BadKey;

    fn try_from(key: Key) -> Result<Self, BadKey> {
        let Key {
            id,
            name,
            grants,
            created_at,
        } = key;
        let created_at = Timestamp::from_rfc3339(&created_at)?;
        let grants = grants.into_iter().map(Into::into).collect();
        Ok(Self {
            id: id.parse()?,
            name,
            grants,
            created_at,
        })
    }
}

impl MintedKey {
    /// Parts the secret from the rest.
    pub(super) fn split(self) -> Result<(SpacesKey, SecretString), BadKey> {
        let Self {
            id,
            name,
            grants,
            created_at,
            secret,
        } = self;
        let key = SpacesKey::try_from(Key {
            id,
            name,
            grants,
            created_at,
        })?;
        Ok((key, secret))
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

/// Reads `null` as the empty list that it stands for in Go.
pub(super) fn null_is_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
