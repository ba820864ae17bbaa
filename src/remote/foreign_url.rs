//! An address that an answer names, on a host that is not a service of ours: where nothing may be asked that only this
//! machine can reach.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

use super::base_url::BaseUrl;

/// An address from an answer that may be asked, without a credential: `https` on a public host.
///
/// Where the service that named it is itself on loopback, as in a test, so may be what it names, and plain.
#[derive(Debug, Clone)]
pub(super) struct ForeignUrl {
    url: Url,
    from_loopback: bool,
}

/// Why an address from an answer is not asked. It quotes nothing: the address may be a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotAsked {
    #[error("the address is not a URL")]
    NoUrl,
    #[error("the address is not an https one")]
    Plain,
    #[error("the address carries a user name or a password")]
    Credentials,
    #[error("the address is not a public one")]
    Private,
}

/// Ends of names that are never public: RFC 6761, RFC 6762, RFC 8375, and what ICANN keeps for private use, under which
/// clouds serve their metadata.
const PRIVATE_NAMES: [&str; 5] = ["localhost", "local", "home.arpa", "internal", "test"];

impl ForeignUrl {
    /// Reads an address that `service` named.
    pub(super) fn parse(text: &str, service: &BaseUrl) -> Result<Self, NotAsked> {
        let url = Url::parse(text).map_err(|_| NotAsked::NoUrl)?;
        let from_loopback = service.is_loopback();
        let host = url.host().ok_or(NotAsked::NoUrl)?;
        match url.scheme() {
            _ if !url.username().is_empty() || url.password().is_some() => Err(NotAsked::Credentials),
            "https" | "http" if from_loopback && is_loopback(&host) => Ok(Self { url, from_loopback }),
            "https" if is_public(&host) => Ok(Self { url, from_loopback }),
            "https" => Err(NotAsked::Private),
            _ => Err(NotAsked::Plain),
        }
    }

    pub(super) fn into_url(self) -> Url {
        self.url
    }

    /// Resolves the name of its host, and refuses every address that is not public: a name is given by whoever owns it,
    /// and may lead anywhere. The name of a proxy is resolved as it is.
    pub(super) fn resolver(&self) -> Arc<Guard> {
        Arc::new(Guard {
            guarded: self.url.host_str().unwrap_or_default().to_owned(),
            from_loopback: self.from_loopback,
        })
    }
}

/// A resolver that lets one name lead to public addresses only.
#[derive(Debug)]
pub(super) struct Guard {
    guarded: String,
    from_loopback: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guarded = name.as_str().eq_ignore_ascii_case(&self.guarded);
        let from_loopback = self.from_loopback;
        Box::pin(async move {
            // The client puts the port of the URL in its place.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let fit = |found: &SocketAddr| {
                let address = found.ip();
                !guarded || is_public_address(address) || (from_loopback && is_loopback_address(address))
            };
            if found.iter().all(fit) {
                let found: Addrs = Box::new(found.into_iter());
                Ok(found)
            } else {
                Err(io::Error::new(io::ErrorKind::PermissionDenied, NotAsked::Private).into())
            }
        })
    }
}

fn is_public(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => is_public_name(name),
        Host::Ipv4(address) => is_public_v4(*address),
        Host::Ipv6(address) => is_public_v6(*address),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// A name of one label is completed by the machine's own search list.
fn is_public_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let below = |end: &str| name.strip_suffix(end).is_some_and(|rest| rest.ends_with('.'));
    name.contains('.') && !PRIVATE_NAMES.into_iter().any(below)
}

fn is_public_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_loopback_address(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// By IANA's registry of special-purpose addresses.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b));
    !special
}

/// Global unicast alone (`2000::/3`), without what carries another address in itself: 6to4 and Teredo.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x2002, ..] | [0x2001, 0 | 0xdb8, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str, service: &str) -> Result<(), NotAsked> {
        ForeignUrl::parse(text, &service.parse().expect("a base URL")).map(|_| ())
    }

    const PUBLIC: &str = "https://api.digitalocean.com";

    #[test]
    fn public_hosts_are_asked() {
        for text in [
            "https://logs.example/a?token=b",
            "https://logs.example:8443/",
            "https://1.1.1.1/",
            "https://[2606:4700::1111]/",
        ] {
            assert_eq!(asked(text, PUBLIC), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_only_this_machine_can_reach_is_not() {
        for text in [
            "https://localhost/",
            "https://localhost./",
            "https://app.localhost/",
            "https://metadata.google.internal/",
            "https://printer.local/",
            "https://metadata/",
            "https://127.0.0.1/",
            "https://0x7f000001/",
            "https://10.1.2.3/",
            "https://172.16.0.1/",
            "https://192.168.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/",
            "https://0.0.0.0/",
            "https://255.255.255.255/",
            "https://224.0.0.1/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:1.1.1.1]/",
            "https://[fe80::1]/",
            "https://[fd00:ec2::254]/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://[2002:a9fe:a9fe::]/",
        ] {
            assert_eq!(asked(text, PUBLIC), Err(NotAsked::Private), "{text}");
        }
    }

    #[test]
    fn nothing_is_asked_in_the_clear_or_with_a_password() {
        assert_eq!(asked("http://logs.example/", PUBLIC), Err(NotAsked::Plain));
        assert_eq!(asked("file:///proc/self/environ", PUBLIC), Err(NotAsked::NoUrl));
        assert_eq!(asked("/logs", PUBLIC), Err(NotAsked::NoUrl));
        assert_eq!(
            asked("https://me:pw@logs.example/", PUBLIC),
            Err(NotAsked::Credentials)
        );
    }

    #[test]
    fn loopback_may_name_loopback() {
        let sandbox = "http://127.0.0.1:8080";
        assert_eq!(asked("http://127.0.0.1:8080/logs", sandbox), Ok(()));
        assert_eq!(asked("http://10.0.0.1/logs", sandbox), Err(NotAsked::Plain));
        assert_eq!(asked("https://10.0.0.1/logs", sandbox), Err(NotAsked::Private));
        assert_eq!(
            asked("http://127.0.0.1:8080/logs", "http://minio:9000"),
            Err(NotAsked::Plain)
        );
    }

    async fn resolved(guarded: &str, name: &str, from_loopback: bool) -> bool {
        let guarded = guarded.to_owned();
        let guard = Guard {
            guarded,
            from_loopback,
        };
        guard.resolve(name.parse().expect("a name")).await.is_ok()
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_asked() {
        // A name on every machine that resolves to loopback.
        assert!(!resolved("localhost", "localhost", false).await);
        assert!(!resolved("LOCALHOST", "localhost", false).await);
        assert!(resolved("localhost", "localhost", true).await, "the sandbox");
        assert!(resolved("logs.example", "localhost", false).await, "a proxy");
    }
}
