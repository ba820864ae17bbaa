//! From a bucket of the file to the wanted one.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::DeclaredKey;
use super::read::{Reader, Spot};
use super::settings::{CdnChoice, CorsRuleShape, CorsShape};
use super::shape::{BucketShape, LifecycleShape, LoggingShape};
use super::words::{Days, Origin, Text};
use crate::model::bucket::{BucketName, Logging, LoggingWish, Region, Versioning};
use crate::model::cdn::CdnWish;
use crate::model::cors::{CorsRule, CorsWish, Preset};
use crate::model::desired::{AppRef, WantedBucket};
use crate::model::lifecycle::LifecycleRule;

/// What the rest of the file says of a bucket.
pub(super) struct Context<'c> {
    pub(super) name: &'c BucketName,
    pub(super) region: Region,
    pub(super) logging: &'c BTreeMap<&'c BucketName, Logging>,
    /// The rules for the logs that it receives.
    pub(super) received: Vec<LifecycleRule>,
    pub(super) keys: &'c [DeclaredKey],
    /// The field: `apps.shop.buckets.shop-uploads`.
    pub(super) field: String,
}

impl Context<'_> {
    /// The bucket with its settings.
    pub(super) fn wanted(&self, shape: &BucketShape, reader: &mut Reader) -> WantedBucket {
        let versioning = |kept: bool| {
            if kept {
                Versioning::Enabled
            } else {
                Versioning::Suspended
            }
        };
        WantedBucket {
            logging: self.logging(shape),
            lifecycle: self.lifecycle(shape, reader),
            owns_lifecycle: shape.lifecycle.is_some(),
            cors: self.cors(shape, reader),
            versioning: shape.versioning.map(|kept| versioning(kept.value)),
            acl: shape.acl.map(|acl| acl.value),
            cdn: self.cdn(shape, reader),
            ..WantedBucket::bare(self.name.clone(), self.region)
        }
    }

    fn logging(&self, shape: &BucketShape) -> Option<LoggingWish> {
        match shape.logging.as_ref()? {
            LoggingShape::Off => Some(LoggingWish::Off),
            LoggingShape::To(_) => self.logging.get(self.name).cloned().map(LoggingWish::To),
        }
    }

    /// S3 refuses two rules with one prefix.
    fn lifecycle(&self, shape: &BucketShape, reader: &mut Reader) -> Vec<LifecycleRule> {
        let mut rules = self.received.clone();
        for (index, rule) in shape.lifecycle.iter().flatten().enumerate() {
            let LifecycleShape {
                at,
                prefix,
                expire_days,
                abort_uploads_days,
            } = rule;
            let field = format!("{}.lifecycle.{index}", self.field);
            let prefix = prefix.as_ref().map_or("", |prefix| &prefix.value.0);
            if expire_days.is_none() && abort_uploads_days.is_none() {
                reader.tell(
                    *at,
                    field.clone(),
                    "it ends nothing; set expire_days or abort_uploads_days",
                );
            }
            if rules.iter().any(|known| known.prefix == prefix) {
                let what =
                    format!("another rule has the prefix `{prefix}` too, and S3 takes one rule for a prefix");
                reader.tell(*at, field, what);
            }
            let days = |days: &Option<Spot<Days>>| days.map(|days| days.value.0);
            rules.push(LifecycleRule::declared(
                prefix,
                days(expire_days),
                days(abort_uploads_days),
            ));
        }
        rules
    }

    fn cors(&self, shape: &BucketShape, reader: &mut Reader) -> Option<CorsWish> {
        let (from_apps, named) = self.origins(shape, reader);
        let nobody = from_apps.is_empty() && named.is_empty() && shape.cors_origins.is_none();
        let rules = match shape.cors.as_ref() {
            None | Some(CorsShape::None) => {
                if let Some(origins) = &shape.cors_origins {
                    let what = "it names origins, but `cors` asks for no rules; set a preset such as private-uploads";
                    reader.tell(origins.at, format!("{}.cors_origins", self.field), what);
                }
                Vec::new()
            }
            // Public files may be read by any page; who uploads is named.
            Some(CorsShape::Preset(preset)) if nobody && preset.value == Preset::PublicAssets => {
                vec![preset.value.rule(vec!["*".to_owned()])]
            }
            Some(CorsShape::Preset(preset)) => {
                if nobody {
                    let what = "it needs `cors_origins`: the pages that upload, or from-app";
                    reader.tell(preset.at, format!("{}.cors", self.field), what);
                }
                vec![preset.value.rule(named)]
            }
            Some(CorsShape::Rules(rules)) => self.rules(rules, &named, nobody, reader),
        };
        shape.cors.as_ref().map(|_| CorsWish { rules, from_apps })
    }

    /// The apps whose origins are meant, and the origins that are named.
    fn origins(&self, shape: &BucketShape, reader: &mut Reader) -> (Vec<AppRef>, Vec<String>) {
        let Some(origins) = &shape.cors_origins else {
            return (Vec::new(), Vec::new());
        };
        let opening = self
            .keys
            .iter()
            .filter(|key| origins.from_app && key.wanted.grants.contains_key(self.name));
        let sinks = opening.flat_map(|key| &key.wanted.apps);
        let apps: BTreeSet<AppRef> = sinks.map(|sink| sink.app.clone()).collect();
        if origins.from_app && apps.is_empty() {
            let what =
                "no key that opens this bucket goes to an app (`app_platform`), so there are no addresses";
            reader.tell(origins.at, format!("{}.cors_origins", self.field), what);
        }
        (apps.into_iter().collect(), texts(&origins.named))
    }

    fn rules(
        &self,
        shapes: &[CorsRuleShape],
        origins: &[String],
        nobody: bool,
        reader: &mut Reader,
    ) -> Vec<CorsRule> {
        let mut rules = Vec::new();
        for (index, shape) in shapes.iter().enumerate() {
            let field = format!("{}.cors.{index}", self.field);
            if nobody && shape.origins.is_empty() {
                reader.tell(shape.at, field.clone(), "it names no `origins`");
            }
            if shape.methods.is_empty() {
                reader.tell(shape.at, field, "it names no `methods`");
            }
            rules.push(shape.rule(origins));
        }
        rules
    }

    fn cdn(&self, shape: &BucketShape, reader: &mut Reader) -> Option<CdnWish> {
        let choice = shape.cdn.as_ref()?;
        if let CdnChoice::With(cdn) = choice
            && let (Some(alone), None) | (None, Some(alone)) = (&cdn.domain, &cdn.certificate_id)
        {
            let field = format!("{}.cdn", self.field);
            reader.tell(
                alone.at,
                field,
                "`domain` and `certificate_id` belong together; give both",
            );
        }
        choice.wish()
    }
}

impl CorsRuleShape {
    fn rule(&self, origins: &[String]) -> CorsRule {
        let words = |words: &[Spot<Text>]| words.iter().map(|word| word.value.0.clone()).collect();
        let own = self.origins.iter().map(|origin| origin.value.0.clone());
        let rule = CorsRule {
            origins: own.chain(origins.iter().cloned()).collect(),
            methods: self.methods.iter().map(|method| method.value).collect(),
            allowed_headers: words(&self.allowed_headers),
            exposed_headers: words(&self.exposed_headers),
            max_age_seconds: self.max_age_seconds.map(|seconds| seconds.value.0),
        };
        rule.canonical()
    }
}

fn texts(origins: &[Origin]) -> Vec<String> {
    origins.iter().map(|origin| origin.0.clone()).collect()
}
