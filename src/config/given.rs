//! What the process was given, before anything of it is understood.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::door::{Door, InputProblem};
use super::errand::Command;
use super::inputs::Input;
use super::request::Environment;

/// Beginnings of the variables that are read here; what other variables say is nobody's business.
const READ: [&str; 5] = ["INPUT_", "GITHUB_", "DIGITALOCEAN_", "SPACES_", "RUNNER_DEBUG"];

/// Flags and environment variables. Some are secret: it does not show itself.
#[derive(Default)]
pub struct Given {
    /// The values of flags, by the names of their inputs.
    pub flags: BTreeMap<&'static str, String>,
    /// The environment variables.
    pub environment: Environment,
    /// What is set and cannot be read.
    pub(super) unreadable: Vec<InputProblem>,
}

impl Given {
    /// The environment, without flags. A variable that is read here and is no text is a problem of the request; of any
    /// other the name may still matter, as what fills in a placeholder.
    #[must_use]
    pub fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut given = Self::default();
        for (name, value) in variables {
            let shown = name.to_string_lossy().into_owned();
            if is_text(&name, &value) || !is_read(&shown) {
                let value = value.to_string_lossy().into_owned();
                given.environment.insert(shown, value);
            } else {
                let what = "it is not UTF-8 (the value is not shown); set it to text";
                given.unreadable.push(InputProblem::of(&shown, what));
            }
        }
        given.unreadable.sort_by(|one, other| one.input.cmp(&other.input));
        given
    }

    /// Whoever gives a flag to one command wants something of it; inputs of a workflow may be there for another.
    pub(super) fn tell_unheeded(&self, command: Command, door: &mut Door) {
        let flags = Input::ALL
            .iter()
            .filter_map(|input| Some((input, self.flags.get(input.name)?)));
        for (input, value) in flags {
            let asks = input
                .default()
                .is_none_or(|default| !input.says_the_same(value, default));
            let known = door
                .warnings
                .iter()
                .any(|told| told.starts_with(&format!("{} ", input.name)));
            if asks && !known && !input.heeded_by.contains(&command) {
                let by = input.heeded_by.iter().map(|command| command.word());
                let by = by.collect::<Vec<_>>().join(", ");
                let what = format!("{} is heeded by {by}, not by {}", input.name, command.word());
                door.warnings.push(what);
            }
        }
    }
}

impl From<Environment> for Given {
    fn from(environment: Environment) -> Self {
        Self {
            environment,
            ..Self::default()
        }
    }
}

fn is_text(name: &OsStr, value: &OsStr) -> bool {
    name.to_str().is_some() && value.to_str().is_some()
}

fn is_read(name: &str) -> bool {
    READ.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    fn no_text() -> OsString {
        OsString::from_vec(b"caf\xe9".to_vec())
    }

    #[test]
    fn what_is_no_text_is_a_problem_where_it_would_be_read() {
        let given = Given::of([
            ("INPUT_APP".into(), no_text()),
            ("GITHUB_RUN_ID".into(), no_text()),
            ("LS_COLORS".into(), no_text()),
        ]);
        let named: Vec<_> = given.unreadable.iter().map(|problem| &*problem.input).collect();
        assert_eq!(named, ["GITHUB_RUN_ID", "INPUT_APP"]);
        assert!(given.environment.contains_key("LS_COLORS"));
    }

    #[test]
    fn a_name_that_is_no_text_is_one_that_somebody_set() {
        let mut name = OsString::from("INPUT_DRY");
        name.push(no_text());
        assert_eq!(Given::of([(name, "true".into())]).unreadable.len(), 1);
    }
}
