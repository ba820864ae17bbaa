//! A GitHub App's tokens: one for each repository, narrowed to it and to what we do, given back at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use http::Method;
use octocrab::Octocrab;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinError;
use tokio::time::Instant;

use super::super::base_url::BaseUrl;
use super::super::clock::{ServerClock, date_of};
use super::super::deadline::deadline;
use super::super::failure::{Failure, FailureKind, Service};
use super::super::json;
use super::super::octocrab_service::octocrab;
use super::super::retry::Attempts;
use super::super::transport::{Transport, host_of};
use super::exchange::{Call, carry_out, exchange, send};
use super::key::AppKey;
use super::repository_path;
use crate::model::sink::Repository;
use crate::model::time::Timestamp;

/// How long a token is used; it lives for an hour.
const USED_FOR: Duration = Duration::from_mins(50);

/// What we do, in the words of the API: as much of it as the installation was granted is asked for.
const WANTED: [(&str, &str); 5] = [
    ("secrets", "write"),
    ("actions_variables", "write"),
    ("environments", "write"),
    ("actions", "read"),
    ("metadata", "read"),
];

/// Is shown a token at birth, so that it can be masked before anything logs it.
pub type Announce = Arc<dyn Fn(&SecretString) + Send + Sync>;

/// An App, and the tokens of its installations that are in use.
pub(super) struct AppAccess {
    transport: Transport,
    base: BaseUrl,
    id: String,
    key: AppKey,
    announce: Announce,
    sessions: Mutex<BTreeMap<Repository, Session>>,
    out: Out,
    /// GitHub's.
    clock: Arc<ServerClock>,
}

/// The tokens that may be good: those that were asked for and neither refused nor given back.
#[derive(Default)]
struct Out {
    repositories: std::sync::Mutex<BTreeSet<Repository>>,
    /// They are being given back, so that none is asked for any more.
    closed: AtomicBool,
}

struct Session {
    octocrab: Octocrab,
    until: Instant,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
    permissions: Map<String, Value>,
    #[serde(default)]
    suspended_at: Option<String>,
}

#[derive(Deserialize)]
struct TokenReply {
    #[serde(deserialize_with = "json::secret")]
    token: SecretString,
}

impl AppAccess {
    pub(super) fn new(
        transport: Transport,
        base: BaseUrl,
        id: String,
        key: AppKey,
        announce: Announce,
    ) -> Self {
        let clock = transport.clocks().of(Service::GitHub, &host_of(&base));
        Self {
            transport,
            base,
            clock,
            id,
            key,
            announce,
            sessions: Mutex::default(),
            out: Out::default(),
        }
    }

    /// The repositories for which a token may be good.
    pub(super) fn tokens_out(&self) -> Vec<Repository> {
        self.out.repositories().iter().cloned().collect()
    }

    /// A client under a token for this repository; minted on first use and again before it expires.
    ///
    /// It is minted in a task of its own: whatever becomes of the one who asked, the token is known when all are given
    /// back.
    pub(super) async fn octocrab(
        self: &Arc<Self>,
        to: &Repository,
        attempts: &Attempts,
    ) -> Result<Octocrab, Failure> {
        if let Some(octocrab) = in_use(&*self.sessions.lock().await, to) {
            return Ok(octocrab);
        }
        let (access, to, attempts) = (Arc::clone(self), to.clone(), attempts.clone());
        let opened = tokio::spawn(async move { access.open(&to, &attempts).await });
        match opened.await.map_err(JoinError::try_into_panic) {
            Ok(opened) => opened,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // Tasks are cancelled when the process ends, after all who wait for them.
            Err(Err(_)) => std::future::pending().await,
        }
    }

    async fn open(&self, to: &Repository, attempts: &Attempts) -> Result<Octocrab, Failure> {
        let mut sessions = self.sessions.lock().await;
        if let Some(octocrab) = in_use(&sessions, to) {
            return Ok(octocrab);
        }
        let token = attempts.run(|| self.mint_token(to)).await?;
        let octocrab = octocrab(&self.transport, &self.base, Some(token));
        sessions.insert(
            to.clone(),
            Session {
                octocrab: octocrab.clone(),
                until: deadline(USED_FOR),
            },
        );
        Ok(octocrab)
    }

    /// Revokes every token in use; the first failure is told after all were tried.
    pub(super) async fn revoke(&self, attempts: &Attempts) -> Result<(), Failure> {
        self.out.closed.store(true, Ordering::Relaxed);
        let sessions = std::mem::take(&mut *self.sessions.lock().await);
        let mut outcome = Ok(());
        for (repository, session) in sessions {
            let subject = format!("revoke the App token for {repository}");
            let call = Call::new(&subject, Method::DELETE, "/installation/token");
            let revoked = attempts
                .run(|| carry_out(&session.octocrab, &self.base, &call))
                .await;
            if revoked.is_ok() {
                self.out.is_back(&repository);
            }
            outcome = outcome.and(revoked.map(|_| ()));
        }
        outcome
    }

    async fn mint_token(&self, to: &Repository) -> Result<SecretString, Failure> {
        let subject = format!("get an App token for {to}");
        let jwt = self.key.sign(&self.id, self.server_time(&subject).await?);
        let no_randomness = || {
            Failure::new(
                Service::GitHub,
                &subject,
                FailureKind::Unavailable,
                "nothing to sign with",
            )
        };
        let app = octocrab(&self.transport, &self.base, Some(jwt.ok_or_else(no_randomness)?));
        let installation = self.installation(&app, &subject, to).await?;
        self.out.asks_for(&subject, to)?;
        let token = self.installation_token(&app, &subject, to, &installation).await;
        let token = token.inspect_err(|failure| {
            if failure.is_refusal() {
                self.out.is_back(to);
            }
        })?;
        (self.announce)(&token);
        Ok(token)
    }

    /// The claims of a JWT are compared with GitHub's clock. Any reply tells it, so no credential is sent.
    async fn server_time(&self, subject: &str) -> Result<Timestamp, Failure> {
        if let Some(known) = self.clock.now() {
            return Ok(known);
        }
        let anonymous = octocrab(&self.transport, &self.base, None);
        let reply = send(&anonymous, &self.base, &Call::new(subject, Method::GET, "/"), "/").await?;
        let undated = || Failure::malformed(Service::GitHub, subject, "the reply has no date");
        date_of(reply.headers()).ok_or_else(undated)
    }

    async fn installation(
        &self,
        app: &Octocrab,
        subject: &str,
        to: &Repository,
    ) -> Result<Installation, Failure> {
        let path = format!("{}/installation", repository_path(to));
        let found = exchange(app, &self.base, &Call::new(subject, Method::GET, path)).await;
        let told = |failure: Failure| match failure.kind {
            FailureKind::NotFound => Failure {
                detail: "the App is not installed there".into(),
                ..failure
            },
            _ => failure,
        };
        let installation: Installation = json::read(Service::GitHub, subject, &found.map_err(told)?)?;
        match installation.suspended_at {
            Some(_) => Err(suspended(subject)),
            None => Ok(installation),
        }
    }

    /// Asks for as little as we need; where GitHub refuses to narrow the permissions, for the repository alone.
    async fn installation_token(
        &self,
        app: &Octocrab,
        subject: &str,
        to: &Repository,
        installation: &Installation,
    ) -> Result<SecretString, Failure> {
        let path = format!("/app/installations/{}/access_tokens", installation.id);
        let ask = async |body: Value| {
            exchange(
                app,
                &self.base,
                &Call::new(subject, Method::POST, path.as_str()).with(body),
            )
            .await
        };
        let narrow =
            json!({ "repositories": [to.name()], "permissions": narrowed(&installation.permissions) });
        let reply = match ask(narrow).await {
            Err(failure) if failure.kind == FailureKind::Invalid => {
                ask(json!({ "repositories": [to.name()] })).await?
            }
            answered => answered?,
        };
        // Not `json::read`: what serde quotes of a misshapen reply could be the token.
        let unreadable = |_| Failure::malformed(Service::GitHub, subject, "the token cannot be read");
        serde_json::from_slice(reply.body())
            .map(|TokenReply { token }| token)
            .map_err(unreadable)
    }
}

impl Out {
    /// A token is about to be asked for; not any more on the way out, where nobody would give it back.
    fn asks_for(&self, subject: &str, to: &Repository) -> Result<(), Failure> {
        if self.closed.load(Ordering::Relaxed) {
            let (service, kind) = (Service::GitHub, FailureKind::Interrupted);
            return Err(Failure::new(service, subject, kind, "the run is over"));
        }
        self.repositories().insert(to.clone());
        Ok(())
    }

    /// The token for this repository is good no more, or never was.
    fn is_back(&self, to: &Repository) {
        self.repositories().remove(to);
    }

    fn repositories(&self) -> MutexGuard<'_, BTreeSet<Repository>> {
        self.repositories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for AppAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppAccess")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

fn in_use(sessions: &BTreeMap<Repository, Session>, to: &Repository) -> Option<Octocrab> {
    let session = sessions.get(to).filter(|session| Instant::now() < session.until);
    session.map(|session| session.octocrab.clone())
}

fn suspended(subject: &str) -> Failure {
    let kind = FailureKind::Forbidden { needs: None };
    Failure::new(
        Service::GitHub,
        subject,
        kind,
        "the installation of the App is suspended",
    )
}

/// What we want, as far as it is granted; `write` is not asked for where only `read` is.
fn narrowed(granted: &Map<String, Value>) -> Map<String, Value> {
    let level = |(name, wanted): (&str, &str)| {
        let granted = granted.get(name)?.as_str()?;
        let level = if granted == "read" { "read" } else { wanted };
        Some((name.to_owned(), json!(level)))
    };
    WANTED.into_iter().filter_map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_asked_for_what_we_need_and_were_granted() {
        let granted =
            json!({ "secrets": "write", "environments": "read", "contents": "write", "metadata": "read" });
        let narrowed = narrowed(granted.as_object().expect("an object"));
        let expected = json!({ "secrets": "write", "environments": "read", "metadata": "read" });
        assert_eq!(Value::Object(narrowed), expected);
    }
}
