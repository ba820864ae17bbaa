//! Variables: configuration that anybody with access may read.

use std::collections::BTreeMap;

use super::organization::Sharing;

/// A variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its value.
    pub value: String,
    /// When it was created, in Unix seconds.
    pub created_at: i64,
    /// When it was last changed, in Unix seconds.
    pub updated_at: i64,
    /// Which repositories see it; organization variables only.
    pub sharing: Option<Sharing>,
}

/// The variables of a repository, an environment or an organization.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    by_name: BTreeMap<String, Variable>,
}

impl Variables {
    /// The variable of that name, in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Variable> {
        self.by_name.get(&name.to_ascii_uppercase())
    }

    /// As [`Variables::get`], to change it behind the clients' back.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Variable> {
        self.by_name.get_mut(&name.to_ascii_uppercase())
    }

    /// Names, upper-case and sorted, and variables.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Variable)> {
        self.by_name
            .iter()
            .map(|(name, variable)| (name.as_str(), variable))
    }

    /// Writes a value at `now` (Unix seconds).
    pub fn set(&mut self, name: &str, value: impl Into<String>, now: i64) {
        let variable = self.by_name.entry(name.to_ascii_uppercase()).or_insert(Variable {
            value: String::new(),
            created_at: now,
            updated_at: now,
            sharing: None,
        });
        variable.value = value.into();
        variable.updated_at = now;
    }

    /// Gives a variable another name.
    pub fn rename(&mut self, from: &str, to: &str) {
        if let Some(variable) = self.remove(from) {
            self.by_name.insert(to.to_ascii_uppercase(), variable);
        }
    }

    /// Deletes a variable; `None` if there was none.
    pub fn remove(&mut self, name: &str) -> Option<Variable> {
        self.by_name.remove(&name.to_ascii_uppercase())
    }
}
