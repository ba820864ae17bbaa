//! Where a service is.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// The longest address, in bytes: with a path behind it, it must stay within what a URI may be.
const MAX_LEN: usize = 2048;

/// Where a service is: `http` or `https`, a host, and perhaps a path prefix that every request keeps.
///
/// It is held as the URL standard reads it, so that no spelling (`HTTP://`, `http://0x7f000001`) is taken for another
/// address than the one that is asked in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    url: Url,
    uri: http::Uri,
}

/// Why a text is not the address of a service. It quotes nothing of the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadBaseUrl {
    /// It does not follow the syntax of URLs.
    #[error("it is not a URL; write it as https://host or https://host/prefix")]
    NoUrl,
    /// It has a scheme of no use.
    #[error("it must start with https:// (or http:// for a server on this machine)")]
    Scheme,
    /// It has a user name or a password in it.
    #[error("it carries credentials, which belong elsewhere (they are not shown)")]
    Credentials,
    /// With a path behind it, no request could be made of it.
    #[error("it is longer than {MAX_LEN} bytes")]
    Length,
    /// Something follows its path.
    #[error("it has a query or a fragment; a base URL ends with its path")]
    Query,
}

impl BaseUrl {
    /// The URL of `path` (and query) at this service. `path` starts with a slash and is percent-encoded.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    /// The same as a URI.
    #[must_use]
    pub const fn uri(&self) -> &http::Uri {
        &self.uri
    }

    /// The host, without a port.
    #[must_use]
    pub fn host(&self) -> &str {
        // It was parsed with one.
        self.url.host_str().unwrap_or_default()
    }

    /// Whether what is sent there is not encrypted.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Whether it has a path of its own, under which the service answers.
    #[must_use]
    pub fn has_path(&self) -> bool {
        !self.url.path().trim_matches('/').is_empty()
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => {
                let mapped = address.to_ipv4_mapped();
                address.is_loopback() || mapped.is_some_and(|address| address.is_loopback())
            }
            // Of the names that end in `.localhost` a resolver may ask the network.
            Some(Host::Domain(name)) => matches!(name, "localhost" | "localhost."),
            None => false,
        }
    }
}

impl FromStr for BaseUrl {
    type Err = BadBaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_LEN {
            return Err(BadBaseUrl::Length);
        }
        // The standard mends what lacks slashes and takes back slashes for slashes; a person is asked instead.
        let (_, rest) = text.split_once("://").ok_or(BadBaseUrl::NoUrl)?;
        if text.contains(|c: char| c == '\\' || c.is_whitespace() || c.is_control()) || rest.starts_with('/')
        {
            return Err(BadBaseUrl::NoUrl);
        }
        let url = Url::parse(text).map_err(|_| BadBaseUrl::NoUrl)?;
        match () {
            () if !matches!(url.scheme(), "http" | "https") => return Err(BadBaseUrl::Scheme),
            () if rest
                .split(['/', '?', '#'])
                .next()
                .is_some_and(|host| host.contains('@')) =>
            {
                return Err(BadBaseUrl::Credentials);
            }
            () if url.query().is_some() || url.fragment().is_some() => return Err(BadBaseUrl::Query),
            () => {}
        }
        let uri = url
            .as_str()
            .trim_end_matches('/')
            .parse()
            .map_err(|_| BadBaseUrl::NoUrl)?;
        Ok(Self { url, uri })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> BaseUrl {
        text.parse().expect("a base URL")
    }

    #[test]
    fn a_base_keeps_its_prefix_and_loses_its_last_slash() {
        let prefixed = base("https://ghes.example/api/v3/");
        assert_eq!(prefixed.join("/repos"), "https://ghes.example/api/v3/repos");
        assert_eq!(
            base("http://127.0.0.1:8080").join("/v2/apps"),
            "http://127.0.0.1:8080/v2/apps"
        );
        assert_eq!(base("HTTPS://API.Example").to_string(), "https://api.example");
    }

    #[test]
    fn what_is_no_address_of_a_service_is_refused() {
        for (text, why) in [
            ("", BadBaseUrl::NoUrl),
            ("api.example", BadBaseUrl::NoUrl),
            ("/v2", BadBaseUrl::NoUrl),
            ("https://", BadBaseUrl::NoUrl),
            ("https:host", BadBaseUrl::NoUrl),
            ("https:///host", BadBaseUrl::NoUrl),
            ("https:\\\\host", BadBaseUrl::NoUrl),
            ("https://a b", BadBaseUrl::NoUrl),
            ("ftp://host", BadBaseUrl::Scheme),
            ("https://u:p@host", BadBaseUrl::Credentials),
            ("https://u@host", BadBaseUrl::Credentials),
            ("https://@host", BadBaseUrl::Credentials),
            ("https://host?x=1", BadBaseUrl::Query),
            ("https://host/#x", BadBaseUrl::Query),
        ] {
            assert_eq!(text.parse::<BaseUrl>(), Err(why), "{text}");
        }
    }

    #[test]
    fn loopback_is_known_in_every_spelling() {
        for here in [
            "http://localhost",
            "HTTP://LOCALHOST:8080",
            "http://localhost.",
            "http://127.0.0.1",
            "http://127.1.2.3/",
            "http://127.0.0.1.",
            "http://0x7f000001",
            "http://2130706433",
            "http://[::1]:9000",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(base(here).is_loopback(), "{here}");
        }
        for elsewhere in [
            "http://127.0.0.1.example.net",
            "http://localhost.example",
            "http://app.localhost",
            "http://minio:9000",
            "http://10.0.0.1",
            "http://[::ffff:10.0.0.1]",
            "http://0.0.0.0",
            "http://api.example.",
        ] {
            assert!(!base(elsewhere).is_loopback(), "{elsewhere}");
        }
    }
}
