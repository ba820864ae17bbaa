//! Names that the services and the user give.

use serde_json::{Value, json};

use super::super::values::host_name;
use super::read::Word;
use super::words::{LONGEST_TEXT, Text};
use crate::model::name::{BadFamily, Family};

/// The logical name of an app: prefix of the names of its logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AppName(pub(super) String);

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
