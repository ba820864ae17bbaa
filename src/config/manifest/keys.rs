//! The keys of the file, and where they go.

use super::super::defaults;
use super::Around;
use super::buckets::Declared;
use super::flaw::At;
use super::read::{List, Reader, Spot};
use super::shape::{AppPlatformShape, GitHubShape, KeyShape, Manifest};
use super::words::{Spell, Suffix, by_default};
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
    pub(super) github: Vec<At>,
    /// The same for the apps of App Platform.
    pub(super) apps: Vec<At>,
}

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
    for (app, shape) in &manifest.apps.entries {
        let keys = shape.iter().flat_map(|app| &app.keys);
        for (family, key) in keys.flat_map(|keys| &keys.entries) {
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
        let wishes = match &shape.github {
            Some(wishes) => wishes.items.as_slice(),
            None => std::slice::from_ref(&default),
        };
        if shape.github.as_ref().is_some_and(List::is_empty) {
            let what = "it goes nowhere in GitHub; leave the field out for the workflow's own repository";
            self.reader.tell(family.at, format!("{field}.github"), what);
        }
        let mut github = Vec::new();
        for (index, wish) in wishes.iter().enumerate() {
            let sink = self.github(wish, &home, &format!("{field}.github.{index}"));
            github.extend(sink.map(|sink| (sink, wish.at)));
        }
        let apps = shape.app_platform.items.iter();
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

    fn grants(&mut self, at: At, shape: &KeyShape, field: &str) -> Grants {
        let field = format!("{field}.grants");
        // Buckets that are wrong as an input are left out, and told already.
        if shape.grants.is_empty() && self.reader.is_silent_about(at.or_input("buckets")) {
            self.reader
                .tell(at, field.clone(), "it opens no bucket; name one at least");
        }
        let mut grants = Grants::new();
        for (bucket, permission) in &shape.grants.entries {
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
        let (bucket, _) = shape.grants.entries.first()?;
        let region = self.declared.home_of(&bucket.value)?;
        Some(Home {
            bucket: &bucket.value,
            region,
            endpoint: self.around.spaces_url.at(region),
            cdn: self.declared.cdn_of(&bucket.value),
        })
    }

    fn lifetime(&mut self, family: &Spot<Family>, shape: &KeyShape, field: &str) -> Option<Lifetime> {
        let spell = |own: Option<Spot<Spell>>, general: Option<Spot<Spell>>, default| match own.or(general) {
            Some(spot) => Some(spot.value.0),
            None => by_default(default).map(|Spell(span)| span),
        };
        let max_age = spell(shape.max_age, self.manifest.max_age, defaults::MAX_AGE)?;
        let grace = spell(
            shape.grace_period,
            self.manifest.grace_period,
            defaults::GRACE_PERIOD,
        )?;
        match Lifetime::new(max_age, grace) {
            Ok(lifetime) => {
                let named = match family.at {
                    At::File(_) => format!("{field}.max_age"),
                    At::Input(_) => "max-age".to_owned(),
                };
                let told = piles_up(lifetime).map(|what| format!("{named} {what}"));
                // The keys that the inputs make share one lifetime.
                let is_news = told.is_some() && self.warnings.last() != told.as_ref();
                self.warnings.extend(told.filter(|_| is_news));
                Some(lifetime)
            }
            Err(refusal) => {
                let own = shape.max_age.or(shape.grace_period);
                let at = own.map_or(family.at, |spot| spot.at);
                let max_age = humantime::format_duration(max_age);
                let what = format!("{max_age} is not accepted: {refusal}");
                self.reader
                    .tell(at.or_input("max-age"), format!("{field}.max_age"), what);
                None
            }
        }
    }

    fn github(&mut self, wish: &GitHubShape, home: &Home<'_>, field: &str) -> Option<GitHubSink> {
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

    fn app(&mut self, wish: &AppPlatformShape, home: &Home<'_>, field: &str) -> AppSink {
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

/// Grace begins anew with every rotation, so a predecessor may wait for a quiet time that never comes.
fn piles_up(lifetime: Lifetime) -> Option<String> {
    (lifetime.due_age() < lifetime.grace()).then(|| {
        format!(
            "leaves less time between two rotations than the grace period of {} lasts, so old keys pile up: raise it to \
             more than twice the grace period",
            humantime::format_duration(lifetime.grace())
        )
    })
}
