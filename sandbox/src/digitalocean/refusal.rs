//! Errors as the DigitalOcean API words them.

use http::StatusCode;
use serde_json::json;

use super::random_id;
use crate::reply::Reply;

/// Why a call is refused: `{"id", "message", "request_id"}`.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    id: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    pub(super) fn unauthorized() -> Self {
        let message = "Unable to authenticate you.";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not Found")
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    pub(super) fn precondition_failed(message: impl Into<String>) -> Self {
        let status = StatusCode::PRECONDITION_FAILED;
        Self::new(status, "precondition_failed", message)
    }

    pub(super) fn unprocessable(message: impl Into<String>) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(status, "unprocessable_entity", message)
    }

    pub(super) fn too_many_requests() -> Self {
        let message = "API Rate limit exceeded.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message)
    }

    /// A refusal whose status is a switch.
    pub(super) fn with_status(status: StatusCode, message: impl Into<String>) -> Self {
        let id = match status {
            StatusCode::FORBIDDEN => "forbidden",
            StatusCode::TOO_MANY_REQUESTS => "too_many_requests",
            _ => "unprocessable_entity",
        };
        Self::new(status, id, message)
    }

    fn new(status: StatusCode, id: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            id,
            message: message.into(),
        }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let request_id = random_id();
        let body = json!({
            "id": refusal.id,
            "message": refusal.message,
            "request_id": request_id,
        });
        Reply::json(refusal.status, &body).header("x-request-id", request_id)
    }
}
