//! The inputs as they arrive: texts, each of which may be missing.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::door::{Door, InputProblem};

/// The environment variable of an input is its name in upper case behind this; hyphens stay (runner 2.336).
const PREFIX: &str = "INPUT_";

/// More than GitHub keeps in one secret or variable (48 KB), so nothing that we could deliver.
const LONGEST: usize = 48 * 1024;

/// Declares the inputs once: as fields for envy, and as a list for `action.yml`, the README and the search for
/// misspelt ones to be compared with.
macro_rules! inputs {
    ($($field:ident = $name:literal),+ $(,)?) => {
        /// Every input, unparsed. An input that is not set arrives as an empty text and becomes `None` here.
        #[derive(Default, Deserialize)]
        pub struct RawInputs {
            $(#[doc = concat!("The input `", $name, "`.")] #[serde(rename = $name)] pub $field: Option<String>,)+
        }

        impl RawInputs {
            /// The inputs that are given, with their values.
            pub(super) fn values(&self) -> impl Iterator<Item = (&'static str, &str)> {
                let values = [$(($name, self.$field.as_deref())),+];
                values.into_iter().filter_map(|(name, value)| Some((name, value?)))
            }
        }

        /// The names of all inputs, in the order of `action.yml`.
        pub const INPUTS: &[&str] = &[$($name),+];
    };
}

inputs! {
    command = "command",
    config = "config",
    app = "app",
    region = "region",
    buckets = "buckets",
    log_bucket = "log-bucket",
    log_prefix = "log-prefix",
    log_retention_days = "log-retention-days",
    cors = "cors",
    cors_origins = "cors-origins",
    cdn = "cdn",
    cdn_ttl = "cdn-ttl",
    cdn_domain = "cdn-domain",
    cdn_certificate_id = "cdn-certificate-id",
    cdn_purge = "cdn-purge",
    key_scope = "key-scope",
    key_name = "key-name",
    access_key_secret = "access-key-secret",
    secret_key_secret = "secret-key-secret",
    credentials_secret = "credentials-secret",
    github_repository = "github-repository",
    github_environment = "github-environment",
    variables = "variables",
    app_platform_app = "app-platform-app",
    app_components = "app-components",
    wait_for_deployment = "wait-for-deployment",
    deployment_timeout = "deployment-timeout",
    max_age = "max-age",
    grace_period = "grace-period",
    force = "force",
    lock_timeout = "lock-timeout",
    run_timeout = "run-timeout",
    adopt_access_key_id = "adopt-access-key-id",
    overwrite = "overwrite",
    revoke_access_key_id = "revoke-access-key-id",
    quarantine = "quarantine",
    access_key = "access-key",
    secret_key = "secret-key",
    app_spec_file = "app-spec-file",
    fail_on = "fail-on",
    export_env = "export-env",
    dry_run = "dry-run",
    report_file = "report-file",
    sarif_file = "sarif-file",
    inventory_file = "inventory-file",
    digitalocean_token = "digitalocean-token",
    spaces_access_key_id = "spaces-access-key-id",
    spaces_secret_access_key = "spaces-secret-access-key",
    github_token = "github-token",
    github_app_id = "github-app-id",
    github_app_private_key = "github-app-private-key",
    digitalocean_api_url = "digitalocean-api-url",
    spaces_endpoint_url = "spaces-endpoint-url",
}

/// The names of all outputs, in the order of `action.yml`.
pub const OUTPUTS: &[&str] = &[
    "changed",
    "rotated",
    "access-key-id",
    "keys",
    "buckets",
    "spaces-endpoint",
    "cdn-endpoint",
    "next-rotation",
    "findings",
    "report",
];

/// The inputs that hold a credential.
pub(super) const SECRET_INPUTS: [&str; 5] = [
    "digitalocean-token",
    "spaces-secret-access-key",
    "secret-key",
    "github-token",
    "github-app-private-key",
];

/// Inputs that a workflow may give to any container action, read by the runner itself.
const OF_THE_RUNNER: [&str; 2] = ["entrypoint", "args"];

/// Values that ask for nothing: an input that this version does not know may have one of them.
const ASKS_FOR_NOTHING: [&str; 2] = ["false", "none"];

impl RawInputs {
    /// Collects the inputs out of environment variables. A name may have underscores for hyphens, because no shell can
    /// set a variable with hyphens.
    pub(super) fn collect(variables: &BTreeMap<String, String>, door: &mut Door) -> Self {
        let named = variables
            .iter()
            .filter_map(|(name, value)| Some((input_name(name)?, value)));
        let set: Vec<(String, String)> = named
            .filter(|(_, value)| !value.trim().is_empty())
            .map(|(name, value)| (name, value.clone()))
            .collect();
        for (name, value) in &set {
            inspect(name, value, door);
        }
        envy::from_iter(set).unwrap_or_default()
    }
}

impl RawInputs {
    /// Whether no input is given but the command.
    pub(super) fn say_nothing_but_the_command(&self) -> bool {
        self.values().all(|(name, _)| name == "command")
    }

    /// Whether no bucket and no key is asked for.
    pub(super) fn wish_for_nothing(&self) -> bool {
        self.buckets.is_none() && self.log_bucket.is_none() && self.key_name.is_none()
    }
}

/// The input that a variable stands for.
pub(super) fn input_name(variable: &str) -> Option<String> {
    let name = variable.strip_prefix(PREFIX)?;
    Some(name.to_ascii_lowercase().replace(['_', ' '], "-"))
}

fn inspect(name: &str, value: &str, door: &mut Door) {
    if let Some(known) = INPUTS.iter().find(|known| **known == name) {
        if value.len() > LONGEST {
            let size = value.len() / 1024;
            door.refuse(
                known,
                format!("it is {size} KB long; GitHub keeps at most 48 KB in a secret or variable"),
            );
        }
    } else if !OF_THE_RUNNER.contains(&name) && !ASKS_FOR_NOTHING.contains(&value.trim()) {
        door.problems.push(InputProblem::unknown(name, closest(name)));
    }
}

/// The input that was probably meant: the one that shares the longest start.
fn closest(name: &str) -> Option<&'static str> {
    let shared = |known: &str| {
        known
            .bytes()
            .zip(name.bytes())
            .take_while(|(a, b)| a == b)
            .count()
    };
    let best = INPUTS.iter().max_by_key(|known| shared(known))?;
    (shared(best) >= 4).then_some(best)
}
