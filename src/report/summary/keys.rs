//! The keys: how old, how they stand, and which older ones are still there.

use super::super::markdown::{row, text};
use super::super::{KeyReport, OlderKey, Report};
use super::bar;
use super::section::Section;

pub(super) fn keys(report: &Report) -> Section {
    let titles = ["Key", "Access key id", "Opens", "Age", "Next rotation", "State"];
    let lines = report.keys.iter().map(|key| key_row(key, report));
    Section::table("Keys", &titles, lines)
}

pub(super) fn older(report: &Report) -> Section {
    let titles = ["Key", "Access key id", "Standing", "Kept until", "Because"];
    Section::table("Older keys", &titles, report.older.iter().map(older_row))
}

fn key_row(key: &KeyReport, report: &Report) -> String {
    let age = key
        .created_at
        .zip(report.now)
        .map(|(created, now)| bar::age(now.since(created), key.max_age));
    let or_dash = |shown: Option<String>| shown.unwrap_or_else(|| "–".to_owned());
    row(&[
        text(&key.family),
        text(&or_dash(key.access_key_id.clone())),
        text(&key.grants.join(", ")),
        or_dash(age),
        or_dash(key.next_rotation.map(|due| due.to_string())),
        text(&key.state),
    ])
}

fn older_row(older: &OlderKey) -> String {
    let until = older.until.map_or("–".to_owned(), |until| until.to_string());
    row(&[
        text(&older.family),
        text(&older.access_key_id),
        text(&older.standing),
        until,
        text(&older.because.join("; ")),
    ])
}
