//! Lifecycle rules: expiry, and the end of unfinished uploads. Spaces has no other kind.

use s3s::dto::{
    AbortIncompleteMultipartUpload, ExpirationStatus, LifecycleExpiration, LifecycleRule as Wire,
    LifecycleRuleFilter, NoncurrentVersionExpiration,
};
use s3s::{S3Error, S3Result, s3_error};

/// A lifecycle rule. It is kept and given back, and deletes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LifecycleRule {
    /// Chosen by whoever put the rule, unique in the bucket; invented when it was left out.
    pub id: Option<String>,
    /// The objects it is about: those whose keys start so. Empty: all.
    pub prefix: String,
    /// Where the prefix was written.
    pub prefix_form: PrefixForm,
    /// Whether it is in force.
    pub enabled: bool,
    /// Objects are deleted this many days after their creation.
    pub expire_after_days: Option<i32>,
    /// Old versions are deleted this many days after they were replaced.
    pub expire_noncurrent_after_days: Option<i32>,
    /// Unfinished uploads are dropped this many days after they were begun.
    pub abort_uploads_after_days: Option<i32>,
}

/// The two places for a rule's prefix in its XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PrefixForm {
    /// `<Filter><Prefix>…</Prefix></Filter>`, as S3 has it now.
    #[default]
    Filter,
    /// `<Prefix>…</Prefix>` in the rule itself, as it used to be.
    Bare,
}

impl LifecycleRule {
    /// An enabled rule that deletes what starts with `prefix` after so many days.
    #[must_use]
    pub fn expiry(id: impl Into<String>, prefix: impl Into<String>, days: i32) -> Self {
        Self {
            id: Some(id.into()),
            prefix: prefix.into(),
            enabled: true,
            expire_after_days: Some(days),
            ..Self::default()
        }
    }

    /// Reads a rule and refuses what Spaces lacks (tags, transitions, sizes) or S3 forbids.
    pub(super) fn read(rule: Wire) -> S3Result<Self> {
        let (prefix, prefix_form) = prefix(rule.prefix, rule.filter)?;
        if rule.transitions.is_some() || rule.noncurrent_version_transitions.is_some() {
            return Err(s3_error!(
                NotImplemented,
                "Lifecycle transitions are not supported"
            ));
        }
        let rule = Self {
            id: rule.id,
            prefix,
            prefix_form,
            enabled: enabled(&rule.status)?,
            expire_after_days: rule.expiration.as_ref().map(days).transpose()?,
            expire_noncurrent_after_days: rule
                .noncurrent_version_expiration
                .and_then(|it| it.noncurrent_days),
            abort_uploads_after_days: rule
                .abort_incomplete_multipart_upload
                .and_then(|it| it.days_after_initiation),
        };
        rule.has_an_effect().then_some(rule).ok_or_else(malformed)
    }

    fn has_an_effect(&self) -> bool {
        let days = [
            self.expire_after_days,
            self.expire_noncurrent_after_days,
            self.abort_uploads_after_days,
        ];
        days.iter().any(Option::is_some) && days.iter().flatten().all(|days| *days > 0)
    }
}

impl From<LifecycleRule> for Wire {
    fn from(rule: LifecycleRule) -> Self {
        let (prefix, filter) = match rule.prefix_form {
            PrefixForm::Bare => (Some(rule.prefix), None),
            PrefixForm::Filter => (
                None,
                Some(LifecycleRuleFilter {
                    prefix: Some(rule.prefix),
                    ..LifecycleRuleFilter::default()
                }),
            ),
        };
        let status = if rule.enabled {
            ExpirationStatus::ENABLED
        } else {
            ExpirationStatus::DISABLED
        };
        Self {
            id: rule.id,
            prefix,
            filter,
            status: ExpirationStatus::from_static(status),
            expiration: rule.expire_after_days.map(|days| LifecycleExpiration {
                days: Some(days),
                ..Default::default()
            }),
            noncurrent_version_expiration: rule.expire_noncurrent_after_days.map(|days| {
                NoncurrentVersionExpiration {
                    noncurrent_days: Some(days),
                    ..Default::default()
                }
            }),
            abort_incomplete_multipart_upload: rule.abort_uploads_after_days.map(|days| {
                AbortIncompleteMultipartUpload {
                    days_after_initiation: Some(days),
                }
            }),
            noncurrent_version_transitions: None,
            transitions: None,
        }
    }
}

fn prefix(bare: Option<String>, filter: Option<LifecycleRuleFilter>) -> S3Result<(String, PrefixForm)> {
    match (bare, filter) {
        (Some(_), Some(_)) => Err(malformed()),
        (Some(prefix), None) => Ok((prefix, PrefixForm::Bare)),
        (None, None) => Ok((String::new(), PrefixForm::Bare)),
        (
            None,
            Some(LifecycleRuleFilter {
                prefix,
                and: None,
                tag: None,
                object_size_greater_than: None,
                object_size_less_than: None,
                ..
            }),
        ) => Ok((prefix.unwrap_or_default(), PrefixForm::Filter)),
        (None, Some(_)) => Err(s3_error!(NotImplemented, "Only prefix filters are supported")),
    }
}

fn enabled(status: &ExpirationStatus) -> S3Result<bool> {
    match status.as_str() {
        ExpirationStatus::ENABLED => Ok(true),
        ExpirationStatus::DISABLED => Ok(false),
        _ => Err(malformed()),
    }
}

fn days(expiration: &LifecycleExpiration) -> S3Result<i32> {
    match expiration {
        LifecycleExpiration {
            days: Some(days),
            date: None,
            ..
        } => Ok(*days),
        _ => Err(s3_error!(
            NotImplemented,
            "Only expiration after days is supported"
        )),
    }
}

fn malformed() -> S3Error {
    s3_error!(
        MalformedXML,
        "The XML you provided was not well-formed or did not validate against our published schema"
    )
}
