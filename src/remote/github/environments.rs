//! The environments of a repository, whose secrets hide the repository's own.

use serde::Deserialize;

use super::super::failure::Failure;
use super::{GitHub, repository_path};
use crate::model::sink::Repository;

/// The largest page that the API gives.
const PER_PAGE: usize = 100;

#[derive(Deserialize)]
struct EnvironmentPage {
    #[serde(default)]
    total_count: usize,
    #[serde(default)]
    environments: Vec<Environment>,
}

#[derive(Deserialize)]
struct Environment {
    name: String,
}

impl GitHub {
    /// The names of all environments. Needs Actions (read) for a private repository.
    pub async fn environments(&self, repository: &Repository) -> Result<Vec<String>, Failure> {
        let subject = format!("list environments of {repository}");
        let path = repository_path(repository);
        let mut names = Vec::new();
        for number in 1.. {
            let path = format!("{path}/environments?per_page={PER_PAGE}&page={number}");
            let page: EnvironmentPage = self.get(repository, &subject, path).await?;
            let last =
                page.environments.is_empty() || names.len() + page.environments.len() >= page.total_count;
            names.extend(page.environments.into_iter().map(|environment| environment.name));
            if last {
                break;
            }
        }
        Ok(names)
    }
}
