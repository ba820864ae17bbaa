//! The manifest: many apps, buckets and keys in one file, which ends in the same wanted world as the inputs.
//!
//! The way of the text: [`tree`] reads the YAML with its places, [`read`] and [`shape`] make the types of the file of
//! it, [`buckets`] and [`keys`] make the wanted world of these, [`checks`] look across. Each goes on after a problem, so
//! that all are told at once. The same types make `schema/spaces.schema.json`.
//!
//! The inputs about one app are such a file too: [`single`] reads each of them as the field that it stands for, and what
//! is made of that, and how it is checked, is the same.

mod buckets;
mod checks;
mod flaw;
mod input;
mod keys;
mod lifetimes;
mod lists;
mod names;
mod read;
mod settings;
mod shape;
mod single;
mod sinks;
#[cfg(test)]
mod tests;
mod tree;
#[cfg(test)]
mod twins;
mod wanted;
mod words;

use std::collections::BTreeMap;

use serde_json::Value;

use super::defaults;
use super::door::{Door, InputProblem, TOLD};
use super::inputs::{INPUTS, RawInputs};
use crate::model::desired::Desired;
use crate::model::endpoint::SpacesUrl;
use crate::model::sink::Repository;
use buckets::Declared;
use flaw::At;
use read::{Field, Reader};
use shape::Manifest;
use words::by_default;

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

/// What is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaws {
    /// The first hundred, in the order of the file; never empty.
    pub told: Vec<Flaw>,
    /// How many more there are.
    pub untold: usize,
}

/// Reads a manifest. Pure: it knows nothing but its arguments, and no text whatever makes it panic.
///
/// # Errors
///
/// What is wrong with the file, in its order.
pub fn parse(text: &str, around: &Around<'_>) -> Result<Manifested, Flaws> {
    let mut reader = Reader::default();
    let root = tree::compose(text, &mut reader);
    let manifest = root.and_then(|root| Manifest::read(&root, &mut reader));
    let manifested = manifest.and_then(|manifest| build(&manifest, around, &mut reader));
    match manifested {
        Some(manifested) if reader.is_silent() => Ok(manifested),
        _ => Err(Flaws::of(text, reader)),
    }
}

/// The wanted world of the inputs about one app; everything that is wrong with them goes to the door. `own` is the
/// repository whose workflow this is, as the runner says it.
pub(super) fn of_inputs(
    raw: &RawInputs,
    own: Option<&str>,
    around: &Around<'_>,
    door: &mut Door,
) -> Option<Desired> {
    let mut reader = Reader::default();
    let manifest = single::manifest(raw, own, &mut reader);
    let manifested = build(&manifest, around, &mut reader).filter(|_| reader.is_silent());
    tell(reader, door);
    let Manifested { desired, warnings } = manifested?;
    door.warnings.extend(warnings);
    Some(desired)
}

/// A world in which nothing is wanted, for looks at what is there.
pub(super) fn nothing(raw: &RawInputs, spaces_url: &SpacesUrl, door: &mut Door) -> Option<Desired> {
    let mut reader = Reader::default();
    let region = match raw.region {
        Some(_) => single::region(raw, &mut reader).map(|region| region.value),
        None => by_default(defaults::REGION),
    };
    tell(reader, door);
    Some(Desired {
        region: region?,
        spaces_url: spaces_url.clone(),
        homes: BTreeMap::new(),
        buckets: Vec::new(),
        families: Vec::new(),
    })
}

/// Problems with inputs, in their order, each once.
fn tell(reader: Reader, door: &mut Door) {
    let (mut flaws, untold) = reader.into_flaws();
    let rank = |flaw: &Flaw<At>| match flaw.at {
        At::Input(input) => INPUTS.iter().position(|known| *known == input),
        At::File(_) => None,
    };
    flaws.sort_by_key(rank);
    for flaw in &flaws {
        let At::Input(input) = flaw.at else { continue };
        let problem = InputProblem::of(input, single::sentence(flaw));
        if !door.problems.contains(&problem) {
            door.problems.push(problem);
        }
    }
    door.untold += untold;
}

impl Flaws {
    /// In the order of the file, each once.
    fn of(text: &str, reader: Reader) -> Self {
        let (flaws, mut untold) = reader.into_flaws();
        let lines = text.lines().count().max(1);
        let mut told: Vec<Flaw> = flaws
            .into_iter()
            .filter_map(|Flaw { at, field, what }| match at {
                At::File(at) => Some(Flaw {
                    at: within(text, lines, at),
                    field,
                    what,
                }),
                At::Input(_) => None,
            })
            .collect();
        if told.is_empty() {
            told.push(empty());
        }
        told.sort();
        told.dedup();
        untold += told.len().saturating_sub(TOLD);
        told.truncate(TOLD);
        Self { told, untold }
    }
}

/// What ends too early is noticed behind the last line, where there is nothing to show.
fn within(text: &str, lines: usize, at: Place) -> Place {
    if at.line <= lines {
        return at;
    }
    let last = text.lines().next_back().unwrap_or_default();
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
    let region = match manifest.region {
        Some(region) => region.value,
        None => by_default(defaults::REGION)?,
    };
    let declared = Declared::of(manifest, region, reader);
    if !checks::limits(manifest, &declared, reader) {
        return None;
    }
    declared.refuse_out_of_reach(around.spaces_url, reader);
    let (families, mut warnings) = keys::families(manifest, &declared, around, reader);
    let buckets = declared.wanted(&families, reader);
    checks::slots(&families, reader);
    warnings.extend(reader.warnings());
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
