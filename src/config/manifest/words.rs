//! The single values of the manifest.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::values::{
    LONGEST_LOG_PREFIX, LONGEST_ORIGIN, MOST_DAYS, days, host_name, log_prefix, origin, span, switch,
};
use super::read::Word;
use crate::model::bucket::{Acl, BucketName, REGIONS, Region};
use crate::model::cdn::{TTLS, Ttl};
use crate::model::cors::CorsMethod;
use crate::model::key::Permission;
use crate::model::name::{BadFamily, Family};
use crate::model::sink::{Repository, SettingName};

/// The version of the manifest's format that this release reads.
pub(super) const VERSION: u32 = 1;

/// The number of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version;

/// The logical name of an app: prefix of the names of its logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AppName(pub(super) String);

/// A text that is not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

/// The name of an environment of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EnvironmentName(pub(super) String);

/// What App Platform calls an app or a component, or the id of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlatformName(pub(super) String);

/// A host name of the user's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostName(pub(super) String);

/// The id of a certificate, or `needs-cloudflare-cert`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CertificateId(pub(super) String);

/// The name of an HTTP header; it may hold one `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeaderName(pub(super) String);

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spell(pub(super) Duration);

/// A number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Days(pub(super) i32);

/// What the names of one key's variables end with, without the underscore before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suffix(pub(super) String);

/// The start of object names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prefix(pub(super) String);

/// What the names of access logs start with, before `{app}` and `{bucket}` are filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogPrefix(pub(super) String);

/// The origin of a page: `https://host`, with at most one `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin(pub(super) String);

/// A number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seconds(pub(super) i32);

/// What a field means that nobody names. The texts of `config::defaults` parse, which a test sees to.
pub(super) fn by_default<T: Word>(text: &'static str) -> Option<T> {
    T::parse(text).ok()
}

/// A text that its own type can parse.
fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|refusal: T::Err| refusal.to_string())
}

impl Word for Version {
    fn parse(text: &str) -> Result<Self, String> {
        if text == VERSION.to_string() {
            Ok(Self)
        } else {
            Err(format!("this release reads version {VERSION} of the manifest"))
        }
    }

    fn schema() -> Value {
        json!({ "const": VERSION })
    }
}

/// As long as a label of a host name. It is no name of App Platform, whose names end at 32 characters.
const LONGEST_APP_NAME: usize = 63;

impl Word for AppName {
    fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST_APP_NAME {
            let length = text.chars().count();
            return Err(format!(
                "it has {length} characters; an app's name has at most {LONGEST_APP_NAME}"
            ));
        }
        // The grammar of a family is the grammar of the app's name, apart from the length.
        match Family::fitted(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(BadFamily::DoubleHyphen) => Err("it has two hyphens in a row".to_owned()),
            Err(other) => Err(other
                .to_string()
                .replace("the name of a key family", "an app's name")),
        }
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": LONGEST_APP_NAME })
    }
}

/// Longer than any name of a service.
const LONGEST_TEXT: usize = 255;

impl Word for Text {
    fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "" => Err("it is empty".to_owned()),
            text if text.chars().any(char::is_control) => Err("it has control characters".to_owned()),
            text if text.chars().count() > LONGEST_TEXT => {
                Err(format!("it is longer than {LONGEST_TEXT} characters"))
            }
            text => Ok(Self(text.to_owned())),
        }
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1, "maxLength": LONGEST_TEXT })
    }
}

impl Word for EnvironmentName {
    /// At most 255 characters, by GitHub's documentation of environments. The two names that are steps in a path would
    /// lead a request to another place.
    fn parse(text: &str) -> Result<Self, String> {
        match Text::parse(text)?.0 {
            name if name == "." || name == ".." => Err("it is no name of an environment".to_owned()),
            name => Ok(Self(name)),
        }
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1, "maxLength": LONGEST_TEXT, "not": { "enum": [".", ".."] } })
    }
}

/// App Platform's own names have at most 32 characters, its ids 36 (`apps.yml` of digitalocean/openapi).
const LONGEST_PLATFORM_NAME: usize = 64;

impl Word for PlatformName {
    fn parse(text: &str) -> Result<Self, String> {
        let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        match text {
            "" => Err("it is empty".to_owned()),
            _ if text.len() > LONGEST_PLATFORM_NAME => {
                Err(format!("it is longer than {LONGEST_PLATFORM_NAME} characters"))
            }
            _ if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) || !text.chars().all(inner) => {
                Err("App Platform's names and ids have only letters, digits and hyphens".to_owned())
            }
            _ => Ok(Self(text.to_owned())),
        }
    }

    fn schema() -> Value {
        let pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$";
        json!({ "type": "string", "pattern": pattern, "maxLength": LONGEST_PLATFORM_NAME })
    }
}

impl Word for HostName {
    fn parse(text: &str) -> Result<Self, String> {
        host_name(text).map(Self).map_err(str::to_owned)
    }

    fn schema() -> Value {
        let label = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
        json!({ "type": "string", "pattern": format!(r"^{label}(\.{label})+$"), "maxLength": 253 })
    }
}

/// A UUID has 36 characters; longer ones leave room for what may come.
const LONGEST_CERTIFICATE_ID: usize = 64;

impl Word for CertificateId {
    fn parse(text: &str) -> Result<Self, String> {
        let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if plain && (1..=LONGEST_CERTIFICATE_ID).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err("it is no id of a certificate; write its UUID, or needs-cloudflare-cert".to_owned())
        }
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[A-Za-z0-9-]+$", "maxLength": LONGEST_CERTIFICATE_ID })
    }
}

/// Longer than any header that a browser sends.
const LONGEST_HEADER: usize = 255;

impl Word for HeaderName {
    /// A token of HTTP (RFC 9110, section 5.6.2); S3 takes one `*` in it.
    fn parse(text: &str) -> Result<Self, String> {
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        match text {
            "" => Err("it is empty".to_owned()),
            _ if text.len() > LONGEST_HEADER => Err(format!("it is longer than {LONGEST_HEADER} characters")),
            _ if !text.chars().all(token) => {
                Err("it is no name of a header; write one such as Content-Type".to_owned())
            }
            _ if text.matches('*').count() > 1 => Err("it holds at most one *".to_owned()),
            _ => Ok(Self(text.to_owned())),
        }
    }

    fn schema() -> Value {
        let token = "[!#$%&'+.^_`|~0-9A-Za-z-]";
        let pattern = format!(r"^({token}+|{token}*\*{token}*)$");
        json!({ "type": "string", "pattern": pattern, "maxLength": LONGEST_HEADER })
    }
}

impl Word for Spell {
    fn parse(text: &str) -> Result<Self, String> {
        span(text).map(Self).map_err(str::to_owned)
    }

    fn schema() -> Value {
        let text = json!({ "type": "string", "pattern": "^(0|( *[0-9]+ *[A-Za-z]+ *)+)$" });
        json!({ "anyOf": [text, { "const": 0 }], "examples": ["90d", "24h", "30m"] })
    }
}

impl Word for Days {
    fn parse(text: &str) -> Result<Self, String> {
        days(text).map(Self).map_err(str::to_owned)
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 1, "maximum": MOST_DAYS })
    }
}

impl Word for Suffix {
    fn parse(text: &str) -> Result<Self, String> {
        let name: Result<SettingName, _> = format!("X_{text}").parse();
        match name {
            _ if text.is_empty() => Err("it is empty".to_owned()),
            Ok(_) => Ok(Self(text.to_ascii_uppercase())),
            Err(refusal) => Err(refusal.to_string()),
        }
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[A-Za-z0-9_]+$", "maxLength": 198, "examples": ["LOGS"] })
    }
}

/// As long as the name of an object may be (S3 user guide, object key names).
const LONGEST_PREFIX: usize = 1_024;

impl Word for Prefix {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            _ if text.chars().any(char::is_control) => Err("it has control characters".to_owned()),
            _ if text.len() > LONGEST_PREFIX => Err(format!("it is longer than {LONGEST_PREFIX} bytes")),
            _ => Ok(Self(text.to_owned())),
        }
    }

    fn schema() -> Value {
        json!({ "type": "string", "maxLength": LONGEST_PREFIX })
    }
}

impl Word for LogPrefix {
    fn parse(text: &str) -> Result<Self, String> {
        log_prefix(text).map(Self).map_err(str::to_owned)
    }

    fn schema() -> Value {
        let pattern = r"^(([^/{}]|\{app\}|\{bucket\})([^{}]|\{app\}|\{bucket\})*)?$";
        json!({ "type": "string", "pattern": pattern, "maxLength": LONGEST_LOG_PREFIX })
    }
}

impl Word for bool {
    fn parse(text: &str) -> Result<Self, String> {
        switch(text).map_err(str::to_owned)
    }

    fn schema() -> Value {
        json!({ "type": "boolean" })
    }
}

impl Word for Region {
    fn parse(text: &str) -> Result<Self, String> {
        parsed(text)
    }

    fn schema() -> Value {
        json!({ "enum": REGIONS })
    }
}

impl Word for BucketName {
    fn parse(text: &str) -> Result<Self, String> {
        parsed(text)
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$" })
    }
}

impl Word for Family {
    fn parse(text: &str) -> Result<Self, String> {
        parsed(text)
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 29 })
    }
}

impl Word for Permission {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "read" => Ok(Self::Read),
            "readwrite" => Ok(Self::ReadWrite),
            _ => Err("write read or readwrite".to_owned()),
        }
    }

    fn schema() -> Value {
        json!({ "enum": ["read", "readwrite"] })
    }
}

impl Word for Repository {
    fn parse(text: &str) -> Result<Self, String> {
        parsed(text)
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}$" })
    }
}

impl Word for SettingName {
    fn parse(text: &str) -> Result<Self, String> {
        parsed(text)
    }

    fn schema() -> Value {
        let reserved = "[Gg][Ii][Tt][Hh][Uu][Bb]_";
        let pattern = format!("^(?!{reserved})[A-Za-z_][A-Za-z0-9_]*$");
        json!({ "type": "string", "pattern": pattern, "maxLength": 200 })
    }
}

impl Word for Origin {
    fn parse(text: &str) -> Result<Self, String> {
        origin(text).map(Self)
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": r"^(\*|https?://[^/?#@ ]+)$", "maxLength": LONGEST_ORIGIN })
    }
}

/// Ten years, as for every span; browsers heed no more than a day.
const MOST_SECONDS: i32 = 315_360_000;

impl Word for Seconds {
    fn parse(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(seconds) if (0..=MOST_SECONDS).contains(&seconds) => Ok(Self(seconds)),
            _ => Err(format!(
                "write a whole number of seconds, from 0 to {MOST_SECONDS}"
            )),
        }
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 0, "maximum": MOST_SECONDS })
    }
}

impl Word for CorsMethod {
    fn parse(text: &str) -> Result<Self, String> {
        let words = Self::ALL.map(Self::word);
        Self::named(text).ok_or_else(|| format!("write one of {}", words.join(", ")))
    }

    fn schema() -> Value {
        json!({ "enum": Self::ALL.map(Self::word) })
    }
}

impl Word for Acl {
    fn parse(text: &str) -> Result<Self, String> {
        let known = [Self::Private, Self::PublicRead];
        let found = known.into_iter().find(|acl| acl.word() == text);
        found.ok_or_else(|| "write private or public-read".to_owned())
    }

    fn schema() -> Value {
        json!({ "enum": [Self::Private.word(), Self::PublicRead.word()] })
    }
}

impl Word for Ttl {
    fn parse(text: &str) -> Result<Self, String> {
        parsed(text)
    }

    fn schema() -> Value {
        json!({ "enum": TTLS })
    }
}
