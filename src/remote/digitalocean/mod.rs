//! The DigitalOcean API: Spaces keys, apps and their deployments.

mod apps;
mod cdn;
mod deployments;
mod errors;
mod history;
mod keys;
mod logs;
mod wire;

use std::sync::Arc;
use std::time::Instant;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use percent_encoding::utf8_percent_encode;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use apps::App;
pub use deployments::{Deployment, FailedStep, Phase, Progress};
pub use history::{Deployments, HISTORY_MAX};

use super::base_url::BaseUrl;
use super::clock::ServerClock;
use super::failure::{Failure, FailureKind, Service, WriteFailure};
use super::json;
use super::limits::BODY_MAX;
use super::no_reply::NoReply;
use super::pacing::Pace;
use super::page::{Listed, Page};
use super::paging::List;
use super::retry::Attempts;
use super::shutdown::Shutdown;
use super::transport::{Reply, SEGMENT, Transport, host_of};
use crate::model::time::Timestamp;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A client of the DigitalOcean API under one token.
#[derive(Debug, Clone)]
pub struct DigitalOcean {
    transport: Transport,
    base: BaseUrl,
    token: SecretString,
    clock: Arc<ServerClock>,
    attempts: Attempts,
    cdn_pace: Pace,
}

/// One call: what it is for, and what is sent.
struct Call<'a> {
    subject: &'a str,
    method: Method,
    path: String,
    body: Option<Value>,
}

impl DigitalOcean {
    /// A client that sends `token` to `base` and to no other host.
    #[must_use]
    pub fn new(transport: Transport, base: BaseUrl, token: SecretString, shutdown: Shutdown) -> Self {
        let clock = transport.clocks().of(Service::DigitalOcean, &host_of(&base));
        Self {
            transport,
            base,
            token,
            clock,
            attempts: Attempts::new(shutdown),
            cdn_pace: cdn::pace(),
        }
    }

    /// The same client, which goes on trying after a signal: for deleting keys on the way out.
    #[must_use]
    pub fn to_the_end(&self) -> Self {
        Self {
            attempts: self.attempts.heedless(),
            ..self.clone()
        }
    }

    /// The same client, which repeats no call after `deadline`: a write that must not land late.
    #[must_use]
    pub fn until(&self, deadline: Instant) -> Self {
        Self {
            attempts: self.attempts.until(deadline.into()),
            ..self.clone()
        }
    }

    /// The first call for which DigitalOcean did not accept the credential.
    #[must_use]
    pub fn rejection(&self) -> Option<&Failure> {
        self.attempts.rejection()
    }

    /// The clock of DigitalOcean, by the `Date` of its last reply.
    #[must_use]
    pub fn clock(&self) -> &ServerClock {
        &self.clock
    }

    /// DigitalOcean's time, never ahead of it; nothing before the first reply.
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        self.clock.now()
    }

    /// The same client with a connection of its own for every request. An idle one may have been closed by the other
    /// side; what is sent over it is lost, which is dear where a lost reply cannot simply be asked for again.
    fn on_fresh_connections(&self) -> Self {
        Self {
            transport: self.transport.unpooled(),
            ..self.clone()
        }
    }

    /// Reads JSON, trying again after transient failures.
    async fn get<T: DeserializeOwned>(&self, subject: &str, path: String) -> Result<T, Failure> {
        self.ask(&Call::new(subject, Method::GET, path)).await
    }

    /// Reads every page of a list. They are counted here and no URL of a reply is followed: the token would go wherever
    /// it points.
    async fn list<T: Listed>(&self, subject: &str, path: &str, per_page: usize) -> Result<Vec<T>, Failure> {
        let page = |number| self.get::<Page<T>>(subject, format!("{path}?per_page={per_page}&page={number}"));
        self.list_of(subject).whole(page).await
    }

    fn list_of<'a>(&self, subject: &'a str) -> List<'a> {
        List {
            service: Service::DigitalOcean,
            subject,
            host: host_of(&self.base),
        }
    }

    /// Makes a call that may be repeated and reads the JSON of its reply.
    async fn ask<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, Failure> {
        let attempt = || async {
            let reply = self.reply(call).await?;
            json::read(Service::DigitalOcean, call.subject, &reply)
        };
        self.attempts.run(attempt).await
    }

    /// Makes a call once whose success is a 204; what else is answered came from somebody who did not do it.
    async fn carry_out(&self, call: &Call<'_>) -> Result<(), Failure> {
        let status = self.reply(call).await?.status();
        if status == StatusCode::NO_CONTENT {
            return Ok(());
        }
        let why = format!("status {} in place of 204", status.as_u16());
        Err(Failure::malformed(Service::DigitalOcean, call.subject, &why))
    }

    /// Makes a call once; a status other than success is a failure.
    async fn reply(&self, call: &Call<'_>) -> Result<Reply, Failure> {
        self.write(call).await.map_err(WriteFailure::into_failure)
    }

    /// Makes a call once, and tells whether a failed one may have been carried out all the same.
    async fn write(&self, call: &Call<'_>) -> Result<Reply, WriteFailure> {
        let unanswered = |why: &NoReply| Failure::unanswered(Service::DigitalOcean, call.subject, why);
        match self.send(call).await {
            Ok(reply) if reply.status().is_success() => Ok(reply),
            Ok(reply) => Err(judged(reply.status(), errors::failure(call, &reply))),
            Err(why) if why.is_unseen() => Err(WriteFailure::Refused(unanswered(&why))),
            Err(why) => Err(WriteFailure::Lost(unanswered(&why))),
        }
    }

    async fn send(&self, call: &Call<'_>) -> Result<Reply, NoReply> {
        let request = self.request(call).map_err(NoReply::unsent)?;
        let request = reqwest::Request::try_from(request).map_err(NoReply::unsent)?;
        self.transport
            .send(Service::DigitalOcean, request, BODY_MAX)
            .await
    }

    fn request(&self, call: &Call<'_>) -> Result<http::Request<String>, http::Error> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", self.token.expose_secret()))?;
        bearer.set_sensitive(true);
        let body = call.body.as_ref().map(Value::to_string).unwrap_or_default();
        let mut request = http::Request::builder()
            .method(call.method.clone())
            .uri(self.base.join(&call.path))
            .header(AUTHORIZATION, bearer)
            .header(ACCEPT, JSON);
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, JSON);
        }
        request.body(body)
    }
}

impl<'a> Call<'a> {
    fn new(subject: &'a str, method: Method, path: impl Into<String>) -> Self {
        let path = path.into();
        Self {
            subject,
            method,
            path,
            body: None,
        }
    }

    fn with(self, body: Value) -> Self {
        let body = Some(body);
        Self { body, ..self }
    }
}

/// A clear refusal changed nothing; after anything else it is not known.
fn judged(status: StatusCode, failure: Failure) -> WriteFailure {
    let refused = status.is_client_error() || status.is_redirection();
    if refused && status != StatusCode::REQUEST_TIMEOUT {
        WriteFailure::Refused(failure)
    } else {
        WriteFailure::Lost(failure)
    }
}

/// A text as one segment of a path.
fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// What to say of a missing thing that we looked for ourselves.
fn not_found(subject: &str, detail: &str) -> Failure {
    Failure::new(Service::DigitalOcean, subject, FailureKind::NotFound, detail)
}
