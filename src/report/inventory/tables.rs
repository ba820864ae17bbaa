//! The inventory as tables, for the summary and for a terminal.

use super::super::commands::one_line;
use super::{age_days, family, grants, known, logging, mark, yes_or_no};
use crate::model::inventory::{Inventory, ListedApp, ListedBucket, ListedKey};

/// A table before it is rendered; its cells are what the services said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What its rows are.
    pub title: &'static str,
    /// What its columns are.
    pub titles: &'static [&'static str],
    /// As many cells in each as there are columns.
    pub rows: Vec<Vec<String>>,
}

/// Keys, buckets and apps, a table each.
#[must_use]
pub fn tables(inventory: &Inventory) -> Vec<Table> {
    vec![
        Table {
            title: "Keys of the account",
            titles: &[
                "Name",
                "Access key id",
                "Family",
                "Mark",
                "Age",
                "Opens",
                "Declared",
            ],
            rows: inventory
                .keys
                .iter()
                .map(|listed| key(listed, inventory))
                .collect(),
        },
        Table {
            title: "Buckets of the account",
            titles: &[
                "Name",
                "Region",
                "Logs go to",
                "Listing public",
                "Policy",
                "Declared",
            ],
            rows: inventory.buckets.iter().map(bucket).collect(),
        },
        Table {
            title: "Apps that hold a key",
            titles: &["Name", "App id", "Place", "Access key id", "Key exists"],
            rows: inventory.apps.iter().map(app).collect(),
        },
    ]
}

fn key(listed: &ListedKey, inventory: &Inventory) -> Vec<String> {
    let or_dash = |part: Option<String>| part.unwrap_or_else(|| "–".to_owned());
    vec![
        listed.key.name.clone(),
        listed.key.id.to_string(),
        or_dash(family(listed)),
        or_dash(mark(listed)),
        format!("{} days", age_days(listed, inventory)),
        grants(listed).join(", "),
        yes_or_no(listed.declared).to_owned(),
    ]
}

fn bucket(listed: &ListedBucket) -> Vec<String> {
    let ListedBucket {
        name,
        region,
        logging: logs,
        public_listing,
        policy,
        declared,
    } = listed;
    vec![
        name.clone(),
        region.slug().to_owned(),
        logging(logs.as_deref()).to_owned(),
        known(*public_listing).to_owned(),
        known(*policy).to_owned(),
        yes_or_no(*declared).to_owned(),
    ]
}

fn app(listed: &ListedApp) -> Vec<String> {
    let ListedApp {
        id,
        name,
        access_key_id,
        place,
        known,
    } = listed;
    vec![
        name.clone(),
        id.clone(),
        place.clone(),
        access_key_id.clone(),
        yes_or_no(*known).to_owned(),
    ]
}

/// The widest that a column of a terminal becomes, in characters.
const WIDEST: usize = 60;

/// The table for a terminal: a line of titles, then a line for each row, the columns aligned.
#[must_use]
pub fn plain(table: &Table) -> Vec<String> {
    let titles = table.titles.iter().map(|title| (*title).to_owned()).collect();
    let lines: Vec<Vec<String>> = std::iter::once(titles)
        .chain(
            table
                .rows
                .iter()
                .map(|row| row.iter().map(|cell| short(cell)).collect()),
        )
        .collect();
    let widths: Vec<usize> = (0..table.titles.len())
        .map(|column| widest(&lines, column))
        .collect();
    lines.iter().map(|cells| aligned(cells, &widths)).collect()
}

/// A line break in a cell would tear the table.
fn short(cell: &str) -> String {
    let line = one_line(cell);
    if line.chars().count() > WIDEST {
        line.chars().take(WIDEST - 1).chain(['…']).collect()
    } else {
        line
    }
}

fn widest(lines: &[Vec<String>], column: usize) -> usize {
    let widths = lines.iter().map(|cells| cells[column].chars().count());
    widths.max().unwrap_or_default()
}

fn aligned(cells: &[String], widths: &[usize]) -> String {
    let padded = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{cell:<width$}"));
    let line = padded.collect::<Vec<_>>().join("  ");
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::inventory;
    use super::*;

    #[test]
    fn a_terminal_shows_aligned_columns() {
        let tables = tables(&inventory());
        let lines: Vec<String> = tables.iter().flat_map(plain).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn a_hostile_cell_stays_in_its_line() {
        let table = Table {
            title: "Things",
            titles: &["Name", "Other"],
            rows: vec![vec![format!("a\n::error::{}", "x".repeat(200)), "b".to_owned()]],
        };
        let lines = plain(&table);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].starts_with("a ::error::xx") && lines[1].ends_with("…  b"));
    }
}
