//! Where Spaces is reached.

use std::fmt;

use super::bucket::Region;

/// What stands for the slug of a region in a [`SpacesUrl`].
const SLUG: &str = "{region}";

/// The base URL of Spaces; `{region}` stands where the slug belongs. One without it is a server that has no regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpacesUrl(String);

impl SpacesUrl {
    /// Takes a base URL as it is.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The base URL in a region.
    #[must_use]
    pub fn at(&self, region: Region) -> String {
        self.0.replace(SLUG, region.slug())
    }

    /// The region that it is the endpoint of, where it is fixed and Spaces' own.
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        let (_, behind) = self.0.split_once("://")?;
        let host = behind.split(['/', ':']).next()?;
        match SpacesHost::of(host)? {
            SpacesHost::Endpoint(region) => Some(region),
            SpacesHost::Bucket(_) | SpacesHost::Cdn(_) | SpacesHost::Nothing => None,
        }
    }

    /// Whether other regions are reached at other URLs, so that a bucket can be looked for there.
    #[must_use]
    pub fn knows_regions_apart(&self) -> bool {
        self.0.contains(SLUG)
    }
}

/// What stands behind every host of Spaces (endpoint documentation of Spaces).
const DOMAIN: &str = "digitaloceanspaces.com";

/// What a host of Spaces names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpacesHost {
    /// The endpoint of a region: `nyc3.digitaloceanspaces.com`.
    Endpoint(Region),
    /// A bucket in a region: `shop.nyc3.digitaloceanspaces.com`.
    Bucket(Region),
    /// What the CDN answers under: `shop.nyc3.cdn.digitaloceanspaces.com`.
    Cdn(Region),
    /// No endpoint of a region that there is.
    Nothing,
}

impl SpacesHost {
    /// What this host names; `None` where it is none of Spaces'.
    #[must_use]
    pub fn of(host: &str) -> Option<Self> {
        let host = host.to_ascii_lowercase();
        let labels = host.trim_end_matches('.').strip_suffix(DOMAIN)?;
        let Some(labels) = labels.strip_suffix('.') else {
            return labels.is_empty().then_some(Self::Nothing);
        };
        let (labels, is_cdn) = match labels.strip_suffix(".cdn") {
            Some(labels) => (labels, true),
            None => (labels, false),
        };
        let (bucket, slug) = match labels.rsplit_once('.') {
            Some((bucket, slug)) => (Some(bucket), slug),
            None => (None, labels),
        };
        let Ok(region) = slug.parse() else {
            return Some(Self::Nothing);
        };
        Some(match bucket {
            _ if is_cdn => Self::Cdn(region),
            Some(_) => Self::Bucket(region),
            None => Self::Endpoint(region),
        })
    }
}

impl fmt::Display for SpacesUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_of_spaces_says_what_it_names() {
        let nyc3: Region = "nyc3".parse().expect("a region");
        for (host, named) in [
            ("nyc3.digitaloceanspaces.com", Some(SpacesHost::Endpoint(nyc3))),
            (
                "shop.nyc3.digitaloceanspaces.com.",
                Some(SpacesHost::Bucket(nyc3)),
            ),
            ("NYC3.DigitalOceanSpaces.com", Some(SpacesHost::Endpoint(nyc3))),
            ("shop.nyc3.digitaloceanspaces.com", Some(SpacesHost::Bucket(nyc3))),
            (
                "shop.nyc3.cdn.digitaloceanspaces.com",
                Some(SpacesHost::Cdn(nyc3)),
            ),
            ("mars1.digitaloceanspaces.com", Some(SpacesHost::Nothing)),
            ("digitaloceanspaces.com", Some(SpacesHost::Nothing)),
            ("nyc3.spaces.test", None),
            ("notdigitaloceanspaces.com", None),
        ] {
            assert_eq!(SpacesHost::of(host), named, "{host}");
        }
    }
}
