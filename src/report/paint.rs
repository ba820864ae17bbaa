//! Colours for a person at a terminal.

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use std::io;

/// Whether words are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paint(bool);

impl Paint {
    /// At a terminal, and where nobody has asked for something else (`NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE`, `TERM`).
    /// Never in Actions: a workflow command must begin its line.
    pub(super) fn choose(in_actions: bool) -> Self {
        Self(!in_actions && AutoStream::choice(&io::stdout()) != ColorChoice::Never)
    }

    /// The word of a level, such as `warning`.
    pub(super) fn level(self, word: &str) -> String {
        let style = match word {
            "error" => AnsiColor::Red.on_default().bold(),
            "warning" => AnsiColor::Yellow.on_default().bold(),
            "notice" => AnsiColor::Cyan.on_default().bold(),
            _ => Style::new().dimmed(),
        };
        self.styled(style, word)
    }

    /// The title of a part of the log.
    pub(super) fn title(self, title: &str) -> String {
        self.styled(Style::new().bold(), title)
    }

    fn styled(self, style: Style, text: &str) -> String {
        if self.0 {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}
