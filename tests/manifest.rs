//! Many apps in one file: all of them converge, each on its own, and a wrong file is told line by line.

use serde_json::json;
use tempfile::NamedTempFile;

use crate::fixture::{DigitalOcean, Fault, REPOSITORY, Run, Sandbox, World, live_keys, world};
use crate::refusals::at_public_hosts;

/// Two apps, three keys, two regions.
const MANIFEST: &str = "
version: 1
region: nyc3
apps:
  shop:
    buckets:
      shop-uploads: { logging: { bucket: shop-logs } }
      shop-logs: { retention_days: 30 }
    keys:
      shop-spaces-key:
        grants: { shop-uploads: readwrite }
        app_platform: [{ app: shop }]
      shop-logs-key:
        grants: { shop-logs: read }
        github: [{ suffix: LOGS }]
        max_age: 10d
  blog:
    buckets:
      blog-media: { region: fra1 }
    keys:
      blog-spaces-key:
        grants: { blog-media: readwrite }
        github: [{ repository: acme/blog }]
        app_platform: [{ app: blog }]
";

const BLOG: &str = "acme/blog";

fn two_apps() -> World {
    let spec = |name: &str| json!({ "name": name, "services": [{ "name": "web" }] });
    world()
        .with_full_access_pair()
        .with_repository(BLOG)
        .with_app(spec("shop"))
        .with_app(spec("blog"))
}

/// A run with the manifest where it is looked for, at hosts that tell regions apart.
fn run(sandbox: &Sandbox) -> (Run<'_>, NamedTempFile) {
    let run = Run::bare(sandbox)
        .input("digitalocean-token", World::DIGITALOCEAN_TOKEN)
        .input("github-token", World::GITHUB_TOKEN)
        .with_full_access()
        .file(".github/spaces.yml", MANIFEST);
    at_public_hosts(run, sandbox)
}

/// What a secret of a repository holds, and what the app's live environment says of the same.
fn secret(sandbox: &Sandbox, repository: &str, name: &str) -> Option<String> {
    let world = sandbox.world();
    let repository = world.github.repository(repository).expect("the repository");
    repository.secret(name).map(|secret| secret.text().into_owned())
}

fn variable(sandbox: &Sandbox, repository: &str, name: &str) -> Option<String> {
    let world = sandbox.world();
    let repository = world.github.repository(repository).expect("the repository");
    repository.variable(name).map(|variable| variable.value.clone())
}

fn live_env(sandbox: &Sandbox, app: &str, name: &str) -> Option<String> {
    let world = sandbox.world();
    world.digitalocean.app(app).expect("the app").live_env(None, name)
}

fn families(sandbox: &Sandbox) -> Vec<String> {
    let family = |name: String| name.split("--").next().unwrap_or_default().to_owned();
    let mut families: Vec<String> = live_keys(sandbox).into_iter().map(family).collect();
    families.sort();
    families.retain(|family| family.ends_with("-key"));
    families
}

#[test]
fn two_apps_with_three_keys_in_two_regions_converge() {
    let sandbox = Sandbox::start(two_apps());
    let (first, _authority) = run(&sandbox);
    let outcome = first.go().green();
    {
        let world = sandbox.world();
        let region = |name: &str| world.spaces.bucket(name).expect("the bucket").region.clone();
        assert_eq!(
            ["shop-uploads", "shop-logs", "blog-media"].map(region),
            ["nyc3", "nyc3", "fra1"]
        );
    }
    assert_eq!(
        families(&sandbox),
        ["blog-spaces-key", "shop-logs-key", "shop-spaces-key"]
    );
    for (app, repository, region, bucket) in [
        ("shop", REPOSITORY, "nyc3", "shop-uploads"),
        ("blog", BLOG, "fra1", "blog-media"),
    ] {
        let id = secret(&sandbox, repository, "SPACES_ACCESS_KEY");
        assert!(id.is_some(), "{repository} has a key");
        assert_eq!(live_env(&sandbox, app, "SPACES_ACCESS_KEY"), id);
        let endpoint = format!("https://{region}.digitaloceanspaces.com");
        for (name, value) in [
            ("SPACES_BUCKET", bucket),
            ("SPACES_REGION", region),
            ("SPACES_ENDPOINT", &endpoint),
        ] {
            assert_eq!(
                variable(&sandbox, repository, name).as_deref(),
                Some(value),
                "{repository}"
            );
            assert_eq!(live_env(&sandbox, app, name).as_deref(), Some(value), "{app}");
        }
    }
    assert_eq!(
        variable(&sandbox, REPOSITORY, "SPACES_BUCKET_LOGS").as_deref(),
        Some("shop-logs")
    );
    assert!(secret(&sandbox, REPOSITORY, "SPACES_SECRET_KEY_LOGS").is_some());
    let buckets = outcome.json_output("buckets");
    let homes: Vec<_> = buckets
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| &it["region"])
        .collect();
    assert_eq!(homes, ["nyc3", "nyc3", "fra1"]);
}

#[test]
fn a_second_run_writes_nothing() {
    let sandbox = Sandbox::start(two_apps());
    let (first, _authority) = run(&sandbox);
    first.go().green();
    let (second, _authority) = run(&sandbox);
    let outcome = second.run_id(9_900_000_002).go().green();
    assert_eq!(outcome.output("changed"), "false", "{}", outcome.stdout);
    assert!(outcome.journal.writes().is_empty(), "{:#?}", outcome.journal);
}

#[test]
fn only_the_key_that_is_due_is_replaced() {
    let sandbox = Sandbox::start(two_apps());
    let (first, _authority) = run(&sandbox);
    first.go().green();
    let before =
        ["shop-spaces-key", "shop-logs-key", "blog-spaces-key"].map(|family| active(&sandbox, family));
    sandbox.advance(std::time::Duration::from_hours(24 * 9));
    let (second, _authority) = run(&sandbox);
    second
        .input("command", "rotate")
        .run_id(9_900_000_002)
        .go()
        .green();
    let after =
        ["shop-spaces-key", "shop-logs-key", "blog-spaces-key"].map(|family| active(&sandbox, family));
    assert_eq!((&before[0], &before[2]), (&after[0], &after[2]));
    assert_ne!(before[1], after[1], "ten days are nearly over");
}

/// The id of the newest active key of a family.
fn active(sandbox: &Sandbox, family: &str) -> String {
    let world = sandbox.world();
    let start = format!("{family}--");
    let keys = world.digitalocean.live_keys();
    let of_family = keys.filter(|key| key.name.starts_with(&start) && key.name.contains("--active-"));
    of_family.last().expect("an active key").access_key.clone()
}

#[test]
fn the_failure_of_one_app_does_not_stop_the_other() {
    let sandbox = Sandbox::start(two_apps());
    let blog = sandbox
        .world()
        .digitalocean
        .app("blog")
        .expect("the app")
        .id
        .clone();
    let refused = Fault::on(DigitalOcean).method("PUT").path_contains(&blog);
    sandbox.script(refused.status(422).forever());
    let (first, _authority) = run(&sandbox);
    let outcome = first.go().red();
    outcome.complains(&[&blog]);
    assert!(live_env(&sandbox, "shop", "SPACES_ACCESS_KEY").is_some());
    assert!(live_env(&sandbox, "blog", "SPACES_ACCESS_KEY").is_none());
}

#[test]
fn a_wrong_file_is_told_line_by_line_and_nothing_is_touched() {
    let sandbox = Sandbox::start(two_apps());
    let wrong = MANIFEST
        .replace("max_age: 10d", "max_age: 10")
        .replace("fra1", "fra9");
    let (run, _authority) = run(&sandbox);
    let outcome = run.file(".github/spaces.yml", &wrong).go().exits(2);
    assert!(outcome.journal.is_empty(), "{:#?}", outcome.journal);
    for told in [
        "file=.github/spaces.yml,line=16,col=18",
        "file=.github/spaces.yml,line=19,col=29",
        "max_age: 10",
        "^^",
    ] {
        assert!(outcome.stdout.contains(told), "{told} in\n{}", outcome.stdout);
    }
    assert!(
        outcome.summary.contains(".github/spaces.yml:16:18"),
        "{}",
        outcome.summary
    );
}

#[test]
fn a_life_that_cannot_be_held_is_told_with_both_fields_and_their_places() {
    let sandbox = Sandbox::start(two_apps());
    let short = MANIFEST
        .replace("region: nyc3", "region: nyc3\ngrace_period: 48h")
        .replace("max_age: 10d", "max_age: 80h");
    let (run, _authority) = run(&sandbox);
    let outcome = run.file(".github/spaces.yml", &short).go().exits(2);
    assert!(outcome.journal.is_empty(), "{:#?}", outcome.journal);
    outcome.complains(&[
        "apps.shop.keys.shop-logs-key.max_age: 3d 8h with grace_period 48h (line 4)",
        "set max_age to at least 5d 6h 30m, or grace_period to at most 14h",
    ]);
    let place = "file=.github/spaces.yml,line=17,col=18";
    assert!(outcome.stdout.contains(place), "{}", outcome.stdout);
}

/// Each of them was taken by one of the two doors. `config::manifest::twins` has two hundred more.
#[test]
fn what_is_wrong_as_an_input_is_wrong_in_the_file() {
    let rule = "{ origins: ['*'], methods: [GET], max_age_seconds: -5 }";
    for (setting, input, beside, says) in [
        (
            "cdn: { domain: 'https://a.example', certificate_id: x }".to_owned(),
            ("cdn-domain", "https://a.example".to_owned()),
            [("cdn", "true"), ("cdn-certificate-id", "x")],
            "it is no host name",
        ),
        (
            format!("cors: [{rule}]"),
            ("cors", format!("[{rule}]")),
            [("cdn", "false"), ("cdn-purge", "false")],
            "write a whole number of seconds",
        ),
        (
            "cors: []".to_owned(),
            ("cors", "[]".to_owned()),
            [("cdn", "false"), ("cdn-purge", "false")],
            "it has 0 rules",
        ),
    ] {
        let sandbox = Sandbox::start(two_apps());
        let (in_file, _authority) = run(&sandbox);
        let wrong = MANIFEST.replace("region: fra1 }", &format!("region: fra1, {setting} }}"));
        let outcome = in_file.file(".github/spaces.yml", &wrong).go().exits(2);
        outcome.complains(&[".github/spaces.yml:19:", "apps.blog.buckets.blog-media", says]);
        let (name, value) = input;
        let inputs = beside
            .iter()
            .fold(Run::bootstrap(&sandbox), |run, (name, value)| {
                run.input(name, value)
            });
        inputs
            .input(name, &value)
            .go()
            .exits(2)
            .complains(&[&format!("{name}: "), says]);
    }
}

#[test]
fn a_manifest_beside_inputs_of_one_app_is_refused_or_told() {
    let sandbox = Sandbox::start(two_apps());
    let (both, _authority) = run(&sandbox);
    let outcome = both
        .input("config", ".github/spaces.yml")
        .input("app", "shop")
        .input("max-age", "30d")
        .input("region", "nyc3")
        .go()
        .exits(2);
    outcome.complains(&["app: ", "config"]);
    outcome.complains(&["max-age: ", "config"]);
    assert!(
        !outcome.stdout.contains("region: "),
        "the default asks for nothing"
    );
    let (beside, _authority) = run(&sandbox);
    let outcome = beside
        .input("app", "shop")
        .input("buckets", "shop-uploads")
        .input("dry-run", "true")
        .go()
        .green();
    assert!(
        outcome
            .warnings()
            .iter()
            .any(|warning| warning.contains("not used")),
        "{:?}",
        outcome.warnings()
    );
}

#[test]
fn a_file_that_was_named_and_is_not_there_is_told() {
    let sandbox = Sandbox::start(two_apps());
    let (run, _authority) = run(&sandbox);
    let outcome = run.input("config", "ops/spaces.yml").go().exits(2);
    outcome.complains(&["config: ", "ops/spaces.yml cannot be read", "check out"]);
}

/// One key that two apps read.
const SHARED: &str = "
version: 1
apps:
  shop:
    buckets: { shop-uploads: }
    keys:
      shop-spaces-key:
        grants: { shop-uploads: readwrite }
        app_platform:
          - { app: shop }
          - { app: blog, components: [web] }
";

fn shared(sandbox: &Sandbox) -> Run<'_> {
    Run::bare(sandbox)
        .input("digitalocean-token", World::DIGITALOCEAN_TOKEN)
        .input("github-token", World::GITHUB_TOKEN)
        .with_full_access()
        .file(".github/spaces.yml", SHARED)
}

fn ids_in_apps(sandbox: &Sandbox) -> [Option<String>; 2] {
    let world = sandbox.world();
    let id = |app: &str, component| {
        let app = world.digitalocean.app(app).expect("the app");
        app.live_env(component, "SPACES_ACCESS_KEY_ID")
    };
    [id("shop", None), id("blog", Some("web"))]
}

#[test]
fn a_key_goes_to_two_apps_and_both_serve_it() {
    let sandbox = Sandbox::start(two_apps());
    shared(&sandbox).go().green();
    let current = Some(active(&sandbox, "shop-spaces-key"));
    assert_eq!(ids_in_apps(&sandbox), [current.clone(), current]);
    let second = shared(&sandbox).run_id(9_900_000_002).go().green();
    assert!(second.journal.writes().is_empty(), "{:#?}", second.journal);
}

#[test]
fn an_app_that_refuses_a_shared_key_leaves_no_app_without_one_that_works() {
    let sandbox = Sandbox::start(two_apps());
    shared(&sandbox).go().green();
    let blog = sandbox
        .world()
        .digitalocean
        .app("blog")
        .expect("the app")
        .id
        .clone();
    sandbox.script(
        Fault::on(DigitalOcean)
            .method("PUT")
            .path_contains(&blog)
            .status(422)
            .forever(),
    );
    let rotate = |id| shared(&sandbox).input("command", "rotate").run_id(id);
    rotate(9_900_000_002).input("force", "true").go().red();
    for id in ids_in_apps(&sandbox).into_iter().flatten() {
        let world = sandbox.world();
        assert!(
            world.digitalocean.key(&id).expect("the key").is_live(),
            "an app reads {id}"
        );
    }
    sandbox.clear_faults();
    // Nobody says that the run is over, so its lease must be.
    sandbox.advance(std::time::Duration::from_mins(11));
    rotate(9_900_000_003).go().green();
    let current = Some(active(&sandbox, "shop-spaces-key"));
    assert_eq!(ids_in_apps(&sandbox), [current.clone(), current]);
}
