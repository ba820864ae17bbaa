//! The first run makes the world match the request; a second one finds nothing to do; drift is put right.

use std::time::Duration;

use serde_json::{Value, json};
use spacekeeper_sandbox::digitalocean::{Grant, Key};
use spacekeeper_sandbox::spaces::{Bucket, LifecycleRule};

use crate::fixture::{
    DigitalOcean, GitHub, REPOSITORY, Run, Sandbox, World, live_keys, sandbox, scrubbed, secret,
    the_active_key, the_delivered_pair, variable, world,
};

/// The request of the README: one bucket with logs that expire.
fn with_logs(sandbox: &Sandbox) -> Run<'_> {
    Run::bootstrap(sandbox)
        .input("log-bucket", "shop-logs")
        .input("log-retention-days", "30")
}

/// A world after a first run of [`with_logs`], time having passed since.
fn converged() -> Sandbox {
    let sandbox = Sandbox::start(world().with_full_access_pair());
    with_logs(&sandbox).go().green();
    sandbox.advance(Duration::from_mins(1));
    sandbox
}

fn grants(sandbox: &Sandbox, id: &str) -> Vec<Grant> {
    let world = sandbox.world();
    world.digitalocean.key(id).expect("a key").grants.clone()
}

#[test]
fn the_first_run_makes_everything() {
    let sandbox = sandbox();
    let outcome = with_logs(&sandbox).go().green();

    let id = the_delivered_pair(&sandbox);
    assert_eq!(
        the_active_key(&sandbox),
        id,
        "the delivered key is the active one"
    );
    assert_eq!(live_keys(&sandbox).len(), 1, "the admin key is gone");
    assert_eq!(
        grants(&sandbox, &id),
        [Grant::new("shop-uploads", "readwrite")],
        "the bucket and no more"
    );
    let endpoint = sandbox.spaces_url();
    for (name, value) in [
        ("SPACES_ACCESS_KEY_ID", id.as_str()),
        ("SPACES_BUCKET", "shop-uploads"),
        ("SPACES_REGION", "nyc3"),
        ("SPACES_ENDPOINT", &endpoint),
    ] {
        assert_eq!(variable(&sandbox, name).as_deref(), Some(value), "{name}");
    }
    let world = sandbox.world();
    let uploads = world.spaces.bucket("shop-uploads").expect("the bucket");
    let logging = uploads.logging.as_ref().expect("logging is on");
    assert_eq!(
        (logging.target_bucket.as_str(), logging.target_prefix.as_str()),
        ("shop-logs", "access-logs/shop/shop-uploads/")
    );
    let logs = world.spaces.bucket("shop-logs").expect("the log bucket");
    let [rule] = &logs.lifecycle[..] else {
        panic!("one rule: {:?}", logs.lifecycle)
    };
    assert_eq!(
        (rule.prefix.as_str(), rule.expire_after_days),
        ("access-logs/shop/shop-uploads/", Some(30))
    );
    assert!(logs.logging.is_none(), "the log bucket does not log itself");

    assert_eq!(
        (outcome.output("changed"), outcome.output("rotated")),
        ("true", "true")
    );
    assert_eq!(outcome.output("access-key-id"), id);
    assert_eq!(outcome.output("spaces-endpoint"), endpoint);
    assert!(
        outcome.output("next-rotation").ends_with('Z'),
        "{:?}",
        outcome.outputs
    );
    assert_eq!(outcome.json_output("keys")[0]["access_key_id"], json!(id));
    let buckets = outcome.json_output("buckets");
    let named: Vec<_> = buckets
        .as_array()
        .expect("a list")
        .iter()
        .map(|bucket| &bucket["name"])
        .collect();
    assert_eq!(named, ["shop-logs", "shop-uploads"]);
}

#[test]
fn a_person_reads_this_after_the_first_and_the_second_run() {
    let sandbox = sandbox();
    // Ages are part of the text, so no time passes.
    sandbox.world().clock.freeze();
    let outcome = with_logs(&sandbox).go().green();
    insta::assert_snapshot!("summary_of_a_first_run", sorted(&scrubbed(&outcome.summary)));
    let again = with_logs(&sandbox).go().green();
    insta::assert_snapshot!("summary_of_a_second_run", sorted(&scrubbed(&again.summary)));
}

/// The page with the rows of each table sorted: what is done side by side ends in any order.
fn sorted(page: &str) -> String {
    let table = |part: &str| {
        let mut rows: Vec<&str> = part.lines().collect();
        if let Some(body) = rows.get_mut(2..) {
            body.sort_unstable();
        }
        rows.join("\n")
    };
    let parts: Vec<String> = page.split("\n\n").map(table).collect();
    parts.join("\n\n")
}

#[test]
fn a_second_run_writes_nothing_but_the_admin_key() {
    let sandbox = converged();
    let id = the_active_key(&sandbox);
    let outcome = with_logs(&sandbox).go().green();
    let writes = outcome.journal.writes();
    assert_eq!(writes.len(), 2, "{writes:#?}");
    assert_eq!(writes[0], "POST /v2/spaces/keys");
    assert!(writes[1].starts_with("DELETE /v2/spaces/keys/"), "{writes:?}");
    assert_eq!(
        (outcome.output("changed"), outcome.output("rotated")),
        ("false", "false")
    );
    assert_eq!(outcome.output("access-key-id"), id);
    assert_eq!(the_delivered_pair(&sandbox), id);
}

#[test]
fn a_second_run_with_a_supplied_pair_writes_nothing_at_all() {
    let sandbox = converged();
    let outcome = with_logs(&sandbox).with_full_access().go().green();
    assert!(
        outcome.journal.writes().is_empty(),
        "{:#?}",
        outcome.journal.writes()
    );
    assert!(outcome.journal.0.iter().all(|entry| !entry.wrote));
    assert_eq!(outcome.output("changed"), "false");
}

#[test]
fn a_supplied_pair_is_used_and_never_deleted() {
    let sandbox = Sandbox::start(world().with_full_access_pair());
    let outcome = with_logs(&sandbox).with_full_access().go().green();
    assert_eq!(
        outcome.journal.count(DigitalOcean, "POST", "/v2/spaces/keys"),
        1,
        "no admin key"
    );
    let names = live_keys(&sandbox);
    assert!(names.contains(&"full-access".to_owned()), "{names:?}");
    assert_eq!(names.len(), 2);
}

#[test]
fn lifecycle_rules_of_others_survive() {
    let others = [
        LifecycleRule::expiry("old-backups", "backups/", 7),
        LifecycleRule {
            id: Some("unfinished".to_owned()),
            enabled: true,
            abort_uploads_after_days: Some(3),
            ..LifecycleRule::default()
        },
    ];
    let mut bucket = Bucket::new("shop-logs", "nyc3", 0);
    bucket.lifecycle = others.to_vec();
    let sandbox = Sandbox::start(world().with_this_bucket(bucket));
    with_logs(&sandbox).go().green();
    let world = sandbox.world();
    let rules = &world
        .spaces
        .bucket("shop-logs")
        .expect("the log bucket")
        .lifecycle;
    assert_eq!(rules.len(), 3, "{rules:#?}");
    for rule in &others {
        assert!(rules.contains(rule), "{rule:?} in {rules:#?}");
    }
}

#[test]
fn one_key_per_bucket_has_names_of_its_own_everywhere() {
    let sandbox = sandbox();
    let run = || {
        Run::bootstrap(&sandbox)
            .input("buckets", "shop-uploads\nshop-invoices=read")
            .input("key-scope", "bucket")
    };
    let outcome = run().go().green();
    for (bucket, suffix, permission) in [
        ("shop-uploads", "SHOP_UPLOADS", "readwrite"),
        ("shop-invoices", "SHOP_INVOICES", "read"),
    ] {
        let id = secret(&sandbox, &format!("SPACES_ACCESS_KEY_{suffix}")).expect("the first half");
        let half = secret(&sandbox, &format!("SPACES_SECRET_KEY_{suffix}")).expect("the second half");
        assert_eq!(
            variable(&sandbox, &format!("SPACES_ACCESS_KEY_ID_{suffix}")),
            Some(id.clone())
        );
        assert_eq!(
            variable(&sandbox, &format!("SPACES_BUCKET_{suffix}")).as_deref(),
            Some(bucket)
        );
        let world = sandbox.world();
        let key = world.digitalocean.key(&id).expect("a key");
        assert_eq!(
            (&key.secret_key, &key.grants[..]),
            (&half, &[Grant::new(bucket, permission)][..])
        );
        assert!(key.name.contains("--active-"), "{}", key.name);
    }
    assert_eq!(live_keys(&sandbox).len(), 2);
    assert_eq!(outcome.json_output("keys").as_array().map(Vec::len), Some(2));
    assert_eq!(secret(&sandbox, "SPACES_ACCESS_KEY"), None);
    sandbox.advance(Duration::from_mins(1));
    assert_eq!(
        run().go().green().journal.writes().len(),
        2,
        "only the admin key's pair"
    );
}

#[test]
fn buckets_alone_need_neither_digitalocean_nor_github() {
    let sandbox = Sandbox::start(world().with_full_access_pair());
    let run = || {
        Run::bare(&sandbox)
            .input("app", "shop")
            .input("buckets", "shop-uploads")
            .input("log-bucket", "shop-logs")
            .input("key-scope", "none")
            .with_full_access()
    };
    let outcome = run().go().green();
    assert!(outcome.journal.to(DigitalOcean).is_empty() && outcome.journal.to(GitHub).is_empty());
    {
        let world = sandbox.world();
        let uploads = world.spaces.bucket("shop-uploads").expect("the bucket");
        assert_eq!(
            uploads
                .logging
                .as_ref()
                .map(|logging| logging.target_bucket.as_str()),
            Some("shop-logs")
        );
    }
    assert_eq!(
        (outcome.output("changed"), outcome.output("rotated")),
        ("true", "false")
    );
    assert!(run().go().green().journal.writes().is_empty());
}

#[test]
fn the_combined_secret_holds_both_halves_and_where_they_fit() {
    let sandbox = sandbox();
    Run::bootstrap(&sandbox)
        .input("credentials-secret", "SPACES_CREDENTIALS")
        .go()
        .green();
    let id = the_delivered_pair(&sandbox);
    let text = secret(&sandbox, "SPACES_CREDENTIALS").expect("the combined secret");
    let combined: Value = serde_json::from_str(&text).expect("JSON");
    let expected = json!({
        "bucket": "shop-uploads",
        "region": "nyc3",
        "endpoint": sandbox.spaces_url(),
        "access_key": id,
        "secret_key": secret(&sandbox, "SPACES_SECRET_KEY"),
    });
    assert_eq!(combined, expected);
}

#[test]
fn an_environment_may_be_called_anything() {
    let environment = "prod/eu west #1";
    let sandbox = Sandbox::start(world().with_environment(REPOSITORY, environment));
    let run = || Run::bootstrap(&sandbox).input("github-environment", environment);
    run().go().green();
    {
        let world = sandbox.world();
        let repository = world.github.repository(REPOSITORY).expect("the repository");
        let environment = repository.environment(environment).expect("the environment");
        let id = environment
            .secret("SPACES_ACCESS_KEY")
            .expect("the first half")
            .text()
            .into_owned();
        let key = world.digitalocean.key(&id).expect("a key");
        assert_eq!(
            environment
                .secret("SPACES_SECRET_KEY")
                .expect("the second half")
                .text(),
            key.secret_key
        );
        assert_eq!(
            environment
                .variable("SPACES_ACCESS_KEY_ID")
                .expect("the variable")
                .value,
            id
        );
        assert_eq!(
            repository.secrets.iter().len() + repository.variables.iter().len(),
            0,
            "the repository itself gets nothing"
        );
        assert_eq!(repository.environments.len(), 1);
    }
    sandbox.advance(Duration::from_mins(1));
    assert_eq!(run().go().green().journal.writes().len(), 2);
}

#[test]
fn without_variables_none_is_written() {
    let sandbox = sandbox();
    let outcome = Run::bootstrap(&sandbox).input("variables", "false").go().green();
    the_delivered_pair(&sandbox);
    let world = sandbox.world();
    assert_eq!(
        world
            .github
            .repository(REPOSITORY)
            .expect("the repository")
            .variables
            .iter()
            .len(),
        0
    );
    assert!(
        !outcome
            .journal
            .writes()
            .iter()
            .any(|line| line.contains("/variables"))
    );
}

#[test]
fn later_steps_of_the_job_can_have_the_new_pair_masked() {
    let sandbox = sandbox();
    let outcome = Run::bootstrap(&sandbox).input("export-env", "true").go().green();
    let id = the_delivered_pair(&sandbox);
    let half = secret(&sandbox, "SPACES_SECRET_KEY").expect("the second half");
    assert_eq!(outcome.env.get("SPACES_ACCESS_KEY"), Some(&id));
    assert_eq!(outcome.env.get("SPACES_SECRET_KEY"), Some(&half));
    assert!(outcome.masks().contains(&half), "masked before it is exported");
}

#[test]
fn without_export_env_later_steps_get_nothing() {
    let sandbox = sandbox();
    let outcome = Run::bootstrap(&sandbox).go().green();
    assert!(outcome.env.is_empty(), "{:?}", outcome.env);
}

#[test]
fn every_new_secret_is_masked() {
    let sandbox = sandbox();
    let masks = Run::bootstrap(&sandbox).go().green().masks();
    let world = sandbox.world();
    for key in &world.digitalocean.keys {
        assert!(masks.contains(&key.secret_key), "{} is not masked", key.name);
    }
    assert_eq!(world.digitalocean.keys.len(), 2, "the admin key and the new one");
}

#[test]
fn the_report_is_json_in_the_workspace() {
    let sandbox = sandbox();
    let outcome = Run::bootstrap(&sandbox)
        .input("report-file", "out/report.json")
        .go()
        .green();
    let report: Value = serde_json::from_str(outcome.report.as_deref().expect("a report")).expect("JSON");
    assert_eq!(report["command"], "bootstrap");
    assert_eq!(
        (&report["changed"], &report["dry_run"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        report["keys"][0]["access_key_id"],
        json!(the_delivered_pair(&sandbox))
    );
    assert_eq!(report["problems"], json!([]));
    assert_eq!(outcome.output("report"), "out/report.json");
}

#[test]
fn a_person_at_a_terminal_is_shown_no_workflow_commands() {
    let sandbox = sandbox();
    let outcome = with_logs(&sandbox)
        .without_env("GITHUB_ACTIONS")
        .without_env("GITHUB_RUN_ID")
        .input("github-repository", REPOSITORY)
        .go()
        .green();
    assert!(!outcome.stdout.contains("::"), "{}", outcome.stdout);
    the_delivered_pair(&sandbox);
}

#[test]
fn debug_lines_show_requests_and_nothing_secret() {
    let sandbox = sandbox();
    let outcome = Run::bootstrap(&sandbox).env("RUNNER_DEBUG", "1").go().green();
    let debug: Vec<_> = outcome
        .stdout
        .lines()
        .filter(|line| line.starts_with("::debug::"))
        .collect();
    assert!(
        debug
            .iter()
            .any(|line| line.contains("POST") && line.contains("/v2/spaces/keys")),
        "{debug:#?}"
    );
    assert!(!outcome.stdout.to_lowercase().contains("authorization"));
}

#[test]
fn a_variable_deleted_by_hand_comes_back_without_a_new_key() {
    for name in ["SPACES_ACCESS_KEY_ID", "SPACES_BUCKET"] {
        let sandbox = converged();
        let before = (the_delivered_pair(&sandbox), variable(&sandbox, name));
        sandbox
            .world()
            .github
            .repository_mut(REPOSITORY)
            .expect("the repository")
            .variables
            .remove(name);
        let outcome = with_logs(&sandbox).with_full_access().go().green();
        assert_eq!((the_delivered_pair(&sandbox), variable(&sandbox, name)), before);
        assert_eq!(
            outcome.journal.writes().len(),
            1,
            "{:#?}",
            outcome.journal.writes()
        );
    }
}

#[test]
fn a_variable_changed_by_hand_is_set_again() {
    let sandbox = converged();
    let now = sandbox.world().clock.now();
    sandbox
        .world()
        .github
        .repository_mut(REPOSITORY)
        .expect("the repository")
        .variables
        .set("SPACES_BUCKET", "nonsense", now);
    let outcome = with_logs(&sandbox).with_full_access().go().green();
    assert_eq!(
        variable(&sandbox, "SPACES_BUCKET").as_deref(),
        Some("shop-uploads")
    );
    assert_eq!(outcome.journal.writes().len(), 1);
}

#[test]
fn logging_switched_off_by_hand_is_switched_on_again() {
    let sandbox = converged();
    sandbox
        .world()
        .spaces
        .bucket_mut("shop-uploads")
        .expect("the bucket")
        .logging = None;
    let outcome = with_logs(&sandbox).with_full_access().go().green();
    let writes = outcome.journal.writes();
    assert!(writes.len() == 1 && writes[0].contains("logging"), "{writes:#?}");
    assert!(
        sandbox
            .world()
            .spaces
            .bucket("shop-uploads")
            .expect("the bucket")
            .logging
            .is_some()
    );
}

#[test]
fn other_grants_mean_a_new_key_and_the_old_one_is_kept_unedited() {
    let sandbox = converged();
    let old = the_delivered_pair(&sandbox);
    with_logs(&sandbox)
        .input("buckets", "shop-uploads=read\nshop-invoices")
        .go()
        .green();
    let new = the_delivered_pair(&sandbox);
    assert_ne!(new, old);
    let wanted = [
        Grant::new("shop-invoices", "readwrite"),
        Grant::new("shop-uploads", "read"),
    ];
    let mut found = grants(&sandbox, &new);
    found.sort_by(|one, other| one.bucket.cmp(&other.bucket));
    assert_eq!(found, wanted);
    assert_eq!(
        grants(&sandbox, &old),
        [Grant::new("shop-uploads", "readwrite")],
        "never edited in place"
    );
    assert!(
        sandbox
            .world()
            .digitalocean
            .key(&old)
            .expect("the old key")
            .is_live()
    );
}

/// Insists that after this meddling the next run mints a new key and brings it to every sink.
#[track_caller]
fn is_repaired_by_a_new_key(meddle: impl FnOnce(&mut World)) {
    let sandbox = converged();
    let old = the_delivered_pair(&sandbox);
    meddle(&mut sandbox.world());
    let outcome = with_logs(&sandbox).go().green();
    let new = the_delivered_pair(&sandbox);
    assert_ne!(new, old);
    assert_eq!(
        variable(&sandbox, "SPACES_ACCESS_KEY_ID").as_deref(),
        Some(new.as_str())
    );
    assert_eq!(outcome.output("rotated"), "true");
    sandbox.advance(Duration::from_mins(1));
    let again = with_logs(&sandbox).with_full_access().go().green();
    assert!(again.journal.writes().is_empty(), "{:#?}", again.journal.writes());
}

#[test]
fn a_secret_touched_by_hand_means_a_new_key_everywhere() {
    for name in ["SPACES_ACCESS_KEY", "SPACES_SECRET_KEY"] {
        is_repaired_by_a_new_key(|world| {
            let now = world.clock.now();
            let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
            repository.secrets.set(name, "pasted by hand", now);
        });
    }
}

#[test]
fn a_secret_deleted_by_hand_means_a_new_key_everywhere() {
    is_repaired_by_a_new_key(|world| {
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        repository.secrets.remove("SPACES_SECRET_KEY");
    });
}

#[test]
fn an_id_variable_that_names_another_key_means_a_new_key_everywhere() {
    is_repaired_by_a_new_key(|world| {
        let now = world.clock.now();
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        repository
            .variables
            .set("SPACES_ACCESS_KEY_ID", "DO00ANOTHERKEY000000", now);
    });
}

#[test]
fn a_current_key_deleted_by_hand_means_a_new_key_everywhere() {
    is_repaired_by_a_new_key(|world| {
        let now = world.clock.now();
        let active = |key: &&mut Key| key.name.contains("--active-");
        let key = world
            .digitalocean
            .keys
            .iter_mut()
            .find(active)
            .expect("the active key");
        key.deleted_at = Some(now);
        key.usable_until_millis = now * 1000;
    });
}

#[test]
fn a_renamed_repository_gets_its_secrets_under_its_new_name() {
    let sandbox = sandbox();
    {
        let mut world = sandbox.world();
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        repository.former_names.push("acme/shop-old".to_owned());
    }
    let run = || Run::bootstrap(&sandbox).input("github-repository", "acme/shop-old");
    let outcome = run().go().green();
    the_delivered_pair(&sandbox);
    assert!(
        outcome
            .warnings()
            .iter()
            .any(|warning| warning.contains("moved to acme/shop")),
        "{}",
        outcome.stdout
    );
    sandbox.advance(Duration::from_mins(1));
    assert_eq!(
        run().go().green().journal.writes().len(),
        2,
        "only the admin key's pair"
    );
}

#[test]
fn a_long_app_name_makes_a_key_name_that_fits() {
    let sandbox = sandbox();
    let app = "a-very-long-application-name-that-goes-on";
    let run = || {
        Run::bootstrap(&sandbox)
            .input("app", app)
            .input("log-bucket", "shop-logs")
    };
    run().go().green();
    let names = live_keys(&sandbox);
    assert!(
        names[0].len() <= 63 && names[0].starts_with("a-very-long-applicatio"),
        "{names:?}"
    );
    sandbox.advance(Duration::from_mins(1));
    assert_eq!(
        run().go().green().journal.writes().len(),
        2,
        "the cut name is found again"
    );
}

#[test]
fn a_new_bucket_and_a_new_key_may_take_their_time() {
    let slow = world().with_switches(|switches| {
        switches.bucket_create_delay = Duration::from_millis(1500);
        switches.key_create_delay = Duration::from_millis(1500);
        switches.key_delete_delay = Duration::from_secs(5);
    });
    let sandbox = Sandbox::start(slow);
    with_logs(&sandbox).go().green();
    let id = the_delivered_pair(&sandbox);
    assert_eq!(live_keys(&sandbox).len(), 1);
    assert_eq!(the_active_key(&sandbox), id);
}

#[test]
fn more_keys_than_fit_on_a_page_are_all_seen() {
    let many = |world: World, n: usize| world.with_key(&format!("somebody-{n}"), &[]);
    let crowded = (0..25)
        .fold(world().with_full_access_pair(), many)
        .with_switches(|switches| switches.page_size_cap = 7);
    let sandbox = Sandbox::start(crowded);
    with_logs(&sandbox).with_full_access().go().green();
    sandbox.advance(Duration::from_mins(1));
    let again = with_logs(&sandbox).with_full_access().go().green();
    assert!(again.journal.writes().is_empty(), "{:#?}", again.journal.writes());
}
