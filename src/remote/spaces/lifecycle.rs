//! Expiry rules for access logs, among whatever other lifecycle rules a bucket has.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter,
};

use super::super::failure::Failure;
use super::plain::with_md5;
use super::{Spaces, errors};
use crate::model::bucket::{BucketName, Retention};

/// What the ids of our rules start with; all others are someone's own.
const OURS: &str = "spacekeeper-";

impl Spaces {
    /// Our expiry rules on a bucket. A rule of ours that was switched off or tampered with beyond prefix and days is
    /// left out, so that it is seen as missing.
    pub async fn retentions(&self, bucket: &BucketName) -> Result<Vec<Retention>, Failure> {
        let rules = self.rules(bucket, false).await?;
        Ok(rules.iter().filter_map(retention).collect())
    }

    /// Sets these expiry rules on a bucket: a rule of the same id is replaced in its place, all others stay as they are
    /// read immediately before. Needs a full-access key.
    ///
    /// `just_created`: the bucket is new, so that it is not found may pass, for 5 minutes.
    pub async fn put_retentions(
        &self,
        bucket: &BucketName,
        retentions: &[Retention],
        just_created: bool,
    ) -> Result<(), Failure> {
        let subject = format!("bucket {bucket}: set retention");
        let present = self.rules(bucket, just_created).await?;
        let wanted = configuration(present, retentions).map_err(|error| errors::unbuilt(&subject, &error))?;
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

    async fn rules(&self, bucket: &BucketName, just_created: bool) -> Result<Vec<LifecycleRule>, Failure> {
        let subject = format!("bucket {bucket}: read retention");
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

fn configuration(
    mut rules: Vec<LifecycleRule>,
    retentions: &[Retention],
) -> Result<BucketLifecycleConfiguration, BuildError> {
    for retention in retentions {
        let wanted = rule(retention)?;
        match rules.iter_mut().find(|rule| rule.id() == Some(&retention.id)) {
            Some(present) => *present = wanted,
            None => rules.push(wanted),
        }
    }
    BucketLifecycleConfiguration::builder()
        .set_rules(Some(rules))
        .build()
}

fn rule(retention: &Retention) -> Result<LifecycleRule, BuildError> {
    LifecycleRule::builder()
        .id(&retention.id)
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix(&retention.prefix).build())
        .expiration(LifecycleExpiration::builder().days(retention.days).build())
        .build()
}

fn retention(rule: &LifecycleRule) -> Option<Retention> {
    let id = rule.id().filter(|id| id.starts_with(OURS))?;
    let days = rule.expiration()?.days()?;
    let enabled = *rule.status() == ExpirationStatus::Enabled;
    enabled.then(|| Retention {
        id: id.to_owned(),
        prefix: prefix(rule).to_owned(),
        days,
    })
}

/// A server may give the prefix back in the older place, beside the filter instead of within.
fn prefix(rule: &LifecycleRule) -> &str {
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

    fn ours(days: i32) -> Retention {
        Retention {
            id: "spacekeeper-logs-shop".to_owned(),
            prefix: "access-logs/shop/".to_owned(),
            days,
        }
    }

    fn strangers() -> LifecycleRule {
        LifecycleRule::builder()
            .id("theirs")
            .status(ExpirationStatus::Disabled)
            .build()
            .expect("a rule")
    }

    #[test]
    fn a_rule_of_ours_is_replaced_in_its_place_and_strangers_stay() {
        let present = vec![rule(&ours(30)).expect("a rule"), strangers()];
        let wanted = configuration(present, &[ours(7)]).expect("a configuration");
        assert_eq!(wanted.rules(), [rule(&ours(7)).expect("a rule"), strangers()]);
    }

    #[test]
    fn only_our_own_and_only_rules_in_force_are_read() {
        assert_eq!(retention(&rule(&ours(30)).expect("a rule")), Some(ours(30)));
        assert_eq!(retention(&strangers()), None);
        let mut off = rule(&ours(30)).expect("a rule");
        off.status = ExpirationStatus::Disabled;
        assert_eq!(retention(&off), None);
    }
}
