//! What was asked and what came of it, request by request.

use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, header};

/// One of the three services that the sandbox plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaceName {
    /// `api.digitalocean.com`
    DigitalOcean,
    /// `*.digitaloceanspaces.com`
    Spaces,
    /// `api.github.com`, or a GitHub Enterprise Server
    GitHub,
}

/// One request as it arrived, and its outcome.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Counts the requests of all faces since the start, from 1.
    pub number: u64,
    /// Sandbox time of arrival, in Unix seconds.
    pub at: i64,
    /// Real time of arrival.
    pub arrived: Instant,
    /// The face that was asked.
    pub face: FaceName,
    /// The method, in capitals.
    pub method: String,
    /// The `Host` header, or the authority of an absolute-form request.
    pub host: String,
    /// Path and query as they were sent.
    pub path: String,
    /// The status sent; `None` when the connection was reset, or while the
    /// request is still being answered.
    pub status: Option<u16>,
    /// Real time from arrival to answer or reset; `None` until then.
    pub took: Option<Duration>,
    /// Whether the request changed the world.
    pub wrote: bool,
    /// Tells TCP connections apart; the numbers have no other meaning.
    pub connection: u64,
    /// The headers, with `Authorization` cut down to its scheme and what
    /// identifies the credential.
    pub headers: HeaderMap,
    /// Length of the body in bytes.
    pub body_len: usize,
}

impl Entry {
    /// `PUT /v2/apps/…`: method and path, the way tests like to compare them.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// All entries since the start or since they were last cleared.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: Vec<Entry>,
    last: u64,
}

impl Journal {
    /// Writes down an arrival and gives it its number.
    pub(crate) fn open(&mut self, mut entry: Entry) -> Entry {
        self.last += 1;
        entry.number = self.last;
        redact(&mut entry.headers);
        self.entries.push(entry.clone());
        entry
    }

    /// Adds the outcome; an entry cleared in the meantime stays cleared.
    pub(crate) fn close(&mut self, number: u64, status: Option<u16>, wrote: bool) {
        if let Some(entry) = self.entries.iter_mut().rev().find(|e| e.number == number) {
            entry.status = status;
            entry.took = Some(entry.arrived.elapsed());
            entry.wrote = wrote;
        }
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.clone()
    }

    /// Forgets the entries; the numbering goes on.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

fn redact(headers: &mut HeaderMap) {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return;
    };
    let kept = value.to_str().map(identity).unwrap_or_default();
    let kept = HeaderValue::from_str(&kept).unwrap_or(HeaderValue::from_static("?"));
    headers.insert(header::AUTHORIZATION, kept);
}

/// The scheme, and what says whose credential it is without giving it away:
/// the access key of a signature, or the kind of a token (`dop_v1_`, `ghp_`).
fn identity(authorization: &str) -> String {
    let (scheme, rest) = authorization.split_once(' ').unwrap_or((authorization, ""));
    if scheme.starts_with("AWS4") {
        let credential = rest.split(',').next().unwrap_or_default();
        return format!("{scheme} {credential}");
    }
    format!("{scheme} {}", kind(rest)).trim_end().to_owned()
}

/// The kinds of token that show in their first characters.
const TOKEN_KINDS: [&str; 8] = [
    "dop_v1_",
    "doo_v1_",
    "dor_v1_",
    "github_pat_",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
];

fn kind(token: &str) -> &'static str {
    TOKEN_KINDS
        .into_iter()
        .find(|kind| token.starts_with(kind))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorization_keeps_only_whose_it_is() {
        assert_eq!(identity("Bearer dop_v1_abcdef"), "Bearer dop_v1_");
        assert_eq!(identity("Bearer eyJhbGciOi.x.y"), "Bearer");
        assert_eq!(
            identity(
                "AWS4-HMAC-SHA256 Credential=DO00A/20260102/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0f"
            ),
            "AWS4-HMAC-SHA256 Credential=DO00A/20260102/us-east-1/s3/aws4_request"
        );
    }
}
