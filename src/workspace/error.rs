//! Why a file of the workspace is not read or written.

use std::io;

use rustix::io::Errno;

use super::LARGEST;

/// Why a file of the workspace is not read or written: a clause that goes on from "it cannot be read".
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The runner names a folder that is not there.
    #[error("there is no workspace: GITHUB_WORKSPACE must name a folder that can be entered, or be unset")]
    NoWorkspace,
    /// Nothing of this name is there.
    #[error("it is not there")]
    Missing,
    /// What a link makes of the path is not below the workspace.
    #[error("a link in its path leads out of the workspace")]
    LeadsOut,
    /// What the system shows of itself looks like files: `/proc/self/environ` holds every credential of the process.
    #[error("it lies in /proc or /sys, which show the machine and hold no files")]
    OfTheSystem,
    /// The end of a link is missing, so nobody can say where it would be.
    #[error("a link in its path leads to nothing")]
    LinkToNothing,
    /// What git keeps there, the checkout's credential among it, is no part of the work.
    #[error("it lies in git's own folder")]
    OfGit,
    /// What GitHub runs is nothing for a report to replace.
    #[error("it lies among the workflows")]
    AmongWorkflows,
    /// It is something else than a regular file.
    #[error("it is {0}, not a file")]
    NoFile(&'static str),
    /// Nobody may write to the file that is there.
    #[error("it is read-only")]
    ReadOnly,
    /// It is larger than [`LARGEST`].
    #[error("it is larger than {} MiB", LARGEST / (1024 * 1024))]
    TooLarge,
    /// The machine refuses.
    #[error(transparent)]
    Io(io::Error),
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Io(error),
        }
    }
}

impl From<Errno> for FileError {
    fn from(errno: Errno) -> Self {
        io::Error::from(errno).into()
    }
}
