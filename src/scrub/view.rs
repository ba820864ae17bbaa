//! A text as it reads behind white space and escapes, of which every byte knows where it came from.

use std::ops::Range;

/// A text to be searched.
pub(super) struct View {
    bytes: Vec<u8>,
    /// Starts and ends; half as wide as `usize`, since a report may be long.
    origins: Vec<(u32, u32)>,
}

/// What stands at one place of a text once an escape is undone.
struct Undone {
    /// How many bytes the escape takes.
    length: usize,
    /// What it means.
    meaning: char,
}

/// The entities of HTML that stand for characters of credentials.
const ENTITIES: [(&[u8], char); 11] = [
    (b"amp", '&'),
    (b"lt", '<'),
    (b"gt", '>'),
    (b"quot", '"'),
    (b"apos", '\''),
    (b"plus", '+'),
    (b"sol", '/'),
    (b"equals", '='),
    (b"colon", ':'),
    (b"lowbar", '_'),
    (b"period", '.'),
];

/// `&#x0002B;` and the like; a longer one is no entity.
const LONGEST_ENTITY: usize = 12;

impl View {
    /// The text without its white space.
    pub(super) fn of(text: &str) -> Self {
        let mut view = Self::with_room_for(text.len());
        for (at, c) in text.char_indices() {
            view.push(c, at..at + c.len_utf8());
        }
        view
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Where a part of it stands in the text.
    pub(super) fn origin(&self, part: Range<usize>) -> Range<usize> {
        self.origins[part.start].0 as usize..self.origins[part.end - 1].1 as usize
    }

    /// The same with one layer of escapes undone; nothing when there is none.
    pub(super) fn unescaped(&self) -> Option<Self> {
        let mut view = Self::with_room_for(self.bytes.len());
        let (mut at, mut found) = (0, false);
        while at < self.bytes.len() {
            if let Some(Undone { length, meaning }) = undone(&self.bytes[at..]) {
                view.push(meaning, self.origin(at..at + length));
                (at, found) = (at + length, true);
            } else {
                view.bytes.push(self.bytes[at]);
                view.origins.push(self.origins[at]);
                at += 1;
            }
        }
        found.then_some(view)
    }

    fn with_room_for(length: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(length),
            origins: Vec::with_capacity(length),
        }
    }

    fn push(&mut self, c: char, origin: Range<usize>) {
        if is_unseen(c) {
            return;
        }
        // Longer texts than 4 GB are not told.
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let origin = (short(origin.start), short(origin.end));
        let mut buffer = [0; 4];
        for byte in c.encode_utf8(&mut buffer).bytes() {
            self.bytes.push(byte);
            self.origins.push(origin);
        }
    }
}

/// White space, and what takes no room: soft hyphens, joiners, marks of direction.
fn is_unseen(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

fn undone(text: &[u8]) -> Option<Undone> {
    match text {
        // A byte of a longer character is not put together again: credentials are ASCII.
        [b'%', rest @ ..] => escape(3, hex(rest, 2)?),
        [b'\\', b'u', rest @ ..] => escape(6, hex(rest, 4)?),
        [b'\\', b'x', rest @ ..] => escape(4, hex(rest, 2)?),
        [b'\\', b'n' | b'r' | b't', ..] => escape(2, u32::from(b'\n')),
        [b'\\', c, ..] if c.is_ascii_punctuation() => escape(2, u32::from(*c)),
        [b'&', rest @ ..] => entity(rest),
        _ => None,
    }
}

fn escape(length: usize, meaning: u32) -> Option<Undone> {
    let meaning = char::from_u32(meaning)?;
    Some(Undone { length, meaning })
}

fn hex(text: &[u8], digits: usize) -> Option<u32> {
    number(text.get(..digits)?, 16)
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let digits = str::from_utf8(digits).ok()?;
    u32::from_str_radix(digits, radix).ok()
}

fn entity(text: &[u8]) -> Option<Undone> {
    let end = text.iter().take(LONGEST_ENTITY).position(|byte| *byte == b';')?;
    let meaning = match &text[..end] {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16)?,
        [b'#', digits @ ..] => number(digits, 10)?,
        name => u32::from(ENTITIES.iter().find(|(known, _)| *known == name)?.1),
    };
    escape(end + 2, meaning)
}
