//! What is to be done with the settings of a bucket: each is an action, a reason for none, or in doubt.

use super::bucket::{BucketAction, CdnChange};
use super::cors;
use crate::model::bucket::{Acl, Logging, LoggingWish, Versioning};
use crate::model::cdn::{CdnWish, origin};
use crate::model::cors::CorsWish;
use crate::model::desired::WantedBucket;
use crate::model::lifecycle::LifecycleRule;
use crate::model::observed::{Observed, Setting, Settings};
use crate::model::problem::Problem;

/// What becomes of one setting.
pub(super) enum Verdict {
    /// It is changed.
    Act(BucketAction),
    /// It stands, in a few words.
    Kept(String),
    /// Nobody knows how it stands, so it is left alone.
    Doubt(Problem),
}

/// Compares every setting that is managed.
pub(super) fn compare(wanted: &WantedBucket, found: &Settings, observed: &Observed) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = found
        .unread
        .iter()
        .map(|unread| Verdict::Doubt(unread.problem.clone()))
        .collect();
    let settings = [
        (
            Setting::Logging,
            wanted.logging.as_ref().map(|wish| logging(wish, found)),
        ),
        (Setting::Lifecycle, lifecycle(wanted, found)),
        (
            Setting::Cors,
            wanted
                .cors
                .as_ref()
                .map(|wish| cors(wanted, wish, found, observed)),
        ),
        (
            Setting::Versioning,
            wanted.versioning.map(|wish| versioning(wish, found)),
        ),
        (Setting::Acl, wanted.acl.map(|wish| acl(wish, found))),
        (
            Setting::Cdn,
            wanted.cdn.as_ref().map(|wish| cdn(wanted, wish, found)),
        ),
    ];
    let readable = settings.into_iter().filter(|(setting, _)| found.shows(*setting));
    verdicts.extend(readable.filter_map(|(_, verdict)| verdict));
    verdicts.extend(purge(wanted, &verdicts, found).map(Verdict::Act));
    verdicts
}

fn logging(wish: &LoggingWish, found: &Settings) -> Verdict {
    match (wish, &found.logging) {
        (LoggingWish::Off, None) => Verdict::Kept("logs nowhere".to_owned()),
        (LoggingWish::Off, Some(_)) => Verdict::Act(BucketAction::StopLogging),
        (LoggingWish::To(Logging { target, prefix }), Some(there))
            if there.target == *target && there.prefix == *prefix =>
        {
            Verdict::Kept(format!("logs to {target}/{prefix}"))
        }
        (LoggingWish::To(logging), _) => Verdict::Act(BucketAction::Log(logging.clone())),
    }
}

/// Declared rules that are no longer asked for go; rules for logs may be another request's.
fn lifecycle(wanted: &WantedBucket, found: &Settings) -> Option<Verdict> {
    if !wanted.owns_lifecycle && wanted.lifecycle.is_empty() {
        return None;
    }
    let stands = |rule: &&LifecycleRule| {
        let same = |found: &LifecycleRule| found.says(rule) && found.is_declared() == rule.is_declared();
        found.lifecycle.iter().any(same)
    };
    let missing = wanted.lifecycle.iter().filter(|rule| !stands(rule));
    let set: Vec<LifecycleRule> = missing.cloned().collect();
    let drop: Vec<String> = found
        .lifecycle
        .iter()
        .enumerate()
        .filter(|(at, rule)| is_stale(rule, &found.lifecycle[..*at], wanted, &set))
        .map(|(_, rule)| rule.id.clone())
        .collect();
    Some(if set.is_empty() && drop.is_empty() {
        Verdict::Kept("lifecycle rules stand".to_owned())
    } else {
        Verdict::Act(BucketAction::Lifecycle { set, drop })
    })
}

/// Whether a rule that a bucket has is one that was declared and is not wanted so any more: another one of its prefix is
/// set under another id, stands before it, or none is asked for.
fn is_stale(
    rule: &LifecycleRule,
    before: &[LifecycleRule],
    wanted: &WantedBucket,
    set: &[LifecycleRule],
) -> bool {
    if !wanted.owns_lifecycle || !rule.is_declared() {
        return false;
    }
    let of_prefix = |other: &&LifecycleRule| other.is_declared() && other.prefix == rule.prefix;
    if let Some(new) = set.iter().find(of_prefix) {
        return new.id != rule.id;
    }
    let asked = wanted.lifecycle.iter().find(of_prefix);
    asked.is_none_or(|asked| !asked.says(rule) || before.iter().any(|other| other.says(rule)))
}

fn cors(wanted: &WantedBucket, wish: &CorsWish, found: &Settings, observed: &Observed) -> Verdict {
    match cors::change(wanted, wish, &found.cors, observed) {
        Ok(Some(change)) => Verdict::Act(BucketAction::Cors(change)),
        Ok(None) => Verdict::Kept("CORS rules stand".to_owned()),
        Err(problem) => Verdict::Doubt(problem),
    }
}

/// One that never kept old versions need not be told to keep none.
fn versioning(wish: Versioning, found: &Settings) -> Verdict {
    match (wish, found.versioning) {
        (Versioning::Suspended, None) => Verdict::Kept("keeps no old versions".to_owned()),
        (wish, Some(there)) if wish == there => Verdict::Kept(format!("versioning is {}", wish.word())),
        (wish, _) => Verdict::Act(BucketAction::Versioning(wish)),
    }
}

fn acl(wish: Acl, found: &Settings) -> Verdict {
    if found.acl == Some(wish) {
        Verdict::Kept(format!("its ACL is {}", wish.word()))
    } else {
        Verdict::Act(BucketAction::Acl(wish))
    }
}

fn cdn(wanted: &WantedBucket, wish: &CdnWish, found: &Settings) -> Verdict {
    let existing = match &found.cdn {
        Some(endpoint) if endpoint.fits(wish) => return Verdict::Kept("its CDN endpoint stands".to_owned()),
        existing => existing.as_ref().map(|endpoint| endpoint.id.clone()),
    };
    Verdict::Act(BucketAction::Cdn(CdnChange {
        existing,
        origin: origin(&wanted.name, wanted.region),
        wish: wish.clone(),
    }))
}

/// What the CDN keeps was answered under the old settings. A new endpoint keeps nothing yet.
fn purge(wanted: &WantedBucket, verdicts: &[Verdict], found: &Settings) -> Option<BucketAction> {
    let id = found.cdn.as_ref().map(|endpoint| endpoint.id.clone())?;
    let matters = |verdict: &Verdict| {
        matches!(
            verdict,
            Verdict::Act(BucketAction::Cors(_) | BucketAction::Acl(_) | BucketAction::Cdn(_))
        )
    };
    let asked = wanted.cdn.as_ref().is_some_and(|wish| wish.purge);
    (asked && verdicts.iter().any(matters)).then_some(BucketAction::Purge(id))
}
