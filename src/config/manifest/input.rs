//! Where the manifest comes from, and when the single-app inputs count instead.

use super::super::defaults;
use super::super::door::{Door, InputProblem};
use super::super::files::{self, contents};
use super::super::inputs::RawInputs;
use super::flaw::{Flaw, Place};
use super::{Around, Flaws, Manifested, parse};
use crate::model::desired::Desired;
use crate::model::problem::FilePlace;
use crate::workspace::{FileError, Workspace};

/// Where the manifest is looked for when nobody names a file.
pub(in crate::config) const DEFAULT_FILE: &str = ".github/spaces.yml";

/// What one app is described by, and what `action.yml` says where a workflow says nothing: the runner passes that on as
/// if it had been given.
pub const SINGLE_APP_INPUTS: [(&str, &str); 25] = [
    ("app", ""),
    ("region", defaults::REGION),
    ("buckets", ""),
    ("log-bucket", ""),
    ("log-prefix", ""),
    ("log-retention-days", ""),
    ("cors", ""),
    ("cors-origins", ""),
    ("cdn", defaults::CDN),
    ("cdn-ttl", ""),
    ("cdn-domain", ""),
    ("cdn-certificate-id", ""),
    ("cdn-purge", defaults::CDN_PURGE),
    ("key-scope", defaults::KEY_SCOPE),
    ("key-name", ""),
    ("access-key-secret", defaults::ACCESS_KEY_SECRET),
    ("secret-key-secret", defaults::SECRET_KEY_SECRET),
    ("credentials-secret", ""),
    ("github-repository", ""),
    ("github-environment", ""),
    ("variables", defaults::VARIABLES),
    ("app-platform-app", ""),
    ("app-components", ""),
    ("max-age", defaults::MAX_AGE),
    ("grace-period", defaults::GRACE_PERIOD),
];

/// What describes the wanted world.
pub(in crate::config) enum Source {
    /// The single-app inputs.
    Inputs,
    /// A manifest.
    Manifest(ManifestFile),
    /// A manifest that cannot be read.
    Unreadable,
}

/// A manifest as it was found.
pub(in crate::config) struct ManifestFile {
    /// As it was named, within the workspace.
    name: String,
    text: String,
}

/// Finds out what describes the wanted world.
pub(in crate::config) fn source(raw: &RawInputs, workspace: &Workspace, door: &mut Door) -> Source {
    let given = single_app_inputs(raw);
    match raw.config.as_deref().map(str::trim) {
        Some(name) => named(name, &given, workspace, door),
        None => implied(&given, workspace, door),
    }
}

fn named(name: &str, given: &[&'static str], workspace: &Workspace, door: &mut Door) -> Source {
    for input in given {
        door.refuse(
            input,
            format!("it is given beside config, and {name} says it all; leave one of the two out"),
        );
    }
    let Some(path) = files::named("config", Some(name), door) else {
        return Source::Unreadable;
    };
    match contents("config", &path, workspace, door) {
        Some(bytes) => decoded(path.as_str(), bytes, door),
        None => Source::Unreadable,
    }
}

fn implied(given: &[&'static str], workspace: &Workspace, door: &mut Door) -> Source {
    let Some(path) = files::named("config", Some(DEFAULT_FILE), door) else {
        return Source::Unreadable;
    };
    match workspace.read(&path) {
        Err(FileError::Missing) => Source::Inputs,
        Err(error) if given.is_empty() || matches!(error, FileError::NoWorkspace) => {
            files::refuse("config", &path, "read", &error, door);
            Source::Unreadable
        }
        Ok(bytes) if given.is_empty() => decoded(path.as_str(), bytes, door),
        Ok(_) | Err(_) => {
            door.warnings.push(unused(given));
            Source::Inputs
        }
    }
}

fn unused(given: &[&'static str]) -> String {
    format!(
        "config: {DEFAULT_FILE} is there and not used, because {} describe one app; set config: {DEFAULT_FILE} and leave \
         them out, or remove the file",
        given.join(", ")
    )
}

/// The inputs about one app that ask for something else than their default.
fn single_app_inputs(raw: &RawInputs) -> Vec<&'static str> {
    let asks = |name: &str, value: &str| {
        let known = SINGLE_APP_INPUTS.iter().find(|(known, _)| *known == name);
        known.is_some_and(|(_, default)| value.trim() != *default)
    };
    raw.values()
        .filter(|(name, value)| asks(name, value))
        .map(|(name, _)| name)
        .collect()
}

fn decoded(name: &str, bytes: Vec<u8>, door: &mut Door) -> Source {
    match String::from_utf8(bytes) {
        Ok(text) => Source::Manifest(ManifestFile {
            name: name.to_owned(),
            // Editors of Windows put the mark in front.
            text: text
                .strip_prefix('\u{feff}')
                .map_or_else(|| text.clone(), str::to_owned),
        }),
        Err(error) => {
            let valid =
                String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
            let flaw = Flaw {
                at: end_of(&valid),
                field: String::new(),
                what: "it is not UTF-8 from here on; save the file as UTF-8".to_owned(),
            };
            door.problems.push(problem(name, &flaw, flaw.excerpt(&valid)));
            Source::Unreadable
        }
    }
}

fn end_of(text: &str) -> Place {
    let last = text.rsplit('\n').next().unwrap_or_default();
    Place {
        line: text.matches('\n').count() + 1,
        column: last.chars().count() + 1,
        width: 1,
    }
}

impl ManifestFile {
    /// The wanted world; everything that is wrong with the file goes to the door.
    pub(in crate::config) fn read(&self, around: &Around<'_>, door: &mut Door) -> Option<Desired> {
        match parse(&self.text, around) {
            Ok(Manifested { desired, warnings }) => {
                let named = |warning: &String| format!("{}: {warning}", self.name);
                door.warnings.extend(warnings.iter().map(named));
                Some(desired)
            }
            Err(Flaws { told, untold }) => {
                door.untold += untold;
                let lines: Vec<&str> = self.text.lines().collect();
                let line = |flaw: &Flaw| lines.get(flaw.at.line.saturating_sub(1)).copied();
                let told = told.iter().map(|flaw| {
                    let excerpt = flaw.excerpt_of(line(flaw).unwrap_or_default());
                    problem(&self.name, flaw, excerpt)
                });
                door.problems.extend(told);
                None
            }
        }
    }
}

fn problem(file: &str, flaw: &Flaw, excerpt: String) -> InputProblem {
    let Place { line, column, .. } = flaw.at;
    InputProblem {
        input: format!("{file}:{line}:{column}"),
        what: flaw.sentence(),
        at: Some(FilePlace {
            file: file.to_owned(),
            line,
            column,
            excerpt,
        }),
    }
}
