//! One request to the API, taken apart.

use bytes::Bytes;
use http::{Request, header};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::refusal::Refusal;
use super::token::Token;
use crate::server::host;

/// What the endpoints look at.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: String,
    /// The path's segments, percent-decoded.
    pub(super) segments: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) host: String,
    pub(super) token: Token,
    body: Bytes,
}

impl Call {
    pub(super) fn new(request: &Request<Bytes>, token: Token) -> Self {
        Self {
            method: request.method().to_string(),
            segments: segments(request.uri().path()),
            query: pairs(request.uri().query().unwrap_or_default()),
            host: host(request),
            token,
            body: request.body().clone(),
        }
    }

    /// Refuses the call unless its token holds the scope.
    pub(super) fn needs(&self, scope: &str) -> Result<(), Refusal> {
        if self.token.may(scope) {
            return Ok(());
        }
        Err(Refusal::forbidden(format!(
            "You are missing the required permission {scope}."
        )))
    }

    /// The first value of a query parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut found = self.query.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// The body, which must be a JSON object.
    pub(super) fn json(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(&self.body)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| Refusal::bad_request("The request body is not a JSON object."))
    }

    /// The body, where none at all is fine too.
    pub(super) fn optional_json(&self) -> Result<Value, Refusal> {
        if self.body.is_empty() {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        self.json()
    }
}

/// The token after `Bearer`.
pub(super) fn bearer(request: &Request<Bytes>) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// The segments of a path, percent-decoded.
pub(super) fn segments(path: &str) -> Vec<String> {
    let parts = path.split('/').filter(|part| !part.is_empty());
    parts.map(decoded).collect()
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    let split = parts.map(|part| part.split_once('=').unwrap_or((part, "")));
    split
        .map(|(k, v)| (decoded(k), decoded(&v.replace('+', " "))))
        .collect()
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
