//! Why a request has no reply that could be read: each names the host that was called, and nothing else of its address.

use std::error::Error;

use super::limits;
use super::transport::{REQUEST_TIMEOUT, causes};

/// Why a request has no reply that could be read.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum NoReply {
    /// The request cannot be built.
    #[error("the request cannot be sent: {0}")]
    Unsent(String),
    /// No connection came about, so the server has seen nothing of the request.
    #[error("no connection to {host}: {why}")]
    Unreachable {
        /// Who was called.
        host: String,
        /// What was in the way.
        why: String,
    },
    /// The connection broke or the time was up: the server may have carried the request out.
    #[error("no reply from {host}: {why}")]
    Lost {
        /// Who was called.
        host: String,
        /// What happened.
        why: String,
    },
    /// The server carried the request out, and its reply is longer than what is read.
    #[error("the reply of {host} is longer than {}", limits::shown(*limit))]
    TooLong {
        /// Who answered.
        host: String,
        /// How much is read, in bytes.
        limit: usize,
    },
    /// The server refused a request whose signature bears a time that is far from the server's own.
    #[error("{host} refused a request that was signed {} minutes off its own clock", off / 60)]
    Skewed {
        /// Who answered.
        host: String,
        /// How far the two times lie apart, in seconds.
        off: u64,
    },
    /// Somebody else than the service answered.
    #[error("the reply of {host} is a page of HTML")]
    Foreign {
        /// Who was called.
        host: String,
    },
    /// The server carried the request out, and its reply is compressed, which nobody asked for.
    #[error("the reply of {host} is encoded as {coding}, which was not asked for")]
    Encoded {
        /// Who answered.
        host: String,
        /// The `Content-Encoding`.
        coding: String,
    },
}

impl NoReply {
    /// The request could not even be built.
    pub(super) fn unsent(error: impl Error) -> Self {
        Self::Unsent(error.to_string())
    }

    // The URL is left out: the query of a presigned one is a credential.
    pub(super) fn of(host: &str, error: reqwest::Error) -> Self {
        let (unsent, unconnected) = (error.is_builder(), error.is_connect());
        let error = error.without_url();
        let (host, why) = (host.to_owned(), causes(&error));
        match why {
            why if unsent => Self::Unsent(why),
            why if unconnected => Self::Unreachable { host, why },
            _ if error.is_timeout() => {
                Self::lost(host, format!("not within {} s", REQUEST_TIMEOUT.as_secs()))
            }
            why => Self::Lost { host, why },
        }
    }

    pub(super) fn lost(host: impl Into<String>, why: impl Into<String>) -> Self {
        let (host, why) = (host.into(), why.into());
        Self::Lost { host, why }
    }

    /// Whether the server has seen nothing of the request.
    pub(super) const fn is_unseen(&self) -> bool {
        matches!(self, Self::Unsent(_) | Self::Unreachable { .. })
    }
}
