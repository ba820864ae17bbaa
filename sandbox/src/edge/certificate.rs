//! A private certificate authority, made anew at each start.

use std::error::Error;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::route::{DIGITALOCEAN_HOST, GITHUB_HOST, SPACES_DOMAIN};

/// The regions that have Spaces; a wildcard covers one label only, so each needs one.
const REGIONS: [&str; 11] = [
    "nyc3", "sfo2", "sfo3", "ams3", "fra1", "lon1", "sgp1", "blr1", "tor1", "syd1", "atl1",
];

/// What the edge shows to its clients, and what they need to trust it.
pub(super) struct Identity {
    pub(super) ca_pem: String,
    pub(super) server: ServerConfig,
}

impl Identity {
    /// An authority, and one certificate of it for all names of the faces.
    pub(super) fn issue(github_hosts: &[String]) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let ca_key = KeyPair::generate()?;
        let ca = authority();
        let ca_pem = ca.self_signed(&ca_key)?.pem();
        let key = KeyPair::generate()?;
        let mut leaf = CertificateParams::new(names(github_hosts))?;
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        let certificate = leaf.signed_by(&key, &Issuer::new(ca, ca_key))?;
        let server = server(certificate.der().clone(), &key)?;
        Ok(Self { ca_pem, server })
    }
}

fn authority() -> CertificateParams {
    let mut ca = CertificateParams::default();
    ca.distinguished_name
        .push(DnType::CommonName, "Spacekeeper sandbox");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca
}

fn names(github_hosts: &[String]) -> Vec<String> {
    let fixed = [DIGITALOCEAN_HOST, GITHUB_HOST, "localhost", "127.0.0.1"].map(str::to_owned);
    let of_regions = REGIONS.map(|region| format!("*.{region}.{SPACES_DOMAIN}"));
    let mut names = vec![format!("*.{SPACES_DOMAIN}")];
    names.extend(fixed);
    names.extend(of_regions);
    names.extend_from_slice(github_hosts);
    names
}

fn server(
    certificate: CertificateDer<'static>,
    key: &KeyPair,
) -> Result<ServerConfig, tokio_rustls::rustls::Error> {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut server = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(server)
}
