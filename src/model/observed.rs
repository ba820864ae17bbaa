//! The world as it was read: what the plan is made of. No secret passes here.

use std::collections::{BTreeMap, BTreeSet};

use super::bucket::{BucketName, Logging, Retention};
use super::desired::AppRef;
use super::key::{AccessKeyId, SpacesKey};
use super::name::Run;
use super::problem::Problem;
use super::sink::{Repository, SettingName, Target};
use super::spec::AppSpec;
use super::time::Timestamp;

/// Something that was read, or the reason why it could not be.
pub type Reading<T> = Result<T, Problem>;

/// Everything that was read, as of `now`.
#[derive(Debug, Clone)]
pub struct Observed {
    /// DigitalOcean's clock; leases and ages count by it.
    pub now: Timestamp,
    /// The run that observes.
    pub run: Run,
    /// Every Spaces key of the account.
    pub keys: Reading<Vec<SpacesKey>>,
    /// Runs of which Actions says that they are finished.
    pub finished_runs: BTreeSet<Run>,
    /// The buckets that are wanted.
    pub buckets: BTreeMap<BucketName, Reading<BucketState>>,
    /// The places in GitHub that are written.
    pub targets: BTreeMap<Target, Reading<TargetState>>,
    /// The apps that are written.
    pub apps: BTreeMap<AppRef, Reading<AppState>>,
    /// Repositories that answer under another name: the wanted one and the one found.
    pub moved: Vec<(Repository, Repository)>,
}

impl Observed {
    /// Nothing but keys: what an election needs.
    #[must_use]
    pub fn of_keys(now: Timestamp, run: Run, keys: Vec<SpacesKey>, finished_runs: BTreeSet<Run>) -> Self {
        let (buckets, targets, apps) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self {
            now,
            run,
            keys: Ok(keys),
            finished_runs,
            buckets,
            targets,
            apps,
            moved: Vec::new(),
        }
    }

    /// The keys that could be read.
    #[must_use]
    pub fn keys(&self) -> &[SpacesKey] {
        self.keys.as_deref().unwrap_or_default()
    }
}

/// What is known of one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BucketState {
    /// Nobody looked: a dry run mints no admin key, and no full-access pair was supplied.
    Unseen,
    /// No bucket of this name in the region.
    Absent,
    /// It is ours and can be configured.
    Present(Settings),
    /// It exists, and the full-access key may not touch it.
    NotOurs {
        /// The error code of Spaces, where it sent one.
        code: Option<String>,
    },
    /// It exists in another region.
    Elsewhere {
        /// Where, if that was told.
        region: Option<String>,
    },
}

/// The settings of a bucket that we look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Where its access logs go.
    pub logging: Option<Logging>,
    /// Our expiry rules.
    pub retentions: Vec<Retention>,
    /// A bucket policy, which excludes scoped keys.
    pub has_policy: bool,
}

/// What is known of a place in GitHub.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetState {
    /// The secrets that exist, and when each was last written, on GitHub's clock.
    pub secrets: BTreeMap<String, Timestamp>,
    /// The variables of those that we write.
    pub variables: BTreeMap<SettingName, String>,
}

/// What is known of an app.
#[derive(Debug, Clone, PartialEq)]
pub struct AppState {
    /// Its id.
    pub id: String,
    /// The spec that the next deployment takes.
    pub spec: AppSpec,
    /// Whether a rollback pinned it to an older deployment.
    pub pinned: bool,
    /// The deployment that serves.
    pub active: Option<DeploymentState>,
    /// Deployments on their way, newest first.
    pub coming: Vec<DeploymentState>,
}

/// What is known of a deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct DeploymentState {
    /// Its id.
    pub id: String,
    /// When it was created, on DigitalOcean's clock; the API may leave it out.
    pub created_at: Option<Timestamp>,
    /// Its own copy of the spec.
    pub spec: Option<AppSpec>,
}

impl DeploymentState {
    /// Whether the deployment carries this key.
    #[must_use]
    pub fn names(&self, id: &AccessKeyId) -> bool {
        self.spec.as_ref().is_some_and(|spec| spec.names(id))
    }
}
