//! The proof that a new key opens what it shall, and no more, before anyone depends on it.

use tokio::task::JoinSet;

use super::super::failure::{Failure, FailureKind};
use super::super::retry::Patience;
use super::{PROPAGATION, Spaces, SpacesOf, errors};
use crate::model::bucket::BucketName;
use crate::model::key::{Grants, Permission};

/// An object and an upload that nobody has. Aborting it needs the right to write and leaves nothing behind.
const NO_OBJECT: &str = "spacekeeper-proof";
const NO_UPLOAD: &str = "2~c3BhY2VrZWVwZXItcHJvb2Ytb2YtcmVhZC1vbmx5";

/// Why a key is not what it shall be.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProofFailure {
    /// A granted bucket does not open, 90 s after the proof began; or the proof could not be made.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The grant says `read`, and a write was not refused.
    #[error("bucket {0}: the key can write although its grant says read")]
    WritesThoughReadOnly(BucketName),
}

impl Spaces {
    /// Proves the key on every granted bucket, side by side and on separate connections: a signed HEAD and a list of
    /// one object, and for a `read` grant that a write is refused. A key that is denied or a bucket that is not found
    /// may still be under way and is asked for again, for 90 s.
    pub async fn prove(&self, grants: &Grants) -> Result<(), ProofFailure> {
        prove(grants, |_| self).await
    }

    async fn prove_one(&self, bucket: &BucketName, permission: Permission) -> Result<(), ProofFailure> {
        let subject = format!("bucket {bucket}: prove the key");
        let patience = Patience::lasting(PROPAGATION, is_under_way);
        self.attempts
            .patiently(Some(patience), || Box::pin(self.opens(&subject, bucket)))
            .await?;
        if permission == Permission::Read && self.attempts.run(|| self.writes(&subject, bucket)).await? {
            return Err(ProofFailure::WritesThoughReadOnly(bucket.clone()));
        }
        Ok(())
    }

    /// The list's error is told first: a HEAD that failed has no code.
    async fn opens(&self, subject: &str, bucket: &BucketName) -> Result<(), Failure> {
        let head = self.unpooled.head_bucket().bucket(bucket.as_str()).send();
        let list = self
            .unpooled
            .list_objects()
            .bucket(bucket.as_str())
            .max_keys(1)
            .send();
        let (head, list) = tokio::join!(head, list);
        list.map_err(|error| errors::failure(subject, &error))?;
        head.map(|_| ()).map_err(|error| errors::failure(subject, &error))
    }

    /// Whether the key may write, told by how a server refuses to abort an upload that does not exist.
    pub(super) async fn writes(&self, subject: &str, bucket: &BucketName) -> Result<bool, Failure> {
        let abort = self
            .unpooled
            .abort_multipart_upload()
            .bucket(bucket.as_str())
            .key(NO_OBJECT);
        let Err(error) = abort.upload_id(NO_UPLOAD).send().await else {
            return Ok(true);
        };
        let failure = errors::failure(subject, &error);
        match failure.kind {
            FailureKind::Forbidden { .. } => Ok(false),
            _ if failure.has_code(&["NoSuchUpload"]) => Ok(true),
            _ => Err(failure),
        }
    }
}

impl SpacesOf {
    /// The same, each bucket in its region.
    pub async fn prove(&self, grants: &Grants) -> Result<(), ProofFailure> {
        prove(grants, |bucket| self.of(bucket)).await
    }
}

async fn prove<'s>(grants: &Grants, client: impl Fn(&BucketName) -> &'s Spaces) -> Result<(), ProofFailure> {
    let mut proofs = JoinSet::new();
    for (bucket, permission) in grants {
        let (spaces, bucket, permission) = (client(bucket).clone(), bucket.clone(), *permission);
        proofs.spawn(async move { Box::pin(spaces.prove_one(&bucket, permission)).await });
    }
    proofs.join_all().await.into_iter().collect()
}

fn is_under_way(failure: &Failure) -> bool {
    errors::is_denied(failure) || errors::is_absent(failure)
}
