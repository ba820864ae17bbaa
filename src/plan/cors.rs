//! CORS rules in the order in which Spaces asks them.
//!
//! Spaces takes the first rule of which an origin matches, and asks no other: what that rule lacks is refused, though a
//! later rule has it (measured on Ceph RGW 16.2, the engine behind Spaces). So rules are a list, and what several of them
//! say of an origin has to stand in the first one that matches it.

use crate::model::cors::{CorsQuestion, CorsRule, CorsWish, FoundCorsRule, covers, kept_of_others, overlap};
use crate::model::desired::WantedBucket;
use crate::model::observed::{BucketState, Observed};
use crate::model::problem::Problem;

/// S3 takes no more rules for a bucket (`PutBucketCors` of the S3 reference).
const MOST_RULES: usize = 100;

/// Our rules as they are written, before those of others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arranged {
    /// In the order in which they are asked: single origins first, then patterns, the narrower before the wider.
    pub rules: Vec<CorsRule>,
    /// What is in our rules only because rules of others allow it, a few words for each origin.
    pub spared: Vec<String>,
}

/// Our rules beside those of others. An origin that several rules are about is given what all of ours say, and what the
/// first rule of others gives it today, so that ours, which stand first, take nothing away.
///
/// # Errors
///
/// Two patterns of which neither contains the other match the same origin, and their rules differ: no order satisfies
/// both. Or there are more rules than S3 takes.
pub fn arranged(wanted: &[CorsRule], others: &[CorsRule]) -> Result<Arranged, String> {
    for rule in wanted {
        let mut beside = wanted
            .iter()
            .chain(others)
            .filter(|other| !rule.allows_the_same(other));
        if let Some((one, other)) = beside.find_map(|other| crossing(rule, other)) {
            return Err(format!(
                "{one} and {other} have origins in common, and their CORS rules differ; Spaces asks only one of them"
            ));
        }
    }
    let mut arranged = Arranged::default();
    for origin in origins(wanted, others) {
        let ours = merged(wanted.iter().filter(|rule| rule.covers(&origin)));
        let Some(ours) = ours else { continue };
        let theirs = others.iter().find(|rule| rule.covers(&origin));
        arranged.add(&origin, &ours, theirs);
    }
    if arranged.rules.len() + others.len() > MOST_RULES {
        let rules = arranged.rules.len() + others.len();
        return Err(format!(
            "they come to {rules} CORS rules, and S3 takes {MOST_RULES}"
        ));
    }
    Ok(arranged)
}

/// Whether the rules of a bucket are ours as arranged, and then those of others.
#[must_use]
pub fn stand(wanted: &[CorsRule], found: &[FoundCorsRule]) -> bool {
    let Ok(Arranged { rules, .. }) = arranged(wanted, &of_others(found)) else {
        return false;
    };
    let others = kept_of_others(found, wanted)
        .into_iter()
        .map(|at| &found[at].rule);
    let all: Vec<&CorsRule> = rules.iter().chain(others).collect();
    all.len() == found.len() && all.iter().zip(found).all(|(rule, found)| rule.says(&found.rule))
}

/// What is done with the CORS rules of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorsChange {
    /// What is asked for, with the origins of the apps.
    pub wanted: Vec<CorsRule>,
    /// As it is written.
    pub arranged: Arranged,
}

/// What the CORS rules of a bucket lack, if anything; a problem where that cannot be said.
pub(super) fn change(
    wanted: &WantedBucket,
    wish: &CorsWish,
    found: &[FoundCorsRule],
    observed: &Observed,
) -> Result<Option<CorsChange>, Problem> {
    let of_bucket =
        |what: String, remedy: &str| Problem::new(format!("bucket {}", wanted.name), what, remedy);
    let rules = resolved(wish, observed).map_err(|why| of_bucket(why.what, &why.remedy))?;
    let arranged = arranged(&rules, &of_others(found))
        .map_err(|what| of_bucket(what, "Write one rule for the origins that they share."))?;
    let stands = stand(&rules, found);
    Ok((!stands).then_some(CorsChange {
        wanted: rules,
        arranged,
    }))
}

/// An app that has no address yet, where the rules name other origins too: its pages are left out.
pub(super) fn without_address(wanted: &WantedBucket, observed: &Observed) -> Vec<Problem> {
    let apps = wanted.cors.iter().flat_map(|wish| &wish.from_apps);
    let without = apps.filter(|app| {
        let state = observed.apps.get(*app).and_then(|state| state.as_ref().ok());
        state.is_some_and(|state| state.origins.is_empty())
    });
    without
        .map(|app| {
            let what = format!("its CORS rules leave out app {app}, which has no URL yet");
            Problem::new(
                format!("bucket {}", wanted.name),
                what,
                "Run bootstrap again when the app has been deployed once.",
            )
        })
        .collect()
}

/// What a browser is to ask of a bucket: each declared origin with each of its methods, and what the rules of others
/// would allow if they stood alone.
#[must_use]
pub fn questions(wanted: &WantedBucket, observed: &Observed) -> Vec<CorsQuestion> {
    let rules = wanted.cors.as_ref().map(|wish| resolved(wish, observed));
    let Some(Ok(rules)) = rules else { return Vec::new() };
    let others = match observed.buckets.get(&wanted.name) {
        Some(Ok(BucketState::Present(settings))) => of_others(&settings.cors),
        _ => Vec::new(),
    };
    let first = |rule: &CorsRule, origin: &str| {
        others
            .iter()
            .find(|other| other.covers(origin))
            .is_some_and(|other| other == rule)
    };
    let ours = rules.iter().flat_map(|rule| asked(rule, false));
    let theirs = others
        .iter()
        .flat_map(|rule| asked(rule, true).filter(|question| first(rule, &question.origin)));
    let mut all: Vec<CorsQuestion> = Vec::new();
    for question in ours.chain(theirs) {
        let repeats =
            |other: &CorsQuestion| other.origin == question.origin && other.method == question.method;
        if !all.iter().any(repeats) {
            all.push(question);
        }
    }
    all
}

fn asked(rule: &CorsRule, of_others: bool) -> impl Iterator<Item = CorsQuestion> {
    rule.origins.iter().flat_map(move |origin| {
        let methods = rule.methods.iter();
        methods.map(move |method| CorsQuestion {
            origin: origin.clone(),
            method: *method,
            of_others,
        })
    })
}

impl Arranged {
    /// Adds an origin to the last rule that allows the same, or a rule of its own.
    fn add(&mut self, origin: &str, ours: &CorsRule, theirs: Option<&CorsRule>) {
        let both = merged([ours].into_iter().chain(theirs)).unwrap_or_else(|| ours.clone());
        let spared = both
            .methods
            .iter()
            .filter(|method| !ours.methods.contains(method));
        let spared: Vec<_> = spared.map(|method| method.word()).collect();
        if !spared.is_empty() {
            self.spared.push(format!(
                "{} from {origin}, which a rule of others allows",
                spared.join(" ")
            ));
        }
        match self.rules.last_mut().filter(|last| last.allows_the_same(&both)) {
            Some(last) => {
                last.origins.push(origin.to_owned());
                last.origins.sort();
            }
            None => self.rules.push(CorsRule {
                origins: vec![origin.to_owned()],
                ..both
            }),
        }
    }
}

/// Every origin that a rule of ours is about, whoever names it: what is asked first stands first.
fn origins(wanted: &[CorsRule], others: &[CorsRule]) -> Vec<String> {
    let ours = wanted.iter().flat_map(|rule| &rule.origins);
    let theirs = others.iter().flat_map(|rule| &rule.origins);
    let mut all: Vec<String> = Vec::new();
    for origin in ours.chain(theirs) {
        if !all.contains(origin) {
            all.push(origin.clone());
        }
    }
    // A pattern has less text than any origin or pattern that it covers, its star aside. The sort is stable.
    all.sort_by_key(|origin| {
        (
            origin.contains('*'),
            origin.contains('*').then(|| usize::MAX - origin.len()),
        )
    });
    all
}

/// Two patterns that match the same origin although neither covers the other.
fn crossing<'r>(one: &'r CorsRule, other: &'r CorsRule) -> Option<(&'r str, &'r str)> {
    let pairs = one.origins.iter().flat_map(|left| {
        other
            .origins
            .iter()
            .map(move |right| (left.as_str(), right.as_str()))
    });
    let crosses =
        |(left, right): &(&str, &str)| overlap(left, right) && !covers(left, right) && !covers(right, left);
    pairs.into_iter().find(crosses)
}

/// One rule that allows what each of these does, without origins. The shortest time decides how long an answer is kept.
fn merged<'r>(rules: impl Iterator<Item = &'r CorsRule>) -> Option<CorsRule> {
    rules.cloned().reduce(|one, other| {
        let rule = CorsRule {
            origins: Vec::new(),
            methods: [one.methods, other.methods].concat(),
            allowed_headers: [one.allowed_headers, other.allowed_headers].concat(),
            exposed_headers: [one.exposed_headers, other.exposed_headers].concat(),
            max_age_seconds: one.max_age_seconds.into_iter().chain(other.max_age_seconds).min(),
        };
        rule.canonical()
    })
}

fn of_others(found: &[FoundCorsRule]) -> Vec<CorsRule> {
    let others = found.iter().filter(|found| !found.ours);
    others.map(|found| found.rule.clone()).collect()
}

/// The rules that are wanted, with the origins of the apps that they name.
fn resolved(wish: &CorsWish, observed: &Observed) -> Result<Vec<CorsRule>, Problem> {
    let mut origins = Vec::new();
    for app in &wish.from_apps {
        let Some(Ok(state)) = observed.apps.get(app) else {
            let what =
                format!("the origins for its CORS rules are those of app {app}, which could not be read");
            return Err(Problem::new("CORS", what, "Mend the problem of the app first."));
        };
        origins.extend(state.origins.iter().cloned());
    }
    let rules = wish.resolved(&origins);
    if !wish.from_apps.is_empty() && rules.is_empty() {
        let what = "the app has no URL yet, so there is no origin for its CORS rules";
        return Err(Problem::new(
            "CORS",
            what,
            "Run again when the app has been deployed once.",
        ));
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cors::CorsMethod::{self, Delete, Get, Put};
    use crate::model::cors::OURS;

    const SHOP: &str = "https://shop.example";
    const APPS: &str = "https://*.shop.example";
    const BLOG: &str = "https://blog.shop.example";

    fn rule(origins: &[&str], methods: &[CorsMethod]) -> CorsRule {
        let rule = CorsRule {
            origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
            methods: methods.to_vec(),
            allowed_headers: Vec::new(),
            exposed_headers: Vec::new(),
            max_age_seconds: None,
        };
        rule.canonical()
    }

    fn told(wanted: &[CorsRule], others: &[CorsRule]) -> Vec<String> {
        let arranged = arranged(wanted, others).expect("an order");
        let rules = arranged.rules.iter().map(ToString::to_string);
        rules.chain(arranged.spared).collect()
    }

    /// What Spaces answers: the first rule of which the origin matches decides.
    fn allows(rules: &[CorsRule], origin: &str, method: CorsMethod) -> bool {
        let first = rules.iter().find(|rule| rule.covers(origin));
        first.is_some_and(|rule| rule.methods.contains(&method))
    }

    #[test]
    fn an_origin_of_several_rules_is_given_what_all_of_them_say() {
        let (all, shop) = (rule(&["*"], &[Get]), rule(&[SHOP], &[Put, Delete]));
        let told_first = ["GET PUT DELETE from https://shop.example", "GET from *"];
        assert_eq!(told(&[all.clone(), shop.clone()], &[]), told_first);
        assert_eq!(told(&[shop, all], &[]), told_first);
    }

    #[test]
    fn the_narrower_pattern_is_asked_before_the_wider() {
        let rules = [
            rule(&["*"], &[Get]),
            rule(&[APPS], &[Put]),
            rule(&[BLOG], &[Delete]),
        ];
        assert_eq!(
            told(&rules, &[]),
            [
                "GET PUT DELETE from https://blog.shop.example",
                "GET PUT from https://*.shop.example",
                "GET from *"
            ]
        );
    }

    #[test]
    fn what_nobody_else_is_about_stays_as_it_is_declared() {
        let rules = [
            rule(&[SHOP, BLOG], &[Get, Put]),
            rule(&["https://b.example"], &[Get]),
        ];
        assert_eq!(arranged(&rules, &[]).expect("an order").rules, rules);
    }

    #[test]
    fn nothing_is_taken_from_a_rule_of_others() {
        let theirs = [
            rule(&[SHOP], &[Delete]),
            rule(&[SHOP, "https://their.example"], &[Put]),
        ];
        assert_eq!(
            told(&[rule(&["*"], &[Get])], &theirs),
            [
                "GET DELETE from https://shop.example",
                "GET PUT from https://their.example",
                "GET from *",
                "DELETE from https://shop.example, which a rule of others allows",
                "PUT from https://their.example, which a rule of others allows",
            ]
        );
    }

    #[test]
    fn a_rule_of_others_for_everybody_goes_on_for_our_origin_too() {
        let theirs = [rule(&["*"], &[Get])];
        assert_eq!(
            told(&[rule(&[SHOP], &[Put])], &theirs),
            [
                "GET PUT from https://shop.example",
                "GET from https://shop.example, which a rule of others allows"
            ]
        );
    }

    #[test]
    fn patterns_that_cross_are_refused_with_both_named() {
        let rules = [
            rule(&["https://a*.example"], &[Get]),
            rule(&["https://*b.example"], &[Put]),
        ];
        let why = arranged(&rules, &[]).expect_err("no order");
        assert!(why.contains("https://a*.example and https://*b.example"), "{why}");
        arranged(&rules[..1], &rules[1..]).expect_err("no order beside a rule of others either");
        let alike = [
            rule(&["https://a*.example"], &[Get]),
            rule(&["https://*b.example"], &[Get]),
        ];
        arranged(&alike, &[]).expect("the same is allowed, whichever is asked");
    }

    #[test]
    fn order_counts() {
        let wanted = [rule(&["*"], &[Get]), rule(&[SHOP], &[Put])];
        let written = arranged(&wanted, &[]).expect("an order").rules;
        let found = |rules: &[CorsRule]| -> Vec<FoundCorsRule> {
            let found = rules.iter().map(|rule| FoundCorsRule {
                ours: true,
                has_id: true,
                rule: rule.clone(),
            });
            found.collect()
        };
        assert!(stand(&wanted, &found(&written)));
        let turned: Vec<_> = written.iter().rev().cloned().collect();
        assert!(!stand(&wanted, &found(&turned)));
        assert!(!stand(&wanted, &found(&written[..1])));
    }

    fn found(rule: &CorsRule, id: Option<&str>) -> FoundCorsRule {
        FoundCorsRule {
            ours: id.is_some_and(|id| id.starts_with(OURS)),
            has_id: id.is_some(),
            rule: rule.clone(),
        }
    }

    /// What a bucket holds after rules were set: ours, and then those of others that stay.
    fn set(wanted: &[CorsRule], before: &[FoundCorsRule], keeps_ids: bool) -> Vec<FoundCorsRule> {
        let ours = arranged(wanted, &of_others(before)).expect("an order").rules;
        let id = keeps_ids.then_some("spacekeeper-1");
        let kept = kept_of_others(before, wanted);
        let others = kept.into_iter().map(|at| before[at].clone());
        ours.iter().map(|rule| found(rule, id)).chain(others).collect()
    }

    #[test]
    fn a_rule_of_others_that_says_what_ours_says_is_theirs_all_the_same() {
        let theirs = found(&rule(&[SHOP], &[Get, Delete]), Some("theirs"));
        let wanted = [rule(&["*"], &[Get])];
        let once = set(&wanted, std::slice::from_ref(&theirs), true);
        assert_eq!(once.last(), Some(&theirs));
        assert!(stand(&wanted, &once));
        let removed = set(&[], &once, true);
        assert_eq!(removed, [theirs]);
    }

    #[test]
    fn a_server_that_keeps_no_ids_comes_to_rest_and_loses_nothing() {
        let theirs = found(&rule(&[SHOP], &[Get, Delete]), None);
        let wanted = [rule(&["*"], &[Get])];
        let once = set(&wanted, &[theirs], false);
        assert!(stand(&wanted, &once), "{once:#?}");
        let rules: Vec<CorsRule> = once.iter().map(|found| found.rule.clone()).collect();
        assert!(allows(&rules, SHOP, Delete));
    }

    /// Every set of up to three rules out of these, ours and others': whoever asks gets all that ours say and nothing less
    /// than before.
    #[test]
    fn whatever_is_asked_is_answered_by_all_and_nothing_is_lost() {
        let patterns: [&[&str]; 5] = [&["*"], &[SHOP], &[APPS], &[BLOG, SHOP], &["https://*"]];
        let all: Vec<CorsRule> = patterns
            .iter()
            .flat_map(|origins| [rule(origins, &[Get]), rule(origins, &[Put, Delete])])
            .collect();
        let lists: Vec<Vec<CorsRule>> = (0..all.len())
            .flat_map(|one| (0..=all.len()).map(move |two| (one, two)))
            .map(|(one, two)| {
                [Some(&all[one]), all.get(two)]
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect()
            })
            .collect();
        let asking = [SHOP, BLOG, "https://other.example", "http://shop.example"];
        let mut tried = 0;
        for wanted in &lists {
            for others in lists.iter().chain([&Vec::new()]) {
                let written = arranged(wanted, others).expect("an order").rules;
                let beside: Vec<_> = written.iter().chain(others).cloned().collect();
                for origin in asking {
                    for method in [Get, Put, Delete] {
                        let mut declared = wanted.iter().filter(|rule| rule.covers(origin));
                        let declared = declared.any(|rule| rule.methods.contains(&method));
                        let before = allows(others, origin, method);
                        assert_eq!(
                            allows(&beside, origin, method),
                            declared || before,
                            "{} from {origin}: {wanted:?} beside {others:?}: {written:?}",
                            method.word()
                        );
                        tried += 1;
                    }
                }
            }
        }
        assert!(tried > 100_000, "{tried}");
    }
}
