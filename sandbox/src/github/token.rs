//! Tokens and what they may do.

use std::collections::BTreeMap;

use super::Repository;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What is sent as `Authorization`.
    pub value: String,
    /// Whose it is, and what it may do.
    pub holder: Holder,
    /// When it ends, in Unix seconds; `None`: never.
    pub expires_at: Option<i64>,
}

/// The kinds of token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A person, by a classic personal access token.
    Classic {
        /// Such as `repo` and `admin:org`.
        scopes: Vec<String>,
    },
    /// A person, by a fine-grained personal access token.
    FineGrained {
        /// The repositories it was made for.
        reach: Reach,
        /// What it may do there.
        permissions: Permissions,
    },
    /// An installation of a GitHub App.
    Installation {
        /// The installation's number.
        id: u64,
        /// The repositories it reaches.
        reach: Reach,
        /// What it may do there.
        permissions: Permissions,
    },
    /// A workflow run: its `GITHUB_TOKEN`, which never reaches secrets or variables.
    Workflow {
        /// The run's own repository.
        repository: String,
        /// What the workflow's `permissions` grant.
        permissions: Permissions,
    },
}

/// How far a permission goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Look.
    Read,
    /// Look and change.
    Write,
    /// Everything.
    Admin,
}

impl Access {
    /// The API's word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// The access of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Read, Self::Write, Self::Admin]
            .into_iter()
            .find(|access| access.word() == word)
    }
}

/// Permissions by API name, such as `secrets` and `actions_variables`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permissions(pub BTreeMap<String, Access>);

impl Permissions {
    /// From pairs such as `("secrets", Access::Write)`.
    #[must_use]
    pub fn new(pairs: &[(&str, Access)]) -> Self {
        Self(
            pairs
                .iter()
                .map(|(name, access)| ((*name).to_owned(), *access))
                .collect(),
        )
    }

    /// Whether they go that far.
    #[must_use]
    pub fn allow(&self, name: &str, access: Access) -> bool {
        // Every token may see the metadata of what it reaches.
        (name == "metadata" && access == Access::Read) || self.0.get(name).is_some_and(|held| *held >= access)
    }
}

/// The repositories that a token or an installation reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All of the account.
    All,
    /// These, as `owner/name`.
    Selected(Vec<String>),
}

impl Reach {
    /// Whether the repository is among them.
    #[must_use]
    pub fn includes(&self, repository: &Repository) -> bool {
        match self {
            Self::All => true,
            Self::Selected(names) => names
                .iter()
                .any(|name| name.eq_ignore_ascii_case(&repository.full_name)),
        }
    }
}

impl Token {
    /// A classic personal access token.
    #[must_use]
    pub fn classic(value: &str, scopes: &[&str]) -> Self {
        let scopes = scopes.iter().map(ToString::to_string).collect();
        Self::lasting(value, Holder::Classic { scopes })
    }

    /// A fine-grained personal access token.
    #[must_use]
    pub fn fine_grained(value: &str, reach: Reach, permissions: &[(&str, Access)]) -> Self {
        Self::lasting(
            value,
            Holder::FineGrained {
                reach,
                permissions: Permissions::new(permissions),
            },
        )
    }

    /// An installation token that was minted elsewhere.
    #[must_use]
    pub fn installation(value: &str, reach: Reach, permissions: &[(&str, Access)]) -> Self {
        let permissions = Permissions::new(permissions);
        Self::lasting(
            value,
            Holder::Installation {
                id: 0,
                reach,
                permissions,
            },
        )
    }

    /// The `GITHUB_TOKEN` of a run in that repository.
    #[must_use]
    pub fn workflow(value: &str, repository: &str, permissions: &[(&str, Access)]) -> Self {
        let repository = repository.to_owned();
        Self::lasting(
            value,
            Holder::Workflow {
                repository,
                permissions: Permissions::new(permissions),
            },
        )
    }

    fn lasting(value: &str, holder: Holder) -> Self {
        Self {
            value: value.to_owned(),
            holder,
            expires_at: None,
        }
    }
}
