//! The generations of the keys as a chart: since when each served, and until when it may.

use super::super::{KeyReport, OlderKey, Report};
use crate::model::time::Timestamp;

/// A chart of more families is no longer read, and mermaid stops at 50,000 characters.
const FAMILIES: usize = 20;

/// More old keys than these say the same.
const OLDER: usize = 4;

/// The longest name that has room beside a bar.
const LONGEST_NAME: usize = 40;

/// The chart in its fence; nothing where no key is there.
pub(super) fn timeline(report: &Report) -> String {
    let families = drawn(report);
    let sections: String = families.iter().map(|key| section(key, report)).collect();
    if sections.is_empty() {
        return String::new();
    }
    format!(
        "{}```mermaid\ngantt\n    accTitle: Key generations\n    \
         accDescr: Since when each key served and until when it may. The tables have the same dates.\n    \
         dateFormat YYYY-MM-DD HH:mm\n    axisFormat %Y-%m-%d\n{sections}```\n",
        left_out(report)
    )
}

/// The families where most is going on: those with old keys, then those that are due first.
fn drawn(report: &Report) -> Vec<&KeyReport> {
    let mut families: Vec<&KeyReport> = with_key(report).collect();
    families.sort_by_key(|key| {
        let calm = older(key, report).next().is_none();
        (calm, key.next_rotation, key.family.clone())
    });
    families.truncate(FAMILIES);
    families
}

fn with_key(report: &Report) -> impl Iterator<Item = &KeyReport> {
    report.keys.iter().filter(|key| key.created_at.is_some())
}

fn left_out(report: &Report) -> String {
    match with_key(report).count() {
        all if all > FAMILIES => format!(
            "{FAMILIES} of {all} keys are drawn: those that have older ones beside them, then those that are due first.\n\n"
        ),
        _ => String::new(),
    }
}

fn older<'a>(key: &'a KeyReport, report: &'a Report) -> impl Iterator<Item = &'a OlderKey> {
    report.older.iter().filter(|older| older.family == key.family)
}

fn section(key: &KeyReport, report: &Report) -> String {
    let Some(since) = key.active_since.or(key.created_at) else {
        return String::new();
    };
    let mut bars: Vec<String> = older(key, report)
        .take(OLDER)
        .flat_map(|older| old_bars(older, since, report.now))
        .collect();
    bars.extend(current_bars(key, since));
    format!("    section {}\n{}", plain(&key.family), bars.concat())
}

/// An old key: as long as it served, then as long as it is kept.
fn old_bars(old: &OlderKey, replaced: Timestamp, now: Option<Timestamp>) -> Vec<String> {
    let id = old.access_key_id.as_str();
    let began = old.active_since.unwrap_or(old.created_at);
    let until = old.until.or(now).unwrap_or(replaced);
    let served = bar("done, ", id, &old.standing, began, replaced.max(began));
    let kept = bar("", id, "kept", replaced.max(began), until);
    served.into_iter().chain(kept).collect()
}

/// The current key: until it is due, then until it must be gone.
fn current_bars(key: &KeyReport, since: Timestamp) -> Vec<String> {
    let id = key.access_key_id.as_deref().unwrap_or("unknown");
    let end = key.created_at.map(|created| created.after(key.max_age));
    let due = key.next_rotation.or(end).unwrap_or(since);
    let serves = bar("active, ", id, "serves", since, due);
    let late = end.and_then(|end| bar("crit, ", id, "due", due.max(since), end));
    serves.into_iter().chain(late).collect()
}

/// A line of the chart; `look` is the tag that gives the bar its colour. A bar without length is none.
fn bar(look: &str, id: &str, part: &str, from: Timestamp, to: Timestamp) -> Option<String> {
    let name = format!("key {} {}", plain(id), plain(part));
    (from < to).then(|| format!("    {name} :{look}{}, {}\n", minute(from), minute(to)))
}

/// Mermaid loses its way with the offset in RFC 3339, so the time is cut to what it reads for sure: UTC, to the minute.
fn minute(at: Timestamp) -> String {
    at.to_string().get(..16).unwrap_or_default().replace('T', " ")
}

/// A name with nothing that means anything to mermaid or ends its line or fence.
fn plain(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
            c
        } else {
            '-'
        }
    };
    name.chars().take(LONGEST_NAME).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures::report;
    use super::*;

    #[test]
    fn a_chart_shows_how_one_key_took_over_from_another() {
        insta::assert_snapshot!(timeline(&report()));
    }

    #[test]
    fn a_name_cannot_break_out_of_the_chart() {
        assert_eq!(plain("a\n```\n%% <b>:x; #1"), "a---------b--x---1");
        assert_eq!(plain(&"x".repeat(100)).len(), 40);
    }

    #[test]
    fn a_family_without_a_key_is_not_drawn() {
        let mut report = report();
        report.keys[0].created_at = None;
        assert_eq!(timeline(&report), "");
    }

    #[test]
    fn only_the_families_are_drawn_where_most_is_going_on() {
        let mut report = report();
        let calm = |number: usize| KeyReport {
            family: format!("calm-{number}"),
            ..report.keys[0].clone()
        };
        let calm: Vec<KeyReport> = (0..30).map(calm).collect();
        report.keys.splice(0..0, calm);
        let chart = timeline(&report);
        assert_eq!(chart.matches("section ").count(), 20);
        assert!(chart.contains("section shop-spaces-key\n"));
        assert!(chart.starts_with("20 of 31 keys are drawn"));
    }
}
