//! The files of the workspace that inputs name: what is read, and what a run leaves there for programs.

use std::path::PathBuf;

use super::door::Door;
use super::inputs::RawInputs;
use super::manifest::DEFAULT_FILE;
use crate::model::path::WorkspacePath;
use crate::workspace::{FileError, Workspace};

/// Where the files go that were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// The report as JSON.
    pub report: Option<WorkspacePath>,
    /// The findings as SARIF 2.1.0.
    pub sarif: Option<WorkspacePath>,
    /// What the account holds.
    pub inventory: Option<InventoryFile>,
}

/// The file for the inventory, and how it is written: its ending says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryFile {
    /// Where it goes.
    pub path: WorkspacePath,
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
    pub(super) fn read(raw: &RawInputs, workspace: &Workspace, door: &mut Door) -> Self {
        let mut claims = Claims::of_what_is_read(raw, workspace);
        let mut file = |input, text: &Option<String>| {
            let path = named(input, text.as_deref(), door)?;
            claims.claim(input, &path, workspace, door).then_some(path)
        };
        let report = file("report-file", &raw.report_file);
        let sarif = file("sarif-file", &raw.sarif_file);
        let inventory = file("inventory-file", &raw.inventory_file);
        Self {
            report,
            sarif,
            inventory: inventory
                .and_then(|path| door.parse("inventory-file", Some(path.as_str()), inventory_file)),
        }
    }
}

/// Which input a file of the workspace is for: one that is read must not be written over, and none is written twice.
struct Claims(Vec<(&'static str, PathBuf)>);

impl Claims {
    /// Wherever the manifest is looked for, no report takes its place. What is wrong with these paths is told elsewhere.
    fn of_what_is_read(raw: &RawInputs, workspace: &Workspace) -> Self {
        let read = [
            ("config", Some(DEFAULT_FILE)),
            ("config", raw.config.as_deref()),
            ("app-spec-file", raw.app_spec_file.as_deref()),
        ];
        let claimed = read.into_iter().filter_map(|(input, text)| {
            let path = text?.trim().parse().ok()?;
            Some((input, workspace.whereabouts(&path).ok()?))
        });
        Self(claimed.collect())
    }

    /// Whether a file can be written and is nobody else's; what speaks against it is told.
    fn claim(
        &mut self,
        input: &'static str,
        path: &WorkspacePath,
        workspace: &Workspace,
        door: &mut Door,
    ) -> bool {
        let place = match workspace.admits(path).and_then(|()| workspace.whereabouts(path)) {
            Ok(place) => place,
            Err(error) => {
                refuse(input, path, "written", &error, door);
                return false;
            }
        };
        let shared = |(_, other): &&(_, PathBuf)| place.starts_with(other) || other.starts_with(&place);
        if let Some((other, _)) = self.0.iter().find(shared) {
            door.refuse(
                input,
                format!("{path} is the file of {other} too; give it one of its own"),
            );
            return false;
        }
        self.0.push((input, place));
        true
    }
}

/// The path that an input gives.
pub(super) fn named(input: &str, text: Option<&str>, door: &mut Door) -> Option<WorkspacePath> {
    door.parse(input, text, str::parse)
}

/// What a file holds that an input names; why it cannot be read is told.
pub(super) fn contents(
    input: &str,
    path: &WorkspacePath,
    workspace: &Workspace,
    door: &mut Door,
) -> Option<Vec<u8>> {
    let read = workspace.read(path);
    read.map_err(|error| refuse(input, path, "read", &error, door))
        .ok()
}

/// Refuses an input for its file. That there is no workspace is told once, and of what names it.
pub(super) fn refuse(input: &str, path: &WorkspacePath, what_for: &str, error: &FileError, door: &mut Door) {
    const WORKSPACE: &str = "GITHUB_WORKSPACE";
    match error {
        FileError::NoWorkspace if !door.is_silent_about(WORKSPACE) => {}
        FileError::NoWorkspace => door.refuse(WORKSPACE, error.to_string()),
        FileError::Missing => door.refuse(
            input,
            format!("{path} cannot be {what_for}: {error}; check out the repository before this step"),
        ),
        _ => door.refuse(input, format!("{path} cannot be {what_for}: {error}")),
    }
}

fn inventory_file(path: &str) -> Result<InventoryFile, &'static str> {
    let path: WorkspacePath = path.parse()?;
    let ending = path.as_ref().extension();
    let ending = ending.map(|ending| ending.to_string_lossy().to_lowercase());
    let format = match ending.as_deref() {
        Some("csv") => InventoryFormat::Csv,
        Some("json") => InventoryFormat::Json,
        _ => return Err("its name must end in .csv or .json, which says how it is written"),
    };
    Ok(InventoryFile { path, format })
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
