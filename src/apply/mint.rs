//! The one call that is never repeated: minting a key.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use crate::model::key::{ListedGrant, SpacesKey};
use crate::model::name::{Family, KeyName, Mark, Nonce, Run};
use crate::model::problem::Problem;
use crate::remedy::problem;
use crate::remote::{DigitalOcean, Failure, FailureKind, Service, Shutdown, WriteFailure, deadline};
use crate::report::console::Console;

/// How many names are tried when replies are lost. More would only hide that the service is ill.
const NAMES_TRIED: usize = 3;

/// How long a grant may be refused on a bucket that this run has just made: the key service learns of buckets a
/// while after they exist (field reports; the API documents nothing).
const GRANT_PATIENCE: Duration = Duration::from_mins(1);

/// The pause between two attempts while the key service does not know a bucket yet.
const GRANT_PAUSE: Duration = Duration::from_secs(2);

/// How long the reply of a mint is awaited after a signal: the runner kills ten seconds after the first one, and the key
/// must still be looked up and deleted.
const WAY_OUT: Duration = Duration::from_secs(4);

/// A key and the only copy of its secret.
pub(super) struct Fresh {
    pub(super) key: SpacesKey,
    pub(super) name: KeyName,
    pub(super) secret: SecretString,
    /// The names under which mints of this run were lost. A key of one of them may still appear.
    pub(super) lost: Vec<KeyName>,
}

/// What shall be minted, and by whom.
pub(super) struct Draft<'a> {
    pub(super) family: &'a Family,
    pub(super) run: Run,
    pub(super) mark: Mark,
    pub(super) grants: &'a [ListedGrant],
    /// Whether a granted bucket may be so new that the key service does not know it yet.
    pub(super) young_buckets: bool,
    /// Where the names are kept under which a key may have come about that nobody knows of.
    pub(super) sent: &'a Sent,
}

/// The names of mints that were sent and have come to no known end: a key may stand under each of them, though nobody has
/// its secret. Clones share them, so that they outlive the task that mints.
#[derive(Debug, Clone, Default)]
pub(super) struct Sent(Arc<Mutex<Vec<Open>>>);

/// A name, and since when the reply to its mint is not awaited any more, where it may still come.
type Open = (KeyName, Option<Instant>);

impl Sent {
    /// The names that are open now.
    pub(super) fn open(&self) -> Vec<Open> {
        self.names().clone()
    }

    /// What stands under the name, if anything, is known or gone.
    pub(super) fn settle(&self, name: &KeyName) {
        self.names().retain(|(open, _)| open != name);
    }

    /// A mint of this name is about to be sent.
    pub(super) fn begin(&self, name: &KeyName) {
        self.names().push((name.clone(), None));
    }

    /// The reply to its mint is not awaited any more: the key may come about yet.
    fn give_up(&self, name: &str) {
        let mut names = self.names();
        let open = names.iter_mut().filter(|(open, _)| open.to_string() == name);
        open.for_each(|(_, given_up)| *given_up = Some(Instant::now()));
    }

    fn names(&self) -> MutexGuard<'_, Vec<Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Draft<'_> {
    /// Mints a key under a new name and hides its secret before anything else can be printed. A lost reply is looked up
    /// by its name and deleted, because its secret is lost too.
    pub(super) async fn mint(
        &self,
        digitalocean: &DigitalOcean,
        console: Console,
        shutdown: &Shutdown,
    ) -> Result<Fresh, Problem> {
        let patient_until = deadline(GRANT_PATIENCE);
        let mut lost = Vec::new();
        loop {
            let name = self.name();
            self.sent.begin(&name);
            let answered = self.send(digitalocean, &name, shutdown).await;
            // A lost mint stays open: the name is looked up at once, and may be again, since its key may land late.
            if !matches!(answered, Err(WriteFailure::Lost(_))) {
                self.sent.settle(&name);
            }
            match answered {
                Ok((key, secret)) => {
                    console.mask(&secret);
                    return Ok(Fresh {
                        key,
                        name,
                        secret,
                        lost,
                    });
                }
                Err(WriteFailure::Refused(failure))
                    if self.young_buckets
                        && is_unknown_bucket(&failure)
                        && Instant::now() < patient_until =>
                {
                    shutdown.sleep(GRANT_PAUSE).await.map_err(|_| problem(&failure))?;
                }
                Err(WriteFailure::Refused(failure)) => return Err(problem(&failure)),
                Err(WriteFailure::Lost(failure)) => {
                    withdraw_by_name(digitalocean, &name).await?;
                    lost.push(name);
                    if lost.len() == NAMES_TRIED || shutdown.requested() {
                        return Err(problem(&failure));
                    }
                }
            }
        }
    }

    /// One request. After a signal its reply is awaited for a moment only; then it counts as lost.
    async fn send(
        &self,
        digitalocean: &DigitalOcean,
        name: &KeyName,
        shutdown: &Shutdown,
    ) -> Result<(SpacesKey, SecretString), WriteFailure> {
        let name = name.to_string();
        tokio::select! {
            reply = digitalocean.mint(&name, self.grants) => reply,
            _ = shutdown.overdue(WAY_OUT) => {
                self.sent.give_up(&name);
                Err(WriteFailure::Lost(Failure::new(
                    Service::DigitalOcean,
                    &format!("mint Spaces key {name}"),
                    FailureKind::Interrupted,
                    "the mint had not answered",
                )))
            }
        }
    }

    fn name(&self) -> KeyName {
        // Without entropy the name would only be less unlikely to repeat, and a repeated name is seen and deleted.
        let random = getrandom::u32().unwrap_or_default().to_le_bytes();
        KeyName {
            family: self.family.clone(),
            run: self.run,
            nonce: Nonce::from_random(random),
            mark: self.mark,
        }
    }
}

/// The words of the API for a grant on a bucket that it does not know (yet).
fn is_unknown_bucket(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Forbidden { .. })
        && failure.detail.to_lowercase().contains("invalid grant")
}

/// Deletes whatever a lost mint may have left, and tells whether there was anything.
pub(super) async fn withdraw_by_name(digitalocean: &DigitalOcean, name: &KeyName) -> Result<bool, Problem> {
    let name = name.to_string();
    let keys = digitalocean
        .list_keys()
        .await
        .map_err(|failure| problem(&failure))?;
    let mut found = false;
    for key in keys.iter().filter(|key| key.name == name) {
        digitalocean
            .delete_key(&key.id)
            .await
            .map_err(|failure| problem(&failure))?;
        found = true;
    }
    Ok(found)
}
