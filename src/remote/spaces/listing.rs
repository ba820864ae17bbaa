//! Every bucket of one endpoint, for the inventory.

use super::super::failure::{Failure, FailureKind};
use super::Spaces;
use crate::model::bucket::BucketName;

/// The group that stands for everybody in an ACL.
const EVERYBODY: &str = "http://acs.amazonaws.com/groups/global/AllUsers";

impl Spaces {
    /// The names of all buckets at this endpoint. Needs a full-access key; each region of Spaces lists its own.
    pub async fn bucket_names(&self) -> Result<Vec<String>, Failure> {
        let list = || self.s3.list_buckets().send();
        let output = self.call("list buckets", list).await?;
        let names = output.buckets().iter().filter_map(|bucket| bucket.name());
        Ok(names.map(str::to_owned).collect())
    }

    /// Whether everybody may list the bucket; nothing where the server knows no ACLs. Needs a full-access key.
    pub async fn is_listed_to_everybody(&self, bucket: &BucketName) -> Result<Option<bool>, Failure> {
        let subject = format!("bucket {bucket}: read ACL");
        let read = || self.s3.get_bucket_acl().bucket(bucket.as_str()).send();
        let output = match self.call(&subject, read).await {
            Err(failure) if failure.has_code(&["NotImplemented"]) || failure.kind == FailureKind::Invalid => {
                return Ok(None);
            }
            answered => answered?,
        };
        let to_everybody = |grant: &aws_sdk_s3::types::Grant| {
            let group = grant.grantee().and_then(|grantee| grantee.uri());
            group == Some(EVERYBODY)
        };
        Ok(Some(output.grants().iter().any(to_everybody)))
    }
}
