//! Credentials and endpoints: what opens the three services.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::addresses::address;
use super::door::Door;
use super::inputs::RawInputs;
use super::values::key_id;
use crate::model::base_url::BaseUrl;
use crate::model::bucket::Region;
use crate::model::endpoint::{SpacesHost, SpacesUrl};
use crate::model::key::AccessKeyId;
use crate::scrub::SHORTEST;

/// DigitalOcean's public API.
const DIGITALOCEAN_API: &str = "https://api.digitalocean.com";

/// The public endpoints of Spaces; `{region}` stands for the slug.
const SPACES_ENDPOINT: &str = "https://{region}.digitaloceanspaces.com";

/// GitHub's public API, for runs outside Actions, where nobody sets `GITHUB_API_URL`.
const GITHUB_API: &str = "https://api.github.com";

/// How the three services are reached, and with what.
#[derive(Debug, Clone)]
pub struct Access {
    /// The token for keys and apps; only buckets with a supplied pair can do without.
    pub digitalocean: Option<SecretString>,
    /// The base URL of DigitalOcean's API.
    pub digitalocean_url: BaseUrl,
    /// A full-access pair to use instead of a short-lived admin key.
    pub full_access: Option<FullAccessPair>,
    /// The endpoint of Spaces.
    pub spaces_url: SpacesUrl,
    /// What opens GitHub; only buckets alone can do without.
    pub github: Option<GitHubAccess>,
}

/// A full-access key that the user supplied.
#[derive(Debug, Clone)]
pub struct FullAccessPair {
    /// Its id.
    pub id: AccessKeyId,
    /// Its secret.
    pub secret: SecretString,
}

/// What opens GitHub, and where it is.
#[derive(Debug, Clone)]
pub struct GitHubAccess {
    /// The base URL of its API, path prefix included.
    pub url: BaseUrl,
    /// The credential.
    pub credential: Credential,
}

/// A credential for GitHub.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A personal access token or an installation token.
    Token(SecretString),
    /// A GitHub App that mints an installation token of its own, narrowed to what is needed.
    App {
        /// Its client id or app id.
        id: String,
        /// Its private key, PEM.
        private_key: SecretString,
    },
}

impl Access {
    /// The endpoint of Spaces in a region.
    #[must_use]
    pub fn spaces_endpoint(&self, region: Region) -> String {
        self.spaces_url.at(region)
    }

    /// Whether other regions are reached at other URLs, so that a bucket can be looked for there.
    #[must_use]
    pub fn knows_regions_apart(&self) -> bool {
        self.spaces_url.knows_regions_apart()
    }

    pub(super) fn read(raw: &RawInputs, variables: &BTreeMap<String, String>, door: &mut Door) -> Self {
        let digitalocean_url = url(
            "digitalocean-api-url",
            raw.digitalocean_api_url
                .as_ref()
                .or_else(|| set(variables, "DIGITALOCEAN_API_URL")),
            DIGITALOCEAN_API,
            variables,
            door,
        );
        let spaces_url = raw.spaces_endpoint_url.as_ref();
        let spaces_url = spaces_url.or_else(|| set(variables, "SPACES_ENDPOINT_URL"));
        Self {
            digitalocean: digitalocean_token(raw, variables, door),
            digitalocean_url,
            full_access: full_access_pair(raw, variables, door),
            spaces_url: spaces_address(spaces_url, variables, door),
            github: github(raw, variables, door),
        }
    }
}

/// A variable that is set to more than nothing.
fn set<'a>(variables: &'a BTreeMap<String, String>, name: &str) -> Option<&'a String> {
    variables.get(name).filter(|value| !value.trim().is_empty())
}

fn url(
    input: &str,
    given: Option<&String>,
    public: &str,
    variables: &BTreeMap<String, String>,
    door: &mut Door,
) -> BaseUrl {
    let given = address(input, given.map(String::as_str), variables, door);
    given.unwrap_or_else(|| public.parse().expect("a public address is one"))
}

/// The endpoint of Spaces. `{` is no character of a URL, so the parser sees a region in its place.
fn spaces_address(
    given: Option<&String>,
    variables: &BTreeMap<String, String>,
    door: &mut Door,
) -> SpacesUrl {
    let public = || SpacesUrl::new(SPACES_ENDPOINT);
    let Some(given) = given else { return public() };
    let spaces_url = SpacesUrl::new(given.trim().trim_end_matches('/'));
    let somewhere = Region::all().next().map(|region| spaces_url.at(region));
    let Some(parsed) = address("spaces-endpoint-url", somewhere.as_deref(), variables, door) else {
        return public();
    };
    if let Some(what) = misplaced(&parsed) {
        door.refuse(
            "spaces-endpoint-url",
            format!("{what}; write {SPACES_ENDPOINT}, with `{{region}}` as it stands here, or leave it out"),
        );
    }
    spaces_url
}

/// What an address at Spaces names beside its endpoint.
pub(super) fn misplaced(url: &BaseUrl) -> Option<&'static str> {
    match SpacesHost::of(url.host())? {
        SpacesHost::Endpoint(_) if url.has_path() => Some("it has a path, and buckets are named elsewhere"),
        SpacesHost::Endpoint(_) => None,
        SpacesHost::Bucket(_) => {
            Some("it names a bucket in front of the region, and buckets are named elsewhere")
        }
        SpacesHost::Cdn(_) => Some("it is an address of the CDN, which takes no requests of the API"),
        SpacesHost::Nothing => Some("it names no region that Spaces has"),
    }
}

fn digitalocean_token(
    raw: &RawInputs,
    variables: &BTreeMap<String, String>,
    door: &mut Door,
) -> Option<SecretString> {
    let env = || {
        ["DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN"]
            .iter()
            .find_map(|name| set(variables, name))
    };
    token(
        "digitalocean-token",
        raw.digitalocean_token.as_ref().or_else(env).map(String::as_str),
        door,
    )
}

fn full_access_pair(
    raw: &RawInputs,
    variables: &BTreeMap<String, String>,
    door: &mut Door,
) -> Option<FullAccessPair> {
    let id = raw
        .spaces_access_key_id
        .as_ref()
        .or_else(|| set(variables, "SPACES_ACCESS_KEY_ID"));
    let secret = raw
        .spaces_secret_access_key
        .as_ref()
        .or_else(|| set(variables, "SPACES_SECRET_ACCESS_KEY"));
    let asked_for = raw.spaces_access_key_id.is_some() || raw.spaces_secret_access_key.is_some();
    match (id, secret) {
        (None, None) => None,
        // Half a pair in the job's environment is somebody else's: our own variable SPACES_ACCESS_KEY_ID often is there.
        (Some(_), None) | (None, Some(_)) if !asked_for => None,
        (Some(id), Some(secret)) => {
            // Not quoted: what stands there by mistake may be the secret.
            let id = key_id(id).map_err(|refusal| door.refuse("spaces-access-key-id", refusal));
            let secret = token("spaces-secret-access-key", Some(secret.as_str()), door);
            Some(FullAccessPair {
                id: id.ok()?,
                secret: secret?,
            })
        }
        (Some(_), None) => {
            door.refuse(
                "spaces-secret-access-key",
                "it is missing, while spaces-access-key-id is set; give both or none",
            );
            None
        }
        (None, Some(_)) => {
            door.refuse(
                "spaces-access-key-id",
                "it is missing, while spaces-secret-access-key is set; give both or none",
            );
            None
        }
    }
}

fn github(raw: &RawInputs, variables: &BTreeMap<String, String>, door: &mut Door) -> Option<GitHubAccess> {
    let url = url(
        "GITHUB_API_URL",
        set(variables, "GITHUB_API_URL"),
        GITHUB_API,
        variables,
        door,
    );
    let credential = match (&raw.github_token, &raw.github_app_id, &raw.github_app_private_key) {
        (None, None, None) => return None,
        (Some(_), None, None) => Credential::Token(token("github-token", raw.github_token.as_deref(), door)?),
        (None, Some(id), Some(key)) => Credential::App {
            id: id.trim().to_owned(),
            private_key: SecretString::from(key.clone()),
        },
        (Some(_), _, _) => {
            return refused(
                door,
                "github-token",
                "it is set beside github-app-…; give one of the two",
            );
        }
        (None, None, Some(_)) => {
            return refused(
                door,
                "github-app-id",
                "it is missing, while the private key is set",
            );
        }
        (None, Some(_), None) => {
            return refused(
                door,
                "github-app-private-key",
                "it is missing, while github-app-id is set",
            );
        }
    };
    Some(GitHubAccess { url, credential })
}

fn refused(door: &mut Door, input: &str, what: &str) -> Option<GitHubAccess> {
    door.refuse(input, what);
    None
}

/// A token without the white space around it. A newline at the end comes from pasting or from `echo` without `-n`, and
/// would end in a header that no client sends.
///
/// One that is too short to be a credential is refused: it could not be hidden without hiding words.
fn token(input: &str, given: Option<&str>, door: &mut Door) -> Option<SecretString> {
    let given = given?;
    let token = given.trim();
    if token.len() != given.len() {
        door.warnings.push(format!(
            "{input}: white space around the value was trimmed; store it again without"
        ));
    }
    if token.chars().any(|c| c.is_whitespace() || c.is_control()) {
        door.refuse(
            input,
            "it has white space inside (the value is not shown); was it pasted with a line break?",
        );
        return None;
    }
    if !token.is_ascii() {
        let what = "it has characters that no token has (the value is not shown); was something else pasted?";
        door.refuse(input, what);
        return None;
    }
    if token.len() < SHORTEST {
        let what = format!(
            "it is shorter than {SHORTEST} characters (the value is not shown), so it is no credential"
        );
        door.refuse(input, what);
        return None;
    }
    Some(SecretString::from(token.to_owned()))
}
