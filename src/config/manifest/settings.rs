//! The settings of a bucket that can be written in more than one way: CORS, its origins, the CDN.

use serde_json::{Value, json};

use super::flaw::Place;
use super::read::{Field, Reader, Spot, Word, is_a, shape};
use super::tree::{Kind, Node};
use super::words::{Origin, Seconds, Text};
use crate::model::cdn::{CdnDomain, CdnWish, Ttl};
use crate::model::cors::{CorsMethod, Preset};

/// What browsers may do.
#[derive(Debug, Clone)]
pub(super) enum CorsShape {
    /// Rules of ours are removed.
    None,
    /// A preset, which needs origins.
    Preset(Spot<Preset>),
    /// These rules.
    Rules(Vec<CorsRuleShape>),
}

shape! {
    /// A rule for browsers.
    CorsRuleShape {
        /// The origins, such as `https://shop.example`; `*` stands for any part of one, or for all.
        origins: Vec<Spot<Origin>>,
        /// The methods that a page may use.
        methods: Vec<Spot<CorsMethod>>,
        /// The request headers that a page may send.
        allowed_headers: Vec<Spot<Text>>,
        /// The response headers that a page may read.
        exposed_headers: Vec<Spot<Text>>,
        /// Seconds for which a browser may remember the answer.
        max_age_seconds: Option<Spot<Seconds>>,
    }
}

/// Which origins the rules are for, beside those that they name.
#[derive(Debug, Clone)]
pub(super) struct Origins {
    pub(super) at: Place,
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
    With(CdnShape),
}

shape! {
    /// The settings of a CDN endpoint.
    CdnShape {
        /// Seconds for which it keeps an object. Unset, it is left as it is.
        ttl: Option<Spot<Ttl>>,
        /// A domain of yours under which it answers, beside its own. Needs a certificate.
        domain: Option<Spot<Text>>,
        /// The id of the certificate for that domain.
        certificate_id: Option<Spot<Text>>,
        /// Whether to drop what it keeps after a change. Unset, false.
        purge: Option<Spot<bool>>,
    }
}

impl Field for CorsShape {
    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.kind {
            Kind::Scalar(text) if text == "none" => Some(Self::None),
            Kind::Sequence(_) => Vec::read(node, reader).map(Self::Rules),
            _ => Spot::read(node, reader).map(Self::Preset),
        }
    }

    fn schema() -> Value {
        json!({ "oneOf": [
            { "enum": ["private-uploads", "public-assets", "none"] },
            Vec::<CorsRuleShape>::schema(),
        ] })
    }
}

impl Field for Origins {
    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let is_word = |node: &Node| matches!(&node.kind, Kind::Scalar(text) if text == FROM_APP);
        let items = match &node.kind {
            Kind::Sequence(items) => items.as_slice(),
            _ if is_word(node) => std::slice::from_ref(node),
            other => {
                reader.refuse(
                    node.at,
                    format!("{}; write from-app or a list of origins", is_a(other)),
                );
                return None;
            }
        };
        let named = items.iter().filter(|item| !is_word(item));
        let named: Vec<Spot<Origin>> = named.filter_map(|item| Spot::read(item, reader)).collect();
        Some(Self {
            at: node.at,
            from_app: items.iter().any(is_word),
            named: named.into_iter().map(|origin| origin.value).collect(),
        })
    }

    fn schema() -> Value {
        let item = json!({ "anyOf": [{ "const": FROM_APP }, Origin::schema()] });
        json!({ "oneOf": [{ "const": FROM_APP }, { "type": "array", "items": item }] })
    }
}

impl CdnChoice {
    /// What is wanted, where anything is.
    pub(super) fn wish(&self) -> Option<CdnWish> {
        let (ttl, domain, purge) = match self {
            Self::Unmanaged => return None,
            Self::Plain => (None, None, false),
            Self::With(cdn) => {
                let domain = cdn.domain.as_ref().zip(cdn.certificate_id.as_ref());
                let domain = domain.map(|(name, certificate)| CdnDomain {
                    name: name.value.0.clone(),
                    certificate_id: certificate.value.0.clone(),
                });
                (
                    cdn.ttl.map(|ttl| ttl.value),
                    domain,
                    cdn.purge.is_some_and(|purge| purge.value),
                )
            }
        };
        Some(CdnWish { ttl, domain, purge })
    }
}

impl Field for CdnChoice {
    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        if let Kind::Mapping(_) = &node.kind {
            return CdnShape::read(node, reader).map(Self::With);
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
