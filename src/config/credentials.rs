//! The credentials among what the process is given, found before anything is understood: whatever becomes of the request,
//! none of them may be told.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

use super::given::Given;
use super::inputs::{Input, Takes, input_name};
use crate::scrub::SHORTEST;

/// Variables that hold a credential. Ours are there; a suffix stands for a bucket, where each has its own key.
const SECRET_VARIABLES: [&str; 4] = [
    "DIGITALOCEAN_ACCESS_TOKEN",
    "DIGITALOCEAN_TOKEN",
    "SPACES_SECRET_ACCESS_KEY",
    "SPACES_SECRET_KEY",
];

/// Every credential that was given, by flags (out of files) or by the environment, each once; what is too short to be one
/// is left out.
#[must_use]
pub fn credentials(given: &Given) -> Vec<SecretString> {
    let flags = given
        .flags
        .iter()
        .filter_map(|(name, value)| Some((Input::named(name)?.variable(), value)));
    let variables = given
        .environment
        .iter()
        .map(|(name, value)| (name.clone(), value));
    let all: Vec<(String, &String)> = flags.chain(variables).collect();
    let whole = all.iter().filter(|(name, _)| is_secret(name));
    let whole = whole.map(|(_, value)| value.trim().to_owned());
    let passwords = all
        .iter()
        .filter(|(name, _)| is_address(name))
        .flat_map(|(_, value)| passwords(value));
    let found: BTreeSet<String> = whole.chain(passwords).collect();
    let found = found.into_iter().filter(|value| value.len() >= SHORTEST);
    found.map(SecretString::from).collect()
}

fn is_secret(name: &str) -> bool {
    let variable = |known: &str| {
        name.strip_prefix(known)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    let input = input_name(name).and_then(|name| Input::named(&name));
    SECRET_VARIABLES.into_iter().any(variable) || input.is_some_and(|input| input.takes == Takes::Secret)
}

/// Addresses of services and of proxies may hold a password.
fn is_address(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["_PROXY", "_URL", "-URL", "_ENDPOINT"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// The password of an address as it is written and as it is meant. A proxy may be named without its scheme.
fn passwords(address: &str) -> Vec<String> {
    let parsed = Url::parse(address).ok().filter(Url::has_host);
    let Some(url) = parsed.or_else(|| Url::parse(&format!("http://{address}")).ok()) else {
        return Vec::new();
    };
    let written = url.password().unwrap_or_default();
    let meant = percent_decode_str(written).decode_utf8_lossy().into_owned();
    vec![written.to_owned(), meant]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use secrecy::ExposeSecret;

    use super::*;

    fn found(variables: &[(&str, &str)]) -> Vec<String> {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let found = credentials(&Given::from(variables.collect::<BTreeMap<_, _>>()));
        found
            .iter()
            .map(|secret| secret.expose_secret().to_owned())
            .collect()
    }

    #[test]
    fn whatever_is_secret_is_found_however_it_is_spelt() {
        for name in [
            "INPUT_GITHUB-TOKEN",
            "INPUT_GITHUB_TOKEN",
            "INPUT_GITHUB-APP-PRIVATE-KEY",
            "INPUT_SECRET-KEY",
            "DIGITALOCEAN_TOKEN",
            "SPACES_SECRET_KEY_SHOP_UPLOADS",
        ] {
            assert_eq!(found(&[(name, " canary-canary\n")]), ["canary-canary"], "{name}");
        }
    }

    #[test]
    fn what_is_public_or_too_short_is_not() {
        for (name, value) in [
            ("INPUT_REGION", "a-region-of-many-letters"),
            ("SPACES_ACCESS_KEY_ID", "DO00EXAMPLEEXAMPLE00"),
            ("INPUT_SPACES-ACCESS-KEY-ID", "DO00EXAMPLEEXAMPLE00"),
            ("INPUT_SECRET-KEY-SECRET", "SPACES_SECRET_KEY"),
            ("INPUT_SECRET-KEY", "nyc3"),
            ("HTTPS_PROXY", "http://proxy.example:3128"),
        ] {
            assert_eq!(found(&[(name, value)]), [""; 0], "{name}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_a_credential() {
        for address in [
            "http://me:c%61nary-pw@proxy.example:3128",
            "me:c%61nary-pw@proxy.example:3128",
        ] {
            assert_eq!(
                found(&[("https_proxy", address)]),
                ["c%61nary-pw", "canary-pw"],
                "{address}"
            );
        }
        assert_eq!(
            found(&[("INPUT_DIGITALOCEAN-API-URL", "https://me:canary-pw@gw.example")]),
            ["canary-pw"]
        );
    }
}
