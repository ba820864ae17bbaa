//! The last line of a terminal: what is under way, and since when. Anywhere else there is none.

use std::io::{self, IsTerminal as _, Write};
use std::os::fd::AsFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How often the line moves.
const TICK: Duration = Duration::from_millis(120);

/// `⠋ Looking at what is there, 12s`.
const LINE: &str = "{spinner} {msg}, {elapsed}";

static LAST_LINE: OnceLock<ProgressBar> = OnceLock::new();

/// Shows what is under way from now on, at a terminal that can move its cursor. The caller knows that it is not in
/// Actions.
pub(super) fn show(title: &str) {
    if LAST_LINE.get().is_none() && can_move() {
        let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
        if let Ok(style) = ProgressStyle::with_template(LINE) {
            line.set_style(style);
        }
        line.enable_steady_tick(TICK);
        // Nobody else sets it: one thread prints the titles.
        let _is_set = LAST_LINE.set(line);
    }
    if let Some(line) = LAST_LINE.get() {
        line.reset_elapsed();
        line.set_message(title.to_owned());
    }
}

/// Takes the line away. After this nothing moves.
pub fn end() {
    if let Some(line) = LAST_LINE.get() {
        line.finish_and_clear();
    }
}

fn can_move() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|name| name == "dumb");
    io::stdout().is_terminal() && !dumb
}

/// How long a reader may keep the run waiting, in all: behind a pager or a stalled collector of logs no signal would be
/// heard, and no key taken back.
const READER_MAX: Duration = Duration::from_secs(2);

/// What a pipe takes at once when it is said to take anything (`PIPE_BUF` of Linux).
const PIECE: usize = 4096;

/// How long readers have kept the run waiting so far, in milliseconds.
static WAITED: AtomicU64 = AtomicU64::new(0);

/// Standard output beside that line, which makes room for what is written. A closed pipe is no reason to stop a rotation
/// halfway, nor is one that nobody reads, so what cannot be printed is let go: to whoever writes here, nothing ever fails.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside;

impl Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let write = || {
            let mut out = io::stdout().lock();
            for piece in bytes.chunks(PIECE) {
                if !takes_more(&out) || out.write_all(piece).and_then(|()| out.flush()).is_err() {
                    break;
                }
            }
        };
        LAST_LINE.get().map_or_else(write, |line| line.suspend(write));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether standard output takes a piece now, or soon enough. One that has used up the patience is asked without waiting,
/// and is heard again when somebody reads.
fn takes_more(out: &impl AsFd) -> bool {
    let waited = Duration::from_millis(WAITED.load(Ordering::Relaxed));
    let left = READER_MAX.saturating_sub(waited);
    let begun = Instant::now();
    let mut ready = [PollFd::new(out, PollFlags::OUT)];
    // Two seconds fit into any time. A stream that cannot be asked is written to, and fails by itself.
    let limit = Timespec::try_from(left).ok();
    let answered = poll(&mut ready, limit.as_ref());
    let spent = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    WAITED.fetch_add(spent, Ordering::Relaxed);
    answered.map_or(true, |streams| streams > 0)
}
