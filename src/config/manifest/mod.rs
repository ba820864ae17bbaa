//! The manifest: many apps, buckets and keys in one file, which ends in the same wanted world as the inputs.
//!
//! The way of the text: [`tree`] reads the YAML with its places, [`read`] and [`shape`] make the types of the file of
//! it, [`buckets`] and [`keys`] make the wanted world of these, [`checks`] look across. Each goes on after a problem, so
//! that all are told at once. The same types make `schema/spaces.schema.json`.

mod buckets;
mod checks;
mod flaw;
mod input;
mod keys;
mod read;
mod settings;
mod shape;
#[cfg(test)]
mod tests;
mod tree;
mod wanted;
mod words;

use serde_json::Value;

use crate::model::bucket::Region;
use crate::model::desired::Desired;
use crate::model::endpoint::SpacesUrl;
use crate::model::sink::Repository;
use buckets::Declared;
use read::{Field, Reader};
use shape::Manifest;

pub use flaw::{Flaw, Place};
pub(in crate::config) use input::DEFAULT_FILE;
pub use input::SINGLE_APP_INPUTS;
pub(super) use input::{Source, source};

/// What the file does not say and the run knows.
#[derive(Debug, Clone)]
pub struct Around<'a> {
    /// The repository whose workflow this is: the default for secrets.
    pub repository: Option<&'a Repository>,
    /// Where Spaces is.
    pub spaces_url: &'a SpacesUrl,
}

/// The wanted world of a manifest.
#[derive(Debug, Clone)]
pub struct Manifested {
    /// The wanted world.
    pub desired: Desired,
    /// What else was noticed.
    pub warnings: Vec<String>,
}

/// Reads a manifest. Pure: it knows nothing but its arguments, and no text whatever makes it panic.
///
/// # Errors
///
/// Everything that is wrong with the file, in its order.
pub fn parse(text: &str, around: &Around<'_>) -> Result<Manifested, Vec<Flaw>> {
    let mut reader = Reader::default();
    let root = tree::compose(text, &mut reader.flaws);
    let manifest = root.and_then(|root| Manifest::read(&root, &mut reader));
    let manifested = manifest.and_then(|manifest| build(&manifest, around, &mut reader));
    let mut flaws = reader.flaws;
    for flaw in &mut flaws {
        flaw.at = within(text, flaw.at);
    }
    if manifested.is_none() && flaws.is_empty() {
        flaws.push(empty());
    }
    flaws.sort();
    flaws.dedup();
    match manifested {
        Some(manifested) if flaws.is_empty() => Ok(manifested),
        _ => Err(flaws),
    }
}

/// YAML as JSON, for an input that takes both; on refusal the first thing that is wrong, with its line.
pub(super) fn json_of(yaml: &str) -> Result<Value, String> {
    let mut flaws = Vec::new();
    let root = tree::compose(yaml, &mut flaws);
    match (flaws.first(), root) {
        (Some(flaw), _) => Err(format!("line {}: {}", flaw.at.line, flaw.what)),
        (None, root) => Ok(root.map_or(Value::Null, |root| root.json())),
    }
}

/// What ends too early is noticed behind the last line, where there is nothing to show.
fn within(text: &str, at: Place) -> Place {
    let lines = text.lines().count().max(1);
    if at.line <= lines {
        return at;
    }
    let last = text.lines().last().unwrap_or_default();
    Place {
        line: lines,
        column: last.chars().count() + 1,
        width: 1,
    }
}

fn empty() -> Flaw {
    Flaw {
        at: Place {
            line: 1,
            column: 1,
            width: 1,
        },
        field: String::new(),
        what: "it is empty; it begins with `version: 1`".to_owned(),
    }
}

/// The JSON Schema of the file, of the types that read it.
#[must_use]
pub fn schema() -> Value {
    let mut schema = Manifest::schema();
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = "Spacekeeper manifest".into();
    schema
}

fn build(manifest: &Manifest, around: &Around<'_>, reader: &mut Reader) -> Option<Manifested> {
    let region = region(manifest)?;
    let declared = Declared::of(manifest, region, reader);
    let (families, warnings) = keys::families(manifest, &declared, around, reader);
    let buckets = declared.wanted(&families, reader);
    checks::check(manifest, &declared, &families, reader);
    let families = families.into_iter().map(|declared| declared.wanted).collect();
    Some(Manifested {
        desired: Desired {
            region,
            spaces_url: around.spaces_url.clone(),
            homes: declared.homes(),
            buckets,
            families,
        },
        warnings,
    })
}

fn region(manifest: &Manifest) -> Option<Region> {
    let named = manifest.region.map(|region| region.value);
    named.or_else(|| "nyc3".parse().ok())
}
