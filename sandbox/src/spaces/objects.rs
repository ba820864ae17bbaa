//! Objects: put, got, listed, deleted.

use bytes::Bytes;
use s3s::dto::{
    CommonPrefix, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag, GetObjectInput,
    GetObjectOutput, HeadObjectOutput, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object as Listed, PutObjectInput, PutObjectOutput, StreamingBlob,
};
use s3s::{Body, S3Error, S3Result, s3_error};

use super::buckets::timestamp;
use super::listing::{Listing, Query};
use super::object::Object;
use super::{Acl, Bucket};

/// Largest body of a single PUT, in bytes; `s3s` asks for some limit.
const BODY_LIMIT_BYTES: usize = 64 * 1024 * 1024;

/// The whole of a request's body.
pub(super) async fn whole(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let Some(body) = body else { return Ok(Bytes::new()) };
    let read = Body::from(body).store_all_limited(BODY_LIMIT_BYTES).await;
    read.map_err(|_| s3_error!(IncompleteBody, "The body could not be read"))
}

/// Puts `body` in place of what was there.
pub(super) fn put(
    bucket: &mut Bucket,
    input: PutObjectInput,
    body: Bytes,
    now: i64,
) -> S3Result<PutObjectOutput> {
    let acl = input
        .acl
        .as_ref()
        .map_or(Some(Acl::Private), |acl| Acl::named(acl.as_str()));
    let object = Object {
        content_type: input.content_type,
        metadata: input.metadata.into_iter().flatten().collect(),
        acl: acl.ok_or_else(|| {
            s3_error!(
                InvalidArgument,
                "Only the ACLs private and public-read are supported"
            )
        })?,
        ..Object::new(body, now)
    };
    let e_tag = Some(tag(&object));
    bucket.objects.insert(input.key, object);
    Ok(PutObjectOutput {
        e_tag,
        ..PutObjectOutput::default()
    })
}

pub(super) fn get(bucket: &Bucket, input: &GetObjectInput) -> S3Result<GetObjectOutput> {
    let object = find(bucket, &input.key)?;
    let length = object.body.len() as u64;
    let range = input
        .range
        .map(|range| range.check(length))
        .transpose()
        .map_err(S3Error::from)?;
    let body = match &range {
        Some(range) => object.body.slice(to_usize(range.start)..to_usize(range.end)),
        None => object.body.clone(),
    };
    Ok(GetObjectOutput {
        content_length: i64::try_from(body.len()).ok(),
        content_range: range.map(|range| format!("bytes {}-{}/{length}", range.start, range.end - 1)),
        body: Some(StreamingBlob::from(Body::from(body))),
        accept_ranges: Some("bytes".to_owned()),
        content_type: object.content_type.clone(),
        e_tag: Some(tag(object)),
        last_modified: Some(timestamp(object.last_modified)),
        metadata: Some(object.metadata.clone().into_iter().collect()),
        ..GetObjectOutput::default()
    })
}

pub(super) fn head(bucket: &Bucket, key: &str) -> S3Result<HeadObjectOutput> {
    let object = find(bucket, key)?;
    Ok(HeadObjectOutput {
        content_length: i64::try_from(object.body.len()).ok(),
        accept_ranges: Some("bytes".to_owned()),
        content_type: object.content_type.clone(),
        e_tag: Some(tag(object)),
        last_modified: Some(timestamp(object.last_modified)),
        metadata: Some(object.metadata.clone().into_iter().collect()),
        ..HeadObjectOutput::default()
    })
}

/// Deletes several objects; deleting what is not there succeeds as well.
pub(super) fn delete_many(bucket: &mut Bucket, input: DeleteObjectsInput) -> DeleteObjectsOutput {
    let keys = input.delete.objects.into_iter().map(|object| object.key);
    let deleted = keys.map(|key| {
        bucket.objects.remove(&key);
        DeletedObject {
            key: Some(key),
            ..DeletedObject::default()
        }
    });
    let deleted: Vec<_> = deleted.collect();
    let quiet = input.delete.quiet == Some(true);
    DeleteObjectsOutput {
        deleted: (!quiet).then_some(deleted),
        ..DeleteObjectsOutput::default()
    }
}

pub(super) fn list(bucket: &Bucket, input: ListObjectsInput) -> ListObjectsOutput {
    let query = Query {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref().unwrap_or_default(),
        after: input.marker.as_deref().unwrap_or_default(),
        limit: input.max_keys,
    };
    let page = query.of(&bucket.objects);
    ListObjectsOutput {
        name: Some(bucket.name.clone()),
        max_keys: Some(query.limit()),
        is_truncated: Some(page.next.is_some()),
        contents: Some(contents(&page)),
        common_prefixes: Some(common_prefixes(&page)),
        next_marker: page.next.clone(),
        marker: input.marker,
        prefix: input.prefix,
        delimiter: input.delimiter,
        ..ListObjectsOutput::default()
    }
}

/// The first page only, unless `paged`: Spaces knows the request, not its continuation.
pub(super) fn list_v2(
    bucket: &Bucket,
    input: ListObjectsV2Input,
    paged: bool,
) -> S3Result<ListObjectsV2Output> {
    if input.continuation_token.is_some() && !paged {
        return Err(s3_error!(
            NotImplemented,
            "ListObjectsV2 pagination is not supported"
        ));
    }
    let after = input
        .continuation_token
        .as_deref()
        .or(input.start_after.as_deref());
    let query = Query {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref().unwrap_or_default(),
        after: after.unwrap_or_default(),
        limit: input.max_keys,
    };
    let page = query.of(&bucket.objects);
    Ok(ListObjectsV2Output {
        name: Some(bucket.name.clone()),
        max_keys: Some(query.limit()),
        key_count: i32::try_from(page.objects.len() + page.prefixes.len()).ok(),
        is_truncated: Some(page.next.is_some()),
        contents: Some(contents(&page)),
        common_prefixes: Some(common_prefixes(&page)),
        next_continuation_token: page.next.clone().filter(|_| paged),
        continuation_token: input.continuation_token,
        start_after: input.start_after,
        prefix: input.prefix,
        delimiter: input.delimiter,
        ..ListObjectsV2Output::default()
    })
}

/// The entity tag of an object.
pub(super) fn tag(object: &Object) -> ETag {
    ETag::Strong(object.etag.clone())
}

fn find<'b>(bucket: &'b Bucket, key: &str) -> S3Result<&'b Object> {
    bucket
        .object(key)
        .ok_or_else(|| s3_error!(NoSuchKey, "The specified key does not exist."))
}

fn contents(page: &Listing<'_>) -> Vec<Listed> {
    let listed = |(key, object): &(&str, &Object)| Listed {
        key: Some((*key).to_owned()),
        e_tag: Some(tag(object)),
        size: i64::try_from(object.body.len()).ok(),
        last_modified: Some(timestamp(object.last_modified)),
        ..Listed::default()
    };
    page.objects.iter().map(listed).collect()
}

fn common_prefixes(page: &Listing<'_>) -> Vec<CommonPrefix> {
    page.prefixes
        .iter()
        .map(|prefix| CommonPrefix {
            prefix: Some((*prefix).to_owned()),
        })
        .collect()
}

fn to_usize(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
