//! The question that a browser asks before a page of another origin may use a bucket.

use http::{Method, StatusCode};

use super::super::base_url::BaseUrl;
use super::super::failure::{Failure, FailureKind, Service};
use super::super::limits::STORAGE_BODY_MAX;
use super::super::no_reply::NoReply;
use super::super::retry::Attempts;
use super::super::shutdown::Shutdown;
use super::super::transport::{Transport, header};
use crate::model::bucket::BucketName;

/// An object that nobody has; CORS rules speak of buckets.
const NO_OBJECT: &str = "spacekeeper-preflight";

/// Asks as a browser does: without credentials.
#[derive(Debug, Clone)]
pub struct Browser {
    transport: Transport,
    endpoint: BaseUrl,
    attempts: Attempts,
}

impl Browser {
    /// A browser that talks to one endpoint.
    #[must_use]
    pub fn new(transport: &Transport, endpoint: &BaseUrl, shutdown: Shutdown) -> Self {
        Self {
            transport: transport.clone(),
            endpoint: endpoint.clone(),
            attempts: Attempts::new(shutdown),
        }
    }

    /// Whether a page of `origin` may send requests of this method to the bucket: the preflight request of the Fetch
    /// standard, an `OPTIONS` that bears no signature.
    pub async fn may(&self, bucket: &BucketName, origin: &str, method: &str) -> Result<bool, Failure> {
        let subject = format!("bucket {bucket}: preflight from {origin}");
        let ask = || self.ask(&subject, bucket, origin, method);
        self.attempts.run(ask).await
    }

    async fn ask(
        &self,
        subject: &str,
        bucket: &BucketName,
        origin: &str,
        method: &str,
    ) -> Result<bool, Failure> {
        let unanswered = |why: &NoReply| Failure::unanswered(Service::Spaces, subject, why);
        let request = http::Request::builder()
            .method(Method::OPTIONS)
            .uri(self.endpoint.join(&format!("/{bucket}/{NO_OBJECT}")))
            .header("origin", origin)
            .header("access-control-request-method", method)
            .body(String::new())
            .map_err(|error| unanswered(&NoReply::unsent(error)))?;
        let request =
            reqwest::Request::try_from(request).map_err(|error| unanswered(&NoReply::unsent(error)))?;
        let reply = self
            .transport
            .send(Service::Spaces, request, STORAGE_BODY_MAX)
            .await
            .map_err(|why| unanswered(&why))?;
        match reply.status() {
            status if status.is_success() => Ok(allows(header(reply.headers(), ALLOWED), origin)),
            StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => Ok(false),
            status => {
                let kind = FailureKind::of_status(status);
                Err(Failure::new(
                    Service::Spaces,
                    subject,
                    kind,
                    &format!("status {}", status.as_u16()),
                ))
            }
        }
    }
}

/// Where a server names the origin that may ask.
const ALLOWED: &str = "access-control-allow-origin";

/// A browser compares letter by letter.
fn allows(answered: Option<&str>, origin: &str) -> bool {
    answered.is_some_and(|allowed| allowed == "*" || allowed == origin)
}
