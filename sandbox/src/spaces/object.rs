//! Objects, and the multipart uploads that may become objects.

use std::collections::BTreeMap;

use bytes::Bytes;
use md5::{Digest, Md5};

use super::Acl;

/// A stored object.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its content.
    pub body: Bytes,
    /// The hex MD5 of the content, without quotes; for a multipart object the digest of the
    /// parts' digests with `-<parts>` after it.
    pub etag: String,
    /// When it was written, in Unix seconds.
    pub last_modified: i64,
    /// The media type it was put with.
    pub content_type: Option<String>,
    /// The `x-amz-meta-` headers it was put with, without that prefix.
    pub metadata: BTreeMap<String, String>,
    /// Who may read it without a signature.
    pub acl: Acl,
}

impl Object {
    /// A private object without headers, written at `last_modified` (Unix seconds).
    #[must_use]
    pub fn new(body: impl Into<Bytes>, last_modified: i64) -> Self {
        let body = body.into();
        Self {
            etag: md5_hex(&body),
            body,
            last_modified,
            content_type: None,
            metadata: BTreeMap::new(),
            acl: Acl::Private,
        }
    }
}

/// A multipart upload in flight.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The key of the object it will become.
    pub key: String,
    /// When it was begun, in Unix seconds.
    pub initiated_at: i64,
    /// The media type for the object.
    pub content_type: Option<String>,
    /// What has arrived, by part number (1 to 10,000).
    pub parts: BTreeMap<i32, Part>,
}

/// One part of a multipart upload.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its content.
    pub body: Bytes,
    /// The hex MD5 of the content, without quotes.
    pub etag: String,
    /// When it arrived, in Unix seconds.
    pub last_modified: i64,
}

/// The MD5 digest, as an entity tag and as `Content-MD5` use it.
pub(super) fn md5(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

/// The MD5 digest in lower-case hex.
pub(super) fn md5_hex(bytes: &[u8]) -> String {
    hex(&md5(bytes))
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
