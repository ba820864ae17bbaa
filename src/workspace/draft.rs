//! A file that is written beside another and then takes its place: whoever reads sees the old text or the new one.

use std::ffi::OsStr;
use std::fs::{File, Metadata, Permissions};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};

use rustix::fs::{AtFlags, Mode, OFlags, openat, renameat, unlinkat};

/// What a file may be that none was before, less what the process's mask takes away.
const NEW: u32 = 0o644;

/// The bits of a mode that say who may do what; not those that lend an owner's rights.
const PERMISSIONS: u32 = 0o777;

/// Puts a file of these bytes into a folder. The old file of that name stays as it is if anything fails.
pub(super) fn replace(
    folder: &OwnedFd,
    name: &OsStr,
    old: Option<&Metadata>,
    bytes: &[u8],
) -> io::Result<()> {
    let mut draft = Draft::create(folder, old)?;
    draft.file.write_all(bytes)?;
    // Some file systems notice only now that they are full.
    draft.file.sync_data()?;
    draft.take_the_place_of(name)
}

/// The file beside. Dropped before it took a place, it is removed; only a kill leaves it behind.
struct Draft<'f> {
    folder: &'f OwnedFd,
    name: String,
    file: File,
    placed: bool,
}

impl<'f> Draft<'f> {
    /// An empty file of a name that nobody else has, for whom the old one was.
    fn create(folder: &'f OwnedFd, old: Option<&Metadata>) -> io::Result<Self> {
        let random = getrandom::u64().map_err(|error| io::Error::other(error.to_string()))?;
        let name = format!(".spacekeeper-{random:016x}.tmp");
        let mode = old.map_or(NEW, |old| old.mode() & PERMISSIONS);
        let new = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(openat(folder, &name, new, Mode::from_raw_mode(mode))?);
        if let Some(old) = old {
            // Only root may give a file away, and not every file system knows modes: then it is ours, and no wider.
            let _kept = fchown(&file, Some(old.uid()), Some(old.gid()));
            let _kept = file.set_permissions(Permissions::from_mode(mode));
        }
        Ok(Self {
            folder,
            name,
            file,
            placed: false,
        })
    }

    fn take_the_place_of(mut self, name: &OsStr) -> io::Result<()> {
        renameat(self.folder, &self.name, self.folder, name)?;
        self.placed = true;
        Ok(())
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.placed {
            // What made us give up is told; that the file could not be removed either is no news.
            let _left = unlinkat(self.folder, &self.name, AtFlags::empty());
        }
    }
}
