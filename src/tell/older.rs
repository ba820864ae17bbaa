//! The keys that no longer serve and are still there, with what they wait for.

use std::time::Duration;

use super::{Told, active_since};
use crate::apply::KeyOutcome;
use crate::model::desired::{Desired, WantedFamily};
use crate::model::finding::KEYS_PILE_UP;
use crate::model::intent::Means;
use crate::model::name::KeyName;
use crate::model::problem::Problem;
use crate::model::time::Timestamp;
use crate::plan::Retirement;
use crate::plan::gate::{Hold, Standing};
use crate::plan::pile::{OldKey, Pile};
use crate::report::OlderKey;

/// The keys that no longer serve and are still there, with what they wait for.
pub(super) fn older(desired: &Desired, told: &Told<'_>) -> Vec<OlderKey> {
    let (last, keys) = match told {
        Told::Nothing | Told::BrokenOff | Told::Audited { .. } => return Vec::new(),
        Told::Planned { plan, .. } | Told::Checked { plan, .. } => (*plan, None),
        Told::Done { last, keys, .. } => (*last, Some(*keys)),
    };
    let minted = |wanted: &WantedFamily| match keys?.get(&wanted.family)? {
        KeyOutcome::Minted { key, .. } => Some((key.since(), wanted.lifetime.grace())),
        KeyOutcome::Kept { .. } | KeyOutcome::Failed { .. } => None,
    };
    let of_families = desired
        .families
        .iter()
        .zip(&last.families)
        .flat_map(|(wanted, plan)| {
            let minted = minted(wanted);
            let old = plan.retiring.iter();
            // A key that serves is told among the keys.
            let old = old.filter(move |old| old.standing != Standing::Serving || minted.is_some());
            let old = old.filter(move |old| stays(old, told));
            old.map(move |old| older_key(wanted.family.as_str(), old, minted))
        });
    let latest = desired.families.iter().filter_map(minted).max();
    let adopted = last.adopted.iter().filter(|old| stays(old, told));
    let adopted = adopted.map(|old| older_key("adopted", old, latest));
    of_families.chain(adopted).collect()
}

/// The families whose old keys pile up. What was overwritten is what the first look saw; the run has mended it since. A
/// check tells it as a finding.
pub(super) fn piles(desired: &Desired, told: &Told<'_>, older: &[OlderKey]) -> Vec<Problem> {
    let (Told::Planned { plan, .. } | Told::Done { plan, .. }) = told else {
        return Vec::new();
    };
    let families = desired.families.iter().zip(&plan.families);
    let told = families.filter_map(|(wanted, plan)| {
        let own = older.iter().filter(|old| old.family == wanted.family.as_str());
        let keys = own.map(|old| OldKey {
            id: old.access_key_id.clone(),
            created_at: old.created_at,
            because: old.because.clone(),
        });
        let pile = Pile {
            keys: keys.collect(),
            drift: &plan.judgement.drift,
            max_age: Some(wanted.lifetime.max_age()),
        };
        let subject = format!("key {}", wanted.family);
        Some(Problem::new(subject, pile.told()?, KEYS_PILE_UP.cure))
    });
    told.collect()
}

/// Whether a key is there after the run. One that a plan shows as compromised is told as a change; one that was
/// quarantined is there without its grants.
fn stays(old: &Retirement, told: &Told<'_>) -> bool {
    match told {
        Told::Done { .. } => !old.is_free() || old.means == Means::Quarantine,
        Told::Planned { .. } => !old.is_free() && !old.compromised,
        Told::Checked { .. } => true,
        Told::Nothing | Told::BrokenOff | Told::Audited { .. } => false,
    }
}

/// After a mint nobody has looked again where time alone holds the key.
fn older_key(family: &str, old: &Retirement, minted: Option<(Timestamp, Duration)>) -> OlderKey {
    if old.is_free() {
        return row(family, old, None, vec![why_free(old).to_owned()]);
    }
    let mended = |hold: &Hold| matches!(hold, Hold::NoSuccessor | Hold::Drift(_));
    let judged_before = old.holds.iter().any(mended) || old.free_at().is_some();
    let unseen = minted.filter(|_| judged_before);
    let time = unseen.map(|(delivered, grace)| old.time_after(delivered, grace));
    // What was judged since the mint is known better.
    let time = time.filter(|hold| old.free_at() < hold.ends_at());
    let until = time.as_ref().map_or_else(|| old.free_at(), Hold::ends_at);
    let because = time.map_or_else(|| old.reasons(), |hold| vec![hold.to_string()]);
    row(family, old, until, because)
}

/// Why a key is there that nothing holds: it was emptied, or the run has only looked.
fn why_free(old: &Retirement) -> &'static str {
    match old.means {
        Means::Quarantine => "it is quarantined, and deleted by a later run like any other old key",
        Means::Delete => "nothing holds it any more: the next run deletes it",
    }
}

fn row(family: &str, old: &Retirement, until: Option<Timestamp>, because: Vec<String>) -> OlderKey {
    OlderKey {
        family: family.to_owned(),
        access_key_id: old.key.id.to_string(),
        standing: standing(old).to_string(),
        created_at: old.key.created_at,
        active_since: KeyName::parse(&old.key.name).and_then(|name| active_since(&name)),
        until,
        because,
    }
}

/// What serves when a plan is made and is told here has been replaced since.
fn standing(old: &Retirement) -> Standing {
    match old.standing {
        Standing::Serving => Standing::Superseded,
        other => other,
    }
}
