//! What a run sees of the whole account, judged by the product's own planner.

use std::collections::BTreeMap;

use spacekeeper::model::observed::{History, Holders, Observed, Unfinished};

use crate::outside::Outside;
use crate::product::{self, Product};
use crate::rules::{Advice, Election, Judged, KeySet, Rules, Seen, Sent, Sight, Task};
use crate::world::{KeyId, RunNo, Time};

/// A planner that somebody got wrong. The other mistakes are those of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blindness {
    /// The gate does not look at workflow runs.
    RunsAreForgotten,
    /// The gate never opens.
    NothingEverGoes,
}

/// The product's planner, with all there is to see.
#[derive(Clone, Copy)]
pub(crate) struct Planner<'a> {
    pub(crate) product: &'a Product,
    pub(crate) outside: &'a Outside,
    /// The grace period, in seconds.
    pub(crate) grace: Time,
    pub(crate) blindness: Option<Blindness>,
}

impl Planner<'_> {
    fn observed(&self, sight: &Sight, who: RunNo) -> Observed {
        let mut observed = self.product.observed(sight, who);
        observed.holders = (sight.seen.keys.len() > 1).then(|| self.holders(sight));
        observed
    }

    /// Who may hold old keys; as in `src/observe.rs`, nobody looks where there is none.
    fn holders(&self, sight: &Sight) -> Holders {
        let runs = match self.blindness {
            Some(Blindness::RunsAreForgotten) => Unfinished::Runs(Vec::new()),
            _ => self.outside.unfinished(),
        };
        let history = History {
            deployments: self.outside.listed(sight.seen.now.saturating_sub(self.grace)),
            limit: None,
        };
        let served = sight.app.map(|_| (product::app_ref(), Ok(history)));
        Holders {
            runs: BTreeMap::from([(product::target().repository, Ok(runs))]),
            served: served.into_iter().collect(),
            apps: Ok(Some(Vec::new())),
        }
    }
}

impl Rules for Planner<'_> {
    fn advise(&self, sight: &Sight, who: RunNo, task: &Task) -> Advice {
        let observed = self.observed(sight, who);
        let advice = self.product.advise_on(&observed, sight.app.is_some(), task);
        match self.blindness {
            Some(Blindness::NothingEverGoes) => Advice {
                retire: KeySet::default(),
                ..advice
            },
            _ => advice,
        }
    }

    fn elect(&self, own: KeyId, known: KeySet, seen: &Seen, who: RunNo) -> Election {
        self.product.elect(own, known, seen, who)
    }

    fn judge(&self, sent: &Sent) -> Judged {
        self.product.judge(sent)
    }

    fn rivals(&self, seen: &Seen, who: RunNo) -> KeySet {
        self.product.rivals(seen, who)
    }
}
