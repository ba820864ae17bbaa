//! From the single-app inputs to the wanted world.

pub(in crate::config) mod cdn;
mod cors;
mod families;
mod logs;
mod sinks;

use std::collections::{BTreeMap, BTreeSet};

use super::defaults;
use super::door::Door;
use super::inputs::RawInputs;
use super::values::{bucket_line, lines, span};
use crate::model::bucket::{BucketName, Region};
use crate::model::desired::{Desired, Lifetime, WantedBucket};
use crate::model::endpoint::SpacesUrl;
use crate::model::key::Permission;
use crate::model::name::{BadFamily, Family};
use families::{Shape, families};
use logs::{BucketSettings, log_wish, wanted_buckets};
use sinks::sinks;

pub(super) use families::admin_family;

/// Which keys are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// One key with all grants.
    App,
    /// One key per bucket.
    Bucket,
    /// Buckets only.
    None,
}

/// Reads the wishes; `None` when a problem at the door makes them unreadable.
pub(super) fn read(
    raw: &RawInputs,
    repository: Option<&str>,
    spaces_url: &SpacesUrl,
    door: &mut Door,
) -> Option<Desired> {
    let region = region(raw, door);
    let scope = scope(raw, door);
    let buckets = buckets(raw, door);
    let app = app(raw, scope, door);
    let log = log_wish(raw, &buckets, app.as_deref(), door);
    let settings = BucketSettings {
        cors: cors::cors_wish(raw, door),
        cdn: cdn::cdn_wish(raw, door),
    };
    let lifetime = lifetime(raw, door);
    let sinks = sinks(raw, scope, repository, door);
    let families = families(raw, scope, app.as_deref(), &buckets, door);
    let (region, scope, sinks, lifetime) = (region?, scope?, sinks?, lifetime?);
    let shape = Shape {
        region,
        endpoint: spaces_url.at(region),
        scope,
        lifetime,
        sinks,
        cdn: settings.cdn.clone(),
    };
    let families = families
        .into_iter()
        .filter_map(|draft| shape.family(draft, door))
        .collect();
    let buckets = wanted_buckets(&buckets, log.as_ref(), region, &settings);
    Some(Desired {
        region,
        spaces_url: spaces_url.clone(),
        homes: homes(&buckets),
        buckets,
        families,
    })
}

fn homes(buckets: &[WantedBucket]) -> BTreeMap<BucketName, Region> {
    let home = |wanted: &WantedBucket| (wanted.name.clone(), wanted.region);
    buckets.iter().map(home).collect()
}

/// A world in which nothing is wanted, for looks at what is there.
pub(super) fn nothing(raw: &RawInputs, spaces_url: &SpacesUrl, door: &mut Door) -> Option<Desired> {
    let region = region(raw, door)?;
    Some(Desired {
        region,
        spaces_url: spaces_url.clone(),
        homes: BTreeMap::new(),
        buckets: Vec::new(),
        families: Vec::new(),
    })
}

fn region(raw: &RawInputs, door: &mut Door) -> Option<Region> {
    door.parse(
        "region",
        raw.region.as_deref().or(Some(defaults::REGION)),
        str::parse,
    )
}

fn scope(raw: &RawInputs, door: &mut Door) -> Option<Scope> {
    door.parse(
        "key-scope",
        raw.key_scope.as_deref().or(Some(defaults::KEY_SCOPE)),
        |text| match text {
            "app" => Ok(Scope::App),
            "bucket" => Ok(Scope::Bucket),
            "none" => Ok(Scope::None),
            _ => Err("write app, bucket or none"),
        },
    )
}

fn buckets(raw: &RawInputs, door: &mut Door) -> Vec<(BucketName, Permission)> {
    let text = raw.buckets.as_deref().unwrap_or_default();
    if text.trim().is_empty() {
        door.refuse("buckets", "it is missing; name at least one bucket, one per line");
    }
    let mut seen = BTreeSet::new();
    let parsed: Vec<_> = lines(text)
        .filter_map(|line| door.parse("buckets", Some(line), bucket_line))
        .collect();
    for (name, _) in &parsed {
        if !seen.insert(name.clone()) {
            door.refuse("buckets", format!("`{name}` stands there twice"));
        }
    }
    parsed
}

/// The app's name is needed where a default is made of it.
fn app(raw: &RawInputs, scope: Option<Scope>, door: &mut Door) -> Option<String> {
    let for_key = raw.key_name.is_none() && scope != Some(Scope::None);
    let for_logs = raw.log_bucket.is_some()
        && raw
            .log_prefix
            .as_ref()
            .is_none_or(|prefix| prefix.contains("{app}"));
    if raw.app.is_none() && !for_key && !for_logs {
        return None;
    }
    let why = "it names the key (`<app>-spaces-key`) and the prefix of the access logs";
    door.require("app", raw.app.as_deref(), why, |text| {
        // The grammar of a family is the grammar of the app's name, apart from the length.
        Family::fitted(text)
            .map(|_| text.to_owned())
            .map_err(|refusal| match refusal {
                BadFamily::DoubleHyphen => "it has two hyphens in a row".to_owned(),
                other => other
                    .to_string()
                    .replace("the name of a key family", "an app's name"),
            })
    })
}

fn lifetime(raw: &RawInputs, door: &mut Door) -> Option<Lifetime> {
    let max_age = door.parse(
        "max-age",
        raw.max_age.as_deref().or(Some(defaults::MAX_AGE)),
        span,
    );
    let grace = door.parse(
        "grace-period",
        raw.grace_period.as_deref().or(Some(defaults::GRACE_PERIOD)),
        span,
    );
    let (max_age, grace) = (max_age?, grace?);
    let shown = raw.max_age.as_deref().unwrap_or(defaults::MAX_AGE);
    let lifetime = door.parse("max-age", Some(shown), |_| Lifetime::new(max_age, grace))?;
    door.warnings
        .extend(piles_up(lifetime).map(|what| format!("max-age {what}")));
    Some(lifetime)
}

/// Grace begins anew with every rotation, so a predecessor may wait for a quiet time that never comes.
pub(super) fn piles_up(lifetime: Lifetime) -> Option<String> {
    (lifetime.due_age() < lifetime.grace()).then(|| {
        format!(
            "leaves less time between two rotations than the grace period of {} lasts, so old keys pile up: raise it to \
             more than twice the grace period",
            humantime::format_duration(lifetime.grace())
        )
    })
}
