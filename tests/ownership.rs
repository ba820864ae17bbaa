//! What is not ours is asked about before it is overwritten, since nobody can read a secret back.

use std::time::Duration;

use serde_json::{Value, json};
use spacekeeper_sandbox::digitalocean::{Grant, Key};

use crate::fixture::app::{look, run as run_with_app, save, with_app, with_spec};
use crate::fixture::delivered::{delivered, delivered_to_an_app};
use crate::fixture::{
    Outcome, REPOSITORY, Run, Sandbox, live_keys, secret, the_active_key, the_delivered_pair, variable, world,
};

const DAY: Duration = Duration::from_hours(24);

fn set_secret(sandbox: &Sandbox, name: &str, value: &str, ago: i64) {
    let mut world = sandbox.world();
    let at = world.clock.now() - ago;
    let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
    repository.secrets.set(name, value, at);
}

fn set_variable(sandbox: &Sandbox, name: &str, value: &str) {
    let mut world = sandbox.world();
    let now = world.clock.now();
    let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
    repository.variables.set(name, value, now);
}

fn forget_variable(sandbox: &Sandbox, name: &str) {
    let mut world = sandbox.world();
    let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
    repository.variables.remove(name);
}

/// A repository whose pair somebody has pasted there an hour ago.
fn made_by_hand() -> Sandbox {
    let sandbox = Sandbox::start(world());
    set_secret(&sandbox, "SPACES_ACCESS_KEY", "by hand", 3_600);
    set_secret(&sandbox, "SPACES_SECRET_KEY", "by hand too", 3_600);
    sandbox
}

/// A key that another tool has made; its id.
fn key_of_another_tool(sandbox: &Sandbox) -> String {
    let mut world = sandbox.world();
    let key = Key::generate(
        "terraform",
        vec![Grant::new("shop-uploads", "read")],
        world.clock.now(),
    );
    let id = key.access_key.clone();
    world.digitalocean.keys.push(key);
    id
}

/// What a run leaves that had to ask: nothing of its own, and everything of others.
#[track_caller]
fn asks(outcome: &Outcome, phrases: &[&str]) {
    outcome.complains(phrases);
    outcome.complains(&["overwrite: true"]);
    let lasting: Vec<String> = outcome
        .journal
        .writes()
        .into_iter()
        .filter(|line| !line.contains("/v2/spaces/keys"))
        .collect();
    assert_eq!(lasting, Vec::<String>::new(), "nothing is written");
    assert_eq!(outcome.output("rotated"), "false");
}

/// Neither `bootstrap`, nor a dry run, nor `check` is content with the world.
#[track_caller]
fn all_ask<'a>(sandbox: &'a Sandbox, ask: impl Fn(Run<'a>) -> Run<'a>, phrases: &[&str]) {
    let keys = live_keys(sandbox);
    let bootstrap = ask(Run::bootstrap(sandbox)).go().red();
    asks(&bootstrap, phrases);
    assert_eq!(live_keys(sandbox), keys, "nothing is minted");
    let dry = ask(Run::bootstrap(sandbox)).input("dry-run", "true").go().red();
    asks(&dry, phrases);
    let checked = ask(Run::bootstrap(sandbox))
        .input("command", "check")
        .go()
        .exits(3);
    let findings = checked.json_output("findings");
    let findings = findings.as_array().expect("a list");
    let said = |finding: &Value| {
        let what = format!("{} {}", finding["subject"], finding["what"]);
        finding["id"] == json!("SK026") && phrases.iter().all(|phrase| what.contains(phrase))
    };
    assert!(findings.iter().any(said), "{findings:#?}");
}

#[test]
fn secrets_made_by_hand_are_asked_about() {
    let sandbox = made_by_hand();
    all_ask(
        &sandbox,
        |run| run.input("log-bucket", "shop-logs"),
        &["secrets of acme/shop", "SPACES_ACCESS_KEY", "last written at"],
    );
    assert_eq!(secret(&sandbox, "SPACES_ACCESS_KEY").as_deref(), Some("by hand"));
    let world = sandbox.world();
    assert_eq!(
        world.spaces.buckets().count(),
        0,
        "no bucket is made, not even for logs"
    );
}

#[test]
fn one_secret_made_by_hand_is_enough() {
    let sandbox = Sandbox::start(world());
    set_secret(&sandbox, "SPACES_SECRET_KEY", "by hand", 3_600);
    let outcome = Run::bootstrap(&sandbox).go().red();
    asks(&outcome, &["SPACES_SECRET_KEY"]);
}

#[test]
fn who_may_overwrite_does() {
    let sandbox = made_by_hand();
    Run::bootstrap(&sandbox).input("overwrite", "true").go().green();
    the_delivered_pair(&sandbox);
    sandbox.advance(Duration::from_mins(1));
    Run::bootstrap(&sandbox).go().green();
}

#[test]
fn who_adopts_the_key_that_they_hold_has_given_them_over() {
    let sandbox = made_by_hand();
    let by_hand = key_of_another_tool(&sandbox);
    let adopting = || Run::bootstrap(&sandbox).input("adopt-access-key-id", &by_hand);
    adopting().go().green();
    the_delivered_pair(&sandbox);
    sandbox.advance(DAY * 2);
    adopting().run_id(5).go().green();
    let names = live_keys(&sandbox);
    assert!(!names.contains(&"terraform".to_owned()), "{names:?}");
}

#[test]
fn adopting_a_key_that_does_not_exist_gives_nothing_over() {
    let sandbox = made_by_hand();
    let outcome = Run::bootstrap(&sandbox)
        .input("adopt-access-key-id", "DO00GONEGONEGONE0000")
        .go()
        .red();
    asks(&outcome, &["SPACES_ACCESS_KEY"]);
}

#[test]
fn a_misspelt_app_does_not_take_over_the_secrets_of_the_right_one() {
    let sandbox = delivered();
    let id = the_active_key(&sandbox);
    all_ask(
        &sandbox,
        |run| run.input("app", "shp"),
        &["SPACES_ACCESS_KEY_ID", &id, "family shop-spaces-key"],
    );
    assert_eq!(the_delivered_pair(&sandbox), id);
    let outcome = Run::bootstrap(&sandbox).input("app", "shp").go().red();
    outcome.complains(&[&format!("adopt-access-key-id: {id}")]);
}

#[test]
fn a_renamed_family_succeeds_the_old_one_when_it_is_adopted() {
    let sandbox = delivered();
    let old = the_active_key(&sandbox);
    let renamed = || {
        let run = Run::bootstrap(&sandbox).input("key-name", "shop-key");
        run.input("adopt-access-key-id", &old)
    };
    renamed().go().green();
    assert_ne!(the_delivered_pair(&sandbox), old);
    sandbox.advance(DAY * 2);
    renamed().run_id(5).go().green();
    let names = live_keys(&sandbox);
    assert!(
        names.len() == 1 && names[0].starts_with("shop-key--"),
        "the old one went through the gate: {names:?}"
    );
}

#[test]
fn a_key_of_another_tool_is_called_by_its_name() {
    let sandbox = made_by_hand();
    let id = key_of_another_tool(&sandbox);
    set_variable(&sandbox, "SPACES_ACCESS_KEY_ID", &id);
    all_ask(&sandbox, |run| run, &[&id, "another tool", "terraform"]);
}

#[test]
fn names_of_a_key_that_exists_no_more_are_free() {
    let sandbox = made_by_hand();
    set_variable(&sandbox, "SPACES_ACCESS_KEY_ID", "DO00GONEGONEGONE0000");
    Run::bootstrap(&sandbox).go().green();
    the_delivered_pair(&sandbox);
}

#[test]
fn a_variable_of_somebody_else_is_asked_about_and_one_that_says_the_same_is_not() {
    let sandbox = Sandbox::start(world());
    set_variable(&sandbox, "SPACES_BUCKET", "theirs");
    all_ask(&sandbox, |run| run, &["SPACES_BUCKET"]);
    set_variable(&sandbox, "SPACES_BUCKET", "shop-uploads");
    Run::bootstrap(&sandbox).go().green();
}

#[test]
fn without_variables_times_alone_tell() {
    let sandbox = delivered();
    forget_variable(&sandbox, "SPACES_ACCESS_KEY_ID");
    sandbox.advance(Duration::from_mins(1));
    let ours = || Run::bootstrap(&sandbox).input("variables", "false");
    ours().go().green();
    set_secret(&sandbox, "SPACES_ACCESS_KEY", "pasted", 0);
    ours().go().green();
    the_delivered_pair(&sandbox);
    let other = ours().input("app", "shp").go().red();
    asks(&other, &["SPACES_ACCESS_KEY", "last written at"]);
}

#[test]
fn another_place_with_older_secrets_is_not_ours_because_the_family_has_a_key() {
    let sandbox = delivered();
    {
        let mut world = sandbox.world();
        let now = world.clock.now();
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        let production = repository.add_environment("production", now - 7_200);
        production.secrets.set("SPACES_ACCESS_KEY", "theirs", now - 7_200);
        production.secrets.set("SPACES_SECRET_KEY", "theirs", now - 7_200);
    }
    let outcome = Run::bootstrap(&sandbox)
        .input("github-environment", "production")
        .go()
        .red();
    asks(&outcome, &["environment production", "SPACES_ACCESS_KEY"]);
}

#[test]
fn a_delivery_that_was_broken_off_is_ours() {
    let world = world().with_bucket("nyc3", "shop-uploads").with_key_of_age(
        "shop-spaces-key--1f-abcd--delivering",
        &[("shop-uploads", "readwrite")],
        Duration::from_hours(2),
    );
    let sandbox = Sandbox::start(world);
    // GitHub's clock is half an hour behind.
    set_secret(&sandbox, "SPACES_ACCESS_KEY", "half of it", 2 * 3_600 + 1_800);
    Run::bootstrap(&sandbox).go().green();
    the_delivered_pair(&sandbox);
}

#[test]
fn suffixed_names_are_asked_about_family_by_family() {
    let sandbox = Sandbox::start(world());
    set_secret(&sandbox, "SPACES_SECRET_KEY_SHOP_UPLOADS", "by hand", 3_600);
    let outcome = Run::bootstrap(&sandbox)
        .input("buckets", "shop-uploads\nshop-invoices")
        .input("key-scope", "bucket")
        .go()
        .red();
    outcome.complains(&["SPACES_SECRET_KEY_SHOP_UPLOADS", "overwrite: true"]);
    assert!(
        secret(&sandbox, "SPACES_SECRET_KEY_SHOP_INVOICES").is_some(),
        "the other goes on"
    );
    assert_eq!(variable(&sandbox, "SPACES_BUCKET_SHOP_UPLOADS"), None);
    let world = sandbox.world();
    assert!(world.spaces.bucket("shop-uploads").is_none() && world.spaces.bucket("shop-invoices").is_some());
}

fn holding(envs: &Value) -> Sandbox {
    let mut spec = crate::fixture::app::spec();
    let own = spec["envs"].as_array_mut().expect("a list");
    own.extend(envs.as_array().expect("a list").iter().cloned());
    with_spec(spec)
}

#[test]
fn secrets_of_an_app_without_an_id_beside_them_are_asked_about() {
    let sandbox = holding(&json!([
        { "key": "SPACES_SECRET_KEY", "value": "by hand", "type": "SECRET" },
    ]));
    let with_app = |run: Run<'_>| {
        run.input("app-platform-app", "shop")
            .with_full_access()
            .go()
            .red()
    };
    let outcome = with_app(Run::bootstrap(&sandbox));
    asks(&outcome, &["app shop", "SPACES_SECRET_KEY"]);
    let opened = look(&sandbox, |app| app.opened_env(None, "SPACES_SECRET_KEY"));
    assert_eq!(opened.as_deref(), Some("by hand"));
    run_with_app(&sandbox).input("overwrite", "true").go().green();
    the_delivered_pair(&sandbox);
}

#[test]
fn an_app_that_holds_the_key_of_another_family_is_asked_about() {
    let sandbox = delivered_to_an_app();
    let id = the_active_key(&sandbox);
    let outcome = Run::bootstrap(&sandbox)
        .input("app", "shp")
        .input("github-repository", "acme/shop")
        .input("access-key-secret", "OTHER_ACCESS_KEY")
        .input("secret-key-secret", "OTHER_SECRET_KEY")
        .input("variables", "false")
        .input("app-platform-app", "shop")
        .go()
        .red();
    asks(&outcome, &["app shop", &id, "family shop-spaces-key"]);
}

#[test]
fn an_app_whose_id_entry_was_taken_out_is_known_by_what_it_serves() {
    let sandbox = with_app();
    run_with_app(&sandbox).go().green();
    sandbox.world().switches.deployment_phase = DAY;
    save(&sandbox, |spec| {
        let envs = spec["envs"].as_array_mut().expect("a list");
        envs.retain(|env| env["key"] != "SPACES_ACCESS_KEY_ID");
    });
    run_with_app(&sandbox)
        .input("wait-for-deployment", "false")
        .go()
        .green();
    the_delivered_pair(&sandbox);
}

const MANIFEST: &str = "\
version: 1
apps:
  shop:
    buckets: { shop-uploads: {} }
    keys:
      shop-key:
        grants: { shop-uploads: readwrite }
        github: [{ repository: acme/shop }]
  crm:
    buckets: { crm-files: {} }
    keys:
      crm-key:
        grants: { crm-files: readwrite }
        github: [{ repository: acme/crm }]
";

#[test]
fn other_families_of_a_manifest_go_on() {
    let sandbox = Sandbox::start(world().with_repository("acme/crm"));
    set_secret(&sandbox, "SPACES_SECRET_KEY", "by hand", 3_600);
    let outcome = Run::bare(&sandbox)
        .input("digitalocean-token", crate::fixture::World::DIGITALOCEAN_TOKEN)
        .input("github-token", crate::fixture::World::GITHUB_TOKEN)
        .input("config", ".github/spaces.yml")
        .file(".github/spaces.yml", MANIFEST)
        .go()
        .red();
    outcome.complains(&["secrets of acme/shop", "overwrite: true"]);
    let world = sandbox.world();
    let crm = world.github.repository("acme/crm").expect("the repository");
    assert!(crm.secret("SPACES_SECRET_KEY").is_some());
    assert!(world.spaces.bucket("crm-files").is_some() && world.spaces.bucket("shop-uploads").is_none());
    let named: Vec<_> = outcome
        .json_output("buckets")
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| it["name"].clone())
        .collect();
    assert_eq!(named, [json!("crm-files")]);
}

#[test]
fn an_id_that_never_was_one_of_spaces_is_no_key_that_is_gone() {
    let sandbox = made_by_hand();
    set_variable(&sandbox, "SPACES_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
    asks(
        &Run::bootstrap(&sandbox).go().red(),
        &["SPACES_ACCESS_KEY", "and are not of key shop-spaces-key"],
    );
    assert_eq!(secret(&sandbox, "SPACES_ACCESS_KEY").as_deref(), Some("by hand"));
}

/// Another app of the repository has secrets of its own; its variables are called the same. Its key is not theirs to give.
#[test]
fn a_key_whose_secrets_are_not_replaced_outlives_its_adoption() {
    let sandbox = delivered();
    let old = the_active_key(&sandbox);
    let blog = |sandbox| {
        Run::bootstrap(sandbox)
            .input("app", "blog")
            .input("buckets", "blog-media")
            .input("access-key-secret", "BLOG_KEY")
            .input("secret-key-secret", "BLOG_SECRET")
    };
    let refused = blog(&sandbox).go().red();
    refused.complains(&["variables of acme/shop", "variables: false"]);
    assert!(
        !refused.stdout.contains("adopt-access-key-id"),
        "{}",
        refused.stdout
    );
    sandbox.advance(Duration::from_secs(5));
    blog(&sandbox).input("adopt-access-key-id", &old).go().green();
    sandbox.advance(DAY * 2);
    let later = blog(&sandbox).input("adopt-access-key-id", &old).go().green();
    assert!(live_keys(&sandbox).len() == 2, "{}", later.stdout);
    assert!(later.stdout.contains("was written with it"), "{}", later.stdout);
}
