//! What an error of S3 means, by its code where there is one and by its status where not.

use aws_sdk_s3::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use http::StatusCode;

use super::super::failure::{Failure, FailureKind, Service};
use super::super::no_reply::NoReply;
use super::super::transport::causes;

/// The key is not known, its secret is another one, or our clock is wrong.
const REJECTED: [&str; 3] = [
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "RequestTimeTooSkewed",
];

/// The key is known and may not do this. `Forbidden` is how the storage below Spaces says it at times.
const DENIED: [&str; 2] = ["AccessDenied", "Forbidden"];

/// How a bucket says that it has none of a setting: also 404, and no matter of the bucket's age.
const UNSET: [&str; 3] = [
    "NoSuchLifecycleConfiguration",
    "NoSuchBucketPolicy",
    "NoSuchCORSConfiguration",
];

/// The failure that an error of the SDK stands for.
pub(super) fn failure<E: ProvideErrorMetadata>(subject: &str, error: &SdkError<E, HttpResponse>) -> Failure {
    match error {
        SdkError::ServiceError(service) => {
            let metadata = service.err().meta();
            told(subject, service.raw(), metadata.code(), metadata.message())
        }
        SdkError::ResponseError(response) => {
            told(subject, response.raw(), None, Some("the reply cannot be read"))
        }
        SdkError::DispatchFailure(dispatch) => {
            let source = dispatch.as_connector_error().and_then(std::error::Error::source);
            match source.and_then(<dyn std::error::Error>::downcast_ref::<NoReply>) {
                Some(why) => Failure::unanswered(Service::Spaces, subject, why),
                None => unsent(
                    subject,
                    FailureKind::Unavailable,
                    &source.map(causes).unwrap_or_default(),
                ),
            }
        }
        SdkError::TimeoutError(_) => unsent(subject, FailureKind::Unavailable, "no reply in time"),
        _ => unsent(subject, FailureKind::Invalid, "the request cannot be built"),
    }
}

/// The failure of a request that lacks what the SDK demands.
pub(super) fn unbuilt(subject: &str, error: &BuildError) -> Failure {
    unsent(subject, FailureKind::Invalid, &error.to_string())
}

/// A reply in which this is missing or cannot be read.
pub(super) fn malformed(subject: &str, what: &str) -> Failure {
    Failure::malformed(Service::Spaces, subject, what)
}

/// The status of the reply, if there was one.
pub(super) fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|reply| reply.status().as_u16())
}

/// The region that a redirect points to, where it says so.
pub(super) fn region<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    let headers = error.raw_response()?.headers();
    headers.get("x-amz-bucket-region").map(str::to_owned)
}

/// Whether the server does not know the key (yet).
pub(super) fn is_unknown_key(failure: &Failure) -> bool {
    failure.has_code(&["InvalidAccessKeyId", "SignatureDoesNotMatch"])
}

/// Whether the key is not known or may not do this (yet).
pub(super) fn is_denied(failure: &Failure) -> bool {
    matches!(
        failure.kind,
        FailureKind::Unauthorized | FailureKind::Forbidden { .. }
    )
}

/// Whether the bucket is not found (yet).
pub(super) fn is_absent(failure: &Failure) -> bool {
    failure.kind == FailureKind::NotFound && !is_unset(failure)
}

/// Whether a bucket (that of the logs included) is not found or the key not known (yet), as after making them.
pub(super) fn is_absent_or_unknown_key(failure: &Failure) -> bool {
    is_absent(failure) || is_unknown_key(failure) || failure.has_code(&["InvalidTargetBucketForLogging"])
}

/// Whether the bucket merely has none of what was asked for.
pub(super) fn is_unset(failure: &Failure) -> bool {
    failure.has_code(&UNSET)
}

/// Whether the server does not know the call at all.
pub(super) fn is_unknown_call(failure: &Failure) -> bool {
    failure.has_code(&["NotImplemented", "MethodNotAllowed"])
}

fn told(subject: &str, reply: &HttpResponse, code: Option<&str>, message: Option<&str>) -> Failure {
    let status = reply.status().as_u16();
    let detail = match message {
        None if reply.status().is_success() => format!("{status}, and its body is not what S3 answers"),
        // The message of Ceph, which is below Spaces, is empty.
        message => format!("{status} {}", message.unwrap_or_default()),
    };
    Failure::new(Service::Spaces, subject, kind(status, code), &detail)
        .coded(code)
        .identified(reply.headers().get("x-amz-request-id"))
}

fn kind(status: u16, code: Option<&str>) -> FailureKind {
    match code {
        Some(code) if REJECTED.contains(&code) => FailureKind::Unauthorized,
        Some(code) if DENIED.contains(&code) => FailureKind::Forbidden { needs: None },
        Some("SlowDown") => FailureKind::RateLimited,
        _ => StatusCode::from_u16(status).map_or(FailureKind::Malformed, FailureKind::of_status),
    }
}

fn unsent(subject: &str, kind: FailureKind, detail: &str) -> Failure {
    Failure::new(Service::Spaces, subject, kind, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_decides_before_the_status() {
        assert_eq!(kind(403, Some("InvalidAccessKeyId")), FailureKind::Unauthorized);
        assert_eq!(
            kind(403, Some("AccessDenied")),
            FailureKind::Forbidden { needs: None }
        );
        assert_eq!(kind(503, Some("SlowDown")), FailureKind::RateLimited);
        assert_eq!(kind(403, None), FailureKind::Forbidden { needs: None });
        assert_eq!(kind(200, None), FailureKind::Malformed);
    }

    #[test]
    fn a_missing_setting_is_not_a_missing_bucket() {
        let failed = |code: &str| {
            let failure = Failure::new(Service::Spaces, "s", FailureKind::NotFound, "");
            Failure {
                code: Some(code.into()),
                ..failure
            }
        };
        assert!(is_absent(&failed("NoSuchBucket")));
        assert!(!is_absent(&failed("NoSuchLifecycleConfiguration")));
    }
}
