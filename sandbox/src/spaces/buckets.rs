//! Buckets as such: made, looked for, listed, deleted.

use std::time::{Duration, UNIX_EPOCH};

use http::StatusCode;
use s3s::dto::{
    self, BucketCannedACL, BucketLocationConstraint, CreateBucketInput, CreateBucketOutput,
    GetBucketLocationOutput, ListBucketsOutput, Timestamp,
};
use s3s::{S3ErrorCode, S3Result, s3_error};

use super::{Acl, Bucket, Owner};
use crate::World;

/// How the account calls itself in ACLs and lists.
const OWNER_ID: &str = "4711";

pub(super) fn create(
    world: &mut World,
    region: &str,
    input: CreateBucketInput,
) -> S3Result<CreateBucketOutput> {
    refuse_location(input.create_bucket_configuration)?;
    let acl = canned(input.acl.as_ref())?;
    if let Some(taken) = taken(world, region, &input.bucket) {
        return recreate(world, region, taken);
    }
    let ours = world
        .spaces
        .buckets()
        .filter(|bucket| bucket.owner == Owner::Ours)
        .count();
    if ours >= world.switches.bucket_quota {
        return Err(s3_error!(
            TooManyBuckets,
            "You have attempted to create more buckets than allowed."
        ));
    }
    let mut bucket = Bucket::new(input.bucket, region, world.clock.now());
    bucket.acl = acl;
    bucket.visible_at = world.clock.after(world.switches.bucket_create_delay);
    world.spaces.add(bucket);
    Ok(CreateBucketOutput::default())
}

/// The bucket of that name and region.
pub(super) fn find<'w>(world: &'w World, region: &str, name: &str) -> S3Result<&'w Bucket> {
    world
        .spaces
        .in_region(name, region)
        .ok_or_else(|| s3_error!(NoSuchBucket))
}

/// As [`find`], to change it.
pub(super) fn find_mut<'w>(world: &'w mut World, region: &str, name: &str) -> S3Result<&'w mut Bucket> {
    world
        .spaces
        .in_region_mut(name, region)
        .ok_or_else(|| s3_error!(NoSuchBucket))
}

pub(super) fn delete(world: &mut World, region: &str, name: &str) -> S3Result<()> {
    let bucket = find(world, region, name)?;
    if !bucket.objects.is_empty() {
        return Err(s3_error!(
            BucketNotEmpty,
            "The bucket you tried to delete is not empty."
        ));
    }
    let now = world.clock.now();
    world.spaces.remove(name, region, now);
    Ok(())
}

pub(super) fn location(world: &World, region: &str, name: &str) -> S3Result<GetBucketLocationOutput> {
    let bucket = find(world, region, name)?;
    Ok(GetBucketLocationOutput {
        location_constraint: Some(BucketLocationConstraint::from(bucket.region.clone())),
    })
}

/// The buckets of one region: each endpoint knows its own only.
pub(super) fn list(world: &World, region: &str) -> ListBucketsOutput {
    let ours = |bucket: &&Bucket| {
        bucket.owner == Owner::Ours && bucket.region == region && bucket.is_visible(&world.clock)
    };
    let listed = |bucket: &Bucket| dto::Bucket {
        name: Some(bucket.name.clone()),
        creation_date: Some(timestamp(bucket.created_at)),
        bucket_region: None,
    };
    let mut buckets: Vec<_> = world.spaces.buckets().filter(ours).map(listed).collect();
    buckets.sort_by(|a, b| a.name.cmp(&b.name));
    ListBucketsOutput {
        buckets: Some(buckets),
        owner: Some(owner()),
        ..ListBucketsOutput::default()
    }
}

/// The owner that lists and ACLs name.
pub(super) fn owner() -> dto::Owner {
    dto::Owner {
        id: Some(OWNER_ID.to_owned()),
        display_name: Some(OWNER_ID.to_owned()),
    }
}

/// Unix seconds as S3 writes them.
pub(super) fn timestamp(unix_seconds: i64) -> Timestamp {
    let seconds = u64::try_from(unix_seconds).unwrap_or_default();
    Timestamp::from(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// The ACL of an `x-amz-acl` header.
pub(super) fn canned(acl: Option<&BucketCannedACL>) -> S3Result<Acl> {
    let Some(acl) = acl else { return Ok(Acl::Private) };
    Acl::named(acl.as_str()).ok_or_else(|| {
        s3_error!(
            InvalidArgument,
            "Only the ACLs private and public-read are supported"
        )
    })
}

/// The endpoint decides the region: whatever a constraint says is wrong.
fn refuse_location(configuration: Option<dto::CreateBucketConfiguration>) -> S3Result<()> {
    match configuration.and_then(|it| it.location_constraint) {
        Some(constraint) if !constraint.as_str().is_empty() => Err(s3_error!(
            InvalidLocationConstraint,
            "The specified location-constraint is not valid."
        )),
        _ => Ok(()),
    }
}

/// Who has the name already.
#[derive(Clone, Copy)]
enum Taken {
    BySomeone,
    ByUsHere,
}

fn taken(world: &World, region: &str, name: &str) -> Option<Taken> {
    let here = |bucket: &Bucket| bucket.region == region;
    let rivals =
        |bucket: &&Bucket| bucket.name == name && (here(bucket) || world.switches.bucket_names_are_global);
    let mut rivals = world.spaces.buckets().filter(rivals);
    if let Some(bucket) = rivals.next() {
        let ours = bucket.owner == Owner::Ours && here(bucket);
        return Some(if ours { Taken::ByUsHere } else { Taken::BySomeone });
    }
    let deleted_at = world.spaces.deleted_at(name)?;
    let blocked_for = i64::try_from(world.switches.deleted_bucket_name_blocked.as_secs()).unwrap_or(i64::MAX);
    (world.clock.now() - deleted_at < blocked_for).then_some(Taken::BySomeone)
}

fn recreate(world: &World, region: &str, taken: Taken) -> S3Result<CreateBucketOutput> {
    let code = match taken {
        Taken::ByUsHere if world.switches.recreate_own_bucket == StatusCode::OK => {
            return Ok(CreateBucketOutput {
                location: Some(format!("/{region}")),
            });
        }
        Taken::ByUsHere => S3ErrorCode::BucketAlreadyOwnedByYou,
        Taken::BySomeone => S3ErrorCode::BucketAlreadyExists,
    };
    Err(s3s::S3Error::with_message(
        code,
        "The requested bucket name is not available.",
    ))
}
