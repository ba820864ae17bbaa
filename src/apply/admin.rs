//! The short-lived full-access key under which bucket work is done.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::mint::{Draft, Fresh};
use crate::model::key::{AccessKeyId, full_access};
use crate::model::name::{Family, Mark, Run};
use crate::model::problem::Problem;
use crate::remedy::problem;
use crate::remote::spaces::KeyPair;
use crate::remote::{DigitalOcean, Shutdown};
use crate::report::console::Console;

/// How long the way out waits for a mint in flight to be answered, or looked up and deleted: the runner kills ten
/// seconds after the first signal.
const WAY_OUT: Duration = Duration::from_secs(8);

/// An admin key on its way. It mints in a task of its own, so that a signal that ends everything else does not lose the
/// reply, and with it the id to delete.
pub(super) struct AdminMint {
    task: JoinHandle<Result<Fresh, Problem>>,
    digitalocean: DigitalOcean,
}

/// An admin key that lives. It must be retired on every way out.
pub(super) struct AdminKey {
    id: AccessKeyId,
    /// What opens the buckets.
    pub(super) pair: KeyPair,
    digitalocean: DigitalOcean,
}

impl AdminMint {
    /// Sends the mint off. `digitalocean` must not heed signals: it also deletes.
    pub(super) fn start(
        digitalocean: &DigitalOcean,
        family: &Family,
        run: Run,
        console: Console,
        shutdown: &Shutdown,
    ) -> Self {
        let (client, family, shutdown) = (digitalocean.clone(), family.clone(), shutdown.clone());
        let task = tokio::spawn(async move {
            let draft = Draft {
                family: &family,
                run,
                mark: Mark::Admin,
                grants: &full_access(),
                young_buckets: false,
            };
            draft.mint(&client, console, &shutdown).await
        });
        Self {
            task,
            digitalocean: digitalocean.clone(),
        }
    }

    /// Waits for the key.
    pub(super) async fn ready(&mut self) -> Result<AdminKey, Problem> {
        let minted = (&mut self.task).await.map_err(|error| {
            Problem::new(
                "admin key",
                format!("the mint ended unexpectedly: {error}"),
                "Report this as a bug.",
            )
        })?;
        let Fresh { key, secret, .. } = minted?;
        let pair = KeyPair {
            id: key.id.clone(),
            secret,
        };
        Ok(AdminKey {
            id: key.id,
            pair,
            digitalocean: self.digitalocean.clone(),
        })
    }

    /// The way out of a run that was stopped before the key was used: wait for the reply, then delete.
    pub(super) async fn abandon(mut self) -> Result<(), Problem> {
        let ready = tokio::time::timeout(WAY_OUT, self.ready()).await;
        match ready {
            Ok(Ok(key)) => key.retire().await,
            Ok(Err(_)) => Ok(()),
            Err(_) => Err(left_behind(
                "its mint had not answered when the run was stopped",
                "",
            )),
        }
    }
}

impl AdminKey {
    /// Deletes the key.
    pub(super) async fn retire(self) -> Result<(), Problem> {
        self.digitalocean.delete_key(&self.id).await.map_err(|failure| {
            let Problem { what, remedy, .. } = problem(&failure);
            left_behind(&format!("{} could not be deleted: {what}", self.id), &remedy)
        })
    }
}

fn left_behind(why: &str, cure: &str) -> Problem {
    let remedy = "The next run sweeps it, at the latest when it is an hour old; or delete it by hand.";
    let what = format!("a full-access key may be left behind: {why}");
    Problem::new("admin key", what, format!("{cure} {remedy}").trim())
}
