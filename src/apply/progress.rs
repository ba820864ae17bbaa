//! How a deployment is watched: how often it is looked at, and what is told of it meanwhile.

use std::iter::successors;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::desired::AppRef;
use crate::remote::digitalocean::{Deployment, Phase, Progress};
use crate::report::spoken;

/// The first pause between two looks; they grow by half.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause between two looks: what a person who has waited for minutes would still call prompt.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The pauses between two looks for a deployment that does not show yet: it may do so a moment after the save that it comes
/// of is answered. Where there is none after three seconds, none is taken to come.
pub(super) const UNTIL_IT_SHOWS: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1_600),
];

/// How often a deployment is told of that does not move.
const TELL_AGAIN: Duration = Duration::from_mins(1);

/// The pauses between two looks at a deployment.
pub(super) fn pauses() -> impl Iterator<Item = Duration> {
    successors(Some(FIRST_PAUSE), |pause| {
        Some((*pause * 3 / 2).min(LONGEST_PAUSE))
    })
}

/// What has been told of a deployment: every change, and from time to time that there is none.
pub(super) struct Story<'a> {
    app: &'a AppRef,
    begun: Instant,
    told: Option<(String, Instant)>,
}

impl<'a> Story<'a> {
    /// Begins now.
    pub(super) fn new(app: &'a AppRef) -> Self {
        let begun = Instant::now();
        Self {
            app,
            begun,
            told: None,
        }
    }

    /// Tells where it stands, where that is news.
    pub(super) fn tell(&mut self, now: &Deployment) {
        let standing = standing(&now.phase, now.progress);
        let is_news = |(told, at): &(String, Instant)| *told != standing || at.elapsed() >= TELL_AGAIN;
        if self.told.as_ref().is_none_or(is_news) {
            let (app, id, since) = (self.app, &now.id, spoken(self.begun.elapsed()));
            tracing::info!("app {app}: deployment {id} is {standing} after {since}");
            self.told = Some((standing, Instant::now()));
        }
    }
}

/// `BUILDING (2 of 6 steps)`; before there are any steps, the phase alone.
fn standing(phase: &Phase, progress: Progress) -> String {
    match progress {
        Progress { total: 0, .. } => phase.to_string(),
        Progress { done, total } => format!("{phase} ({done} of {total} steps)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many requests a deployment of ten minutes may take.
    const REQUESTS_IN_TEN_MINUTES: usize = 40;

    /// Those that are no looks: finding the app, its opinion of the spec, and the PUT with the reads before and after it.
    const OTHER_REQUESTS: usize = 7;

    #[test]
    fn a_deployment_of_ten_minutes_is_looked_at_no_more_often_than_agreed() {
        let looks = pauses().scan(Duration::ZERO, |since, pause| {
            *since += pause;
            Some(*since)
        });
        let on_the_way = looks.take_while(|since| *since < Duration::from_mins(10));
        let looks = 1 + on_the_way.count() + 1;
        assert!(looks + OTHER_REQUESTS <= REQUESTS_IN_TEN_MINUTES, "{looks} looks");
    }

    #[test]
    fn the_first_looks_are_close_together() {
        let first: Duration = pauses().take(4).sum();
        assert!(
            first < Duration::from_secs(10),
            "a quick deployment is seen at once: {first:?}"
        );
    }

    #[test]
    fn before_there_are_steps_none_is_told_as_done() {
        let none = Progress::default();
        assert_eq!(standing(&Phase::PendingBuild, none), "PENDING_BUILD");
        let some = Progress { done: 0, total: 6 };
        assert_eq!(standing(&Phase::Building, some), "BUILDING (0 of 6 steps)");
    }
}
