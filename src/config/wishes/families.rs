//! Which keys are wished for, and what they and their sinks are called.

use std::collections::BTreeSet;

use super::super::door::Door;
use super::super::inputs::RawInputs;
use super::Scope;
use super::sinks::Sinks;
use crate::model::bucket::{BucketName, Region};
use crate::model::cdn::CdnWish;
use crate::model::desired::{
    AppSink, CombinedSecret, Desired, GitHubSink, Landmark, Lifetime, Variable, WantedFamily,
};
use crate::model::key::{Grants, Permission};
use crate::model::name::Family;
use crate::model::sink::SettingName;

/// A family before it is known where its keys go.
pub(super) struct Draft {
    family: Family,
    grants: Grants,
    /// The bucket that `SPACES_BUCKET` names: the first of the list.
    bucket: BucketName,
}

/// What all families of one request share.
pub(super) struct Shape {
    pub(super) region: Region,
    pub(super) endpoint: String,
    pub(super) scope: Scope,
    pub(super) lifetime: Lifetime,
    pub(super) sinks: Sinks,
    /// The CDN before every bucket.
    pub(super) cdn: Option<CdnWish>,
}

/// The families that the scope makes of the buckets.
pub(super) fn families(
    raw: &RawInputs,
    scope: Option<Scope>,
    app: Option<&str>,
    buckets: &[(BucketName, Permission)],
    door: &mut Door,
) -> Vec<Draft> {
    match scope {
        None | Some(Scope::None) => Vec::new(),
        Some(Scope::App) => {
            let default = app.map(|app| format!("{app}-spaces-key"));
            let family = family(raw.key_name.as_deref(), default.as_deref(), door);
            let draft = |(family, (bucket, _)): (Family, &(BucketName, Permission))| Draft {
                family,
                grants: buckets.iter().cloned().collect(),
                bucket: bucket.clone(),
            };
            family.zip(buckets.first()).map(draft).into_iter().collect()
        }
        Some(Scope::Bucket) => {
            let named = |(bucket, permission): &(BucketName, Permission)| {
                let explicit = raw
                    .key_name
                    .as_deref()
                    .map(|name| name.replace("{bucket}", bucket.as_str()));
                let default = app.map(|app| format!("{app}-{bucket}-spaces-key"));
                let family = family(explicit.as_deref(), default.as_deref(), door)?;
                Some(Draft {
                    family,
                    grants: Grants::from([(bucket.clone(), *permission)]),
                    bucket: bucket.clone(),
                })
            };
            let families: Vec<_> = buckets.iter().filter_map(named).collect();
            refuse_shared_names(&families, door);
            families
        }
    }
}

/// An explicit name is taken as it is or refused; a default one is cut to fit.
fn family(explicit: Option<&str>, default: Option<&str>, door: &mut Door) -> Option<Family> {
    match explicit {
        Some(name) => door.parse("key-name", Some(name), str::parse),
        None => door.parse("app", default, Family::fitted),
    }
}

fn refuse_shared_names(families: &[Draft], door: &mut Door) {
    let distinct: BTreeSet<&Family> = families.iter().map(|draft| &draft.family).collect();
    if distinct.len() < families.len() {
        door.refuse(
            "key-name",
            "with key-scope: bucket each bucket has its own key; put {bucket} into the name",
        );
    }
}

/// The family of the admin key: that of the app's key, or our own name where there is no app.
pub(in crate::config) fn admin_family(raw: &RawInputs, desired: &Desired) -> Option<Family> {
    let named = desired.families.first().map(|wanted| wanted.family.clone());
    let app = raw.app.as_deref().map_or("spacekeeper", str::trim);
    named.or_else(|| Family::fitted(&format!("{app}-spaces-key")).ok())
}

impl Shape {
    /// The family with its sinks; nothing when one of their names is refused.
    pub(super) fn family(&self, draft: Draft, door: &mut Door) -> Option<WantedFamily> {
        let Draft {
            family,
            grants,
            bucket,
        } = draft;
        let suffix = if self.scope == Scope::Bucket {
            format!("_{}", bucket.upper_snake())
        } else {
            String::new()
        };
        let github = self.github_sink(&bucket, &suffix, door)?;
        let apps = self.app_sink(&bucket, &suffix, door).into_iter().collect();
        Some(WantedFamily {
            family,
            grants,
            lifetime: self.lifetime,
            github: vec![github],
            apps,
        })
    }

    fn github_sink(&self, bucket: &BucketName, suffix: &str, door: &mut Door) -> Option<GitHubSink> {
        let Sinks {
            target,
            access_key,
            secret_key,
            combined,
            variables,
            app: _,
        } = &self.sinks;
        let combined = combined
            .as_ref()
            .and_then(|name| suffixed("credentials-secret", name.as_str(), suffix, door));
        Some(GitHubSink {
            target: target.clone()?,
            access_key: suffixed("access-key-secret", access_key.as_str(), suffix, door)?,
            secret_key: suffixed("secret-key-secret", secret_key.as_str(), suffix, door)?,
            combined: combined.map(|name| self.combined(name, bucket)),
            id_variable: if *variables {
                suffixed("buckets", "SPACES_ACCESS_KEY_ID", suffix, door)
            } else {
                None
            },
            variables: if *variables {
                self.where_variables(bucket, suffix, door)
            } else {
                Vec::new()
            },
        })
    }

    fn combined(&self, name: SettingName, bucket: &BucketName) -> CombinedSecret {
        CombinedSecret {
            name,
            bucket: bucket.clone(),
            region: self.region,
            endpoint: self.endpoint.clone(),
        }
    }

    fn app_sink(&self, bucket: &BucketName, suffix: &str, door: &mut Door) -> Option<AppSink> {
        let (app, places) = self.sinks.app.clone()?;
        let variables = self.where_variables(bucket, suffix, door);
        Some(AppSink {
            app,
            places,
            suffix: suffix.to_owned(),
            variables,
        })
    }

    /// Which bucket, where. Region and endpoint are the same for all families, so they bear no suffix.
    fn where_variables(&self, bucket: &BucketName, suffix: &str, door: &mut Door) -> Vec<Variable> {
        let cdn = self.cdn.as_ref().map(|wish| wish.url(bucket, self.region));
        let there = Landmark::Bucket(bucket.clone());
        let mut values = vec![
            ("SPACES_BUCKET", suffix, bucket.as_str(), &there),
            ("SPACES_REGION", "", self.region.slug(), &there),
            ("SPACES_ENDPOINT", "", self.endpoint.as_str(), &there),
        ];
        let before = Landmark::Cdn(bucket.clone());
        values.extend(
            cdn.as_deref()
                .map(|url| ("SPACES_CDN_ENDPOINT", suffix, url, &before)),
        );
        let variable = |(name, suffix, value, names): (&str, &str, &str, &Landmark)| {
            let name = suffixed("buckets", name, suffix, door)?;
            Some(Variable {
                name,
                value: value.to_owned(),
                names: names.clone(),
            })
        };
        values.into_iter().filter_map(variable).collect()
    }
}

fn suffixed(input: &str, name: &str, suffix: &str, door: &mut Door) -> Option<SettingName> {
    door.parse(input, Some(&format!("{name}{suffix}")), str::parse)
}
