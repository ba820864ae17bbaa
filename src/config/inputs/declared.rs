//! What an input is, as people and programs are told of it.

use super::super::errand::Command;
use super::super::values;

/// An input: the same thing for the action, for a flag and for the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input {
    /// Its name in `action.yml`, and its flag's behind two hyphens.
    pub name: &'static str,
    /// The name of the flag that names a file with the value; only of use for a secret.
    pub file_flag: &'static str,
    /// What it belongs to.
    pub group: Group,
    /// What its value is.
    pub takes: Takes,
    /// What it means when nobody gives it.
    pub unset: Unset,
    /// The commands that heed it.
    pub heeded_by: &'static [Command],
    /// What it is about: sentences, without the last full stop.
    pub about: &'static str,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Any text, and what stands for it in the help.
    Text(&'static str),
    /// A path.
    Path,
    /// Lines, and what stands for one of them in the help.
    List(&'static str),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// `true` or `false`.
    Switch,
    /// What must not stand where other processes can read it.
    Secret,
}

/// What an input means when nobody gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unset {
    /// The same as this value, which the runner passes on as if it had been given.
    Default(&'static str),
    /// What these words say.
    Words(&'static str),
    /// Nothing.
    Nothing,
}

/// What inputs belong to, in the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// What is asked for.
    Request,
    /// Buckets and their settings.
    Buckets,
    /// The shape of keys.
    Keys,
    /// Where keys go on GitHub.
    GitHub,
    /// Where keys go on App Platform.
    AppPlatform,
    /// How keys come and go.
    Rotation,
    /// What is looked at beside.
    Looks,
    /// What a run leaves.
    Run,
    /// What opens the services.
    Access,
}

impl Group {
    /// The heading of the group in the help.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Request => "Request",
            Self::Buckets => "Buckets",
            Self::Keys => "Keys",
            Self::GitHub => "Secrets and variables on GitHub",
            Self::AppPlatform => "App Platform",
            Self::Rotation => "Rotation",
            Self::Looks => "Looks",
            Self::Run => "This run",
            Self::Access => "Access to the services",
        }
    }
}

impl Input {
    /// The input of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|input| input.name == name)
    }

    /// The value that it has when nobody gives it.
    #[must_use]
    pub const fn default(&self) -> Option<&'static str> {
        match self.unset {
            Unset::Default(value) => Some(value),
            Unset::Words(_) | Unset::Nothing => None,
        }
    }

    /// The environment variable as the runner spells it: upper case, hyphens kept (runner 2.336).
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{}{}", super::PREFIX, self.name.to_ascii_uppercase())
    }

    /// Whether two texts ask for the same.
    #[must_use]
    pub fn says_the_same(&self, one: &str, other: &str) -> bool {
        match self.takes {
            Takes::List(_) => values::lines(one).eq(values::lines(other)),
            Takes::Switch => match (values::switch(one.trim()), values::switch(other.trim())) {
                (Ok(one), Ok(other)) => one == other,
                _ => one.trim() == other.trim(),
            },
            _ => one.trim() == other.trim(),
        }
    }
}
