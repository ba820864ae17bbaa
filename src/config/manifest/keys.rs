//! The keys of the file, and where they go.

use std::time::Duration;

use super::super::wishes::piles_up;
use super::Around;
use super::buckets::Declared;
use super::flaw::Place;
use super::read::{Reader, Spot};
use super::shape::{AppPlatformShape, GitHubShape, KeyShape, Manifest};
use super::words::{Spell, Suffix};
use crate::model::bucket::BucketName;
use crate::model::desired::{
    AppRef, AppSink, CombinedSecret, GitHubSink, Landmark, Lifetime, Variable, WantedFamily,
};
use crate::model::key::Grants;
use crate::model::name::Family;
use crate::model::sink::{SettingName, Target};
use crate::model::spec::Place as SpecPlace;

/// A key of the file.
pub(super) struct DeclaredKey {
    pub(super) wanted: WantedFamily,
    /// The field: `apps.shop.keys.shop-spaces-key`.
    pub(super) field: String,
    /// Where its sinks stand, in the order of the wanted ones.
    pub(super) github: Vec<Place>,
    /// The same for the apps of App Platform.
    pub(super) apps: Vec<Place>,
}

/// The limits of a key that names none, as those of the inputs.
const MAX_AGE: Duration = Duration::from_hours(90 * 24);
const GRACE: Duration = Duration::from_hours(24);

/// Every key that could be understood, and what is worth a warning.
pub(super) fn families(
    manifest: &Manifest,
    declared: &Declared<'_>,
    around: &Around<'_>,
    reader: &mut Reader,
) -> (Vec<DeclaredKey>, Vec<String>) {
    let mut draft = Draft {
        manifest,
        declared,
        around,
        reader,
        warnings: Vec::new(),
    };
    let mut families = Vec::new();
    for (app, shape) in &manifest.apps.0 {
        for (family, key) in shape.iter().flat_map(|app| &app.keys).flat_map(|keys| &keys.0) {
            let field = format!("apps.{}.keys.{}", app.value.0, family.value);
            families.extend(key.as_ref().and_then(|key| draft.family(family, key, field)));
        }
    }
    (families, draft.warnings)
}

struct Draft<'d, 'm> {
    manifest: &'m Manifest,
    declared: &'d Declared<'m>,
    around: &'d Around<'d>,
    reader: &'d mut Reader,
    warnings: Vec<String>,
}

/// What all sinks of a key share: the bucket that `SPACES_BUCKET` names, and where it is.
struct Home<'b> {
    bucket: &'b BucketName,
    region: crate::model::bucket::Region,
    endpoint: String,
    cdn: Option<String>,
}

impl Home<'_> {
    fn combined(&self, name: &SettingName) -> CombinedSecret {
        CombinedSecret {
            name: name.clone(),
            bucket: self.bucket.clone(),
            region: self.region,
            endpoint: self.endpoint.clone(),
        }
    }
}

impl Draft<'_, '_> {
    fn family(&mut self, family: &Spot<Family>, shape: &KeyShape, field: String) -> Option<DeclaredKey> {
        let grants = self.grants(family.at, shape, &field);
        let lifetime = self.lifetime(family, shape, &field);
        let home = self.home(shape)?;
        let default = GitHubShape::unsaid(family.at);
        let wishes = shape.github.as_deref().unwrap_or(std::slice::from_ref(&default));
        if wishes.is_empty() {
            let what = "it goes nowhere in GitHub; leave the field out for the workflow's own repository";
            self.reader.tell(family.at, format!("{field}.github"), what);
        }
        let mut github = Vec::new();
        for (index, wish) in wishes.iter().enumerate() {
            let sink = self.github(wish, &home, &format!("{field}.github.{index}"));
            github.extend(sink.map(|sink| (sink, wish.at)));
        }
        let apps = shape.app_platform.iter();
        let apps = apps.enumerate().map(|(index, wish)| {
            let sink = self.app(wish, &home, &format!("{field}.app_platform.{index}"));
            (sink, wish.at)
        });
        let (apps, app_places) = apps.unzip();
        let (github, github_places) = github.into_iter().unzip();
        Some(DeclaredKey {
            wanted: WantedFamily {
                family: family.value.clone(),
                grants,
                lifetime: lifetime?,
                github,
                apps,
            },
            field,
            github: github_places,
            apps: app_places,
        })
    }

    fn grants(&mut self, at: Place, shape: &KeyShape, field: &str) -> Grants {
        let field = format!("{field}.grants");
        if shape.grants.0.is_empty() {
            self.reader
                .tell(at, field.clone(), "it opens no bucket; name one at least");
        }
        let mut grants = Grants::new();
        for (bucket, permission) in &shape.grants.0 {
            if !self.declared.has(&bucket.value) {
                let what = format!(
                    "`{}` is not declared; add it to the buckets of an app",
                    bucket.value
                );
                self.reader.tell(bucket.at, field.clone(), what);
            }
            grants.extend(permission.map(|permission| (bucket.value.clone(), permission.value)));
        }
        grants
    }

    fn home<'s>(&self, shape: &'s KeyShape) -> Option<Home<'s>> {
        let (bucket, _) = shape.grants.0.first()?;
        let region = self.declared.home_of(&bucket.value)?;
        Some(Home {
            bucket: &bucket.value,
            region,
            endpoint: self.around.spaces_url.at(region),
            cdn: self.declared.cdn_of(&bucket.value),
        })
    }

    fn lifetime(&mut self, family: &Spot<Family>, shape: &KeyShape, field: &str) -> Option<Lifetime> {
        let max_age = shape.max_age.or(self.manifest.max_age);
        let grace = shape.grace_period.or(self.manifest.grace_period);
        let spell = |spot: Option<Spot<Spell>>, default| spot.map_or(default, |spot| spot.value.0);
        match Lifetime::new(spell(max_age, MAX_AGE), spell(grace, GRACE)) {
            Ok(lifetime) => {
                let told = piles_up(lifetime).map(|what| format!("{field}.max_age {what}"));
                self.warnings.extend(told);
                Some(lifetime)
            }
            Err(refusal) => {
                let at = shape
                    .max_age
                    .or(shape.grace_period)
                    .map_or(family.at, |spot| spot.at);
                let max_age = humantime::format_duration(spell(max_age, MAX_AGE));
                let what = format!("{max_age} is not accepted: {refusal}");
                self.reader.tell(at, format!("{field}.max_age"), what);
                None
            }
        }
    }

    fn github(&mut self, wish: &GitHubShape, home: &Home<'_>, field: &str) -> Option<GitHubSink> {
        let target = self.target(wish, field);
        let names = wish.secrets.as_ref();
        let suffix = wish.suffix.as_ref();
        let access_key = names.and_then(|names| names.access_key.as_ref());
        let access_key = self.named(access_key, "SPACES_ACCESS_KEY", suffix, field);
        let secret_key = names.and_then(|names| names.secret_key.as_ref());
        let secret_key = self.named(secret_key, "SPACES_SECRET_KEY", suffix, field);
        let combined = names.and_then(|names| names.credentials.as_ref());
        let wants_variables = wish.variables.is_none_or(|variables| variables.value);
        let (id_variable, variables) = if wants_variables {
            let id = self.suffixed("SPACES_ACCESS_KEY_ID", suffix, field);
            (id, self.variables(home, suffix, field))
        } else {
            (None, Vec::new())
        };
        Some(GitHubSink {
            target: target?,
            access_key: access_key?,
            secret_key: secret_key?,
            combined: combined.map(|name| home.combined(&name.value)),
            id_variable,
            variables,
        })
    }

    fn target(&mut self, wish: &GitHubShape, field: &str) -> Option<Target> {
        let named = wish.repository.as_ref().map(|repository| &repository.value);
        let Some(repository) = named.or(self.around.repository) else {
            let what = "`repository` is missing; outside Actions nobody sets $GITHUB_REPOSITORY";
            self.reader.tell(wish.at, field.to_owned(), what);
            return None;
        };
        let environment = wish.environment.as_ref();
        Some(Target {
            repository: repository.clone(),
            environment: environment.map(|environment| environment.value.0.clone()),
        })
    }

    /// A name that the file gives is taken as it is; only a default one has the suffix.
    fn named(
        &mut self,
        explicit: Option<&Spot<SettingName>>,
        default: &str,
        suffix: Option<&Spot<Suffix>>,
        field: &str,
    ) -> Option<SettingName> {
        match explicit {
            Some(name) => Some(name.value.clone()),
            None => self.suffixed(default, suffix, field),
        }
    }

    fn app(&mut self, wish: &AppPlatformShape, home: &Home<'_>, field: &str) -> AppSink {
        let components = wish.components.iter();
        let mut places: Vec<SpecPlace> = components
            .map(|name| SpecPlace::Component(name.value.0.clone()))
            .collect();
        places.sort();
        places.dedup();
        if places.is_empty() {
            places.push(SpecPlace::App);
        }
        let suffix = wish.suffix.as_ref();
        AppSink {
            app: AppRef(wish.app.value.0.clone()),
            places,
            suffix: suffix.map_or_else(String::new, |suffix| format!("_{}", suffix.value.0)),
            variables: self.variables(home, suffix, field),
        }
    }

    /// Which bucket, where.
    fn variables(&mut self, home: &Home<'_>, suffix: Option<&Spot<Suffix>>, field: &str) -> Vec<Variable> {
        let there = Landmark::Bucket(home.bucket.clone());
        let mut values = vec![
            ("SPACES_BUCKET", home.bucket.as_str(), there.clone()),
            ("SPACES_REGION", home.region.slug(), there.clone()),
            ("SPACES_ENDPOINT", home.endpoint.as_str(), there),
        ];
        let before = Landmark::Cdn(home.bucket.clone());
        values.extend(
            home.cdn
                .as_deref()
                .map(|url| ("SPACES_CDN_ENDPOINT", url, before)),
        );
        let named = values.into_iter().filter_map(|(name, value, names)| {
            let name = self.suffixed(name, suffix, field)?;
            let value = value.to_owned();
            Some(Variable { name, value, names })
        });
        named.collect()
    }

    fn suffixed(&mut self, name: &str, suffix: Option<&Spot<Suffix>>, field: &str) -> Option<SettingName> {
        let Some(suffix) = suffix else {
            return name.parse().ok();
        };
        match format!("{name}_{}", suffix.value.0).parse() {
            Ok(name) => Some(name),
            Err(refusal) => {
                let refusal: crate::model::sink::BadSettingName = refusal;
                self.reader
                    .tell(suffix.at, format!("{field}.suffix"), refusal.to_string());
                None
            }
        }
    }
}
