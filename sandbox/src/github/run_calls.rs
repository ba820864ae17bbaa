//! The calls on workflow runs.

use serde_json::{Value, json};

use super::Run;
use super::ask::Ask;
use super::authorize::{Need, in_repository};
use super::paging::{USUAL, page_of};
use super::refusal::{Outcome, Refusal, ok};
use crate::World;
use crate::clock::rfc3339;

/// How many runs a search shows.
const SEARCH_SHOWS: usize = 1_000;

/// The parameters that make a list a search.
const FILTERS: [&str; 3] = ["status", "event", "created"];

/// The runs of a repository, newest first, filtered by `status`, `event` and `created`. A search shows 1,000 runs and no
/// more ("Lists all workflow runs for a repository" of the REST documentation).
pub(super) fn list(world: &mut World, ask: &Ask<'_>, at: usize) -> Outcome {
    let repository = &mut world.github.repositories[at];
    in_repository(&ask.caller, repository, Need::open(&["actions"]))?;
    if let Some(status) = ask.parameter("status") {
        repository
            .runs
            .iter_mut()
            .for_each(|run| run.is_looked_for(status));
    }
    let wanted = |run: &&Run| {
        ask.parameter("status").is_none_or(|status| run.is(status))
            && ask.parameter("event").is_none_or(|event| run.event == event)
            && ask
                .parameter("created")
                .is_none_or(|range| is_within(&rfc3339(run.created_at), range))
    };
    let mut items: Vec<Value> = repository.runs.iter().rev().filter(wanted).map(shown).collect();
    let found = items.len();
    if FILTERS.iter().any(|name| ask.parameter(name).is_some()) {
        items.truncate(SEARCH_SHOWS);
    }
    let counted = if world.switches.searches_count_what_they_hide {
        found
    } else {
        items.len()
    };
    Ok(page_of(
        ask,
        &world.switches,
        USUAL,
        "workflow_runs",
        items,
        counted,
    ))
}

pub(super) fn get(world: &World, ask: &Ask<'_>, at: usize, id: &str) -> Outcome {
    let repository = &world.github.repositories[at];
    in_repository(&ask.caller, repository, Need::open(&["actions"]))?;
    let run = repository.runs.iter().find(|run| run.id.to_string() == id);
    run.map(|run| ok(&shown(run))).ok_or_else(Refusal::not_found)
}

/// Whether a time is in a range such as `>=2026-01-02`, `<2026-01-02T03:04:05Z` or `A..B`. Times
/// in this form, and dates before them, sort as text.
fn is_within(time: &str, range: &str) -> bool {
    if let Some((from, to)) = range.split_once("..") {
        return (from == "*" || time >= from) && (to == "*" || time <= to || time.starts_with(to));
    }
    match range {
        _ if range.starts_with(">=") => time >= &range[2..],
        _ if range.starts_with("<=") => time <= &range[2..] || time.starts_with(&range[2..]),
        _ if range.starts_with('>') => time > &range[1..] && !time.starts_with(&range[1..]),
        _ if range.starts_with('<') => time < &range[1..],
        _ => time.starts_with(range),
    }
}

fn shown(run: &Run) -> Value {
    json!({
        "id": run.id,
        "name": run.name,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "run_number": run.id,
        "run_attempt": run.attempt,
        "created_at": rfc3339(run.created_at),
        "updated_at": rfc3339(run.updated_at),
        "run_started_at": rfc3339(run.created_at),
    })
}

#[cfg(test)]
mod tests {
    use super::is_within;

    #[test]
    fn ranges_of_creation() {
        let time = "2026-01-02T03:04:05Z";
        for range in [
            ">=2026-01-02",
            "<=2026-01-02",
            "2026-01-02",
            "2026-01-01..2026-01-02",
            "<2026-01-03",
            "*..2026-02-01",
        ] {
            assert!(is_within(time, range), "{range}");
        }
        for range in [">2026-01-02", "<2026-01-02", "2026-01-03..*"] {
            assert!(!is_within(time, range), "{range}");
        }
    }
}
