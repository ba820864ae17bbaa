//! Goes through every story there is, those with the fewest faults first.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};

use crate::order::Broken;
use crate::promises::{Recovery, undisturbed_runs_leave_order};
use crate::remembered::Remembered;
use crate::rules::Rules;
use crate::story::{Bounds, Event, Story, Told};

/// What was gone through.
pub(crate) struct Explored {
    /// Different points.
    pub(crate) points: usize,
    /// Different worlds of which it was seen that a clean run mends them.
    pub(crate) worlds: usize,
    /// How often what happened.
    pub(crate) events: BTreeMap<&'static str, usize>,
}

impl Explored {
    /// Insists that all of this has happened.
    #[track_caller]
    pub(crate) fn has_seen(&self, happenings: &[&str]) {
        for happening in happenings {
            let times = self.events.get(happening).copied().unwrap_or_default();
            assert!(times > 0, "it never happens that {happening}: {:#?}", self.events);
        }
    }
}

/// A story that breaks a promise, told to a person.
#[derive(Debug)]
pub(crate) struct Counterexample(pub(crate) String);

/// A point that waits to be gone on from.
#[derive(Clone)]
struct Open {
    story: Story,
    /// How it came about: its place among all steps taken.
    step: usize,
}

/// One event, and the step before it.
struct Taken {
    before: usize,
    event: Event,
}

/// Every story that begins here, as far as the bounds allow.
pub(crate) fn explore<R: Rules>(
    beginning: &Story,
    bounds: Bounds,
    rules: R,
) -> Result<Explored, Counterexample> {
    let rules = Remembered::new(rules);
    let mut search = Search {
        beginning,
        rules: &rules,
        recovery: Recovery::default(),
        seen: HashSet::from([fingerprint(beginning)]),
        taken: Vec::new(),
        events: BTreeMap::new(),
    };
    let mut layers = vec![VecDeque::new(); usize::from(bounds.faults) + 1];
    layers[0].push_back(Open {
        story: beginning.clone(),
        step: usize::MAX,
    });
    for faults in 0..=bounds.faults {
        while let Some(open) = layers[usize::from(faults)].pop_front() {
            for event in open.story.events(bounds, faults, &rules) {
                let after = faults + event.faults(&open.story);
                layers[usize::from(after)].extend(search.go(&open, event, after == 0)?);
            }
        }
    }
    Ok(Explored {
        points: search.seen.len(),
        worlds: search.recovery.worlds(),
        events: search.events,
    })
}

struct Search<'a> {
    beginning: &'a Story,
    rules: &'a dyn Rules,
    recovery: Recovery,
    /// Fingerprints of all points seen; of a million points two share one with a probability of 1 to 30 million.
    seen: HashSet<u64>,
    taken: Vec<Taken>,
    events: BTreeMap<&'static str, usize>,
}

impl Search<'_> {
    /// The point after the event, when it is a new one. `plain`: nothing has gone wrong so far.
    fn go(&mut self, open: &Open, event: Event, plain: bool) -> Result<Option<Open>, Counterexample> {
        *self.events.entry(event.happening(&open.story)).or_default() += 1;
        let story = open.story.after(event, self.rules);
        let story = story.map_err(|broken| self.counterexample(open, event, &broken))?;
        if !self.seen.insert(fingerprint(&story)) {
            return Ok(None);
        }
        let order = if plain {
            undisturbed_runs_leave_order(&story)
        } else {
            Ok(())
        };
        let kept = order.and_then(|()| self.recovery.check(&story, self.rules));
        kept.map_err(|broken| self.counterexample(open, event, &broken))?;
        let step = self.taken.len();
        self.taken.push(Taken {
            before: open.step,
            event,
        });
        Ok(Some(Open { story, step }))
    }

    fn counterexample(&self, open: &Open, last: Event, Broken(what): &Broken) -> Counterexample {
        let mut events = vec![last];
        let mut step = open.step;
        while let Some(Taken { before, event }) = self.taken.get(step) {
            events.push(*event);
            step = *before;
        }
        let mut text = format!("after {} points: {what}\n", self.seen.len());
        let mut story = self.beginning.clone();
        for event in events.iter().rev() {
            let _ = writeln!(text, "  {:>6} s  {}", story.world.now, Told(&story, *event));
            match story.after(*event, self.rules) {
                Ok(after) => story = after,
                Err(_) => break,
            }
        }
        let _ = write!(text, "in {:?}", story.world);
        Counterexample(text)
    }
}

fn fingerprint(story: &Story) -> u64 {
    let mut hasher = DefaultHasher::new();
    story.hash(&mut hasher);
    hasher.finish()
}
