//! What is wrong with the buckets and their settings.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::bucket::BucketName;
use crate::model::evidence::Evidence;
use crate::model::finding::{
    ACL_DIFFERS, BUCKET_ELSEWHERE, BUCKET_MISSING, BUCKET_NOT_OURS, BUCKET_POLICY, CDN_DIFFERS, CORS_DIFFERS,
    CORS_REFUSED, Finding, LIFECYCLE_DIFFERS, LOGGING_DIFFERS, Rule, UNKNOWN, VERSIONING_DIFFERS,
};
use crate::model::observed::{BucketState, Observed};
use crate::model::problem::Problem;
use crate::plan::Plan;
use crate::plan::bucket::{BucketAction, BucketPlan};

/// What is wrong with one bucket. Of one that is not there nothing else is told.
pub(super) fn findings(plan: &BucketPlan, observed: &Observed) -> Vec<Finding> {
    let subject = format!("bucket {}", plan.name);
    match observed.buckets.get(&plan.name) {
        None | Some(Ok(BucketState::Unseen)) => vec![unseen(&subject)],
        Some(Err(problem)) => vec![Finding::unknown(problem)],
        Some(Ok(BucketState::Absent)) => vec![Finding::new(&BUCKET_MISSING, subject, "it does not exist")],
        Some(Ok(BucketState::NotOurs { .. })) => of_problem(&BUCKET_NOT_OURS, plan),
        Some(Ok(BucketState::Elsewhere { .. })) => of_problem(&BUCKET_ELSEWHERE, plan),
        Some(Ok(BucketState::Present(settings))) => {
            let policy = settings.has_policy.then(|| {
                let what = "it has a bucket policy, so no scoped key opens it";
                Finding::new(&BUCKET_POLICY, subject.clone(), what)
            });
            let settings = plan
                .actions
                .iter()
                .filter_map(|action| of_action(action, &subject));
            let doubts = plan.doubts.iter().map(Finding::unknown);
            policy.into_iter().chain(settings).chain(doubts).collect()
        }
    }
}

fn unseen(subject: &str) -> Finding {
    let what = "nobody has looked: its settings show only to a full-access key";
    let remedy =
        "Give spaces-access-key-id and its secret, or a digitalocean-token that may mint a short-lived key.";
    Finding::new(&UNKNOWN, subject, what).remedied(remedy)
}

fn of_problem(rule: &'static Rule, plan: &BucketPlan) -> Vec<Finding> {
    let told = plan.problem.iter();
    told.map(
        |Problem {
             subject,
             what,
             remedy,
         }| Finding::new(rule, subject, what).remedied(remedy),
    )
    .collect()
}

fn of_action(action: &BucketAction, subject: &str) -> Option<Finding> {
    let rule = match action {
        BucketAction::Create | BucketAction::Purge(_) => return None,
        BucketAction::Log(_) | BucketAction::StopLogging => &LOGGING_DIFFERS,
        BucketAction::Lifecycle { .. } => &LIFECYCLE_DIFFERS,
        BucketAction::Cors(_) => &CORS_DIFFERS,
        BucketAction::Versioning(_) => &VERSIONING_DIFFERS,
        BucketAction::Acl(_) => &ACL_DIFFERS,
        BucketAction::Cdn(_) => &CDN_DIFFERS,
    };
    Some(Finding::new(rule, subject, format!("bootstrap would {action}")))
}

/// Where the rules themselves differ, that is told instead.
pub(super) fn preflights(plan: &Plan, evidence: &Evidence) -> Vec<Finding> {
    let differing = differing(plan);
    let fair = evidence
        .preflights
        .iter()
        .filter(|one| !differing.contains(&one.bucket));
    let mut refused: BTreeMap<(&BucketName, &str, bool), Vec<&str>> = BTreeMap::new();
    let mut findings = Vec::new();
    for preflight in fair {
        let asked = &preflight.asked;
        match &preflight.allowed {
            Ok(true) => {}
            Ok(false) => refused
                .entry((&preflight.bucket, &asked.origin, asked.of_others))
                .or_default()
                .push(asked.method.word()),
            Err(problem) => findings.push(Finding::unknown(problem)),
        }
    }
    findings.extend(refused.into_iter().map(refusal));
    findings
}

/// One finding for each origin, whatever it is refused.
fn refusal(((bucket, origin, of_others), methods): ((&BucketName, &str, bool), Vec<&str>)) -> Finding {
    let whose = if of_others {
        ", which a rule of others allows"
    } else {
        ""
    };
    let what = format!("a browser at {origin} is refused {}{whose}", methods.join(", "));
    Finding::new(&CORS_REFUSED, format!("bucket {bucket}"), what)
}

fn differing(plan: &Plan) -> BTreeSet<&BucketName> {
    let differs = |plan: &&BucketPlan| {
        let cors = |action: &BucketAction| matches!(action, BucketAction::Cors(_) | BucketAction::Create);
        plan.actions.iter().any(cors)
    };
    plan.buckets
        .iter()
        .filter(differs)
        .map(|plan| &plan.name)
        .collect()
}
