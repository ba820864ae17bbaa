//! What can be written within the size limit is refused at once, and what is told of it can be read: so many problems,
//! the rest counted, none of them long.

use crate::fixture::{Outcome, Run, World, sandbox};

/// Nearly as long as a manifest may be.
const SIZE: usize = 1024 * 1024 - 64;

/// How many problems are told.
const TOLD: usize = 100;

/// As many entries as fit between head and tail.
fn heap(head: &str, entry: impl Fn(usize) -> String, tail: &str) -> (String, usize) {
    let mut text = head.to_owned();
    for count in 0.. {
        let entry = entry(count);
        if text.len() + entry.len() + tail.len() > SIZE {
            text.push_str(tail);
            return (text, count);
        }
        text.push_str(&entry);
    }
    unreachable!("a file ends")
}

/// Insists that the file is refused without a request, in words that a person can read.
#[track_caller]
fn refused(text: &str) -> Outcome {
    let sandbox = sandbox();
    let outcome = Run::bare(&sandbox)
        .input("digitalocean-token", World::DIGITALOCEAN_TOKEN)
        .input("github-token", World::GITHUB_TOKEN)
        .file(".github/spaces.yml", text)
        .go()
        .exits(2);
    assert!(outcome.journal.is_empty(), "asked nobody: {:#?}", outcome.journal);
    assert!(outcome.errors().len() <= 10, "GitHub shows ten");
    assert!(
        outcome.stdout.len() < 32 * 1024,
        "{} bytes of log",
        outcome.stdout.len()
    );
    assert!(
        outcome.summary.len() < 128 * 1024,
        "{} bytes of summary",
        outcome.summary.len()
    );
    let rows = outcome
        .summary
        .lines()
        .filter(|line| line.contains(".github/spaces.yml:"));
    assert!(rows.count() <= TOLD, "so many are told");
    outcome
}

/// Insists that so many problems were found, and that those that are not shown are counted.
#[track_caller]
fn counts(outcome: &Outcome, problems: usize) {
    let rest = format!("{} more problems are not shown", problems - TOLD);
    assert!(outcome.summary.contains(&rest), "{rest}: {}", outcome.summary);
}

#[test]
fn a_hundred_thousand_unknown_fields_are_counted() {
    let (text, fields) = heap("version: 1\napps: {}\n", |n| format!("f{n}: 1\n"), "");
    assert!(fields > 90_000, "{fields}");
    // That there is no app is one more.
    counts(&refused(&text), fields + 1);
}

#[test]
fn a_name_that_stands_there_again_and_again_is_counted() {
    let (text, fields) = heap("version: 1\napps: {}\n", |_| "x: 1\n".to_owned(), "");
    // The first is unknown, and there is no app.
    counts(&refused(&text), fields + 1);
}

#[test]
fn a_long_name_is_cut_wherever_it_is_told() {
    let name = "n".repeat(SIZE / 3);
    let (text, _) = heap(
        &format!("version: 1\napps:\n  ? {name}\n  :\n"),
        |n| format!("    f{n}: 1\n"),
        "",
    );
    refused(&text);
    refused(&format!("? {name}\n: 1\n? {name}\n: 2\n"));
    refused(&format!(
        "version: {name}\nregion: {name}\nmax_age: {name}\napps: {name}\n"
    ));
}

#[test]
fn sixty_thousand_apps_are_looked_at_once_each() {
    let (text, apps) = heap("version: 1\napps:\n", |n| format!("  a{n}: x\n"), "");
    assert!(apps > 60_000, "{apps}");
    counts(&refused(&text), apps);
}

#[test]
fn more_than_any_account_holds_is_told_as_such() {
    let key = |n| format!("      k{n}: {{ grants: {{ aaa: read }} }}\n");
    let (keys, count) = heap(
        "version: 1\napps:\n  shop:\n    buckets: { aaa: }\n    keys:\n",
        key,
        "",
    );
    let outcome = refused(&keys);
    outcome.complains(&[&format!("the file has {count} keys"), "at most 200"]);
    outcome.complains(&[
        &format!("the keys of the file go to {count} places"),
        "at most 500",
    ]);

    let bucket = |n| format!("      b{n:05}: {{ logging: {{ bucket: b00000 }}, retention_days: 1 }}\n");
    let (buckets, count) = heap("version: 1\napps:\n  shop:\n    buckets:\n", bucket, "");
    refused(&buckets).complains(&[&format!("the file has {count} buckets"), "at most 100"]);
}

#[test]
fn lists_end_where_the_services_end() {
    let of_bucket = "version: 1\napps: { shop: { buckets: { aaa: {";
    let of_key = "version: 1\napps: { shop: { buckets: { aaa: }, keys: { k: { grants: { aaa: read },";
    for (head, entry, tail, most) in [
        (format!("{of_key} github: ["), "{}, ", "] } } } }", 500),
        (
            format!("{of_key} app_platform: ["),
            "{ app: a }, ",
            "] } } } }",
            500,
        ),
        (
            format!("{of_key} app_platform: [{{ app: a, components: ["),
            "c, ",
            "] }] } } } }",
            100,
        ),
        (
            format!("{of_bucket} lifecycle: ["),
            "{ prefix: a, expire_days: 1 }, ",
            "] } } } }",
            1_000,
        ),
        (
            format!("{of_bucket} cors: ["),
            "{ origins: ['*'], methods: [GET] }, ",
            "] } } } }",
            100,
        ),
        (
            format!("{of_bucket} cors: public-assets, cors_origins: ["),
            "'*', ",
            "] } } } }",
            1_000,
        ),
    ] {
        let (text, count) = heap(&head, |_| entry.to_owned(), tail);
        refused(&text).complains(&[&format!("it has {count} entries; at most {most} are taken")]);
    }
}

/// Every rule bears every origin, and every bucket of the inputs every rule.
#[test]
fn what_multiplies_is_bounded_by_its_product() {
    let rule = r#"{"origins":["*"],"methods":["GET"]}"#;
    let rules = format!("[{}]", vec![rule; 100].join(","));
    let origins: Vec<String> = (0..1_000)
        .map(|n| format!("https://origin-{n}.example"))
        .collect();
    let buckets: Vec<String> = (0..4_000).map(|n| format!("bucket-{n}")).collect();
    let components: Vec<String> = (0..6_000).map(|n| format!("c{n}")).collect();
    let sandbox = sandbox();
    let outcome = Run::bootstrap(&sandbox)
        .input("buckets", &buckets.join("\n"))
        .input("key-scope", "bucket")
        .input("cors", &rules)
        .input("cors-origins", &origins.join("\n"))
        .input("app-platform-app", "shop")
        .input("app-components", &components.join("\n"))
        .go()
        .exits(2);
    assert!(outcome.journal.is_empty(), "{:#?}", outcome.journal);
    outcome.complains(&["buckets: ", "it names 4000 buckets", "at most 100"]);
    outcome.complains(&["cors: ", "S3 takes 64 KB"]);
    outcome.complains(&["app-components: ", "it has 6000 entries; at most 100"]);
    outcome.complains(&["github-repository: ", "acme/shop would get 200 secrets"]);
    assert_eq!(outcome.errors().len(), 4, "{:#?}", outcome.errors());
}

#[test]
fn a_list_of_an_input_is_counted_too() {
    let sandbox = sandbox();
    let buckets: Vec<String> = (0..2_500).map(|n| format!("Bucket-{n}=write")).collect();
    let origins: Vec<String> = (0..900).map(|n| format!("origin-{n}")).collect();
    let outcome = Run::bootstrap(&sandbox)
        .input("buckets", &buckets.join("\n"))
        .input("cors", "public-assets")
        .input("cors-origins", &origins.join("\n"))
        .go()
        .exits(2);
    // A hundred lines are looked at, and that there are more is one problem.
    counts(&outcome, 101 + 900);
    assert!(outcome.summary.len() < 64 * 1024, "{}", outcome.summary.len());
}

#[test]
fn whatever_is_no_manifest_is_told_in_few_words() {
    for (piece, head, tail) in [
        ("[", "", ""),
        ("a: ", "", ""),
        ("- ", "", ""),
        ("? ", "", ""),
        ("---\n", "", ""),
        ("#\n", "", ""),
        ("\n ", "version: \"", ""),
        ("a\n ", "version: ", ""),
        (" a\n", "version: |\n", ""),
        ("&a 1,", "x: [", "]"),
        ("*a,", "x: [&a 1,", "]"),
        ("!!x 1,", "x: [", "]"),
        ("a: b, ", "[", "]"),
        ("%TAG !a! x\n", "", ""),
    ] {
        let (text, _) = heap(head, |_| piece.to_owned(), tail);
        refused(&text);
    }
}
