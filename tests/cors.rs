//! Whoever is declared may use a bucket from a browser, whichever rule names them, and nobody may less than before.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;
use spacekeeper_sandbox::spaces::CorsRule;

use crate::fixture::{Outcome, Run, Sandbox, app, world};

const SHOP: &str = "https://app1.example";

/// A bucket that exists, and a standing full-access pair: what is left is the rules.
fn made(rules: Vec<CorsRule>) -> Sandbox {
    let sandbox = Sandbox::start(
        world()
            .with_full_access_pair()
            .with_bucket("nyc3", "shop-uploads"),
    );
    set(&sandbox, rules);
    sandbox
}

fn set(sandbox: &Sandbox, rules: Vec<CorsRule>) {
    let mut world = sandbox.world();
    world.spaces.bucket_mut("shop-uploads").expect("the bucket").cors = rules;
}

fn rules(sandbox: &Sandbox) -> Vec<CorsRule> {
    let world = sandbox.world();
    world
        .spaces
        .bucket("shop-uploads")
        .expect("the bucket")
        .cors
        .clone()
}

/// A rule as somebody else has set it.
fn theirs(origin: &str, method: &str) -> CorsRule {
    CorsRule {
        id: Some("theirs".to_owned()),
        allowed_origins: vec![origin.to_owned()],
        allowed_methods: vec![method.to_owned()],
        ..CorsRule::default()
    }
}

/// Our rules, as JSON.
fn ours(rules: &[(&str, &[&str])]) -> String {
    let rules = rules
        .iter()
        .map(|(origin, methods)| json!({ "origins": [origin], "methods": methods }));
    json!(rules.collect::<Vec<_>>()).to_string()
}

fn bootstrap<'a>(sandbox: &'a Sandbox, cors: &str) -> Run<'a> {
    Run::bootstrap(sandbox).with_full_access().input("cors", cors)
}

/// Whether a page of that origin is told that it may: the preflight of a browser.
fn may(sandbox: &Sandbox, origin: &str, method: &str) -> bool {
    let host = sandbox.spaces_url().replace("http://", "");
    let mut stream = TcpStream::connect(&host).expect("the sandbox");
    let question = format!(
        "OPTIONS /shop-uploads/object HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nOrigin: {origin}\r\n\
         Access-Control-Request-Method: {method}\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(question.as_bytes()).expect("a question");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer.starts_with("HTTP/1.1 200")
}

/// The findings of a check by id, each once.
fn found(sandbox: &Sandbox, cors: &str) -> (Vec<String>, Outcome) {
    let outcome = bootstrap(sandbox, cors)
        .input("command", "check")
        .run_id(9_900_000_009)
        .go();
    let findings = outcome.json_output("findings");
    let ids = findings.as_array().expect("a list").iter();
    let mut ids: Vec<String> = ids
        .map(|finding| finding["id"].as_str().expect("an id").to_owned())
        .collect();
    ids.dedup();
    (ids, outcome)
}

/// Insists that the same request has nothing left to write, and that a check agrees.
#[track_caller]
fn settles(sandbox: &Sandbox, cors: &str) {
    let again = bootstrap(sandbox, cors).run_id(9_900_000_005).go().green();
    assert_eq!(again.journal.writes(), [""; 0]);
    assert_eq!(found(sandbox, cors).0, [""; 0]);
}

#[test]
fn rules_that_share_an_origin_all_hold_in_whatever_order_they_are_declared() {
    let everybody: (&str, &[&str]) = ("*", &["GET"]);
    let shop: (&str, &[&str]) = (SHOP, &["PUT", "POST", "DELETE"]);
    for declared in [[everybody, shop], [shop, everybody]] {
        let sandbox = made(Vec::new());
        let cors = ours(&declared);
        bootstrap(&sandbox, &cors).go().green();
        for method in ["GET", "PUT", "POST", "DELETE"] {
            assert!(may(&sandbox, SHOP, method), "{method}: {:?}", rules(&sandbox));
        }
        assert!(may(&sandbox, "https://other.example", "GET"));
        assert!(!may(&sandbox, "https://other.example", "PUT"));
        settles(&sandbox, &cors);
    }
}

#[test]
fn a_rule_of_others_for_the_same_origin_loses_nothing_and_that_is_said() {
    let sandbox = made(vec![theirs(SHOP, "DELETE")]);
    let cors = ours(&[(SHOP, &["GET", "PUT"])]);
    let outcome = bootstrap(&sandbox, &cors).go().green();
    let told = "DELETE from https://app1.example, which a rule of others allows";
    assert!(outcome.stdout.contains(told), "{}", outcome.stdout);
    for method in ["GET", "PUT", "DELETE"] {
        assert!(may(&sandbox, SHOP, method), "{method}: {:?}", rules(&sandbox));
    }
    assert_eq!(rules(&sandbox).last(), Some(&theirs(SHOP, "DELETE")));
    settles(&sandbox, &cors);
}

#[test]
fn a_rule_of_others_within_a_pattern_of_ours_loses_nothing() {
    let sandbox = made(vec![theirs(SHOP, "DELETE"), theirs("https://*", "POST")]);
    let cors = ours(&[("*", &["GET"])]);
    bootstrap(&sandbox, &cors).go().green();
    for (origin, method, allowed) in [
        (SHOP, "DELETE", true),
        (SHOP, "GET", true),
        (SHOP, "POST", false),
        ("https://other.example", "POST", true),
        ("https://other.example", "GET", true),
        ("http://other.example", "POST", false),
    ] {
        assert_eq!(
            may(&sandbox, origin, method),
            allowed,
            "{method} {origin}: {:?}",
            rules(&sandbox)
        );
    }
    settles(&sandbox, &cors);
}

#[test]
fn a_plan_says_what_of_others_is_kept() {
    let sandbox = made(vec![theirs(SHOP, "DELETE")]);
    let cors = ours(&[(SHOP, &["GET"])]);
    let planned = bootstrap(&sandbox, &cors).input("dry-run", "true").go().green();
    let told = "which a rule of others allows";
    assert!(planned.stdout.contains(told), "{}", planned.stdout);
}

#[test]
fn an_order_that_was_changed_by_hand_is_found_and_mended() {
    let sandbox = made(Vec::new());
    let cors = ours(&[("*", &["GET"]), (SHOP, &["PUT"])]);
    bootstrap(&sandbox, &cors).go().green();
    let written = rules(&sandbox);
    set(&sandbox, written.iter().rev().cloned().collect());
    assert!(!may(&sandbox, SHOP, "PUT"), "the order matters");
    assert_eq!(found(&sandbox, &cors).0, ["SK046"]);
    bootstrap(&sandbox, &cors).run_id(9_900_000_002).go().green();
    assert_eq!(rules(&sandbox), written);
    settles(&sandbox, &cors);
}

#[test]
fn patterns_of_which_no_order_satisfies_both_are_refused_with_both_named() {
    let sandbox = made(Vec::new());
    let cors = ours(&[("https://a*.example", &["GET"]), ("https://*b.example", &["PUT"])]);
    let outcome = bootstrap(&sandbox, &cors).go().exits(1);
    outcome.complains(&["bucket shop-uploads", "https://a*.example and https://*b.example"]);
    assert_eq!(rules(&sandbox), []);
}

/// How many preflights a check has asked, and of which methods.
fn asked(outcome: &Outcome) -> usize {
    outcome
        .journal
        .lines()
        .iter()
        .filter(|line| line.contains("OPTIONS"))
        .count()
}

#[test]
fn a_check_asks_for_every_origin_and_method_of_ours_and_of_others() {
    let sandbox = made(vec![theirs("https://partner.example", "HEAD")]);
    let cors = ours(&[(SHOP, &["GET", "PUT", "DELETE"]), ("*", &["GET"])]);
    bootstrap(&sandbox, &cors).go().green();
    let (ids, outcome) = found(&sandbox, &cors);
    assert_eq!(ids, [""; 0]);
    assert_eq!(asked(&outcome), 5, "{:#?}", outcome.journal);
}

#[test]
fn origins_are_set_as_browsers_send_them() {
    let sandbox = made(Vec::new());
    let cors = ours(&[
        ("https://Shop.Example:443", &["GET"]),
        ("http://localhost:3000", &["GET"]),
        ("https://*.Bücher.example", &["GET"]),
    ]);
    let outcome = bootstrap(&sandbox, &cors).go().green();
    let told = "CORS origin https://shop.example is set without the default port";
    assert!(outcome.stdout.contains(told), "{}", outcome.stdout);
    for origin in [
        "https://shop.example",
        "http://localhost:3000",
        "https://alte.xn--bcher-kva.example",
    ] {
        assert!(may(&sandbox, origin, "GET"), "{origin}: {:?}", rules(&sandbox));
    }
    settles(&sandbox, &cors);
}

fn from_app<'a>(sandbox: &'a Sandbox, beside: &str) -> Run<'a> {
    app::run(sandbox)
        .input("cors", "private-uploads")
        .input("cors-origins", &format!("from-app{beside}"))
}

#[test]
fn a_wildcard_domain_of_the_app_stands_for_its_subdomains() {
    let mut spec = app::spec();
    spec["domains"] = json!([{ "domain": "shop.example", "type": "PRIMARY", "wildcard": true }]);
    let sandbox = app::with_spec(spec);
    from_app(&sandbox, "").go().green();
    for origin in ["https://shop.example", "https://de.shop.example"] {
        assert!(may(&sandbox, origin, "PUT"), "{origin}: {:?}", rules(&sandbox));
    }
}

/// An app of workers alone, which no browser reaches.
fn without_address() -> Sandbox {
    app::with_spec(json!({ "name": "shop", "workers": [{ "name": "mailer" }] }))
}

#[test]
fn an_app_without_an_address_is_a_warning_beside_other_origins_and_an_error_alone() {
    let sandbox = without_address();
    let outcome = from_app(&sandbox, "").go().exits(1);
    outcome.complains(&["bucket shop-uploads", "the app has no URL yet"]);
    let sandbox = without_address();
    let outcome = from_app(&sandbox, "\nhttps://shop.example").go();
    let told = "its CORS rules leave out app shop, which has no URL yet";
    assert!(outcome.stdout.contains(told), "{}", outcome.stdout);
    assert!(
        may(&sandbox, "https://shop.example", "PUT"),
        "{:?}",
        rules(&sandbox)
    );
}

#[test]
fn a_rule_of_others_that_says_what_ours_would_say_is_never_taken_for_ours() {
    let theirs = CorsRule {
        allowed_methods: vec!["GET".to_owned(), "DELETE".to_owned()],
        max_age_seconds: Some(100),
        ..theirs(SHOP, "GET")
    };
    let sandbox = made(vec![theirs.clone()]);
    let cors = r#"[{"origins": ["*"], "methods": ["GET"], "max_age_seconds": 100}]"#;
    bootstrap(&sandbox, cors).go().green();
    assert!(rules(&sandbox).contains(&theirs), "{:?}", rules(&sandbox));
    settles(&sandbox, cors);
    bootstrap(&sandbox, "none").run_id(9_900_000_007).go().green();
    assert_eq!(rules(&sandbox), [theirs]);
}

#[test]
fn a_dry_run_fails_where_the_run_would() {
    let sandbox = made(Vec::new());
    let cors = ours(&[("https://a*.example", &["GET"]), ("https://*b.example", &["PUT"])]);
    let planned = bootstrap(&sandbox, &cors).input("dry-run", "true").go().exits(1);
    planned.complains(&["https://a*.example and https://*b.example"]);
}
