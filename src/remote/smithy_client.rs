//! aws-sdk-s3 over our transport.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use chrono::NaiveDateTime;
use http::header::{CONTENT_TYPE, DATE, USER_AGENT};
use http::{Method, StatusCode};

use super::clock::{TOLERATED, date_of};
use super::failure::Service;
use super::limits::STORAGE_BODY_MAX;
use super::no_reply::NoReply;
use super::transport::{Reply, Transport, header, host};
use crate::model::time::Timestamp;

/// The SDK's way to our transport. The time limits of the SDK are not heeded: the transport has its own.
#[derive(Debug, Clone)]
pub(super) struct SmithyClient(Transport);

impl SmithyClient {
    pub(super) fn new(transport: Transport) -> Self {
        Self(transport)
    }
}

impl HttpClient for SmithyClient {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for SmithyClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let transport = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = outgoing(request)?;
            let (method, host, signed) = (request.method().clone(), host(request.url()), signed_at(&request));
            let reply = transport.send(Service::Spaces, request, STORAGE_BODY_MAX).await;
            let reply = reply.map_err(connector_error)?;
            // The reply to a HEAD has no code, so its time has to tell; and the next one is signed by that.
            if let Some(off) = skew(signed, &reply) {
                return Err(connector_error(NoReply::Skewed { host, off }));
            }
            let mut reply = judged(&method, host, reply)?;
            // The SDK would correct the time that it is given once more, by a clock of its own.
            reply.headers_mut().remove(DATE);
            HttpResponse::try_from(reply.map(SdkBody::from))
                .map_err(|error| ConnectorError::user(error.into()))
        })
    }
}

/// What the SDK would take for a success by its status alone and is none: most of its calls read no body.
fn judged(method: &Method, host: String, mut reply: Reply) -> Result<Reply, ConnectorError> {
    if !reply.status().is_success() {
        return Ok(reply);
    }
    let html =
        header(reply.headers(), CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("text/html"));
    match root(reply.body()) {
        // A gateway that asks for a login, say, answers every request so.
        Some("html" | "HTML") => Err(connector_error(NoReply::Foreign { host })),
        None if html && *method == Method::HEAD => Err(connector_error(NoReply::Foreign { host })),
        // The decoder takes the end of the text for the end of what it reads, and a part of a list for all of it.
        Some(name) if !is_whole(reply.body(), name) => Err(connector_error(NoReply::lost(
            host,
            "it ends in the middle".to_owned(),
        ))),
        // S3 may begin a reply before it knows how the call ends.
        Some("Error") => {
            *reply.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            Ok(reply)
        }
        _ => Ok(reply),
    }
}

/// The name of the outermost element of a document; nothing where there is none.
fn root(body: &[u8]) -> Option<&str> {
    let mut rest = body
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(body)
        .trim_ascii_start();
    while let Some(aside) = rest
        .strip_prefix(b"<")
        .filter(|rest| rest.starts_with(b"?") || rest.starts_with(b"!"))
    {
        let end = aside.iter().position(|byte| *byte == b'>')?;
        rest = aside[end + 1..].trim_ascii_start();
    }
    let name = rest.strip_prefix(b"<")?;
    let end = name.iter().position(|byte| !byte.is_ascii_alphanumeric())?;
    std::str::from_utf8(&name[..end]).ok()
}

/// Whether a document ends with the end of its outermost element, `</Root>` or `<Root/>`.
fn is_whole(body: &[u8], root: &str) -> bool {
    let Some(end) = body.trim_ascii_end().strip_suffix(b">") else {
        return false;
    };
    let last = end.iter().rposition(|byte| *byte == b'<').map_or(0, |at| at + 1);
    let tag = &end[last..];
    let is_root = |name: &[u8]| name.starts_with(root.as_bytes());
    tag.strip_prefix(b"/").is_some_and(is_root) || is_root(tag) && tag.ends_with(b"/")
}

/// The time that a request was signed at, as far as it lies from the server's.
fn skew(signed: Option<Timestamp>, reply: &Reply) -> Option<u64> {
    let apart = signed?.unix().abs_diff(date_of(reply.headers())?.unix());
    (reply.status() == StatusCode::FORBIDDEN && apart > TOLERATED.as_secs()).then_some(apart)
}

/// When the SDK signed the request: `20260102T030405Z`.
fn signed_at(request: &reqwest::Request) -> Option<Timestamp> {
    let date = header(request.headers(), "x-amz-date")?;
    let date = NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ").ok()?;
    Some(Timestamp::from_unix(date.and_utc().timestamp()))
}

fn outgoing(request: HttpRequest) -> Result<reqwest::Request, ConnectorError> {
    let mut request = request
        .try_into_http1x()
        .map_err(|error| ConnectorError::user(error.into()))?;
    // One name for all services; the header is not part of what the SDK signs.
    request.headers_mut().remove(USER_AGENT);
    let in_memory = request.map(|body| body.bytes().map(Bytes::copy_from_slice).unwrap_or_default());
    reqwest::Request::try_from(in_memory).map_err(|error| ConnectorError::user(error.into()))
}

fn connector_error(error: NoReply) -> ConnectorError {
    ConnectorError::io(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_element_is_found_behind_what_may_stand_before_it() {
        assert_eq!(
            root(b"<?xml version=\"1.0\"?>\n<Error><Code>X</Code></Error>"),
            Some("Error")
        );
        assert_eq!(
            root(b"\xEF\xBB\xBF <!DOCTYPE html><html lang=\"en\">"),
            Some("html")
        );
        assert_eq!(root(b"<BucketLoggingStatus/>"), Some("BucketLoggingStatus"));
        for none in [&b""[..], b"{}", b"<", b"<?xml", b"<!-- ", b"plain"] {
            assert_eq!(root(none), None);
        }
    }

    #[test]
    fn a_success_with_an_error_inside_or_a_page_for_people_is_none() {
        let judged = |method, kind: &str, body: &'static str| {
            let reply = http::Response::builder().header(CONTENT_TYPE, kind);
            let reply = reply.body(Bytes::from(body)).expect("a reply");
            judged(&method, "spaces.example".to_owned(), reply).map(|reply| reply.status())
        };
        let xml = "application/xml";
        assert_eq!(judged(Method::PUT, xml, "").ok(), Some(StatusCode::OK));
        let inside = judged(Method::PUT, xml, "<Error><Code>InternalError</Code></Error>");
        assert_eq!(inside.ok(), Some(StatusCode::INTERNAL_SERVER_ERROR));
        assert!(judged(Method::PUT, "text/html", "<!doctype html><html></html>").is_err());
        assert!(judged(Method::HEAD, "text/html; charset=utf-8", "").is_err());
        assert_eq!(judged(Method::PUT, "text/html", "").ok(), Some(StatusCode::OK));
    }

    #[test]
    fn a_document_that_breaks_off_is_not_whole() {
        for whole in [
            "<A><B>1</B></A>",
            "<A/>",
            "<A x=\"1\" />\n",
            "<?xml version=\"1.0\"?>\n<A></A >",
        ] {
            assert!(is_whole(whole.as_bytes(), "A"), "{whole}");
        }
        for part in ["<A><B>1</B>", "<A><B>1</B", "<A><B/>", "<A>", "<A><B>1</B></", ""] {
            assert!(!is_whole(part.as_bytes(), "A"), "{part}");
        }
    }
}
