//! What opens the buckets: a pair that the user supplied, or a short-lived admin key of our own.

use tokio::sync::Mutex;

use super::admin::{AdminKey, AdminMint, Minter};
use super::mint::Sent;
use crate::config::FullAccessPair;
use crate::model::key::AccessKeyId;
use crate::model::problem::Problem;
use crate::remote::spaces::KeyPair;

/// The full-access key of a run, supplied or our own.
///
/// The edge of the process owns it and lends it to the job; the job may [end](Self::end) it as soon as its bucket work is
/// done. The edge ends it once more, whatever has become of the job: one that is gone already is left at that.
pub struct FullAccess {
    source: Source,
    held: Mutex<Held>,
    sent: Sent,
}

enum Source {
    Supplied(KeyPair),
    Own(Box<Minter>),
    None,
}

/// What there is of a key of our own.
enum Held {
    Nothing,
    Minting(AdminMint),
    Minted(AdminKey),
}

impl FullAccess {
    /// The user's pair. It is never deleted.
    #[must_use]
    pub fn supplied(pair: &FullAccessPair) -> Self {
        Self::of(Source::Supplied(KeyPair {
            id: pair.id.clone(),
            secret: pair.secret.clone(),
        }))
    }

    /// A key of our own, which is minted when it is [ordered](Self::order).
    #[must_use]
    pub fn own(minter: Minter) -> Self {
        Self::of(Source::Own(Box::new(minter)))
    }

    /// No access: a dry run mints nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::of(Source::None)
    }

    fn of(source: Source) -> Self {
        Self {
            source,
            held: Mutex::new(Held::Nothing),
            sent: Sent::default(),
        }
    }

    /// Sends the mint of a key of our own off, where that is what opens the buckets; it is on its way when this returns.
    pub async fn order(&self) {
        let mut held = self.held.lock().await;
        if let (Source::Own(minter), Held::Nothing) = (&self.source, &*held) {
            *held = Held::Minting(AdminMint::start(minter, &self.sent));
        }
    }

    /// Whether the key is fresh, so that not every server of Spaces may know it yet.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        matches!(self.source, Source::Own(_))
    }

    /// The id of a key of our own that lives.
    pub async fn own_id(&self) -> Option<AccessKeyId> {
        match &*self.held.lock().await {
            Held::Minted(key) => Some(key.pair.id.clone()),
            Held::Minting(_) | Held::Nothing => None,
        }
    }

    /// What to look for when the end of a key of our own was not seen: its id, or the names under which it may stand.
    pub async fn traces(&self) -> Vec<String> {
        let names = self.sent.open().into_iter().map(|(name, _)| name.to_string());
        let id = self.own_id().await.map(|id| id.to_string());
        id.into_iter().chain(names).collect()
    }

    /// The pair, as soon as it is there.
    pub async fn pair(&self) -> Result<Option<KeyPair>, Problem> {
        if let Source::Supplied(pair) = &self.source {
            return Ok(Some(pair.clone()));
        }
        let mut held = self.held.lock().await;
        if let Held::Minting(mint) = &mut *held {
            let ready = mint.ready().await;
            // A mint that failed is over: there is nothing to wait for a second time.
            *held = Held::Nothing;
            *held = Held::Minted(ready?);
        }
        Ok(match &*held {
            Held::Minted(key) => Some(key.pair.clone()),
            Held::Minting(_) | Held::Nothing => None,
        })
    }

    /// Deletes a key of ours, whether or not its mint has answered yet, and whatever a lost mint may have left. What
    /// could not be deleted is tried again when this is called again.
    pub async fn end(&self) -> Result<(), Problem> {
        let Source::Own(minter) = &self.source else {
            return Ok(());
        };
        let mut held = self.held.lock().await;
        if let Held::Minting(mint) = &mut *held {
            let minted = mint.abandon().await;
            *held = minted.map_or(Held::Nothing, Held::Minted);
        }
        if let Held::Minted(key) = &*held {
            key.delete(minter).await?;
            *held = Held::Nothing;
        }
        minter.withdraw(&self.sent).await
    }
}
