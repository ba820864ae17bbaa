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

    /// Whether other regions are reached at other URLs, so that a bucket can be looked for there.
    #[must_use]
    pub fn knows_regions_apart(&self) -> bool {
        self.0.contains(SLUG)
    }
}

impl fmt::Display for SpacesUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
