//! The world as it was read: what the plan is made of. No secret passes here.

use std::collections::{BTreeMap, BTreeSet};

use super::bucket::{Acl, BucketName, Logging, Versioning};
use super::cdn::CdnEndpoint;
use super::cors::FoundCorsRule;
use super::desired::AppRef;
use super::key::{AccessKeyId, SpacesKey};
use super::lifecycle::LifecycleRule;
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
    /// Who may still hold a key that no longer serves; nobody looks where there is no such key.
    pub holders: Option<Holders>,
}

/// Who may hold an old key beside the sinks: what the revoke gate asks about.
#[derive(Debug, Clone, PartialEq)]
pub struct Holders {
    /// The workflow runs that have not ended, of every repository that is given secrets.
    pub runs: BTreeMap<Repository, Reading<Unfinished>>,
    /// What every wanted app has served.
    pub served: BTreeMap<AppRef, Reading<History>>,
    /// Every app of the account that names an old key; nothing where the token may not list apps.
    pub apps: Reading<Option<Vec<NamingApp>>>,
}

/// What is to be found out about the holders of old keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The old keys.
    pub keys: Vec<AccessKeyId>,
    /// The time that needs no looking behind, on DigitalOcean's clock: every grace period that began by then is over.
    pub horizon: Timestamp,
    /// By when a workflow run was queued that may have been given one of them, on GitHub's clock; nothing where any may.
    pub delivered: Option<Timestamp>,
}

impl Holders {
    /// Why nobody knows who holds the keys, as far as something could not be read.
    pub fn unread(&self) -> impl Iterator<Item = &Problem> {
        let runs = self.runs.values().filter_map(|runs| runs.as_ref().err());
        let served = self.served.values().filter_map(|served| served.as_ref().err());
        runs.chain(served).chain(self.apps.as_ref().err())
    }
}

/// The deployments of an app, as far back as they were read: those that failed or were given up have given it nothing, and
/// are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// Newest first.
    pub deployments: Vec<PastDeployment>,
    /// How many were read, where reading ended for their number and not because it went back far enough.
    pub limit: Option<usize>,
}

/// A deployment, and how it has served.
#[derive(Debug, Clone, PartialEq)]
pub struct PastDeployment {
    /// What it carries.
    pub deployment: DeploymentState,
    /// How it has served.
    pub service: Service,
}

/// How a deployment has served. A phase tells only where it stands: one that is superseded may have served or never have
/// come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// It serves, since this time.
    Serves(Timestamp),
    /// It is known to have served, until this time where that is told.
    Served(Option<Timestamp>),
    /// It is over since this time, where that is told, and nothing shows that it has served.
    Doubtful(Option<Timestamp>),
    /// It is on its way.
    Coming,
}

/// An app of which a spec names a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamingApp {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The key.
    pub key: AccessKeyId,
}

/// What is known of the workflow runs that have not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfinished {
    /// The token may not look.
    Unknown,
    /// All of them that were created by the time that was asked for, the oldest first.
    Runs(Vec<UnfinishedRun>),
}

/// A workflow run that has not ended. The older one is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnfinishedRun {
    /// When it was queued, by GitHub's clock: then it was given the repository's secrets.
    pub created_at: Timestamp,
    /// Its id.
    pub id: u64,
}

impl Service {
    /// Whether it is known to serve or to have served.
    #[must_use]
    pub const fn is_known(self) -> bool {
        matches!(self, Self::Serves(_) | Self::Served(_))
    }
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
            holders: None,
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
    Present(Box<Settings>),
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
    /// Our lifecycle rules.
    pub lifecycle: Vec<LifecycleRule>,
    /// Its CORS rules, whosever they are.
    pub cors: Vec<FoundCorsRule>,
    /// Whether it keeps old versions; nothing for one that never did.
    pub versioning: Option<Versioning>,
    /// Who may list it.
    pub acl: Option<Acl>,
    /// The CDN endpoint in front of it.
    pub cdn: Option<CdnEndpoint>,
    /// A bucket policy, which excludes scoped keys. Not so where it is unread.
    pub has_policy: bool,
    /// What of it could not be read, such as a setting that the server does not know.
    pub unread: Vec<Unread>,
}

/// A setting of a bucket that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Which.
    pub setting: Setting,
    /// Why.
    pub problem: Problem,
}

/// A setting of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// Where its access logs go.
    Logging,
    /// Its lifecycle rules.
    Lifecycle,
    /// Its CORS rules.
    Cors,
    /// Whether it keeps old versions.
    Versioning,
    /// Who may list it.
    Acl,
    /// The CDN in front of it.
    Cdn,
    /// Whether it has a policy.
    Policy,
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Logging => "logging",
            Self::Lifecycle => "lifecycle rules",
            Self::Cors => "CORS rules",
            Self::Versioning => "versioning",
            Self::Acl => "ACL",
            Self::Cdn => "CDN endpoint",
            Self::Policy => "policy",
        })
    }
}

impl Settings {
    /// Whether a setting could be read.
    #[must_use]
    pub fn shows(&self, setting: Setting) -> bool {
        self.unread.iter().all(|unread| unread.setting != setting)
    }
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
    /// Where it is reached, as origins of its pages: its live URL and its custom domains.
    pub origins: Vec<String>,
    /// The deployment to which a rollback pinned it; it may come without its spec.
    pub pinned: Option<DeploymentState>,
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

impl AppState {
    /// Whether a rollback pinned it to a deployment that does not carry this key.
    #[must_use]
    pub fn is_pinned_away_from(&self, id: &AccessKeyId) -> bool {
        let active = |pinned: &DeploymentState| self.active.as_ref().filter(|active| active.id == pinned.id);
        let carries =
            |pinned: &DeploymentState| pinned.names(id) || active(pinned).is_some_and(|it| it.names(id));
        self.pinned.as_ref().is_some_and(|pinned| !carries(pinned))
    }
}

impl DeploymentState {
    /// Whether the deployment carries this key.
    #[must_use]
    pub fn names(&self, id: &AccessKeyId) -> bool {
        self.spec.as_ref().is_some_and(|spec| spec.names(id))
    }

    /// Whether the key's id stands anywhere in what it deploys.
    #[must_use]
    pub fn mentions(&self, id: &AccessKeyId) -> bool {
        self.spec.as_ref().is_some_and(|spec| spec.mentions(id))
    }
}
