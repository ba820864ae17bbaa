//! Every bucket of one endpoint, for the inventory.

use aws_sdk_s3::types::Bucket;

use super::super::failure::Failure;
use super::{Spaces, errors};
use crate::model::bucket::{Acl, BucketName};

impl Spaces {
    /// The names of all buckets at this endpoint. Needs a full-access key; each region of Spaces lists its own.
    pub async fn bucket_names(&self) -> Result<Vec<String>, Failure> {
        let subject = "list buckets";
        let list = || self.s3.list_buckets().send();
        let output = self.call(subject, list).await?;
        if output.continuation_token().is_some() {
            return Err(errors::malformed(
                subject,
                "the list goes on, which was not asked for",
            ));
        }
        let missing = |field| errors::malformed(subject, &format!("missing element `{field}`"));
        let buckets = output.buckets.ok_or_else(|| missing("Buckets"))?;
        let name = |bucket: Bucket| bucket.name.ok_or_else(|| missing("Name"));
        buckets.into_iter().map(name).collect()
    }

    /// Whether everybody may list the bucket; nothing where the server knows no ACLs. Needs a full-access key.
    pub async fn is_listed_to_everybody(&self, bucket: &BucketName) -> Result<Option<bool>, Failure> {
        match self.acl(bucket).await {
            Err(failure) if errors::is_unknown_call(&failure) => Ok(None),
            answered => answered.map(|acl| Some(acl == Acl::PublicRead)),
        }
    }
}
