//! The workspace: the one folder in which a run reads and writes the files that a user names.
//!
//! The links of a path are followed once, to a path without any, and that must lie below the folder. Then it is opened part
//! by part without following a link: what somebody exchanges in between makes it fail, and leads nowhere else. A hard link
//! is another name of a file in the workspace; writing to one leaves the other name its text.

mod draft;
mod error;

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, FileType, Mode, OFlags, accessat, mkdirat, open, openat, statat};
use rustix::io::Errno;

use crate::model::path::WorkspacePath;

pub use error::FileError;

/// How many bytes of a file are read: more than any manifest of 200 keys, or any app spec. A larger file is another one.
pub const LARGEST: u64 = 1024 * 1024;

/// A folder that is entered and not followed anywhere.
const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A file that is neither followed nor waited for: a pipe would keep us until somebody opens its other end.
const FILE: OFlags = OFlags::NONBLOCK
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// What a folder is made with, less what the process's mask takes away.
const NEW_FOLDER: Mode = Mode::from_bits_truncate(0o777);

/// Where the system shows itself; part of the workspace where that is the root of the machine, as in a bare container.
const SYSTEM: [&str; 2] = ["/proc", "/sys"];

/// Who may write, whoever it is.
const WRITABLE: u32 = 0o222;

/// The folder of the files that a user names.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: Root,
}

#[derive(Debug, Clone)]
enum Root {
    /// Without links.
    Folder(PathBuf),
    /// The runner names none that is there.
    Missing,
    /// Nobody looks.
    Empty,
}

impl Workspace {
    /// The folder that the runner names, else the current one.
    #[must_use]
    pub fn at(folder: Option<&str>) -> Self {
        let folder = folder.filter(|folder| !folder.is_empty()).unwrap_or(".");
        let root = match fs::canonicalize(folder) {
            Ok(folder) if folder.is_dir() => Root::Folder(folder),
            Ok(_) | Err(_) => Root::Missing,
        };
        Self { root }
    }

    /// A workspace in which there is no file and no place for one.
    #[must_use]
    pub fn empty() -> Self {
        Self { root: Root::Empty }
    }

    /// The bytes of a regular file, at most [`LARGEST`] of them.
    pub fn read(&self, path: &WorkspacePath) -> Result<Vec<u8>, FileError> {
        let place = Place::of(&self.resolved(path.as_ref())?)?;
        place.is_not_git_s()?;
        let (file, _) = open_file(&self.folder(&place.folder)?, place.name(), OFlags::RDONLY)?;
        let mut bytes = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LARGEST {
            return Err(FileError::TooLarge);
        }
        Ok(bytes)
    }

    /// Where a file is or would be, within the workspace and without links.
    pub fn whereabouts(&self, path: &WorkspacePath) -> Result<PathBuf, FileError> {
        Ok(self.place(path)?.whole())
    }

    /// Whether a file could be written now, as far as can be told without writing.
    pub fn admits(&self, path: &WorkspacePath) -> Result<(), FileError> {
        let place = self.place(path)?;
        place.may_be_written()?;
        let folder = self.folder(&place.folder)?;
        accessat(&folder, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::empty())?;
        if place.has_its_folder() {
            to_be_replaced(&folder, place.name())?;
        }
        Ok(())
    }

    /// Writes a file whole, or leaves the old one as it is. Folders that it needs are made.
    pub fn write(&self, path: &WorkspacePath, bytes: &[u8]) -> Result<(), FileError> {
        let place = self.place(path)?;
        place.may_be_written()?;
        let mut folder = self.folder(&place.folder)?;
        for part in place.folders_to_make() {
            folder = made(&folder, part)?;
        }
        let old = to_be_replaced(&folder, place.name())?;
        Ok(draft::replace(&folder, place.name(), old.as_ref(), bytes)?)
    }

    fn place(&self, path: &WorkspacePath) -> Result<Place, FileError> {
        match self.resolved(path.as_ref()) {
            Ok(within) => Place::of(&within),
            Err(FileError::Missing) => self.place_to_come(path.as_ref()),
            Err(error) => Err(error),
        }
    }

    /// The place of a file that is not there: below the deepest folder that is.
    fn place_to_come(&self, path: &Path) -> Result<Place, FileError> {
        let Root::Folder(root) = &self.root else {
            return Err(FileError::NoWorkspace);
        };
        for parent in path.ancestors().skip(1) {
            let folder = match self.resolved(parent) {
                Err(FileError::Missing) => continue,
                resolved => resolved?,
            };
            let rest: PathBuf = path.iter().skip(parent.iter().count()).collect();
            let first: PathBuf = rest.iter().take(1).collect();
            if root.join(&folder).join(first).is_symlink() {
                return Err(FileError::LinkToNothing);
            }
            return Ok(Place { folder, rest });
        }
        Err(FileError::NoWorkspace)
    }

    /// The path within the workspace that the links of a path make of it.
    fn resolved(&self, path: &Path) -> Result<PathBuf, FileError> {
        let root = self.root()?;
        let real = fs::canonicalize(root.join(path)).map_err(|error| match error.kind() {
            ErrorKind::NotADirectory => FileError::Missing,
            _ => error.into(),
        })?;
        let within = real.strip_prefix(root).map_err(|_| FileError::LeadsOut)?;
        if SYSTEM.iter().any(|system| real.starts_with(system)) {
            return Err(FileError::OfTheSystem);
        }
        Ok(within.to_owned())
    }

    fn root(&self) -> Result<&Path, FileError> {
        match &self.root {
            Root::Folder(root) => Ok(root),
            Root::Missing => Err(FileError::NoWorkspace),
            Root::Empty => Err(FileError::Missing),
        }
    }

    /// A folder of the workspace, entered part by part.
    fn folder(&self, within: &Path) -> Result<OwnedFd, FileError> {
        let root = open(self.root()?, FOLDER, Mode::empty())?;
        let folder = within
            .iter()
            .try_fold(root, |folder, part| openat(&folder, part, FOLDER, Mode::empty()));
        Ok(folder?)
    }
}

/// Where a file is or would be.
struct Place {
    /// A folder of the workspace that is there, without links.
    folder: PathBuf,
    /// What comes below it: folders that are not there, and the file.
    rest: PathBuf,
}

impl Place {
    /// The place of what is there.
    fn of(within: &Path) -> Result<Self, FileError> {
        match (within.parent(), within.file_name()) {
            (Some(folder), Some(name)) => Ok(Self {
                folder: folder.to_owned(),
                rest: name.into(),
            }),
            _ => Err(FileError::NoFile("the workspace itself")),
        }
    }

    fn whole(&self) -> PathBuf {
        self.folder.join(&self.rest)
    }

    fn name(&self) -> &OsStr {
        self.rest.file_name().unwrap_or_default()
    }

    fn has_its_folder(&self) -> bool {
        self.folders_to_make().next().is_none()
    }

    fn folders_to_make(&self) -> impl Iterator<Item = &OsStr> {
        self.rest.parent().into_iter().flatten()
    }

    fn may_be_written(&self) -> Result<(), FileError> {
        if self.whole().starts_with(".github/workflows") {
            return Err(FileError::AmongWorkflows);
        }
        self.is_not_git_s()
    }

    fn is_not_git_s(&self) -> Result<(), FileError> {
        if self.whole().iter().any(|part| part.eq_ignore_ascii_case(".git")) {
            return Err(FileError::OfGit);
        }
        Ok(())
    }
}

/// The folder of this name, made if it is not there.
fn made(folder: &OwnedFd, name: &OsStr) -> Result<OwnedFd, FileError> {
    match mkdirat(folder, name, NEW_FOLDER) {
        Ok(()) | Err(Errno::EXIST) => Ok(openat(folder, name, FOLDER, Mode::empty())?),
        Err(errno) => Err(errno.into()),
    }
}

/// The file that is to be replaced, if there is one. That it may be written to is tried, as for one that is written over.
fn to_be_replaced(folder: &OwnedFd, name: &OsStr) -> Result<Option<Metadata>, FileError> {
    match open_file(folder, name, OFlags::WRONLY) {
        Ok((_, old)) => Ok(Some(old)),
        Err(FileError::Missing) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A regular file. What is none is not even opened, where that can be told before: with a device it has effects.
fn open_file(folder: &OwnedFd, name: &OsStr, access: OFlags) -> Result<(File, Metadata), FileError> {
    let found = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    is_regular(FileType::from_raw_mode(found.st_mode))?;
    // Root may write to any file, but whoever made it read-only has said that it shall stay.
    if access.contains(OFlags::WRONLY) && found.st_mode & WRITABLE == 0 {
        return Err(FileError::ReadOnly);
    }
    let file = File::from(openat(folder, name, access | FILE, Mode::empty())?);
    let opened = file.metadata()?;
    is_regular(FileType::from_raw_mode(opened.permissions().mode()))?;
    Ok((file, opened))
}

fn is_regular(kind: FileType) -> Result<(), FileError> {
    Err(FileError::NoFile(match kind {
        FileType::RegularFile => return Ok(()),
        FileType::Directory => "a folder",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        FileType::Symlink => "a link",
        _ => "a device",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace in a folder that goes with it.
    fn workspace() -> (tempfile::TempDir, Workspace) {
        let folder = tempfile::tempdir().expect("a folder");
        let workspace = Workspace::at(folder.path().to_str());
        (folder, workspace)
    }

    fn path(text: &str) -> WorkspacePath {
        text.parse().expect("a path")
    }

    #[test]
    fn what_is_written_is_read_again() {
        let (_folder, workspace) = workspace();
        for text in ["old", "new"] {
            workspace.write(&path("a/b/c"), text.as_bytes()).expect("written");
            assert_eq!(workspace.read(&path("a/b/c")).expect("read"), text.as_bytes());
        }
    }

    #[test]
    fn the_largest_file_is_read_whole_and_no_larger_one() {
        let (folder, workspace) = workspace();
        let file = File::create(folder.path().join("large")).expect("a file");
        file.set_len(LARGEST).expect("a sparse file");
        assert_eq!(
            workspace
                .read(&path("large"))
                .map(|bytes| bytes.len() as u64)
                .ok(),
            Some(LARGEST)
        );
        file.set_len(LARGEST + 1).expect("a sparse file");
        assert!(matches!(workspace.read(&path("large")), Err(FileError::TooLarge)));
    }

    #[test]
    fn what_is_admitted_is_not_yet_made() {
        let (folder, workspace) = workspace();
        workspace.admits(&path("a/b/c")).expect("admitted");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn a_device_is_not_opened() {
        let workspace = Workspace::at(Some("/dev"));
        for result in [
            workspace.read(&path("zero")).map(drop),
            workspace.write(&path("null"), b"x"),
        ] {
            assert_eq!(
                result.map_err(|error| error.to_string()),
                Err("it is a device, not a file".to_owned())
            );
        }
    }

    #[test]
    fn the_root_of_the_machine_may_be_the_workspace() {
        let workspace = Workspace::at(Some("/"));
        let here = std::env::current_dir().expect("a folder").join("Cargo.toml");
        let within = here.strip_prefix("/").expect("a path from the root");
        assert!(workspace.read(&path(within.to_str().expect("text"))).is_ok());
        let own = workspace.read(&path("proc/self/environ"));
        assert!(matches!(own, Err(FileError::OfTheSystem)));
    }
}
