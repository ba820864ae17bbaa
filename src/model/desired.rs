//! The wanted world, whoever asked for it: inputs and manifest both end here.

use std::collections::{BTreeMap, BTreeSet};

use super::bucket::{Acl, BucketName, LoggingWish, Region, Versioning};
use super::cdn::CdnWish;
use super::cors::CorsWish;
use super::endpoint::SpacesUrl;
use super::key::Grants;
use super::lifecycle::LifecycleRule;
use super::lifetime::Lifetime;
use super::name::Family;
use super::sink::{Repository, SettingName, Target};
use super::spec::Place;

/// Everything one run is asked to bring about.
#[derive(Debug, Clone)]
pub struct Desired {
    /// The region of the request: that of every bucket for which no other is named.
    pub region: Region,
    /// The base URL of Spaces, as it is given to apps and workflows.
    pub spaces_url: SpacesUrl,
    /// Where each bucket lives that is wanted or granted, also where the command leaves buckets as they are.
    pub homes: BTreeMap<BucketName, Region>,
    /// The buckets in the order in which they must be made: log buckets before those that log to them.
    pub buckets: Vec<WantedBucket>,
    /// The keys; none for buckets only.
    pub families: Vec<WantedFamily>,
}

/// A bucket and the settings that are managed; what is `None` or empty is left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedBucket {
    /// Its name.
    pub name: BucketName,
    /// Where it lives.
    pub region: Region,
    /// Where its access logs go.
    pub logging: Option<LoggingWish>,
    /// Lifecycle rules: for the logs that it receives, and declared ones.
    pub lifecycle: Vec<LifecycleRule>,
    /// Whether declared rules that are no longer asked for go.
    pub owns_lifecycle: bool,
    /// Which pages may use it.
    pub cors: Option<CorsWish>,
    /// Whether it keeps old versions.
    pub versioning: Option<Versioning>,
    /// Who may list it.
    pub acl: Option<Acl>,
    /// The CDN in front of it.
    pub cdn: Option<CdnWish>,
}

impl WantedBucket {
    /// A bucket of which nothing is managed but that it exists.
    #[must_use]
    pub fn bare(name: BucketName, region: Region) -> Self {
        Self {
            name,
            region,
            logging: None,
            lifecycle: Vec::new(),
            owns_lifecycle: false,
            cors: None,
            versioning: None,
            acl: None,
            cdn: None,
        }
    }
}

/// A key that is wanted, with all who read it.
#[derive(Debug, Clone)]
pub struct WantedFamily {
    /// The name that all its generations share.
    pub family: Family,
    /// What it opens.
    pub grants: Grants,
    /// How long its generations live.
    pub lifetime: Lifetime,
    /// The GitHub secrets and variables that hold it; at least one.
    pub github: Vec<GitHubSink>,
    /// The apps that hold it in their environment, each once.
    pub apps: Vec<AppSink>,
}

/// One place in GitHub that holds a key.
#[derive(Debug, Clone)]
pub struct GitHubSink {
    /// The repository, or one of its environments.
    pub target: Target,
    /// The secret with the access key id.
    pub access_key: SettingName,
    /// The secret with the secret access key.
    pub secret_key: SettingName,
    /// A secret with both in one JSON text, for readers that must never see a torn pair.
    pub combined: Option<CombinedSecret>,
    /// The variable with the access key id: written last, read as the proof of delivery.
    pub id_variable: Option<SettingName>,
    /// Variables that say where, and are no secret.
    pub variables: Vec<Variable>,
}

impl WantedFamily {
    /// All variables that say where, in GitHub and in apps.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        let github = self.github.iter().flat_map(|sink| &sink.variables);
        github.chain(self.apps.iter().flat_map(|sink| &sink.variables))
    }

    /// What it keeps in this app.
    pub fn sinks_in(&self, app: &AppRef) -> impl Iterator<Item = &AppSink> {
        self.apps.iter().filter(move |sink| sink.app == *app)
    }
}

impl GitHubSink {
    /// The names of all secrets in this sink.
    pub fn secrets(&self) -> impl Iterator<Item = &SettingName> {
        [&self.access_key, &self.secret_key]
            .into_iter()
            .chain(self.combined.as_ref().map(|combined| &combined.name))
    }
}

/// The variable that says where browsers find the objects of a bucket; a suffix may follow.
pub const CDN_VARIABLE: &str = "SPACES_CDN_ENDPOINT";

/// The variable with the access key id; a suffix may follow.
pub const ID_VARIABLE: &str = "SPACES_ACCESS_KEY_ID";

impl GitHubSink {
    /// The variable that would name a CDN endpoint, where the request asks for none.
    #[must_use]
    pub fn unasked_cdn_variable(&self) -> Option<SettingName> {
        let suffix = self.id_variable.as_ref()?.as_str().strip_prefix(ID_VARIABLE)?;
        unasked(&format!("{CDN_VARIABLE}{suffix}"), &self.variables)
    }
}

impl AppSink {
    /// The same in the app's environment.
    #[must_use]
    pub fn unasked_cdn_variable(&self) -> Option<SettingName> {
        unasked(&format!("{CDN_VARIABLE}{}", self.suffix), &self.variables)
    }
}

fn unasked(name: &str, asked: &[Variable]) -> Option<SettingName> {
    let name: SettingName = name.parse().ok()?;
    asked.iter().all(|variable| variable.name != name).then_some(name)
}

/// The combined secret, and what it says beside the pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CombinedSecret {
    /// Its name.
    pub name: SettingName,
    /// The bucket that it speaks of.
    pub bucket: BucketName,
    /// The region's slug.
    pub region: Region,
    /// The base URL of Spaces.
    pub endpoint: String,
}

/// A variable that anybody may read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variable {
    /// Its name, in GitHub as in the app's environment.
    pub name: SettingName,
    /// Its value, as far as the request tells it.
    pub value: String,
    /// What it names, and must stand before it may be written.
    pub names: Landmark,
}

/// What a variable that says where names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Landmark {
    /// A bucket, or the region or the endpoint where it is reached.
    Bucket(BucketName),
    /// The CDN endpoint in front of a bucket. Only DigitalOcean tells its address.
    Cdn(BucketName),
}

/// An app that holds a key in its environment.
#[derive(Debug, Clone)]
pub struct AppSink {
    /// Its id or name.
    pub app: AppRef,
    /// Where in its spec the variables stand; at least one place.
    pub places: Vec<Place>,
    /// What tells the key's variables from those of another family: empty, or `_` and a bucket in `UPPER_SNAKE`.
    pub suffix: String,
    /// Variables that say where, and are no secret.
    pub variables: Vec<Variable>,
}

/// The variables of an app that hold a key itself.
pub const KEY_ENVS: [&str; 3] = ["SPACES_ACCESS_KEY_ID", "SPACES_ACCESS_KEY", "SPACES_SECRET_KEY"];

/// The id or name by which a user calls an app.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppRef(pub String);

impl std::fmt::Display for AppRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Desired {
    /// Where a bucket lives.
    #[must_use]
    pub fn home_of(&self, bucket: &BucketName) -> Region {
        self.homes.get(bucket).copied().unwrap_or(self.region)
    }

    /// The base URL of Spaces where a bucket lives.
    #[must_use]
    pub fn endpoint_of(&self, bucket: &BucketName) -> String {
        self.spaces_url.at(self.home_of(bucket))
    }

    /// Every place in GitHub that is written, once.
    #[must_use]
    pub fn targets(&self) -> BTreeSet<&Target> {
        self.families
            .iter()
            .flat_map(|family| &family.github)
            .map(|sink| &sink.target)
            .collect()
    }

    /// Writes to another repository what was meant for `wanted`.
    pub fn rename_repository(&mut self, wanted: &Repository, found: &Repository) {
        let sinks = self.families.iter_mut().flat_map(|family| &mut family.github);
        for sink in sinks.filter(|sink| sink.target.repository == *wanted) {
            sink.target.repository = found.clone();
        }
    }

    /// Every app that is written, once.
    #[must_use]
    pub fn apps(&self) -> BTreeSet<&AppRef> {
        self.families
            .iter()
            .flat_map(|family| &family.apps)
            .map(|sink| &sink.app)
            .collect()
    }

    /// Calls every app by one name only, so that nothing happens to it twice: `ids` tells which names mean one app.
    pub fn merge_apps(&mut self, ids: &BTreeMap<AppRef, String>) {
        let mut firsts: BTreeMap<&String, &AppRef> = BTreeMap::new();
        for (app, id) in ids {
            firsts.entry(id).or_insert(app);
        }
        for sink in self.families.iter_mut().flat_map(|family| &mut family.apps) {
            if let Some(first) = ids.get(&sink.app).and_then(|id| firsts.get(id)) {
                sink.app = (*first).clone();
            }
        }
    }

    /// What each family keeps in this app.
    pub fn app_sinks(&self, app: &AppRef) -> impl Iterator<Item = &AppSink> {
        let sinks = self.families.iter().flat_map(|family| &family.apps);
        sinks.filter(move |sink| sink.app == *app)
    }

    /// Whether any key opens this bucket.
    #[must_use]
    pub fn grants(&self, bucket: &BucketName) -> bool {
        self.families
            .iter()
            .any(|family| family.grants.contains_key(bucket))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_app_that_has_two_names_is_called_by_the_first() {
        let sink = |name: &str| AppSink {
            app: AppRef(name.to_owned()),
            places: vec![Place::App],
            suffix: String::new(),
            variables: Vec::new(),
        };
        let mut desired = Desired {
            region: "nyc3".parse().expect("a region"),
            spaces_url: SpacesUrl::new("https://spaces.example"),
            homes: BTreeMap::new(),
            buckets: Vec::new(),
            families: vec![WantedFamily {
                family: "shop-spaces-key".parse().expect("a family"),
                grants: Grants::new(),
                lifetime: Lifetime::new(Duration::from_hours(2160), Duration::from_hours(24))
                    .expect("a lifetime"),
                github: Vec::new(),
                apps: ["shop", "9f-id", "blog", "unseen"].map(sink).into(),
            }],
        };
        let ids = [("shop", "9f-id"), ("9f-id", "9f-id"), ("blog", "7a-id")];
        let ids = ids.map(|(name, id)| (AppRef(name.to_owned()), id.to_owned()));
        desired.merge_apps(&ids.into());
        let names: Vec<&str> = desired.families[0].apps.iter().map(|sink| &*sink.app.0).collect();
        assert_eq!(names, ["9f-id", "9f-id", "blog", "unseen"]);
    }
}
