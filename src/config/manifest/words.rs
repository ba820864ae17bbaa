//! The single values of the manifest.

use std::fmt::{self, Display};
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::values::{
    LONGEST_LOG_PREFIX, LONGEST_ORIGIN, MOST_DAYS, days, log_prefix, origin, span, switch,
};
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

/// What the names of access logs start with, before `{app}` and `{bucket}` are filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogPrefix(pub(super) String);

/// The origin of a page: `https://host`, with at most one `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// As browsers write it.
    pub(super) text: String,
    /// Whether a default port was left out, which browsers do not send.
    pub(super) without_port: bool,
}

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

/// Longer than any name of a service.
pub(super) const LONGEST_TEXT: usize = 255;

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

/// As people write it: `90d`, `3d 3h`, `24h`. `humantime` says years and months, which nobody meant.
impl fmt::Display for Spell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, char); 4] = [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')];
        let mut left = self.0.as_secs();
        // Below three days hours are easier to compare.
        let units = if left < 3 * 86_400 { &UNITS[1..] } else { &UNITS };
        let mut parts = Vec::new();
        for (length, unit) in units {
            if left >= *length {
                parts.push(format!("{}{unit}", left / length));
            }
            left %= length;
        }
        if parts.is_empty() {
            parts.push("0s".to_owned());
        }
        f.write_str(&parts.join(" "))
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
        let (text, without_port) = origin(text)?;
        Ok(Self { text, without_port })
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
