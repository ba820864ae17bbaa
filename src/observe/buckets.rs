//! One bucket and its settings.

use crate::model::cdn::CdnEndpoint;
use crate::model::desired::{Desired, WantedBucket};
use crate::model::observed::{BucketState, Reading, Setting, Settings, Unread};
use crate::model::problem::Problem;
use crate::remedy::problem;
use crate::remote::spaces::Presence;
use crate::remote::{Failure, Spaces};

/// Reads a bucket. The settings are read beside the HEAD, so that a bucket costs one round trip; where there is no
/// bucket, what they say does not count.
pub(super) async fn read(
    spaces: &Spaces,
    wanted: &WantedBucket,
    desired: &Desired,
) -> Result<BucketState, Failure> {
    let (presence, found) = tokio::join!(spaces.head(&wanted.name), settings(spaces, wanted, desired));
    Ok(match presence? {
        Presence::Absent => BucketState::Absent,
        Presence::Forbidden { code } => BucketState::NotOurs { code },
        Presence::Elsewhere(region) => BucketState::Elsewhere { region },
        // Another run has made it between the two questions.
        Presence::Here { .. } if found.of_no_bucket => {
            let found = Box::pin(settings(spaces, wanted, desired)).await;
            BucketState::Present(Box::new(found.settings))
        }
        Presence::Here { .. } => BucketState::Present(Box::new(found.settings)),
    })
}

/// What the settings of a bucket say, or that there is none.
struct Found {
    settings: Settings,
    of_no_bucket: bool,
}

/// The endpoint that stands before the bucket.
pub(super) fn add_cdn(settings: &mut Settings, origin: &str, endpoints: &Reading<Vec<CdnEndpoint>>) {
    match endpoints {
        Ok(endpoints) => {
            let found = endpoints
                .iter()
                .find(|endpoint| endpoint.origin.eq_ignore_ascii_case(origin));
            settings.cdn = found.cloned();
        }
        Err(problem) => settings.unread.push(Unread {
            setting: Setting::Cdn,
            problem: problem.clone(),
        }),
    }
}

/// What of a bucket is managed. One setting that cannot be read does not hide the others.
async fn settings(spaces: &Spaces, wanted: &WantedBucket, desired: &Desired) -> Found {
    let name = &wanted.name;
    let manages_lifecycle = wanted.owns_lifecycle || !wanted.lifecycle.is_empty();
    let (logging, lifecycle, cors, versioning, acl, policy) = tokio::join!(
        unless(wanted.logging.is_none(), spaces.logging(name)),
        unless(!manages_lifecycle, spaces.lifecycle(name)),
        unless(wanted.cors.is_none(), spaces.cors(name)),
        unless(wanted.versioning.is_none(), spaces.versioning(name)),
        unless(wanted.acl.is_none(), spaces.acl(name)),
        unless(!desired.grants(name), spaces.has_policy(name)),
    );
    let mut unread = Unreadable {
        subject: format!("bucket {name}"),
        all: Vec::new(),
        of_no_bucket: false,
    };
    let settings = Settings {
        logging: unread.note(Setting::Logging, logging).flatten(),
        lifecycle: unread.note(Setting::Lifecycle, lifecycle).unwrap_or_default(),
        cors: unread.note(Setting::Cors, cors).unwrap_or_default(),
        versioning: unread.note(Setting::Versioning, versioning).flatten(),
        acl: unread.note(Setting::Acl, acl),
        cdn: None,
        has_policy: unread.note(Setting::Policy, policy).unwrap_or(false),
        unread: Vec::new(),
    };
    Found {
        settings: Settings {
            unread: unread.all,
            ..settings
        },
        of_no_bucket: unread.of_no_bucket,
    }
}

async fn unless<T>(
    skipped: bool,
    read: impl Future<Output = Result<T, Failure>>,
) -> Option<Result<T, Failure>> {
    if skipped { None } else { Some(read.await) }
}

struct Unreadable {
    subject: String,
    all: Vec<Unread>,
    of_no_bucket: bool,
}

impl Unreadable {
    fn note<T>(&mut self, setting: Setting, answered: Option<Result<T, Failure>>) -> Option<T> {
        match answered? {
            Ok(value) => Some(value),
            Err(failure) => {
                self.of_no_bucket |= failure.code.as_deref() == Some("NoSuchBucket");
                let Problem { what, remedy, .. } = problem(&failure);
                let what = format!("its {setting} cannot be read: {what}");
                let problem = Problem::new(self.subject.clone(), what, remedy);
                self.all.push(Unread { setting, problem });
                None
            }
        }
    }
}
