//! Addresses of services: parsed by the one parser, never quoted, and told where a credential would travel in the clear.

use hyper_util::client::proxy::matcher::Matcher;

use super::door::Door;
use super::request::Environment;
use crate::model::base_url::BaseUrl;

/// Reads the address that an input gives. It is not quoted: a wrong one may hold a password.
pub(super) fn address(
    input: &str,
    given: Option<&str>,
    environment: &Environment,
    door: &mut Door,
) -> Option<BaseUrl> {
    match given?.trim().parse() {
        Ok(url) => {
            tell_exposure(input, &url, environment, door);
            Some(url)
        }
        Err(why) => {
            door.refuse(input, format!("the address is not accepted: {why}"));
            None
        }
    }
}

fn tell_exposure(input: &str, url: &BaseUrl, environment: &Environment, door: &mut Door) {
    if let Some(how) = exposure(url, environment) {
        let what =
            format!("{input}: {url} is plain http{how}, so everyone on the way can read the credentials");
        door.warnings.push(what);
    }
}

/// How what is sent to an address leaves this machine unencrypted; nothing if it does not.
fn exposure(url: &BaseUrl, environment: &Environment) -> Option<String> {
    if !url.is_plain() {
        return None;
    }
    if !url.is_loopback() {
        return Some(String::new());
    }
    let proxy = proxies(environment).intercept(url.uri())?;
    let host = proxy.uri().authority()?.as_str();
    let elsewhere = format!("http://{host}")
        .parse()
        .is_ok_and(|proxy: BaseUrl| !proxy.is_loopback());
    elsewhere.then(|| {
        format!(
            " and goes through the proxy {host} (name {} in NO_PROXY)",
            url.host()
        )
    })
}

/// The proxies, chosen as the HTTP client chooses them.
fn proxies(environment: &Environment) -> Matcher {
    let set = |names: [&str; 2]| {
        let mut values = names.iter().filter_map(|name| environment.get(*name));
        values.next().cloned().unwrap_or_default()
    };
    Matcher::builder()
        .all(set(["ALL_PROXY", "all_proxy"]))
        .http(set(["HTTP_PROXY", "http_proxy"]))
        .no(set(["NO_PROXY", "no_proxy"]))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(url: &str, variables: &[(&str, &str)]) -> Vec<String> {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut door = Door::default();
        address("a", Some(url), &variables.collect(), &mut door).expect("an address");
        door.warnings
    }

    #[test]
    fn plain_http_is_told_unless_it_stays_on_the_machine() {
        for exposed in [
            "http://minio:9000",
            "HTTP://gw.example",
            "http://127.0.0.1.example.net",
        ] {
            assert!(
                told(exposed, &[])[0].contains("is plain http, so everyone"),
                "{exposed}"
            );
        }
        for safe in ["https://gw.example", "http://127.0.0.1:9000", "http://0x7f000001"] {
            assert_eq!(told(safe, &[]), [""; 0], "{safe}");
        }
    }

    #[test]
    fn a_proxy_takes_loopback_off_the_machine() {
        let loopback = "http://127.0.0.1:9000";
        for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            let told = told(loopback, &[(name, "http://me:canary-pw@proxy.example:3128")]);
            assert!(
                told[0].contains("through the proxy proxy.example:3128"),
                "{told:?}"
            );
            assert!(!told[0].contains("canary"), "{told:?}");
        }
        let proxy = ("HTTP_PROXY", "proxy.example:3128");
        assert_eq!(told(loopback, &[proxy, ("NO_PROXY", "127.0.0.1")]), [""; 0]);
        assert_eq!(
            told(loopback, &[("HTTPS_PROXY", "http://proxy.example:3128")]),
            [""; 0]
        );
        assert_eq!(
            told(loopback, &[("HTTP_PROXY", "http://localhost:3128")]),
            [""; 0]
        );
    }

    #[test]
    fn a_wrong_address_is_not_quoted() {
        let mut door = Door::default();
        for wrong in [
            "https://me:canary@gw.example",
            "me:canary@gw.example",
            "ftp://me:canary@x",
            "https://x?canary",
        ] {
            assert_eq!(address("a", Some(wrong), &Environment::new(), &mut door), None);
        }
        assert!(
            !format!("{:?}", door.problems).contains("canary"),
            "{:?}",
            door.problems
        );
    }
}
