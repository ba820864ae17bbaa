//! The names of our keys. The name is the journal: all that one run must tell the next is written there.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::time::Timestamp;

/// The longest family: with run, nonce and mark a key's name then stays within [`KeyName::MAX_LEN`].
const FAMILY_MAX: usize = 29;

/// How much of a longer family is kept before its fingerprint.
const FAMILY_KEPT: usize = 22;

/// How many characters the fingerprint of a cut family has: 36⁷ is 78 thousand million.
const FINGERPRINT: usize = 7;

/// Random characters of a nonce; 36⁴ names for one run and family, of which it uses a handful.
const NONCE_LEN: usize = 4;

const BASE36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// What all generations of one key have in common: the first part of their names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Family(String);

/// Why a text cannot name a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadFamily {
    /// No characters at all.
    #[error("it is empty")]
    Empty,
    /// Too long to leave room for run, nonce and mark.
    #[error("it has {0} characters; the name of a key family has at most {FAMILY_MAX}")]
    Length(usize),
    /// A character outside `[a-z0-9-]`.
    #[error("it has `{0}`; the name of a key family has only a-z, 0-9 and hyphens")]
    Character(char),
    /// Two hyphens part the name's fields.
    #[error("it has two hyphens in a row, which part the fields of a key's name")]
    DoubleHyphen,
    /// A hyphen first or last would melt into the separator.
    #[error("it starts or ends with a hyphen")]
    Edge,
}

impl Family {
    /// The family of a default name, cut to 22 characters and a fingerprint where it is too long.
    pub fn fitted(name: &str) -> Result<Self, BadFamily> {
        match name.parse() {
            Err(BadFamily::Length(_)) => cut(name).parse(),
            parsed => parsed,
        }
    }

    /// The family of a default name with that of a bucket in it, which may have two hyphens in a row: they become one, and
    /// a fingerprint tells it from the bucket that has one.
    pub fn of_bucket(name: &str) -> Result<Self, BadFamily> {
        match Self::fitted(name) {
            Err(BadFamily::DoubleHyphen) => cut(name).parse(),
            fitted => fitted,
        }
    }

    /// The family as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Family {
    type Err = BadFamily;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let stranger = text.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-'));
        match stranger {
            _ if text.is_empty() => Err(BadFamily::Empty),
            Some(c) => Err(BadFamily::Character(c)),
            None if text.contains("--") => Err(BadFamily::DoubleHyphen),
            None if text.starts_with('-') || text.ends_with('-') => Err(BadFamily::Edge),
            None if text.len() > FAMILY_MAX => Err(BadFamily::Length(text.len())),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Keeps the start readable and makes the whole unique by a fingerprint of all of it.
fn cut(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    let mut number = digest
        .iter()
        .take(8)
        .fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    let mut fingerprint = String::new();
    for _ in 0..FINGERPRINT {
        fingerprint.push(char::from(BASE36[usize::try_from(number % 36).unwrap_or(0)]));
        number /= 36;
    }
    let parts: Vec<&str> = name.split('-').filter(|part| !part.is_empty()).collect();
    let single = parts.join("-");
    // A hyphen at the cut would stand beside nothing; the fingerprint makes up for it.
    let kept = single.get(..FAMILY_KEPT).unwrap_or(&single).trim_end_matches('-');
    format!("{kept}{fingerprint}")
}

/// The workflow run that minted a key, so that the next run can ask Actions whether it still lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Run {
    /// `GITHUB_RUN_ID`; zero outside Actions.
    pub id: u64,
    /// `GITHUB_RUN_ATTEMPT`, counted from one.
    pub attempt: u32,
}

impl Run {
    /// A run outside Actions: nobody can be asked about it, so only its lease tells when it is dead.
    pub const OUTSIDE: Self = Self { id: 0, attempt: 1 };

    /// Whether `self` is an earlier attempt of the run that `current` is; Actions runs one attempt at a time.
    #[must_use]
    pub fn is_earlier_attempt_of(self, current: Self) -> bool {
        self.id != 0 && self.id == current.id && self.attempt < current.attempt
    }

    /// The run as a person finds it in Actions.
    #[must_use]
    pub fn spoken(self) -> String {
        match self {
            Self { id: 0, .. } => "a run outside Actions".to_owned(),
            Self { id, attempt: 1 } => format!("run {id}"),
            Self { id, attempt } => format!("run {id} (attempt {attempt})"),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (id, attempt) = match text.split_once('x') {
            Some((id, attempt)) => (
                id,
                attempt
                    .parse()
                    .ok()
                    .filter(|n| *n > 1 && !attempt.starts_with('+'))?,
            ),
            None => (text, 1),
        };
        let canonical = id == "0" || !id.starts_with('0');
        let hex = !id.is_empty() && id.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        (hex && canonical)
            .then(|| u64::from_str_radix(id, 16).ok())?
            .map(|id| Self { id, attempt })
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempt {
            0 | 1 => write!(f, "{:x}", self.id),
            attempt => write!(f, "{:x}x{attempt}", self.id),
        }
    }
}

/// What tells apart the keys that one run mints for one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nonce([u8; NONCE_LEN]);

impl Nonce {
    /// Four base-36 characters out of four random bytes. The bias of the remainder does no harm: the nonce parts names,
    /// it guards nothing.
    #[must_use]
    pub fn from_random(bytes: [u8; NONCE_LEN]) -> Self {
        Self(bytes.map(|byte| BASE36[usize::from(byte) % 36]))
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; NONCE_LEN] = text.as_bytes().try_into().ok()?;
        bytes
            .iter()
            .all(|byte| BASE36.contains(byte))
            .then_some(Self(bytes))
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

/// How far a key has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// Minted; no sink has been touched.
    Pending,
    /// Written ahead of delivery: a sink *may* hold it.
    Delivering,
    /// Delivered to every sink and read back; `since` is the latest `updated_at` of its secrets.
    Active {
        /// GitHub's clock.
        since: Timestamp,
    },
    /// A short-lived full-access key for bucket work.
    Admin,
}

impl Mark {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "pending" => Some(Self::Pending),
            "delivering" => Some(Self::Delivering),
            "admin" => Some(Self::Admin),
            _ => text
                .strip_prefix("active-")
                .and_then(from_base36)
                .map(|since| Self::Active { since }),
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending => f.write_str("pending"),
            Self::Delivering => f.write_str("delivering"),
            Self::Admin => f.write_str("admin"),
            Self::Active { since } => write!(f, "active-{}", to_base36(*since)),
        }
    }
}

fn to_base36(time: Timestamp) -> String {
    let mut number = usize::try_from(time.unix()).unwrap_or(0);
    let mut digits = vec![];
    loop {
        digits.push(BASE36[number % 36]);
        number /= 36;
        if number == 0 {
            break;
        }
    }
    digits.iter().rev().map(|digit| char::from(*digit)).collect()
}

/// Only what [`to_base36`] writes: no sign, no leading zero, no upper case, no more than a far future.
fn from_base36(text: &str) -> Option<Timestamp> {
    let plain = text.bytes().all(|byte| BASE36.contains(&byte)) && (text == "0" || !text.starts_with('0'));
    let seconds = i64::from_str_radix(text, 36)
        .ok()
        .filter(|_| plain && text.len() <= 8)?;
    Some(Timestamp::from_unix(seconds))
}

/// `<family>--<run>-<nonce>--<mark>`: the name of a key of ours.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyName {
    /// Whose generation it is.
    pub family: Family,
    /// Who minted it.
    pub run: Run,
    /// Which of that run's keys it is.
    pub nonce: Nonce,
    /// How far it has come.
    pub mark: Mark,
}

impl KeyName {
    /// The API documents no limit; DNS labels have this one, and so do most names of the control panel.
    pub const MAX_LEN: usize = 63;

    /// Reads a name; `None` for every name that is not, to the letter, one that we would write.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split("--");
        let (family, ticket, mark) = (fields.next()?, fields.next()?, fields.next()?);
        let (run, nonce) = ticket.split_once('-')?;
        let name = Self {
            family: family.parse().ok()?,
            run: Run::parse(run)?,
            nonce: Nonce::parse(nonce)?,
            mark: Mark::parse(mark)?,
        };
        // A number can be spelt in more ways than one, and only ours is ours: `x042` is no attempt that we count.
        let is_ours = fields.next().is_none() && text.len() <= Self::MAX_LEN && name.to_string() == text;
        is_ours.then_some(name)
    }

    /// The same key with another mark.
    #[must_use]
    pub fn marked(&self, mark: Mark) -> Self {
        Self { mark, ..self.clone() }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            family,
            run,
            nonce,
            mark,
        } = self;
        write!(f, "{family}--{run}-{nonce}--{mark}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(mark: Mark) -> KeyName {
        KeyName {
            family: "shop-spaces-key".parse().expect("a family"),
            run: Run {
                id: 0x2_5f0a_1c3b,
                attempt: 1,
            },
            nonce: Nonce::from_random([0, 10, 35, 71]),
            mark,
        }
    }

    #[test]
    fn every_mark_survives_the_way_through_a_name() {
        let since = Timestamp::from_unix(1_795_000_000);
        for mark in [
            Mark::Pending,
            Mark::Delivering,
            Mark::Admin,
            Mark::Active { since },
        ] {
            let written = name(mark).to_string();
            assert_eq!(KeyName::parse(&written), Some(name(mark)), "{written}");
        }
        assert_eq!(
            name(Mark::Pending).to_string(),
            "shop-spaces-key--25f0a1c3b-0azz--pending"
        );
    }

    #[test]
    fn a_later_attempt_shows_in_the_name() {
        let mut second = name(Mark::Pending);
        second.run.attempt = 2;
        assert_eq!(second.to_string(), "shop-spaces-key--25f0a1c3bx2-0azz--pending");
        assert_eq!(KeyName::parse(&second.to_string()), Some(second.clone()));
        assert!(name(Mark::Pending).run.is_earlier_attempt_of(second.run));
        assert!(!second.run.is_earlier_attempt_of(second.run));
        assert!(!Run::OUTSIDE.is_earlier_attempt_of(Run { id: 0, attempt: 2 }));
    }

    #[test]
    fn the_longest_parts_fit() {
        let longest = KeyName {
            family: "a".repeat(FAMILY_MAX).parse().expect("a family"),
            run: Run {
                id: 0xff_ffff_ffff,
                attempt: 9,
            },
            nonce: Nonce::from_random([1; 4]),
            mark: Mark::Active {
                since: Timestamp::from_unix(2_000_000_000),
            },
        };
        assert!(longest.to_string().len() <= KeyName::MAX_LEN, "{longest}");
    }

    #[test]
    fn what_we_would_not_write_is_a_strangers_key() {
        for stranger in [
            "shop-spaces-key",
            "shop-spaces-key--0-abcd",
            "shop-spaces-key--0-abcd--done",
            "shop-spaces-key--00-abcd--pending",
            "shop-spaces-key--0X2-abcd--pending",
            "shop-spaces-key--0x1-abcd--pending",
            "shop-spaces-key--1x02-abcd--pending",
            "shop-spaces-key--0x+2-abcd--pending",
            "shop-spaces-key--0-abc--pending",
            "shop-spaces-key--0-abcD--pending",
            "shop-spaces-key--0-abcd--active-",
            "shop-spaces-key--0-abcd--active-+1",
            "shop-spaces-key--0-abcd--active-01",
            "shop-spaces-key--0-abcd--pending--x",
            "Shop--0-abcd--pending",
            "--0-abcd--pending",
        ] {
            assert_eq!(KeyName::parse(stranger), None, "{stranger}");
        }
    }

    #[test]
    fn a_long_default_name_is_cut_and_stays_unique() {
        let one = Family::fitted("a-rather-long-application-name-spaces-key").expect("a family");
        let other = Family::fitted("a-rather-long-application-name-uploads-spaces-key").expect("a family");
        assert_ne!(one, other);
        assert_eq!(one.as_str().len(), FAMILY_MAX);
        assert!(one.as_str().starts_with("a-rather-long-applicat"));
        assert_eq!("a".repeat(30).parse::<Family>(), Err(BadFamily::Length(30)));
    }
}
