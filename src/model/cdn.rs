//! The CDN in front of a bucket.

use std::fmt;
use std::str::FromStr;

use super::bucket::{BucketName, Region};

/// How long the CDN keeps an object, in seconds: one of the times that the API offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ttl(u32);

/// The times to live that the API offers, in seconds (`cdn_endpoint.yml` of digitalocean/openapi).
pub const TTLS: [u32; 5] = [60, 600, 3_600, 86_400, 604_800];

/// The number is no time to live of the CDN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the CDN keeps objects for 60, 600, 3600, 86400 or 604800 seconds")]
pub struct BadTtl;

impl Ttl {
    /// The seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Ttl {
    type Error = BadTtl;

    fn try_from(seconds: u32) -> Result<Self, BadTtl> {
        if TTLS.contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(BadTtl)
        }
    }
}

impl FromStr for Ttl {
    type Err = BadTtl;

    fn from_str(text: &str) -> Result<Self, BadTtl> {
        text.parse::<u32>().map_err(|_| BadTtl)?.try_into()
    }
}

/// What is wanted of the CDN of a bucket. What is `None` is left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CdnWish {
    /// How long it keeps an object.
    pub ttl: Option<Ttl>,
    /// A host name of the user's own.
    pub domain: Option<CdnDomain>,
    /// Whether its cache is emptied after this run has changed how the bucket answers.
    pub purge: bool,
}

/// A host name for a CDN, with its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CdnDomain {
    /// Such as `assets.shop.example`.
    pub name: String,
    /// A UUID, or `needs-cloudflare-cert`.
    pub certificate_id: String,
}

/// A CDN endpoint as the API lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CdnEndpoint {
    /// Its id.
    pub id: String,
    /// The bucket that it stands before, as `bucket.region.digitaloceanspaces.com`.
    pub origin: String,
    /// Where it answers, as a host name of DigitalOcean's: `bucket.region.cdn.digitaloceanspaces.com`.
    pub host: String,
    /// How long it keeps an object, in seconds.
    pub ttl: u32,
    /// Its host name of the user's own.
    pub custom_domain: Option<String>,
    /// The certificate of that name.
    pub certificate_id: Option<String>,
}

impl CdnEndpoint {
    /// Whether it is as wanted.
    #[must_use]
    pub fn fits(&self, wish: &CdnWish) -> bool {
        let ttl = wish.ttl.is_none_or(|ttl| ttl.seconds() == self.ttl);
        let domain = wish.domain.as_ref().is_none_or(|domain| {
            self.custom_domain.as_deref() == Some(&*domain.name)
                && self.certificate_id.as_deref() == Some(&*domain.certificate_id)
        });
        ttl && domain
    }

    /// Where browsers find the objects: at the wanted name, as soon as the endpoint has it, else at DigitalOcean's.
    #[must_use]
    pub fn url(&self, wish: &CdnWish) -> String {
        let wanted = wish.domain.as_ref().map(|domain| domain.name.as_str());
        let host = wanted.filter(|name| self.custom_domain.as_deref() == Some(*name));
        format!("https://{}", host.unwrap_or(&self.host))
    }
}

/// How the API calls a bucket as the origin of an endpoint.
#[must_use]
pub fn origin(bucket: &BucketName, region: Region) -> String {
    format!("{bucket}.{region}.digitaloceanspaces.com")
}

impl CdnWish {
    /// Where browsers find the objects of the bucket.
    #[must_use]
    pub fn url(&self, bucket: &BucketName, region: Region) -> String {
        match &self.domain {
            Some(domain) => format!("https://{}", domain.name),
            None => format!("https://{bucket}.{region}.cdn.digitaloceanspaces.com"),
        }
    }
}

impl fmt::Display for CdnWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CDN endpoint")?;
        if let Some(ttl) = self.ttl {
            write!(f, ", kept for {} s", ttl.seconds())?;
        }
        match &self.domain {
            Some(domain) => write!(f, ", at {}", domain.name),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_times_of_the_api_are_taken() {
        assert_eq!("3600".parse::<Ttl>().map(Ttl::seconds), Ok(3_600));
        assert!("1800".parse::<Ttl>().is_err() && "1h".parse::<Ttl>().is_err());
    }

    #[test]
    fn the_name_of_ones_own_is_the_url() {
        let bucket: BucketName = "shop-assets".parse().expect("a name");
        let region: Region = "nyc3".parse().expect("a region");
        let mut wish = CdnWish {
            ttl: None,
            domain: None,
            purge: false,
        };
        assert_eq!(
            wish.url(&bucket, region),
            "https://shop-assets.nyc3.cdn.digitaloceanspaces.com"
        );
        wish.domain = Some(CdnDomain {
            name: "assets.shop.example".into(),
            certificate_id: "needs-cloudflare-cert".into(),
        });
        assert_eq!(wish.url(&bucket, region), "https://assets.shop.example");
    }
}
