//! The operations, each handed to where its work is done.
//!
//! What is missing here is answered by `s3s` with 501.

#[allow(clippy::wildcard_imports)] // an input and an output type per operation
use s3s::dto::*;
use s3s::{S3, S3Request, s3_error};

use super::call::{Answer, Call};
use super::{buckets, multipart, objects, settings};

#[async_trait::async_trait]
impl S3 for Call {
    async fn create_bucket(&self, request: S3Request<CreateBucketInput>) -> Answer<CreateBucketOutput> {
        self.write(|world| buckets::create(world, &self.region, request.input))
    }

    async fn list_buckets(&self, request: S3Request<ListBucketsInput>) -> Answer<ListBucketsOutput> {
        let _ = request;
        self.read(|world| Ok(buckets::list(world, &self.region)))
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        self.look(&request.input.bucket, |_| Ok(HeadBucketOutput::default()))
    }

    async fn delete_bucket(&self, request: S3Request<DeleteBucketInput>) -> Answer<DeleteBucketOutput> {
        self.write(|world| buckets::delete(world, &self.region, &request.input.bucket))
            .map(|response| response.map_output(|()| DeleteBucketOutput::default()))
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> Answer<GetBucketLocationOutput> {
        self.read(|world| buckets::location(world, &self.region, &request.input.bucket))
    }

    async fn get_bucket_logging(
        &self,
        request: S3Request<GetBucketLoggingInput>,
    ) -> Answer<GetBucketLoggingOutput> {
        self.look(&request.input.bucket, |bucket| Ok(settings::logging(bucket)))
    }

    async fn put_bucket_logging(
        &self,
        request: S3Request<PutBucketLoggingInput>,
    ) -> Answer<PutBucketLoggingOutput> {
        let input = request.input;
        self.write(|world| {
            let source = buckets::find(world, &self.region, &input.bucket)?;
            let logging = settings::wanted_logging(world, source, input.bucket_logging_status)?;
            buckets::find_mut(world, &self.region, &input.bucket)?.logging = logging;
            Ok(PutBucketLoggingOutput::default())
        })
    }

    async fn get_bucket_cors(&self, request: S3Request<GetBucketCorsInput>) -> Answer<GetBucketCorsOutput> {
        self.look(&request.input.bucket, settings::cors)
    }

    async fn put_bucket_cors(&self, request: S3Request<PutBucketCorsInput>) -> Answer<PutBucketCorsOutput> {
        let input = request.input;
        self.change(&input.bucket, |bucket, _| {
            bucket.cors = settings::wanted_cors(input.cors_configuration.cors_rules)?;
            Ok(PutBucketCorsOutput::default())
        })
    }

    async fn delete_bucket_cors(
        &self,
        request: S3Request<DeleteBucketCorsInput>,
    ) -> Answer<DeleteBucketCorsOutput> {
        self.change(&request.input.bucket, |bucket, _| {
            bucket.cors.clear();
            Ok(DeleteBucketCorsOutput::default())
        })
    }

    async fn get_bucket_lifecycle_configuration(
        &self,
        request: S3Request<GetBucketLifecycleConfigurationInput>,
    ) -> Answer<GetBucketLifecycleConfigurationOutput> {
        self.look(&request.input.bucket, settings::lifecycle)
    }

    async fn put_bucket_lifecycle_configuration(
        &self,
        request: S3Request<PutBucketLifecycleConfigurationInput>,
    ) -> Answer<PutBucketLifecycleConfigurationOutput> {
        let input = request.input;
        self.change(&input.bucket, |bucket, _| {
            bucket.lifecycle = settings::wanted_lifecycle(input.lifecycle_configuration)?;
            Ok(PutBucketLifecycleConfigurationOutput::default())
        })
    }

    async fn delete_bucket_lifecycle(
        &self,
        request: S3Request<DeleteBucketLifecycleInput>,
    ) -> Answer<DeleteBucketLifecycleOutput> {
        self.change(&request.input.bucket, |bucket, _| {
            bucket.lifecycle.clear();
            Ok(DeleteBucketLifecycleOutput::default())
        })
    }

    async fn get_bucket_versioning(
        &self,
        request: S3Request<GetBucketVersioningInput>,
    ) -> Answer<GetBucketVersioningOutput> {
        self.look(&request.input.bucket, |bucket| Ok(settings::versioning(bucket)))
    }

    async fn put_bucket_versioning(
        &self,
        request: S3Request<PutBucketVersioningInput>,
    ) -> Answer<PutBucketVersioningOutput> {
        let input = request.input;
        self.change(&input.bucket, |bucket, _| {
            bucket.versioning = settings::wanted_versioning(&input.versioning_configuration)?;
            Ok(PutBucketVersioningOutput::default())
        })
    }

    async fn get_bucket_acl(&self, request: S3Request<GetBucketAclInput>) -> Answer<GetBucketAclOutput> {
        self.look(&request.input.bucket, |bucket| Ok(settings::acl(bucket)))
    }

    async fn put_bucket_acl(&self, request: S3Request<PutBucketAclInput>) -> Answer<PutBucketAclOutput> {
        let input = request.input;
        self.change(&input.bucket, |bucket, _| {
            bucket.acl = settings::wanted_acl(&input)?;
            Ok(PutBucketAclOutput::default())
        })
    }

    async fn get_bucket_policy(
        &self,
        request: S3Request<GetBucketPolicyInput>,
    ) -> Answer<GetBucketPolicyOutput> {
        self.look(&request.input.bucket, |bucket| {
            let policy = bucket.policy.clone();
            let policy =
                policy.ok_or_else(|| s3_error!(NoSuchBucketPolicy, "The bucket policy does not exist"))?;
            Ok(GetBucketPolicyOutput { policy: Some(policy) })
        })
    }

    async fn put_bucket_policy(
        &self,
        request: S3Request<PutBucketPolicyInput>,
    ) -> Answer<PutBucketPolicyOutput> {
        let input = request.input;
        self.write(|world| {
            let policy = settings::wanted_policy(world, &input.bucket, input.policy)?;
            buckets::find_mut(world, &self.region, &input.bucket)?.policy = Some(policy);
            Ok(PutBucketPolicyOutput::default())
        })
    }

    async fn delete_bucket_policy(
        &self,
        request: S3Request<DeleteBucketPolicyInput>,
    ) -> Answer<DeleteBucketPolicyOutput> {
        self.change(&request.input.bucket, |bucket, _| {
            bucket.policy = None;
            Ok(DeleteBucketPolicyOutput::default())
        })
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        let mut input = request.input;
        let body = objects::whole(input.body.take()).await?;
        let name = input.bucket.clone();
        self.change(&name, |bucket, now| objects::put(bucket, input, body, now))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        self.look(&request.input.bucket, |bucket| {
            objects::get(bucket, &request.input)
        })
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        self.look(&request.input.bucket, |bucket| {
            objects::head(bucket, &request.input.key)
        })
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> Answer<DeleteObjectOutput> {
        self.change(&request.input.bucket, |bucket, _| {
            bucket.objects.remove(&request.input.key);
            Ok(DeleteObjectOutput::default())
        })
    }

    async fn delete_objects(&self, request: S3Request<DeleteObjectsInput>) -> Answer<DeleteObjectsOutput> {
        let input = request.input;
        let name = input.bucket.clone();
        self.change(&name, |bucket, _| Ok(objects::delete_many(bucket, input)))
    }

    async fn list_objects(&self, request: S3Request<ListObjectsInput>) -> Answer<ListObjectsOutput> {
        let input = request.input;
        let name = input.bucket.clone();
        self.look(&name, |bucket| Ok(objects::list(bucket, input)))
    }

    async fn list_objects_v2(&self, request: S3Request<ListObjectsV2Input>) -> Answer<ListObjectsV2Output> {
        let input = request.input;
        self.read(|world| {
            let bucket = buckets::find(world, &self.region, &input.bucket)?;
            objects::list_v2(bucket, input, world.switches.list_v2_pages)
        })
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        let input = request.input;
        let name = input.bucket.clone();
        self.change(&name, |bucket, now| Ok(multipart::create(bucket, input, now)))
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
        let mut input = request.input;
        let body = objects::whole(input.body.take()).await?;
        self.change(&input.bucket, |bucket, now| {
            let upload = (input.key.as_str(), input.upload_id.as_str());
            multipart::upload_part(bucket, upload, input.part_number, body, now)
        })
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        let input = request.input;
        let name = input.bucket.clone();
        self.change(&name, |bucket, now| multipart::complete(bucket, input, now))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        let input = request.input;
        self.change(&input.bucket, |bucket, _| {
            multipart::abort(bucket, &input.key, &input.upload_id)?;
            Ok(AbortMultipartUploadOutput::default())
        })
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> Answer<ListMultipartUploadsOutput> {
        let input = request.input;
        self.look(&input.bucket, |bucket| Ok(multipart::list(bucket, input.prefix)))
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
        let input = request.input;
        self.look(&input.bucket, |bucket| {
            multipart::list_parts(bucket, &input.key, &input.upload_id)
        })
    }
}
