//! What opens the buckets: a pair that the user supplied, or a short-lived admin key of our own.

use super::admin::{AdminKey, AdminMint};
use crate::config::FullAccessPair;
use crate::model::key::AccessKeyId;
use crate::model::name::{Family, Run};
use crate::model::problem::Problem;
use crate::remote::spaces::KeyPair;
use crate::remote::{DigitalOcean, Shutdown};
use crate::report::console::Console;

/// A full-access key, supplied or ours. Ours must be [retired](Self::retire) on every way out.
pub struct FullAccess(Kind);

enum Kind {
    Supplied(KeyPair),
    Minting(AdminMint),
    Minted(AdminKey),
    None,
}

impl FullAccess {
    /// The user's pair. It is never deleted.
    #[must_use]
    pub fn supplied(pair: &FullAccessPair) -> Self {
        Self(Kind::Supplied(KeyPair {
            id: pair.id.clone(),
            secret: pair.secret.clone(),
        }))
    }

    /// A key of our own; the mint is on its way when this returns. `cleaner` must not heed signals.
    #[must_use]
    pub fn mint(
        cleaner: &DigitalOcean,
        family: &Family,
        run: Run,
        console: Console,
        shutdown: &Shutdown,
    ) -> Self {
        Self(Kind::Minting(AdminMint::start(
            cleaner, family, run, console, shutdown,
        )))
    }

    /// No access: a dry run mints nothing.
    #[must_use]
    pub fn none() -> Self {
        Self(Kind::None)
    }

    /// Whether the key is fresh, so that not every server of Spaces may know it yet.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        matches!(self.0, Kind::Minting(_) | Kind::Minted(_))
    }

    /// The id of a key of our own that lives.
    #[must_use]
    pub fn own_id(&self) -> Option<AccessKeyId> {
        match &self.0 {
            Kind::Minted(key) => Some(key.pair.id.clone()),
            Kind::Supplied(_) | Kind::Minting(_) | Kind::None => None,
        }
    }

    /// The pair, as soon as it is there.
    pub async fn pair(&mut self) -> Result<Option<KeyPair>, Problem> {
        if let Kind::Minting(mint) = &mut self.0 {
            let ready = mint.ready().await;
            // A mint that failed is over: there is nothing left to retire, and nothing to wait for a second time.
            self.0 = Kind::None;
            self.0 = Kind::Minted(ready?);
        }
        Ok(match &self.0 {
            Kind::Supplied(pair) => Some(pair.clone()),
            Kind::Minted(key) => Some(key.pair.clone()),
            Kind::Minting(_) | Kind::None => None,
        })
    }

    /// Deletes a key of ours, whether or not its mint has answered yet.
    pub async fn retire(self) -> Result<(), Problem> {
        match self.0 {
            Kind::Supplied(_) | Kind::None => Ok(()),
            Kind::Minted(key) => key.retire().await,
            Kind::Minting(mint) => mint.abandon().await,
        }
    }
}
