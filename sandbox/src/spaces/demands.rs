//! What Spaces demands of a request's headers and query, beyond what `s3s` looks at.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use ring::digest::{SHA256, digest};
use s3s::{S3Error, S3ErrorCode};

use super::object::{hex, md5};
use crate::Switches;

/// Sub-resources and parameters that Spaces knows on a bucket or an object.
const KNOWN_PARAMETERS: [&str; 26] = [
    "acl",
    "continuation-token",
    "cors",
    "delete",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "key-marker",
    "lifecycle",
    "list-type",
    "location",
    "logging",
    "marker",
    "max-keys",
    "max-parts",
    "max-uploads",
    "partNumber",
    "part-number-marker",
    "policy",
    "prefix",
    "start-after",
    "upload-id-marker",
    "uploadId",
    "uploads",
    "versioning",
    "x-id",
];

/// Sub-resources whose PUT is documented to need `Content-MD5`.
const NEED_MD5: [&str; 5] = ["acl", "cors", "logging", "tagging", "website"];

/// Why a request is refused before its operation is looked at.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Complaint {
    code: S3ErrorCode,
    message: &'static str,
}

impl From<Complaint> for S3Error {
    fn from(complaint: Complaint) -> Self {
        Self::with_message(complaint.code, complaint.message)
    }
}

/// The first thing that is wrong with the request, if any.
pub(super) fn complaint(request: &Request<Bytes>, switches: &Switches) -> Option<Complaint> {
    let parameters = parameters(request.uri().query().unwrap_or_default());
    unknown_parameter(&parameters)
        .or_else(|| {
            switches
                .checksum_headers_refused
                .then(|| refused_checksum(request.headers()))
                .flatten()
        })
        .or_else(|| wrong_content_hash(request))
        .or_else(|| {
            wrong_md5(
                request,
                switches.content_md5_required && needs_md5(request.method(), &parameters),
            )
        })
}

/// The names in a query, still percent-encoded: none that is known needs encoding.
fn parameters(query: &str) -> Vec<&str> {
    query
        .split('&')
        .filter_map(|pair| pair.split('=').next())
        .filter(|name| !name.is_empty())
        .collect()
}

fn unknown_parameter(parameters: &[&str]) -> Option<Complaint> {
    let known = |name: &str| {
        KNOWN_PARAMETERS.contains(&name) || name.starts_with("X-Amz-") || name.starts_with("response-")
    };
    let unknown = parameters.iter().any(|name| !known(name));
    unknown.then_some(Complaint {
        code: S3ErrorCode::NotImplemented,
        message: "Server does not support one or more requested parameters",
    })
}

fn refused_checksum(headers: &HeaderMap) -> Option<Complaint> {
    let named = |name: &str| {
        name.starts_with("x-amz-checksum-")
            || name == "x-amz-sdk-checksum-algorithm"
            || name == "x-amz-trailer"
    };
    let says = |name, part| text(headers, name).is_some_and(|value| value.contains(part));
    let refused = headers.keys().any(|name| named(name.as_str()))
        || says("content-encoding", "aws-chunked")
        || says("x-amz-content-sha256", "STREAMING-");
    refused.then_some(Complaint {
        code: S3ErrorCode::NotImplemented,
        message: "A header you provided implies functionality that is not implemented",
    })
}

/// A body that is not the one that was signed.
fn wrong_content_hash(request: &Request<Bytes>) -> Option<Complaint> {
    let claimed = text(request.headers(), "x-amz-content-sha256").filter(|hash| hash.len() == 64)?;
    let actual = hex(digest(&SHA256, request.body()).as_ref());
    (claimed != actual).then(|| Complaint {
        code: S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into()),
        message: "The provided 'x-amz-content-sha256' header does not match what was computed.",
    })
}

fn needs_md5(method: &Method, parameters: &[&str]) -> bool {
    method == Method::PUT && parameters.iter().any(|name| NEED_MD5.contains(name))
}

fn wrong_md5(request: &Request<Bytes>, required: bool) -> Option<Complaint> {
    let Some(claimed) = text(request.headers(), "content-md5") else {
        return required.then_some(Complaint {
            code: S3ErrorCode::InvalidRequest,
            message: "Missing required header for this request: Content-MD5",
        });
    };
    match STANDARD.decode(claimed).map(<[u8; 16]>::try_from) {
        Ok(Ok(claimed)) if claimed == md5(request.body()) => None,
        Ok(Ok(_)) => Some(Complaint {
            code: S3ErrorCode::BadDigest,
            message: "The Content-MD5 you specified did not match what we received.",
        }),
        _ => Some(Complaint {
            code: S3ErrorCode::InvalidDigest,
            message: "The Content-MD5 you specified is not valid.",
        }),
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(uri: &str, headers: &[(&str, &str)]) -> Option<String> {
        let mut request = Request::put(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Bytes::from_static(b"body"))
            .expect("a well-formed request");
        complaint(&request, &Switches::default()).map(|complaint| complaint.code.as_str().to_owned())
    }

    #[test]
    fn settings_need_the_digest_of_their_body() {
        let digest = STANDARD.encode(md5(b"body"));
        let other = STANDARD.encode(md5(b"other"));
        assert_eq!(put("/shop?logging", &[]).as_deref(), Some("InvalidRequest"));
        assert_eq!(
            put("/shop?logging", &[("content-md5", "no")]).as_deref(),
            Some("InvalidDigest")
        );
        assert_eq!(
            put("/shop?logging", &[("content-md5", &other)]).as_deref(),
            Some("BadDigest")
        );
        assert_eq!(put("/shop?logging", &[("content-md5", &digest)]), None);
        assert_eq!(put("/shop/object", &[]), None);
    }

    #[test]
    fn what_spaces_lacks_is_not_implemented() {
        let not_implemented = Some("NotImplemented");
        assert_eq!(put("/shop?encryption", &[]).as_deref(), not_implemented);
        assert_eq!(
            put("/shop/o", &[("x-amz-checksum-crc32", "AAAAAA==")]).as_deref(),
            not_implemented
        );
        assert_eq!(
            put("/shop/o", &[("content-encoding", "aws-chunked")]).as_deref(),
            not_implemented
        );
    }
}
