//! Where a service is.

use std::fmt;
use std::str::FromStr;

/// The longest address, in bytes: with a path behind it, it must stay within what a URI may be.
const MAX_LEN: usize = 2048;

/// Where a service is: `http` or `https`, a host, and perhaps a path prefix that every request keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(http::Uri);

/// The text is not the address of a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the address of a service; write it as https://host or https://host/prefix")]
pub struct BadBaseUrl(String);

impl BaseUrl {
    /// The URL of `path` (and query) at this service. `path` starts with a slash and is percent-encoded.
    pub(super) fn join(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    pub(super) const fn uri(&self) -> &http::Uri {
        &self.0
    }

    /// The host, without a port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host().unwrap_or_default()
    }
}

impl FromStr for BaseUrl {
    type Err = BadBaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadBaseUrl(text.to_owned());
        if text.len() > MAX_LEN {
            return Err(BadBaseUrl(format!("{}…", text.get(..60).unwrap_or_default())));
        }
        let uri: http::Uri = text.trim_end_matches('/').parse().map_err(|_| bad())?;
        let web = matches!(uri.scheme_str(), Some("http" | "https"));
        let credentials = uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'));
        let plain = uri.host().is_some_and(|host| !host.is_empty()) && uri.query().is_none() && !credentials;
        if web && plain { Ok(Self(uri)) } else { Err(bad()) }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_string().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_keeps_its_prefix_and_loses_its_last_slash() {
        let base: BaseUrl = "https://ghes.example/api/v3/".parse().expect("a base URL");
        assert_eq!(base.join("/repos"), "https://ghes.example/api/v3/repos");
        let plain: BaseUrl = "http://127.0.0.1:8080".parse().expect("a base URL");
        assert_eq!(plain.join("/v2/apps"), "http://127.0.0.1:8080/v2/apps");
    }

    #[test]
    fn what_is_no_address_of_a_service_is_refused() {
        for text in [
            "",
            "api.example",
            "ftp://host",
            "https://",
            "https://u:p@host",
            "https://host?x=1",
            "/v2",
        ] {
            assert!(text.parse::<BaseUrl>().is_err(), "{text}");
        }
        let endless = format!("https://host/{}", "a".repeat(MAX_LEN));
        let refused = endless.parse::<BaseUrl>().expect_err("it is too long");
        assert!(refused.to_string().len() < 200, "{refused}");
    }
}
