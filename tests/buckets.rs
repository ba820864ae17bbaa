//! CORS, CDN, lifecycle and logging of a bucket are what was asked for; what others have set stays.

use std::time::Duration;

use serde_json::json;
use spacekeeper_sandbox::spaces::{Bucket, CorsRule, LifecycleRule};

use crate::fixture::{DigitalOcean, Fault, Run, Sandbox, Spaces, World, app, sandbox, variable, world};

/// Buckets that exist, and a standing full-access pair: what is left is the settings.
fn made() -> Sandbox {
    Sandbox::start(
        world()
            .with_full_access_pair()
            .with_bucket("nyc3", "shop-uploads"),
    )
}

fn bootstrap(sandbox: &Sandbox) -> Run<'_> {
    Run::bootstrap(sandbox).with_full_access()
}

fn uploads<T>(sandbox: &Sandbox, at: impl FnOnce(&mut Bucket) -> T) -> T {
    let mut world = sandbox.world();
    at(world.spaces.bucket_mut("shop-uploads").expect("the bucket"))
}

fn private_uploads(sandbox: &Sandbox) -> Run<'_> {
    bootstrap(sandbox)
        .input("cors", "private-uploads")
        .input("cors-origins", "https://shop.example\nhttps://www.shop.example")
}

/// Insists that the same request has nothing left to write.
#[track_caller]
fn settles(run: Run<'_>) {
    let outcome = run.run_id(9_900_000_005).go().green();
    assert!(outcome.journal.writes().is_empty(), "{:#?}", outcome.journal);
}

#[test]
fn pages_may_upload_to_a_private_bucket_by_presigned_urls() {
    let sandbox = made();
    private_uploads(&sandbox).go().green();
    let rules = uploads(&sandbox, |bucket| bucket.cors.clone());
    let [rule] = &rules[..] else {
        panic!("one rule: {rules:?}")
    };
    assert_eq!(
        rule.allowed_origins,
        ["https://shop.example", "https://www.shop.example"]
    );
    for method in ["GET", "PUT", "POST", "HEAD"] {
        assert!(
            rule.allowed_methods.iter().any(|allowed| allowed == method),
            "{rule:?}"
        );
    }
    assert_eq!(rule.expose_headers, ["ETag"]);
    settles(private_uploads(&sandbox));
}

#[test]
fn a_preset_for_public_files_lets_any_page_read_and_none_write() {
    let sandbox = made();
    bootstrap(&sandbox).input("cors", "public-assets").go().green();
    let rules = uploads(&sandbox, |bucket| bucket.cors.clone());
    assert_eq!(rules[0].allowed_origins, ["*"]);
    assert_eq!(rules[0].allowed_methods, ["GET", "HEAD"]);
}

#[test]
fn rules_of_others_stay_and_ours_are_replaced() {
    let theirs = CorsRule {
        id: Some("theirs".to_owned()),
        allowed_origins: vec!["https://partner.example".to_owned()],
        allowed_methods: vec!["GET".to_owned()],
        ..CorsRule::default()
    };
    let sandbox = made();
    uploads(&sandbox, |bucket| bucket.cors = vec![theirs.clone()]);
    private_uploads(&sandbox).go().green();
    private_uploads(&sandbox)
        .input("cors-origins", "https://new.example")
        .run_id(9_900_000_002)
        .go()
        .green();
    let rules = uploads(&sandbox, |bucket| bucket.cors.clone());
    assert_eq!(rules.len(), 2, "{rules:?}");
    assert_eq!(
        rules[0].allowed_origins,
        ["https://new.example"],
        "ours decides first"
    );
    assert_eq!(rules[1], theirs);
    private_uploads(&sandbox)
        .input("cors", "none")
        .without_input("cors-origins")
        .run_id(9_900_000_003)
        .go()
        .green();
    assert_eq!(uploads(&sandbox, |bucket| bucket.cors.clone()), [theirs]);
}

#[test]
fn rules_are_taken_as_json_and_yaml_in_our_words_and_in_those_of_s3() {
    for text in [
        "- origins: [\"https://shop.example\"]\n  methods: [GET, PUT]\n  headers: [content-type]\n  max_age: 60\n",
        r#"[{"origins": ["https://shop.example"], "methods": ["GET", "PUT"], "headers": ["content-type"], "max_age": 60}]"#,
        r#"{"CORSRules": [{"AllowedOrigins": ["https://shop.example"], "AllowedMethods": ["GET", "PUT"],
            "AllowedHeaders": ["content-type"], "MaxAgeSeconds": 60}]}"#,
    ] {
        let sandbox = made();
        bootstrap(&sandbox).input("cors", text).go().green();
        let rules = uploads(&sandbox, |bucket| bucket.cors.clone());
        assert_eq!(rules[0].allowed_methods, ["GET", "PUT"]);
        assert_eq!(rules[0].max_age_seconds, Some(60));
        settles(bootstrap(&sandbox).input("cors", text));
    }
}

#[test]
fn the_pages_of_the_app_are_origins() {
    let mut spec = app::spec();
    spec["domains"] = json!([{ "domain": "shop.example", "type": "PRIMARY" }]);
    let sandbox = app::with_spec(spec);
    let ask = |sandbox| {
        app::run(sandbox)
            .input("cors", "private-uploads")
            .input("cors-origins", "from-app")
    };
    ask(&sandbox).go().green();
    let rules = uploads(&sandbox, |bucket| bucket.cors.clone());
    let origins = &rules[0].allowed_origins;
    assert!(
        origins.iter().any(|origin| origin == "https://shop.example"),
        "{origins:?}"
    );
    let live = app::look(&sandbox, |app| app.url().expect("a URL"));
    assert!(origins.contains(&live), "{origins:?} and {live}");
}

#[test]
fn what_is_wrong_with_cors_is_told_at_once() {
    let sandbox = made();
    let wrong = |cors: &str, origins: &str| {
        bootstrap(&sandbox)
            .input("cors", cors)
            .input("cors-origins", origins)
    };
    wrong("private-uploads", "")
        .go()
        .exits(2)
        .complains(&["cors-origins", "it is missing"]);
    wrong("private-uploads", "https://shop.example/path")
        .go()
        .exits(2)
        .complains(&["no path"]);
    wrong("private-uploads", "shop.example")
        .go()
        .exits(2)
        .complains(&["https://shop.example"]);
    wrong("private-uploads", "from-app")
        .go()
        .exits(2)
        .complains(&["app-platform-app is not set"]);
    wrong("", "https://shop.example")
        .go()
        .exits(2)
        .complains(&["cors is not set"]);
    wrong("[{}]", "").go().exits(2).complains(&["cors", "no origins"]);
    wrong("everything", "")
        .go()
        .exits(2)
        .complains(&["cors", "public-assets"]);
}

fn with_cdn(sandbox: &Sandbox) -> Run<'_> {
    bootstrap(sandbox).input("cdn", "true").input("cdn-ttl", "600")
}

#[test]
fn a_cdn_endpoint_is_made_once_and_told_to_its_readers() {
    let sandbox = made();
    let outcome = with_cdn(&sandbox).go().green();
    let url = "https://shop-uploads.nyc3.cdn.digitaloceanspaces.com";
    assert_eq!(outcome.output("cdn-endpoint"), url);
    assert_eq!(variable(&sandbox, "SPACES_CDN_ENDPOINT").as_deref(), Some(url));
    assert_eq!(ttl(&sandbox), 600);
    settles(with_cdn(&sandbox));
}

#[test]
fn a_cdn_endpoint_that_is_there_is_found_by_its_origin_and_changed() {
    let sandbox = made();
    with_cdn(&sandbox).go().green();
    let before = endpoint_ids(&sandbox);
    with_cdn(&sandbox)
        .input("cdn-ttl", "3600")
        .input("cdn-domain", "assets.shop.example")
        .input("cdn-certificate-id", "needs-cloudflare-cert")
        .run_id(9_900_000_002)
        .go()
        .green();
    assert_eq!(ttl(&sandbox), 3600);
    assert_eq!(endpoint_ids(&sandbox), before);
    assert_eq!(
        variable(&sandbox, "SPACES_CDN_ENDPOINT").as_deref(),
        Some("https://assets.shop.example")
    );
}

#[test]
fn an_endpoint_that_somebody_made_meanwhile_is_brought_in_line() {
    let sandbox = made();
    // The list does not show it yet, and the creation answers 409.
    sandbox.world().switches.cdn_create_delay = std::time::Duration::from_millis(300);
    sandbox.script(
        Fault::on(DigitalOcean)
            .method("POST")
            .path_contains("/v2/cdn/endpoints")
            .after()
            .reset(),
    );
    with_cdn(&sandbox).go().green();
    assert_eq!(endpoint_ids(&sandbox).len(), 1);
}

#[test]
fn the_cache_is_emptied_only_where_it_was_asked_for_and_something_changed() {
    let sandbox = made();
    let ask = |sandbox| with_cdn(sandbox).input("cdn-purge", "true");
    let first = ask(&sandbox).go().green();
    assert_eq!(
        first.journal.count(DigitalOcean, "DELETE", "/cache"),
        0,
        "nothing is in a new cache"
    );
    let quiet = ask(&sandbox).run_id(9_900_000_002).go().green();
    assert_eq!(quiet.journal.count(DigitalOcean, "DELETE", "/cache"), 0);
    let changed = ask(&sandbox)
        .input("cors", "public-assets")
        .run_id(9_900_000_003)
        .go()
        .green();
    changed.journal.goes(&["PUT ?cors", "DELETE /cache"]);
}

#[test]
fn the_limit_of_the_cdn_is_kept() {
    let names: Vec<String> = (0..7).map(|number| format!("shop-{number}")).collect();
    let world = names.iter().fold(world().with_full_access_pair(), |world, name| {
        world.with_bucket("nyc3", name)
    });
    let sandbox = Sandbox::start(world);
    let outcome = with_cdn(&sandbox)
        .input("buckets", &names.join("\n"))
        .go()
        .green();
    assert!(
        outcome.journal.count(DigitalOcean, "POST", "/v2/cdn/endpoints") == 7,
        "{:#?}",
        outcome.journal
    );
    assert_eq!(sandbox.violations(), Vec::<String>::new());
}

#[test]
fn a_dry_run_shows_the_settings_and_writes_nothing() {
    let sandbox = made();
    let outcome = private_uploads(&sandbox)
        .input("cdn", "true")
        .input("dry-run", "true")
        .go()
        .green();
    assert!(outcome.journal.writes().is_empty(), "{:#?}", outcome.journal);
    for phrase in [
        "set CORS: GET PUT POST HEAD from https://shop.example",
        "create CDN endpoint",
    ] {
        assert!(outcome.stdout.contains(phrase), "{phrase}: {}", outcome.stdout);
    }
}

#[test]
fn a_server_that_knows_no_cors_is_told_and_the_rest_is_done() {
    let sandbox = sandbox();
    let body = "<Error><Code>NotImplemented</Code><Message>no</Message></Error>";
    sandbox.script(
        Fault::on(Spaces)
            .path_contains("?cors")
            .forever()
            .status(501)
            .body(body),
    );
    let outcome = private_uploads_alone(&sandbox).go().red();
    outcome.complains(&["bucket shop-uploads", "CORS"]);
    let world = sandbox.world();
    let logging = world
        .spaces
        .bucket("shop-uploads")
        .expect("the bucket")
        .logging
        .clone();
    assert!(logging.is_some(), "its access is logged all the same");
}

/// Buckets alone, as on an S3 server at home.
fn private_uploads_alone(sandbox: &Sandbox) -> Run<'_> {
    {
        let mut world = sandbox.world();
        let mut key = spacekeeper_sandbox::digitalocean::Key::generate(
            "full-access",
            vec![spacekeeper_sandbox::digitalocean::Grant::full_access()],
            world.clock.now(),
        );
        World::FULL_ACCESS_KEY_ID.clone_into(&mut key.access_key);
        World::FULL_ACCESS_SECRET.clone_into(&mut key.secret_key);
        world.digitalocean.keys.push(key);
    }
    Run::bare(sandbox)
        .with_full_access()
        .input("key-scope", "none")
        .input("app", "shop")
        .input("buckets", "shop-uploads")
        .input("log-bucket", "shop-logs")
        .input("cors", "private-uploads")
        .input("cors-origins", "http://localhost:3000")
}

#[test]
fn buckets_alone_have_all_their_settings_without_any_token() {
    let sandbox = sandbox();
    private_uploads_alone(&sandbox).go().green();
    assert_eq!(uploads(&sandbox, |bucket| bucket.cors.len()), 1);
    let again = private_uploads_alone(&sandbox).go().green();
    assert!(again.journal.writes().is_empty(), "{:#?}", again.journal);
    assert!(again.journal.to(DigitalOcean).is_empty());
}

#[test]
fn a_lifecycle_rule_of_somebody_else_stays() {
    let sandbox = Sandbox::start(world().with_full_access_pair().with_bucket("nyc3", "shop-logs"));
    let theirs = LifecycleRule::expiry("theirs", "tmp/", 3);
    sandbox
        .world()
        .spaces
        .bucket_mut("shop-logs")
        .expect("the bucket")
        .lifecycle = vec![theirs.clone()];
    bootstrap(&sandbox)
        .input("log-bucket", "shop-logs")
        .input("log-retention-days", "30")
        .go()
        .green();
    let world = sandbox.world();
    let rules = &world.spaces.bucket("shop-logs").expect("the bucket").lifecycle;
    assert!(rules.contains(&theirs) && rules.len() == 2, "{rules:?}");
}

fn ttl(sandbox: &Sandbox) -> u64 {
    let world = sandbox.world();
    world.digitalocean.cdn_endpoints.first().expect("an endpoint").ttl
}

fn endpoint_ids(sandbox: &Sandbox) -> Vec<String> {
    let world = sandbox.world();
    world
        .digitalocean
        .cdn_endpoints
        .iter()
        .map(|endpoint| endpoint.id.clone())
        .collect()
}

#[test]
fn buckets_and_the_one_for_their_logs_are_created_side_by_side() {
    let sandbox = sandbox();
    let creation = Fault::on(Spaces).method("PUT").path_contains("/shop-logs/");
    sandbox.script(creation.after().delay(Duration::from_secs(1)));
    Run::bootstrap(&sandbox)
        .input("log-bucket", "shop-logs")
        .go()
        .green();
    let journal = sandbox.journal();
    let creation = |path: &str| {
        let mut entries = journal.iter();
        let put = entries.find(|entry| entry.method == "PUT" && entry.path == path);
        put.expect("a creation")
    };
    let (logs, uploads) = (creation("/shop-logs/"), creation("/shop-uploads/"));
    assert!(uploads.arrived < logs.arrived + logs.took.expect("an answer"));
}

/// Buckets alone, whose objects in `tmp/` expire beside those of other prefixes.
fn expiring<'a>(sandbox: &'a Sandbox, prefixes: &[(&str, u32)]) -> Run<'a> {
    let rules = prefixes.iter().map(|(prefix, days)| {
        format!(
            "          - {{ prefix: {}, expire_days: {days} }}\n",
            json!(prefix)
        )
    });
    let manifest = format!(
        "version: 1\nregion: nyc3\napps:\n  shop:\n    buckets:\n      shop-uploads:\n        lifecycle:\n{}",
        rules.collect::<String>()
    );
    Run::bare(sandbox)
        .with_full_access()
        .file(".github/spaces.yml", &manifest)
}

/// What expires, by prefix.
fn expiries(sandbox: &Sandbox) -> Vec<(String, i32)> {
    let rules = uploads(sandbox, |bucket| bucket.lifecycle.clone());
    let days = |rule: &LifecycleRule| (rule.prefix.clone(), rule.expire_after_days.expect("days"));
    let mut all: Vec<_> = rules.iter().map(days).collect();
    all.sort();
    all
}

#[test]
fn prefixes_that_read_alike_have_rules_of_their_own() {
    let sandbox = made();
    let prefixes = [
        ("logs-app/", 1),
        ("logs/app/", 2),
        ("tmp/", 3),
        ("tmp_", 4),
        ("\u{65e5}\u{672c}/", 5),
        ("\u{4e2d}\u{56fd}/", 6),
    ];
    expiring(&sandbox, &prefixes).go().green();
    let mut wanted = prefixes.map(|(prefix, days)| (prefix.to_owned(), i32::try_from(days).expect("days")));
    wanted.sort();
    assert_eq!(expiries(&sandbox), wanted);
    settles(expiring(&sandbox, &prefixes));
}

#[test]
fn a_rule_that_an_earlier_release_has_set_is_known_by_its_prefix() {
    let sandbox = made();
    let former = LifecycleRule {
        id: Some("spacekeeper-rule-tmp-".to_owned()),
        prefix: "tmp/".to_owned(),
        enabled: true,
        expire_after_days: Some(7),
        ..LifecycleRule::default()
    };
    uploads(&sandbox, |bucket| bucket.lifecycle = vec![former]);
    settles(expiring(&sandbox, &[("tmp/", 7)]));
    expiring(&sandbox, &[("tmp/", 8)]).go().green();
    assert_eq!(expiries(&sandbox), [("tmp/".to_owned(), 8)]);
    settles(expiring(&sandbox, &[("tmp/", 8)]));
}
