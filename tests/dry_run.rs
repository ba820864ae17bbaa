//! A dry run shows the plan and writes nothing at all.

use std::time::Duration;

use serde_json::json;
use spacekeeper_sandbox::spaces::Bucket;

use crate::fixture::{Outcome, REPOSITORY, Run, Sandbox, Spaces, World, sandbox, scrubbed, world};

fn dry(sandbox: &Sandbox) -> Run<'_> {
    Run::bootstrap(sandbox)
        .input("log-bucket", "shop-logs")
        .input("log-retention-days", "30")
        .input("dry-run", "true")
}

#[track_caller]
fn wrote_nothing(outcome: &Outcome) {
    let writes = outcome.journal.writes();
    assert!(writes.is_empty(), "{writes:#?}");
    assert!(outcome.journal.0.iter().all(|entry| !entry.wrote));
}

#[test]
fn a_dry_run_of_a_first_bootstrap_writes_nothing_not_even_an_admin_key() {
    let sandbox = sandbox();
    let outcome = dry(&sandbox).go().green();
    wrote_nothing(&outcome);
    assert!(
        outcome.journal.to(Spaces).is_empty(),
        "without a pair nobody can look at buckets"
    );
    let world = sandbox.world();
    assert_eq!(world.digitalocean.keys.len() + world.spaces.buckets().count(), 0);
    let repository = world.github.repository(REPOSITORY).expect("the repository");
    assert_eq!(
        repository.secrets.iter().len() + repository.variables.iter().len(),
        0
    );
}

#[test]
fn the_plan_stands_in_the_summary() {
    let sandbox = sandbox();
    let outcome = dry(&sandbox).go().green();
    insta::assert_snapshot!("the_plan_of_a_first_run", scrubbed(&outcome.summary));
    assert!(outcome.stdout.contains("nothing written"), "{}", outcome.stdout);
}

/// Two places in GitHub, one of them an environment, and two components of an app.
const PLACES: &str = "
version: 1
apps:
  shop:
    buckets: { shop-uploads: }
    keys:
      shop-spaces-key:
        grants: { shop-uploads: readwrite }
        github:
          - { repository: acme/shop, environment: production, secrets: { credentials: SPACES_JSON } }
          - { repository: acme/blog, secrets: { access_key: BLOG_ID, secret_key: BLOG_SECRET }, suffix: BLOG }
        app_platform: [{ app: shop, components: [api, worker] }]
";

#[test]
fn plan_and_run_name_every_place_that_a_key_goes_to() {
    let app = json!({ "name": "shop", "services": [{ "name": "api" }], "workers": [{ "name": "worker" }] });
    let world = world()
        .with_full_access_pair()
        .with_repository("acme/blog")
        .with_environment(REPOSITORY, "production")
        .with_app(app);
    let sandbox = Sandbox::start(world);
    let run = |dry: &str| {
        let run = Run::bare(&sandbox)
            .input("digitalocean-token", World::DIGITALOCEAN_TOKEN)
            .input("github-token", World::GITHUB_TOKEN)
            .with_full_access()
            .file(".github/spaces.yml", PLACES);
        let run = run.input("dry-run", dry).input("report-file", "report.json");
        let outcome = run.go().green();
        let report = outcome.report.as_deref().expect("a report");
        let report: serde_json::Value = serde_json::from_str(report).expect("JSON");
        let changes = report["changes"].as_array().expect("changes").clone();
        let told =
            |change: serde_json::Value| format!("{}: {}", change["subject"], change["what"]).replace('"', "");
        (outcome, changes.into_iter().map(told).collect::<Vec<String>>())
    };
    let places = [
        (
            "app shop",
            "SPACES_ACCESS_KEY_ID, SPACES_ACCESS_KEY, SPACES_SECRET_KEY",
            " at component api",
        ),
        (
            "app shop",
            "SPACES_ACCESS_KEY_ID, SPACES_ACCESS_KEY, SPACES_SECRET_KEY",
            " at component worker",
        ),
        (
            "secrets of acme/shop (environment production)",
            "SPACES_ACCESS_KEY, SPACES_SECRET_KEY, SPACES_JSON",
            "",
        ),
        ("secrets of acme/blog", "BLOG_ID, BLOG_SECRET", ""),
        (
            "variables of acme/shop (environment production)",
            "SPACES_ACCESS_KEY_ID",
            "",
        ),
        ("variables of acme/blog", "SPACES_ACCESS_KEY_ID_BLOG", ""),
    ];
    let (outcome, planned) = run("true");
    wrote_nothing(&outcome);
    for (subject, names, at) in places {
        let told = format!("{subject}: set {names}{at} to the new key");
        assert!(planned.contains(&told), "{told} in {planned:#?}");
    }
    let (_, done) = run("false");
    for (subject, names, at) in places {
        let told = format!("{subject}: {names} set{at}");
        assert!(
            done.iter().any(|done| done.starts_with(&told)),
            "{told} in {done:#?}"
        );
    }
}

#[test]
fn with_a_supplied_pair_the_plan_has_the_buckets_too() {
    let existing = Bucket::new("shop-uploads", "nyc3", 0);
    let sandbox = Sandbox::start(world().with_full_access_pair().with_this_bucket(existing));
    let outcome = dry(&sandbox).with_full_access().go().green();
    wrote_nothing(&outcome);
    assert!(!outcome.journal.to(Spaces).is_empty());
    assert!(
        outcome.summary.contains("| bucket shop-logs | create |"),
        "{}",
        outcome.summary
    );
    assert!(
        outcome.summary.contains("| bucket shop-uploads | log access to"),
        "{}",
        outcome.summary
    );
    assert!(
        !outcome.summary.contains("| bucket shop-uploads | create |"),
        "{}",
        outcome.summary
    );
}

#[test]
fn the_outputs_tell_of_changes_that_are_only_planned() {
    let sandbox = sandbox();
    let outcome = dry(&sandbox).input("report-file", "plan.json").go().green();
    assert_eq!(outcome.output("rotated"), "false");
    assert_eq!(outcome.output("access-key-id"), "");
    let report: serde_json::Value =
        serde_json::from_str(outcome.report.as_deref().expect("a report")).expect("JSON");
    assert_eq!(report["dry_run"], json!(true));
    assert_eq!(report["keys"][0]["rotated"], json!(false));
    assert!(
        report["changes"]
            .as_array()
            .is_some_and(|changes| !changes.is_empty()),
        "{report:#}"
    );
}

#[test]
fn on_a_converged_world_the_plan_is_empty() {
    let sandbox = Sandbox::start(world().with_full_access_pair());
    let run = || dry(&sandbox).with_full_access();
    run().input("dry-run", "false").go().green();
    let outcome = run().go().green();
    wrote_nothing(&outcome);
    assert_eq!(outcome.output("changed"), "false");
    assert!(
        outcome.summary.contains("nothing to change") || !outcome.summary.contains("### Planned"),
        "{}",
        outcome.summary
    );
}

#[test]
fn what_would_be_swept_is_shown_and_left() {
    let old = Duration::from_hours(2);
    let sandbox = Sandbox::start(
        world()
            .with_key_of_age("shop-spaces-key--1f-abcd--pending", &[], old)
            .with_key_of_age("shop-spaces-key--1f-abce--admin", &[], old),
    );
    let outcome = dry(&sandbox).go().green();
    wrote_nothing(&outcome);
    for name in [
        "shop-spaces-key--1f-abcd--pending",
        "shop-spaces-key--1f-abce--admin",
    ] {
        assert!(outcome.summary.contains(name), "{name} in\n{}", outcome.summary);
    }
}

#[test]
fn what_stands_in_the_way_is_shown_with_its_remedy() {
    let mut bucket = Bucket::new("shop-uploads", "nyc3", 0);
    bucket.policy = Some("{}".to_owned());
    let sandbox = Sandbox::start(
        world()
            .with_full_access_pair()
            .with_this_bucket(bucket)
            .with_strangers_bucket("nyc3", "shop-logs"),
    );
    let outcome = dry(&sandbox).with_full_access().go();
    wrote_nothing(&outcome);
    assert!(outcome.summary.contains("bucket policy"), "{}", outcome.summary);
    assert!(outcome.summary.contains("someone else"), "{}", outcome.summary);
    outcome.complains(&["bucket shop-uploads", "Remove the policy"]);
    outcome.complains(&["bucket shop-logs", "Choose another name"]);
}

#[test]
fn an_app_that_does_not_exist_is_shown() {
    let sandbox = sandbox();
    let outcome = dry(&sandbox).input("app-platform-app", "shop").go();
    wrote_nothing(&outcome);
    outcome.complains(&["shop", "the account has no app"]);
}
