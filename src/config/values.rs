//! The small notations of inputs: switches, spans, lists.

use std::time::Duration;

use url::Url;

use crate::model::key::AccessKeyId;
use crate::model::name::KeyName;

/// A boolean as GitHub's toolkit reads it (`core.getBooleanInput`).
pub(super) fn switch(text: &str) -> Result<bool, &'static str> {
    match text {
        "true" | "True" | "TRUE" => Ok(true),
        "false" | "False" | "FALSE" => Ok(false),
        _ => Err("write true or false"),
    }
}

/// More than anybody means, and far from where arithmetic on times ends: ten years as `humantime` counts them.
const LONGEST_SPAN: Duration = Duration::from_hours(10 * 8_766);

/// A span of time such as `90d`, `24h`, `30m` or `1h 30m`, at most ten years; a plain `0` is none.
pub(super) fn span(text: &str) -> Result<Duration, &'static str> {
    const TOO_LONG: &str = "it is too long; write a span of at most 10 years";
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    match humantime::parse_duration(text) {
        Ok(span) if span <= LONGEST_SPAN => Ok(span),
        Ok(_) | Err(humantime::DurationError::NumberOverflow) => Err(TOO_LONG),
        Err(_) => Err("write a number and its unit, such as 90d, 24h or 30m"),
    }
}

/// Whether a text can be shown that stands where something else belongs: a short word of plain letters is no secret.
pub(crate) fn is_plain_word(text: &str) -> bool {
    /// Tokens and keys are longer.
    const LONGEST: usize = 24;
    let plain = |c: char| c.is_ascii_lowercase() || c == '-';
    (1..=LONGEST).contains(&text.len()) && text.chars().all(plain)
}

/// A run that ends sooner could not even look around.
const SHORTEST_RUN: Duration = Duration::from_secs(1);

/// No job lasts longer, not even on a runner of one's own (Actions limits of GitHub's documentation).
const LONGEST_RUN: Duration = Duration::from_hours(5 * 24);

/// How long a run may take.
pub(super) fn run_limit(text: &str) -> Result<Duration, &'static str> {
    let limit = span(text)?;
    if (SHORTEST_RUN..=LONGEST_RUN).contains(&limit) {
        Ok(limit)
    } else {
        Err("write at least 1s and at most 5d, the longest that any job takes")
    }
}

/// The longest id of a key that people write by hand. Secret access keys have 43 characters.
const LONGEST_KEY_ID: usize = 40;

/// The id of a key, without what can be a secret access key.
pub(super) fn key_id(text: &str) -> Result<AccessKeyId, &'static str> {
    let text = text.trim();
    if KeyName::parse(text).is_some() {
        return Err("it is the name of a key; give its access key id, such as DO00EXAMPLEEXAMPLE00");
    }
    let id = text.parse().ok().filter(|_| text.len() <= LONGEST_KEY_ID);
    id.ok_or("it is no access key id; write one such as DO00EXAMPLEEXAMPLE00, as the list of keys shows it")
}

/// A hundred years: more than anything is kept, less than a date can bear.
pub(super) const MOST_DAYS: i32 = 36_500;

/// A whole number of days, at least one.
pub(super) fn days(text: &str) -> Result<i32, &'static str> {
    match text.parse() {
        Ok(days) if (1..=MOST_DAYS).contains(&days) => Ok(days),
        Ok(days) if days > MOST_DAYS => Err("write a whole number of days, at most 36500"),
        _ => Err("write a whole number of days, at least 1"),
    }
}

/// A host name: labels of letters, digits and hyphens, at least two.
pub(super) fn host_name(text: &str) -> Result<String, &'static str> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if text.len() <= 253 && text.contains('.') && text.split('.').all(label) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("it is no host name; write one such as assets.shop.example, without https:// and path")
    }
}

/// Longer ones leave no room for the object names, which end at 1,024 bytes.
pub(super) const LONGEST_LOG_PREFIX: usize = 512;

/// What the names of access logs start with; `{app}` and `{bucket}` are filled in.
pub(super) fn log_prefix(text: &str) -> Result<String, &'static str> {
    let braces = text.replace("{app}", "").replace("{bucket}", "");
    match text {
        _ if text.len() > LONGEST_LOG_PREFIX => Err("it is longer than 512 bytes"),
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

/// A scheme, the longest host name and a port.
pub(super) const LONGEST_ORIGIN: usize = 272;

/// An origin of a page: `scheme://host[:port]`, or `*` for any. It may hold one `*`.
///
/// It comes out as browsers write it (the `Origin` header of the Fetch standard): in lower case, with the names of other
/// scripts in Punycode, and without the default port of its scheme. The second value tells whether such a port was there.
pub(super) fn origin(text: &str) -> Result<(String, bool), String> {
    if text.len() > LONGEST_ORIGIN {
        return Err("it is longer than any origin".to_owned());
    }
    if text == "*" {
        return Ok((text.to_owned(), false));
    }
    if text.matches('*').count() > 1 {
        return Err("an origin holds at most one *".to_owned());
    }
    let (scheme, rest) = text.split_once("://").ok_or(NO_ORIGIN)?;
    if let Some((host, behind)) = rest.split_once(['/', '?', '#']) {
        return Err(match behind {
            "" if rest.ends_with('/') => {
                format!("an origin has no slash at the end; write {scheme}://{host}")
            }
            _ => "an origin has no path; write it without what follows the host".to_owned(),
        });
    }
    let mut labels = rest.split('.');
    if labels.any(|label| label.contains('*') && !label.is_ascii()) {
        return Err("a * stands in a name of another script; write that name in Punycode (xn--…)".to_owned());
    }
    // `*` is no character of a host, so a word stands for it while the rest is parsed.
    let url = Url::parse(&text.replace('*', ANY)).map_err(|_| NO_ORIGIN)?;
    let host = url
        .host_str()
        .filter(|_| matches!(url.scheme(), "http" | "https") && !text.contains(['@', '\\']))
        .ok_or(NO_ORIGIN)?;
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    let origin = format!("{}://{host}{port}", url.scheme());
    let origin = if text.contains('*') {
        origin.replace(ANY, "*")
    } else {
        origin
    };
    let had_port = rest.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    Ok((origin, had_port && port.is_empty()))
}

/// Stands for the `*` of an origin: letters, so that it is part of whatever label it stands in, and no word of its own.
const ANY: &str = "zzanyzz";

const NO_ORIGIN: &str = "it is no origin; write one such as https://shop.example or http://localhost:3000";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_comes_out_as_browsers_write_it() {
        for (text, written, had_port) in [
            ("*", "*", false),
            ("HTTPS://Shop.Example", "https://shop.example", false),
            ("https://shop.example:443", "https://shop.example", true),
            ("http://shop.example:80", "http://shop.example", true),
            ("http://shop.example:443", "http://shop.example:443", false),
            ("http://localhost:3000", "http://localhost:3000", false),
            (
                "https://*.Bücher.example",
                "https://*.xn--bcher-kva.example",
                false,
            ),
            (
                "https://app-*.shop.example:8443",
                "https://app-*.shop.example:8443",
                false,
            ),
            ("http://[::1]", "http://[::1]", false),
            ("http://[::1]:80", "http://[::1]", true),
        ] {
            assert_eq!(origin(text), Ok((written.to_owned(), had_port)), "{text}");
        }
        for text in [
            "shop.example",
            "https://",
            "ftp://shop.example",
            "https://me@shop.example",
            "*://shop.example",
            "https://shop.example:*",
            "https://*bücher.example",
            "https://a b",
            "null",
            "https://shop\\.example",
        ] {
            assert!(origin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_a_word_is_shown_where_a_secret_may_stand() {
        assert!(is_plain_word("rotate") && is_plain_word("dry-run"));
        for secret in [
            "dop_v1_5a9d",
            "DO00EXAMPLE",
            "hunter2",
            "",
            "abcdefghijklmnopqrstuvwxy",
        ] {
            assert!(!is_plain_word(secret), "{secret}");
        }
    }

    #[test]
    fn spans_need_a_unit() {
        assert_eq!(span("90d"), Ok(Duration::from_hours(2160)));
        assert_eq!(span("0"), Ok(Duration::ZERO));
        for wrong in ["90", "90 days!", "", "-1h", "soon"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }

    /// The last three overflowed on the way: in the library, and in what was added to a time.
    #[test]
    fn a_span_has_a_ceiling() {
        assert_eq!(span("10y"), Ok(LONGEST_SPAN));
        for wrong in [
            "11y",
            "500000000000y",
            "18446744073709551615s",
            "99999999999999999999d",
        ] {
            assert!(
                span(wrong).is_err_and(|why| why.contains("at most 10 years")),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_host_name_is_no_address_and_no_single_word() {
        assert_eq!(
            host_name("Assets.Shop.example").as_deref(),
            Ok("assets.shop.example")
        );
        for wrong in [
            "https://a.example",
            "a",
            "a..b",
            "a.example/",
            "-a.example",
            ".a",
            "a.",
            "a b.c",
        ] {
            assert!(host_name(wrong).is_err(), "{wrong}");
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
        for wrong in ["", "DO00 DO01", "DO00\nX", "..", "../keys", &"D".repeat(43)] {
            assert!(key_id(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn switches_are_spelt_as_the_toolkit_spells_them() {
        assert_eq!(switch("True"), Ok(true));
        assert!(switch("yes").is_err());
    }
}
