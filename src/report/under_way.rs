//! The last line of a terminal: what is under way, and since when. Anywhere else there is none.

use std::io::{self, IsTerminal as _, Write};
use std::sync::OnceLock;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

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

/// Standard output beside that line, which makes room for what is written; flushed with every write. A closed pipe is no
/// reason to stop a rotation halfway, so a failed print is let go: to whoever writes here, nothing ever fails.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside;

impl Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let write = || {
            let mut out = io::stdout().lock();
            let _unheard = out.write_all(bytes).and_then(|()| out.flush());
        };
        LAST_LINE.get().map_or_else(write, |line| line.suspend(write));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
