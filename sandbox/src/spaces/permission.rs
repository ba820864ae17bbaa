//! Which key may call what: the permission table of the Spaces API reference.

use crate::digitalocean::Permission;

/// The permission that an operation asks for; `None` if Spaces does not have the operation.
pub(super) fn required(operation: &str) -> Option<Permission> {
    match operation {
        "GetObject"
        | "HeadObject"
        | "ListObjects"
        | "ListObjectsV2"
        | "HeadBucket"
        | "GetBucketLocation"
        | "GetBucketVersioning"
        | "ListMultipartUploads"
        | "ListParts" => Some(Permission::Read),
        "PutObject"
        | "DeleteObject"
        | "DeleteObjects"
        | "CreateMultipartUpload"
        | "UploadPart"
        | "CompleteMultipartUpload"
        | "AbortMultipartUpload" => Some(Permission::ReadWrite),
        "CreateBucket"
        | "DeleteBucket"
        | "ListBuckets"
        | "GetBucketLogging"
        | "PutBucketLogging"
        | "GetBucketCors"
        | "PutBucketCors"
        | "DeleteBucketCors"
        | "GetBucketAcl"
        | "PutBucketAcl"
        | "GetBucketPolicy"
        | "PutBucketPolicy"
        | "DeleteBucketPolicy"
        | "PutBucketVersioning"
        | "GetBucketLifecycleConfiguration"
        | "PutBucketLifecycleConfiguration"
        | "DeleteBucketLifecycle" => Some(Permission::FullAccess),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_at_a_bucket_needs_less_than_configuring_it() {
        assert_eq!(required("HeadBucket"), Some(Permission::Read));
        assert_eq!(required("AbortMultipartUpload"), Some(Permission::ReadWrite));
        assert_eq!(required("GetBucketLogging"), Some(Permission::FullAccess));
        assert_eq!(required("GetBucketEncryption"), None);
    }
}
