//! What an account holds, as `audit` lists it.

use super::bucket::{BucketName, Region};
use super::key::SpacesKey;
use super::name::KeyName;
use super::time::Timestamp;

/// Everything that `audit` has listed, as of `now`. It holds no secret.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// DigitalOcean's clock; ages count by it.
    pub now: Timestamp,
    /// Every Spaces key, oldest first.
    pub keys: Vec<ListedKey>,
    /// Every bucket of every region that could be asked, by region and name.
    pub buckets: Vec<ListedBucket>,
    /// Every app that names a Spaces key in its spec.
    pub apps: Vec<ListedApp>,
    /// How many keys an account may hold.
    pub keys_max: usize,
    /// How many buckets an account may hold.
    pub buckets_max: usize,
}

/// A key in the inventory.
#[derive(Debug, Clone)]
pub struct ListedKey {
    /// The key as the API shows it.
    pub key: SpacesKey,
    /// Its parsed name, where a Spacekeeper minted it; all others are strangers.
    pub name: Option<KeyName>,
    /// Whether its family is declared by the request at hand.
    pub declared: bool,
}

/// A bucket in the inventory. `None` is what could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedBucket {
    /// Its name, whatever it is.
    pub name: String,
    /// Where it lives.
    pub region: Region,
    /// Where its access logs go, as `bucket/prefix`; an empty text is nowhere.
    pub logging: Option<String>,
    /// Whether everybody can list it.
    pub public_listing: Option<bool>,
    /// Whether it has a bucket policy.
    pub policy: Option<bool>,
    /// Whether the request at hand declares it.
    pub declared: bool,
}

/// An app that holds a Spaces key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedApp {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The access key id that its spec names.
    pub access_key_id: String,
    /// Where the id stands: the app as a whole, or a component.
    pub place: String,
    /// Whether the account has such a key.
    pub known: bool,
}

impl Inventory {
    /// The declared name of a bucket, where it is one that could be declared.
    #[must_use]
    pub fn bucket(&self, name: &BucketName) -> Option<&ListedBucket> {
        self.buckets.iter().find(|bucket| bucket.name == name.as_str())
    }
}
