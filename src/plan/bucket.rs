//! What is to be done with a bucket.

use std::fmt;

use super::cors::{Arranged, CorsChange};
use super::settings::{Verdict, compare};
use crate::model::bucket::{Acl, BucketName, Logging, Versioning};
use crate::model::cdn::{CdnEndpoint, CdnWish};
use crate::model::desired::WantedBucket;
use crate::model::lifecycle::LifecycleRule;
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
    /// Settings of which nobody knows how they stand, so that they are left alone.
    pub doubts: Vec<Problem>,
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
    /// Send its access logs nowhere.
    StopLogging,
    /// Set these lifecycle rules, and drop those of these ids.
    Lifecycle {
        /// What is set.
        set: Vec<LifecycleRule>,
        /// What goes.
        drop: Vec<String>,
    },
    /// Make these our CORS rules; none removes ours.
    Cors(CorsChange),
    /// Keep old versions, or no new ones.
    Versioning(Versioning),
    /// Let these list it.
    Acl(Acl),
    /// Put a CDN before it, or change the one that is there.
    Cdn(CdnChange),
    /// Empty the cache of the CDN endpoint of this id, after everything else.
    Purge(String),
}

/// What is done with the CDN of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CdnChange {
    /// The id of the endpoint that is there.
    pub existing: Option<String>,
    /// How the API calls the bucket.
    pub origin: String,
    /// What it shall be.
    pub wish: CdnWish,
}

impl CdnChange {
    /// Whether this is the wanted endpoint, as it is wanted.
    #[must_use]
    pub fn is_met_by(&self, endpoint: &CdnEndpoint) -> bool {
        endpoint.origin.eq_ignore_ascii_case(&self.origin) && endpoint.fits(&self.wish)
    }
}

impl fmt::Display for BucketAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create => f.write_str("create"),
            Self::Log(Logging { target, prefix }) => write!(f, "log access to {target}/{prefix}"),
            Self::StopLogging => f.write_str("stop logging access"),
            Self::Lifecycle { set, drop } => {
                let set = set.iter().map(ToString::to_string);
                let drop = drop.iter().map(|id| format!("drop {id}"));
                write!(
                    f,
                    "set lifecycle: {}",
                    set.chain(drop).collect::<Vec<_>>().join("; ")
                )
            }
            Self::Cors(CorsChange { arranged, .. }) => describe_cors(f, arranged),
            Self::Versioning(versioning) => write!(f, "set versioning to {}", versioning.word()),
            Self::Acl(acl) => write!(f, "set ACL to {}", acl.word()),
            Self::Cdn(CdnChange {
                existing: None, wish, ..
            }) => write!(f, "create {wish}"),
            Self::Cdn(CdnChange { wish, .. }) => write!(f, "change {wish}"),
            Self::Purge(_) => f.write_str("empty the cache of the CDN"),
        }
    }
}

fn describe_cors(f: &mut fmt::Formatter<'_>, Arranged { rules, spared }: &Arranged) -> fmt::Result {
    if rules.is_empty() {
        return f.write_str("remove our CORS rules");
    }
    let rules: Vec<_> = rules.iter().map(ToString::to_string).collect();
    write!(f, "set CORS: {}", rules.join("; "))?;
    if spared.is_empty() {
        Ok(())
    } else {
        write!(f, " (with {})", spared.join("; "))
    }
}

/// Compares one bucket.
pub(super) fn plan(wanted: &WantedBucket, observed: &Observed) -> BucketPlan {
    let mut plan = BucketPlan {
        name: wanted.name.clone(),
        actions: Vec::new(),
        kept: Vec::new(),
        doubts: Vec::new(),
        problem: None,
        unseen: false,
    };
    match observed.buckets.get(&wanted.name) {
        None | Some(Ok(BucketState::Unseen)) => plan.overlook(),
        Some(Err(problem)) => plan.problem = Some(problem.clone()),
        Some(Ok(BucketState::Absent)) => plan.create(wanted, observed),
        Some(Ok(BucketState::Present(settings))) => plan.adjust(wanted, settings, observed),
        Some(Ok(BucketState::NotOurs { code })) => {
            plan.problem = Some(not_ours(&wanted.name, code.as_deref()));
        }
        Some(Ok(BucketState::Elsewhere { region })) => {
            plan.problem = Some(elsewhere(&wanted.name, region.as_deref()));
        }
    }
    plan
}

impl BucketPlan {
    /// Whether nobody has looked.
    #[must_use]
    pub fn is_unseen(&self) -> bool {
        self.unseen
    }

    /// A new bucket is private and keeps no versions; of its settings nothing else is there either.
    fn create(&mut self, wanted: &WantedBucket, observed: &Observed) {
        self.actions.push(BucketAction::Create);
        let new = Settings {
            acl: Some(Acl::Private),
            ..Settings::default()
        };
        self.adjust(wanted, &new, observed);
        self.kept.clear();
    }

    fn overlook(&mut self) {
        self.unseen = true;
        let why =
            "not looked at: a dry run mints no admin key; give spaces-access-key-id and its secret to see it";
        self.kept.push(why.to_owned());
    }

    fn adjust(&mut self, wanted: &WantedBucket, found: &Settings, observed: &Observed) {
        self.kept.push("exists".to_owned());
        for verdict in compare(wanted, found, observed) {
            match verdict {
                Verdict::Act(action) => self.actions.push(action),
                Verdict::Kept(why) => self.kept.push(why),
                Verdict::Doubt(problem) => self.doubts.push(problem),
            }
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
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::bucket::LoggingWish;
    use crate::model::cdn::CdnEndpoint;
    use crate::model::cors::{CorsWish, FoundCorsRule, Preset};
    use crate::model::name::Run;
    use crate::model::observed::{Setting, Unread};
    use crate::model::time::Timestamp;

    fn logging() -> Logging {
        Logging {
            target: "shop-logs".parse().expect("a name"),
            prefix: "access-logs/".to_owned(),
        }
    }

    fn rules() -> Vec<LifecycleRule> {
        vec![LifecycleRule::declared("tmp/", Some(7), Some(1))]
    }

    fn cors() -> crate::model::cors::CorsRule {
        Preset::PrivateUploads.rule(vec!["https://shop.example".to_owned()])
    }

    /// Everything that can be asked of a bucket.
    fn wanted() -> WantedBucket {
        let name: BucketName = "shop-uploads".parse().expect("a name");
        WantedBucket {
            logging: Some(LoggingWish::To(logging())),
            lifecycle: rules(),
            owns_lifecycle: true,
            cors: Some(CorsWish {
                rules: vec![cors()],
                from_apps: Vec::new(),
            }),
            versioning: Some(Versioning::Enabled),
            acl: Some(Acl::Private),
            cdn: Some(CdnWish {
                ttl: "600".parse().ok(),
                domain: None,
                purge: true,
            }),
            ..WantedBucket::bare(name, "nyc3".parse().expect("a region"))
        }
    }

    /// The settings of a bucket that is as [`wanted`].
    fn right() -> Settings {
        Settings {
            logging: Some(logging()),
            lifecycle: rules(),
            cors: vec![FoundCorsRule {
                ours: true,
                has_id: true,
                rule: cors(),
            }],
            versioning: Some(Versioning::Enabled),
            acl: Some(Acl::Private),
            cdn: Some(CdnEndpoint {
                id: "1".to_owned(),
                origin: "shop-uploads.nyc3.digitaloceanspaces.com".to_owned(),
                host: "shop-uploads.nyc3.cdn.digitaloceanspaces.com".to_owned(),
                ttl: 600,
                custom_domain: None,
                certificate_id: None,
            }),
            ..Settings::default()
        }
    }

    fn planned(wanted: &WantedBucket, state: BucketState) -> BucketPlan {
        let run = Run { id: 1, attempt: 1 };
        let mut observed = Observed::of_keys(Timestamp::from_unix(0), run, Vec::new(), BTreeSet::new());
        observed.buckets.insert(wanted.name.clone(), Ok(state));
        plan(wanted, &observed)
    }

    fn told(plan: &BucketPlan) -> Vec<String> {
        plan.actions.iter().map(ToString::to_string).collect()
    }

    fn found(spoil: impl FnOnce(&mut Settings)) -> Vec<String> {
        let mut settings = right();
        spoil(&mut settings);
        told(&planned(&wanted(), BucketState::Present(Box::new(settings))))
    }

    #[test]
    fn a_bucket_that_is_right_is_left_alone() {
        let plan = planned(&wanted(), BucketState::Present(Box::new(right())));
        assert!(plan.actions.is_empty(), "{:?}", plan.actions);
        insta::assert_snapshot!(plan.kept.join("\n"), @r"
        exists
        logs to shop-logs/access-logs/
        lifecycle rules stand
        CORS rules stand
        versioning is enabled
        its ACL is private
        its CDN endpoint stands
        ");
    }

    #[test]
    fn a_missing_bucket_is_created_before_it_is_configured() {
        let plan = planned(&wanted(), BucketState::Absent);
        insta::assert_snapshot!(told(&plan).join("\n"), @r"
        create
        log access to shop-logs/access-logs/
        set lifecycle: tmp/ expires after 7 days, unfinished uploads after 1
        set CORS: GET PUT POST HEAD from https://shop.example
        set versioning to enabled
        create CDN endpoint, kept for 600 s
        ");
    }

    #[test]
    fn only_the_setting_that_differs_is_written() {
        assert_eq!(
            found(|it| it.logging = None),
            ["log access to shop-logs/access-logs/"]
        );
        assert_eq!(found(|it| it.versioning = None), ["set versioning to enabled"]);
        assert_eq!(found(|it| it.lifecycle[0].expire_days = Some(8)).len(), 1);
        let stale = LifecycleRule::declared("old/", Some(1), None);
        let dropped = format!("set lifecycle: drop {}", stale.id);
        assert_eq!(found(|it| it.lifecycle.push(stale)), [dropped]);
    }

    /// A rule as earlier releases called it: by its prefix alone.
    fn formerly(prefix: &str, days: i32) -> LifecycleRule {
        LifecycleRule {
            id: format!("spacekeeper-rule-{}", prefix.replace('/', "-")),
            ..LifecycleRule::declared(prefix, Some(days), Some(1))
        }
    }

    #[test]
    fn a_rule_under_an_older_id_is_the_same_rule() {
        assert_eq!(found(|it| it.lifecycle = vec![formerly("tmp/", 7)]), [""; 0]);
        assert_eq!(
            found(|it| it.lifecycle = vec![formerly("tmp/", 8)]),
            [
                "set lifecycle: tmp/ expires after 7 days, unfinished uploads after 1; drop spacekeeper-rule-tmp-"
            ]
        );
        assert_eq!(
            found(|it| it.lifecycle.push(formerly("tmp/", 7))),
            ["set lifecycle: drop spacekeeper-rule-tmp-"]
        );
    }

    #[test]
    fn what_the_cdn_keeps_goes_where_the_bucket_answers_otherwise_now() {
        let public = found(|it| it.acl = Some(Acl::PublicRead));
        assert_eq!(public, ["set ACL to private", "empty the cache of the CDN"]);
        let slow = found(|it| it.cdn.as_mut().expect("an endpoint").ttl = 60);
        assert_eq!(
            slow,
            [
                "change CDN endpoint, kept for 600 s",
                "empty the cache of the CDN"
            ]
        );
    }

    #[test]
    fn a_rule_of_somebody_else_is_no_reason_and_one_of_ours_that_nobody_wants_is() {
        let theirs = |ours| FoundCorsRule {
            ours,
            has_id: true,
            rule: Preset::PublicAssets.rule(vec!["*".to_owned()]),
        };
        assert!(found(|it| it.cors.push(theirs(false))).is_empty());
        assert_eq!(found(|it| it.cors.push(theirs(true))).len(), 2);
    }

    #[test]
    fn what_cannot_be_read_is_left_alone_and_told() {
        let mut settings = Settings::default();
        for setting in [
            Setting::Cors,
            Setting::Acl,
            Setting::Cdn,
            Setting::Lifecycle,
            Setting::Versioning,
        ] {
            let problem = Problem::new("bucket shop-uploads", format!("no {setting}"), "");
            settings.unread.push(Unread { setting, problem });
        }
        let plan = planned(&wanted(), BucketState::Present(Box::new(settings)));
        assert_eq!(told(&plan), ["log access to shop-logs/access-logs/"]);
        assert_eq!(plan.doubts.len(), 5);
    }

    #[test]
    fn logging_that_is_not_meant_is_stopped_once() {
        let off = WantedBucket {
            logging: Some(LoggingWish::Off),
            ..WantedBucket::bare(wanted().name, wanted().region)
        };
        assert_eq!(
            told(&planned(&off, BucketState::Present(Box::new(right())))),
            ["stop logging access"]
        );
        assert!(
            planned(&off, BucketState::Present(Box::default()))
                .actions
                .is_empty()
        );
    }
}
