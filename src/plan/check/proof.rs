//! What is wrong with the credentials at hand, as the buckets and the list of keys tell it.

use crate::model::evidence::{Answer, Opening, Trial};
use crate::model::finding::{
    BUCKET_MISSING, Finding, PROOF_DENIED, PROOF_FOREIGN, PROOF_REVOKED, PROOF_SUPERSEDED, PROOF_TOO_WIDE,
    PROOF_TORN,
};
use crate::model::observed::{BucketState, Observed};
use crate::plan::{FamilyPlan, Plan};

/// What is wrong with one pair. Whether it works is told once, not once per bucket.
pub(super) fn findings(trial: &Trial, plan: &Plan, observed: &Observed) -> Vec<Finding> {
    let subject = format!("credentials ({})", trial.source);
    if let Some(broken) = of_pair(trial, &subject) {
        return vec![broken];
    }
    let answers = trial
        .answers
        .iter()
        .filter_map(|answer| of_answer(trial, answer, observed, &subject));
    let standing = of_standing(trial, plan, observed, &subject);
    answers.chain(standing).collect()
}

fn of_pair(trial: &Trial, subject: &str) -> Option<Finding> {
    let answered = |wanted: Opening| trial.answers.iter().any(|answer| answer.opening == Ok(wanted));
    let id = &trial.id;
    if answered(Opening::Torn) {
        let what = format!("the secret does not belong to {id}");
        return Some(Finding::new(&PROOF_TORN, subject, what));
    }
    answered(Opening::UnknownKey).then(|| {
        let what = format!("Spaces does not know {id} (any more)");
        Finding::new(&PROOF_REVOKED, subject, what)
    })
}

fn of_answer(trial: &Trial, answer: &Answer, observed: &Observed, subject: &str) -> Option<Finding> {
    let Answer { bucket, opening, .. } = answer;
    let id = &trial.id;
    match opening {
        Err(problem) => Some(Finding::unknown(problem)),
        Ok(Opening::Open { writable: Some(true) }) => {
            let what = format!("{id} can write to bucket {bucket}, which it should only read");
            Some(Finding::new(&PROOF_TOO_WIDE, subject, what))
        }
        Ok(Opening::Denied) => {
            let what = format!("{id} does not open bucket {bucket}");
            Some(Finding::new(&PROOF_DENIED, subject, what))
        }
        // The bucket's own line says it already where somebody could look.
        Ok(Opening::NoBucket) if observed.buckets.get(bucket) == Some(&Ok(BucketState::Absent)) => None,
        Ok(Opening::NoBucket) => Some(Finding::new(
            &BUCKET_MISSING,
            format!("bucket {bucket}"),
            "it does not exist at its endpoint",
        )),
        Ok(Opening::Open { .. } | Opening::UnknownKey | Opening::Torn) => None,
    }
}

/// Which key of which family it is, where the keys of the account are known.
fn of_standing(trial: &Trial, plan: &Plan, observed: &Observed, subject: &str) -> Option<Finding> {
    let keys = observed
        .keys
        .as_ref()
        .ok()
        .filter(|_| !plan.families.is_empty())?;
    let id = &trial.id;
    let family = plan.families.iter().find(|family| holds(family, trial));
    let Some(family) = family else {
        let known = keys.iter().any(|key| key.id == *id);
        let what = if known {
            format!("{id} is a key of the account that belongs to no declared family")
        } else {
            format!("{id} works, and the account of digitalocean-token has no such key")
        };
        return Some(Finding::new(&PROOF_FOREIGN, subject, what));
    };
    let current = family.judgement.current()?;
    (current.key.id != *id).then(|| {
        let what = format!(
            "{id} is an older key of {}; the current one is {}",
            family.family, current.key.id
        );
        Finding::new(&PROOF_SUPERSEDED, subject, what)
    })
}

fn holds(family: &FamilyPlan, trial: &Trial) -> bool {
    let mut all = family.judgement.generations.all();
    all.any(|generation| generation.key.id == trial.id)
}
