//! The short-lived full-access key under which bucket work is done.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::mint::{Draft, Fresh, Sent, withdraw_by_name};
use crate::bug::Bug;
use crate::model::key::{AccessKeyId, full_access};
use crate::model::name::{Family, KeyName, Mark, Run};
use crate::model::problem::Problem;
use crate::remedy::problem;
use crate::remote::spaces::KeyPair;
use crate::remote::{Cause, DigitalOcean, REQUEST_TIMEOUT, Shutdown, Trigger, deadline};
use crate::report::console::Console;

/// How long the way out waits for a mint in flight to be answered, or looked up and deleted: the runner kills ten
/// seconds after the first signal.
const WAY_OUT: Duration = Duration::from_secs(8);

/// How long a mint that was given up is looked for on the way out: with the four seconds for its reply, what remains of
/// the farewell.
const LANDING: Duration = Duration::from_secs(3);

/// The pause between two looks for it.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Who mints an admin key, and deletes it.
#[derive(Debug, Clone)]
pub struct Minter {
    /// It must not heed signals: it also deletes.
    pub digitalocean: DigitalOcean,
    /// The family that the key's name begins with.
    pub family: Family,
    /// The run that the key belongs to.
    pub run: Run,
    /// Where its secret is masked.
    pub console: Console,
}

/// An admin key on its way. It mints in a task of its own, so that whatever ends the job does not lose the reply, and with
/// it the id to delete.
pub(super) struct AdminMint {
    task: JoinHandle<Result<Fresh, Problem>>,
    stop: Trigger,
}

/// An admin key that lives. It must be deleted on every way out.
pub(super) struct AdminKey {
    id: AccessKeyId,
    /// What opens the buckets.
    pub(super) pair: KeyPair,
}

impl AdminMint {
    /// Sends the mint off, and keeps its names in `sent` until what they came to is known.
    pub(super) fn start(minter: &Minter, sent: &Sent) -> Self {
        let (minter, sent) = (minter.clone(), sent.clone());
        Self::of(|shutdown| async move {
            let draft = Draft {
                family: &minter.family,
                run: minter.run,
                mark: Mark::Admin,
                grants: &full_access(),
                young_buckets: false,
                sent: &sent,
            };
            draft.mint(&minter.digitalocean, minter.console, &shutdown).await
        })
    }

    fn of<F>(mint: impl FnOnce(Shutdown) -> F) -> Self
    where
        F: Future<Output = Result<Fresh, Problem>> + Send + 'static,
    {
        let (stop, shutdown) = Shutdown::new();
        Self {
            task: tokio::spawn(mint(shutdown)),
            stop,
        }
    }

    /// Waits for the key. Must not be called again after it has returned.
    pub(super) async fn ready(&mut self) -> Result<AdminKey, Problem> {
        let minted = (&mut self.task).await;
        let Fresh { key, secret, .. } =
            minted.map_err(|error| Bug::of_task(error).problem("admin key"))??;
        let pair = KeyPair {
            id: key.id.clone(),
            secret,
        };
        Ok(AdminKey { id: key.id, pair })
    }

    /// The way out of a run that ended before the key was used: waits for the reply for a while. Without one the names
    /// that were sent tell what to look for.
    pub(super) async fn abandon(&mut self) -> Option<AdminKey> {
        self.stop.pull(Cause::Farewell);
        let ready = tokio::time::timeout(WAY_OUT, self.ready()).await;
        self.task.abort();
        ready.ok()?.ok()
    }
}

impl AdminKey {
    pub(super) async fn delete(&self, minter: &Minter) -> Result<(), Problem> {
        let deleted = minter.digitalocean.delete_key(&self.id).await;
        deleted.map_err(|failure| {
            let Problem { what, remedy, .. } = problem(&failure);
            left_behind(&format!("{} could not be deleted: {what}", self.id), &remedy)
        })
    }
}

impl Minter {
    /// Deletes whatever stands under the names that were sent and came to no known end. That nothing stands there is no
    /// proof while the mint may still land: it is looked for again for a moment, and then told.
    pub(super) async fn withdraw(&self, sent: &Sent) -> Result<(), Problem> {
        let give_up = deadline(LANDING);
        for (name, given_up) in sent.open() {
            let may_land = || given_up.is_some_and(|at| at.elapsed() < REQUEST_TIMEOUT);
            while !self.is_withdrawn(&name).await? && may_land() {
                if Instant::now() >= give_up {
                    return Err(left_behind("its mint had not answered when the run ended", ""));
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            sent.settle(&name);
        }
        Ok(())
    }

    async fn is_withdrawn(&self, name: &KeyName) -> Result<bool, Problem> {
        let withdrawn = withdraw_by_name(&self.digitalocean, name).await;
        withdrawn.map_err(|Problem { what, remedy, .. }| {
            left_behind(&format!("the reply to its mint was lost, and {what}"), &remedy)
        })
    }
}

/// A key that may do everything and may still be there.
pub(crate) fn left_behind(why: &str, cure: &str) -> Problem {
    let remedy = "The next run sweeps it, at the latest when it is an hour old; or delete it by hand.";
    let what = format!("a full-access key may be left behind: {why}");
    Problem::new("admin key", what, format!("{cure} {remedy}").trim())
}

#[cfg(test)]
mod tests {
    use spacekeeper_sandbox::{Sandbox, World};

    use super::*;
    use crate::config::{Environment, Runner};
    use crate::model::name::Nonce;
    use crate::remote::Transport;

    fn minter(sandbox: &Sandbox) -> Minter {
        let transport = Transport::new().expect("a transport");
        let base = sandbox.digitalocean_url().parse().expect("a base URL");
        let token = World::DIGITALOCEAN_TOKEN.into();
        Minter {
            digitalocean: DigitalOcean::new(transport, base, token, Shutdown::never()),
            family: "shop-spaces-key".parse().expect("a family"),
            run: Run::OUTSIDE,
            console: Console::new(&Runner::read(&Environment::new())),
        }
    }

    #[tokio::test]
    async fn a_mint_that_panics_over_its_reply_is_found_by_its_name() {
        let sandbox = Sandbox::start(World::new());
        let (minter, sent) = (minter(&sandbox), Sent::default());
        let name = KeyName {
            family: minter.family.clone(),
            run: Run::OUTSIDE,
            nonce: Nonce::from_random([1, 2, 3, 4]),
            mark: Mark::Admin,
        };
        let (client, sending) = (minter.digitalocean.clone(), sent.clone());
        let mut mint = AdminMint::of(|_| async move {
            sending.begin(&name);
            client
                .mint(&name.to_string(), &full_access())
                .await
                .expect("a key");
            panic!("a payload with a canary-of-a-secret")
        });
        let Err(problem) = mint.ready().await else {
            panic!("it has no key")
        };
        let told = problem.to_string();
        assert!(
            told.contains("bug in Spacekeeper") && !told.contains("canary"),
            "{told}"
        );
        assert_eq!(sandbox.world().digitalocean.live_keys().count(), 1);
        minter.withdraw(&sent).await.expect("it is withdrawn");
        assert_eq!(sandbox.world().digitalocean.live_keys().count(), 0);
        assert!(sent.open().is_empty());
    }
}
