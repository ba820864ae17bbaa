//! Reading the JSON of a reply: what is promised stands there, or the reply makes no sense.

use secrecy::SecretString;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};

use super::failure::{Failure, Service};
use super::transport::Reply;
use crate::model::key::AccessKeyId;
use crate::model::time::Timestamp;

/// The longest id that is taken from a reply, in characters; a UUID has 36.
const ID_MAX: usize = 64;

/// The shortest secret that is taken from a reply, in characters: a shorter one is none, and masking it would blacken
/// every log. Those of Spaces have 43, tokens of GitHub 40 and more.
const SECRET_MIN: usize = 16;

/// The longest secret that is taken from a reply, in characters: many times the 520 of GitHub's longest tokens.
const SECRET_MAX: usize = 8192;

/// The body of a reply. `Malformed` says what of it is missing or wrong.
///
/// Not for a reply that bears a secret: what serde quotes of a misshapen one could be that.
pub(super) fn read<T: DeserializeOwned>(
    service: Service,
    subject: &str,
    reply: &Reply,
) -> Result<T, Failure> {
    let body = reply.body().trim_ascii();
    let wrong = |why: &str| Failure::malformed(service, subject, why);
    match body.first() {
        None => Err(wrong("the reply is empty")),
        Some(b'<') => Err(wrong("the reply is a page of markup, not JSON")),
        Some(_) => serde_json::from_slice(body).map_err(|error| wrong(&error.to_string())),
    }
}

/// An id that may stand in a path: letters, digits, hyphens and underscores. A `..` there would lead elsewhere.
pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if (1..=ID_MAX).contains(&text.len()) && text.chars().all(plain) {
        Ok(text)
    } else {
        Err(D::Error::custom(
            "an id has other characters than letters, digits and hyphens",
        ))
    }
}

/// The id of a key.
pub(super) fn access_key_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AccessKeyId, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(D::Error::custom)
}

/// A name that is one segment of a path; `.` and `..` would lead elsewhere, however they are written.
pub(super) fn segment_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if matches!(text.as_str(), "" | "." | "..") {
        Err(D::Error::custom("a name is empty or made of dots"))
    } else {
        Ok(text)
    }
}

/// A secret: printable ASCII without blanks, of a length that a secret may have.
pub(super) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    let text = String::deserialize(deserializer)?;
    if (SECRET_MIN..=SECRET_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.into())
    } else {
        Err(D::Error::custom(
            "the secret has a length or characters that no secret has",
        ))
    }
}

/// A time that is set. What is written for one that is not, the first second of the year 1, would make everything old.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    match Timestamp::from_rfc3339(&text) {
        Ok(time) if time.unix() >= 0 => Ok(time),
        Ok(_) => Err(D::Error::custom("a time is not set")),
        Err(error) => Err(D::Error::custom(error)),
    }
}

/// Reads `null` as the empty list that it stands for in Go, in which DigitalOcean's API is written.
pub(super) fn null_is_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Sample {
        #[serde(deserialize_with = "id")]
        id: String,
        #[serde(deserialize_with = "secret")]
        secret: SecretString,
        #[serde(deserialize_with = "time")]
        at: Timestamp,
    }

    fn sample(id: &str, secret: &str, at: &str) -> Result<Sample, Failure> {
        let body = serde_json::json!({ "id": id, "secret": secret, "at": at });
        read(Service::GitHub, "s", &Reply::new(body.to_string().into()))
    }

    const SECRET: &str = "0123456789abcdef";
    const AT: &str = "2026-01-02T03:04:05Z";

    #[test]
    fn what_is_as_it_should_be_is_taken() {
        let read = sample("4f6c71e2-1e90", SECRET, AT).expect("a sample");
        assert_eq!(
            (read.id.as_str(), read.at.unix()),
            ("4f6c71e2-1e90", 1_767_323_045)
        );
        assert_eq!(read.secret.expose_secret(), SECRET);
    }

    #[test]
    fn ids_that_lead_elsewhere_are_refused() {
        for id in ["", "..", ".", "a/b", "a%2e", "a\nb", "a b", &"a".repeat(65)] {
            assert!(sample(id, SECRET, AT).is_err(), "{id:?}");
        }
    }

    #[test]
    fn what_is_no_secret_is_refused_without_a_quote() {
        for secret in [
            "",
            "x",
            "0123456789abcde",
            "0123456789 abcdef",
            "0123456789\nabcdef",
            "0123456789abcdéf",
        ] {
            let failure = sample("a", secret, AT).expect_err(secret);
            assert!(secret.len() < 2 || !failure.detail.contains(secret), "{failure}");
        }
    }

    #[test]
    fn a_time_that_is_not_set_is_none() {
        for at in ["0001-01-01T00:00:00Z", "yesterday", ""] {
            assert!(sample("a", SECRET, at).is_err(), "{at}");
        }
    }

    #[test]
    fn an_empty_reply_and_a_page_for_people_are_told_as_such() {
        let detail = |body: &'static str| {
            read::<Sample>(Service::GitHub, "s", &Reply::new(body.into()))
                .expect_err("no sample")
                .detail
        };
        assert_eq!(&*detail(" \n"), "the reply is empty");
        assert_eq!(
            &*detail("<!DOCTYPE html>"),
            "the reply is a page of markup, not JSON"
        );
        assert!(detail("{}").contains("missing field `id`"));
    }
}
