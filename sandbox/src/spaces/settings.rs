//! What is set on a bucket: logging, CORS, lifecycle, versioning, ACL, policy.

use http::StatusCode;
use s3s::dto::{
    BucketLifecycleConfiguration, BucketLoggingStatus, BucketVersioningStatus, GetBucketAclOutput,
    GetBucketCorsOutput, GetBucketLifecycleConfigurationOutput, GetBucketLoggingOutput,
    GetBucketVersioningOutput, Grant, Grantee, LoggingEnabled, MFADeleteStatus, Permission,
    PutBucketAclInput, Type, VersioningConfiguration,
};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::buckets::{canned, owner};
use super::{Acl, Bucket, CorsRule, LifecycleRule, Logging, Owner, Versioning};
use crate::World;

/// Rules of one kind that a bucket may have.
const RULE_LIMIT: usize = 100;
/// The group that stands for everybody in an ACL.
const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";

pub(super) fn logging(bucket: &Bucket) -> GetBucketLoggingOutput {
    let enabled = |logging: &Logging| LoggingEnabled {
        target_bucket: logging.target_bucket.clone(),
        target_prefix: logging.target_prefix.clone(),
        target_grants: None,
        target_object_key_format: None,
    };
    GetBucketLoggingOutput {
        logging_enabled: bucket.logging.as_ref().map(enabled),
    }
}

/// What is to become of a bucket's logging, or why not.
pub(super) fn wanted_logging(
    world: &World,
    source: &Bucket,
    status: BucketLoggingStatus,
) -> S3Result<Option<Logging>> {
    let Some(enabled) = status.logging_enabled else {
        return Ok(None);
    };
    let logging = Logging {
        target_bucket: enabled.target_bucket,
        target_prefix: enabled.target_prefix,
    };
    let target = world.spaces.bucket(&logging.target_bucket);
    let target = target
        .filter(|target| target.owner == Owner::Ours && target.is_visible(&world.clock))
        .ok_or_else(|| invalid_target("The target bucket for logging does not exist"))?;
    if target.name == source.name {
        return Err(invalid_target("A bucket cannot be the target of its own logs"));
    }
    if target.region != source.region {
        return Err(custom(
            "CrossLocationLoggingProhibitted",
            "Cross region logging is not allowed.",
        ));
    }
    Ok(Some(logging))
}

pub(super) fn cors(bucket: &Bucket) -> S3Result<GetBucketCorsOutput> {
    if bucket.cors.is_empty() {
        return Err(s3_error!(
            NoSuchCORSConfiguration,
            "The CORS configuration does not exist"
        ));
    }
    let rules = bucket.cors.iter().cloned().map(Into::into).collect();
    Ok(GetBucketCorsOutput {
        cors_rules: Some(rules),
    })
}

/// CORS rules as they will be kept, if they are all in order.
pub(super) fn wanted_cors(rules: Vec<s3s::dto::CORSRule>) -> S3Result<Vec<CorsRule>> {
    let rules: Vec<CorsRule> = rules.into_iter().map(Into::into).collect();
    let in_order = (1..=RULE_LIMIT).contains(&rules.len()) && rules.iter().all(CorsRule::is_well_formed);
    in_order
        .then(|| rules.into_iter().map(CorsRule::reordered).collect())
        .ok_or_else(malformed_xml)
}

pub(super) fn lifecycle(bucket: &Bucket) -> S3Result<GetBucketLifecycleConfigurationOutput> {
    if bucket.lifecycle.is_empty() {
        return Err(s3_error!(
            NoSuchLifecycleConfiguration,
            "The lifecycle configuration does not exist"
        ));
    }
    let rules = bucket.lifecycle.iter().cloned().map(Into::into).collect();
    Ok(GetBucketLifecycleConfigurationOutput {
        rules: Some(rules),
        ..Default::default()
    })
}

/// Lifecycle rules as they will be kept: each gets an id of its own.
pub(super) fn wanted_lifecycle(
    configuration: Option<BucketLifecycleConfiguration>,
) -> S3Result<Vec<LifecycleRule>> {
    let rules = configuration.ok_or_else(malformed_xml)?.rules;
    let rules: Vec<_> = rules
        .into_iter()
        .map(LifecycleRule::read)
        .collect::<S3Result<_>>()?;
    let mut seen = std::collections::BTreeSet::new();
    let twice = rules
        .iter()
        .filter_map(|rule| rule.id.as_ref())
        .any(|id| !seen.insert(id));
    if twice || !(1..=RULE_LIMIT).contains(&rules.len()) {
        return Err(s3_error!(
            InvalidArgument,
            "Rule ids must be unique, and there must be at least one rule"
        ));
    }
    let named = |(at, rule): (usize, LifecycleRule)| LifecycleRule {
        id: rule.id.or_else(|| Some(format!("rule-{at}"))),
        ..rule
    };
    Ok(rules.into_iter().enumerate().map(named).collect())
}

pub(super) fn versioning(bucket: &Bucket) -> GetBucketVersioningOutput {
    let status = match bucket.versioning {
        Versioning::Off => return GetBucketVersioningOutput::default(),
        Versioning::Enabled => BucketVersioningStatus::ENABLED,
        Versioning::Suspended => BucketVersioningStatus::SUSPENDED,
    };
    GetBucketVersioningOutput {
        status: Some(BucketVersioningStatus::from_static(status)),
        mfa_delete: Some(MFADeleteStatus::from_static(MFADeleteStatus::DISABLED)),
    }
}

pub(super) fn wanted_versioning(configuration: &VersioningConfiguration) -> S3Result<Versioning> {
    match configuration.status.as_ref().map(BucketVersioningStatus::as_str) {
        Some(BucketVersioningStatus::ENABLED) => Ok(Versioning::Enabled),
        Some(BucketVersioningStatus::SUSPENDED) => Ok(Versioning::Suspended),
        _ => Err(malformed_xml()),
    }
}

pub(super) fn acl(bucket: &Bucket) -> GetBucketAclOutput {
    let mut grants = vec![grant(
        Type::CANONICAL_USER,
        owner().id,
        None,
        Permission::FULL_CONTROL,
    )];
    if bucket.acl == Acl::PublicRead {
        grants.push(grant(
            Type::GROUP,
            None,
            Some(ALL_USERS.to_owned()),
            Permission::READ,
        ));
    }
    GetBucketAclOutput {
        owner: Some(owner()),
        grants: Some(grants),
    }
}

/// The ACL that a header names, or that the grants of a body amount to.
pub(super) fn wanted_acl(input: &PutBucketAclInput) -> S3Result<Acl> {
    if input.acl.is_some() {
        return canned(input.acl.as_ref());
    }
    let policy = input.access_control_policy.as_ref().ok_or_else(malformed_xml)?;
    let everybody =
        |grant: &Grant| grant.grantee.as_ref().and_then(|it| it.uri.as_deref()) == Some(ALL_USERS);
    let public = policy.grants.iter().flatten().any(everybody);
    Ok(if public { Acl::PublicRead } else { Acl::Private })
}

/// A policy, unless it is not JSON or a scoped key reaches the bucket.
pub(super) fn wanted_policy(world: &World, bucket: &str, policy: String) -> S3Result<String> {
    if !serde_json::from_str::<serde_json::Value>(&policy).is_ok_and(|policy| policy.is_object()) {
        return Err(s3_error!(MalformedPolicy, "Policies must be valid JSON"));
    }
    let mut grants = world.digitalocean.live_keys().flat_map(|key| &key.grants);
    if grants.any(|grant| grant.bucket == bucket) {
        return Err(custom(
            "Forbidden",
            "Buckets that limited access keys reach cannot have a policy",
        ));
    }
    Ok(policy)
}

fn grant(kind: &'static str, id: Option<String>, uri: Option<String>, permission: &'static str) -> Grant {
    let grantee = Grantee {
        display_name: id.clone(),
        email_address: None,
        id,
        type_: Type::from_static(kind),
        uri,
    };
    Grant {
        grantee: Some(grantee),
        permission: Some(Permission::from_static(permission)),
    }
}

fn invalid_target(message: &'static str) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidTargetBucketForLogging, message)
}

fn malformed_xml() -> S3Error {
    s3_error!(
        MalformedXML,
        "The XML you provided was not well-formed or did not validate against our published schema"
    )
}

/// A 403 with a code that S3 itself lacks.
fn custom(code: &'static str, message: &'static str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(StatusCode::FORBIDDEN);
    error
}
