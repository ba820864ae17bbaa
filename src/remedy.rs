//! From a failure of a service to a problem that a person can do something about: the one place where advice is given.
//!
//! The table of Spaces errors follows the troubleshooting page of the Spaces documentation.

use crate::model::problem::Problem;
use crate::remote::{Failure, FailureKind, Service};

/// The failure with what to do about it.
#[must_use]
pub fn problem(failure: &Failure) -> Problem {
    Problem::new(&*failure.subject, failure.reason(), remedy(failure))
}

/// A credential that its service does not accept: the run ends before its first write.
#[must_use]
pub fn rejection(failure: &Failure) -> Problem {
    let what = format!("{}, so nothing was written", failure.reason());
    Problem::new(&*failure.subject, what, remedy(failure))
}

fn remedy(failure: &Failure) -> String {
    match failure.kind {
        FailureKind::Interrupted => "Run again: it goes on from where this run stopped.".to_owned(),
        FailureKind::RateLimited => {
            "Run again later; the limit is per token, so look for others that use it.".to_owned()
        }
        FailureKind::Malformed => {
            "Run again; if it stays, look for a proxy that answers in the service's place.".to_owned()
        }
        FailureKind::Excessive => {
            "No real account needs that much: look for a proxy that answers in the service's place."
                .to_owned()
        }
        _ => match failure.service {
            Service::DigitalOcean => digitalocean(failure),
            Service::Spaces => spaces(failure),
            Service::GitHub => github(failure),
        },
    }
}

fn digitalocean(failure: &Failure) -> String {
    match &failure.kind {
        FailureKind::Unauthorized => "Check digitalocean-token: it is wrong, expired or revoked.".to_owned(),
        FailureKind::Forbidden { .. } if failure.detail.to_lowercase().contains("invalid grant") => {
            "A granted bucket does not exist in this account: correct buckets, or run bootstrap, which makes it."
                .to_owned()
        }
        FailureKind::Forbidden { needs: Some(scope) } => {
            format!("Give digitalocean-token the scope {scope}.")
        }
        FailureKind::Forbidden { needs: None } => {
            "Give digitalocean-token the scopes that the README lists.".to_owned()
        }
        FailureKind::Precondition => {
            "Remove the bucket policy: Spaces gives no scoped key to a bucket with one.".to_owned()
        }
        FailureKind::NotFound => {
            "Check its name or id, and that digitalocean-token is of the right team.".to_owned()
        }
        FailureKind::Unavailable => UNAVAILABLE.to_owned(),
        _ if failure.subject.starts_with("mint") => {
            "Look at the message above; an account holds 200 keys unless support raised the limit.".to_owned()
        }
        _ => "Look at the message above.".to_owned(),
    }
}

fn github(failure: &Failure) -> String {
    match &failure.kind {
        FailureKind::Unauthorized => "Check github-token: it is wrong, expired or revoked.".to_owned(),
        // GitHub words the refusal by the kind of token: an installation token, GITHUB_TOKEN included, is "integration".
        FailureKind::Forbidden { .. } if failure.detail.contains("integration") => {
            "The workflow's own GITHUB_TOKEN cannot write secrets or variables, whatever its permissions say: give a \
             fine-grained token or a GitHub App with Secrets, Variables (and Environments) read and write."
                .to_owned()
        }
        FailureKind::Forbidden { needs: Some(needs) } => format!("Give github-token the permission {needs}."),
        FailureKind::Forbidden { needs: None } => {
            "Give github-token Secrets and Variables, read and write (classic tokens: the scope repo).".to_owned()
        }
        FailureKind::NotFound => "Check github-repository and github-environment; a token without access sees the same \
             answer (classic tokens need the scope repo)."
            .to_owned(),
        FailureKind::Unavailable => UNAVAILABLE.to_owned(),
        _ => "Look at the message above.".to_owned(),
    }
}

const UNAVAILABLE: &str = "Run again; behind a proxy check HTTPS_PROXY and NO_PROXY, with a private certificate authority SSL_CERT_FILE.";

fn spaces(failure: &Failure) -> String {
    let known = failure.code.as_deref().and_then(spaces_code);
    let advice = known.unwrap_or(match failure.kind {
        FailureKind::Forbidden { .. } | FailureKind::Unauthorized => ACCESS_DENIED,
        FailureKind::Unavailable => UNAVAILABLE,
        _ => "Look at the message above.",
    });
    advice.to_owned()
}

const ACCESS_DENIED: &str = "Bucket settings need a full-access key: check the supplied pair, or leave it out so that a \
                             short-lived one is minted. A bucket policy may also deny it.";

fn spaces_code(code: &str) -> Option<&'static str> {
    Some(match code {
        "AccessDenied" | "Forbidden" => ACCESS_DENIED,
        "BucketAlreadyExists" => "Choose another bucket name: this one is taken.",
        "InvalidAccessKeyId" => "The key does not exist (any more): check spaces-access-key-id.",
        "SignatureDoesNotMatch" => "The secret does not belong to the key: check spaces-secret-access-key.",
        "NoSuchBucket" => {
            "Check the bucket's name and region; a deleted name stays blocked for a week or more."
        }
        "NotImplemented" | "MethodNotAllowed" => {
            "This server does not know the setting: leave it out of the request; Spaces knows it."
        }
        "NoSuchKey" => "Run again: a new bucket may not be known everywhere yet.",
        "SlowDown" | "ServiceUnavailable" => "Spaces asks for fewer requests: run again later.",
        "RequestTimeTooSkewed" => "The clock of this machine is off by more than 15 minutes: set it.",
        "TooManyBuckets" => {
            "The account is at its limit of buckets (100 by default): ask support, or delete some."
        }
        "InvalidTargetBucketForLogging" | "CrossLocationLoggingProhibitted" => {
            "The log bucket must exist in the same region and belong to the same account."
        }
        _ => return None,
    })
}
