//! What went wrong at a service: one error for all three.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use super::no_reply::NoReply;
use crate::scrub::scrubbed;

/// The longest message of a server that is passed on, in characters.
const DETAIL_MAX: usize = 300;

/// The longest code or request id that is passed on, in characters; those of Spaces have about 60.
const WORD_MAX: usize = 80;

/// A service of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// The DigitalOcean API.
    DigitalOcean,
    /// The S3 API of Spaces.
    Spaces,
    /// The GitHub API.
    GitHub,
}

/// A call that did not succeed. It bears no secret: neither a body that was sent nor the reply of a mint.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Who answered, or did not.
    pub service: Service,
    /// What was wanted, such as `list Spaces keys` or `bucket shop-uploads: set logging`.
    pub subject: Box<str>,
    /// What it means for the caller.
    pub kind: FailureKind,
    /// The error code of S3, or the `id` of a DigitalOcean error: one word of at most 80 characters.
    pub code: Option<Box<str>>,
    /// The server's message, or why there is none; untrusted text without control characters, at most 300 of them.
    pub detail: Box<str>,
    /// What the service's support asks for: one word of at most 80 characters.
    pub request_id: Option<Box<str>>,
    /// How long the server wants us to wait.
    pub(super) wait: Option<Duration>,
    /// Whether the service said so itself, in an error document of its own. What a proxy or a gateway says with the same
    /// status tells nothing of what is there.
    pub(super) own: bool,
}

/// What a failure means for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureKind {
    /// The credential is missing, wrong or expired.
    Unauthorized,
    /// The credential is valid but may not do this.
    Forbidden {
        /// The permissions that would do, by GitHub's `X-Accepted-GitHub-Permissions`.
        needs: Option<Box<str>>,
    },
    /// It does not exist, or the credential may not see it.
    NotFound,
    /// It exists already, or someone else is changing it.
    Conflict,
    /// 412: as for a scoped key on a bucket that has a policy.
    Precondition,
    /// Any other refusal: the request is wrong.
    Invalid,
    /// Too many requests, also after waiting for as long as we wait.
    RateLimited,
    /// The service failed, was not reached or did not answer in time.
    Unavailable,
    /// The reply is not what the API promises.
    Malformed,
    /// The reply is longer, or the list has more pages, than any real account needs; asking again brings the same.
    Excessive,
    /// The process was asked to stop before the call succeeded.
    Interrupted,
}

/// Why a request that must not be repeated blindly did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WriteFailure {
    /// Nothing happened: the service refused, or was not reached.
    #[error(transparent)]
    Refused(Failure),
    /// It may have happened: the reply is lost or cannot be read. Look before asking again.
    #[error(transparent)]
    Lost(Failure),
}

impl Failure {
    /// A failure with its server's message.
    pub(crate) fn new(service: Service, subject: &str, kind: FailureKind, detail: &str) -> Self {
        let (subject, detail) = (clean(subject).into(), clean(detail).into());
        Self {
            service,
            subject,
            kind,
            code: None,
            detail,
            request_id: None,
            wait: None,
            own: false,
        }
    }

    /// The same with the code that the server gave, if it is one.
    pub(super) fn coded(mut self, code: Option<&str>) -> Self {
        self.code = code.and_then(word);
        self
    }

    /// The same with the id that the server gave the request, if it is one.
    pub(super) fn identified(mut self, request_id: Option<&str>) -> Self {
        self.request_id = request_id.and_then(word);
        self
    }

    /// What happened and why, without the subject.
    #[must_use]
    pub fn reason(&self) -> String {
        Reason(self).to_string()
    }

    /// Whether the service itself says that there is no such thing, or none that the credential may see.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        self.own && self.kind == FailureKind::NotFound
    }

    /// Whether the service itself says that the credential may not look. To some tokens what they may not see does not
    /// exist.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.is_absence() || self.own && matches!(self.kind, FailureKind::Forbidden { .. })
    }

    /// The request had no reply that could be read.
    pub(super) fn unanswered(service: Service, subject: &str, why: &NoReply) -> Self {
        let skewed = matches!(why, NoReply::Skewed { .. });
        let kind = match why {
            NoReply::TooLong { .. } => FailureKind::Excessive,
            NoReply::Foreign { .. } | NoReply::Encoded { .. } => FailureKind::Malformed,
            NoReply::Unsent(_)
            | NoReply::Unreachable { .. }
            | NoReply::Lost { .. }
            | NoReply::Skewed { .. } => FailureKind::Unavailable,
        };
        Self {
            // The server's time is known now, so there is nothing to wait for.
            wait: skewed.then_some(Duration::ZERO),
            ..Self::new(service, subject, kind, &why.to_string())
        }
    }

    /// The reply is not what the API promises.
    pub(super) fn malformed(service: Service, subject: &str, why: &str) -> Self {
        Self::new(service, subject, FailureKind::Malformed, why)
    }

    /// The same failure, after which the process was asked to stop instead of trying again.
    pub(super) fn interrupted(mut self) -> Self {
        self.kind = FailureKind::Interrupted;
        self
    }

    /// Whether the same call may succeed a moment later.
    pub(super) fn is_transient(&self) -> bool {
        use FailureKind::{Malformed, RateLimited, Unavailable};
        // Half of a service's own 404, or that of a gateway, which is no word about what is there.
        let unsaid = self.kind == FailureKind::NotFound && !self.own && self.service != Service::Spaces;
        // `RequestTimeout` is a 400 of S3; `OperationAborted` is a 409 that names a concurrent change.
        let passing_codes = ["OperationAborted", "RequestTimeout", "SlowDown", "InternalError"];
        unsaid || matches!(self.kind, Unavailable | RateLimited | Malformed) || self.has_code(&passing_codes)
    }

    /// Whether the server answered that it did not do it.
    pub(super) fn is_refusal(&self) -> bool {
        use FailureKind::{Conflict, Forbidden, Invalid, NotFound, Precondition, RateLimited, Unauthorized};
        matches!(
            self.kind,
            Unauthorized | Forbidden { .. } | NotFound | Conflict | Precondition | Invalid | RateLimited
        )
    }

    /// Whether the server named one of these codes.
    pub(super) fn has_code(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| codes.contains(&code))
    }
}

impl FailureKind {
    /// What a status means where nothing else is known.
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::Unauthorized,
            403 => Self::Forbidden { needs: None },
            404 => Self::NotFound,
            409 => Self::Conflict,
            412 => Self::Precondition,
            429 => Self::RateLimited,
            // A gateway gave up waiting for the request or for the service.
            408 | 500.. => Self::Unavailable,
            200..300 => Self::Malformed,
            _ => Self::Invalid,
        }
    }

    fn phrase(&self) -> &'static str {
        match self {
            Self::Unauthorized => "rejected the credential",
            Self::Forbidden { .. } => "denied permission",
            Self::NotFound => "found nothing there",
            Self::Conflict => "reported a conflict",
            Self::Precondition => "reported an unmet precondition",
            Self::Invalid => "refused the request",
            Self::RateLimited => "limited the rate of requests",
            Self::Unavailable => "was not available",
            Self::Malformed => "sent a reply that makes no sense",
            Self::Excessive => "sent more than is read",
            Self::Interrupted => "did not succeed before the run was stopped",
        }
    }
}

impl WriteFailure {
    /// What went wrong, whichever it is.
    #[must_use]
    pub const fn failure(&self) -> &Failure {
        match self {
            Self::Refused(failure) | Self::Lost(failure) => failure,
        }
    }

    /// The same outcome, its failure changed.
    pub(super) fn map(self, change: impl FnOnce(Failure) -> Failure) -> Self {
        match self {
            Self::Refused(failure) => Self::Refused(change(failure)),
            Self::Lost(failure) => Self::Lost(change(failure)),
        }
    }

    /// What went wrong, for a call that may be repeated anyway.
    pub(super) fn into_failure(self) -> Failure {
        match self {
            Self::Refused(failure) | Self::Lost(failure) => failure,
        }
    }
}

impl From<Failure> for WriteFailure {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.reason())
    }
}

/// A failure without its subject.
struct Reason<'a>(&'a Failure);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(failure) = self;
        write!(f, "{} {}", failure.service, failure.kind.phrase())?;
        if !failure.detail.is_empty() {
            write!(f, ": {}", failure.detail)?;
        }
        if let Some(code) = failure.code.as_deref().filter(|code| *code != &*failure.detail) {
            write!(f, " [{code}]")?;
        }
        if let FailureKind::Forbidden { needs: Some(needs) } = &failure.kind {
            write!(f, " (needs {needs})")?;
        }
        failure
            .request_id
            .as_deref()
            .map_or(Ok(()), |id| write!(f, " (request {id})"))
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DigitalOcean => "DigitalOcean",
            Self::Spaces => "Spaces",
            Self::GitHub => "GitHub",
        })
    }
}

/// Text of a server, fit to be shown: without secrets, cut, on one line. What was cut before could not be scrubbed any
/// more.
pub(super) fn clean(text: &str) -> String {
    let flat: String = scrubbed(text)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(DETAIL_MAX)
        .collect();
    flat.trim().to_owned()
}

/// A code or an id: a word without anything in it that a gateway could have quoted.
fn word(text: &str) -> Option<Box<str>> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '_' | '-');
    let fits = (1..=WORD_MAX).contains(&text.len()) && text.chars().all(plain);
    (fits && scrubbed(text) == text).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::scrub;

    #[test]
    fn a_failure_says_what_was_wanted_and_why_it_failed() {
        let mut failure = Failure::new(
            Service::GitHub,
            "set secret A in acme/shop",
            FailureKind::Forbidden { needs: None },
            "Not you\n",
        );
        failure.request_id = Some("8F:1".into());
        assert_eq!(
            failure.to_string(),
            "set secret A in acme/shop: GitHub denied permission: Not you (request 8F:1)"
        );
        failure.kind = FailureKind::Forbidden {
            needs: Some("secrets=write".into()),
        };
        assert!(failure.to_string().contains("(needs secrets=write)"));
    }

    #[test]
    fn the_message_of_a_server_is_cut_and_put_on_one_line() {
        let failure = Failure::new(Service::Spaces, "s", FailureKind::Invalid, &"a\r\n".repeat(400));
        assert!(failure.detail.len() <= DETAIL_MAX);
        assert!(!failure.detail.contains(['\r', '\n']));
    }

    #[test]
    fn a_secret_is_taken_out_before_the_message_is_cut() {
        let secret = "Hn8sQdU1eJfGaViOTxkAq7Zt0pX9vB3mKwLr5Yc2";
        scrub::know(&SecretString::from(secret));
        // The last places put 1, 2, … characters of it before the cut.
        for at in DETAIL_MAX - secret.len()..DETAIL_MAX {
            let message = format!("{}{secret}", "-".repeat(at));
            let failure = Failure::new(Service::DigitalOcean, "s", FailureKind::Invalid, &message);
            let shown = failure.detail.trim_start_matches('-');
            assert!("***".starts_with(shown), "{shown}");
        }
    }

    #[test]
    fn codes_and_ids_are_words_and_no_secrets() {
        let secret = "2cY5rLwKm3Bv9Xp0tZ7qAkxTOiVaGfJe1UdQs8nH";
        scrub::know(&SecretString::from(secret));
        let told = |text: &str| {
            let failure = Failure::new(Service::Spaces, "s", FailureKind::Invalid, "");
            let failure = failure.coded(Some(text)).identified(Some(text));
            assert_eq!(failure.code, failure.request_id);
            failure.code
        };
        for fine in ["NoSuchBucket", "tx000-0f.9a-nyc3a", "C0FE:1:A"] {
            assert_eq!(told(fine).as_deref(), Some(fine));
        }
        for other in ["", "a b", "a\nb", "<b>", &"9".repeat(81), secret, &secret[..20]] {
            assert_eq!(told(other), None, "{other}");
        }
    }

    #[test]
    fn every_status_has_a_meaning() {
        let kind = |status: u16| FailureKind::of_status(StatusCode::from_u16(status).expect("a status"));
        assert_eq!(kind(301), FailureKind::Invalid);
        assert_eq!(kind(408), FailureKind::Unavailable);
        assert_eq!(kind(412), FailureKind::Precondition);
        assert_eq!(kind(422), FailureKind::Invalid);
        assert_eq!(kind(503), FailureKind::Unavailable);
    }
}
