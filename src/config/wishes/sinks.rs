//! Where keys are wished to go.

use super::super::defaults;
use super::super::door::Door;
use super::super::inputs::RawInputs;
use super::super::values::{lines, switch};
use super::Scope;
use crate::model::desired::AppRef;
use crate::model::sink::{Repository, SettingName, Target};
use crate::model::spec::Place;

/// Where keys are delivered, before each family's suffix.
pub(super) struct Sinks {
    pub(super) target: Option<Target>,
    pub(super) access_key: SettingName,
    pub(super) secret_key: SettingName,
    pub(super) combined: Option<SettingName>,
    pub(super) variables: bool,
    pub(super) app: Option<(AppRef, Vec<Place>)>,
}

/// Reads the inputs about sinks.
pub(super) fn sinks(
    raw: &RawInputs,
    scope: Option<Scope>,
    repository: Option<&str>,
    door: &mut Door,
) -> Option<Sinks> {
    let access_key = secret_name(
        "access-key-secret",
        raw.access_key_secret.as_deref(),
        defaults::ACCESS_KEY_SECRET,
        door,
    );
    let secret_key = secret_name(
        "secret-key-secret",
        raw.secret_key_secret.as_deref(),
        defaults::SECRET_KEY_SECRET,
        door,
    );
    let combined = door.parse(
        "credentials-secret",
        raw.credentials_secret.as_deref(),
        str::parse::<SettingName>,
    );
    let variables = door.parse(
        "variables",
        raw.variables.as_deref().or(Some(defaults::VARIABLES)),
        switch,
    );
    let target = target(raw, scope, repository, door);
    let app = app_sink(raw, scope, door);
    let sinks = Sinks {
        target,
        access_key: access_key?,
        secret_key: secret_key?,
        combined,
        variables: variables?,
        app,
    };
    refuse_one_name_for_two(&sinks, door);
    Some(sinks)
}

fn secret_name(input: &str, given: Option<&str>, default: &str, door: &mut Door) -> Option<SettingName> {
    door.parse(input, given.or(Some(default)), str::parse)
}

fn refuse_one_name_for_two(sinks: &Sinks, door: &mut Door) {
    let Sinks {
        access_key,
        secret_key,
        combined,
        ..
    } = sinks;
    if access_key == secret_key {
        door.refuse(
            "secret-key-secret",
            format!("`{secret_key}` is also the name for the access key id"),
        );
    }
    if combined
        .as_ref()
        .is_some_and(|name| name == access_key || name == secret_key)
    {
        door.refuse(
            "credentials-secret",
            "it has the name of one of the two other secrets",
        );
    }
}

fn target(
    raw: &RawInputs,
    scope: Option<Scope>,
    repository: Option<&str>,
    door: &mut Door,
) -> Option<Target> {
    if scope == Some(Scope::None) {
        return None;
    }
    let given = raw.github_repository.as_deref().or(repository);
    let why = "it says where the secrets go, as owner/name; outside Actions nobody sets $GITHUB_REPOSITORY";
    let repository: Option<Repository> = door.require("github-repository", given, why, str::parse);
    let environment = raw
        .github_environment
        .as_deref()
        .map(|name| name.trim().to_owned());
    Some(Target {
        repository: repository?,
        environment,
    })
}

fn app_sink(raw: &RawInputs, scope: Option<Scope>, door: &mut Door) -> Option<(AppRef, Vec<Place>)> {
    let Some(app) = raw.app_platform_app.as_deref().map(str::trim) else {
        if raw.app_components.is_some() {
            door.refuse(
                "app-components",
                "it names components, but app-platform-app is not set",
            );
        }
        return None;
    };
    if scope == Some(Scope::None) {
        door.refuse(
            "app-platform-app",
            "there is no key to give to the app with key-scope: none",
        );
    }
    let components = lines(raw.app_components.as_deref().unwrap_or_default());
    let mut places: Vec<Place> = components.map(|name| Place::Component(name.to_owned())).collect();
    places.sort();
    places.dedup();
    if places.is_empty() {
        places.push(Place::App);
    }
    Some((AppRef(app.to_owned()), places))
}
