//! The settings of a bucket that can be written in more than one way: CORS, its origins, the CDN.

use serde_json::{Value, json};

use super::flaw::At;
use super::lists::List;
use super::names::{CertificateId, HeaderName, HostName};
use super::read::{Field, Must, Reader, Spot, Word, is_a, shape};
use super::tree::{Kind, Node};
use super::words::{Origin, Seconds, Text};
use crate::model::cdn::{CdnDomain, CdnWish, Ttl};
use crate::model::cors::{CorsMethod, Preset};

/// Rules that S3 takes for a bucket (`PutBucketCors` of the S3 reference).
const MOST_RULES: usize = 100;

/// Origins and headers of one rule; the size of all rules together is bounded too.
const MOST_IN_A_RULE: usize = 1_000;

/// What browsers may do.
#[derive(Debug, Clone)]
pub(super) enum CorsShape {
    /// Rules of ours are removed.
    None,
    /// A preset, which needs origins.
    Preset(Spot<Preset>),
    /// These rules.
    Rules(At, List<CorsRuleShape, MOST_RULES>),
}

shape! {
    /// A rule for browsers.
    CorsRuleShape {
        /// The origins, such as `https://shop.example`; `*` stands for any part of one, or for all.
        origins: List<Spot<Origin>, MOST_IN_A_RULE> as ["AllowedOrigins", "allowed_origins"],
        /// The methods that a page may use.
        methods: List<Spot<CorsMethod>, MOST_IN_A_RULE> as ["AllowedMethods", "allowed_methods"],
        /// The request headers that a page may send.
        allowed_headers: List<Spot<HeaderName>, MOST_IN_A_RULE> as ["AllowedHeaders", "headers"],
        /// The response headers that a page may read.
        exposed_headers: List<Spot<HeaderName>, MOST_IN_A_RULE> as ["ExposeHeaders", "expose_headers", "expose"],
        /// Seconds for which a browser may remember the answer.
        max_age_seconds: Option<Spot<Seconds>> as ["MaxAgeSeconds", "max_age"],
        /// What a rule is called that was copied from a bucket. It is not kept: rules of ours are numbered.
        id: Option<Spot<Text>> as ["ID"],
    }
}

/// Which origins the rules are for, beside those that they name.
#[derive(Debug, Clone)]
pub(super) struct Origins {
    pub(super) at: At,
    /// Also those of the apps whose keys open the bucket.
    pub(super) from_app: bool,
    pub(super) named: Vec<Origin>,
}

/// The word for the addresses of the apps.
const FROM_APP: &str = "from-app";

/// Whether there is a CDN endpoint.
#[derive(Debug, Clone)]
pub(super) enum CdnChoice {
    /// None is managed.
    Unmanaged,
    /// One with the settings that it has.
    Plain,
    /// One with these settings.
    With(Box<CdnShape>),
}

shape! {
    /// The settings of a CDN endpoint.
    CdnShape {
        /// Seconds for which it keeps an object. Unset, it is left as it is.
        ttl: Option<Spot<Ttl>>,
        /// A domain of yours under which it answers, beside its own. Needs a certificate.
        domain: Option<Must<Spot<HostName>>>,
        /// The id of the certificate for that domain, or `needs-cloudflare-cert`.
        certificate_id: Option<Must<Spot<CertificateId>>>,
        /// Whether to drop what it keeps after a change. Unset, false.
        purge: Option<Spot<bool>>,
    }
}

/// The field in which S3 wraps the list of rules.
const OF_S3: &str = "CORSRules";

impl Field for CorsShape {
    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.kind {
            Kind::Scalar(text) if text == "none" => Some(Self::None),
            Kind::Scalar(_) => Spot::read(node, reader).map(Self::Preset),
            Kind::Sequence(_) => Self::rules(node, reader),
            Kind::Mapping(fields) => match fields.as_slice() {
                [(name, rules)] if name.text == OF_S3 => Self::rules(rules, reader),
                _ => Self::refused(node, reader),
            },
            Kind::Empty => Self::refused(node, reader),
        }
    }

    fn schema() -> Value {
        json!({ "oneOf": [
            { "enum": ["private-uploads", "public-assets", "none"] },
            Self::rules_schema(),
            { "type": "object", "required": [OF_S3], "additionalProperties": false, "properties": { OF_S3: Self::rules_schema() } },
        ] })
    }
}

impl CorsShape {
    fn rules(node: &Node, reader: &mut Reader) -> Option<Self> {
        let rules: List<CorsRuleShape, MOST_RULES> = List::read(node, reader)?;
        if rules.is_empty() {
            reader.refuse(
                node.at,
                format!("it has 0 rules; write 1 to {MOST_RULES}, or none"),
            );
        }
        Some(Self::Rules(node.at, rules))
    }

    fn refused(node: &Node, reader: &mut Reader) -> Option<Self> {
        let what = format!(
            "{}; write private-uploads, public-assets, none, or a list of rules \
             ([{{\"origins\": [\"https://…\"], \"methods\": [\"GET\"]}}])",
            is_a(&node.kind)
        );
        reader.refuse(node.at, what);
        None
    }

    fn rules_schema() -> Value {
        let mut schema = List::<CorsRuleShape, MOST_RULES>::schema();
        schema["minItems"] = 1.into();
        schema
    }
}

/// One of the list.
enum OriginItem {
    FromApp,
    Named(Origin),
}

impl Field for OriginItem {
    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.kind {
            Kind::Scalar(text) if text == FROM_APP => Some(Self::FromApp),
            _ => Spot::read(node, reader).map(|origin| Self::Named(origin.value)),
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [{ "const": FROM_APP }, Origin::schema()] })
    }
}

impl Field for Origins {
    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let list: List<OriginItem, MOST_IN_A_RULE> = match &node.kind {
            Kind::Scalar(text) if text == FROM_APP => List::from_iter([OriginItem::FromApp]),
            Kind::Sequence(items) if items.is_empty() => {
                reader.refuse(
                    node.at,
                    "it names no origin; leave it out, or write from-app or a list of origins",
                );
                return None;
            }
            Kind::Sequence(_) => List::read(node, reader)?,
            other => {
                reader.refuse(
                    node.at,
                    format!("{}; write from-app or a list of origins", is_a(other)),
                );
                return None;
            }
        };
        let mut origins = Self {
            at: node.at,
            from_app: false,
            named: Vec::new(),
        };
        for item in list.items {
            match item {
                OriginItem::FromApp => origins.from_app = true,
                OriginItem::Named(origin) => origins.named.push(origin),
            }
        }
        Some(origins)
    }

    fn schema() -> Value {
        let mut list = List::<OriginItem, MOST_IN_A_RULE>::schema();
        list["minItems"] = 1.into();
        json!({ "oneOf": [{ "const": FROM_APP }, list] })
    }
}

impl CdnChoice {
    /// What is wanted, where anything is.
    pub(super) fn wish(&self) -> Option<CdnWish> {
        let (ttl, domain, purge) = match self {
            Self::Unmanaged => return None,
            Self::Plain => (None, None, false),
            Self::With(cdn) => (
                cdn.ttl.map(|ttl| ttl.value),
                cdn.own_domain(),
                cdn.purge.is_some_and(|purge| purge.value),
            ),
        };
        Some(CdnWish { ttl, domain, purge })
    }
}

impl CdnShape {
    /// The domain with its certificate, where both are there and right.
    fn own_domain(&self) -> Option<CdnDomain> {
        let name = self.domain.as_ref()?.0.as_ref()?;
        let certificate = self.certificate_id.as_ref()?.0.as_ref()?;
        Some(CdnDomain {
            name: name.value.0.clone(),
            certificate_id: certificate.value.0.clone(),
        })
    }
}

impl Field for CdnChoice {
    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        if let Kind::Mapping(_) = &node.kind {
            return CdnShape::read(node, reader).map(|cdn| Self::With(Box::new(cdn)));
        }
        let wanted: Spot<bool> = Spot::read(node, reader)?;
        Some(if wanted.value {
            Self::Plain
        } else {
            Self::Unmanaged
        })
    }

    fn schema() -> Value {
        json!({ "oneOf": [{ "type": "boolean" }, CdnShape::schema()] })
    }
}

impl Word for Preset {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "private-uploads" => Ok(Self::PrivateUploads),
            "public-assets" => Ok(Self::PublicAssets),
            _ => Err("write private-uploads, public-assets, none, or a list of rules".to_owned()),
        }
    }

    fn schema() -> Value {
        json!({ "enum": ["private-uploads", "public-assets"] })
    }
}
