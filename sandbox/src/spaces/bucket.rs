//! One bucket: its settings and its content.

use std::collections::BTreeMap;

use super::{CorsRule, LifecycleRule, Object, Upload};
use crate::Clock;

/// Whose bucket it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The account of the sandbox.
    Ours,
    /// Some other account: its name is taken and every access is refused.
    Stranger,
}

/// The two canned ACLs that Spaces knows. On a bucket, `PublicRead` opens the listing only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Acl {
    /// Keys with a grant only.
    #[default]
    Private,
    /// Readable without a signature.
    PublicRead,
}

impl Acl {
    /// The canned name, such as `public-read`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::PublicRead => "public-read",
        }
    }

    /// The ACL of that canned name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Private, Self::PublicRead]
            .into_iter()
            .find(|acl| acl.name() == name)
    }
}

/// Whether old versions are kept. Once on it can be suspended, never removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versioning {
    /// Never switched on.
    #[default]
    Off,
    /// On.
    Enabled,
    /// Was on.
    Suspended,
}

/// Where the access logs of a bucket go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// The log bucket.
    pub target_bucket: String,
    /// What the names of the log objects start with.
    pub target_prefix: String,
}

/// A bucket. Versions are not kept: versioning is a setting like the others.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Its name, unique over all regions and accounts.
    pub name: String,
    /// The slug of its region, such as `nyc3`.
    pub region: String,
    /// Whose it is.
    pub owner: Owner,
    /// When it was created, in Unix seconds.
    pub created_at: i64,
    /// From when on it can be seen, in Unix milliseconds: until then it is a 404.
    pub visible_at: i64,
    /// Who may list it without a signature.
    pub acl: Acl,
    /// The bucket policy as it was put. While there is one, no scoped key gets in.
    pub policy: Option<String>,
    /// Access logging, `None` when off.
    pub logging: Option<Logging>,
    /// Lifecycle rules, empty when there are none.
    pub lifecycle: Vec<LifecycleRule>,
    /// CORS rules, empty when there are none.
    pub cors: Vec<CorsRule>,
    /// Whether versions are kept.
    pub versioning: Versioning,
    /// What is stored in it, by key.
    pub objects: BTreeMap<String, Object>,
    /// Multipart uploads in flight, by upload id.
    pub uploads: BTreeMap<String, Upload>,
}

impl Bucket {
    /// An empty private bucket of ours, visible from its creation (Unix seconds) on.
    #[must_use]
    pub fn new(name: impl Into<String>, region: impl Into<String>, created_at: i64) -> Self {
        Self {
            name: name.into(),
            region: region.into(),
            owner: Owner::Ours,
            created_at,
            visible_at: created_at * 1000,
            acl: Acl::default(),
            policy: None,
            logging: None,
            lifecycle: Vec::new(),
            cors: Vec::new(),
            versioning: Versioning::default(),
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
        }
    }

    /// The same bucket in another account.
    #[must_use]
    pub fn of_a_stranger(mut self) -> Self {
        self.owner = Owner::Stranger;
        self
    }

    /// The same bucket with its access logs sent to `target_bucket`.
    #[must_use]
    pub fn logging_to(mut self, target_bucket: impl Into<String>, target_prefix: impl Into<String>) -> Self {
        self.logging = Some(Logging {
            target_bucket: target_bucket.into(),
            target_prefix: target_prefix.into(),
        });
        self
    }

    /// Whether it can be seen yet.
    #[must_use]
    pub fn is_visible(&self, clock: &Clock) -> bool {
        self.visible_at <= clock.now_millis()
    }

    /// The object stored under that key.
    #[must_use]
    pub fn object(&self, key: &str) -> Option<&Object> {
        self.objects.get(key)
    }
}
