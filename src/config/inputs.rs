//! The inputs as they arrive: texts, each of which may be missing.

mod declared;
mod list;

use std::collections::BTreeMap;

use super::door::{Door, InputProblem};
use super::given::Given;
use super::nearest::nearest;

pub use declared::{Group, Input, Takes, Unset};
pub use list::{INPUTS, OUTPUTS, RawInputs};

/// The environment variable of an input is its name in upper case behind this; hyphens stay (runner 2.336).
pub(super) const PREFIX: &str = "INPUT_";

/// More than GitHub keeps in one secret or variable (48 KB), so nothing that we could deliver.
pub(crate) const LONGEST: usize = 48 * 1024;

/// Inputs that a workflow may give to any container action, read by the runner itself.
const OF_THE_RUNNER: [&str; 2] = ["entrypoint", "args"];

/// Values that ask for nothing: an input that this version does not know may have one of them.
const ASKS_FOR_NOTHING: [&str; 2] = ["false", "none"];

/// What was said of an input at one place.
struct Said<'g> {
    /// The place: a flag or a variable.
    by: String,
    value: &'g str,
    /// Whether it gives way to another: nobody may have said it.
    yields: bool,
}

impl RawInputs {
    /// Collects the inputs out of flags and environment variables. A name may have underscores for hyphens, because no
    /// shell can set a variable with hyphens. What is said twice must be the same.
    pub(super) fn collect(given: &Given, door: &mut Door) -> Self {
        let mut agreed: Vec<(String, String)> = Vec::new();
        for (name, said) in said(given) {
            let value = match Input::named(&name) {
                Some(input) => agree(input, &said, door),
                None => asked_of_nobody(&said),
            };
            if let Some(value) = value {
                inspect(&name, value, door);
                agreed.push((name, value.to_owned()));
            }
        }
        // What envy says may quote a value.
        envy::from_iter(agreed).unwrap_or_else(|_| {
            door.refuse("inputs", "they cannot be read, which is a bug of this program");
            Self::default()
        })
    }

    /// Whether no input is given but the command.
    pub(super) fn say_nothing_but_the_command(&self) -> bool {
        self.values().all(|(name, _)| name == "command")
    }

    /// Whether no bucket and no key is asked for.
    pub(super) fn wish_for_nothing(&self) -> bool {
        self.buckets.is_none() && self.log_bucket.is_none() && self.key_name.is_none()
    }
}

/// Whatever is more than empty, by the names of inputs; flags first.
fn said(given: &Given) -> BTreeMap<String, Vec<Said<'_>>> {
    let flags = given.flags.iter().map(|(name, value)| {
        let by = format!("--{name}");
        ((*name).to_owned(), by, value)
    });
    let variables = given
        .environment
        .iter()
        .filter_map(|(variable, value)| Some((input_name(variable)?, variable.clone(), value)));
    let mut all: BTreeMap<String, Vec<Said<'_>>> = BTreeMap::new();
    for (name, by, value) in flags.chain(variables) {
        if !value.trim().is_empty() {
            let yields = Input::named(&name).is_some_and(|input| may_be_of_the_runner(input, &by, value));
            all.entry(name).or_default().push(Said { by, value, yields });
        }
    }
    all
}

/// The runner sets every input of `action.yml`, and its default where the workflow says nothing.
fn may_be_of_the_runner(input: &Input, variable: &str, value: &str) -> bool {
    variable == input.variable() && input.default() == Some(value.trim())
}

/// What counts of all that was said of an input. Where that is not one thing, it is a problem, and the first goes on so
/// that nobody complains that it is missing.
fn agree<'g>(input: &Input, said: &[Said<'g>], door: &mut Door) -> Option<&'g str> {
    let firm: Vec<&Said<'g>> = said.iter().filter(|said| !said.yields).collect();
    let Some(first) = firm.first() else {
        return said.first().map(|said| said.value);
    };
    if let Some(other) = firm
        .iter()
        .find(|other| !input.says_the_same(first.value, other.value))
    {
        let what = format!(
            "{} and {} say different things; leave one of the two out",
            first.by, other.by
        );
        door.refuse(input.name, what);
    }
    Some(first.value)
}

/// An input that does not exist, where it asks for something.
fn asked_of_nobody<'g>(said: &[Said<'g>]) -> Option<&'g str> {
    let mut values = said.iter().map(|said| said.value);
    values.find(|value| !ASKS_FOR_NOTHING.contains(&value.trim()))
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
    } else if !OF_THE_RUNNER.contains(&name) {
        let meant = nearest(name, INPUTS.iter().copied());
        door.problems.push(InputProblem::unknown(name, meant));
    }
}
