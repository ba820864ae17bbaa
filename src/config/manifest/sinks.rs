//! Where a key of the file goes, and under which names.

use super::super::defaults;
use super::flaw::At;
use super::keys::{Draft, Home};
use super::read::Spot;
use super::shape::{AppPlatformShape, GitHubShape};
use super::words::{Suffix, by_default};
use crate::model::desired::{AppRef, AppSink, GitHubSink, Landmark, Variable};
use crate::model::sink::{SettingName, Target};
use crate::model::spec::Place as SpecPlace;

impl Draft<'_, '_> {
    pub(super) fn github(&mut self, wish: &GitHubShape, home: &Home<'_>, field: &str) -> Option<GitHubSink> {
        let target = self.target(wish, field);
        let ending = Ending::of(wish.suffix.as_ref(), wish.suffix_region.as_ref());
        let (access_key, secret_key, combined) = self.secrets(wish, &ending, field);
        let variables = match &wish.variables {
            Some(variables) => variables.value,
            None => by_default(defaults::VARIABLES)?,
        };
        let (id_variable, variables) = if variables {
            let id = self.ended("SPACES_ACCESS_KEY_ID", ending.all, field);
            (id, self.variables(home, &ending, field))
        } else {
            (None, Vec::new())
        };
        Some(GitHubSink {
            target: target?,
            access_key: access_key?,
            secret_key: secret_key?,
            combined: combined.map(|name| home.combined(&name)),
            id_variable,
            variables,
        })
    }

    /// The names of the secrets: for the id, for the secret key, and for both in one. No two may be the same.
    fn secrets(
        &mut self,
        wish: &GitHubShape,
        ending: &Ending<'_>,
        field: &str,
    ) -> (Option<SettingName>, Option<SettingName>, Option<SettingName>) {
        let names = wish.secrets.as_ref();
        let access_key = names.and_then(|names| names.access_key.as_ref());
        let secret_key = names.and_then(|names| names.secret_key.as_ref());
        let combined = names.and_then(|names| names.credentials.as_ref());
        let at = |spot: Option<&Spot<SettingName>>| spot.map_or(wish.at, |spot| spot.at);
        let (secret_at, combined_at) = (at(secret_key.or(access_key)), at(combined));
        let access_key = self.named(access_key, defaults::ACCESS_KEY_SECRET, ending, field);
        let secret_key = self.named(secret_key, defaults::SECRET_KEY_SECRET, ending, field);
        let combined = combined.map(|name| name.value.clone());
        if let (Some(one), Some(other)) = (&access_key, &secret_key)
            && one == other
        {
            let what = format!("`{other}` is also the name for the access key id");
            self.reader.tell(secret_at, format!("{field}.secrets"), what);
        }
        if combined.is_some() && (combined == access_key || combined == secret_key) {
            let what = "it has the name of one of the two other secrets";
            self.reader
                .tell(combined_at, format!("{field}.secrets.credentials"), what);
        }
        (access_key, secret_key, combined)
    }

    fn target(&mut self, wish: &GitHubShape, field: &str) -> Option<Target> {
        let named = wish.repository.as_ref().map(|repository| &repository.value);
        let Some(repository) = named.or(self.around.repository) else {
            self.miss_repository(wish.at, field);
            return None;
        };
        let environment = wish.environment.as_ref();
        Some(Target {
            repository: repository.clone(),
            environment: environment.map(|environment| environment.value.0.clone()),
        })
    }

    /// One that is wrong counts as not given, and is told already.
    fn miss_repository(&mut self, at: At, field: &str) {
        let at = at.or_input("github-repository");
        if matches!(at, At::File(_)) || self.reader.is_silent_about(at) {
            let what = at.says(
                "`repository` is missing; outside Actions nobody sets $GITHUB_REPOSITORY",
                "it is missing; it says where the secrets go, as owner/name; outside Actions nobody sets $GITHUB_REPOSITORY",
            );
            self.reader.tell(at, field.to_owned(), what);
        }
    }

    /// A name that the file gives is taken as it is; only a default one has the suffix.
    fn named(
        &mut self,
        explicit: Option<&Spot<SettingName>>,
        default: &str,
        ending: &Ending<'_>,
        field: &str,
    ) -> Option<SettingName> {
        match explicit {
            Some(name) => Some(name.value.clone()),
            None => self.ended(default, ending.all, field),
        }
    }

    pub(super) fn app(&mut self, wish: &AppPlatformShape, home: &Home<'_>, field: &str) -> AppSink {
        let components = wish.components.items.iter();
        let mut places: Vec<SpecPlace> = components
            .map(|name| SpecPlace::Component(name.value.0.clone()))
            .collect();
        places.sort();
        places.dedup();
        if places.is_empty() {
            places.push(SpecPlace::App);
        }
        let ending = Ending::of(wish.suffix.as_ref(), wish.suffix_region.as_ref());
        AppSink {
            app: AppRef(wish.app.value.0.clone()),
            places,
            suffix: ending
                .all
                .map_or_else(String::new, |suffix| format!("_{}", suffix.value.0)),
            variables: self.variables(home, &ending, field),
        }
    }

    /// Which bucket, where.
    fn variables(&mut self, home: &Home<'_>, ending: &Ending<'_>, field: &str) -> Vec<Variable> {
        let there = Landmark::Bucket(home.bucket.clone());
        let mut values = vec![
            ("SPACES_BUCKET", ending.all, home.bucket.as_str(), there.clone()),
            ("SPACES_REGION", ending.region, home.region.slug(), there.clone()),
            ("SPACES_ENDPOINT", ending.region, home.endpoint.as_str(), there),
        ];
        let before = Landmark::Cdn(home.bucket.clone());
        let cdn = home.cdn.as_deref();
        values.extend(cdn.map(|url| ("SPACES_CDN_ENDPOINT", ending.all, url, before)));
        let named = values.into_iter().filter_map(|(name, suffix, value, names)| {
            let name = self.ended(name, suffix, field)?;
            let value = value.to_owned();
            Some(Variable { name, value, names })
        });
        named.collect()
    }

    fn ended(&mut self, name: &str, suffix: Option<&Spot<Suffix>>, field: &str) -> Option<SettingName> {
        let Some(suffix) = suffix else {
            return name.parse().ok();
        };
        match format!("{name}_{}", suffix.value.0).parse::<SettingName>() {
            Ok(name) => Some(name),
            Err(refusal) => {
                self.reader
                    .tell(suffix.at, format!("{field}.suffix"), refusal.to_string());
                None
            }
        }
    }
}

/// What the names in one place end with.
struct Ending<'s> {
    all: Option<&'s Spot<Suffix>>,
    /// The names for region and endpoint, which keys of one region may share.
    region: Option<&'s Spot<Suffix>>,
}

impl<'s> Ending<'s> {
    fn of(suffix: Option<&'s Spot<Suffix>>, on_region: Option<&Spot<bool>>) -> Self {
        let on_region = on_region.is_none_or(|wanted| wanted.value);
        Self {
            all: suffix,
            region: suffix.filter(|_| on_region),
        }
    }
}
