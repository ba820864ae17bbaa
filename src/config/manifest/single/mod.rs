//! The inputs about one app as a manifest: every value is read as that field of the file is read, at the place of its
//! input. What is looked at here is only what a file has no words for: inputs that say something about a thing that is not
//! asked for, and the notations of lists.

mod buckets;
mod keys;

use super::super::defaults;
use super::super::inputs::RawInputs;
use super::super::values::lines;
use super::flaw::{At, Flaw};
use super::lists::Named;
use super::names::AppName;
use super::read::{Field, Must, Reader, Spot};
use super::shape::{AppShape, Manifest};
use super::tree::Node;
use super::words::Version;
use crate::model::bucket::{BucketName, Region};
use crate::model::key::Permission;

/// Which keys are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// One key with all grants.
    App,
    /// One key per bucket.
    Bucket,
    /// Buckets only.
    None,
}

/// A line of `buckets`.
type Line = (Spot<BucketName>, Spot<Permission>);

/// The manifest that the inputs come to. `own` is the repository whose workflow this is, unparsed.
pub(super) fn manifest(raw: &RawInputs, own: Option<&str>, reader: &mut Reader) -> Manifest {
    let scope = scope(raw, reader);
    let lines = buckets::lines(raw, reader);
    let app = app(raw, scope, reader);
    let buckets = buckets::shapes(raw, &lines, reader);
    let keys = keys::shapes(raw, scope, &app, &lines, own, reader);
    let shape = AppShape {
        at: app.at,
        buckets: Some(buckets),
        keys: Some(keys),
    };
    let at = At::Input("buckets");
    Manifest {
        at,
        version: Must(Some(Spot::new(Version, at))),
        region: region(raw, reader),
        max_age: value("max-age", raw.max_age.as_deref(), reader),
        grace_period: value("grace-period", raw.grace_period.as_deref(), reader),
        apps: Named::from_iter([(app, shape)]),
    }
}

/// The region that the inputs name.
pub(super) fn region(raw: &RawInputs, reader: &mut Reader) -> Option<Spot<Region>> {
    value("region", raw.region.as_deref(), reader)
}

/// What is wrong with an input, in the words of inputs: of its parts only the rules of CORS have a place of their own.
pub(super) fn sentence(flaw: &Flaw<At>) -> String {
    let rule = flaw
        .field
        .rsplit_once("cors.")
        .and_then(|(_, rest)| rest.split('.').next()?.parse::<usize>().ok());
    match rule {
        Some(index) => format!("rule {}: {}", index + 1, flaw.what),
        None => flaw.what.clone(),
    }
}

/// Reads an input that holds a single value.
fn value<T: Field>(input: &'static str, text: Option<&str>, reader: &mut Reader) -> Option<T> {
    T::read(&Node::scalar(At::Input(input), text?.trim()), reader)
}

/// Reads an input that holds one entry a line.
fn list<T: Field>(input: &'static str, text: Option<&str>, reader: &mut Reader) -> Option<T> {
    let text = text?;
    advised(reader, text, |reader| {
        T::read(&Node::list(At::Input(input), lines(text)), reader)
    })
}

/// Other lists are written with commas or blanks: where an entry is refused that has any, the right form is said.
fn advised<T>(reader: &mut Reader, text: &str, read: impl FnOnce(&mut Reader) -> T) -> T {
    let told = reader.told();
    let read = read(reader);
    if lines(text).any(|line| line.contains([',', ';', ' ', '\t'])) {
        reader.advise(told, "a list is written with one entry a line");
    }
    read
}

/// Who believes that something was asked for must not be mistaken.
fn refuse_unheeded(given: &[(&'static str, bool)], why: &str, reader: &mut Reader) {
    for (input, _) in given.iter().filter(|(_, given)| *given) {
        reader.refuse(At::Input(input), why);
    }
}

fn scope(raw: &RawInputs, reader: &mut Reader) -> Option<Scope> {
    match raw.key_scope.as_deref().unwrap_or(defaults::KEY_SCOPE).trim() {
        "app" => Some(Scope::App),
        "bucket" => Some(Scope::Bucket),
        "none" => Some(Scope::None),
        other => {
            let other = super::read::shortened(other);
            let what = format!("`{other}` is not accepted: write app, bucket or none");
            reader.refuse(At::Input("key-scope"), what);
            None
        }
    }
}

/// The app's name is needed where a default is made of it; elsewhere nobody sees what stands for it.
fn app(raw: &RawInputs, scope: Option<Scope>, reader: &mut Reader) -> Spot<AppName> {
    const AT: At = At::Input("app");
    let for_key = raw.key_name.is_none() && scope != Some(Scope::None);
    let prefix = raw.log_prefix.as_deref().unwrap_or(defaults::LOG_PREFIX);
    let for_logs = raw.log_bucket.is_some() && prefix.contains("{app}");
    if raw.app.is_none() && (for_key || for_logs) {
        let what = "it is missing; it names the key (`<app>-spaces-key`) and the prefix of the access logs";
        reader.refuse(AT, what);
    }
    let named: Option<Spot<AppName>> = value("app", raw.app.as_deref(), reader);
    named.unwrap_or_else(|| Spot::new(AppName("spacekeeper".to_owned()), AT))
}
