//! Spaces keys as the API shows them: an id, a name, what they may open, and since when.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::bucket::BucketName;
use super::time::Timestamp;

/// The id of a key, such as `DO00EXAMPLEEXAMPLE00`. It is no secret.
///
/// It goes into the path of a request that deletes and into the header of one that is signed, so it has the characters
/// of a name only: letters, digits, hyphens, underscores and dots, a letter or digit first, at most
/// [`MAX_LEN`](Self::MAX_LEN) of them. DigitalOcean documents no shape; its ids are 20 capitals and digits, and other S3
/// servers let people choose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessKeyId(String);

/// The text cannot be the id of a key. It is not quoted: what stands there by mistake may be the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no access key id, which has 1 to 128 letters, digits, hyphens, underscores and dots")]
pub struct BadAccessKeyId;

impl AccessKeyId {
    /// The longest id, as AWS has it (`AccessKey` in the reference of its IAM API).
    pub const MAX_LEN: usize = 128;

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccessKeyId {
    type Err = BadAccessKeyId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let of_a_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins_well && text.len() <= Self::MAX_LEN && text.chars().all(of_a_name) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadAccessKeyId)
        }
    }
}

#[cfg(test)]
impl AccessKeyId {
    /// An id that a test has made up, be it one that no service could have.
    pub(crate) fn new(id: impl Into<String>) -> Self {
        Self(id.into())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_name_and_nothing_that_ends_a_header_or_leaves_a_path() {
        let longest = "D".repeat(AccessKeyId::MAX_LEN);
        for id in [
            "DO00EXAMPLEEXAMPLE00",
            "minioadmin",
            "GK31c2f218a2e44f48",
            "my-key_1.a",
            &longest,
        ] {
            assert!(id.parse::<AccessKeyId>().is_ok(), "{id}");
        }
        let too_long = "D".repeat(AccessKeyId::MAX_LEN + 1);
        for id in [
            "",
            "..",
            ".",
            "-",
            "DO00\nX",
            "DO00\r",
            "DO00/x",
            "DO 00",
            "DÖ00",
            "DO00\u{7f}",
            &too_long,
        ] {
            assert!(id.parse::<AccessKeyId>().is_err(), "{id:?}");
        }
    }
}
