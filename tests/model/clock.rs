//! Rewinds the clock: of all times only the order matters, and which span lies between two of them. Points that differ
//! in nothing else become one.

use crate::rules::{Seen, Sight};
use crate::run::{Run, Step};
use crate::story::{Span, Story};
use crate::world::{App, Key, Mark, Repository, Time, World, Write};

/// Something in which times stand.
pub(crate) trait Timed {
    /// Shows every time in it, in an order that does not depend on the times.
    fn times(&mut self, show: &mut dyn FnMut(&mut Time));
}

/// The same at the earliest time at which it could be.
pub(crate) fn rewound<T: Timed>(mut timed: T) -> T {
    let mut times = Vec::with_capacity(16);
    timed.times(&mut |time| times.push(*time));
    times.sort_unstable();
    times.dedup();
    let mut rewound = Vec::with_capacity(times.len());
    let mut last = (0, 0);
    for time in times {
        last = (time, last.1 + shortened(time - last.0));
        rewound.push(last);
    }
    timed.times(&mut |time| {
        let at = rewound.binary_search_by_key(time, |(before, _)| *before);
        *time = at.map_or(*time, |at| rewound[at].1);
    });
    timed
}

/// The shortest span that is as long, for all that anybody asks of it.
fn shortened(span: Time) -> Time {
    let spans = [Span::Grace, Span::Lease, Span::Pause].map(Span::seconds);
    spans.into_iter().find(|known| span >= *known).unwrap_or(span)
}

impl Timed for World {
    fn times(&mut self, show: &mut dyn FnMut(&mut Time)) {
        show(&mut self.now);
        self.repository.times(show);
        self.keys.iter_mut().for_each(|key| key.times(show));
        self.app.iter_mut().for_each(|app| app.times(show));
    }
}

impl Timed for Repository {
    fn times(&mut self, show: &mut dyn FnMut(&mut Time)) {
        show(&mut self.id.updated_at);
        show(&mut self.secret.updated_at);
    }
}

impl Timed for Key {
    fn times(&mut self, show: &mut dyn FnMut(&mut Time)) {
        show(&mut self.created_at);
        self.mark.times(show);
    }
}

impl Timed for Mark {
    fn times(&mut self, show: &mut dyn FnMut(&mut Time)) {
        if let Self::Active(since) = self {
            show(since);
        }
    }
}

impl Timed for App {
    fn times(&mut self, show: &mut dyn FnMut(&mut Time)) {
        self.deployments()
            .for_each(|deployment| show(&mut deployment.created_at));
    }
}

impl Timed for Write {
    fn times(&mut self, show: &mut dyn FnMut(&mut Time)) {
        if let Self::Rename(_, mark) = self {
            mark.times(show);
        }
    }
}

impl Timed for Seen {
    fn times(&mut self, show: &mut dyn FnMut(&mut Time)) {
        show(&mut self.now);
        self.keys.iter_mut().for_each(|key| key.times(show));
    }
}

impl Timed for Sight {
    fn times(&mut self, show: &mut dyn FnMut(&mut Time)) {
        self.seen.times(show);
        self.repository.times(show);
        self.app.iter_mut().for_each(|app| app.times(show));
    }
}

impl Timed for Step {
    fn times(&mut self, show: &mut dyn FnMut(&mut Time)) {
        match self {
            Self::LookAtSinks(seen) => seen.times(show),
            Self::LookAtKeys(repository, app) => {
                repository.times(show);
                if let Some(app) = app {
                    app.times(show);
                }
            }
            Self::Activate(stamp) => show(stamp),
            _ => {}
        }
    }
}

impl Timed for Run {
    fn times(&mut self, show: &mut dyn FnMut(&mut Time)) {
        self.step.times(show);
        self.newest
            .iter_mut()
            .chain(&mut self.stamped)
            .for_each(&mut *show);
        if let Some(own) = &mut self.own {
            show(&mut own.created_at);
            show(&mut own.id_at);
            show(&mut own.secret_at);
        }
    }
}

impl Timed for Story {
    fn times(&mut self, show: &mut dyn FnMut(&mut Time)) {
        self.world.times(show);
        self.runs.iter_mut().for_each(|run| run.times(show));
        self.late.iter_mut().for_each(|write| write.times(show));
    }
}
