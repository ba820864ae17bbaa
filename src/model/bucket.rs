//! Buckets: where they may live, how they may be called, and the settings that are managed.

use std::fmt;
use std::str::FromStr;

/// A region that has Spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(&'static str);

/// Every region with Spaces Standard Storage, by the availability page of the Spaces documentation (March 2026).
pub const REGIONS: [&str; 11] = [
    "ams3", "atl1", "blr1", "fra1", "lon1", "nyc3", "sfo2", "sfo3", "sgp1", "syd1", "tor1",
];

/// The name is not a region that has Spaces.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not a region with Spaces; choose one of {list}", list = REGIONS.join(", "))]
pub struct UnknownRegion;

impl Region {
    /// The slug, such as `nyc3`.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        self.0
    }

    /// Every region.
    pub fn all() -> impl Iterator<Item = Self> {
        REGIONS.into_iter().map(Self)
    }
}

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(slug: &str) -> Result<Self, Self::Err> {
        let known = REGIONS.into_iter().find(|known| *known == slug);
        known.map(Self).ok_or(UnknownRegion)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The name of a bucket: 3 to 63 of `[a-z0-9-]`, a letter or digit at either end.
///
/// Dots are refused although S3 allows them: the wildcard certificate of Spaces does not cover them and the CDN answers
/// 422 "invalid origin" (terraform-provider-digitalocean#993).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(String);

/// Why a text is no bucket name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadBucketName {
    /// Outside the length that S3 allows.
    #[error("it has {0} characters; a bucket name has 3 to 63")]
    Length(usize),
    /// A dot breaks TLS and the CDN.
    #[error("it has a dot, which neither the certificate of Spaces nor its CDN covers; use hyphens")]
    Dot,
    /// DNS names are lower case.
    #[error("it has upper-case letters; a bucket name is lower case")]
    UpperCase,
    /// A character outside `[a-z0-9-]`.
    #[error("it has `{0}`; a bucket name has only a-z, 0-9 and hyphens")]
    Character(char),
    /// A hyphen first or last.
    #[error("it starts or ends with a hyphen; a letter or digit must stand there")]
    Edge,
    /// A prefix or suffix that S3 keeps for itself.
    #[error("`{0}` is reserved by S3")]
    Reserved(&'static str),
}

/// What S3 keeps for itself, by the bucket naming rules of the S3 user guide.
const RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_SUFFIXES: [&str; 3] = ["-s3alias", "--ol-s3", "--x-s3"];

impl BucketName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as it is appended to the name of a secret or variable: upper case, hyphens as underscores.
    #[must_use]
    pub fn upper_snake(&self) -> String {
        self.0.to_ascii_uppercase().replace('-', "_")
    }
}

impl FromStr for BucketName {
    type Err = BadBucketName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        refuse_characters(name)?;
        if !(3..=63).contains(&name.len()) {
            return Err(BadBucketName::Length(name.chars().count()));
        }
        if name.starts_with('-') || name.ends_with('-') {
            return Err(BadBucketName::Edge);
        }
        refuse_reserved(name)?;
        Ok(Self(name.to_owned()))
    }
}

fn refuse_characters(name: &str) -> Result<(), BadBucketName> {
    if name.contains('.') {
        return Err(BadBucketName::Dot);
    }
    if name.chars().any(|c| c.is_ascii_uppercase()) {
        return Err(BadBucketName::UpperCase);
    }
    let stranger = name.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-'));
    stranger.map_or(Ok(()), |c| Err(BadBucketName::Character(c)))
}

fn refuse_reserved(name: &str) -> Result<(), BadBucketName> {
    let prefix = RESERVED_PREFIXES
        .into_iter()
        .find(|reserved| name.starts_with(reserved));
    let suffix = RESERVED_SUFFIXES
        .into_iter()
        .find(|reserved| name.ends_with(reserved));
    prefix
        .or(suffix)
        .map_or(Ok(()), |reserved| Err(BadBucketName::Reserved(reserved)))
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the access logs of a bucket go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// The bucket that receives them; another one than the source, in the same region.
    pub target: BucketName,
    /// What their object names start with.
    pub prefix: String,
}

/// What is wanted of the access logs of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoggingWish {
    /// They go nowhere.
    Off,
    /// They go there.
    To(Logging),
}

/// Whether a bucket keeps old versions of its objects. Once on it can be suspended, never removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versioning {
    /// It keeps them.
    Enabled,
    /// It keeps no new ones.
    Suspended,
}

impl Versioning {
    /// The word for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Suspended => "suspended",
        }
    }
}

/// The two canned ACLs of Spaces. On a bucket, `PublicRead` opens the list of its objects only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acl {
    /// Keys with a grant only.
    Private,
    /// Everybody may list the bucket.
    PublicRead,
}

impl Acl {
    /// The word of the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::PublicRead => "public-read",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str) -> BadBucketName {
        name.parse::<BucketName>().expect_err(name)
    }

    #[test]
    fn names_that_spaces_cannot_serve_are_refused_each_for_its_reason() {
        assert_eq!(refusal("ab"), BadBucketName::Length(2));
        assert_eq!(refusal(&"a".repeat(64)), BadBucketName::Length(64));
        assert_eq!(refusal("shop.uploads"), BadBucketName::Dot);
        assert_eq!(refusal("Shop"), BadBucketName::UpperCase);
        assert_eq!(refusal("shop_uploads"), BadBucketName::Character('_'));
        assert_eq!(refusal("-shop"), BadBucketName::Edge);
        assert_eq!(refusal("xn--shop"), BadBucketName::Reserved("xn--"));
        assert_eq!(refusal("shop-s3alias"), BadBucketName::Reserved("-s3alias"));
    }

    #[test]
    fn the_longest_and_the_shortest_name_pass() {
        assert!("a".repeat(63).parse::<BucketName>().is_ok());
        assert!("a-1".parse::<BucketName>().is_ok());
    }

    #[test]
    fn an_unknown_region_is_refused_with_the_list() {
        let refused = "nyc1".parse::<Region>().expect_err("nyc1 has no Spaces");
        assert!(refused.to_string().contains("ams3, atl1, blr1"));
    }

    #[test]
    fn a_name_becomes_a_suffix_for_secrets() {
        let name: BucketName = "shop-uploads".parse().expect("a bucket name");
        assert_eq!(name.upper_snake(), "SHOP_UPLOADS");
    }
}
