//! Who may call: signatures are checked against the account's keys, operations against grants.

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::path::S3Path;
use s3s::{S3Error, S3Result, s3_error};

use super::call::Call;
use super::permission::required;
use super::{Acl, Bucket, Owner};
use crate::World;
use crate::digitalocean::{Grant, Key, Permission};

#[async_trait::async_trait]
impl S3Auth for Call {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let world = self.world();
        let key = known_key(&world, access_key).ok_or_else(|| {
            s3_error!(
                InvalidAccessKeyId,
                "The access key ID you provided does not exist in our records."
            )
        })?;
        Ok(SecretKey::from(key.secret_key.as_str()))
    }
}

#[async_trait::async_trait]
impl S3Access for Call {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = cx.s3_op().name();
        let access_key = cx
            .credentials()
            .map(|credentials| credentials.access_key.as_str());
        permit(&self.world(), &self.region, operation, cx.s3_path(), access_key)?;
        self.complaint
            .clone()
            .map_or(Ok(()), |complaint| Err(complaint.into()))
    }
}

/// The key of that id, if it has spread to Spaces and its deletion has not.
fn known_key<'w>(world: &'w World, access_key: &str) -> Option<&'w Key> {
    world
        .digitalocean
        .keys
        .iter()
        .find(|key| key.access_key == access_key && key.is_usable(&world.clock))
}

fn permit(
    world: &World,
    region: &str,
    operation: &str,
    path: &S3Path,
    access_key: Option<&str>,
) -> S3Result<()> {
    let permission =
        required(operation).ok_or_else(|| s3_error!(NotImplemented, "{operation} is not implemented"))?;
    let lenient = !world.switches.reading_logging_needs_full_access;
    let permission = match operation {
        "GetBucketLogging" if lenient => Permission::Read,
        _ => permission,
    };
    let name = path.get_bucket_name().filter(|_| operation != "CreateBucket");
    let bucket = name.map(|name| visible(world, region, name)).transpose()?;
    let allowed = match access_key.map(|id| known_key(world, id)) {
        None => bucket.is_some_and(|bucket| is_public(bucket, operation, path)),
        Some(None) => false,
        Some(Some(key)) => held(world, key, bucket) >= permission,
    };
    allowed.then_some(()).ok_or_else(access_denied)
}

/// The bucket, if it is in the region and to be seen yet.
fn visible<'w>(world: &'w World, region: &str, name: &str) -> S3Result<&'w Bucket> {
    world
        .spaces
        .in_region(name, region)
        .filter(|bucket| bucket.is_visible(&world.clock))
        .ok_or_else(|| s3_error!(NoSuchBucket, "The specified bucket does not exist."))
}

/// What a key may do to the bucket, or to the account when there is none.
fn held(world: &World, key: &Key, bucket: Option<&Bucket>) -> Permission {
    if bucket.is_some_and(|bucket| bucket.owner == Owner::Stranger) {
        return Permission::None;
    }
    // A bucket policy and scoped keys exclude each other.
    let open_to_scoped = bucket.filter(|bucket| bucket.policy.is_none());
    let counts = |grant: &&Grant| {
        grant.permission == Permission::FullAccess
            || open_to_scoped.is_some_and(|bucket| bucket.name == grant.bucket)
    };
    let grants = key.grants_in_force(&world.clock).iter().filter(counts);
    grants
        .map(|grant| grant.permission)
        .max()
        .unwrap_or(Permission::None)
}

/// Whether the operation needs no signature: an ACL of a bucket opens its listing, one of an
/// object its content.
fn is_public(bucket: &Bucket, operation: &str, path: &S3Path) -> bool {
    match operation {
        "ListObjects" | "ListObjectsV2" | "HeadBucket" => bucket.acl == Acl::PublicRead,
        "GetObject" | "HeadObject" => path
            .get_object_key()
            .and_then(|key| bucket.object(key))
            .is_some_and(|object| object.acl == Acl::PublicRead),
        _ => false,
    }
}

fn access_denied() -> S3Error {
    s3_error!(AccessDenied, "Access Denied.")
}
