//! The inputs about keys, and where they go.

use std::collections::BTreeSet;

use super::super::super::inputs::RawInputs;
use super::super::flaw::At;
use super::super::lists::{List, Named};
use super::super::names::{AppName, EnvironmentName, PlatformName};
use super::super::read::{Reader, Spot, Word, word};
use super::super::shape::{AppPlatformShape, GitHubShape, KeyShape, SecretsShape};
use super::super::words::Suffix;
use super::{Line, Scope, list, refuse_unheeded, value};
use crate::model::bucket::BucketName;
use crate::model::name::{BadFamily, Family};
use crate::model::sink::{Repository, SettingName};

/// The keys that the scope makes of the buckets.
pub(super) fn shapes(
    raw: &RawInputs,
    scope: Option<Scope>,
    app: &Spot<AppName>,
    lines: &[Line],
    own: Option<&str>,
    reader: &mut Reader,
) -> Named<Family, KeyShape> {
    let sinks = Sinks::read(raw, scope, own, reader);
    match scope {
        None | Some(Scope::None) => Named::from_iter([]),
        Some(Scope::App) => {
            let family = family(
                raw.key_name.as_deref(),
                Family::fitted(&format!("{}-spaces-key", app.value.0)),
                reader,
            );
            let named = family.map(|family| (family, sinks.key(lines, None, reader)));
            named.into_iter().collect()
        }
        Some(Scope::Bucket) => {
            let of_bucket = |line: &Line| of_bucket(raw, app, line, &sinks, reader);
            let keys: Vec<_> = lines.iter().filter_map(of_bucket).collect();
            refuse_shared_names(&keys, reader);
            keys.into_iter().collect()
        }
    }
}

fn of_bucket(
    raw: &RawInputs,
    app: &Spot<AppName>,
    line: &Line,
    sinks: &Sinks,
    reader: &mut Reader,
) -> Option<(Spot<Family>, KeyShape)> {
    let bucket = &line.0.value;
    let explicit = raw
        .key_name
        .as_deref()
        .map(|name| name.replace("{bucket}", bucket.as_str()));
    let default = Family::of_bucket(&format!("{}-{bucket}-spaces-key", app.value.0));
    let family = family(explicit.as_deref(), default, reader)?;
    let key = sinks.key(std::slice::from_ref(line), Some(bucket), reader);
    Some((family, key))
}

/// An explicit name is taken as it is or refused, and then the default stands for it, so that the rest is looked at too;
/// a default one is cut to fit.
fn family(
    explicit: Option<&str>,
    default: Result<Family, BadFamily>,
    reader: &mut Reader,
) -> Option<Spot<Family>> {
    if let Some(named) = value("key-name", explicit, reader) {
        return Some(named);
    }
    match default {
        Ok(fitted) => Some(Spot::new(fitted, At::Input("app"))),
        Err(why) => {
            let what = format!("no key can be called by it: {why}; set key-name");
            reader.refuse(At::Input("app"), what);
            None
        }
    }
}

fn refuse_shared_names(keys: &[(Spot<Family>, KeyShape)], reader: &mut Reader) {
    let distinct: BTreeSet<&Family> = keys.iter().map(|(family, _)| &family.value).collect();
    if distinct.len() < keys.len() {
        let what = "with key-scope: bucket each bucket has its own key; put {bucket} into the name";
        reader.refuse(At::Input("key-name"), what);
    }
}

/// Where keys go, before the ending of each.
struct Sinks {
    repository: Option<Spot<Repository>>,
    environment: Option<Spot<EnvironmentName>>,
    access_key: Option<Spot<SettingName>>,
    secret_key: Option<Spot<SettingName>>,
    credentials: Option<Spot<SettingName>>,
    variables: Option<Spot<bool>>,
    app: Option<AppPlatformShape>,
}

impl Sinks {
    fn read(raw: &RawInputs, scope: Option<Scope>, own: Option<&str>, reader: &mut Reader) -> Self {
        let repository = raw.github_repository.as_deref().or(own);
        Self {
            repository: value("github-repository", repository, reader),
            environment: value("github-environment", raw.github_environment.as_deref(), reader),
            access_key: value("access-key-secret", raw.access_key_secret.as_deref(), reader),
            secret_key: value("secret-key-secret", raw.secret_key_secret.as_deref(), reader),
            credentials: value("credentials-secret", raw.credentials_secret.as_deref(), reader),
            variables: value("variables", raw.variables.as_deref(), reader),
            app: app(raw, scope, reader),
        }
    }

    /// A key for these buckets. One that is not the only one has the name of its bucket in all of its own.
    fn key(&self, lines: &[Line], of_bucket: Option<&BucketName>, reader: &mut Reader) -> KeyShape {
        let suffix = of_bucket.and_then(|bucket| Suffix::parse(&bucket.upper_snake()).ok());
        let suffix = suffix.map(|suffix| Spot::new(suffix, At::Input("buckets")));
        let app_platform = self.app.iter().map(|app| AppPlatformShape {
            suffix: suffix.clone(),
            suffix_region: Some(shared(app.at)),
            ..app.clone()
        });
        KeyShape {
            at: At::Input("buckets"),
            grants: lines.iter().cloned().collect(),
            max_age: None,
            grace_period: None,
            app_platform: app_platform.collect(),
            github: Some(List::from_iter([self.github(suffix, reader)])),
        }
    }

    fn github(&self, suffix: Option<Spot<Suffix>>, reader: &mut Reader) -> GitHubShape {
        let at = At::Input("github-repository");
        let mut ended = |name: &Option<Spot<SettingName>>| ended(name.as_ref()?, suffix.as_ref(), reader);
        let secrets = SecretsShape {
            at,
            access_key: ended(&self.access_key),
            secret_key: ended(&self.secret_key),
            credentials: ended(&self.credentials),
        };
        GitHubShape {
            at,
            repository: self.repository.clone(),
            environment: self.environment.clone(),
            secrets: Some(secrets),
            variables: self.variables,
            suffix,
            suffix_region: Some(shared(at)),
        }
    }
}

/// All buckets of the inputs are in one region.
const fn shared(at: At) -> Spot<bool> {
    Spot::new(false, at)
}

/// A name of one's own with the ending of its bucket; in a file people write it out.
fn ended(
    name: &Spot<SettingName>,
    suffix: Option<&Spot<Suffix>>,
    reader: &mut Reader,
) -> Option<Spot<SettingName>> {
    match suffix {
        Some(suffix) => word(name.at, &format!("{}_{}", name.value, suffix.value.0), reader),
        None => Some(name.clone()),
    }
}

fn app(raw: &RawInputs, scope: Option<Scope>, reader: &mut Reader) -> Option<AppPlatformShape> {
    const INPUT: &str = "app-platform-app";
    let components = list("app-components", raw.app_components.as_deref(), reader);
    let app: Option<Spot<PlatformName>> = value(INPUT, raw.app_platform_app.as_deref(), reader);
    if raw.app_platform_app.is_none() {
        let given = [("app-components", raw.app_components.is_some())];
        let why = "it names components, but app-platform-app is not set";
        refuse_unheeded(&given, why, reader);
    }
    if scope == Some(Scope::None) {
        let given = [(INPUT, raw.app_platform_app.is_some())];
        let why = "there is no key to give to the app with key-scope: none";
        refuse_unheeded(&given, why, reader);
    }
    Some(AppPlatformShape {
        at: At::Input(INPUT),
        app: app?,
        components: components.unwrap_or_else(|| List::from_iter([])),
        suffix: None,
        suffix_region: None,
    })
}
