//! Which face a host name belongs to.

use crate::journal::FaceName;
use crate::sandbox::Ports;

pub(super) const DIGITALOCEAN_HOST: &str = "api.digitalocean.com";
pub(super) const GITHUB_HOST: &str = "api.github.com";
pub(super) const SPACES_DOMAIN: &str = "digitaloceanspaces.com";

/// The hosts that the edge plays.
#[derive(Debug)]
pub(super) struct Routes {
    github_hosts: Vec<String>,
    ports: Ports,
}

impl Routes {
    pub(super) fn new(github_hosts: Vec<String>, ports: Ports) -> Self {
        Self { github_hosts, ports }
    }

    /// The face of `host` or `host:port`; `None` for hosts that are not played.
    pub(super) fn face(&self, authority: &str) -> Option<FaceName> {
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        let host = host.to_ascii_lowercase();
        match host.as_str() {
            DIGITALOCEAN_HOST => Some(FaceName::DigitalOcean),
            GITHUB_HOST => Some(FaceName::GitHub),
            "127.0.0.1" | "localhost" => self.face_on(port.parse().ok()?),
            _ if self.github_hosts.contains(&host) => Some(FaceName::GitHub),
            _ if is_under(&host, SPACES_DOMAIN) => Some(FaceName::Spaces),
            _ => None,
        }
    }

    /// The face on a port of ours, for clients that send loopback through the proxy too.
    fn face_on(&self, port: u16) -> Option<FaceName> {
        let faces = [
            (self.ports.digitalocean, FaceName::DigitalOcean),
            (self.ports.spaces, FaceName::Spaces),
            (self.ports.github, FaceName::GitHub),
        ];
        let mut found = faces.into_iter().filter(|(own, _)| *own == port);
        found.next().map(|(_, face)| face)
    }
}

fn is_under(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|label| label.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_played_hosts_have_a_face() {
        let ports = Ports::from_base(9000);
        let routes = Routes::new(vec!["github.acme.example".to_owned()], ports);
        let face = |host| routes.face(host);
        assert_eq!(face("API.digitalocean.com:443"), Some(FaceName::DigitalOcean));
        assert_eq!(face("shop.nyc3.digitaloceanspaces.com"), Some(FaceName::Spaces));
        assert_eq!(face("github.acme.example:443"), Some(FaceName::GitHub));
        assert_eq!(face("127.0.0.1:9001"), Some(FaceName::Spaces));
        assert_eq!(face("evildigitaloceanspaces.com"), None);
        assert_eq!(face("example.com:443"), None);
    }
}
