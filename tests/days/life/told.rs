//! A life as it reads in a trace.

use std::fmt;

use super::{Event, Life};
use crate::account::DAY;

/// An event as it reads in a trace, told just before it.
pub(super) struct Told<'a>(pub(super) &'a Life<'a>, pub(super) Event);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(life, event) = self;
        let now = life.world.now;
        write!(f, "day {:>3} {:>5} s  ", now / DAY, now % DAY)?;
        let mut working = life.working.iter();
        match event {
            Event::Go(no) => match working.find(|working| working.run.no == *no) {
                Some(working) => write!(f, "run {no}: {:?}", working.run.step),
                None => write!(f, "run {no} is over"),
            },
            Event::Midnight(_) => write!(f, "midnight: {:?}", life.world),
            event => write!(f, "{event:?}"),
        }
    }
}
