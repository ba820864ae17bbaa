//! The secrets of the process, in the forms in which they are looked for.

use std::collections::HashSet;
use std::ops::Range;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

use super::SHORTEST;
use super::view::View;

/// So many bytes of a long secret in a row are taken for it. None of ours shares as many with a word of any language, and
/// what a cut leaves of one is too little to guess the rest from.
const WINDOW: usize = 12;

/// From so many bytes on a secret is known by its parts. A shorter one may be a pass phrase (`minioadmin`, a word and a
/// bucket's name), whose parts are words of other texts.
const LONG: usize = 24;

/// Secrets, and how they are spelt.
#[derive(Default)]
pub(super) struct Known {
    windows: HashSet<[u8; WINDOW]>,
    short: HashSet<Vec<u8>>,
    edges: HashSet<Edges>,
}

/// The first and the last bytes of a spelling, by which it is known where a text was cut.
#[derive(PartialEq, Eq, Hash)]
struct Edges {
    start: Vec<u8>,
    end: Vec<u8>,
}

impl Known {
    pub(super) fn add(&mut self, secret: &str) {
        let plain = View::of(&body(secret)).into_bytes();
        if plain.len() < SHORTEST {
            return;
        }
        let spellings = encodings(secret.trim().as_bytes());
        for spelling in spellings.into_iter().chain([plain]) {
            self.add_spelling(&spelling);
        }
    }

    /// Where a known secret, or enough of it, stands.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let windows = text.windows(WINDOW).enumerate();
        let parts = windows.filter(|(_, window)| self.windows.contains(*window));
        let parts = parts.map(|(at, _)| at..at + WINDOW);
        let short = self.short.iter().flat_map(|short| occurrences(text, short));
        parts.chain(short).chain(self.at_a_cut(text)).collect()
    }

    fn add_spelling(&mut self, spelling: &[u8]) {
        if spelling.len() < LONG {
            self.short.insert(spelling.to_vec());
        } else {
            let windows = spelling
                .windows(WINDOW)
                .filter_map(|window| window.try_into().ok());
            self.windows.extend::<Vec<[u8; WINDOW]>>(windows.collect());
        }
        if spelling.len() >= LONG || is_no_phrase(spelling) {
            let shown = spelling.len().min(LONG);
            self.edges.insert(Edges {
                start: spelling[..shown].to_vec(),
                end: spelling[spelling.len() - shown..].to_vec(),
            });
        }
    }

    /// What a cut has left of a secret at either end of a text.
    fn at_a_cut(&self, text: &[u8]) -> Vec<Range<usize>> {
        let text = without_ellipsis(text);
        let mut found = Vec::new();
        for Edges { start, end } in &self.edges {
            let longest = |len: usize| (SHORTEST..=len.min(text.len())).rev();
            let last = longest(start.len()).find(|len| text.ends_with(&start[..*len]));
            found.extend(last.map(|len| text.len() - len..text.len()));
            let first = longest(end.len()).find(|len| text.starts_with(&end[end.len() - len..]));
            found.extend(first.map(|len| 0..len));
        }
        found
    }
}

/// A value without the frame of a private key, which is public.
fn body(secret: &str) -> String {
    let lines = secret.split(['\n', '\r']).flat_map(|line| line.split("\\n"));
    lines
        .filter(|line| !line.trim_start().starts_with("-----"))
        .collect()
}

/// Hexadecimal, and both kinds of base64, whatever stands before and behind.
fn encodings(secret: &[u8]) -> Vec<Vec<u8>> {
    let digits = secret.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
    let hex: String = digits.collect();
    let mut encodings = vec![hex.to_uppercase().into_bytes(), hex.into_bytes()];
    for before in 0..3 {
        let shifted = [&[0; 2][..before], secret].concat();
        // Characters at either end also hold bits of the neighbours, so they differ from text to text.
        let sure = (before * 8).div_ceil(6)..shifted.len() * 8 / 6;
        for engine in [BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD] {
            encodings.push(engine.encode(&shifted).as_bytes()[sure.clone()].to_vec());
        }
    }
    encodings
}

/// What mixes small and capital letters and digits was not made of words.
fn is_no_phrase(spelling: &[u8]) -> bool {
    let has = |kind: fn(&u8) -> bool| spelling.iter().any(kind);
    has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit)
}

fn occurrences(text: &[u8], wanted: &[u8]) -> Vec<Range<usize>> {
    let windows = text.windows(wanted.len()).enumerate();
    let found = windows.filter(|(_, window)| *window == wanted);
    found.map(|(at, window)| at..at + window.len()).collect()
}

fn without_ellipsis(text: &[u8]) -> &[u8] {
    text.strip_suffix("…".as_bytes())
        .or_else(|| text.strip_suffix(b"..."))
        .unwrap_or(text)
}
