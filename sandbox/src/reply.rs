//! What a face hands back to the plumbing.

use std::fmt::Display;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::Value;

/// A whole answer, and whether making it changed the world.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) response: Response<Bytes>,
    pub(crate) wrote: bool,
}

impl Reply {
    /// A JSON answer that changed nothing.
    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// An answer of any type that changed nothing.
    pub(crate) fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            response,
            wrote: false,
        }
    }

    /// A status without a body, such as 204.
    pub(crate) fn empty(status: StatusCode) -> Self {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status;
        Self {
            response,
            wrote: false,
        }
    }

    /// The same answer, marked as having changed the world.
    pub(crate) fn wrote(mut self) -> Self {
        self.wrote = true;
        self
    }

    /// The same answer with one more header; a value that HTTP cannot carry is left out.
    pub(crate) fn header(mut self, name: &'static str, value: impl Display) -> Self {
        if let Ok(value) = HeaderValue::from_str(&value.to_string()) {
            self.response.headers_mut().insert(name, value);
        }
        self
    }
}
