//! What is to be done with a bucket.

use std::fmt;

use crate::model::bucket::{BucketName, Logging, Retention};
use crate::model::desired::WantedBucket;
use crate::model::observed::{BucketState, Observed, Settings};
use crate::model::problem::Problem;

/// The steps for one bucket, or the reasons for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketPlan {
    /// Which bucket.
    pub name: BucketName,
    /// What is done, in this order.
    pub actions: Vec<BucketAction>,
    /// What is left as it is, and why; one sentence each.
    pub kept: Vec<String>,
    /// Why nothing can be done.
    pub problem: Option<Problem>,
    unseen: bool,
}

/// One write to a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BucketAction {
    /// Create it.
    Create,
    /// Send its access logs there.
    Log(Logging),
    /// Let these objects expire.
    Expire(Vec<Retention>),
}

impl fmt::Display for BucketAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create => f.write_str("create"),
            Self::Log(Logging { target, prefix }) => write!(f, "log access to {target}/{prefix}"),
            Self::Expire(rules) => {
                let rule = |rule: &Retention| format!("{} after {} days", rule.prefix, rule.days);
                write!(
                    f,
                    "expire {}",
                    rules.iter().map(rule).collect::<Vec<_>>().join(", ")
                )
            }
        }
    }
}

/// Compares one bucket.
pub(super) fn plan(wanted: &WantedBucket, observed: &Observed) -> BucketPlan {
    let mut plan = BucketPlan {
        name: wanted.name.clone(),
        actions: Vec::new(),
        kept: Vec::new(),
        problem: None,
        unseen: false,
    };
    match observed.buckets.get(&wanted.name) {
        None | Some(Ok(BucketState::Unseen)) => plan.overlook(),
        Some(Err(problem)) => plan.problem = Some(problem.clone()),
        Some(Ok(BucketState::Absent)) => plan.create(wanted),
        Some(Ok(BucketState::Present(settings))) => plan.adjust(wanted, settings),
        Some(Ok(BucketState::NotOurs { code })) => {
            plan.problem = Some(not_ours(&wanted.name, code.as_deref()));
        }
        Some(Ok(BucketState::Elsewhere { region })) => {
            plan.problem = Some(elsewhere(&wanted.name, region.as_deref()));
        }
    }
    plan
}

/// What a browser is to ask of a bucket: each declared origin with one method that needs a preflight.
#[must_use]
pub fn cors_questions(wanted: &WantedBucket, observed: &Observed) -> Vec<(String, &'static str)> {
    let _ = (wanted, observed);
    Vec::new()
}

impl BucketPlan {
    /// Whether nobody has looked.
    #[must_use]
    pub fn is_unseen(&self) -> bool {
        self.unseen
    }

    fn create(&mut self, wanted: &WantedBucket) {
        self.actions.push(BucketAction::Create);
        self.adjust(wanted, &Settings::default());
    }

    fn overlook(&mut self) {
        self.unseen = true;
        let why =
            "not looked at: a dry run mints no admin key; give spaces-access-key-id and its secret to see it";
        self.kept.push(why.to_owned());
    }

    fn adjust(&mut self, wanted: &WantedBucket, found: &Settings) {
        let exists = self.actions.is_empty();
        if exists {
            self.kept.push("exists".to_owned());
        }
        match &wanted.logging {
            Some(logging) if found.logging.as_ref() == Some(logging) => {
                self.kept
                    .push(format!("logs to {}/{}", logging.target, logging.prefix));
            }
            Some(logging) => self.actions.push(BucketAction::Log(logging.clone())),
            None => {}
        }
        let missing: Vec<_> = wanted
            .retentions
            .iter()
            .filter(|rule| !found.retentions.contains(rule))
            .cloned()
            .collect();
        if !missing.is_empty() {
            self.actions.push(BucketAction::Expire(missing));
        } else if !wanted.retentions.is_empty() {
            self.kept.push("expiry of the logs stands".to_owned());
        }
    }
}

/// Who may be behind a 403 that a full-access key gets.
#[must_use]
pub fn not_ours(name: &BucketName, code: Option<&str>) -> Problem {
    let subject = format!("bucket {name}");
    match code {
        Some(code @ ("InvalidAccessKeyId" | "SignatureDoesNotMatch")) => Problem::new(
            subject,
            format!("Spaces does not accept the full-access key ({code})"),
            "Check spaces-access-key-id and spaces-secret-access-key: the pair must belong together and still exist.",
        ),
        _ => Problem::new(
            subject,
            "the name exists and this account may not touch it: the bucket belongs to someone else, or the key is not a \
             full-access key",
            "Choose another name, or supply a full-access pair.",
        ),
    }
}

/// The bucket is there, but not here.
#[must_use]
pub fn elsewhere(name: &BucketName, region: Option<&str>) -> Problem {
    let place = region.map_or_else(
        || "another region".to_owned(),
        |region| format!("region {region}"),
    );
    let remedy = match region {
        Some(region) => format!("Set region: {region}, or choose another name; a bucket cannot move."),
        None => "Set the region in which it lives, or choose another name; a bucket cannot move.".to_owned(),
    };
    Problem::new(format!("bucket {name}"), format!("it exists in {place}"), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logging() -> Logging {
        Logging {
            target: "shop-logs".parse().expect("a name"),
            prefix: "access-logs/".to_owned(),
        }
    }

    fn wanted() -> WantedBucket {
        let name: BucketName = "shop-uploads".parse().expect("a name");
        let retentions = vec![Retention::of(&name, "access-logs/", 30)];
        WantedBucket {
            name,
            logging: Some(logging()),
            retentions,
        }
    }

    fn empty() -> BucketPlan {
        BucketPlan {
            name: wanted().name,
            actions: Vec::new(),
            kept: Vec::new(),
            problem: None,
            unseen: false,
        }
    }

    #[test]
    fn a_bucket_that_is_right_is_left_alone() {
        let mut plan = empty();
        let found = Settings {
            logging: Some(logging()),
            retentions: wanted().retentions,
            has_policy: false,
        };
        plan.adjust(&wanted(), &found);
        assert!(plan.actions.is_empty());
        assert_eq!(
            plan.kept,
            [
                "exists",
                "logs to shop-logs/access-logs/",
                "expiry of the logs stands"
            ]
        );
    }

    #[test]
    fn a_missing_bucket_is_created_before_it_is_configured() {
        let mut plan = empty();
        plan.create(&wanted());
        let told: Vec<_> = plan.actions.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "create",
                "log access to shop-logs/access-logs/",
                "expire access-logs/ after 30 days"
            ]
        );
    }

    #[test]
    fn only_the_setting_that_differs_is_written() {
        let mut plan = empty();
        plan.adjust(
            &wanted(),
            &Settings {
                logging: Some(logging()),
                ..Settings::default()
            },
        );
        assert_eq!(plan.actions, [BucketAction::Expire(wanted().retentions)]);
    }
}
