//! From a bucket of the file to the wanted one.

use std::collections::{BTreeMap, BTreeSet};

use super::flaw::At;
use super::keys::DeclaredKey;
use super::names::HeaderName;
use super::read::{Must, Reader, Spot};
use super::settings::{CdnChoice, CdnShape, CorsRuleShape, CorsShape};
use super::shape::{BucketShape, LifecycleShape, LoggingShape};
use super::words::Days;
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

    /// S3 refuses two rules with one prefix, and two of one name.
    fn lifecycle(&self, shape: &BucketShape, reader: &mut Reader) -> Vec<LifecycleRule> {
        let mut rules = self.received.clone();
        let mut prefixes: BTreeSet<String> = rules.iter().map(|rule| rule.prefix.clone()).collect();
        let written = shape.lifecycle.iter().flat_map(|rules| &rules.items);
        for (index, shape) in written.enumerate() {
            let field = format!("{}.lifecycle.{index}", self.field);
            if shape.expire_days.is_none() && shape.abort_uploads_days.is_none() {
                let what = "it ends nothing; set expire_days or abort_uploads_days";
                reader.tell(shape.at, field.clone(), what);
            }
            let rule = shape.rule();
            let prefix = &rule.prefix;
            if !prefixes.insert(prefix.clone()) {
                let what =
                    format!("another rule has the prefix `{prefix}` too, and S3 takes one rule for a prefix");
                reader.tell(shape.at, field, what);
            }
            rules.push(rule);
        }
        rules
    }

    fn cors(&self, shape: &BucketShape, reader: &mut Reader) -> Option<CorsWish> {
        let (from_apps, named) = self.origins(shape, reader);
        tell_default_ports(shape, reader);
        let nobody = from_apps.is_empty() && named.is_empty() && shape.cors_origins.is_none();
        let Some(Must(cors)) = &shape.cors else {
            self.refuse_idle_origins(shape, "cors is not set", reader);
            return None;
        };
        let rules = match cors.as_ref()? {
            CorsShape::None => {
                self.refuse_idle_origins(shape, "cors asks for no rules", reader);
                Vec::new()
            }
            // Public files may be read by any page; who uploads is named.
            CorsShape::Preset(preset) if nobody && preset.value == Preset::PublicAssets => {
                vec![preset.value.rule(vec!["*".to_owned()])]
            }
            CorsShape::Preset(preset) => {
                if nobody {
                    let at = preset.at.or_input("cors-origins");
                    let what = at.says(
                        "it needs `cors_origins`: the pages that upload, or from-app",
                        "it is missing; name the pages that upload, one per line, or from-app",
                    );
                    reader.tell(at, format!("{}.cors", self.field), what);
                }
                vec![preset.value.rule(named)]
            }
            CorsShape::Rules(at, rules) => self.rules(*at, &rules.items, &named, nobody, reader),
        };
        Some(CorsWish { rules, from_apps })
    }

    fn refuse_idle_origins(&self, shape: &BucketShape, why: &str, reader: &mut Reader) {
        if let Some(origins) = &shape.cors_origins {
            let what = format!("it names origins, but {why}; set a preset such as private-uploads");
            reader.tell(origins.at, format!("{}.cors_origins", self.field), what);
        }
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
        let apps: BTreeSet<&AppRef> = sinks.map(|sink| &sink.app).collect();
        // An app that is wrong counts as not given, and is told already.
        let is_news = reader.is_silent_about(origins.at.or_input("app-platform-app"));
        if origins.from_app && apps.is_empty() && is_news {
            let what = origins.at.says(
                "no key that opens this bucket goes to an app (`app_platform`), so there are no addresses",
                "from-app takes the addresses of the app, but app-platform-app is not set",
            );
            reader.tell(origins.at, format!("{}.cors_origins", self.field), what);
        }
        let named = origins.named.iter().map(|origin| origin.text.clone());
        (apps.into_iter().cloned().collect(), named.collect())
    }

    fn rules(
        &self,
        at: At,
        shapes: &[CorsRuleShape],
        origins: &[String],
        nobody: bool,
        reader: &mut Reader,
    ) -> Vec<CorsRule> {
        let size = size_of(shapes, origins);
        if size > LARGEST_CORS {
            let what = format!(
                "with all their origins the rules come to {} KB, and S3 takes {} KB",
                size.div_ceil(1_024),
                LARGEST_CORS / 1_024
            );
            reader.tell(at, format!("{}.cors", self.field), what);
            return Vec::new();
        }
        for (index, shape) in shapes.iter().enumerate() {
            let field = format!("{}.cors.{index}", self.field);
            if nobody && shape.origins.is_empty() {
                reader.tell(shape.at, field.clone(), "it has no origins");
            }
            if shape.methods.is_empty() {
                reader.tell(shape.at, field, "it has no methods");
            }
        }
        shapes.iter().map(|shape| shape.rule(origins)).collect()
    }

    fn cdn(&self, shape: &BucketShape, reader: &mut Reader) -> Option<CdnWish> {
        let choice = shape.cdn.as_ref()?;
        if let CdnChoice::With(cdn) = choice {
            cdn.refuse_half(&format!("{}.cdn", self.field), reader);
        }
        choice.wish()
    }
}

/// Browsers leave the default port out of an origin, so one with it would match none.
fn tell_default_ports(shape: &BucketShape, reader: &mut Reader) {
    let named = shape.cors_origins.iter().flat_map(|origins| &origins.named);
    let rules = match &shape.cors {
        Some(Must(Some(CorsShape::Rules(_, rules)))) => rules.items.as_slice(),
        _ => &[],
    };
    let of_rules = rules
        .iter()
        .flat_map(|rule| &rule.origins.items)
        .map(|origin| &origin.value);
    for origin in named.chain(of_rules).filter(|origin| origin.without_port) {
        reader.warn(format!(
            "CORS origin {} is set without the default port that stands behind it, since browsers leave it out",
            origin.text
        ));
    }
}

/// S3 takes no larger CORS configuration (`PutBucketCors` of the S3 reference). Every rule bears the origins of the bucket.
const LARGEST_CORS: usize = 64 * 1_024;

/// What the rules come to in bytes, without the words around them.
fn size_of(shapes: &[CorsRuleShape], origins: &[String]) -> usize {
    let shared: usize = origins.iter().map(String::len).sum();
    let of_rule = |shape: &CorsRuleShape| {
        let own = shape.origins.items.iter().map(|origin| origin.value.text.len());
        let headers = [&shape.allowed_headers.items, &shape.exposed_headers.items];
        let headers = headers.into_iter().flatten().map(|header| header.value.0.len());
        shared + own.chain(headers).sum::<usize>()
    };
    shapes.iter().map(of_rule).sum()
}

impl CdnShape {
    /// A domain needs its certificate, and a certificate is for a domain.
    fn refuse_half(&self, field: &str, reader: &mut Reader) {
        let what = match (&self.domain, &self.certificate_id) {
            (Some(_), None) => self.at.says(
                "`domain` and `certificate_id` belong together; give both",
                "it is missing; a domain of your own needs a certificate (its id, or needs-cloudflare-cert)",
            ),
            (None, Some(_)) => self.at.says(
                "`domain` and `certificate_id` belong together; give both",
                "it is a certificate, but cdn-domain is not set",
            ),
            (Some(_), Some(_)) | (None, None) => return,
        };
        let domain = self.domain.as_ref().and_then(|domain| domain.0.as_ref());
        let certificate = self.certificate_id.as_ref().and_then(|id| id.0.as_ref());
        let at = domain
            .map(|domain| domain.at)
            .or(certificate.map(|id| id.at))
            .unwrap_or(self.at);
        reader.tell(at.or_input("cdn-certificate-id"), field, what);
    }
}

impl LifecycleShape {
    fn rule(&self) -> LifecycleRule {
        let prefix = self.prefix.as_ref().map_or("", |prefix| &prefix.value.0);
        let days = |days: &Option<Must<Spot<Days>>>| Some(days.as_ref()?.0?.value.0);
        LifecycleRule::declared(prefix, days(&self.expire_days), days(&self.abort_uploads_days))
    }
}

impl CorsRuleShape {
    fn rule(&self, origins: &[String]) -> CorsRule {
        let names = |names: &[Spot<HeaderName>]| names.iter().map(|name| name.value.0.clone()).collect();
        let own = self.origins.items.iter().map(|origin| origin.value.text.clone());
        let rule = CorsRule {
            origins: own.chain(origins.iter().cloned()).collect(),
            methods: self.methods.items.iter().map(|method| method.value).collect(),
            allowed_headers: names(&self.allowed_headers.items),
            exposed_headers: names(&self.exposed_headers.items),
            max_age_seconds: self.max_age_seconds.map(|seconds| seconds.value.0),
        };
        rule.canonical()
    }
}
