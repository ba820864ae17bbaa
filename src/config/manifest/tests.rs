//! The file: what it comes to, and how its problems read.

use super::*;
use crate::config::{Environment, Request};
use crate::model::bucket::LoggingWish;

fn url() -> SpacesUrl {
    SpacesUrl::new("https://{region}.digitaloceanspaces.com")
}

pub(super) fn parsed(text: &str) -> Result<Manifested, Vec<Flaw>> {
    let repository: Repository = "acme/shop".parse().expect("a repository");
    let url = url();
    let around = Around {
        repository: Some(&repository),
        spaces_url: &url,
    };
    parse(text, &around).map_err(|flaws| flaws.told)
}

#[track_caller]
fn desired(text: &str) -> Desired {
    parsed(text).map_or_else(|flaws| panic!("{flaws:#?}"), |manifested| manifested.desired)
}

/// The problems as a person reads them in the log.
#[track_caller]
fn told(text: &str) -> String {
    let flaws = parsed(text).expect_err("a wrong manifest");
    let one = |flaw: &Flaw| {
        format!(
            "{}:{} {}\n{}\n",
            flaw.at.line,
            flaw.at.column,
            flaw.sentence(),
            flaw.excerpt(text)
        )
    };
    flaws.iter().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_inputs_of_the_readme_and_their_twin_come_to_the_same() {
    let inputs = [
        ("app", "shop"),
        ("buckets", "shop-uploads\nshop-imports=read"),
        ("log-bucket", "shop-logs"),
        ("log-retention-days", "30"),
        ("app-platform-app", "shop"),
        ("digitalocean-token", "dop_v1_x"),
        ("github-token", "ghp_canary"),
        ("github-repository", "acme/shop"),
    ];
    let environment: Environment = inputs
        .iter()
        .map(|(name, value)| (format!("INPUT_{}", name.to_uppercase()), (*value).to_owned()))
        .collect();
    let request = Request::parse(&environment).expect("a right request");
    let twin = desired(include_str!("../../../examples/spaces.yml"));
    assert_eq!(format!("{twin:#?}"), format!("{:#?}", request.desired));
}

#[test]
fn the_full_example_comes_to_this() {
    insta::assert_debug_snapshot!(desired(include_str!("../../../examples/spaces-full.yml")));
}

#[test]
fn the_schema_is_the_one_in_the_repository() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/spaces.schema.json");
    let made = serde_json::to_string_pretty(&schema()).expect("a schema") + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &made).expect("the schema can be written");
    }
    let kept = std::fs::read_to_string(path).expect("the schema is there");
    assert!(
        kept == made,
        "the schema is old: run UPDATE_SCHEMA=1 cargo test --lib schema"
    );
}

#[test]
fn every_problem_of_the_file_is_told_at_its_place() {
    insta::assert_snapshot!(told(
        "version: 2
region: mars1
max_age: 90 days!
apps:
  shop:
    bukets: {}
    buckets:
      Shop:
      shop-uploads:
        logging: { bucket: shop-uploads }
        cors: private
        cdn: { ttl: 1800, domain: a.example }
        lifecycle: [{ prefix: x/ }]
      shop-assets:
        region: fra1
        logging: { bucket: shop-logs }
        cors: public-assets
      shop-logs: { retention_days: 0 }
    keys:
      shop-spaces-key:
        grants: { shop-uploads: write, shop-media: read }
        max_age: 1h
        github:
          - { repository: shop, secrets: { access_key: GITHUB_KEY, secret: X } }
          - { suffix: a-b }
        app_platform: shop
"
    ));
}

#[test]
fn what_two_keys_would_write_is_told_with_both_places() {
    insta::assert_snapshot!(told(
        "version: 1
apps:
  shop:
    buckets: { shop-uploads: , shop-logs: }
    keys:
      one: { grants: { shop-uploads: read }, app_platform: [{ app: shop }] }
      two: { grants: { shop-logs: read }, app_platform: [{ app: shop }] }
  blog:
    buckets: { shop-logs: }
    keys:
      two: { grants: { shop-logs: read }, github: [{ repository: acme/blog }] }
"
    ));
}

#[test]
fn a_suffix_or_other_places_keep_two_keys_apart() {
    let both = |second: &str| {
        parsed(&format!(
            "version: 1
apps:
  shop:
    buckets: {{ shop-uploads: , shop-logs: }}
    keys:
      one: {{ grants: {{ shop-uploads: read }}, app_platform: [{{ app: shop, components: [api] }}] }}
      two: {{ grants: {{ shop-logs: read }}, {second} }}
"
        ))
    };
    assert!(both("github: [{ suffix: LOGS }]").is_ok());
    assert!(both("github: [{ environment: production }]").is_ok());
    assert!(both("github: [{ variables: false, secrets: { access_key: A, secret_key: B } }]").is_ok());
    assert!(
        both("github: [{ secrets: { access_key: A, secret_key: B } }]").is_err(),
        "the variables"
    );
    assert!(both("github: [{ suffix: LOGS }], app_platform: [{ app: shop, components: [api] }]").is_err());
    assert!(both("github: [{ suffix: LOGS }], app_platform: [{ app: shop, components: [worker] }]").is_ok());
    assert!(
        both("github: [{ suffix: LOGS }], app_platform: [{ app: shop, components: [api], suffix: B }]")
            .is_ok()
    );
}

#[test]
fn what_is_no_yaml_is_told_once_and_at_its_place() {
    insta::assert_snapshot!(
        [
            "version: 1\napps:\n\tshop: {}\n",
            "version: 1\napps: [\n",
            "version: 1\nversion: 1\napps: {}\n",
            "version: 1\napps: &all\n  shop: {}\n  blog: *all\n",
            "version: !!str 1\napps: {}\n",
            "version: 1\napps: {}\n---\nversion: 1\n",
            "",
            "- version: 1\n",
            "version: \"one\napps: {}\n",
        ]
        .map(told)
        .join("\n")
    );
}

#[test]
fn limits_of_the_services_are_told_at_the_first_that_is_beyond() {
    let key = |n: i32| {
        let github = format!("[{{ suffix: N{n}, variables: false }}]");
        format!("      key-{n}: {{ grants: {{ shop-uploads: read }}, github: {github} }}")
    };
    let keys: Vec<String> = (0..=200).map(key).collect();
    let keys = keys.join("\n");
    let many_keys = told(&format!(
        "version: 1\napps:\n  shop:\n    buckets: {{ shop-uploads: }}\n    keys:\n{keys}"
    ));
    assert!(
        many_keys.contains("206:7 apps.shop.keys: the file has 201 keys"),
        "{many_keys}"
    );
    assert!(
        many_keys.contains("acme/shop would get 402 secrets"),
        "{many_keys}"
    );
    let buckets: Vec<String> = (0..=100).map(|n| format!("      bucket-{n}:")).collect();
    let buckets = buckets.join("\n");
    let many_buckets = told(&format!("version: 1\napps:\n  shop:\n    buckets:\n{buckets}"));
    assert!(
        many_buckets.contains("105:7 apps: the file has 101 buckets"),
        "{many_buckets}"
    );
}

#[test]
fn logging_can_be_switched_off_and_a_bucket_said_nothing_of() {
    let desired = desired("version: 1\napps: { shop: { buckets: { aaa: { logging: off }, bbb: } } }\n");
    assert_eq!(desired.buckets[0].logging, Some(LoggingWish::Off));
    assert_eq!(desired.buckets[1].logging, None);
}

/// Whatever a file holds, it is read or refused; nothing panics and nothing takes long.
#[test]
fn no_text_whatever_makes_it_panic() {
    let full = include_str!("../../../examples/spaces-full.yml");
    let pieces = [
        "", "{", "}", "[", "]", ":", "- ", "\n", "\t", "&a ", "*a", "!!x ", "\"", "'", "|\n", "\u{feff}",
        "é", "\0", "? ", "<<: ",
    ];
    let chars: Vec<(usize, char)> = full.char_indices().collect();
    for (step, (at, c)) in chars.iter().enumerate().step_by(7) {
        let piece = pieces[step % pieces.len()];
        let changed = format!("{}{piece}{}", &full[..*at], &full[at + c.len_utf8()..]);
        let _ = parsed(&changed).map_err(|flaws| {
            flaws
                .iter()
                .map(|flaw| flaw.excerpt(&changed))
                .collect::<String>()
        });
        let _ = parsed(&full[..*at]);
    }
    let deep = "[".repeat(100_000);
    assert!(parsed(&deep).is_err());
    assert!(parsed(&"a: ".repeat(50_000)).is_err());
}
