//! CORS rules: which pages may use a bucket from a browser, and how.

use std::fmt;

use super::desired::AppRef;

/// What the ids of our rules start with; all others are someone's own.
pub const OURS: &str = "spacekeeper-";

/// How long a browser may keep the answer to a preflight: as long as the examples of the Spaces documentation say.
const MAX_AGE_SECONDS: i32 = 3_000;

/// A method that a CORS rule may allow; S3 has no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CorsMethod {
    /// `GET`
    Get,
    /// `PUT`
    Put,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
    /// `HEAD`
    Head,
}

impl CorsMethod {
    /// Every method.
    pub const ALL: [Self; 5] = [Self::Get, Self::Put, Self::Post, Self::Delete, Self::Head];

    /// The word of HTTP.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
            Self::Head => "HEAD",
        }
    }

    /// The method of that word, in any case.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|method| method.word().eq_ignore_ascii_case(word))
    }
}

/// One rule, in its canonical form: lists sorted, each entry once. Servers give rules back in an order of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorsRule {
    /// Origins, `scheme://host[:port]`, each with at most one `*`.
    pub origins: Vec<String>,
    /// Methods.
    pub methods: Vec<CorsMethod>,
    /// Request headers that a page may send; lower case.
    pub allowed_headers: Vec<String>,
    /// Response headers that a page may read.
    pub exposed_headers: Vec<String>,
    /// How long a browser may keep the answer, in seconds.
    pub max_age_seconds: Option<i32>,
}

impl CorsRule {
    /// The rule with its lists sorted and each entry once.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        self.allowed_headers
            .iter_mut()
            .for_each(|header| header.make_ascii_lowercase());
        self.exposed_headers
            .sort_by_key(|header| header.to_ascii_lowercase());
        self.exposed_headers
            .dedup_by(|one, other| one.eq_ignore_ascii_case(other));
        for list in [&mut self.origins, &mut self.allowed_headers] {
            list.sort();
            list.dedup();
        }
        self.methods.sort();
        self.methods.dedup();
        self
    }

    /// Whether it says the same as another, whatever the case of its headers.
    #[must_use]
    pub fn says(&self, other: &Self) -> bool {
        let folded = |rule: &Self| {
            let mut rule = rule.clone().canonical();
            rule.exposed_headers
                .iter_mut()
                .for_each(|header| header.make_ascii_lowercase());
            rule
        };
        folded(self) == folded(other)
    }

    /// Whether it allows the same as another, whatever their origins.
    #[must_use]
    pub fn allows_the_same(&self, other: &Self) -> bool {
        let everywhere = |rule: &Self| Self {
            origins: Vec::new(),
            ..rule.clone()
        };
        everywhere(self).says(&everywhere(other))
    }

    /// Whether one of its origins matches every origin that the pattern matches.
    #[must_use]
    pub fn covers(&self, pattern: &str) -> bool {
        self.origins.iter().any(|origin| covers(origin, pattern))
    }
}

impl fmt::Display for CorsRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<_> = self.methods.iter().map(|method| method.word()).collect();
        write!(f, "{} from {}", methods.join(" "), self.origins.join(", "))
    }
}

/// Whether a pattern matches every origin that another one matches. `*` stands for any text, once.
#[must_use]
pub fn covers(pattern: &str, other: &str) -> bool {
    match (pattern.split_once('*'), other.split_once('*')) {
        (None, _) => pattern == other,
        (Some((start, end)), None) => {
            other.len() >= start.len() + end.len() && other.starts_with(start) && other.ends_with(end)
        }
        (Some((start, end)), Some((other_start, other_end))) => {
            other_start.starts_with(start) && other_end.ends_with(end)
        }
    }
}

/// Whether there is an origin that both patterns match.
#[must_use]
pub fn overlap(one: &str, other: &str) -> bool {
    match (one.split_once('*'), other.split_once('*')) {
        (Some((start, end)), Some((other_start, other_end))) => {
            (start.starts_with(other_start) || other_start.starts_with(start))
                && (end.ends_with(other_end) || other_end.ends_with(end))
        }
        _ => covers(one, other) || covers(other, one),
    }
}

/// A rule as a bucket has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCorsRule {
    /// Whether its id says that it is ours.
    pub ours: bool,
    /// Whether it has an id at all. A server that keeps none tells nobody's rules from ours.
    pub has_id: bool,
    /// What it says.
    pub rule: CorsRule,
}

/// What a browser is to ask of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorsQuestion {
    /// The origin as it is declared, with its `*`.
    pub origin: String,
    /// The method.
    pub method: CorsMethod,
    /// Whether a rule of others allows it, and none of ours.
    pub of_others: bool,
}

/// Where the rules of others stand that stay behind ours. Of those without an id a rule that says what a declared one says
/// is taken for ours, and one that stands there twice is kept once: a server may keep no ids.
#[must_use]
pub fn kept_of_others(found: &[FoundCorsRule], declared: &[CorsRule]) -> Vec<usize> {
    let says_the_same =
        |one: &FoundCorsRule, other: &FoundCorsRule| !other.has_id && one.rule.says(&other.rule);
    let stays = |at: &usize| {
        let rule = &found[*at];
        let ours = declared.iter().any(|declared| declared.says(&rule.rule));
        let again = found[..*at].iter().any(|before| says_the_same(rule, before));
        !rule.ours && (rule.has_id || !(ours || again))
    };
    (0..found.len()).filter(stays).collect()
}

/// What is wanted of the CORS rules of a bucket. Rules that are not ours stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorsWish {
    /// Our rules, in order; none removes ours.
    pub rules: Vec<CorsRule>,
    /// Apps whose live URL and custom domains are origins of every rule, beside those that it names.
    pub from_apps: Vec<AppRef>,
}

impl CorsWish {
    /// The rules with the origins of the apps.
    #[must_use]
    pub fn resolved(&self, app_origins: &[String]) -> Vec<CorsRule> {
        let with_origins = |rule: &CorsRule| {
            let mut rule = rule.clone();
            rule.origins.extend(app_origins.iter().cloned());
            rule.canonical()
        };
        let rules = self.rules.iter().map(with_origins);
        rules.filter(|rule| !rule.origins.is_empty()).collect()
    }
}

/// A set of rules that fits a common use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Browsers upload to and read from a private bucket by presigned URLs.
    PrivateUploads,
    /// Browsers read public files through the CDN.
    PublicAssets,
}

impl Preset {
    /// The rule for these origins.
    #[must_use]
    pub fn rule(self, origins: Vec<String>) -> CorsRule {
        use CorsMethod::{Get, Head, Post, Put};
        let any = || vec!["*".to_owned()];
        let (methods, allowed_headers, exposed) = match self {
            // A presigned upload sends content headers; its parts are put together by their ETags.
            Self::PrivateUploads => (vec![Get, Put, Post, Head], any(), vec!["ETag".to_owned()]),
            Self::PublicAssets => (vec![Get, Head], any(), Vec::new()),
        };
        let rule = CorsRule {
            origins,
            methods,
            allowed_headers,
            exposed_headers: exposed,
            max_age_seconds: Some(MAX_AGE_SECONDS),
        };
        rule.canonical()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_the_same_in_any_order_and_case() {
        let one = Preset::PrivateUploads.rule(vec!["https://b".into(), "https://a".into()]);
        let mut other = one.clone();
        other.methods.reverse();
        other.exposed_headers = vec!["etag".into()];
        assert!(one.says(&other));
        other.max_age_seconds = None;
        assert!(!one.says(&other));
    }

    #[test]
    fn a_rule_without_origins_is_none() {
        let wish = CorsWish {
            rules: vec![Preset::PrivateUploads.rule(Vec::new())],
            from_apps: Vec::new(),
        };
        assert!(wish.resolved(&[]).is_empty());
        assert_eq!(wish.resolved(&["https://a".into()])[0].origins, ["https://a"]);
    }

    #[test]
    fn a_star_covers_and_overlaps() {
        for (one, other, is_covered, is_shared) in [
            ("*", "https://a.example", true, true),
            ("https://*.example", "https://a.example", true, true),
            ("https://*.example", "https://*.shop.example", true, true),
            ("https://*.shop.example", "https://*.example", false, true),
            ("https://a*.example", "https://*b.example", false, true),
            ("https://a*", "http://*", false, false),
            ("https://a.example", "*", false, true),
            ("https://a.example", "https://b.example", false, false),
            ("https://aa*a", "https://aa", false, false),
        ] {
            assert_eq!(covers(one, other), is_covered, "{one} {other}");
            assert_eq!(overlap(one, other), is_shared, "{one} {other}");
            assert_eq!(overlap(other, one), is_shared, "{other} {one}");
        }
    }
}
