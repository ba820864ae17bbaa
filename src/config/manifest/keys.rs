//! The keys of the file, and where they go.

use super::Around;
use super::buckets::Declared;
use super::flaw::At;
use super::lists::List;
use super::read::{Reader, Spot};
use super::shape::{GitHubShape, KeyShape, Manifest};
use crate::model::bucket::{BucketName, Region};
use crate::model::desired::{CombinedSecret, WantedFamily};
use crate::model::key::Grants;
use crate::model::name::Family;
use crate::model::sink::SettingName;

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

pub(super) struct Draft<'d, 'm> {
    pub(super) manifest: &'m Manifest,
    declared: &'d Declared<'m>,
    pub(super) around: &'d Around<'d>,
    pub(super) reader: &'d mut Reader,
    pub(super) warnings: Vec<String>,
}

/// What all sinks of a key share: the bucket that `SPACES_BUCKET` names, and where it is.
pub(super) struct Home<'b> {
    pub(super) bucket: &'b BucketName,
    pub(super) region: Region,
    pub(super) endpoint: String,
    pub(super) cdn: Option<String>,
}

impl Home<'_> {
    pub(super) fn combined(&self, name: &SettingName) -> CombinedSecret {
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
}
