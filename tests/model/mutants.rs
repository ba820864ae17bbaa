//! Rules that are wrong in one point each. The model must notice, or it proves nothing.

use crate::rules::{Advice, Election, Judged, KeySet, Rules, Seen, Sent, Sight, Task};
use crate::world::{App, KeyId, Mark, RunNo, Time, Value};

/// A rule that somebody got wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// The gate looks at the deployment that serves, and not at those on their way.
    ComingDeploymentsAreForgotten,
    /// The gate does not ask whether the current key is in every sink.
    DriftHoldsNothingBack,
    /// The latest ticket wins.
    LaterTicketsWin,
    /// The winner does not wait until the losers are gone.
    WinnersDoNotWait,
    /// A key that is being delivered does not stop an election.
    DeliveriesStopNobody,
    /// A secret that was written after the stamp is no drift.
    LateWritesAreOverlooked,
    /// A secret that was written before the current key was delivered is no drift.
    FormerSecretsAreOverlooked,
    /// A key that a run left half delivered is taken for one that no sink has seen.
    DoubtfulKeysAreSwept,
    /// A run goes on to write when its lease is over.
    LeasesAreIgnored,
    /// What stands after a PUT is left as it is, whoever saved the app beside it.
    SavesAreForgotten,
    /// What somebody saved is sent once more, and what others saved before is not brought together with it.
    SavesAreNotMerged,
    /// A write is believed when it is answered.
    AnswersAreBelieved,
}

/// The product with one mistake.
pub(crate) struct Mutant<R> {
    pub(crate) product: R,
    pub(crate) mistake: Mistake,
}

impl<R: Rules> Rules for Mutant<R> {
    fn advise(&self, sight: &Sight, who: RunNo, task: &Task) -> Advice {
        let advice = self.product.advise(sight, who, task);
        let judging = |sight: &Sight| self.product.advise(sight, who, task);
        match self.mistake {
            Mistake::ComingDeploymentsAreForgotten => Advice {
                retire: judging(&without_coming(sight)).retire,
                ..advice
            },
            Mistake::DriftHoldsNothingBack => Advice {
                retire: judging(&as_if_delivered(sight)).retire,
                ..advice
            },
            Mistake::LateWritesAreOverlooked => judging(&as_if_untouched(sight)),
            Mistake::FormerSecretsAreOverlooked => judging(&as_if_rewritten(sight)),
            Mistake::DoubtfulKeysAreSwept => judging(&as_if_pending(sight)),
            _ => advice,
        }
    }

    fn elect(&self, own: KeyId, known: KeySet, seen: &Seen, who: RunNo) -> Election {
        let verdict = self.product.elect(own, known, seen, who);
        let pending = |id: KeyId| {
            seen.keys
                .iter()
                .any(|key| key.id == id && key.mark == Mark::Pending)
        };
        let rival = || self.product.rivals(seen, who).without(own).first();
        match (self.mistake, verdict) {
            (Mistake::LaterTicketsWin, Election::Yield(to)) if pending(to) => Election::GoOn,
            (Mistake::LaterTicketsWin, Election::LookAgain) => rival().map_or(verdict, Election::Yield),
            (Mistake::WinnersDoNotWait, Election::LookAgain) => Election::GoOn,
            (Mistake::DeliveriesStopNobody, Election::Yield(to)) if !pending(to) => Election::GoOn,
            _ => verdict,
        }
    }

    fn rivals(&self, seen: &Seen, who: RunNo) -> KeySet {
        self.product.rivals(seen, who)
    }

    fn judge(&self, sent: &Sent) -> Judged {
        let judged = self.product.judge(sent);
        let stands = sent.edit.is_some_and(|key| sent.standing.0 == Value::Key(key));
        match self.mistake {
            Mistake::SavesAreForgotten if stands => Judged {
                wanted: None,
                ..judged
            },
            Mistake::SavesAreNotMerged => {
                let latest = sent.latest_of_others();
                let lost = latest.filter(|latest| latest & !sent.standing.1 != 0);
                Judged {
                    wanted: lost.or_else(|| judged.wanted.filter(|_| !stands)),
                    ..judged
                }
            }
            _ => judged,
        }
    }

    fn fences(&self) -> bool {
        self.mistake != Mistake::LeasesAreIgnored
    }

    fn reads_back(&self) -> bool {
        self.mistake != Mistake::AnswersAreBelieved
    }
}

fn without_coming(sight: &Sight) -> Sight {
    let app = sight.app.map(|app| App {
        in_progress: None,
        pending: None,
        ..app
    });
    Sight { app, ..sight.clone() }
}

/// Every sink names the key that became active last.
fn as_if_delivered(sight: &Sight) -> Sight {
    let mut sight = as_if_rewritten(&as_if_untouched(sight));
    let active = sight
        .seen
        .keys
        .iter()
        .filter_map(|key| Some((key.mark.stamp()?, key.created_at, key.id)));
    if let Some((_, _, current)) = active.max() {
        sight.repository.variable = Value::Key(current);
        if let Some(app) = &mut sight.app {
            app.spec = Value::Key(current);
        }
    }
    sight
}

/// Nothing was written after the newest stamp.
fn as_if_untouched(sight: &Sight) -> Sight {
    with_times(sight, Time::min)
}

/// Nothing was written before the newest stamp.
fn as_if_rewritten(sight: &Sight) -> Sight {
    with_times(sight, Time::max)
}

/// Each secret was written at what `choose` makes of its time and the newest stamp.
fn with_times(sight: &Sight, choose: fn(Time, Time) -> Time) -> Sight {
    let mut sight = sight.clone();
    let stamps = sight.seen.keys.iter().filter_map(|key| key.mark.stamp());
    if let Some(newest) = stamps.max() {
        for secret in [&mut sight.repository.id, &mut sight.repository.secret] {
            secret.updated_at = choose(secret.updated_at, newest);
        }
    }
    sight
}

fn as_if_pending(sight: &Sight) -> Sight {
    let mut sight = sight.clone();
    for key in &mut sight.seen.keys {
        if key.mark == Mark::Delivering {
            key.mark = Mark::Pending;
        }
    }
    sight
}
