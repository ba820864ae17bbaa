//! The files that a run leaves in the workspace for programs.

use std::path::{Component, Path, PathBuf};

use super::door::Door;
use super::inputs::RawInputs;
use super::request::Environment;

/// Where the files go that were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// The report as JSON.
    pub report: Option<PathBuf>,
    /// The findings as SARIF 2.1.0.
    pub sarif: Option<PathBuf>,
    /// What the account holds.
    pub inventory: Option<InventoryFile>,
}

/// The file for the inventory, and how it is written: its ending says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryFile {
    /// Where it goes.
    pub path: PathBuf,
    /// How it is written.
    pub format: InventoryFormat,
}

/// How an inventory is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InventoryFormat {
    /// One table, a line for each thing.
    Csv,
    /// The same object as in the JSON report.
    Json,
}

impl Files {
    pub(super) fn read(raw: &RawInputs, environment: &Environment, door: &mut Door) -> Self {
        let mut file =
            |input: &str, path: &Option<String>| within_workspace(input, path.as_deref(), environment, door);
        let report = file("report-file", &raw.report_file);
        let sarif = file("sarif-file", &raw.sarif_file);
        let inventory = file("inventory-file", &raw.inventory_file);
        Self {
            report,
            sarif,
            inventory: inventory.and_then(|path| door.parse("inventory-file", path.to_str(), inventory_file)),
        }
    }
}

fn inventory_file(path: &str) -> Result<InventoryFile, &'static str> {
    let path = PathBuf::from(path);
    let ending = path
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase());
    let format = match ending.as_deref() {
        Some("csv") => InventoryFormat::Csv,
        Some("json") => InventoryFormat::Json,
        _ => return Err("its name must end in .csv or .json, which says how it is written"),
    };
    Ok(InventoryFile { path, format })
}

/// A file inside the workspace: a path that leads out of it is a mistake or an attack.
pub(super) fn within_workspace(
    input: &str,
    path: Option<&str>,
    environment: &Environment,
    door: &mut Door,
) -> Option<PathBuf> {
    let given = door.parse(input, path, |text| {
        let inside = Path::new(text)
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if inside {
            Ok(PathBuf::from(text))
        } else {
            Err("it must be a path within the workspace")
        }
    })?;
    let workspace = environment
        .get("GITHUB_WORKSPACE")
        .filter(|path| !path.is_empty());
    Some(workspace.map_or(given.clone(), |workspace| Path::new(workspace).join(given)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_of_an_inventory_says_how_it_is_written() {
        assert_eq!(
            inventory_file("out/all.CSV").map(|file| file.format),
            Ok(InventoryFormat::Csv)
        );
        assert_eq!(
            inventory_file("all.json").map(|file| file.format),
            Ok(InventoryFormat::Json)
        );
        assert!(inventory_file("all.xlsx").is_err());
        assert!(inventory_file("csv").is_err());
    }
}
