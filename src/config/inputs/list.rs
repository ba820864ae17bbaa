//! The one list of inputs. The fields for envy, the flags, the help, the completions, the inputs of `action.yml` and the
//! table of the README are made of it; `UPDATE_DOCS=1 cargo test --test promises surface` writes the last two.

use serde::Deserialize;

use super::super::defaults;
use super::super::errand::Command::{self, Audit, Bootstrap, Check, Revoke, Rotate};
use super::declared::Takes::{List, OneOf, Path, Secret, Switch, Text};
use super::declared::Unset::{Default, Nothing, Words};
use super::declared::{Group, Input};

const ALL: &[Command] = &[Bootstrap, Rotate, Revoke, Check, Audit];
/// Those that are given what a key opens and who receives it.
const WANTS: &[Command] = &[Bootstrap, Rotate, Revoke, Check];
/// Those that change something.
const WORKS: &[Command] = &[Bootstrap, Rotate, Revoke];
/// Those that look at the settings of buckets.
const BUCKETS: &[Command] = &[Bootstrap, Check];
/// Those that open buckets under a full-access key.
const OPENS: &[Command] = &[Bootstrap, Check, Audit];
const LOOKS: &[Command] = &[Check, Audit];

/// A row is: the field, the name, what it takes, what it means when nobody gives it, which commands heed it, and what it
/// is about. The last is read in `action.yml`, in the README and at a terminal: sentences without the last full stop, no
/// links, no word on the default.
macro_rules! inputs {
    ($($group:ident {
        $($field:ident = $name:literal, $takes:expr, $unset:expr, $heeded:expr, $about:literal;)+
    })+) => {
        /// Every input, unparsed. An input that is not set arrives as an empty text and becomes `None` here.
        #[derive(Default, Deserialize)]
        pub struct RawInputs {
            $($(#[doc = concat!("The input `", $name, "`.")] #[serde(rename = $name)] pub $field: Option<String>,)+)+
        }

        impl RawInputs {
            /// The inputs that are given, with their values.
            pub(in crate::config) fn values(&self) -> impl Iterator<Item = (&'static str, &str)> {
                let values = [$($(($name, self.$field.as_deref())),+),+];
                values.into_iter().filter_map(|(name, value)| Some((name, value?)))
            }
        }

        impl Input {
            /// All inputs, in the order of `action.yml`.
            pub const ALL: &'static [Self] = &[$($(Self {
                name: $name,
                file_flag: concat!($name, "-file"),
                group: Group::$group,
                takes: $takes,
                unset: $unset,
                heeded_by: $heeded,
                about: $about,
            }),+),+];
        }

        /// The names of all inputs, in the order of `action.yml`.
        pub const INPUTS: &[&str] = &[$($($name),+),+];
    };
}

inputs! {
    Request {
        command = "command", OneOf(&["bootstrap", "rotate", "revoke", "check", "audit"]), Default(defaults::COMMAND), ALL,
            "What to do. `bootstrap` makes the world match the request, and changes nothing where it already does. \
             `rotate` replaces keys that are due and deletes old ones that nothing holds any more. `revoke` replaces a \
             compromised key now and deletes it as soon as its successor is delivered. `check` compares the world with \
             the request and tries the credentials. `audit` lists what the account holds";
        config = "config", Path, Words("`.github/spaces.yml` where it exists and no input about one app is given"), ALL,
            "Path within the workspace of a manifest, which describes many apps, buckets and keys in place of the inputs \
             about one app";
        app = "app", Text("NAME"), Nothing, WANTS,
            "Name of the app; the names of its keys and log prefixes begin with it. Needed where `key-name` and \
             `log-prefix` do not make up for it";
        region = "region", OneOf(&["ams3", "atl1", "blr1", "fra1", "lon1", "nyc3", "sfo2", "sfo3", "sgp1", "syd1", "tor1"]),
            Default(defaults::REGION), ALL,
            "Spaces region of all buckets: ams3, atl1, blr1, fra1, lon1, nyc3, sfo2, sfo3, sgp1, syd1 or tor1";
    }
    Buckets {
        buckets = "buckets", List("NAME[=read|=readwrite]"), Nothing, WANTS,
            "Buckets, one a line, as `NAME`, `NAME=read` or `NAME=readwrite`, as which a plain `NAME` counts. Required \
             without a manifest. They are made where they are missing; nothing in them is ever deleted";
        log_bucket = "log-bucket", Text("NAME"), Nothing, BUCKETS,
            "Bucket that receives the access logs of the others; must not be one of them";
        log_prefix = "log-prefix", Text("PREFIX"), Words("`access-logs/{app}/{bucket}/`"), BUCKETS,
            "Prefix of the access logs; `{app}` and `{bucket}` are filled in";
        log_retention_days = "log-retention-days", Text("DAYS"), Words("expiry is left as it is"), BUCKETS,
            "Days after which access logs expire. Expiry rules that are not ours stay in any case";
        cors = "cors", Text("RULES"), Words("left as it is"), BUCKETS,
            "CORS rules of every bucket but the one for logs: `private-uploads` (presigned uploads from browsers), \
             `public-assets`, `none` (removes ours), or rules as JSON or YAML. An origin that several rules name is given what all of them allow; rules of others stay";
        cors_origins = "cors-origins", List("ORIGIN"), Nothing, BUCKETS,
            "Pages that may use the buckets, one a line, such as `https://shop.example`. `from-app` stands for the live \
             URL and the custom domains of `app-platform-app`";
        cdn = "cdn", Switch, Default(defaults::CDN), BUCKETS,
            "Put a CDN endpoint before every bucket but the one for logs";
        cdn_ttl = "cdn-ttl", OneOf(&["60", "600", "3600", "86400", "604800"]), Nothing, BUCKETS,
            "Seconds that the CDN keeps an object: 60, 600, 3600, 86400 or 604800";
        cdn_domain = "cdn-domain", Text("HOST"), Nothing, BUCKETS,
            "Host name of your own for the CDN endpoint. Needs a certificate";
        cdn_certificate_id = "cdn-certificate-id", Text("ID"), Nothing, BUCKETS,
            "Id of the certificate for `cdn-domain`, or `needs-cloudflare-cert`";
        cdn_purge = "cdn-purge", Switch, Default(defaults::CDN_PURGE), &[Bootstrap],
            "Empty the cache of the CDN after a run has changed CORS, ACL or CDN settings of its bucket";
    }
    Keys {
        key_scope = "key-scope", OneOf(&["app", "bucket", "none"]), Default(defaults::KEY_SCOPE), WANTS,
            "`app` mints one key for all buckets, `bucket` one for each. `none` mints none: with a full-access pair it \
             needs neither a DigitalOcean nor a GitHub token, and works on MinIO and other S3 servers too";
        key_name = "key-name", Text("NAME"), Words("`<app>-spaces-key`, or `<app>-<bucket>-spaces-key`"), WANTS,
            "Name of the key family. With `key-scope: bucket` it must contain `{bucket}`. Names of more than 29 \
             characters are refused here, and cut to a fingerprint where they come from the app's name";
    }
    GitHub {
        access_key_secret = "access-key-secret", Text("NAME"), Default(defaults::ACCESS_KEY_SECRET), WANTS,
            "GitHub secret for the access key id. With `key-scope: bucket` the bucket's name is appended in UPPER_SNAKE, \
             as to the other names of secrets";
        secret_key_secret = "secret-key-secret", Text("NAME"), Default(defaults::SECRET_KEY_SECRET), WANTS,
            "GitHub secret for the secret key";
        credentials_secret = "credentials-secret", Text("NAME"), Nothing, WANTS,
            "One more secret, with bucket, region, endpoint, access_key and secret_key as JSON, for readers that must \
             never see the id of one key beside the secret of another";
        github_repository = "github-repository", Text("OWNER/NAME"), Words("the workflow's own"), WANTS,
            "Repository that receives secrets and variables, as `OWNER/NAME`";
        github_environment = "github-environment", Text("NAME"), Nothing, WANTS,
            "Environment of that repository that receives them instead of the repository itself. It must exist";
        variables = "variables", Switch, Default(defaults::VARIABLES), WANTS,
            "Also write the Actions variables `SPACES_ACCESS_KEY_ID`, `SPACES_BUCKET`, `SPACES_REGION`, `SPACES_ENDPOINT` \
             and, with a CDN, `SPACES_CDN_ENDPOINT`";
    }
    AppPlatform {
        app_platform_app = "app-platform-app", Text("ID or NAME"), Nothing, WANTS,
            "Id or name of the App Platform app whose environment receives the credentials. It is redeployed, with the \
             code that it has";
        app_components = "app-components", List("NAME"), Words("the app as a whole"), WANTS,
            "Components of that app that receive them, one a line";
        wait_for_deployment = "wait-for-deployment", Switch, Default(defaults::WAIT_FOR_DEPLOYMENT), WORKS,
            "Wait until the deployment that carries the new key is active, and fail when it fails";
        deployment_timeout = "deployment-timeout", Text("SPAN"), Default(defaults::DEPLOYMENT_TIMEOUT), WORKS,
            "How long to wait for it";
    }
    Rotation {
        max_age = "max-age", Text("SPAN"), Default(defaults::MAX_AGE), ALL,
            "No key outlives this, its overlap with its successor included, where `rotate` is scheduled at least daily and \
             starts up to an hour late. It replaces a key at max-age − grace − 51h. Must exceed twice the grace period \
             by 51h 30m, or the grace period by 78h 30m; 52h without a grace period";
        grace_period = "grace-period", Text("SPAN"), Default(defaults::GRACE_PERIOD), WANTS,
            "How long a superseded key is kept at least after its successor serves";
        force = "force", Switch, Default(defaults::FORCE), &[Rotate],
            "With `rotate`: replace keys that are not due too";
        lock_timeout = "lock-timeout", Text("SPAN"), Default(defaults::LOCK_TIMEOUT), WORKS,
            "How long to wait for another run that is replacing the same key. `0` fails at once";
        run_timeout = "run-timeout", Text("SPAN"), Default(defaults::RUN_TIMEOUT), ALL,
            "After this the run takes back what must not stay, tells how far it came, and fails. Keep it below the job's \
             own limit (`timeout-minutes`). From `1s` to `5d`";
        adopt_access_key_id = "adopt-access-key-id", Text("ID"), Nothing, WANTS,
            "Id of a hand-made key that the new key replaces. It is deleted when grace is over and nothing holds it, as an \
             own one would be";
        overwrite = "overwrite", Switch, Default(defaults::OVERWRITE), WANTS,
            "Replace secrets, variables and app entries of the same names that are not ours: nobody can read a secret back, \
             so without it (or `adopt-access-key-id`) such names stop the run before anything is written";
        revoke_access_key_id = "revoke-access-key-id", Text("ID"),
            Words("every key of the family that is older than its successor"), &[Revoke],
            "With `revoke`: id of the compromised key";
        quarantine = "quarantine", Switch, Default(defaults::QUARANTINE), &[Revoke],
            "With `revoke`: empty the key's grants instead of deleting it. Until the gate deletes it, it can be given them \
             back";
    }
    Looks {
        access_key = "access-key", Text("ID"), Nothing, &[Check],
            "With `check`: the access key id that this job holds, from its secrets. It is tried on every bucket and \
             compared with the current key";
        secret_key = "secret-key", Secret, Nothing, &[Check],
            "With `check`: the secret access key beside it";
        app_spec_file = "app-spec-file", Path, Nothing, &[Check],
            "With `check`: an app spec in the workspace for `digitalocean/app_action`. Every `${VAR}` in it that nothing \
             fills in is found";
        fail_on = "fail-on", OneOf(&["warning", "error", "none"]), Default(defaults::FAIL_ON), LOOKS,
            "From which severity on findings of `check` and `audit` fail the step with exit code 3: `warning`, `error`, or \
             `none` for never";
    }
    Run {
        export_env = "export-env", Switch, Default(defaults::EXPORT_ENV), WORKS,
            "Put a newly minted pair, masked, into the environment of the job's later steps. The secret of a key that is \
             kept cannot be read back";
        dry_run = "dry-run", Switch, Default(defaults::DRY_RUN), ALL,
            "Show the plan and write nothing at all. Buckets are looked at only with a supplied full-access pair";
        report_file = "report-file", Path, Nothing, ALL,
            "Path within the workspace for the report as JSON";
        sarif_file = "sarif-file", Path, Nothing, ALL,
            "Path within the workspace for the findings of `check` and `audit` as SARIF 2.1.0, for code scanning";
        inventory_file = "inventory-file", Path, Nothing, &[Audit],
            "With `audit`: path within the workspace for what the account holds, as a table (`.csv`) or as JSON (`.json`)";
    }
    Access {
        digitalocean_token = "digitalocean-token", Secret,
            Words("`$DIGITALOCEAN_ACCESS_TOKEN`, then `$DIGITALOCEAN_TOKEN`"), ALL,
            "DigitalOcean token that may create, read, update and delete Spaces keys, and read and update the app. Its \
             scopes stand in the documentation under Tokens";
        spaces_access_key_id = "spaces-access-key-id", Text("ID"),
            Words("`$SPACES_ACCESS_KEY_ID`; without either, a short-lived key is minted and deleted in the same run"), OPENS,
            "Id of a full-access key for the work on buckets";
        spaces_secret_access_key = "spaces-secret-access-key", Secret, Words("`$SPACES_SECRET_ACCESS_KEY`"), OPENS,
            "Its secret";
        github_token = "github-token", Secret, Nothing, WANTS,
            "Token that may write the secrets and variables: fine-grained with Secrets and Variables (read and write), or \
             classic with `repo`. The workflow's own GITHUB_TOKEN cannot";
        github_app_id = "github-app-id", Text("ID"), Nothing, WANTS,
            "Instead of a token, id of a GitHub App, for which a narrowed installation token is minted";
        github_app_private_key = "github-app-private-key", Secret, Nothing, WANTS,
            "The App's private key, PEM";
        digitalocean_api_url = "digitalocean-api-url", Text("URL"), Words("`$DIGITALOCEAN_API_URL`, else the public one"),
            ALL,
            "Base URL of the DigitalOcean API";
        spaces_endpoint_url = "spaces-endpoint-url", Text("URL"), Words("`$SPACES_ENDPOINT_URL`, else the public one"), ALL,
            "Endpoint of Spaces, where `{region}` is filled in";
    }
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
