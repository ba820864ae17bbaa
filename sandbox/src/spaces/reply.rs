//! Answers the way Spaces words them.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use super::object::hex;
use crate::digitalocean::random;

/// Messages for errors that `s3s` raises without one.
const MESSAGES: [(&str, &str); 6] = [
    ("AccessDenied", "Access Denied."),
    ("InvalidBucketName", "The specified bucket is not valid."),
    ("InvalidRange", "The requested range is not satisfiable"),
    ("NoSuchBucket", "The specified bucket does not exist."),
    (
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    ),
    (
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    ),
];

/// An error of our own, without resource and request id.
pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Response<Bytes> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

/// Gives every answer its request id, errors their missing parts, and a HEAD no body.
pub(super) fn finish(
    mut response: Response<Bytes>,
    resource: &str,
    region: &str,
    is_head: bool,
) -> Response<Bytes> {
    let id = format!("tx{}-{}-{region}a", hex(&random::<10>()), hex(&random::<5>()));
    if let Some(body) = completed(response.body(), resource, &id) {
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = body;
    }
    if is_head {
        if response.status().as_u16() >= 400 {
            response.headers_mut().remove(header::CONTENT_TYPE);
        }
        response.body_mut().clear();
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-amz-request-id", id);
    }
    response
}

/// An error document with message, resource and request id; `None` if it is none.
fn completed(body: &Bytes, resource: &str, id: &str) -> Option<Bytes> {
    let text = std::str::from_utf8(body).ok()?;
    let (start, _) = text
        .split_once("</Error>")
        .filter(|(start, _)| start.contains("<Error>"))?;
    let code = text.split_once("<Code>")?.1.split_once("</Code>")?.0;
    let message = if start.contains("<Message>") {
        String::new()
    } else {
        format!("<Message>{}</Message>", message(code))
    };
    let resource = resource.replace('&', "&amp;").replace('<', "&lt;");
    Some(format!("{start}{message}<Resource>{resource}</Resource><RequestId>{id}</RequestId></Error>").into())
}

fn message(code: &str) -> &'static str {
    MESSAGES
        .iter()
        .find(|(known, _)| *known == code)
        .map_or("", |(_, message)| message)
}
