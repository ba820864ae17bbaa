//! The files through which a step speaks to the runner: outputs, variables of later steps, the summary. All but those
//! variables have been scrubbed when they get there.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

use rustix::fs::{Mode, OFlags, Stat, fstat, open};

use crate::scrub::{scrubbed, without_known};

/// Reads too, to see how the file ends; is not kept waiting by a pipe that nobody reads.
const APPEND: OFlags = OFlags::RDWR
    .union(OFlags::APPEND)
    .union(OFlags::CREATE)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Who may read a file that the runner did not make, less what the process's mask takes away.
const NEW: Mode = Mode::from_bits_truncate(0o644);

/// A summary of a step that is larger is dropped by GitHub, with all that stood in it before.
const LONGEST_SUMMARY: u64 = 1024 * 1024;

/// Tells outputs, all of them or none. A person may have them on standard output or standard error, or dropped.
pub fn tell(path: &Path, entries: &str) -> io::Result<()> {
    let entries = without_known(entries);
    match stream(path) {
        Some(stream) => shown(stream, &entries),
        None => add(&mut opened(path)?, &entries),
    }
}

/// Hands variables on to later steps, all of them or none. They may be secrets, which must not come to where the log goes.
pub fn hand_on(path: &Path, entries: &str) -> io::Result<()> {
    let mut file = opened(path)?;
    if is_the_log(&file)? {
        let why = "the log goes there, and would show secrets; name another file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    add(&mut file, entries)
}

/// Adds a page to the summary of the step, if it finds room there.
pub fn publish(path: &Path, page: &str) -> io::Result<()> {
    let page = scrubbed(page);
    if let Some(stream) = stream(path) {
        return shown(stream, &page);
    }
    let mut file = opened(path)?;
    // The line break that may have to come between.
    if file.metadata()?.len() + page.len() as u64 + 1 > LONGEST_SUMMARY {
        let why =
            "with what stands there already it would be larger than the 1 MiB that GitHub shows of a step";
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    add(&mut file, &page)
}

/// What is no file that could be written whole or not at all, and is named all the same.
fn stream(path: &Path) -> Option<Box<dyn Write>> {
    match path.to_str()? {
        "/dev/stdout" => Some(Box::new(io::stdout())),
        "/dev/stderr" => Some(Box::new(io::stderr())),
        "/dev/null" => Some(Box::new(io::sink())),
        _ => None,
    }
}

fn shown(mut stream: Box<dyn Write>, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

fn opened(path: &Path) -> io::Result<File> {
    let file = File::from(open(path, APPEND, NEW)?);
    if !file.metadata()?.is_file() {
        let why =
            "it is no regular file, so an entry could be cut off; name one, or leave the variable unset";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    Ok(file)
}

fn is_the_log(file: &File) -> io::Result<bool> {
    let identity = |stat: Stat| (stat.st_dev, stat.st_ino);
    let file = identity(fstat(file)?);
    // A stream that is closed goes nowhere.
    let logs = [fstat(io::stdout()), fstat(io::stderr())];
    Ok(logs.into_iter().flatten().any(|log| identity(log) == file))
}

fn add(file: &mut File, entries: &str) -> io::Result<()> {
    let before = file.metadata()?.len();
    let start = if is_inside_a_line(file)? { "\n" } else { "" };
    file.write_all(format!("{start}{entries}").as_bytes())
        .map_err(|failure| match file.set_len(before) {
            Ok(()) => failure,
            Err(again) => io::Error::new(
                failure.kind(),
                format!("{failure}, and half an entry stays: {again}"),
            ),
        })
}

/// Whether somebody has left the last line open: an entry that begins there would be part of it.
fn is_inside_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}
