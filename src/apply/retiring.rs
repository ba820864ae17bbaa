//! The end of old keys. Nothing else deletes a key that was ever delivered, and only what the gate has released.

use futures_util::future::join_all;

use super::Writers;
use crate::model::intent::Means;
use crate::model::problem::Problem;
use crate::plan::gate::{Released, Standing};
use crate::plan::{Plan, Retirement};
use crate::remedy::problem;
use crate::remote::{DigitalOcean, Failure};

/// Ends every key of the plan that nothing holds any more.
pub(super) async fn retire(writers: &Writers<'_>, plan: &Plan) {
    let Some(digitalocean) = writers.digitalocean else {
        return;
    };
    let released = plan.retiring().filter_map(Retirement::released);
    join_all(released.map(|key| end(writers, digitalocean, key))).await;
}

async fn end(writers: &Writers<'_>, digitalocean: &DigitalOcean, released: Released<'_>) {
    let old = released.retirement();
    let subject = format!("key {}", old.key.id);
    tell_what_breaks(writers, old);
    let ended: Result<(), Failure> = match old.means {
        Means::Delete => digitalocean.delete_key(&old.key.id).await,
        Means::Quarantine => digitalocean.empty_grants(&old.key).await.map(drop),
    };
    match ended {
        Ok(()) => writers.ledger.did(subject, old.epitaph()),
        Err(failure) => {
            let Problem { what, remedy, .. } = problem(&failure);
            let what = format!("it could not be taken out of service: {what}");
            writers
                .ledger
                .failed(Problem::new(subject, what, again(old, &remedy)));
        }
    }
}

/// Every run goes through the gate again; the intent to revoke is forgotten with this one.
fn again(old: &Retirement, remedy: &str) -> String {
    let again = if old.compromised {
        "Run revoke again."
    } else {
        "The next run tries again."
    };
    format!("{remedy} {again}")
}

fn tell_what_breaks(writers: &Writers<'_>, old: &Retirement) {
    if let Some(warning) = old.warning() {
        writers.ledger.note(warning);
    }
}

impl Retirement {
    /// What was done with it, and why it could be.
    fn epitaph(&self) -> String {
        let deed = match self.means {
            Means::Delete => "deleted",
            Means::Quarantine => "quarantined: it opens nothing until it is given its grants back",
        };
        let why = match self.standing {
            _ if self.compromised => "a newer key is delivered everywhere",
            Standing::Serving | Standing::Superseded => {
                "superseded, its grace period is over and nothing holds it"
            }
            Standing::Doubtful => {
                "a dead run left it half delivered, and a newer key has replaced it everywhere"
            }
            Standing::Adopted => "adopted, its grace period is over and nothing holds it",
        };
        let unseen = if self.compromised || self.blind_spots.is_empty() {
            String::new()
        } else {
            format!("; nobody could look at {}", self.blind_spots.join(" and "))
        };
        format!("{deed} ({why}{unseen})")
    }
}
