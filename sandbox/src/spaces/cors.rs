//! CORS rules: kept, given back, and applied to what browsers ask.

use http::HeaderMap;
use http::header::{self, HeaderName, HeaderValue};
use s3s::dto::CORSRule;

/// The methods a rule may name, in the order in which rules are given back.
const METHODS: [&str; 5] = ["GET", "PUT", "DELETE", "HEAD", "POST"];

/// Who may call the bucket from a browser, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CorsRule {
    /// Chosen by whoever put the rule.
    pub id: Option<String>,
    /// Origins, each with at most one `*`.
    pub allowed_origins: Vec<String>,
    /// Among GET, PUT, DELETE, HEAD, POST.
    pub allowed_methods: Vec<String>,
    /// Request headers, each with at most one `*`.
    pub allowed_headers: Vec<String>,
    /// Response headers that scripts may see.
    pub expose_headers: Vec<String>,
    /// How long a browser may keep the answer, in seconds.
    pub max_age_seconds: Option<i32>,
}

impl CorsRule {
    /// Whether the server takes the rule at all.
    pub(super) fn is_well_formed(&self) -> bool {
        let one_star = |text: &String| text.matches('*').count() <= 1;
        !self.allowed_origins.is_empty()
            && !self.allowed_methods.is_empty()
            && self
                .allowed_methods
                .iter()
                .all(|method| METHODS.contains(&method.as_str()))
            && self.allowed_origins.iter().all(one_star)
            && self.allowed_headers.iter().all(one_star)
    }

    /// The rule as it is given back: the storage backend keeps sets, so order is lost.
    pub(super) fn reordered(mut self) -> Self {
        self.allowed_methods
            .sort_by_key(|method| METHODS.iter().position(|known| known == method));
        self.allowed_methods.dedup();
        self.allowed_origins.sort();
        self.allowed_origins.dedup();
        self
    }

    /// Whether one of its origins matches; letter by letter, as a browser writes them.
    pub(super) fn is_for(&self, origin: &str) -> bool {
        let mut patterns = self.allowed_origins.iter();
        patterns.any(|pattern| matches(pattern, origin))
    }

    /// Whether it names every origin.
    pub(super) fn is_for_everybody(&self) -> bool {
        self.allowed_origins.iter().any(|pattern| pattern == "*")
    }

    /// Whether it has the method.
    pub(super) fn has_method(&self, method: &str) -> bool {
        self.allowed_methods.iter().any(|allowed| allowed == method)
    }

    /// Whether it may send that request header.
    pub(super) fn allows_header(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.allowed_headers
            .iter()
            .any(|pattern| matches(&pattern.to_ascii_lowercase(), &name))
    }

    /// The response headers that tell a page of `origin`, or of everywhere (`*`), that it may use `method`.
    pub(super) fn response_headers(&self, origin: &str, method: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut set = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value)
                && !value.is_empty()
            {
                headers.insert(name, value);
            }
        };
        set(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        set(header::ACCESS_CONTROL_ALLOW_METHODS, method);
        set(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            &self.expose_headers.join(","),
        );
        if origin != "*" {
            set(header::VARY, "Origin");
        }
        if let Some(seconds) = self.max_age_seconds {
            set(header::ACCESS_CONTROL_MAX_AGE, &seconds.to_string());
        }
        headers
    }
}

impl From<CORSRule> for CorsRule {
    fn from(rule: CORSRule) -> Self {
        Self {
            id: rule.id,
            allowed_origins: rule.allowed_origins,
            allowed_methods: rule.allowed_methods,
            allowed_headers: rule.allowed_headers.unwrap_or_default(),
            expose_headers: rule.expose_headers.unwrap_or_default(),
            max_age_seconds: rule.max_age_seconds,
        }
    }
}

impl From<CorsRule> for CORSRule {
    fn from(rule: CorsRule) -> Self {
        let unless_empty = |list: Vec<String>| (!list.is_empty()).then_some(list);
        Self {
            id: rule.id,
            allowed_origins: rule.allowed_origins,
            allowed_methods: rule.allowed_methods,
            allowed_headers: unless_empty(rule.allowed_headers),
            expose_headers: unless_empty(rule.expose_headers),
            max_age_seconds: rule.max_age_seconds,
        }
    }
}

/// A pattern with at most one `*`, which stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(origins: &[&str], methods: &[&str]) -> CorsRule {
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        CorsRule {
            allowed_origins: owned(origins),
            allowed_methods: owned(methods),
            ..CorsRule::default()
        }
    }

    #[test]
    fn a_star_stands_for_any_text_once() {
        let shop = rule(&["https://*.shop.example"], &["GET"]);
        assert!(shop.is_for("https://www.shop.example"));
        assert!(!shop.is_for("https://shop.example"));
        assert!(!shop.is_for("https://www.Shop.example"));
        assert!(!rule(&["https://*.*"], &["GET"]).is_well_formed());
        assert!(!rule(&[], &["GET"]).is_well_formed());
        assert!(!rule(&["*"], &["PATCH"]).is_well_formed());
    }

    #[test]
    fn rules_come_back_in_the_order_of_the_backend() {
        let rule = rule(&["https://b", "https://a"], &["POST", "HEAD", "GET"]).reordered();
        assert_eq!(rule.allowed_methods, ["GET", "HEAD", "POST"]);
        assert_eq!(rule.allowed_origins, ["https://a", "https://b"]);
    }
}
