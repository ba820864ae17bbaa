//! What the account holds.

use super::super::inventory::{Table, tables};
use super::super::markdown::{row, text};
use super::bar;
use super::section::Section;
use crate::model::inventory::Inventory;

pub(super) fn inventory(inventory: &Inventory) -> Vec<Section> {
    let tables = tables(inventory).into_iter().map(listed);
    std::iter::once(quotas(inventory)).chain(tables).collect()
}

fn quotas(inventory: &Inventory) -> Section {
    let quota = |what: &str, used: usize, limit| row(&[what.to_owned(), bar::quota(used, limit)]);
    let rows = [
        quota("Spaces keys", inventory.keys.len(), inventory.keys_max),
        quota("Buckets", inventory.buckets.len(), inventory.buckets_max),
    ];
    Section::table("Room in the account", &["What", "Used"], rows.into_iter())
}

fn listed(table: Table) -> Section {
    let Table { title, titles, rows } = table;
    let rows = rows.into_iter().map(|cells| {
        let cells: Vec<String> = cells.iter().map(|cell| text(cell)).collect();
        row(&cells)
    });
    Section::table(title, titles, rows)
}
