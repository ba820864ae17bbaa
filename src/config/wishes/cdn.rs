//! What is wished of the CDN.

use super::super::defaults;
use super::super::door::Door;
use super::super::inputs::RawInputs;
use super::super::values::switch;
use crate::model::cdn::{CdnDomain, CdnWish};

/// Reads the inputs about the CDN; nothing when none is wished for.
pub(super) fn cdn_wish(raw: &RawInputs, door: &mut Door) -> Option<CdnWish> {
    let wanted = door.parse("cdn", raw.cdn.as_deref().or(Some(defaults::CDN)), switch)?;
    let ttl = door.parse("cdn-ttl", raw.cdn_ttl.as_deref(), str::parse);
    let purge = door.parse(
        "cdn-purge",
        raw.cdn_purge.as_deref().or(Some(defaults::CDN_PURGE)),
        switch,
    )?;
    let domain = domain(raw, door);
    if !wanted {
        refuse_unheeded(raw, purge, door);
        return None;
    }
    Some(CdnWish { ttl, domain, purge })
}

fn domain(raw: &RawInputs, door: &mut Door) -> Option<CdnDomain> {
    let certificate = raw.cdn_certificate_id.as_deref().map(str::trim);
    let name = door.parse("cdn-domain", raw.cdn_domain.as_deref(), host_name);
    match (name, certificate) {
        (Some(name), Some(certificate)) => Some(CdnDomain {
            name,
            certificate_id: certificate.to_owned(),
        }),
        (Some(_), None) => {
            let what =
                "it is missing; a domain of your own needs a certificate (its id, or needs-cloudflare-cert)";
            door.refuse("cdn-certificate-id", what);
            None
        }
        (None, Some(_)) if raw.cdn_domain.is_none() => {
            door.refuse(
                "cdn-certificate-id",
                "it is a certificate, but cdn-domain is not set",
            );
            None
        }
        (None, _) => None,
    }
}

/// A host name: labels of letters, digits and hyphens, at least two.
pub(in crate::config) fn host_name(text: &str) -> Result<String, &'static str> {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let labels: Vec<&str> = text.split('.').collect();
    if text.len() <= 253 && labels.len() >= 2 && labels.into_iter().all(label) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("it is no host name; write one such as assets.shop.example, without https:// and path")
    }
}

/// Who believes that there is a CDN must not be mistaken.
fn refuse_unheeded(raw: &RawInputs, purge: bool, door: &mut Door) {
    let given = [
        ("cdn-ttl", raw.cdn_ttl.is_some()),
        ("cdn-domain", raw.cdn_domain.is_some()),
        ("cdn-purge", purge),
    ];
    for (input, _) in given.iter().filter(|(_, given)| *given) {
        door.refuse(input, "it says something about the CDN, but cdn is not true");
    }
}
