//! The shape of the manifest: every field, once, for the parser, for the schema and for people.

use std::rc::Rc;

use serde_json::{Value, json};

use super::flaw::At;
use super::lists::{List, Named};
use super::names::{AppName, EnvironmentName, PlatformName};
use super::read::{Field, Must, Reader, Spot, is_a, shape};
use super::settings::{CdnChoice, CorsShape, Origins};
use super::tree::{Kind, Node};
use super::words::{Days, LogPrefix, Prefix, Spell, Suffix, Version};
use crate::model::bucket::{Acl, BucketName, Region};
use crate::model::key::Permission;
use crate::model::name::Family;
use crate::model::sink::{Repository, SettingName};

/// More places than one run could write to: GitHub takes about 500 writes an hour from one token.
pub(super) const MOST_SINKS: usize = 500;

/// More components than an app has.
const MOST_COMPONENTS: usize = 100;

/// Rules that S3 takes for a bucket (S3 user guide, lifecycle configuration).
const MOST_LIFECYCLE_RULES: usize = 1_000;

shape! {
    /// The buckets and keys of many apps, as Spacekeeper brings them about.
    Manifest {
        /// The version of this format.
        version: Must<Spot<Version>>,
        /// Spaces region of every bucket that names no other. Unset, nyc3.
        region: Option<Spot<Region>>,
        /// No key outlives this, its overlap with its successor included, unless the key says otherwise. Unset, 90d.
        max_age: Option<Spot<Spell>>,
        /// How long a superseded key is kept at least, unless the key says otherwise. Unset, 24h.
        grace_period: Option<Spot<Spell>>,
        /// The apps, by a name of your choice: the prefixes of their access logs begin with it.
        apps: Named<AppName, AppShape>,
    }
}

shape! {
    /// An app: its buckets and the keys that open buckets of this file.
    AppShape {
        /// The buckets, by name. They are made where they are missing; nothing in them is ever deleted.
        buckets: Option<Named<BucketName, Rc<BucketShape>>>,
        /// The keys, by the name that all their generations share.
        keys: Option<Named<Family, KeyShape>>,
    }
}

shape! {
    /// A bucket. A setting that is not named is left as it is.
    BucketShape {
        /// Spaces region in which it lives. A bucket cannot move.
        region: Option<Spot<Region>>,
        /// Where its access logs go, or `off` to send none.
        logging: Option<LoggingShape>,
        /// Days after which the access logs that this bucket receives expire.
        retention_days: Option<Spot<Days>>,
        /// Rules by which objects expire. Rules of others are left as they are.
        lifecycle: Option<List<LifecycleShape, MOST_LIFECYCLE_RULES>>,
        /// What browsers of other origins may do: `private-uploads`, `public-assets`, `none`, or rules.
        cors: Option<Must<CorsShape>>,
        /// Origins of every rule, beside those that it names. `from-app` stands for the live URL and the domains of the apps
        /// whose keys open the bucket.
        cors_origins: Option<Origins>,
        /// Whether older versions of objects are kept; `false` suspends it.
        versioning: Option<Spot<bool>>,
        /// Who may list it: `private`, or `public-read` for everybody.
        acl: Option<Spot<Acl>>,
        /// Whether it has a CDN endpoint, and which: `true`, or its settings.
        cdn: Option<CdnChoice>,
    }
}

/// What becomes of access logs.
#[derive(Debug, Clone)]
pub(super) enum LoggingShape {
    /// None are sent.
    Off,
    /// They go there.
    To(LoggingTarget),
}

shape! {
    /// Where access logs go.
    LoggingTarget {
        /// The bucket that receives them: another one of this file, in the same region.
        bucket: Spot<BucketName>,
        /// What their names start with; `{app}` and `{bucket}` are filled in. Unset, `access-logs/{app}/{bucket}/`.
        prefix: Option<Spot<LogPrefix>>,
    }
}

shape! {
    /// A rule by which objects expire; it has one of the two spans at least.
    LifecycleShape {
        /// What the names of the objects start with. Unset, every object.
        prefix: Option<Spot<Prefix>>,
        /// Days after which they are deleted.
        expire_days: Option<Must<Spot<Days>>>,
        /// Days after which an upload in parts that was not completed is dropped.
        abort_uploads_days: Option<Must<Spot<Days>>>,
    }
}

shape! {
    /// A key, with all who read it.
    KeyShape {
        /// The buckets that it opens, each with `read` or `readwrite`. The first is the one that `SPACES_BUCKET` names.
        grants: Named<BucketName, Spot<Permission>>,
        /// No generation outlives this, the overlap with its successor included. Must exceed twice the grace period by 51 and
        /// a half hours, or the grace period by 78 and a half.
        max_age: Option<Spot<Spell>>,
        /// How long a superseded generation is kept at least after its successor is in place.
        grace_period: Option<Spot<Spell>>,
        /// Where it goes in GitHub. Unset, the workflow's own repository, under the default names.
        github: Option<List<GitHubShape, MOST_SINKS>>,
        /// The apps of App Platform whose environment receives it. They are redeployed.
        app_platform: List<AppPlatformShape, MOST_SINKS>,
    }
}

shape! {
    /// A repository, or one of its environments, that receives a key.
    GitHubShape {
        /// The repository, as OWNER/NAME. Unset, the workflow's own.
        repository: Option<Spot<Repository>>,
        /// The environment of it that receives the key instead of the repository itself.
        environment: Option<Spot<EnvironmentName>>,
        /// The names of the secrets.
        secrets: Option<SecretsShape>,
        /// Whether to write also the variables `SPACES_ACCESS_KEY_ID`, `SPACES_BUCKET`, `SPACES_REGION`, `SPACES_ENDPOINT` and, with
        /// a CDN, `SPACES_CDN_ENDPOINT`. Unset, true.
        variables: Option<Spot<bool>>,
        /// What the names of the variables, and of the secrets that are not named here, end with after an underscore.
        /// It tells the names of two keys in one place apart: LOGS makes `SPACES_BUCKET_LOGS`.
        suffix: Option<Spot<Suffix>>,
        /// Whether `SPACES_REGION` and `SPACES_ENDPOINT` end with the suffix too. With `false`, keys whose buckets are in one
        /// region share them. Unset, true.
        suffix_region: Option<Spot<bool>>,
    }
}

shape! {
    /// The names of the secrets that hold a key.
    SecretsShape {
        /// The secret with the access key id. Unset, `SPACES_ACCESS_KEY`.
        access_key: Option<Spot<SettingName>>,
        /// The secret with the secret key. Unset, `SPACES_SECRET_KEY`.
        secret_key: Option<Spot<SettingName>>,
        /// One more secret with bucket, region, endpoint, `access_key` and `secret_key` as JSON. Unset, there is none.
        credentials: Option<Spot<SettingName>>,
    }
}

shape! {
    /// An app of App Platform that receives a key in its environment.
    AppPlatformShape {
        /// Its id or name.
        app: Spot<PlatformName>,
        /// The components that receive it. Unset, the app as a whole.
        components: List<Spot<PlatformName>, MOST_COMPONENTS>,
        /// What the names of the variables end with after an underscore. It tells the variables of two keys in one app
        /// apart: LOGS makes `SPACES_ACCESS_KEY_LOGS`.
        suffix: Option<Spot<Suffix>>,
        /// Whether `SPACES_REGION` and `SPACES_ENDPOINT` end with the suffix too. With `false`, keys whose buckets are in one
        /// region share them. Unset, true.
        suffix_region: Option<Spot<bool>>,
    }
}

impl Field for LoggingShape {
    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.kind {
            // YAML 1.1 reads `off` as a boolean, and some editors write that back.
            Kind::Scalar(text) if text == "off" || text == "false" => Some(Self::Off),
            Kind::Mapping(_) => LoggingTarget::read(node, reader).map(Self::To),
            other => {
                let what = format!("{}; write off, or a mapping with `bucket`", is_a(other));
                reader.refuse(node.at, what);
                None
            }
        }
    }

    fn schema() -> Value {
        json!({ "oneOf": [{ "enum": ["off", false] }, LoggingTarget::schema()] })
    }
}

impl GitHubShape {
    /// What a key has that says nothing of GitHub.
    pub(super) fn unsaid(at: At) -> Self {
        Self {
            at,
            repository: None,
            environment: None,
            secrets: None,
            variables: None,
            suffix: None,
            suffix_region: None,
        }
    }
}
