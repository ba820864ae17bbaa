//! Rules that remember their answers: the same sight comes up again and again.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;

use crate::clock;
use crate::rules::{Advice, Election, Judged, KeySet, Rules, Seen, Sent, Sight, Task};
use crate::world::{KeyId, RunNo};

/// Rules that remember their answers: the same sight comes up again and again.
pub(crate) struct Remembered<R> {
    rules: R,
    advice: Memory<(Sight, RunNo, Task), Advice>,
    elections: Memory<(KeyId, KeySet, Seen, RunNo), Election>,
    rivals: Memory<(Seen, RunNo), KeySet>,
    judgements: Memory<Sent, Judged>,
}

type Memory<Q, A> = RefCell<HashMap<Q, A>>;

impl<R: Rules> Remembered<R> {
    pub(crate) fn new(rules: R) -> Self {
        Self {
            rules,
            advice: Memory::default(),
            elections: Memory::default(),
            rivals: Memory::default(),
            judgements: Memory::default(),
        }
    }
}

impl<R: Rules> Rules for Remembered<R> {
    fn advise(&self, sight: &Sight, who: RunNo, task: &Task) -> Advice {
        let sight = clock::rewound(sight.clone());
        let question = (sight.clone(), who, *task);
        recall(&self.advice, question, || self.rules.advise(&sight, who, task))
    }

    fn elect(&self, own: KeyId, known: KeySet, seen: &Seen, who: RunNo) -> Election {
        let question = (own, known, seen.clone(), who);
        recall(&self.elections, question, || {
            self.rules.elect(own, known, seen, who)
        })
    }

    fn rivals(&self, seen: &Seen, who: RunNo) -> KeySet {
        recall(&self.rivals, (seen.clone(), who), || self.rules.rivals(seen, who))
    }

    fn judge(&self, sent: &Sent) -> Judged {
        recall(&self.judgements, sent.clone(), || self.rules.judge(sent))
    }

    fn fences(&self) -> bool {
        self.rules.fences()
    }

    fn reads_back(&self) -> bool {
        self.rules.reads_back()
    }
}

fn recall<Q: Eq + Hash, A: Copy>(memory: &Memory<Q, A>, question: Q, answer: impl FnOnce() -> A) -> A {
    *memory.borrow_mut().entry(question).or_insert_with(answer)
}
