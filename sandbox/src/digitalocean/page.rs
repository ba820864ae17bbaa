//! Pages of lists, with their links.

use serde_json::{Map, Value, json};

use super::call::Call;
use crate::switches::Switches;

/// Items of a page when the call does not say.
const DEFAULT_PAGE_SIZE: usize = 20;

/// The page of `items` that the call asks for, under `name`, with `links` and `meta`.
pub(super) fn page(call: &Call, switches: &Switches, name: &str, items: &[Value]) -> Value {
    page_of(call, switches, name, items, Value::clone)
}

/// As [`page`], of things that are shown by `show` where they are on it.
pub(super) fn page_of<T>(
    call: &Call,
    switches: &Switches,
    name: &str,
    items: &[T],
    show: impl Fn(&T) -> Value,
) -> Value {
    let size = number(call, "per_page")
        .unwrap_or(DEFAULT_PAGE_SIZE)
        .min(switches.page_size_cap);
    let number = number(call, "page").unwrap_or(1);
    let total = items.len();
    let links = Links {
        call,
        switches,
        number,
        size,
        last: total.div_ceil(size).max(1),
    };
    let start = size.saturating_mul(number - 1);
    let shown: Vec<Value> = items.iter().skip(start).take(size).map(show).collect();
    json!({ name: shown, "links": links.json(), "meta": { "total": total } })
}

/// Numbers below 1 and other words count as not given.
fn number(call: &Call, parameter: &str) -> Option<usize> {
    call.parameter(parameter)?.parse().ok().filter(|n| *n > 0)
}

struct Links<'a> {
    call: &'a Call,
    switches: &'a Switches,
    number: usize,
    size: usize,
    last: usize,
}

impl Links<'_> {
    /// Only the links that make sense, so `{}` for a single page.
    fn json(&self) -> Value {
        if self.last == 1 {
            return json!({});
        }
        let mut pages = Map::new();
        if self.number > 1 {
            pages.insert("first".to_owned(), self.url(1));
            pages.insert("prev".to_owned(), self.url(self.number - 1));
        }
        if self.number < self.last {
            pages.insert("next".to_owned(), self.url(self.number + 1));
            pages.insert("last".to_owned(), self.url(self.last));
        }
        json!({ "pages": pages })
    }

    fn url(&self, number: usize) -> Value {
        let host = self.switches.foreign_page_host.as_ref();
        let host = host.unwrap_or(&self.call.host);
        let path = self.call.segments.join("/");
        let size = self.size;
        Value::from(format!("http://{host}/{path}?page={number}&per_page={size}"))
    }
}
