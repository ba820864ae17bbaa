//! API tokens and what they may do.

/// A token of the DigitalOcean API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The whole token, as it is sent after `Bearer`.
    pub value: String,
    /// Scopes such as `spaces_key:read`; `None` is full access.
    pub scopes: Option<Vec<String>>,
}

impl Token {
    /// A token that may do everything.
    #[must_use]
    pub fn full(value: &str) -> Self {
        Self {
            value: value.to_owned(),
            scopes: None,
        }
    }

    /// A token that may do only what the scopes say.
    #[must_use]
    pub fn scoped(value: &str, scopes: &[&str]) -> Self {
        Self {
            value: value.to_owned(),
            scopes: Some(scopes.iter().map(ToString::to_string).collect()),
        }
    }

    /// Whether it holds the scope.
    #[must_use]
    pub fn may(&self, scope: &str) -> bool {
        self.scopes
            .as_ref()
            .is_none_or(|scopes| scopes.iter().any(|held| held == scope))
    }
}
