//! Whether a bucket keeps old versions, and who may list it.

use aws_sdk_s3::types::{BucketCannedAcl, BucketVersioningStatus, Grant, VersioningConfiguration};

use super::super::failure::Failure;
use super::plain::with_md5;
use super::{Spaces, errors};
use crate::model::bucket::{Acl, BucketName, Versioning};

/// The group that stands for everybody in an ACL.
const EVERYBODY: &str = "http://acs.amazonaws.com/groups/global/AllUsers";

impl Spaces {
    /// Whether a bucket keeps old versions; nothing for one that never did.
    pub async fn versioning(&self, bucket: &BucketName) -> Result<Option<Versioning>, Failure> {
        let subject = format!("bucket {bucket}: read versioning");
        let read = || self.s3.get_bucket_versioning().bucket(bucket.as_str()).send();
        let output = self.call(&subject, read).await?;
        match output.status() {
            Some(BucketVersioningStatus::Enabled) => Ok(Some(Versioning::Enabled)),
            Some(BucketVersioningStatus::Suspended) => Ok(Some(Versioning::Suspended)),
            Some(_) => Err(errors::malformed(
                &subject,
                "its `Status` is neither Enabled nor Suspended",
            )),
            None => Ok(None),
        }
    }

    /// Switches the versioning of a bucket on, or suspends it. Needs a full-access key.
    pub async fn put_versioning(
        &self,
        bucket: &BucketName,
        versioning: Versioning,
        just_created: bool,
    ) -> Result<(), Failure> {
        let subject = format!("bucket {bucket}: set versioning");
        let status = match versioning {
            Versioning::Enabled => BucketVersioningStatus::Enabled,
            Versioning::Suspended => BucketVersioningStatus::Suspended,
        };
        let wanted = VersioningConfiguration::builder().status(status).build();
        let put = || {
            let request = self.s3.put_bucket_versioning().bucket(bucket.as_str());
            request
                .versioning_configuration(wanted.clone())
                .customize()
                .mutate_request(with_md5)
                .send()
        };
        self.configure(&subject, just_created, put).await.map(|_| ())
    }

    /// Who may list a bucket. Needs a full-access key.
    pub async fn acl(&self, bucket: &BucketName) -> Result<Acl, Failure> {
        let subject = format!("bucket {bucket}: read ACL");
        let read = || self.s3.get_bucket_acl().bucket(bucket.as_str()).send();
        let output = self.call(&subject, read).await?;
        let to_everybody = |grant: &Grant| {
            let group = grant.grantee().and_then(|grantee| grantee.uri());
            group == Some(EVERYBODY)
        };
        let missing = || errors::malformed(&subject, "missing element `AccessControlList`");
        let public = output.grants.ok_or_else(missing)?.iter().any(to_everybody);
        Ok(if public { Acl::PublicRead } else { Acl::Private })
    }

    /// Sets the canned ACL of a bucket. Needs a full-access key.
    pub async fn put_acl(&self, bucket: &BucketName, acl: Acl, just_created: bool) -> Result<(), Failure> {
        let subject = format!("bucket {bucket}: set ACL");
        let canned = match acl {
            Acl::Private => BucketCannedAcl::Private,
            Acl::PublicRead => BucketCannedAcl::PublicRead,
        };
        let put = || {
            let request = self
                .s3
                .put_bucket_acl()
                .bucket(bucket.as_str())
                .acl(canned.clone());
            request.customize().mutate_request(with_md5).send()
        };
        self.configure(&subject, just_created, put).await.map(|_| ())
    }
}
