//! One call of the API and its reply, as octocrab carries them.

use http::header::LOCATION;
use http::{Method, StatusCode, Uri};
use http_body_util::BodyExt;
use octocrab::Octocrab;
use serde_json::Value;

use super::super::base_url::BaseUrl;
use super::super::failure::{Failure, Service};
use super::super::no_reply::NoReply;
use super::super::transport::{Reply, header, host_of};
use super::errors;

/// How many redirects of a read are followed: a renamed repository takes one.
const REDIRECTS: usize = 3;

/// The longest path, in bytes. GitHub's own names come to a few hundred; octocrab panics when path and prefix together
/// are longer than a URI may be, which is 64 KB.
const LONGEST_PATH: usize = 8 * 1024;

/// One call: what it is for, and what is sent.
pub(super) struct Call<'a> {
    pub subject: &'a str,
    pub method: Method,
    pub path: String,
    pub body: Option<Value>,
}

impl<'a> Call<'a> {
    pub(super) fn new(subject: &'a str, method: Method, path: impl Into<String>) -> Self {
        let path = path.into();
        Self {
            subject,
            method,
            path,
            body: None,
        }
    }

    pub(super) fn with(self, body: Value) -> Self {
        let body = Some(body);
        Self { body, ..self }
    }

    /// Whether its reply bears a new token.
    pub(super) fn mints(&self) -> bool {
        self.path.ends_with("/access_tokens")
    }
}

/// Makes a call once; a status other than success is a failure. Reads follow redirects on the same host.
pub(super) async fn exchange(octocrab: &Octocrab, base: &BaseUrl, call: &Call<'_>) -> Result<Reply, Failure> {
    let mut path = call.path.clone();
    for _ in 0..=REDIRECTS {
        let reply = send(octocrab, base, call, &path).await?;
        match redirect(base, &reply).filter(|_| call.method == Method::GET) {
            Some(elsewhere) => path = elsewhere,
            None if reply.status().is_success() => return Ok(reply),
            None => return Err(errors::failure(call, &reply)),
        }
    }
    Err(Failure::malformed(
        Service::GitHub,
        call.subject,
        "it redirects again and again",
    ))
}

/// Makes a call once and takes whatever is answered.
pub(super) async fn send(
    octocrab: &Octocrab,
    base: &BaseUrl,
    call: &Call<'_>,
    path: &str,
) -> Result<Reply, Failure> {
    if path.len() > LONGEST_PATH {
        let why = NoReply::Unsent(format!("a path of {} bytes is too long", path.len()));
        return Err(Failure::unanswered(Service::GitHub, call.subject, &why));
    }
    let unanswered = |error: octocrab::Error| unanswered(base, call.subject, error);
    let request = http::Request::builder().method(call.method.clone()).uri(path);
    let request = octocrab
        .build_request(request, call.body.as_ref())
        .map_err(unanswered)?;
    let response = octocrab.execute(request).await.map_err(unanswered)?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(unanswered)?.to_bytes();
    Ok(Reply::from_parts(parts, body))
}

fn unanswered(base: &BaseUrl, subject: &str, error: octocrab::Error) -> Failure {
    let why = match error {
        octocrab::Error::Service { source, .. } => match source.downcast::<NoReply>() {
            Ok(why) => *why,
            Err(other) => NoReply::lost(host_of(base), other.to_string()),
        },
        other => NoReply::unsent(other),
    };
    Failure::unanswered(Service::GitHub, subject, &why)
}

/// Where a reply sends us on this host. octocrab adds the token to relative paths only, so the host must not be named.
fn redirect(base: &BaseUrl, reply: &Reply) -> Option<String> {
    if !matches!(reply.status().as_u16(), 301 | 302 | 307 | 308) {
        return None;
    }
    let location: Uri = header(reply.headers(), LOCATION.as_str())?.parse().ok()?;
    let same = location
        .authority()
        .is_none_or(|authority| Some(authority) == base.uri().authority());
    location
        .path_and_query()
        .filter(|_| same)
        .map(ToString::to_string)
}

/// Makes a write once, whose success is the one that GitHub documents for its method; what else is answered came from
/// somebody who did not do it.
pub(super) async fn carry_out(
    octocrab: &Octocrab,
    base: &BaseUrl,
    call: &Call<'_>,
) -> Result<Reply, Failure> {
    let reply = exchange(octocrab, base, call).await?;
    let status = reply.status();
    let (done, documented): (&[StatusCode], _) = match call.method {
        Method::POST => (&[StatusCode::CREATED], "201"),
        Method::PUT => (&[StatusCode::CREATED, StatusCode::NO_CONTENT], "201 or 204"),
        _ => (&[StatusCode::NO_CONTENT], "204"),
    };
    if done.contains(&status) {
        return Ok(reply);
    }
    let why = format!("status {} in place of {documented}", status.as_u16());
    Err(Failure::malformed(Service::GitHub, call.subject, &why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_followed_on_the_same_host_only() {
        let base: BaseUrl = "https://api.github.example".parse().expect("a base URL");
        let reply = |to: &str| {
            http::Response::builder()
                .status(301)
                .header(LOCATION, to)
                .body(bytes::Bytes::new())
                .expect("a reply")
        };
        let there = redirect(&base, &reply("https://api.github.example/repositories/7?x=1"));
        assert_eq!(there.as_deref(), Some("/repositories/7?x=1"));
        assert_eq!(
            redirect(&base, &reply("https://evil.example/repositories/7")),
            None
        );
    }
}
