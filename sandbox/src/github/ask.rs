//! A request as the calls see it.

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Token;
use super::refusal::Refusal;

/// Who asks.
#[derive(Debug, Clone)]
pub(super) enum Caller {
    /// Nobody in particular.
    Anonymous,
    /// The holder of a token.
    Token(Token),
    /// An app by its JWT; the index of it.
    App(usize),
}

/// A request whose credentials and limits were found in order.
pub(super) struct Ask<'r> {
    pub(super) caller: Caller,
    pub(super) method: &'r Method,
    pub(super) headers: &'r HeaderMap,
    pub(super) body: &'r Bytes,
    /// Decoded names and values of the query.
    pub(super) query: Vec<(String, String)>,
    /// Scheme, host and path prefix, without a slash at the end.
    pub(super) base: String,
    /// The path after the prefix, as it was sent.
    pub(super) path: &'r str,
    /// When it arrived, in Unix seconds.
    pub(super) now: i64,
}

impl Ask<'_> {
    /// The value of a query parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body, which must be a JSON object.
    pub(super) fn object(&self) -> Result<Map<String, Value>, Refusal> {
        let bad_request = |message| Refusal::new(http::StatusCode::BAD_REQUEST, message);
        let value = serde_json::from_slice(self.body).map_err(|_| bad_request("Problems parsing JSON"))?;
        match value {
            Value::Object(object) => Ok(object),
            _ => Err(bad_request("Body should be a JSON object")),
        }
    }

    /// As [`Ask::object`], where no body stands for an empty one.
    pub(super) fn optional_object(&self) -> Result<Map<String, Value>, Refusal> {
        if self.body.is_empty() {
            Ok(Map::new())
        } else {
            self.object()
        }
    }
}

/// A field that must be there and of the right type.
pub(super) fn required<T: DeserializeOwned>(object: &Map<String, Value>, name: &str) -> Result<T, Refusal> {
    let value = object
        .get(name)
        .ok_or_else(|| Refusal::unprocessable(format!("Invalid request.\n\n\"{name}\" wasn't supplied.")))?;
    typed(name, value)
}

/// A field that may be missing but not of the wrong type.
pub(super) fn optional<T: DeserializeOwned>(
    object: &Map<String, Value>,
    name: &str,
) -> Result<Option<T>, Refusal> {
    object.get(name).map(|value| typed(name, value)).transpose()
}

fn typed<T: DeserializeOwned>(name: &str, value: &Value) -> Result<T, Refusal> {
    T::deserialize(value).map_err(|_| {
        Refusal::unprocessable(format!(
            "Invalid request.\n\nFor '{name}', {value} is not of the right type."
        ))
    })
}
