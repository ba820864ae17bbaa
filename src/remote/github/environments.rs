//! The environments of a repository, whose secrets hide the repository's own.

use serde::Deserialize;

use super::super::failure::Failure;
use super::super::json::segment_name;
use super::super::page::Listed;
use super::{GitHub, repository_path};
use crate::model::sink::Repository;

/// The largest page that the API gives.
const PER_PAGE: usize = 100;

#[derive(Deserialize)]
struct Environment {
    #[serde(deserialize_with = "segment_name")]
    name: String,
}

impl Listed for Environment {
    const FIELD: &'static str = "environments";
    const COUNTED: bool = true;

    fn identity(&self) -> String {
        self.name.clone()
    }
}

impl GitHub {
    /// The names of all environments. Needs Actions (read) for a private repository.
    pub async fn environments(&self, repository: &Repository) -> Result<Vec<String>, Failure> {
        let subject = format!("list environments of {repository}");
        let path = format!("{}/environments", repository_path(repository));
        let listed: Vec<Environment> = self.list(repository, &subject, &path, PER_PAGE).await?;
        Ok(listed.into_iter().map(|environment| environment.name).collect())
    }
}
