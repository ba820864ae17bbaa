//! Where credentials are delivered: secrets and variables of GitHub, environment variables of an app.

use std::fmt;
use std::str::FromStr;

/// A repository, `owner/name`. GitHub compares both without case; so does this type.
#[derive(Debug, Clone)]
pub struct Repository {
    owner: String,
    name: String,
}

/// The text is not `owner/name`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not a repository; write it as owner/name")]
pub struct BadRepository;

/// Names of repositories end at 100 characters ("Repository limits" of GitHub's documentation), those of accounts at 39.
const LONGEST_PART: usize = 100;

impl Repository {
    /// The account that owns it.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Its name within the account.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn folded(&self) -> (String, String) {
        (self.owner.to_ascii_lowercase(), self.name.to_ascii_lowercase())
    }
}

impl FromStr for Repository {
    type Err = BadRepository;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let legal = |part: &str| {
            (1..=LONGEST_PART).contains(&part.len())
                && part != "."
                && part != ".."
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        match text.split_once('/') {
            Some((owner, name)) if legal(owner) && legal(name) => Ok(Self {
                owner: owner.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err(BadRepository),
        }
    }
}

impl PartialEq for Repository {
    fn eq(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }
}

impl Eq for Repository {}

impl PartialOrd for Repository {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Repository {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.folded().cmp(&other.folded())
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// Where a repository keeps secrets and variables: its own level, or one of its environments. GitHub compares the names of
/// environments without case ("Managing environments for deployment"); so does this type.
#[derive(Debug, Clone)]
pub struct Target {
    /// The repository.
    pub repository: Repository,
    /// The environment whose level is meant; the repository's own without one.
    pub environment: Option<String>,
}

impl Target {
    fn folded(&self) -> (&Repository, Option<String>) {
        let environment = self.environment.as_ref().map(|name| name.to_lowercase());
        (&self.repository, environment)
    }
}

impl PartialEq for Target {
    fn eq(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }
}

impl Eq for Target {}

impl PartialOrd for Target {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Target {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.folded().cmp(&other.folded())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.environment {
            Some(environment) => write!(f, "{} (environment {environment})", self.repository),
            None => write!(f, "{}", self.repository),
        }
    }
}

/// The name of a GitHub secret or variable, upper case as GitHub stores it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SettingName(String);

/// Why GitHub would refuse a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSettingName {
    /// No characters at all.
    #[error("it is empty")]
    Empty,
    /// A digit first.
    #[error("it starts with a digit, which GitHub refuses")]
    LeadingDigit,
    /// The prefix that GitHub keeps for itself.
    #[error("it starts with GITHUB_, which GitHub keeps for itself")]
    Reserved,
    /// Something else than letters, digits and underscores.
    #[error("it has `{0}`; GitHub takes only letters, digits and underscores")]
    Character(char),
    /// Longer than any name that makes sense; GitHub's own limit is not documented.
    #[error("it has {0} characters; keep it within 200")]
    Length(usize),
}

impl SettingName {
    /// The name as text, upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SettingName {
    type Err = BadSettingName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.to_ascii_uppercase();
        let stranger = name.chars().find(|c| !(c.is_ascii_alphanumeric() || *c == '_'));
        match (name.chars().next(), stranger) {
            (None, _) => Err(BadSettingName::Empty),
            (_, Some(c)) => Err(BadSettingName::Character(c)),
            (Some('0'..='9'), _) => Err(BadSettingName::LeadingDigit),
            _ if name.starts_with("GITHUB_") => Err(BadSettingName::Reserved),
            _ if name.len() > 200 => Err(BadSettingName::Length(name.len())),
            _ => Ok(Self(name)),
        }
    }
}

impl fmt::Display for SettingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_compare_without_case() {
        let one: Repository = "Acme/Shop".parse().expect("a repository");
        let same: Repository = "acme/shop".parse().expect("a repository");
        assert_eq!(one, same);
        assert_eq!(one.to_string(), "Acme/Shop");
    }

    #[test]
    fn environments_compare_without_case() {
        let target = |environment: Option<&str>| Target {
            repository: "acme/shop".parse().expect("a repository"),
            environment: environment.map(str::to_owned),
        };
        assert_eq!(target(Some("Production")), target(Some("production")));
        assert_ne!(target(Some("production")), target(Some("staging")));
        assert_ne!(target(Some("production")), target(None));
    }

    #[test]
    fn what_is_not_owner_slash_name_is_refused() {
        for text in [
            "",
            "shop",
            "acme/",
            "acme/shop/x",
            "acme/..",
            "acme/sh op",
            "acme/shop?x",
        ] {
            assert!(text.parse::<Repository>().is_err(), "{text}");
        }
    }

    #[test]
    fn setting_names_are_stored_upper_case_and_checked_as_github_does() {
        let name: SettingName = "spaces_key".parse().expect("a legal name");
        assert_eq!(name.as_str(), "SPACES_KEY");
        let refused = |text: &str| text.parse::<SettingName>().expect_err(text);
        assert_eq!(refused(""), BadSettingName::Empty);
        assert_eq!(refused("1KEY"), BadSettingName::LeadingDigit);
        assert_eq!(refused("github_key"), BadSettingName::Reserved);
        assert_eq!(refused("MY-KEY"), BadSettingName::Character('-'));
    }
}
