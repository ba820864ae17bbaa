//! One page of a list, as DigitalOcean and GitHub write it: the items, how many there are on all pages, and whether
//! another page follows.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// What is listed.
pub(super) trait Listed: DeserializeOwned {
    /// The field of the reply in which the items stand.
    const FIELD: &'static str;
    /// Whether the reply always counts the items of all pages and announces no next page, as GitHub's do.
    const COUNTED: bool;

    /// What tells one item from the others.
    fn identity(&self) -> String;
}

/// One page of a list.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub items: Vec<T>,
    /// How many items all pages have, where that is said: `meta.total` of DigitalOcean, `total_count` of GitHub.
    pub total: Option<usize>,
    /// Whether another page is announced. Its URL is never used: the host may be anyone's.
    pub next: bool,
}

impl<T> Page<T> {
    /// How many pages of this length hold all items; one where their number is not said.
    pub(super) fn pages(&self) -> usize {
        let total = self.total.unwrap_or_default();
        total.div_ceil(self.items.len().max(1)).max(1)
    }
}

impl<'de, T: Listed> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PageVisitor(PhantomData))
    }
}

struct PageVisitor<T>(PhantomData<T>);

/// `{}`, `{"pages": {}}`, `null` or absent on the last page.
#[derive(Deserialize)]
struct Links {
    #[serde(default)]
    pages: Option<Pages>,
}

#[derive(Deserialize)]
struct Pages {
    #[serde(default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    total: Option<usize>,
}

impl<'de, T: Listed> Visitor<'de> for PageVisitor<T> {
    type Value = Page<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{}`", T::FIELD)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Page<T>, A::Error> {
        let (mut items, mut total, mut next) = (None, None, false);
        while let Some(field) = map.next_key::<String>()? {
            match field.as_str() {
                name if name == T::FIELD && items.is_some() => {
                    return Err(A::Error::duplicate_field(T::FIELD));
                }
                name if name == T::FIELD => items = map.next_value::<Option<Vec<T>>>()?,
                "total_count" => total = Some(map.next_value()?),
                "meta" => total = map.next_value::<Option<Meta>>()?.and_then(|meta| meta.total),
                "links" => next = announces_next(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if T::COUNTED && total.is_none() {
            return Err(A::Error::missing_field("total_count"));
        }
        let items = present(items, total)?;
        Ok(Page { items, total, next })
    }
}

/// An empty list may be left out (App Platform does) or be `null` where the count says that there is nothing. GitHub leaves
/// none out.
fn present<T: Listed, E: Error>(items: Option<Vec<T>>, total: Option<usize>) -> Result<Vec<T>, E> {
    match (items, total) {
        (Some(items), _) => Ok(items),
        (None, Some(0)) if !T::COUNTED => Ok(Vec::new()),
        (None, _) => Err(E::missing_field(T::FIELD)),
    }
}

fn announces_next(links: Option<Links>) -> bool {
    let pages = links.and_then(|links| links.pages);
    pages.is_some_and(|pages| pages.next.is_some())
}

/// Lists of which the tests of pages and of paging are made.
#[cfg(test)]
pub(super) mod fixtures {
    use serde_json::Value;

    use super::*;

    /// An item of a list that need not tell how many there are.
    #[derive(Debug, Deserialize)]
    pub(in super::super) struct Thing(pub u32);

    impl Listed for Thing {
        const FIELD: &'static str = "things";
        const COUNTED: bool = false;

        fn identity(&self) -> String {
            self.0.to_string()
        }
    }

    /// An item of a list that tells how many there are.
    #[derive(Debug, Deserialize)]
    pub(in super::super) struct Counted(pub u32);

    impl Listed for Counted {
        const FIELD: &'static str = "things";
        const COUNTED: bool = true;

        fn identity(&self) -> String {
            self.0.to_string()
        }
    }

    pub(in super::super) fn page<T: Listed>(body: Value) -> Result<Page<T>, serde_json::Error> {
        serde_json::from_value(body)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::fixtures::{Counted, Thing, page};
    use super::*;

    #[test]
    fn an_absent_list_is_empty_only_when_the_count_says_so() {
        let empty = |body: Value| page::<Thing>(body).map(|page| page.items.len());
        assert_eq!(empty(json!({ "things": [] })).ok(), Some(0));
        assert_eq!(
            empty(json!({ "links": {}, "meta": { "total": 0 } })).ok(),
            Some(0)
        );
        assert_eq!(
            empty(json!({ "things": null, "meta": { "total": 0 } })).ok(),
            Some(0)
        );
        let absent = [
            json!({}),
            json!({ "meta": {} }),
            json!({ "meta": { "total": 1 } }),
            json!({ "others": [] }),
            json!({ "things": null }),
        ];
        for body in absent {
            let error = empty(body.clone()).expect_err("no list").to_string();
            assert_eq!(error, "missing field `things`", "{body}");
        }
        for body in [json!([]), json!("things"), json!({ "things": {} }), json!(null)] {
            assert!(empty(body).is_err());
        }
        let twice = r#"{"things":[1],"things":[]}"#;
        assert!(serde_json::from_str::<Page<Thing>>(twice).is_err());
        assert!(page::<Counted>(json!({ "things": [] })).is_err(), "GitHub counts");
        let absent = page::<Counted>(json!({ "total_count": 0 }));
        assert!(absent.is_err(), "GitHub leaves no list out");
    }
}
