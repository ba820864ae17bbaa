//! The one scrubber: what this process knows to be secret is taken out of everything that it tells.
//!
//! The registry belongs to the process, because a secret that one part learns must not be told by another: the door makes
//! known what it is given, the clients what they mint, and whatever leaves the process is [`scrubbed`] just before.
//!
//! Two places write a secret on purpose and pass by: the sealed boxes for GitHub, and `GITHUB_ENV` with `export-env`.

mod addresses;
mod known;
mod view;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use known::Known;
use view::View;

/// A shorter value is no credential: hiding `a` or `nyc3` would hide what people need to read. The door refuses it.
pub const SHORTEST: usize = 8;

/// What stands in the place of a secret, as the runner writes it.
const HIDDEN: &str = "***";

/// How many layers of escapes are looked behind: JSON in a query in a workflow command has three.
const LAYERS: usize = 3;

static KNOWN: RwLock<Option<Known>> = RwLock::new(None);

/// Makes a secret known, for the rest of the process. One that is too short to be a credential is left out.
pub fn know(secret: &SecretString) {
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    known.get_or_insert_default().add(secret.expose_secret());
}

/// The text without any known secret, whole or in part (12 characters of a long one are enough), plain or in base64,
/// hexadecimal, percent, JSON or HTML escapes, with white space inserted or not; and without what may be a credential of
/// others: the userinfo of URLs, and the values of their queries.
///
/// Call it before a text is cut: what is left of a secret after a cut may be too little to be known.
#[must_use]
pub fn scrubbed(text: &str) -> Cow<'_, str> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let mut marks = addresses::credentials(text);
    if let Some(known) = &*known {
        marks.extend(secrets(known, text));
    }
    without(text, marks)
}

/// The same of a finished text whose marks a program reads: only what is known to be secret is taken out. What is behind
/// `://` in one of its values may be anything, and its end is not to be told from the outside; the values of such a text
/// are [`scrubbed`] one by one before.
#[must_use]
pub fn without_known(text: &str) -> Cow<'_, str> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let marks = known.as_ref().map(|known| secrets(known, text));
    without(text, marks.unwrap_or_default())
}

/// JSON of which every text is [`scrubbed`]: it stays JSON, whatever stands in it.
#[must_use]
pub fn scrubbed_json(mut value: Value) -> Value {
    match &mut value {
        Value::String(text) => *text = scrubbed(text).into_owned(),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| *item = scrubbed_json(item.take())),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| *field = scrubbed_json(field.take())),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    value
}

/// The parts of a value that are secret each by itself: the lines of a private key but not its `-----BEGIN …-----`,
/// which everybody knows. A literal `\n` counts as a line break, since secrets are often stored so.
pub fn parts(secret: &str) -> impl Iterator<Item = &str> {
    let lines = secret.split(['\n', '\r']).flat_map(|line| line.split("\\n"));
    lines
        .map(str::trim)
        .filter(|line| line.chars().count() >= SHORTEST && !line.starts_with("-----"))
}

fn secrets(known: &Known, text: &str) -> Vec<Range<usize>> {
    let mut marks = Vec::new();
    let mut view = Some(View::of(text));
    for _ in 0..=LAYERS {
        let Some(seen) = view else { break };
        let found = known.find(seen.bytes());
        marks.extend(found.into_iter().map(|part| seen.origin(part)));
        view = seen.unescaped();
    }
    marks
}

/// Puts [`HIDDEN`] in the place of everything that is marked; marks that touch are one.
fn without(text: &str, mut marks: Vec<Range<usize>>) -> Cow<'_, str> {
    if marks.is_empty() {
        return Cow::Borrowed(text);
    }
    marks.sort_unstable_by_key(|mark| mark.start);
    let mut told = String::with_capacity(text.len());
    let mut end = None;
    for mark in marks {
        let (start, stop) = (
            text.floor_char_boundary(mark.start),
            text.ceil_char_boundary(mark.end),
        );
        match end {
            Some(last) if start <= last => end = Some(stop.max(last)),
            _ => {
                told.push_str(&text[end.unwrap_or(0)..start]);
                told.push_str(HIDDEN);
                end = Some(stop);
            }
        }
    }
    told.push_str(&text[end.unwrap_or(0)..]);
    Cow::Owned(told)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    use super::*;

    const SECRET: &str = "q7Zt+0pX/9vB3mK~wLr5Yc2Hn8sQdU1eJfGaViOTxkA=";

    fn scrub(secret: &str, text: &str) -> String {
        let mut known = Known::default();
        known.add(secret);
        let mut marks = addresses::credentials(text);
        marks.extend(secrets(&known, text));
        without(text, marks).into_owned()
    }

    #[test]
    fn a_secret_is_hidden_and_the_rest_is_kept() {
        assert_eq!(
            scrub(SECRET, &format!("sent {SECRET}, got 502")),
            "sent ***, got 502"
        );
        assert_eq!(scrub(SECRET, "nothing to see"), "nothing to see");
        assert_eq!(scrub("short", "a short text"), "a short text");
    }

    #[test]
    fn every_usual_spelling_is_known() {
        let percent = SECRET.replace('+', "%2B").replace('/', "%2f").replace('=', "%3D");
        let digits = SECRET.bytes().flat_map(|byte| [byte >> 4, byte & 15]);
        let digits = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
        let hex: String = digits.collect();
        let spellings = [
            percent.clone(),
            percent.replace('%', "%25"),
            SECRET.replace('/', "\\/").replace('+', "\\u002b"),
            SECRET
                .replace('/', "&#x2F;")
                .replace('+', "&#43;")
                .replace('=', "&equals;"),
            hex.to_uppercase(),
            hex,
            BASE64_STANDARD.encode(SECRET),
            BASE64_URL_SAFE_NO_PAD.encode(SECRET),
        ];
        for spelling in spellings {
            let told = scrub(SECRET, &format!("<{spelling}>"));
            // The last character of base64 holds bits of what follows, and is left.
            let hidden = told.starts_with("<***") && told.len() <= "<***0=>".len();
            assert!(hidden, "{spelling}: {told}");
        }
    }

    #[test]
    fn base64_hides_nothing_wherever_the_secret_stands_in_it() {
        for before in ["", "u", "me", "me:", "user:"] {
            let encoded = BASE64_STANDARD.encode(format!("{before}{SECRET}!"));
            let told = scrub(SECRET, &format!("Basic {encoded}"));
            assert!(told.contains("***") && told.len() < 24, "{told}");
        }
    }

    #[test]
    fn white_space_between_its_characters_does_not_help() {
        let wrapped: String = SECRET.chars().flat_map(|c| [c, '\n']).collect();
        assert_eq!(scrub(SECRET, &format!("({wrapped})")), "(***\n)");
        assert_eq!(
            scrub(SECRET, &SECRET.replace('X', "X\\n").replace('9', "\u{200B}9")),
            "***"
        );
    }

    #[test]
    fn half_of_it_is_as_good_as_all() {
        let (first, second) = SECRET.split_at(20);
        assert_eq!(scrub(SECRET, &format!("{first}… and {second}")), "***… and ***");
    }

    #[test]
    fn eight_characters_at_a_cut_are_enough() {
        let (start, end) = (&SECRET[..8], &SECRET[SECRET.len() - 8..]);
        assert_eq!(scrub(SECRET, &format!("sent {start}")), "sent ***");
        assert_eq!(scrub(SECRET, &format!("sent {start}...")), "sent ***...");
        assert_eq!(scrub(SECRET, &format!("{end} was sent")), "*** was sent");
        assert_eq!(
            scrub(SECRET, &format!("not {start} here")),
            format!("not {start} here")
        );
    }

    #[test]
    fn a_password_of_words_hides_no_other_word() {
        let password = "shop-uploads-secret";
        assert_eq!(
            scrub(password, "bucket shop-uploads made"),
            "bucket shop-uploads made"
        );
        assert_eq!(scrub(password, "made shop-uploads"), "made shop-uploads");
        assert_eq!(scrub(password, "sent shop-uploads-secret"), "sent ***");
        assert_eq!(scrub("Xq7-Wd2-Lk9-Pm4", "sent Xq7-Wd2-L"), "sent ***");
    }

    #[test]
    fn a_private_key_is_known_by_every_line_and_its_frame_is_public() {
        let line = |c: char| c.to_string().repeat(10) + "QmFzZTY0";
        let pem = format!(
            "-----BEGIN RSA PRIVATE KEY-----\n{}\n{}\n-----END RSA PRIVATE KEY-----\n",
            line('a'),
            line('b')
        );
        assert_eq!(
            scrub(&pem, &pem),
            "-----BEGIN RSA PRIVATE KEY-----\n***\n-----END RSA PRIVATE KEY-----\n"
        );
        assert_eq!(scrub(&pem, &format!("line {}", line('b'))), "line ***");
        assert_eq!(scrub(&pem.replace('\n', "\\n"), &line('a')), "***");
        assert_eq!(parts(&pem).collect::<Vec<_>>(), [line('a'), line('b')]);
    }

    #[test]
    fn characters_are_never_cut_in_two() {
        assert_eq!(
            scrub("pässwörd-ünd-mehr-davon-é", "é pässwörd-ünd-mehr-davon-é é"),
            "é *** é"
        );
    }
}
