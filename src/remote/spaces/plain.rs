//! What must not and what must stand on a configuration request besides what the SDK puts there.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest, Md5};

/// The headers of the SDK's own checksums. "When required" still sends them where S3 demands one of some kind, and a
/// server may answer 501 to headers that it does not know (hashicorp/terraform#33605).
const CHECKSUM_HEADERS: [&str; 2] = ["x-amz-checksum-", "x-amz-sdk-checksum-algorithm"];

/// Replaces the checksum by the one that the Spaces reference requires on every configuration PUT: `Content-MD5`.
pub(super) fn with_md5(request: &mut HttpRequest) {
    let checksums = |name: &&str| CHECKSUM_HEADERS.iter().any(|prefix| name.starts_with(prefix));
    let superfluous: Vec<_> = request
        .headers()
        .iter()
        .map(|(name, _)| name)
        .filter(checksums)
        .map(str::to_owned)
        .collect();
    for name in superfluous {
        request.headers_mut().remove(name);
    }
    if let Some(body) = request.body().bytes() {
        let md5 = BASE64_STANDARD.encode(Md5::digest(body));
        request.headers_mut().insert("content-md5", md5);
    }
}
