//! The one HTTP stack under all three clients: proxies, roots of trust, time limits, the request log.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, RANGE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use reqwest::{Client, ClientBuilder, Request, Response, Url};
use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt;

use super::clock::Clocks;
use super::failure::Service;
use super::foreign_url::ForeignUrl;
use super::limits::REFUSAL_MAX;
use super::no_reply::NoReply;
use super::retry;
use crate::model::base_url::BaseUrl;

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

/// A whole reply; its body has been read, that of a refusal up to a limit.
pub(super) type Reply = http::Response<Bytes>;

/// The HTTP client that all services share. It honours `HTTPS_PROXY`, `NO_PROXY` and `SSL_CERT_FILE`, follows no
/// redirect (a redirected PUT would turn into a GET) and repeats nothing.
#[derive(Debug, Clone)]
pub struct Transport {
    client: Client,
    unpooled: Client,
    tls: ClientConfig,
    clocks: Arc<Clocks>,
}

/// The HTTP client cannot be set up, as when no root certificates are found.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no secure connection is possible: {0}")]
pub struct NoTransport(String);

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
            clocks: Arc::default(),
        })
    }

    /// What the servers' clocks show.
    #[must_use]
    pub fn clocks(&self) -> &Arc<Clocks> {
        &self.clocks
    }

    /// The same, with a fresh connection for every request: another connection may end at another server, which may
    /// not know a new key yet.
    #[must_use]
    pub fn unpooled(&self) -> Self {
        Self {
            client: self.unpooled.clone(),
            unpooled: self.unpooled.clone(),
            tls: self.tls.clone(),
            clocks: Arc::clone(&self.clocks),
        }
    }

    /// Sends one request to a service, once, and reads the whole reply, of which the body has at most `body_max` bytes.
    pub(super) async fn send(
        &self,
        service: Service,
        request: Request,
        body_max: usize,
    ) -> Result<Reply, NoReply> {
        let (line, host, asked) = (RequestLine::of(&request), host(request.url()), Instant::now());
        let answer = self.exchange(request, body_max).await;
        if let Ok(reply) = &answer {
            self.clocks.feed(service, &host, reply.headers(), asked);
        }
        line.log(answer.as_ref().map(|reply| reply.status().as_u16()));
        answer
    }

    /// Sends one request to an address that an answer named, without reading the body, whose length is unknown. The name
    /// of its host is resolved to public addresses only, or to none.
    pub(super) async fn open(&self, place: ForeignUrl, range: &str) -> Result<reqwest::Response, NoReply> {
        let unsent = |error: reqwest::Error| NoReply::unsent(error.without_url());
        let client = builder(&self.tls).dns_resolver(place.resolver()).build();
        let client = client.map_err(unsent)?;
        let request = client.get(place.into_url()).header(RANGE, range);
        let request = request.build().map_err(unsent)?;
        let host = host(request.url());
        let line = RequestLine::of(&request);
        let answer = client.execute(request).await;
        let answer = answer.map_err(|error| NoReply::of(&host, error));
        line.log(answer.as_ref().map(|reply| reply.status().as_u16()));
        answer
    }

    async fn exchange(&self, request: Request, body_max: usize) -> Result<Reply, NoReply> {
        let host = host(request.url());
        let response = self.client.execute(request).await;
        let response = response.map_err(|error| NoReply::of(&host, error))?;
        let mut reply = http::Response::new(Bytes::new());
        *reply.status_mut() = response.status();
        *reply.headers_mut() = response.headers().clone();
        *reply.body_mut() = if response.status().is_success() {
            body(response, &host, body_max).await?
        } else {
            beginning(response, &host).await?
        };
        Ok(reply)
    }
}

/// The body of a success. It is read piece by piece, so that one that is too long costs no more than the limit.
async fn body(response: Response, host: &str, limit: usize) -> Result<Bytes, NoReply> {
    let coding = coding(response.headers());
    let announced = response
        .content_length()
        .and_then(|length| usize::try_from(length).ok());
    let too_long = || NoReply::TooLong {
        host: host.to_owned(),
        limit,
    };
    if announced.is_some_and(|length| length > limit) {
        return Err(too_long());
    }
    let (read, whole) = at_most(response, host, limit).await?;
    match coding {
        Some(coding) if !read.is_empty() => Err(NoReply::Encoded {
            host: host.to_owned(),
            coding,
        }),
        _ if whole => Ok(read),
        _ => Err(too_long()),
    }
}

/// The beginning of a refusal, in which its code and message stand; nothing of one that is compressed.
async fn beginning(response: Response, host: &str) -> Result<Bytes, NoReply> {
    let encoded = coding(response.headers()).is_some();
    let (read, _) = at_most(response, host, REFUSAL_MAX).await?;
    Ok(if encoded { Bytes::new() } else { read })
}

/// As much of a body as the limit allows, and whether that is all of it.
async fn at_most(mut response: Response, host: &str, limit: usize) -> Result<(Bytes, bool), NoReply> {
    let mut read = Vec::new();
    loop {
        let chunk = response.chunk().await;
        let Some(chunk) = chunk.map_err(|error| NoReply::of(host, error))? else {
            return Ok((read.into(), true));
        };
        let room = limit - read.len();
        read.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Ok((read.into(), false));
        }
    }
}

/// How a body is encoded, if it is. We ask for no encoding and undo none.
fn coding(headers: &HeaderMap) -> Option<String> {
    let coding = String::from_utf8_lossy(headers.get(CONTENT_ENCODING)?.as_bytes()).into_owned();
    (!coding.trim().eq_ignore_ascii_case("identity")).then_some(coding)
}

/// The host of a service, as errors name it.
pub(super) fn host_of(base: &BaseUrl) -> String {
    let named = base.to_string().parse().map(|url| host(&url));
    named.unwrap_or_else(|_| base.host().to_owned())
}

/// A host as errors name it: with its port where that is not the usual one, without credentials, path and query.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
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
    fn an_error_names_the_host_and_an_unusual_port_and_nothing_else() {
        let host = |url: &str| host(&url.parse().expect("a URL"));
        assert_eq!(
            host("https://api.digitalocean.com/v2/apps?page=1"),
            "api.digitalocean.com"
        );
        assert_eq!(
            host("https://api.digitalocean.com:443/v2"),
            "api.digitalocean.com"
        );
        assert_eq!(
            host("http://user:pass@gateway.example:8080/x?y=z"),
            "gateway.example:8080"
        );
    }

    #[test]
    fn the_log_names_the_keys_of_a_query_and_no_value() {
        let url: Url = "https://logs.example/tail?X-Amz-Signature=f00&lines=5"
            .parse()
            .expect("a URL");
        assert_eq!(place(&url), "logs.example/tail?X-Amz-Signature&lines");
    }
}
