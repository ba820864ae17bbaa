//! Spaces keys as the API shows them: an id, a name, what they may open, and since when.

use std::collections::BTreeMap;
use std::fmt;

use super::bucket::BucketName;
use super::time::Timestamp;

/// The id of a key, such as `DO00EXAMPLEEXAMPLE00`. It is no secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessKeyId(String);

impl AccessKeyId {
    /// Takes the id as the API sent it; its shape is not documented and not checked.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a scoped key may do with a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Read and list objects.
    Read,
    /// Read, write and delete objects.
    ReadWrite,
}

impl Permission {
    /// The word of the API and of our inputs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadWrite => "readwrite",
        }
    }
}

/// What a scoped key is wanted to open.
pub type Grants = BTreeMap<BucketName, Permission>;

/// One grant as the API shows it, whatever it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListedGrant {
    /// The bucket's name; empty for full access.
    pub bucket: String,
    /// `read`, `readwrite`, `fullaccess` or an empty word for none; others may come.
    pub permission: String,
}

/// A key as the API lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpacesKey {
    /// Its only identifier.
    pub id: AccessKeyId,
    /// Free text; not unique. Ours follow the grammar of [`super::name::KeyName`].
    pub name: String,
    /// Sent back as they came on every rename, because a rename without them may wipe them.
    pub grants: Vec<ListedGrant>,
    /// When it was minted, on DigitalOcean's clock, to the second.
    pub created_at: Timestamp,
}

impl SpacesKey {
    /// Whether it opens exactly what `wanted` says, in any order.
    #[must_use]
    pub fn opens_exactly(&self, wanted: &Grants) -> bool {
        let mut listed = self.grants.clone();
        listed.sort();
        listed.dedup();
        listed == listed_grants(wanted)
    }

    /// The order in which rival keys are served: the earlier first, then the smaller id.
    #[must_use]
    pub fn rank(&self) -> (Timestamp, &AccessKeyId) {
        (self.created_at, &self.id)
    }
}

/// The grants in the words of the API, sorted by bucket.
#[must_use]
pub fn listed_grants(grants: &Grants) -> Vec<ListedGrant> {
    let listed = |(bucket, permission): (&BucketName, &Permission)| ListedGrant {
        bucket: bucket.to_string(),
        permission: permission.word().to_owned(),
    };
    grants.iter().map(listed).collect()
}

/// The grant of a full-access key: every bucket, every call. The API takes it alone or not at all.
#[must_use]
pub fn full_access() -> Vec<ListedGrant> {
    vec![ListedGrant {
        bucket: String::new(),
        permission: "fullaccess".to_owned(),
    }]
}
