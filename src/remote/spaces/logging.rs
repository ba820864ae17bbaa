//! Access logging of a bucket.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{BucketLoggingStatus, LoggingEnabled};

use super::super::failure::Failure;
use super::plain::with_md5;
use super::{Spaces, errors};
use crate::model::bucket::{BucketName, Logging};

impl Spaces {
    /// Where the access logs of a bucket go; nothing when they go nowhere.
    ///
    /// `Malformed` when the name of the target is none that a bucket of ours may have, as one with a dot.
    pub async fn logging(&self, bucket: &BucketName) -> Result<Option<Logging>, Failure> {
        let subject = format!("bucket {bucket}: read logging");
        let get = || self.s3.get_bucket_logging().bucket(bucket.as_str()).send();
        let output = self.call(&subject, get).await?;
        let unreadable = || errors::malformed(&subject, "its logs go to a bucket whose name cannot be read");
        let read = |enabled| read(enabled).ok_or_else(unreadable);
        output.logging_enabled().map(read).transpose()
    }

    /// Ends the access logging of a bucket: an empty status, since there is no `DELETE` of it. Needs a full-access key.
    pub async fn stop_logging(&self, bucket: &BucketName) -> Result<(), Failure> {
        let subject = format!("bucket {bucket}: stop logging");
        let put = || {
            let request = self
                .s3
                .put_bucket_logging()
                .bucket(bucket.as_str())
                .bucket_logging_status(BucketLoggingStatus::builder().build());
            request.customize().mutate_request(with_md5).send()
        };
        self.call(&subject, put).await.map(|_| ())
    }

    /// Sends the access logs of a bucket elsewhere. Needs a full-access key; the log bucket exists in the same region.
    ///
    /// `just_created`: one of the two is new, so that it is not found may pass, for 5 minutes.
    pub async fn put_logging(
        &self,
        bucket: &BucketName,
        logging: &Logging,
        just_created: bool,
    ) -> Result<(), Failure> {
        let subject = format!("bucket {bucket}: set logging");
        let status = status(logging).map_err(|error| errors::unbuilt(&subject, &error))?;
        let put = || {
            let request = self
                .s3
                .put_bucket_logging()
                .bucket(bucket.as_str())
                .bucket_logging_status(status.clone());
            request.customize().mutate_request(with_md5).send()
        };
        self.configure(&subject, just_created, put).await.map(|_| ())
    }
}

fn read(enabled: &LoggingEnabled) -> Option<Logging> {
    let target = enabled.target_bucket().parse().ok()?;
    Some(Logging {
        target,
        prefix: enabled.target_prefix().to_owned(),
    })
}

fn status(logging: &Logging) -> Result<BucketLoggingStatus, BuildError> {
    let enabled = LoggingEnabled::builder()
        .target_bucket(logging.target.as_str())
        .target_prefix(&logging.prefix)
        .build()?;
    Ok(BucketLoggingStatus::builder().logging_enabled(enabled).build())
}
