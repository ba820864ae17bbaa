//! The one HTTP stack under all three clients: proxies, roots of trust, time limits, the request log.

use std::error::Error;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use http::header::RANGE;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use reqwest::{Client, ClientBuilder, Request, Url};
use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt;

use super::foreign_url::ForeignUrl;
use super::retry;

/// How long any request may take, from the first byte of its connection to the last of its reply.
///
/// GitHub gives up on a request after 10 s. The fence of a lease counts with this span: a write that is sent within the
/// lease arrives at most this much later.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a connection may take, TLS and proxy included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Who we are to all three services.
const AGENT: &str = concat!("spacekeeper/", env!("CARGO_PKG_VERSION"));

/// What is encoded in a segment of a path: all but the unreserved characters of RFC 3986, the slash included.
pub(super) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A whole reply; its body has been read.
pub(super) type Reply = http::Response<Bytes>;

/// The HTTP client that all services share. It honours `HTTPS_PROXY`, `NO_PROXY` and `SSL_CERT_FILE`, follows no
/// redirect (a redirected PUT would turn into a GET) and repeats nothing.
#[derive(Debug, Clone)]
pub struct Transport {
    client: Client,
    unpooled: Client,
    tls: ClientConfig,
}

/// The HTTP client cannot be set up, as when no root certificates are found.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no secure connection is possible: {0}")]
pub struct NoTransport(String);

/// Why a request has no reply.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum NoReply {
    /// No connection came about, so the server has seen nothing of the request.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The connection broke or the time was up: the server may have carried the request out.
    #[error("no reply: {0}")]
    Lost(String),
}

impl Transport {
    /// Sets the client up. Installs `ring` as the crypto provider of the process unless one is installed.
    pub fn new() -> Result<Self, NoTransport> {
        // A second installation fails and leaves the first in place, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let tls = tls().map_err(|error| NoTransport(causes(&error)))?;
        let build = |builder: ClientBuilder| builder.build().map_err(|error| NoTransport(causes(&error)));
        let client = build(builder(&tls))?;
        let unpooled = build(builder(&tls).pool_max_idle_per_host(0))?;
        Ok(Self {
            client,
            unpooled,
            tls,
        })
    }

    /// The same, with a fresh connection for every request: another connection may end at another server, which may
    /// not know a new key yet.
    #[must_use]
    pub fn unpooled(&self) -> Self {
        Self {
            client: self.unpooled.clone(),
            unpooled: self.unpooled.clone(),
            tls: self.tls.clone(),
        }
    }

    /// Sends one request, once, and reads the whole reply.
    pub(super) async fn send(&self, request: Request) -> Result<Reply, NoReply> {
        let line = RequestLine::of(&request);
        let answer = self.exchange(request).await;
        line.log(answer.as_ref().map(|reply| reply.status().as_u16()));
        answer
    }

    /// Sends one request to an address that an answer named, without reading the body, whose length is unknown. The name
    /// of its host is resolved to public addresses only, or to none.
    pub(super) async fn open(&self, place: ForeignUrl, range: &str) -> Result<reqwest::Response, NoReply> {
        let client = builder(&self.tls)
            .dns_resolver(place.resolver())
            .build()
            .map_err(NoReply::of)?;
        let request = client.get(place.into_url()).header(RANGE, range);
        let request = request.build().map_err(NoReply::of)?;
        let line = RequestLine::of(&request);
        let answer = client.execute(request).await.map_err(NoReply::of);
        line.log(answer.as_ref().map(|reply| reply.status().as_u16()));
        answer
    }

    async fn exchange(&self, request: Request) -> Result<Reply, NoReply> {
        let response = self.client.execute(request).await.map_err(NoReply::of)?;
        let mut reply = http::Response::new(Bytes::new());
        *reply.status_mut() = response.status();
        *reply.headers_mut() = response.headers().clone();
        *reply.body_mut() = response.bytes().await.map_err(NoReply::of)?;
        Ok(reply)
    }
}

/// The roots of trust of the machine (or of `SSL_CERT_FILE`), read once for all clients: it is what takes longest at
/// the start.
fn tls() -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::with_platform_verifier()?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn builder(tls: &ClientConfig) -> ClientBuilder {
    Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .user_agent(AGENT)
        .timeout(REQUEST_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
}

impl NoReply {
    /// The request could not even be built.
    pub(super) fn unsent(error: impl Error) -> Self {
        Self::Unreachable(error.to_string())
    }

    // The URL is left out: the query of a presigned one is a credential.
    pub(super) fn of(error: reqwest::Error) -> Self {
        let unsent = error.is_connect() || error.is_builder();
        let error = error.without_url();
        match causes(&error) {
            causes if unsent => Self::Unreachable(causes),
            _ if error.is_timeout() => Self::Lost(format!("not within {} s", REQUEST_TIMEOUT.as_secs())),
            causes => Self::Lost(causes),
        }
    }
}

/// The text of a header.
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The number in a header.
pub(super) fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    header(headers, name)?.trim().parse().ok()
}

/// An error and all its causes, outermost first; each cause that only repeats is left out.
pub(super) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// What the log says of a request: never a header or a body, and of the query only its keys.
struct RequestLine {
    method: String,
    place: String,
    attempt: u32,
    sent: Instant,
}

impl RequestLine {
    fn of(request: &Request) -> Self {
        let (method, place) = (request.method().to_string(), place(request.url()));
        Self {
            method,
            place,
            attempt: retry::attempt(),
            sent: Instant::now(),
        }
    }

    fn log(&self, outcome: Result<u16, &NoReply>) {
        let Self {
            method,
            place,
            attempt,
            sent,
        } = self;
        let ms = sent.elapsed().as_millis();
        let outcome = outcome.map_or_else(ToString::to_string, |status| status.to_string());
        tracing::debug!(target: "spacekeeper::request", "{method} {place}: {outcome} ({ms} ms, attempt {attempt})");
    }
}

fn place(url: &Url) -> String {
    let keys: Vec<_> = url.query_pairs().map(|(key, _)| key.into_owned()).collect();
    let query = if keys.is_empty() {
        String::new()
    } else {
        format!("?{}", keys.join("&"))
    };
    format!("{}{}{query}", url.host_str().unwrap_or_default(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_names_the_keys_of_a_query_and_no_value() {
        let url: Url = "https://logs.example/tail?X-Amz-Signature=f00&lines=5"
            .parse()
            .expect("a URL");
        assert_eq!(place(&url), "logs.example/tail?X-Amz-Signature&lines");
    }
}
