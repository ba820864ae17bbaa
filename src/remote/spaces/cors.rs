//! Our CORS rules, among whatever others a bucket has.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{CorsConfiguration, CorsRule as Wire};

use super::super::failure::Failure;
use super::plain::with_md5;
use super::{Spaces, errors};
use crate::model::bucket::BucketName;
use crate::model::cors::{CorsMethod, CorsRule, FoundCorsRule, OURS, kept_of_others};

impl Spaces {
    /// Every CORS rule of a bucket. Needs a full-access key.
    pub async fn cors(&self, bucket: &BucketName) -> Result<Vec<FoundCorsRule>, Failure> {
        let rules = self.cors_rules(bucket, false).await?;
        Ok(rules.iter().map(found).collect())
    }

    /// Sets our CORS rules on a bucket: they come first, in this order, because the first rule of which the origin
    /// matches decides. All that are not ours stay, behind them, as they are read immediately before. Needs a
    /// full-access key.
    ///
    /// `declared` is what was asked for, by which ours are known on a server that keeps no ids.
    ///
    /// `just_created`: the bucket is new, so that it is not found may pass, for 5 minutes.
    pub async fn put_cors(
        &self,
        bucket: &BucketName,
        wanted: &[CorsRule],
        declared: &[CorsRule],
        just_created: bool,
    ) -> Result<(), Failure> {
        let subject = format!("bucket {bucket}: set CORS");
        let unbuilt = |error: BuildError| errors::unbuilt(&subject, &error);
        let present = self.cors_rules(bucket, just_created).await?;
        let rules = merged(present, wanted, declared).map_err(unbuilt)?;
        if rules.is_empty() {
            return self.delete_cors(bucket, &subject).await;
        }
        let wanted = CorsConfiguration::builder()
            .set_cors_rules(Some(rules))
            .build()
            .map_err(unbuilt)?;
        let put = || {
            let request = self.s3.put_bucket_cors().bucket(bucket.as_str());
            request
                .cors_configuration(wanted.clone())
                .customize()
                .mutate_request(with_md5)
                .send()
        };
        self.configure(&subject, just_created, put).await.map(|_| ())
    }

    /// S3 takes no empty list of rules.
    async fn delete_cors(&self, bucket: &BucketName, subject: &str) -> Result<(), Failure> {
        let delete = || self.s3.delete_bucket_cors().bucket(bucket.as_str()).send();
        self.call(subject, delete).await.map(|_| ())
    }

    async fn cors_rules(&self, bucket: &BucketName, just_created: bool) -> Result<Vec<Wire>, Failure> {
        let subject = format!("bucket {bucket}: read CORS");
        let read = || self.s3.get_bucket_cors().bucket(bucket.as_str()).send();
        match self.configure(&subject, just_created, read).await {
            Ok(output) => Ok(output.cors_rules.unwrap_or_default()),
            Err(failure) if errors::is_unset(&failure) => Ok(Vec::new()),
            Err(failure) => Err(failure),
        }
    }
}

/// Our rules, and behind them those of others.
fn merged(present: Vec<Wire>, wanted: &[CorsRule], declared: &[CorsRule]) -> Result<Vec<Wire>, BuildError> {
    let all: Vec<FoundCorsRule> = present.iter().map(found).collect();
    let kept = kept_of_others(&all, declared);
    let numbered = wanted.iter().enumerate();
    let mut rules: Vec<Wire> = numbered
        .map(|(at, rule)| write(at, rule))
        .collect::<Result<_, _>>()?;
    let stays = |at: &usize| kept.contains(at);
    let others = present.into_iter().enumerate().filter(|(at, _)| stays(at));
    rules.extend(others.map(|(_, rule)| rule));
    Ok(rules)
}

fn write(at: usize, rule: &CorsRule) -> Result<Wire, BuildError> {
    let unless_empty = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
    let methods = rule
        .methods
        .iter()
        .map(|method| method.word().to_owned())
        .collect();
    Wire::builder()
        .id(format!("{OURS}{}", at + 1))
        .set_allowed_origins(Some(rule.origins.clone()))
        .set_allowed_methods(Some(methods))
        .set_allowed_headers(unless_empty(&rule.allowed_headers))
        .set_expose_headers(unless_empty(&rule.exposed_headers))
        .set_max_age_seconds(rule.max_age_seconds)
        .build()
}

/// A method that S3 does not know is left out; such a rule is nobody's wish of ours.
fn found(rule: &Wire) -> FoundCorsRule {
    let methods = rule.allowed_methods().iter();
    let read = CorsRule {
        origins: rule.allowed_origins().to_vec(),
        methods: methods.filter_map(|word| CorsMethod::named(word)).collect(),
        allowed_headers: rule.allowed_headers().to_vec(),
        exposed_headers: rule.expose_headers().to_vec(),
        max_age_seconds: rule.max_age_seconds(),
    };
    FoundCorsRule {
        ours: rule.id().is_some_and(|id| id.starts_with(OURS)),
        has_id: rule.id().is_some_and(|id| !id.is_empty()),
        rule: read.canonical(),
    }
}
