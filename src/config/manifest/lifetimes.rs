//! How long keys live: two fields that make sense only together, so what is said of one names both.

use std::fmt;

use super::super::defaults;
use super::flaw::At;
use super::keys::Draft;
use super::read::Spot;
use super::shape::KeyShape;
use super::words::{Spell, by_default};
use crate::model::lifetime::{Lifetime, TooShort};
use crate::model::name::Family;

/// One of the two spans, and where it was said.
#[derive(Debug, Clone)]
struct Said {
    span: Spell,
    /// Nothing for the default.
    at: Option<At>,
    /// What it is called where the key is declared: `max-age`, `max_age`.
    name: &'static str,
    /// The whole field: `apps.shop.keys.shop-spaces-key.max_age`.
    field: String,
    /// Whether the key says it itself.
    is_own: bool,
}

/// The span that a sentence is about, and the other one.
struct Pair<'s>(&'s Said, &'s Said);

impl Draft<'_, '_> {
    pub(super) fn lifetime(
        &mut self,
        family: &Spot<Family>,
        shape: &KeyShape,
        field: &str,
    ) -> Option<Lifetime> {
        let (in_file, as_input) = ("max_age", "max-age");
        let name = family.at.says(in_file, as_input);
        let max_age = Said::of(
            [shape.max_age, self.manifest.max_age],
            name,
            field,
            defaults::MAX_AGE,
        )?;
        let (in_file, as_input) = ("grace_period", "grace-period");
        let name = family.at.says(in_file, as_input);
        let general = self.manifest.grace_period;
        let grace = Said::of([shape.grace_period, general], name, field, defaults::GRACE_PERIOD)?;
        let lifetime = Lifetime::new(max_age.span.0, grace.span.0);
        match lifetime {
            Ok(lifetime) if lifetime.overlaps_twice() => self.warn(piling_up(&max_age, &grace, lifetime)),
            Ok(_) => {}
            Err(refusal) => self.refuse(family.at, &max_age, &grace, refusal),
        }
        lifetime.ok()
    }

    fn refuse(&mut self, at: At, max_age: &Said, grace: &Said, refusal: TooShort) {
        let pair = Pair::of(max_age, grace);
        let at = pair.0.at.unwrap_or(at);
        // What several keys share is told once.
        if self.reader.is_silent_about(at) {
            let what = format!("{pair} is not accepted: {}", remedy(max_age, grace, refusal));
            self.reader.tell(at, pair.0.field.clone(), what);
        }
    }

    /// Says it, unless it was said of the key before: the keys that the inputs make share one lifetime.
    fn warn(&mut self, what: String) {
        if self.warnings.last() != Some(&what) {
            self.warnings.push(what);
        }
    }
}

impl Said {
    /// The key's own span, the general one or the default; nothing where the default is none.
    fn of(
        [own, general]: [Option<Spot<Spell>>; 2],
        name: &'static str,
        key: &str,
        default: &'static str,
    ) -> Option<Self> {
        let spot = own.or(general);
        let span = spot.map(|spot| spot.value).or_else(|| by_default(default))?;
        let is_general = own.is_none() && general.is_some_and(|spot| matches!(spot.at, At::File(_)));
        Some(Self {
            span,
            at: spot.map(|spot| spot.at),
            name,
            field: if is_general {
                name.to_owned()
            } else {
                format!("{key}.{name}")
            },
            is_own: own.is_some(),
        })
    }
}

impl<'s> Pair<'s> {
    /// A sentence is about the span that the key says itself, else about one that was said at all.
    fn of(max_age: &'s Said, grace: &'s Said) -> Self {
        let rank = |said: &Said| (said.is_own, said.at.is_some());
        if rank(grace) > rank(max_age) {
            Self(grace, max_age)
        } else {
            Self(max_age, grace)
        }
    }
}

impl fmt::Display for Pair<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(subject, other) = self;
        write!(f, "{} with {other}", subject.span)
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.span)?;
        match self.at {
            None => f.write_str(" (the default)"),
            Some(At::File(place)) => write!(f, " (line {})", place.line),
            Some(At::Input(_)) => Ok(()),
        }
    }
}

/// What would be accepted, and why not less.
fn remedy(max_age: &Said, grace: &Said, refusal: TooShort) -> String {
    let TooShort {
        least_max_age,
        longest_grace,
    } = refusal;
    let why = format!(
        "where rotate starts once a day, up to an hour late, a key that is replaced would be kept for longer; set {} to at \
         least {}",
        max_age.name,
        Spell(least_max_age)
    );
    match longest_grace {
        Some(longest) => {
            format!("{why}, or {} to at most {}", grace.name, Spell(longest))
        }
        None => why,
    }
}

/// A predecessor is still kept when its successor is replaced in its turn.
fn piling_up(max_age: &Said, grace: &Said, lifetime: Lifetime) -> String {
    let named = match max_age.at {
        Some(At::Input(input)) => input,
        _ => &max_age.field,
    };
    format!(
        "{named}: {} makes a key due after {}, while its predecessor is still kept, so several old keys are kept at a time; set {} to at \
         least {} for one",
        Pair(max_age, grace),
        Spell(lifetime.due_age()),
        max_age.name,
        Spell(lifetime.least_tidy_age())
    )
}
