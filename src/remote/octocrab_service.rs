//! octocrab over our transport, so that its own client, retries and time limits stay out of the picture.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, HeaderValue};
use http::request::Parts;
use http_body_util::{BodyExt, Full};
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use secrecy::SecretString;
use tower::Service;

use super::base_url::BaseUrl;
use super::failure::Service as Remote;
use super::limits::BODY_MAX;
use super::no_reply::NoReply;
use super::transport::Transport;

/// The media type of the GitHub API.
const GITHUB_JSON: HeaderValue = HeaderValue::from_static("application/vnd.github+json");

/// An octocrab that sends `token` as bearer, keeps the path prefix of `base` and does nothing by itself.
///
/// Must be called within a runtime: octocrab spawns a task that feeds its service.
pub(super) fn octocrab(transport: &Transport, base: &BaseUrl, token: Option<SecretString>) -> Octocrab {
    let auth = token.map_or(AuthState::None, |token| AuthState::AccessToken { token });
    let built = OctocrabBuilder::new_empty()
        .with_service(OctocrabService(transport.clone()))
        .with_layer(&BaseUriLayer::new(base.uri().clone()))
        .with_auth(auth)
        .build();
    match built {
        Ok(octocrab) => octocrab,
        Err(never) => match never {},
    }
}

#[derive(Debug, Clone)]
struct OctocrabService(Transport);

impl Service<http::Request<OctoBody>> for OctocrabService {
    type Response = http::Response<Full<Bytes>>;
    type Error = NoReply;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<OctoBody>) -> Self::Future {
        let transport = self.0.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(NoReply::unsent)?.to_bytes();
            let reply = transport
                .send(Remote::GitHub, outgoing(parts, body)?, BODY_MAX)
                .await?;
            Ok(reply.map(Full::new))
        })
    }
}

fn outgoing(mut parts: Parts, body: Bytes) -> Result<reqwest::Request, NoReply> {
    // octocrab sets a length of zero on requests without a body, GET included; hyper knows better.
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(ACCEPT, GITHUB_JSON);
    reqwest::Request::try_from(http::Request::from_parts(parts, body)).map_err(NoReply::unsent)
}
