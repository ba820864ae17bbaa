//! Refusals, worded as GitHub words them.

use http::StatusCode;
use serde_json::json;

use crate::reply::Reply;

/// Every JSON answer is of this type.
pub(super) const JSON: &str = "application/json; charset=utf-8";

/// A request that is not granted.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    message: String,
    headers: Vec<(&'static str, String)>,
}

/// What a call comes to.
pub(super) type Outcome = Result<Reply, Refusal>;

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            headers: Vec::new(),
        }
    }

    /// What does not exist, or is not to be seen.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not Found")
    }

    pub(super) fn unauthorized(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    pub(super) fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// Understood, and wrong.
    pub(super) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    /// The same refusal with one more header.
    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let body = json!({
            "message": refusal.message,
            "documentation_url": "https://docs.github.com/rest",
            "status": refusal.status.as_str(),
        });
        let reply = Self::new(refusal.status, JSON, body.to_string());
        refusal
            .headers
            .into_iter()
            .fold(reply, |reply, (name, value)| reply.header(name, value))
    }
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: &serde_json::Value) -> Reply {
    Reply::new(status, JSON, body.to_string())
}

/// A 200 with JSON.
pub(super) fn ok(body: &serde_json::Value) -> Reply {
    json(StatusCode::OK, body)
}
