//! Multipart uploads: begun, fed, completed or aborted.

use bytes::Bytes;
use s3s::dto::{
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ETag, ListMultipartUploadsOutput, ListPartsOutput, MultipartUpload,
    Part as ListedPart, UploadPartOutput,
};
use s3s::{S3Error, S3Result, s3_error};

use super::buckets::timestamp;
use super::object::{Object, Part, Upload, hex, md5, md5_hex};
use super::{Acl, Bucket};
use crate::digitalocean::random;

/// Every part but the last must be at least this long, in bytes.
const PART_MINIMUM_BYTES: usize = 5 * 1024 * 1024;
/// Part numbers go from 1 to this.
const PART_LIMIT: i32 = 10_000;

pub(super) fn create(
    bucket: &mut Bucket,
    input: CreateMultipartUploadInput,
    now: i64,
) -> CreateMultipartUploadOutput {
    let upload_id = format!("2~{}", hex(&random::<16>()));
    let upload = Upload {
        key: input.key.clone(),
        initiated_at: now,
        content_type: input.content_type,
        parts: std::collections::BTreeMap::new(),
    };
    bucket.uploads.insert(upload_id.clone(), upload);
    CreateMultipartUploadOutput {
        bucket: Some(bucket.name.clone()),
        key: Some(input.key),
        upload_id: Some(upload_id),
        ..CreateMultipartUploadOutput::default()
    }
}

pub(super) fn upload_part(
    bucket: &mut Bucket,
    (key, upload_id): (&str, &str),
    number: i32,
    body: Bytes,
    now: i64,
) -> S3Result<UploadPartOutput> {
    if !(1..=PART_LIMIT).contains(&number) {
        return Err(s3_error!(
            InvalidArgument,
            "Part number must be an integer between 1 and 10000, inclusive"
        ));
    }
    let upload = find_mut(bucket, key, upload_id)?;
    let etag = md5_hex(&body);
    upload.parts.insert(
        number,
        Part {
            body,
            etag: etag.clone(),
            last_modified: now,
        },
    );
    Ok(UploadPartOutput {
        e_tag: Some(ETag::Strong(etag)),
        ..UploadPartOutput::default()
    })
}

pub(super) fn complete(
    bucket: &mut Bucket,
    input: CompleteMultipartUploadInput,
    now: i64,
) -> S3Result<CompleteMultipartUploadOutput> {
    let upload = find(bucket, &input.key, &input.upload_id)?;
    let named = input.multipart_upload.and_then(|it| it.parts).unwrap_or_default();
    let object = assemble(upload, &named, now)?;
    let output = CompleteMultipartUploadOutput {
        bucket: Some(bucket.name.clone()),
        key: Some(input.key.clone()),
        e_tag: Some(ETag::Strong(object.etag.clone())),
        ..CompleteMultipartUploadOutput::default()
    };
    bucket.uploads.remove(&input.upload_id);
    bucket.objects.insert(input.key, object);
    Ok(output)
}

pub(super) fn abort(bucket: &mut Bucket, key: &str, upload_id: &str) -> S3Result<()> {
    find(bucket, key, upload_id)?;
    bucket.uploads.remove(upload_id);
    Ok(())
}

pub(super) fn list(bucket: &Bucket, prefix: Option<String>) -> ListMultipartUploadsOutput {
    let wanted = |upload: &Upload| upload.key.starts_with(prefix.as_deref().unwrap_or_default());
    let listed = |(id, upload): (&String, &Upload)| MultipartUpload {
        upload_id: Some(id.clone()),
        key: Some(upload.key.clone()),
        initiated: Some(timestamp(upload.initiated_at)),
        ..MultipartUpload::default()
    };
    let uploads = bucket
        .uploads
        .iter()
        .filter(|(_, upload)| wanted(upload))
        .map(listed)
        .collect();
    ListMultipartUploadsOutput {
        bucket: Some(bucket.name.clone()),
        uploads: Some(uploads),
        is_truncated: Some(false),
        prefix,
        ..ListMultipartUploadsOutput::default()
    }
}

pub(super) fn list_parts(bucket: &Bucket, key: &str, upload_id: &str) -> S3Result<ListPartsOutput> {
    let listed = |(number, part): (&i32, &Part)| ListedPart {
        part_number: Some(*number),
        e_tag: Some(ETag::Strong(part.etag.clone())),
        size: i64::try_from(part.body.len()).ok(),
        last_modified: Some(timestamp(part.last_modified)),
        ..ListedPart::default()
    };
    let upload = find(bucket, key, upload_id)?;
    Ok(ListPartsOutput {
        bucket: Some(bucket.name.clone()),
        key: Some(key.to_owned()),
        upload_id: Some(upload_id.to_owned()),
        parts: Some(upload.parts.iter().map(listed).collect()),
        is_truncated: Some(false),
        ..ListPartsOutput::default()
    })
}

/// Joins the named parts, which must exist, ascend and be long enough.
fn assemble(upload: &Upload, named: &[CompletedPart], now: i64) -> S3Result<Object> {
    if named.is_empty() {
        return Err(s3_error!(MalformedXML, "You must specify at least one part"));
    }
    if !named.is_sorted_by(|a, b| a.part_number < b.part_number) {
        return Err(s3_error!(
            InvalidPartOrder,
            "The list of parts was not in ascending order."
        ));
    }
    let parts: Vec<&Part> = named
        .iter()
        .map(|part| chosen(upload, part))
        .collect::<S3Result<_>>()?;
    let (_, all_but_last) = parts.split_last().ok_or_else(invalid_part)?;
    if all_but_last
        .iter()
        .any(|part| part.body.len() < PART_MINIMUM_BYTES)
    {
        return Err(s3_error!(
            EntityTooSmall,
            "Your proposed upload is smaller than the minimum allowed size"
        ));
    }
    let body: Vec<u8> = parts.iter().flat_map(|part| part.body.iter().copied()).collect();
    let digests: Vec<u8> = parts.iter().flat_map(|part| md5(&part.body)).collect();
    Ok(Object {
        etag: format!("{}-{}", md5_hex(&digests), parts.len()),
        content_type: upload.content_type.clone(),
        acl: Acl::Private,
        ..Object::new(body, now)
    })
}

fn chosen<'u>(upload: &'u Upload, named: &CompletedPart) -> S3Result<&'u Part> {
    let part = named
        .part_number
        .and_then(|number| upload.parts.get(&number))
        .ok_or_else(invalid_part)?;
    let same = named.e_tag.as_ref().is_none_or(|tag| tag.value() == part.etag);
    same.then_some(part).ok_or_else(invalid_part)
}

fn find<'b>(bucket: &'b Bucket, key: &str, upload_id: &str) -> S3Result<&'b Upload> {
    bucket
        .uploads
        .get(upload_id)
        .filter(|upload| upload.key == key)
        .ok_or_else(no_such_upload)
}

fn find_mut<'b>(bucket: &'b mut Bucket, key: &str, upload_id: &str) -> S3Result<&'b mut Upload> {
    bucket
        .uploads
        .get_mut(upload_id)
        .filter(|upload| upload.key == key)
        .ok_or_else(no_such_upload)
}

fn no_such_upload() -> S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )
}

fn invalid_part() -> S3Error {
    s3_error!(
        InvalidPart,
        "One or more of the specified parts could not be found."
    )
}
