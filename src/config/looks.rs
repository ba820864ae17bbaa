//! What `check` is given beside the wanted world: credentials to try out, and an app spec file.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use secrecy::SecretString;

use super::access::misplaced;
use super::addresses::address;
use super::defaults;
use super::door::Door;
use super::errand::Command;
use super::files::{contents, named};
use super::inputs::RawInputs;
use super::values::{key_id, span};
use crate::model::base_url::BaseUrl;
use crate::model::bucket::{BucketName, Region};
use crate::model::endpoint::SpacesUrl;
use crate::model::key::AccessKeyId;
use crate::model::path::WorkspacePath;
use crate::scrub::SHORTEST;
use crate::workspace::Workspace;

/// What to look at beside the wanted world.
#[derive(Debug, Clone, Default)]
pub struct Looks {
    /// Credentials to try out.
    pub pairs: Vec<PairAtHand>,
    /// An app spec file, and what fills its placeholders in.
    pub spec_file: Option<SpecFile>,
    /// Whether the process runs inside the app: nothing is wanted of the world but that its own credentials work.
    pub inside_app: bool,
    /// How old a key may become that no declared family says anything about.
    pub max_age: Duration,
}

/// Credentials that somebody holds and that should work.
#[derive(Debug, Clone)]
pub struct PairAtHand {
    /// Where they come from: `access-key and secret-key`.
    pub source: String,
    /// The access key id.
    pub id: AccessKeyId,
    /// The secret access key.
    pub secret: SecretString,
    /// The bucket that they should open, and where; without it, those of the family that they belong to.
    pub place: Option<PairPlace>,
}

/// Where a pair should work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairPlace {
    /// The bucket.
    pub bucket: BucketName,
    /// The base URL of Spaces in its region.
    pub endpoint: BaseUrl,
}

/// An app spec file in the workspace.
#[derive(Debug, Clone)]
pub struct SpecFile {
    /// Where it is.
    pub path: WorkspacePath,
    /// What it says.
    pub text: String,
    /// The variables that the job has and that are not empty.
    pub provided: BTreeSet<String>,
}

impl Looks {
    pub(super) fn read(
        raw: &RawInputs,
        command: Option<Command>,
        environment: &BTreeMap<String, String>,
        workspace: &Workspace,
        spaces_url: &SpacesUrl,
        door: &mut Door,
    ) -> Self {
        if is_inside_app(raw, command, environment) {
            return Self::inside_app(environment, spaces_url, door);
        }
        if command != Some(Command::Check) {
            tell_unheeded(raw, command, door);
            let max_age = max_age(raw, door);
            return Self {
                max_age,
                ..Self::default()
            };
        }
        Self {
            pairs: pair_of_the_job(raw, door).into_iter().collect(),
            spec_file: spec_file(raw, environment, workspace, door),
            ..Self::default()
        }
    }

    /// Every pair of the app's own environment: one without a suffix, or one for each bucket.
    fn inside_app(environment: &BTreeMap<String, String>, spaces_url: &SpacesUrl, door: &mut Door) -> Self {
        let suffixes = suffixes(environment);
        let pairs = suffixes
            .iter()
            .filter_map(|suffix| pair_of_the_app(environment, spaces_url, suffix, door));
        Self {
            pairs: pairs.collect(),
            inside_app: true,
            ..Self::default()
        }
    }
}

/// Where keys are declared, what is wrong with it is told with them.
fn max_age(raw: &RawInputs, door: &mut Door) -> Duration {
    let given = raw.max_age.as_deref().unwrap_or(defaults::MAX_AGE).trim();
    match span(given) {
        Ok(max_age) => max_age,
        Err(_) if !raw.wish_for_nothing() => Duration::ZERO,
        Err(refusal) => {
            door.refuse("max-age", format!("`{given}` is not accepted: {refusal}"));
            Duration::ZERO
        }
    }
}

/// Nobody gives inputs to a job of App Platform: what it has is the app's environment. A workflow step always has some,
/// be they empty.
pub(super) fn is_inside_app(
    raw: &RawInputs,
    command: Option<Command>,
    environment: &BTreeMap<String, String>,
) -> bool {
    let in_actions = environment
        .get("GITHUB_ACTIONS")
        .is_some_and(|value| value == "true");
    command == Some(Command::Check)
        && !in_actions
        && raw.say_nothing_but_the_command()
        && [ID, SECRET, BUCKET]
            .iter()
            .any(|name| !suffixes_of(environment, name).is_empty())
}

/// How the variables are called that Spacekeeper gives to an app; a suffix names the bucket where each has its own key.
const ID: &str = "SPACES_ACCESS_KEY";
const SECRET: &str = "SPACES_SECRET_KEY";
const BUCKET: &str = "SPACES_BUCKET";

fn suffixes(environment: &BTreeMap<String, String>) -> BTreeSet<String> {
    let all = [ID, SECRET, BUCKET].map(|name| suffixes_of(environment, name));
    all.into_iter().flatten().collect()
}

fn suffixes_of(environment: &BTreeMap<String, String>, name: &str) -> BTreeSet<String> {
    let names = environment
        .keys()
        .filter_map(|variable| variable.strip_prefix(name));
    // `SPACES_ACCESS_KEY_ID` names the key for readers of the spec.
    let ours = names.filter(|rest| rest.is_empty() || (rest.starts_with('_') && !is_id(rest)));
    ours.map(str::to_owned).collect()
}

fn is_id(rest: &str) -> bool {
    rest == "_ID" || rest.starts_with("_ID_")
}

/// An app that says only its region means the usual endpoint there.
fn endpoint_of_the_app(
    environment: &BTreeMap<String, String>,
    spaces_url: &SpacesUrl,
    door: &mut Door,
) -> Option<BaseUrl> {
    let region = set(environment, "SPACES_REGION");
    match (set(environment, "SPACES_ENDPOINT"), region) {
        (None, Some(region)) => {
            let region: Region = door.parse("SPACES_REGION", Some(region), str::parse)?;
            address("SPACES_REGION", Some(&spaces_url.at(region)), environment, door)
        }
        (Some(endpoint), _) => {
            let url = address("SPACES_ENDPOINT", Some(endpoint), environment, door)?;
            if let Some(what) = misplaced(&url) {
                door.refuse(
                    "SPACES_ENDPOINT",
                    format!("{what}; write the endpoint of the region alone"),
                );
            }
            Some(url)
        }
        (None, None) => {
            let what = "it is missing; the app's environment must have it, or SPACES_REGION";
            door.refuse("SPACES_ENDPOINT", what);
            None
        }
    }
}

fn pair_of_the_app(
    environment: &BTreeMap<String, String>,
    spaces_url: &SpacesUrl,
    suffix: &str,
    door: &mut Door,
) -> Option<PairAtHand> {
    let named = |name: &str| format!("{name}{suffix}");
    let why = "the app's environment must have it; Spacekeeper writes it with app-platform-app";
    let id = id(&named(ID), environment, why, door);
    let secret = set(environment, &named(SECRET));
    if secret.is_none() {
        door.refuse(&named(SECRET), format!("it is missing; {why}"));
    }
    let secret = secret.and_then(|secret| secret_at_hand(&named(SECRET), secret, door));
    let bucket = door.require(&named(BUCKET), set(environment, &named(BUCKET)), why, str::parse);
    let endpoint = endpoint_of_the_app(environment, spaces_url, door);
    Some(PairAtHand {
        source: format!("{} and {}", named(ID), named(SECRET)),
        id: id?,
        secret: secret?,
        place: Some(PairPlace {
            bucket: bucket?,
            endpoint: endpoint?,
        }),
    })
}

/// A secret to try out, as it stands there: what is wrong with it is what the trial shall find. One that is too short to
/// be a credential could not be hidden without hiding words.
fn secret_at_hand(name: &str, text: &str, door: &mut Door) -> Option<SecretString> {
    let text = text.trim();
    if text.len() < SHORTEST {
        let what = format!(
            "it is shorter than {SHORTEST} characters (the value is not shown), so it is no credential"
        );
        door.refuse(name, what);
        return None;
    }
    Some(SecretString::from(text.to_owned()))
}

/// Not quoted: what stands there by mistake may be the secret.
fn id(name: &str, environment: &BTreeMap<String, String>, why: &str, door: &mut Door) -> Option<AccessKeyId> {
    let Some(text) = set(environment, name) else {
        door.refuse(name, format!("it is missing; {why}"));
        return None;
    };
    key_id(text).map_err(|refusal| door.refuse(name, refusal)).ok()
}

fn set<'e>(environment: &'e BTreeMap<String, String>, name: &str) -> Option<&'e str> {
    let value = environment.get(name).map(String::as_str);
    value.filter(|value| !value.trim().is_empty())
}

fn pair_of_the_job(raw: &RawInputs, door: &mut Door) -> Option<PairAtHand> {
    match (&raw.access_key, &raw.secret_key) {
        (None, None) => None,
        (Some(id), Some(secret)) => {
            // Not quoted: what stands there by mistake may be the secret.
            let id = key_id(id).map_err(|refusal| door.refuse("access-key", refusal));
            let secret = secret_at_hand("secret-key", secret, door);
            Some(PairAtHand {
                source: "access-key and secret-key".to_owned(),
                id: id.ok()?,
                secret: secret?,
                place: None,
            })
        }
        (Some(_), None) => missing("secret-key", "access-key", door),
        (None, Some(_)) => missing("access-key", "secret-key", door),
    }
}

fn missing(input: &str, beside: &str, door: &mut Door) -> Option<PairAtHand> {
    door.refuse(
        input,
        format!("it is missing or empty, while {beside} is set; a secret that does not exist arrives as an empty text"),
    );
    None
}

fn spec_file(
    raw: &RawInputs,
    environment: &BTreeMap<String, String>,
    workspace: &Workspace,
    door: &mut Door,
) -> Option<SpecFile> {
    let path = named("app-spec-file", raw.app_spec_file.as_deref(), door)?;
    let bytes = contents("app-spec-file", &path, workspace, door)?;
    let Ok(text) = String::from_utf8(bytes) else {
        door.refuse(
            "app-spec-file",
            format!("{path} is not UTF-8; is it an app spec?"),
        );
        return None;
    };
    let provided = environment.iter().filter(|(_, value)| !value.is_empty());
    Some(SpecFile {
        path,
        text,
        provided: provided.map(|(name, _)| name.clone()).collect(),
    })
}

/// Who believes that credentials were tried must not be mistaken.
fn tell_unheeded(raw: &RawInputs, command: Option<Command>, door: &mut Door) {
    let given = [
        ("access-key", raw.access_key.is_some()),
        ("secret-key", raw.secret_key.is_some()),
        ("app-spec-file", raw.app_spec_file.is_some()),
    ];
    let Some(command) = command else { return };
    for (input, _) in given.iter().filter(|(_, given)| *given) {
        door.warnings
            .push(format!("{input} is heeded by check, not by {}", command.word()));
    }
}
