//! The GitHub API: secrets and variables of repositories and environments, workflow runs, App tokens.

mod app;
mod environments;
mod errors;
mod exchange;
mod key;
mod runs;
mod secrets;
mod variables;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::Method;
use octocrab::Octocrab;
use percent_encoding::utf8_percent_encode;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use app::Announce;
pub use key::{AppKey, BadAppKey};
pub use runs::Created;
pub use variables::Variable;

use super::base_url::BaseUrl;
use super::clock::date_of;
use super::failure::{Failure, Service, WriteFailure};
use super::json;
use super::octocrab_service::octocrab;
use super::page::{Listed, Page};
use super::paging::List;
use super::retry::Attempts;
use super::shutdown::Shutdown;
use super::transport::{SEGMENT, Transport, host_of};
use crate::model::sink::{Repository, Target};
use crate::model::time::Timestamp;
use app::AppAccess;
use exchange::{Call, carry_out, exchange};

/// What GitHub is asked as.
#[derive(Clone)]
pub enum Credential {
    /// A personal access token or an installation token.
    Token(SecretString),
    /// A GitHub App, which is given a token of its installation for each repository, narrowed to it.
    App {
        /// The client id (recommended) or the app id.
        id: String,
        /// Its private key.
        key: AppKey,
        /// Is shown every token at birth, before anything can log it: for masking.
        announce: Announce,
    },
}

/// A client of the GitHub API under one credential.
#[derive(Debug, Clone)]
pub struct GitHub {
    base: BaseUrl,
    access: Access,
    attempts: Attempts,
}

/// A repository as GitHub knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryFacts {
    /// Its present name; another than asked for when it was renamed or moved. Writes must use this one, since their
    /// redirects are not followed.
    pub repository: Repository,
    /// Whether it is read-only.
    pub archived: bool,
    /// Whether only its members see it.
    pub private: bool,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// When GitHub says it answered; `updated_at` of what was written is not later.
    pub date: Option<Timestamp>,
    /// How long the answer took: `updated_at` of what was written is at most so much earlier.
    pub took: Duration,
}

#[derive(Debug, Clone)]
enum Access {
    Token(Octocrab),
    App(Arc<AppAccess>),
}

/// All of it is required in GitHub's description of a repository; one that is archived takes no secrets.
#[derive(Deserialize)]
struct WireRepository {
    full_name: String,
    archived: bool,
    private: bool,
}

impl GitHub {
    /// A client for the API at `base`, whose path prefix is kept (`/api/v3` on an Enterprise Server).
    ///
    /// Must be called within a runtime: octocrab spawns a task.
    #[must_use]
    pub fn new(transport: Transport, base: BaseUrl, credential: Credential, shutdown: Shutdown) -> Self {
        let access = match credential {
            Credential::Token(token) => Access::Token(octocrab(&transport, &base, Some(token))),
            Credential::App { id, key, announce } => {
                let base = base.clone();
                Access::App(Arc::new(AppAccess::new(transport, base, id, key, announce)))
            }
        };
        Self {
            base,
            access,
            attempts: Attempts::new(shutdown),
        }
    }

    /// The same client, which goes on trying after a signal: for a delivery that has begun.
    #[must_use]
    pub fn to_the_end(&self) -> Self {
        Self {
            attempts: self.attempts.heedless(),
            ..self.clone()
        }
    }

    /// The same client, which repeats no call after `deadline`: a write that must not land late.
    #[must_use]
    pub fn until(&self, deadline: Instant) -> Self {
        Self {
            attempts: self.attempts.until(deadline.into()),
            ..self.clone()
        }
    }

    /// The first call for which GitHub did not accept the credential.
    #[must_use]
    pub fn rejection(&self) -> Option<&Failure> {
        self.attempts.rejection()
    }

    /// Looks a repository up under its present or a former name.
    pub async fn repository(&self, repository: &Repository) -> Result<RepositoryFacts, Failure> {
        let subject = format!("read repository {repository}");
        let wire: WireRepository = self
            .get(repository, &subject, repository_path(repository))
            .await?;
        let present = wire.full_name.parse();
        let repository = present
            .map_err(|_| Failure::malformed(Service::GitHub, &subject, "full_name is not owner/name"))?;
        Ok(RepositoryFacts {
            repository,
            archived: wire.archived,
            private: wire.private,
        })
    }

    /// Gives back the tokens that were minted for an App. Without an App there is nothing to give back.
    pub async fn revoke(&self) -> Result<(), Failure> {
        match &self.access {
            Access::Token(_) => Ok(()),
            Access::App(app) => app.revoke(&self.attempts).await,
        }
    }

    /// The repositories for which an App's token was asked for and may live on.
    #[must_use]
    pub fn tokens_out(&self) -> Vec<Repository> {
        match &self.access {
            Access::Token(_) => Vec::new(),
            Access::App(app) => app.tokens_out(),
        }
    }

    async fn get<T: DeserializeOwned>(
        &self,
        to: &Repository,
        subject: &str,
        path: String,
    ) -> Result<T, Failure> {
        let call = Call::new(subject, Method::GET, path);
        let octocrab = self.octocrab(to).await?;
        let attempt = || async {
            let reply = exchange(&octocrab, &self.base, &call).await?;
            json::read(Service::GitHub, subject, &reply)
        };
        self.attempts.run(attempt).await
    }

    /// Reads every page of the list at `path`.
    async fn list<T: Listed>(
        &self,
        to: &Repository,
        subject: &str,
        path: &str,
        per_page: usize,
    ) -> Result<Vec<T>, Failure> {
        let list = List {
            service: Service::GitHub,
            subject,
            host: host_of(&self.base),
        };
        let page =
            |number| self.get::<Page<T>>(to, subject, format!("{path}?per_page={per_page}&page={number}"));
        list.whole(page).await
    }

    /// Makes a write that may be repeated.
    async fn write(&self, to: &Repository, call: &Call<'_>) -> Result<Written, Failure> {
        let octocrab = self.octocrab(to).await?;
        self.attempts.run(|| self.write_once(&octocrab, call)).await
    }

    async fn write_once(&self, octocrab: &Octocrab, call: &Call<'_>) -> Result<Written, Failure> {
        let asked = Instant::now();
        let reply = carry_out(octocrab, &self.base, call).await?;
        Ok(Written {
            date: date_of(reply.headers()),
            took: asked.elapsed(),
        })
    }

    /// As [`Self::write`], and tells whether a failed one may have been carried out all the same: an earlier attempt
    /// whose reply was lost counts.
    async fn write_or_tell(&self, to: &Repository, call: &Call<'_>) -> Result<Written, WriteFailure> {
        let octocrab = self.octocrab(to).await?;
        let doubtful = AtomicBool::new(false);
        let attempt = || async {
            let answered = self.write_once(&octocrab, call).await;
            answered.inspect_err(|failure| {
                doubtful.fetch_or(!failure.is_refusal(), Ordering::Relaxed);
            })
        };
        match self.attempts.run(attempt).await {
            Ok(written) => Ok(written),
            Err(failure) if doubtful.into_inner() => Err(WriteFailure::Lost(failure)),
            Err(failure) => Err(WriteFailure::Refused(failure)),
        }
    }

    async fn octocrab(&self, to: &Repository) -> Result<Octocrab, Failure> {
        match &self.access {
            Access::Token(octocrab) => Ok(octocrab.clone()),
            Access::App(app) => app.octocrab(to, &self.attempts).await,
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(_) => f.write_str("Token"),
            Self::App { id, .. } => f.debug_struct("App").field("id", id).finish_non_exhaustive(),
        }
    }
}

fn repository_path(repository: &Repository) -> String {
    format!(
        "/repos/{}/{}",
        segment(repository.owner()),
        segment(repository.name())
    )
}

/// Under what a target keeps its secrets and variables.
fn target_path(target: &Target) -> String {
    let repository = repository_path(&target.repository);
    match &target.environment {
        Some(environment) => format!("{repository}/environments/{}", segment(environment)),
        None => format!("{repository}/actions"),
    }
}

/// A text as one segment of a path; octocrab encodes nothing, and an environment may be called `a/b`.
fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// `Ok(None)` for a thing that does not exist.
fn optional<T>(answered: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answered {
        Err(failure) if failure.is_absence() => Ok(None),
        answered => answered.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(environment: Option<&str>) -> Target {
        let repository = "acme/shop".parse().expect("a repository");
        Target {
            repository,
            environment: environment.map(str::to_owned),
        }
    }

    #[test]
    fn an_environment_is_one_segment_whatever_its_name() {
        assert_eq!(target_path(&target(None)), "/repos/acme/shop/actions");
        assert_eq!(
            target_path(&target(Some("eu/live 1"))),
            "/repos/acme/shop/environments/eu%2Flive%201"
        );
    }
}
