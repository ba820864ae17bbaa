//! Our lifecycle rules, among whatever others a bucket has.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration,
    LifecycleRule as Wire, LifecycleRuleFilter,
};

use super::super::failure::Failure;
use super::plain::with_md5;
use super::{Spaces, errors};
use crate::model::bucket::BucketName;
use crate::model::lifecycle::{LifecycleRule, OURS};

impl Spaces {
    /// Our lifecycle rules on a bucket. A rule of ours that was switched off or tampered with beyond prefix and days is
    /// left out, so that it is seen as missing.
    pub async fn lifecycle(&self, bucket: &BucketName) -> Result<Vec<LifecycleRule>, Failure> {
        let rules = self.rules(bucket, false).await?;
        Ok(rules.iter().filter_map(read).collect())
    }

    /// Sets these lifecycle rules on a bucket and drops those of these ids: a rule of the same id is replaced in its
    /// place, all others stay as they are read immediately before. Needs a full-access key.
    ///
    /// `just_created`: the bucket is new, so that it is not found may pass, for 5 minutes.
    pub async fn put_lifecycle(
        &self,
        bucket: &BucketName,
        wanted: &[LifecycleRule],
        dropped: &[String],
        just_created: bool,
    ) -> Result<(), Failure> {
        let subject = format!("bucket {bucket}: set lifecycle");
        let unbuilt = |error: BuildError| errors::unbuilt(&subject, &error);
        let present = self.rules(bucket, just_created).await?;
        let rules = merged(present, wanted, dropped).map_err(unbuilt)?;
        if rules.is_empty() {
            return self.delete_lifecycle(bucket, &subject).await;
        }
        let wanted = BucketLifecycleConfiguration::builder()
            .set_rules(Some(rules))
            .build()
            .map_err(unbuilt)?;
        let put = || {
            let request = self
                .s3
                .put_bucket_lifecycle_configuration()
                .bucket(bucket.as_str());
            request
                .lifecycle_configuration(wanted.clone())
                .customize()
                .mutate_request(with_md5)
                .send()
        };
        self.configure(&subject, just_created, put).await.map(|_| ())
    }

    /// S3 takes no empty list of rules.
    async fn delete_lifecycle(&self, bucket: &BucketName, subject: &str) -> Result<(), Failure> {
        let delete = || self.s3.delete_bucket_lifecycle().bucket(bucket.as_str()).send();
        self.call(subject, delete).await.map(|_| ())
    }

    async fn rules(&self, bucket: &BucketName, just_created: bool) -> Result<Vec<Wire>, Failure> {
        let subject = format!("bucket {bucket}: read lifecycle");
        let read = || {
            self.s3
                .get_bucket_lifecycle_configuration()
                .bucket(bucket.as_str())
                .send()
        };
        match self.configure(&subject, just_created, read).await {
            Ok(output) => Ok(output.rules.unwrap_or_default()),
            Err(failure) if errors::is_unset(&failure) => Ok(Vec::new()),
            Err(failure) => Err(failure),
        }
    }
}

fn merged(
    mut rules: Vec<Wire>,
    wanted: &[LifecycleRule],
    dropped: &[String],
) -> Result<Vec<Wire>, BuildError> {
    let is_dropped = |rule: &Wire| {
        rule.id()
            .is_some_and(|id| dropped.iter().any(|dropped| dropped == id))
    };
    rules.retain(|rule| !is_dropped(rule));
    for rule in wanted {
        let wire = write(rule)?;
        match rules.iter_mut().find(|present| present.id() == Some(&rule.id)) {
            Some(present) => *present = wire,
            None => rules.push(wire),
        }
    }
    Ok(rules)
}

fn write(rule: &LifecycleRule) -> Result<Wire, BuildError> {
    let expiration = rule
        .expire_days
        .map(|days| LifecycleExpiration::builder().days(days).build());
    let abort = |days| {
        AbortIncompleteMultipartUpload::builder()
            .days_after_initiation(days)
            .build()
    };
    Wire::builder()
        .id(&rule.id)
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix(&rule.prefix).build())
        .set_expiration(expiration)
        .set_abort_incomplete_multipart_upload(rule.abort_uploads_days.map(abort))
        .build()
}

fn read(rule: &Wire) -> Option<LifecycleRule> {
    let id = rule.id().filter(|id| id.starts_with(OURS))?;
    let enabled = *rule.status() == ExpirationStatus::Enabled;
    enabled.then(|| LifecycleRule {
        id: id.to_owned(),
        prefix: prefix(rule).to_owned(),
        expire_days: rule.expiration().and_then(LifecycleExpiration::days),
        abort_uploads_days: rule
            .abort_incomplete_multipart_upload()
            .and_then(AbortIncompleteMultipartUpload::days_after_initiation),
    })
}

/// A server may give the prefix back in the older place, beside the filter instead of within.
fn prefix(rule: &Wire) -> &str {
    #[allow(deprecated)]
    let older = rule.prefix();
    rule.filter()
        .and_then(LifecycleRuleFilter::prefix)
        .or(older)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(days: i32) -> LifecycleRule {
        let source: BucketName = "shop".parse().expect("a name");
        LifecycleRule::of_logs(&source, "access-logs/shop/", days)
    }

    fn wire(days: i32) -> Wire {
        write(&ours(days)).expect("a rule")
    }

    fn strangers() -> Wire {
        Wire::builder()
            .id("theirs")
            .status(ExpirationStatus::Disabled)
            .build()
            .expect("a rule")
    }

    #[test]
    fn a_rule_of_ours_is_replaced_in_its_place_and_strangers_stay() {
        let present = vec![wire(30), strangers()];
        let rules = merged(present, &[ours(7)], &[]).expect("rules");
        assert_eq!(rules, [wire(7), strangers()]);
    }

    #[test]
    fn a_rule_is_dropped_by_its_id_and_no_other() {
        let rules = merged(vec![wire(30), strangers()], &[], &[ours(1).id]).expect("rules");
        assert_eq!(rules, [strangers()]);
    }

    #[test]
    fn only_our_own_and_only_rules_in_force_are_read() {
        assert_eq!(read(&wire(30)), Some(ours(30)));
        assert_eq!(read(&strangers()), None);
        let mut off = wire(30);
        off.status = ExpirationStatus::Disabled;
        assert_eq!(read(&off), None);
    }
}
