//! Waits for another run that is at the same family.

use std::time::Duration;

use tokio::time::Instant;

use super::{Writers, look};
use crate::model::problem::Problem;
use crate::plan::generations::{Generation, Generations};
use crate::remote::Interrupted;
use crate::report::spoken;

/// The pause between two looks: prompt for a person, and cheap beside 250 requests a minute.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// How often the wait is told.
const TELL_AGAIN: Duration = Duration::from_secs(30);

/// Waits until none of the rivals is unfinished any more: delivered, deleted, or dead.
pub(super) async fn await_rivals(
    writers: &Writers<'_>,
    rivals: &[Generation],
    deadline: Instant,
) -> Result<(), Problem> {
    let begun = Instant::now();
    let mut told: Option<Instant> = None;
    loop {
        let Some(rival) = still_at_it(writers, rivals).await? else {
            return Ok(());
        };
        if Instant::now() + LOOK_AGAIN > deadline {
            return Err(timed_out(&rival, begun.elapsed()));
        }
        if told.is_none_or(|told| told.elapsed() >= TELL_AGAIN) {
            tracing::info!(
                "key {}: {} is at it, waiting",
                rival.name.family,
                rival.name.run.spoken()
            );
            told = Some(Instant::now());
        }
        writers
            .shutdown
            .sleep(LOOK_AGAIN)
            .await
            .map_err(|stopped| interrupted(&rival, stopped))?;
    }
}

async fn still_at_it(writers: &Writers<'_>, rivals: &[Generation]) -> Result<Option<Generation>, Problem> {
    let observed = look(writers).await?;
    let live = |rival: &Generation| {
        let generations = Generations::of(&rival.name.family, &observed);
        generations
            .rivals
            .into_iter()
            .find(|other| other.key.id == rival.key.id)
    };
    Ok(rivals.iter().find_map(live))
}

fn timed_out(rival: &Generation, waited: Duration) -> Problem {
    let what = format!(
        "{} is rotating it, and is not done after {}",
        rival.name.run.spoken(),
        spoken(waited)
    );
    let remedy = "Run again when it is over, or raise lock-timeout; give the workflow a concurrency group.";
    Problem::new(format!("key {}", rival.name.family), what, remedy)
}

fn interrupted(rival: &Generation, Interrupted(cause): Interrupted) -> Problem {
    let what = format!("{cause} ended the wait for {}", rival.name.run.spoken());
    Problem::new(format!("key {}", rival.name.family), what, "Run again.")
}
