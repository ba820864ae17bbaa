//! Every bucket of one endpoint, for the inventory.

use super::super::failure::Failure;
use super::Spaces;
use crate::model::bucket::{Acl, BucketName};

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
        match self.acl(bucket).await {
            Err(failure) if is_unknown(&failure) => Ok(None),
            answered => answered.map(|acl| Some(acl == Acl::PublicRead)),
        }
    }
}

/// Whether the server does not know the call at all.
fn is_unknown(failure: &Failure) -> bool {
    failure.has_code(&["NotImplemented", "MethodNotAllowed"])
}
