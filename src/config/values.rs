//! The small notations of inputs: switches, spans, lists.

use std::time::Duration;

use crate::model::bucket::{BadBucketName, BucketName};
use crate::model::key::{AccessKeyId, Permission};

/// A boolean as GitHub's toolkit reads it (`core.getBooleanInput`).
pub(super) fn switch(text: &str) -> Result<bool, &'static str> {
    match text {
        "true" | "True" | "TRUE" => Ok(true),
        "false" | "False" | "FALSE" => Ok(false),
        _ => Err("write true or false"),
    }
}

/// A span of time such as `90d`, `24h`, `30m` or `1h 30m`; a plain `0` is none.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    humantime::parse_duration(text)
        .map_err(|_| "write a number and its unit, such as 90d, 24h or 30m".to_owned())
}

/// A run that ends sooner could not even look around.
const SHORTEST_RUN: Duration = Duration::from_secs(1);

/// No job lasts longer, not even on a runner of one's own (Actions limits of GitHub's documentation).
const LONGEST_RUN: Duration = Duration::from_hours(5 * 24);

/// How long a run may take.
pub(super) fn run_limit(text: &str) -> Result<Duration, String> {
    let limit = span(text)?;
    if (SHORTEST_RUN..=LONGEST_RUN).contains(&limit) {
        Ok(limit)
    } else {
        Err("write at least 1s and at most 5d, the longest that any job takes".to_owned())
    }
}

/// The longest id of a key that people write by hand. Secret access keys have 43 characters.
const LONGEST_KEY_ID: usize = 40;

/// The id of a key, without what can be a secret access key (those are base64).
pub(super) fn key_id(text: &str) -> Result<AccessKeyId, &'static str> {
    let text = text.trim();
    let id = text.parse().ok().filter(|_| text.len() <= LONGEST_KEY_ID);
    id.ok_or("it is no access key id; write one such as DO00EXAMPLEEXAMPLE00, as the list of keys shows it")
}

/// A whole number of days, at least one.
pub(super) fn days(text: &str) -> Result<i32, &'static str> {
    text.parse()
        .ok()
        .filter(|days| (1..=36_500).contains(days))
        .ok_or("write a whole number of days, at least 1")
}

/// Longer ones leave no room for the object names, which end at 1,024 bytes.
const LONGEST_PREFIX: usize = 512;

/// What the names of access logs start with; `{app}` and `{bucket}` are filled in.
pub(super) fn log_prefix(text: &str) -> Result<String, &'static str> {
    let braces = text.replace("{app}", "").replace("{bucket}", "");
    match text {
        _ if text.len() > LONGEST_PREFIX => Err("it is longer than 512 bytes"),
        _ if text.starts_with('/') => Err("it starts with a slash, which would make an empty folder"),
        _ if braces.contains(['{', '}']) => Err("it has a placeholder other than {app} and {bucket}"),
        _ if text.chars().any(char::is_control) => Err("it has control characters"),
        _ => Ok(text.to_owned()),
    }
}

/// The lines of a list that are not empty.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Why a line is no bucket with a permission.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadBucketLine {
    #[error(transparent)]
    Name(#[from] BadBucketName),
    #[error("`{0}` is no permission; write NAME, NAME=read or NAME=readwrite")]
    Permission(String),
}

/// `NAME`, `NAME=read` or `NAME=readwrite`.
pub(super) fn bucket_line(line: &str) -> Result<(BucketName, Permission), BadBucketLine> {
    let (name, permission) = line.split_once('=').unwrap_or((line, "readwrite"));
    let permission = match permission.trim() {
        "read" => Permission::Read,
        "readwrite" => Permission::ReadWrite,
        other => return Err(BadBucketLine::Permission(other.to_owned())),
    };
    Ok((name.trim().parse()?, permission))
}

/// An origin of a page: `scheme://host[:port]`, or `*` for any. It may hold one `*`.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text == "*" {
        return Ok(text.to_owned());
    }
    if text.matches('*').count() > 1 {
        return Err("an origin holds at most one *".to_owned());
    }
    let plain: http::Uri = text
        .replace('*', "any")
        .parse()
        .map_err(|_| NO_ORIGIN.to_owned())?;
    let scheme = plain
        .scheme_str()
        .filter(|scheme| matches!(*scheme, "http" | "https"));
    let bare = text.trim_end_matches('/');
    let has_path = plain.path().len() > 1 || plain.query().is_some();
    match (scheme, plain.authority()) {
        (Some(_), Some(host)) if host.as_str().contains('@') => Err(NO_ORIGIN.to_owned()),
        (Some(_), Some(_)) if has_path => {
            Err("an origin has no path; write it without what follows the host".to_owned())
        }
        (Some(_), Some(_)) if bare != text => Err(format!("an origin has no slash at the end; write {bare}")),
        (Some(_), Some(_)) => Ok(text.to_ascii_lowercase()),
        _ => Err(NO_ORIGIN.to_owned()),
    }
}

const NO_ORIGIN: &str = "it is no origin; write one such as https://shop.example or http://localhost:3000";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_need_a_unit() {
        assert_eq!(span("90d"), Ok(Duration::from_hours(2160)));
        assert_eq!(span("0"), Ok(Duration::ZERO));
        for wrong in ["90", "90 days!", "", "-1h", "soon"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_run_has_an_end_and_does_not_begin_with_it() {
        assert_eq!(run_limit("50m"), Ok(Duration::from_mins(50)));
        for wrong in ["0", "0s", "900ms", "6d", "500000000000y", "soon"] {
            assert!(run_limit(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_no_key_id() {
        assert!(key_id(" DO00EXAMPLEEXAMPLE00 ").is_ok());
        assert!(key_id("9xVnV1sLtdZ0+9X4cJ0g2cGJjM2Jm0F7y7l8e9/Rb5Q").is_err());
        assert!(key_id("DO00 DO01").is_err());
    }

    #[test]
    fn switches_are_spelt_as_the_toolkit_spells_them() {
        assert_eq!(switch("True"), Ok(true));
        assert!(switch("yes").is_err());
    }

    #[test]
    fn a_bucket_line_says_what_the_key_may_do() {
        assert_eq!(
            bucket_line("shop-logs = read").map(|(_, may)| may).ok(),
            Some(Permission::Read)
        );
        assert_eq!(
            bucket_line("shop").map(|(_, may)| may).ok(),
            Some(Permission::ReadWrite)
        );
        assert!(bucket_line("shop=write").is_err());
    }
}
