//! Pages and the `Link` header that leads from one to the next.

use serde_json::{Value, json};

use super::ask::Ask;
use super::refusal::ok;
use crate::Switches;
use crate::reply::Reply;

/// How many items a page has when nothing is said, and at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageSize {
    pub(super) default: usize,
    pub(super) most: usize,
}

/// The sizes of most lists.
pub(super) const USUAL: PageSize = PageSize {
    default: 30,
    most: 100,
};

/// One page of `items` under `name`, beside their total count.
pub(super) fn page(
    ask: &Ask<'_>,
    switches: &Switches,
    size: PageSize,
    name: &str,
    items: Vec<Value>,
) -> Reply {
    let counted = items.len();
    page_of(ask, switches, size, name, items, counted)
}

/// As [`page`], of a list that counts more than it shows.
pub(super) fn page_of(
    ask: &Ask<'_>,
    switches: &Switches,
    size: PageSize,
    name: &str,
    items: Vec<Value>,
    counted: usize,
) -> Reply {
    let number = |parameter, default| {
        ask.parameter(parameter)
            .and_then(|it| it.parse().ok())
            .unwrap_or(default)
    };
    let per_page = number("per_page", size.default).clamp(1, size.most);
    let page: usize = number("page", 1).max(1);
    let last = items.len().div_ceil(per_page).max(1);
    let items: Vec<_> = items
        .into_iter()
        .skip((page - 1) * per_page)
        .take(per_page)
        .collect();
    let reply = ok(&json!({ "total_count": counted, name: items }));
    let links = links(ask, switches, page, last);
    if links.is_empty() {
        reply
    } else {
        reply.header("link", links)
    }
}

fn links(ask: &Ask<'_>, switches: &Switches, page: usize, last: usize) -> String {
    let base = match &switches.foreign_page_host {
        Some(host) => format!("https://{host}"),
        None => ask.base.clone(),
    };
    let link = |number: usize, relation: &str| {
        let kept = ask.query.iter().filter(|(name, _)| name != "page");
        let kept = kept.map(|(name, value)| format!("{name}={value}&"));
        let kept = kept.collect::<Vec<_>>().concat();
        format!("<{base}{}?{kept}page={number}>; rel=\"{relation}\"", ask.path)
    };
    let mut links = Vec::new();
    if page > 1 {
        links.extend([link(page - 1, "prev"), link(1, "first")]);
    }
    if page < last {
        links.extend([link(page + 1, "next"), link(last, "last")]);
    }
    links.join(", ")
}
