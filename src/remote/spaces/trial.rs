//! What a pair of credentials opens, as it is: no patience, no write.

use super::super::failure::{Failure, FailureKind};
use super::{Spaces, errors};
use crate::model::bucket::BucketName;
use crate::model::evidence::Opening;
use crate::model::key::Permission;

impl Spaces {
    /// Tries this client's pair on a bucket: a list of one object, and for one that should only be read whether a write
    /// is refused. Nothing is written.
    ///
    /// A failure means that the bucket gave no answer about the pair.
    pub async fn try_out(&self, bucket: &BucketName, wanted: Option<Permission>) -> Result<Opening, Failure> {
        let subject = format!("bucket {bucket}: try the credentials");
        let list = || async {
            let listed = self
                .s3
                .list_objects()
                .bucket(bucket.as_str())
                .max_keys(1)
                .send()
                .await;
            listed
                .map(|_| ())
                .map_err(|error| errors::failure(&subject, &error))
        };
        match self.attempts.run(list).await {
            Ok(()) => self.open(&subject, bucket, wanted).await,
            Err(failure) => refusal(failure),
        }
    }

    async fn open(
        &self,
        subject: &str,
        bucket: &BucketName,
        wanted: Option<Permission>,
    ) -> Result<Opening, Failure> {
        let writable = if wanted == Some(Permission::Read) {
            Some(self.attempts.run(|| self.writes(subject, bucket)).await?)
        } else {
            None
        };
        Ok(Opening::Open { writable })
    }
}

fn refusal(failure: Failure) -> Result<Opening, Failure> {
    match failure.kind {
        _ if failure.has_code(&["InvalidAccessKeyId"]) => Ok(Opening::UnknownKey),
        _ if failure.has_code(&["SignatureDoesNotMatch"]) => Ok(Opening::Torn),
        FailureKind::Forbidden { .. } => Ok(Opening::Denied),
        FailureKind::NotFound => Ok(Opening::NoBucket),
        _ => Err(failure),
    }
}
