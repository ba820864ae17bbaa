//! The single values of the manifest.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::values::{days, origin, span, switch};
use super::read::Word;
use crate::model::bucket::{Acl, BucketName, REGIONS, Region};
use crate::model::cdn::{TTLS, Ttl};
use crate::model::cors::CorsMethod;
use crate::model::key::Permission;
use crate::model::name::Family;
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

/// The origin of a page: `https://host`, with at most one `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin(pub(super) String);

/// A number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seconds(pub(super) i32);

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

impl Word for AppName {
    fn parse(text: &str) -> Result<Self, String> {
        // The grammar of a family is the grammar of the app's name, apart from the length.
        let family = Family::fitted(text);
        let named = |refusal: crate::model::name::BadFamily| {
            refusal
                .to_string()
                .replace("the name of a key family", "an app's name")
        };
        family.map(|_| Self(text.to_owned())).map_err(named)
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$" })
    }
}

impl Word for Text {
    fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "" => Err("it is empty".to_owned()),
            text if text.chars().any(char::is_control) => Err("it has control characters".to_owned()),
            text => Ok(Self(text.to_owned())),
        }
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

impl Word for Spell {
    fn parse(text: &str) -> Result<Self, String> {
        span(text).map(Self)
    }

    fn schema() -> Value {
        json!({ "type": ["string", "integer"], "examples": ["90d", "24h", "30m"] })
    }
}

impl Word for Days {
    fn parse(text: &str) -> Result<Self, String> {
        days(text).map(Self).map_err(str::to_owned)
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 1, "maximum": 36_500 })
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
        json!({ "type": "string", "pattern": "^[A-Za-z0-9_]+$", "examples": ["LOGS"] })
    }
}

impl Word for Prefix {
    fn parse(text: &str) -> Result<Self, String> {
        if text.chars().any(char::is_control) {
            return Err("it has control characters".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    fn schema() -> Value {
        json!({ "type": "string" })
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
        json!({ "type": "string", "pattern": "^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$" })
    }
}

impl Word for SettingName {
    fn parse(text: &str) -> Result<Self, String> {
        parsed(text)
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" })
    }
}

impl Word for Origin {
    fn parse(text: &str) -> Result<Self, String> {
        origin(text).map(Self)
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": r"^(\*|https?://[^/?#@ ]+)$" })
    }
}

impl Word for Seconds {
    fn parse(text: &str) -> Result<Self, String> {
        let seconds = text.parse().ok().filter(|seconds| *seconds >= 0);
        seconds
            .map(Self)
            .ok_or_else(|| "write a whole number of seconds".to_owned())
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 0 })
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
