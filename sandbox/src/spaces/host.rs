//! What the `Host` header says: region, and bucket when it is virtual-hosted.

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// Every region that has Spaces.
pub(super) const REGIONS: [&str; 11] = [
    "nyc3", "sfo2", "sfo3", "ams3", "fra1", "lon1", "sgp1", "blr1", "tor1", "syd1", "atl1",
];

/// Region and bucket of a host such as `shop.nyc3.digitaloceanspaces.com`; both are absent for
/// an address or a name without a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place<'a> {
    pub(super) region: Option<&'a str>,
    pub(super) bucket: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// Reads a `Host` header, port and all.
    pub(super) fn of(host: &'a str) -> Self {
        let name = host.split(':').next().unwrap_or(host);
        // The last region label with a domain behind it: a bucket may itself be called `nyc3`.
        let Some((at, region)) = labels(name)
            .filter(|(at, label)| is_region(label) && at + label.len() < name.len())
            .last()
        else {
            return Self::default();
        };
        Self {
            region: Some(region),
            bucket: name[..at].strip_suffix('.'),
        }
    }
}

/// Lets `s3s` find the bucket in the host.
pub(super) struct Hosts;

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let place = Place::of(host);
        let virtual_host = VirtualHost::new(host);
        Ok(match place.bucket {
            Some(bucket) => virtual_host.with_bucket(bucket),
            None => virtual_host,
        })
    }
}

/// The dot-separated labels of a name with the offset of each.
fn labels(name: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut next = 0;
    name.split('.').map(move |label| {
        let at = next;
        next += label.len() + 1;
        (at, label)
    })
}

fn is_region(label: &str) -> bool {
    REGIONS.contains(&label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_and_region_are_read_off_the_host() {
        let place = |region, bucket| Place { region, bucket };
        assert_eq!(
            Place::of("nyc3.digitaloceanspaces.com"),
            place(Some("nyc3"), None)
        );
        assert_eq!(
            Place::of("shop.fra1.digitaloceanspaces.com:443"),
            place(Some("fra1"), Some("shop"))
        );
        assert_eq!(
            Place::of("nyc3.ams3.localhost"),
            place(Some("ams3"), Some("nyc3"))
        );
        assert_eq!(
            Place::of("a.b.nyc3.example.com"),
            place(Some("nyc3"), Some("a.b"))
        );
        assert_eq!(Place::of("127.0.0.1:9000"), place(None, None));
        assert_eq!(Place::of("localhost:9000"), place(None, None));
    }
}
