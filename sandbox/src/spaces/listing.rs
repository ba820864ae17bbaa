//! Listing keys by prefix, delimiter and starting point.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::Object;

/// More than this is never given in one page.
const PAGE_LIMIT: i32 = 1000;

/// What to list.
pub(super) struct Query<'a> {
    pub(super) prefix: &'a str,
    /// Keys are folded up to the first occurrence after the prefix; empty: not at all.
    pub(super) delimiter: &'a str,
    /// Only keys after this one.
    pub(super) after: &'a str,
    /// At most this many keys and folded prefixes together.
    pub(super) limit: Option<i32>,
}

/// One page.
#[derive(Default)]
pub(super) struct Listing<'a> {
    pub(super) objects: Vec<(&'a str, &'a Object)>,
    pub(super) prefixes: BTreeSet<&'a str>,
    /// Where the next page starts; `None` if this is the last.
    pub(super) next: Option<String>,
}

impl Query<'_> {
    /// The page size that is told.
    pub(super) fn limit(&self) -> i32 {
        self.limit.unwrap_or(PAGE_LIMIT).clamp(0, PAGE_LIMIT)
    }

    /// The page of `objects` that this asks for.
    pub(super) fn of<'o>(&self, objects: &'o BTreeMap<String, Object>) -> Listing<'o> {
        let limit = usize::try_from(self.limit()).unwrap_or_default();
        let mut page = Listing::default();
        let mut last = None;
        for (key, object) in objects.range::<str, _>((Bound::Excluded(self.after), Bound::Unbounded)) {
            if !key.starts_with(self.prefix) || self.was_folded_before(key) {
                continue;
            }
            let fold = self.fold(key);
            if fold.is_some_and(|fold| page.prefixes.contains(fold)) {
                continue;
            }
            if page.objects.len() + page.prefixes.len() == limit {
                page.next = last;
                return page;
            }
            last = Some(fold.unwrap_or(key).to_owned());
            match fold {
                Some(fold) => _ = page.prefixes.insert(fold),
                None => page.objects.push((key, object)),
            }
        }
        page
    }

    /// The part of a key that stands for all keys with the same beginning.
    fn fold<'k>(&self, key: &'k str) -> Option<&'k str> {
        if self.delimiter.is_empty() {
            return None;
        }
        let found = key[self.prefix.len()..].find(self.delimiter)?;
        Some(&key[..self.prefix.len() + found + self.delimiter.len()])
    }

    /// Whether the page before ended with the prefix that stands for this key.
    fn was_folded_before(&self, key: &str) -> bool {
        self.fold(key).is_some_and(|fold| fold <= self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_without_gap_or_overlap() {
        let keys = ["a", "logs/1", "logs/2", "logs/3", "z"];
        let objects = keys
            .iter()
            .map(|key| ((*key).to_owned(), Object::new("x", 0)))
            .collect();
        let page = |after| {
            Query {
                prefix: "",
                delimiter: "/",
                after,
                limit: Some(2),
            }
            .of(&objects)
        };

        let first = page("");
        assert_eq!(first.objects[0].0, "a");
        assert_eq!(first.prefixes.into_iter().collect::<Vec<_>>(), ["logs/"]);
        let second = page(first.next.as_deref().unwrap_or_default());
        assert_eq!(
            second.objects.iter().map(|(key, _)| *key).collect::<Vec<_>>(),
            ["z"]
        );
        assert!(second.prefixes.is_empty() && second.next.is_none());
    }
}
