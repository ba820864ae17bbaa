//! What is wished of CORS.

use serde::Deserialize;

use super::super::door::Door;
use super::super::inputs::RawInputs;
use super::super::manifest::json_of;
use super::super::values::{lines, origin};
use crate::model::cors::{CorsMethod, CorsRule, CorsWish, Preset};
use crate::model::desired::AppRef;

/// The word of `cors-origins` for the app's own addresses.
const FROM_APP: &str = "from-app";

/// How many rules S3 takes for a bucket.
const RULES_MAX: usize = 100;

/// Reads the inputs about CORS; nothing when they are not set.
pub(super) fn cors_wish(raw: &RawInputs, door: &mut Door) -> Option<CorsWish> {
    let (origins, from_apps) = origins(raw, door);
    let Some(text) = raw.cors.as_deref().map(str::trim) else {
        if raw.cors_origins.is_some() {
            door.refuse("cors-origins", "it names origins, but cors is not set");
        }
        return None;
    };
    let rules = match text {
        "none" => Vec::new(),
        "private-uploads" => preset(Preset::PrivateUploads, origins, &from_apps, door),
        "public-assets" => preset(Preset::PublicAssets, origins, &from_apps, door),
        _ => rules(text, &origins, door)?,
    };
    Some(CorsWish { rules, from_apps })
}

fn origins(raw: &RawInputs, door: &mut Door) -> (Vec<String>, Vec<AppRef>) {
    let (mut named, mut apps) = (Vec::new(), Vec::new());
    for line in lines(raw.cors_origins.as_deref().unwrap_or_default()) {
        if line == FROM_APP {
            apps.extend(own_app(raw, door));
        } else {
            named.extend(door.parse("cors-origins", Some(line), origin));
        }
    }
    (named, apps)
}

fn own_app(raw: &RawInputs, door: &mut Door) -> Option<AppRef> {
    let app = raw
        .app_platform_app
        .as_deref()
        .map(|app| AppRef(app.trim().to_owned()));
    if app.is_none() {
        door.refuse(
            "cors-origins",
            "from-app takes the addresses of the app, but app-platform-app is not set",
        );
    }
    app
}

/// Public files may be read by any page; who uploads is named.
fn preset(preset: Preset, mut origins: Vec<String>, from_apps: &[AppRef], door: &mut Door) -> Vec<CorsRule> {
    let nobody = origins.is_empty() && from_apps.is_empty();
    match preset {
        Preset::PublicAssets if nobody => origins.push("*".to_owned()),
        Preset::PrivateUploads if nobody && door.is_silent_about("cors-origins") => {
            door.refuse(
                "cors-origins",
                "it is missing; name the pages that upload, one per line, or from-app",
            );
        }
        Preset::PublicAssets | Preset::PrivateUploads => {}
    }
    vec![preset.rule(origins)]
}

/// Rules as JSON or YAML, in our words or in those of S3; the origins of `cors-origins` belong to every one.
fn rules(text: &str, origins: &[String], door: &mut Door) -> Option<Vec<CorsRule>> {
    // JSON is YAML, but not the other way round: tabs, for one, are legal in JSON only.
    let parsed = serde_json::from_str(text).or_else(|_| {
        let value = json_of(text)?;
        serde_json::from_value(value).map_err(|error| error.to_string())
    });
    let written = match parsed {
        Ok(Rules::List(rules) | Rules::OfS3 { rules }) => rules,
        Err(error) => {
            let what = format!(
                "it is neither private-uploads, public-assets, none nor a list of rules as JSON or YAML \
                 ([{{\"origins\": [\"https://…\"], \"methods\": [\"GET\"]}}]): {error}"
            );
            door.refuse("cors", what);
            return None;
        }
    };
    if written.is_empty() || written.len() > RULES_MAX {
        door.refuse(
            "cors",
            format!("it has {} rules; write 1 to {RULES_MAX}, or none", written.len()),
        );
    }
    let numbered = written.into_iter().enumerate();
    Some(
        numbered
            .map(|(at, rule)| rule.read(at + 1, origins, door))
            .collect(),
    )
}

/// A list of rules, as it is or as S3 wraps it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Rules {
    List(Vec<WrittenRule>),
    OfS3 {
        #[serde(rename = "CORSRules")]
        rules: Vec<WrittenRule>,
    },
}

/// A rule as people write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    #[serde(default, alias = "ID")]
    #[allow(dead_code, reason = "a rule copied from a bucket has one; ours are numbered")]
    id: Option<String>,
    #[serde(default, alias = "allowed_origins", alias = "AllowedOrigins")]
    origins: Vec<String>,
    #[serde(default, alias = "allowed_methods", alias = "AllowedMethods")]
    methods: Vec<String>,
    #[serde(default, alias = "allowed_headers", alias = "AllowedHeaders")]
    headers: Vec<String>,
    #[serde(
        default,
        alias = "expose_headers",
        alias = "exposed_headers",
        alias = "ExposeHeaders"
    )]
    expose: Vec<String>,
    #[serde(default, alias = "max_age_seconds", alias = "MaxAgeSeconds")]
    max_age: Option<i32>,
}

impl WrittenRule {
    fn read(self, number: usize, origins: &[String], door: &mut Door) -> CorsRule {
        let own = self
            .origins
            .iter()
            .filter_map(|text| door.parse("cors", Some(text), origin));
        let mut all: Vec<String> = own.collect();
        all.extend(origins.iter().cloned());
        let methods: Vec<CorsMethod> = self
            .methods
            .iter()
            .filter_map(|word| door.parse("cors", Some(word), method))
            .collect();
        if all.is_empty() && self.origins.is_empty() {
            door.refuse("cors", format!("rule {number} has no origins"));
        }
        if self.methods.is_empty() {
            door.refuse("cors", format!("rule {number} has no methods"));
        }
        let rule = CorsRule {
            origins: all,
            methods,
            allowed_headers: self.headers,
            exposed_headers: self.expose,
            max_age_seconds: self.max_age,
        };
        rule.canonical()
    }
}

fn method(word: &str) -> Result<CorsMethod, &'static str> {
    CorsMethod::named(word).ok_or("write GET, PUT, POST, DELETE or HEAD")
}
