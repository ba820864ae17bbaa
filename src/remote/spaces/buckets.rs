//! Whether a bucket exists and for whom, and creating it.

use super::super::failure::{Failure, FailureKind};
use super::{Spaces, errors};
use crate::model::bucket::BucketName;

/// What a HEAD of a bucket tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// It exists and the key may use it.
    Here {
        /// Its region, where the server says so unasked.
        location: Option<String>,
    },
    /// It does not exist at this endpoint; a bucket just created may still look so.
    Absent,
    /// It exists and the key may not use it: someone else's, or not among the key's grants.
    Forbidden {
        /// The error code, such as `AccessDenied`.
        code: Option<String>,
    },
    /// It exists in another region, whose name the server may tell.
    Elsewhere(Option<String>),
}

/// What became of a creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    /// It is new. Spaces may also say so of a bucket that was ours before.
    Created,
    /// It was ours before; or the reply to our own first attempt was lost.
    AlreadyMine,
    /// The name is someone else's.
    TakenByOther,
    /// The name is taken, but not at this endpoint: a bucket of another region, or one that was deleted lately.
    Elsewhere,
}

impl Spaces {
    /// Whether a bucket exists at this endpoint and the key may use it.
    ///
    /// The bare 403 of a HEAD does not tell a denied key from an unknown one, so a sub-resource is read for its error
    /// code then; an unknown key or a wrong secret is an `Unauthorized` failure.
    pub async fn head(&self, bucket: &BucketName) -> Result<Presence, Failure> {
        let subject = format!("bucket {bucket}: look");
        let look = || self.attempt(self.propagation(), || self.presence(&subject, bucket));
        match look().await? {
            Presence::Forbidden { .. } if self.is_unsettled() => {
                self.settle().await;
                look().await
            }
            presence => Ok(presence),
        }
    }

    /// Whether a bucket is at this endpoint and usable with the key.
    pub async fn owns(&self, bucket: &BucketName) -> Result<bool, Failure> {
        Ok(matches!(self.head(bucket).await?, Presence::Here { .. }))
    }

    /// Creates a private bucket in the endpoint's region. No `LocationConstraint` is sent: Spaces refuses its own
    /// regions' names there.
    pub async fn create(&self, bucket: &BucketName) -> Result<Creation, Failure> {
        let subject = format!("bucket {bucket}: create");
        let created = self
            .call(&subject, || {
                self.s3.create_bucket().bucket(bucket.as_str()).send()
            })
            .await;
        match created {
            Ok(_) => Ok(Creation::Created),
            Err(failure) if failure.has_code(&["BucketAlreadyOwnedByYou"]) => Ok(Creation::AlreadyMine),
            Err(failure) if is_taken(&failure) => self.whose(bucket).await,
            Err(failure) => Err(failure),
        }
    }

    /// The region of a bucket, such as `nyc3`; nothing when the server leaves it empty.
    pub async fn location(&self, bucket: &BucketName) -> Result<Option<String>, Failure> {
        let subject = format!("bucket {bucket}: read location");
        let read = || self.s3.get_bucket_location().bucket(bucket.as_str()).send();
        let output = self.call(&subject, read).await?;
        let location = output
            .location_constraint()
            .map(|location| location.as_str().to_owned());
        Ok(location.filter(|location| !location.is_empty()))
    }

    /// Whether a bucket has a policy, which excludes scoped keys; it has none on a server that knows no policies. Only a
    /// full-access key may look.
    pub async fn has_policy(&self, bucket: &BucketName) -> Result<bool, Failure> {
        let subject = format!("bucket {bucket}: read policy");
        match self
            .call(&subject, || {
                self.s3.get_bucket_policy().bucket(bucket.as_str()).send()
            })
            .await
        {
            Ok(_) => Ok(true),
            Err(failure) if errors::is_unset(&failure) || errors::is_unknown_call(&failure) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    async fn presence(&self, subject: &str, bucket: &BucketName) -> Result<Presence, Failure> {
        let error = match self.s3.head_bucket().bucket(bucket.as_str()).send().await {
            Ok(output) => {
                let location = output.bucket_region().map(str::to_owned);
                return Ok(Presence::Here { location });
            }
            Err(error) => error,
        };
        match errors::status(&error) {
            Some(404) => Ok(Presence::Absent),
            Some(301 | 307) => Ok(Presence::Elsewhere(errors::region(&error))),
            Some(403) => self.denial(subject, bucket).await,
            _ => Err(errors::failure(subject, &error)),
        }
    }

    /// Why the key may not use a bucket.
    async fn denial(&self, subject: &str, bucket: &BucketName) -> Result<Presence, Failure> {
        let read = self.s3.get_bucket_location().bucket(bucket.as_str()).send().await;
        let Err(error) = read else {
            return Ok(Presence::Forbidden { code: None });
        };
        let failure = errors::failure(subject, &error);
        match failure.kind {
            FailureKind::Forbidden { .. } => Ok(Presence::Forbidden {
                code: failure.code.map(Into::into),
            }),
            FailureKind::NotFound => Ok(Presence::Absent),
            _ => Err(failure),
        }
    }

    /// Whose a taken name is. Re-creating one's own bucket is a success on some servers and a conflict on others.
    async fn whose(&self, bucket: &BucketName) -> Result<Creation, Failure> {
        Ok(match self.head(bucket).await? {
            Presence::Here { .. } => Creation::AlreadyMine,
            Presence::Forbidden { .. } => Creation::TakenByOther,
            Presence::Absent | Presence::Elsewhere(_) => Creation::Elsewhere,
        })
    }
}

fn is_taken(failure: &Failure) -> bool {
    failure.kind == FailureKind::Conflict && !failure.has_code(&["OperationAborted"])
}
