//! What may be a credential in a URL, whoever's it is: the userinfo, and the values of the query (a presigned address is
//! a credential by its query) and of the fragment.

use std::ops::Range;

/// How a URL goes on behind its scheme; the second is how JSON may write it.
const AFTER_SCHEME: [&str; 2] = ["://", ":\\/\\/"];

/// Where a text holds one.
pub(super) fn credentials(text: &str) -> Vec<Range<usize>> {
    let starts = AFTER_SCHEME
        .into_iter()
        .flat_map(|mark| text.match_indices(mark).map(|(at, mark)| at + mark.len()));
    starts.flat_map(|start| of_url(text, start)).collect()
}

/// Those of the URL whose authority starts there.
fn of_url(text: &str, start: usize) -> Vec<Range<usize>> {
    let rest = &text[start..];
    let url = &rest[..rest.find(ends_url).unwrap_or(rest.len())];
    let authority = &url[..url.find(['/', '?', '#', '\\']).unwrap_or(url.len())];
    let userinfo = authority.rfind('@').filter(|length| *length > 0);
    let mut found: Vec<_> = userinfo.map(|length| start..start + length).into_iter().collect();
    if let Some(query) = url.find(['?', '#']) {
        found.extend(values(url, query + 1).map(|value| start + value.start..start + value.end));
    }
    found
}

fn ends_url(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '(' | ')' | '|')
}

/// Where the values stand in `key=value&key=value#key=value`.
fn values(url: &str, start: usize) -> impl Iterator<Item = Range<usize>> {
    let mut at = start;
    let pairs = url[start..].split(['&', '#', '?']).map(move |pair| {
        let here = at;
        at += pair.len() + 1;
        (here, pair)
    });
    pairs.filter_map(|(here, pair)| {
        let value = pair.find('=')? + 1;
        (value < pair.len()).then(|| here + value..here + pair.len())
    })
}

#[cfg(test)]
mod tests {
    use super::super::scrubbed;

    #[test]
    fn who_logs_in_where_is_not_told() {
        for (text, told) in [
            ("https://me:pw@gw.example/v2", "https://***@gw.example/v2"),
            (
                "a proxy http://me:p@w@10.0.0.1:3128 fails",
                "a proxy http://***@10.0.0.1:3128 fails",
            ),
            (
                "postgres://shop:hunter2@db:25060/shop",
                "postgres://***@db:25060/shop",
            ),
            (
                r#"{"a":"https://a.example","b":"me@b.example"}"#,
                r#"{"a":"https://a.example","b":"me@b.example"}"#,
            ),
            (
                "https://a.example/@me and you@b.example",
                "https://a.example/@me and you@b.example",
            ),
        ] {
            assert_eq!(scrubbed(text), told);
        }
    }

    #[test]
    fn of_a_query_only_the_keys_are_told() {
        for (text, told) in [
            (
                "GET https://logs.example/a?X-Amz-Signature=f00&lines=5 and more",
                "GET https://logs.example/a?X-Amz-Signature=***&lines=*** and more",
            ),
            (
                "<Resource>https://a.example/b?sig=x</Resource>",
                "<Resource>https://a.example/b?sig=***</Resource>",
            ),
            (
                "https://a.example/#access_token=abc",
                "https://a.example/#access_token=***",
            ),
            ("https://a.example/?follow&x=", "https://a.example/?follow&x="),
            ("https://a.example/guide#rotate", "https://a.example/guide#rotate"),
        ] {
            assert_eq!(scrubbed(text), told);
        }
    }
}
