//! The end of old keys. Nothing else deletes a key that was ever delivered, and only what the gate has released.

use std::time::Duration;

use futures_util::future::join_all;

use super::{ENDING_AFTER_SIGNAL, Writers};
use crate::model::intent::Means;
use crate::model::key::SpacesKey;
use crate::model::problem::Problem;
use crate::plan::gate::{Released, Standing};
use crate::plan::{Plan, Retirement};
use crate::remedy::problem;
use crate::remote::{DigitalOcean, Interrupted};

/// How often a key is taken out of service that is still there.
const PASSES: usize = 2;

/// The pauses before the looks at a list that may show a moment later what was done.
const LOOKS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(2)];

/// Ends every key of the plan that nothing holds any more.
pub(super) async fn retire(writers: &Writers<'_>, plan: &Plan) {
    let Some(digitalocean) = writers.digitalocean else {
        return;
    };
    let released = plan.retiring().filter_map(Retirement::released);
    let mut unseen: Vec<Released<'_>> = released.collect();
    for old in &unseen {
        tell_what_breaks(writers, old.retirement());
    }
    for _ in 0..PASSES {
        let ended = join_all(unseen.iter().map(|key| end(writers, digitalocean, key))).await;
        let ended = unseen
            .into_iter()
            .zip(ended)
            .filter_map(|(key, ended)| ended.then_some(key));
        unseen = ended.collect();
        for pause in LOOKS {
            if unseen.is_empty() {
                return;
            }
            tokio::time::sleep(pause).await;
            unseen = look(writers, digitalocean, unseen).await;
        }
    }
    for old in &unseen {
        let what = "DigitalOcean accepted its end, and it is still there";
        fail(writers, old.retirement(), what, "");
    }
}

/// Whether its end was answered.
async fn end(writers: &Writers<'_>, digitalocean: &DigitalOcean, released: &Released<'_>) -> bool {
    let old = released.retirement();
    let ending = async {
        match old.means {
            Means::Delete => digitalocean.delete_key(&old.key.id).await,
            Means::Quarantine => digitalocean.empty_grants(&old.key).await.map(drop),
        }
    };
    match writers.shutdown.within(ENDING_AFTER_SIGNAL, ending).await {
        Ok(Ok(())) => return true,
        Ok(Err(failure)) => {
            let Problem { what, remedy, .. } = problem(&failure);
            let what = format!("it could not be taken out of service: {what}");
            fail(writers, old, &what, &remedy);
        }
        Err(Interrupted(cause)) => {
            let what =
                format!("{cause} stopped the run before its end was answered, so it may still be in service");
            fail(writers, old, &what, "");
        }
    }
    false
}

/// Tells of the keys that the list shows as ended, and returns the others. Whoever revokes a key relies on its end.
async fn look<'p>(
    writers: &Writers<'_>,
    digitalocean: &DigitalOcean,
    ended: Vec<Released<'p>>,
) -> Vec<Released<'p>> {
    if ended.is_empty() {
        return ended;
    }
    let listed = writers
        .shutdown
        .within(ENDING_AFTER_SIGNAL, digitalocean.list_keys())
        .await;
    let listed = match listed {
        Ok(listed) => listed.map_err(|failure| problem(&failure)),
        Err(Interrupted(cause)) => Err(Problem::new("keys", format!("{cause} stopped the run"), "")),
    };
    let unseen = ended.into_iter().filter(|key| {
        let old = key.retirement();
        match &listed {
            Ok(listed) if listed.iter().any(|listed| old.still_opens(listed)) => true,
            Ok(_) => {
                writers.ledger.did(format!("key {}", old.key.id), old.epitaph());
                false
            }
            Err(told) => {
                let Problem { what, remedy, .. } = told;
                let what = format!("its end was accepted and could not be seen: {what}");
                fail(writers, old, &what, remedy);
                false
            }
        }
    });
    unseen.collect()
}

fn fail(writers: &Writers<'_>, old: &Retirement, what: &str, remedy: &str) {
    let remedy = again(old, remedy);
    let problem = Problem::new(format!("key {}", old.key.id), what, remedy.trim());
    writers.ledger.failed(problem);
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
    /// Whether the list shows this key in service.
    fn still_opens(&self, listed: &SpacesKey) -> bool {
        let is_out = self.means == Means::Quarantine && listed.grants.is_empty();
        listed.id == self.key.id && !is_out
    }

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
