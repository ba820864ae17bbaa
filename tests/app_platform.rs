//! The app gets its variables and nothing else changes; its own deployment is waited for.

use std::time::Duration;

use serde_json::{Value, json};
use spacekeeper_sandbox::digitalocean::{Course, Phase};

use crate::fixture::app::{holds_the_pair, look, run, save, spec, with_app, with_spec};
use crate::fixture::{DigitalOcean, Fault, Outcome, REPOSITORY, Sandbox, the_delivered_pair};

/// Our variables and how App Platform keeps them.
const OURS: [(&str, bool); 6] = [
    ("SPACES_BUCKET", false),
    ("SPACES_REGION", false),
    ("SPACES_ENDPOINT", false),
    ("SPACES_ACCESS_KEY_ID", false),
    ("SPACES_ACCESS_KEY", true),
    ("SPACES_SECRET_KEY", true),
];

/// The spec without our variables at one place.
fn without_ours(mut spec: Value, place: &str) -> Value {
    let ours = |env: &Value| OURS.iter().any(|(name, _)| env["key"] == *name);
    if let Some(envs) = spec.pointer_mut(place).and_then(Value::as_array_mut) {
        envs.retain(|env| !ours(env));
    }
    spec
}

#[test]
fn the_app_itself_gets_the_variables_and_nothing_else_changes() {
    let sandbox = with_app();
    let before = look(&sandbox, |app| app.spec.clone());
    run(&sandbox).go().green();
    holds_the_pair(&sandbox, None);
    let after = look(&sandbox, |app| app.spec.clone());
    // As text: the order of the fields and the sealed values count.
    assert_eq!(
        without_ours(after.clone(), "/envs").to_string(),
        before.to_string(),
        "byte for byte"
    );
    for (name, secret) in OURS {
        let envs = after["envs"].as_array().expect("a list");
        let env = envs.iter().find(|env| env["key"] == name).expect(name);
        assert_eq!(env["type"] == "SECRET", secret, "{env}");
        assert_eq!(
            env["value"]
                .as_str()
                .is_some_and(|value| value.starts_with("EV[")),
            secret,
            "{name}"
        );
        if secret {
            assert_eq!(env["scope"], "RUN_TIME", "{name} is not seen by builds");
        }
    }
}

#[test]
fn only_the_listed_components_get_the_variables() {
    let sandbox = with_app();
    let before = look(&sandbox, |app| app.spec.clone());
    run(&sandbox).input("app-components", "api\nmailer").go().green();
    holds_the_pair(&sandbox, Some("api"));
    holds_the_pair(&sandbox, Some("mailer"));
    let after = look(&sandbox, |app| app.spec.clone());
    let stripped = without_ours(without_ours(after.clone(), "/services/0/envs"), "/workers/0/envs");
    let mut expected = before;
    // A component without variables has a list of them now.
    expected["workers"][0]["envs"] = json!([]);
    assert_eq!(stripped.to_string(), expected.to_string());
    assert_eq!(after["envs"], expected["envs"], "the app level is untouched");
}

#[test]
fn a_variable_that_stands_there_already_keeps_its_place() {
    let mut spec = spec();
    let envs = spec["envs"].as_array_mut().expect("a list");
    envs.insert(
        1,
        json!({ "key": "SPACES_BUCKET", "value": "an-old-bucket", "scope": "RUN_TIME", "x": 1 }),
    );
    let sandbox = with_spec(spec);
    run(&sandbox).input("overwrite", "true").go().green();
    let env = look(&sandbox, |app| app.spec["envs"][1].clone());
    assert_eq!(
        (&env["key"], &env["value"]),
        (&json!("SPACES_BUCKET"), &json!("shop-uploads"))
    );
    assert_eq!(
        (&env["scope"], &env["x"]),
        (&json!("RUN_TIME"), &json!(1)),
        "its own fields stay"
    );
}

#[test]
fn an_app_without_any_variables_gets_its_first() {
    let bare = json!({ "name": "shop", "region": "nyc", "services": [{ "name": "api" }] });
    let sandbox = with_spec(bare);
    run(&sandbox).go().green();
    holds_the_pair(&sandbox, None);
}

#[test]
fn an_app_may_be_called_by_its_id() {
    let sandbox = with_app();
    let id = look(&sandbox, |app| app.id.clone());
    run(&sandbox).input("app-platform-app", &id).go().green();
    holds_the_pair(&sandbox, None);
}

#[test]
fn no_new_code_is_shipped() {
    let sandbox = with_app();
    let outcome = run(&sandbox).go().green();
    assert_eq!(outcome.journal.count(DigitalOcean, "PUT", "/v2/apps/"), 1);
    assert_eq!(outcome.journal.count(DigitalOcean, "POST", "/deployments"), 0);
    look(&sandbox, |app| {
        assert_eq!(app.deployments.len(), 2);
        assert!(
            app.deployments
                .iter()
                .all(|deployment| !deployment.ships_new_source)
        );
    });
}

#[test]
fn its_own_deployment_is_waited_for() {
    let sandbox = with_app();
    sandbox.world().switches.deployment_phase = Duration::from_millis(300);
    let outcome = run(&sandbox).go().green();
    let (id, phase) = look(&sandbox, |app| {
        let last = app.deployments.last().expect("a deployment");
        (last.id.clone(), last.phase)
    });
    assert_eq!(phase, Phase::Active);
    assert!(
        outcome
            .journal
            .count(DigitalOcean, "GET", &format!("/deployments/{id}"))
            > 1
    );
    assert!(
        outcome.stdout.contains(&id),
        "progress is told:\n{}",
        outcome.stdout
    );
}

#[test]
fn a_deployment_that_somebody_else_started_is_not_taken_for_its_own() {
    let sandbox = with_app();
    sandbox.world().switches.deployment_phase = Duration::from_millis(300);
    save(&sandbox, |spec| {
        spec["services"][1]["instance_count"] = json!(3);
    });
    run(&sandbox).go().green();
    holds_the_pair(&sandbox, None);
    look(&sandbox, |app| {
        assert_eq!(app.spec["services"][1]["instance_count"], 3);
    });
}

#[test]
fn who_does_not_want_to_wait_does_not() {
    let sandbox = with_app();
    sandbox.world().switches.deployment_phase = Duration::from_mins(10);
    run(&sandbox).input("wait-for-deployment", "false").go().green();
    the_delivered_pair(&sandbox);
    look(&sandbox, |app| {
        assert!(!app.deployments.last().expect("a deployment").phase.is_terminal());
    });
}

#[test]
fn a_deployment_that_is_still_on_its_way_is_joined_by_the_next_run() {
    let sandbox = with_app();
    sandbox.world().switches.deployment_phase = Duration::from_millis(700);
    run(&sandbox).input("wait-for-deployment", "false").go().green();
    let outcome = run(&sandbox).go().green();
    assert!(
        outcome.journal.writes().is_empty(),
        "{:#?}",
        outcome.journal.writes()
    );
    holds_the_pair(&sandbox, None);
}

#[test]
fn a_put_that_makes_no_deployment_is_followed_by_another_that_does() {
    let sandbox = with_app();
    sandbox
        .world()
        .digitalocean
        .app_mut("shop")
        .expect("the app")
        .script(Course::NeverCreated);
    let outcome = run(&sandbox).go().green();
    holds_the_pair(&sandbox, None);
    assert_eq!(outcome.journal.count(DigitalOcean, "PUT", "/v2/apps/"), 2);
}

#[test]
fn an_app_that_never_deploys_is_told() {
    let sandbox = with_app();
    sandbox
        .world()
        .digitalocean
        .app_mut("shop")
        .expect("the app")
        .course = Course::NeverCreated;
    let outcome = run(&sandbox).go().red();
    outcome.complains(&["app shop", "no deployment", "control panel"]);
    the_delivered_pair(&sandbox);
}

#[test]
fn on_a_converged_app_nothing_is_put() {
    let sandbox = with_app();
    run(&sandbox).go().green();
    let before = look(&sandbox, |app| (app.updated_at, app.deployments.len()));
    sandbox.advance(Duration::from_mins(1));
    let outcome = run(&sandbox).go().green();
    assert!(
        outcome.journal.writes().is_empty(),
        "{:#?}",
        outcome.journal.writes()
    );
    assert_eq!(
        look(&sandbox, |app| (app.updated_at, app.deployments.len())),
        before
    );
}

#[test]
fn a_plain_variable_changed_by_hand_is_set_again_without_a_new_key() {
    let sandbox = with_app();
    run(&sandbox).go().green();
    let id = the_delivered_pair(&sandbox);
    save(&sandbox, |spec| {
        let envs = spec["envs"].as_array_mut().expect("a list");
        envs.retain(|env| env["key"] != "SPACES_BUCKET");
    });
    let outcome = run(&sandbox).go().green();
    assert_eq!(the_delivered_pair(&sandbox), id);
    holds_the_pair(&sandbox, None);
    assert_eq!(
        outcome.journal.writes().len(),
        1,
        "{:#?}",
        outcome.journal.writes()
    );
}

#[test]
fn a_key_taken_out_of_the_app_by_hand_means_a_new_key() {
    let sandbox = with_app();
    run(&sandbox).go().green();
    let id = the_delivered_pair(&sandbox);
    save(&sandbox, |spec| {
        let envs = spec["envs"].as_array_mut().expect("a list");
        envs.retain(|env| env["key"] != "SPACES_SECRET_KEY");
    });
    run(&sandbox).go().green();
    assert_ne!(the_delivered_pair(&sandbox), id);
    holds_the_pair(&sandbox, None);
}

#[test]
fn a_component_that_hides_a_variable_of_the_app_is_told_and_left() {
    let mut spec = spec();
    spec["services"][0]["envs"]
        .as_array_mut()
        .expect("a list")
        .push(json!({ "key": "SPACES_BUCKET", "value": "my-own" }));
    let sandbox = with_spec(spec);
    let outcome = run(&sandbox).go().green();
    let warnings = outcome.warnings().join("\n");
    assert!(
        warnings.contains("component api has a SPACES_BUCKET of its own")
            && warnings.contains("app-components"),
        "{warnings}"
    );
    assert_eq!(
        look(&sandbox, |app| app.opened_env(Some("api"), "SPACES_BUCKET")).as_deref(),
        Some("my-own")
    );
}

#[test]
fn keys_of_two_buckets_reach_the_app_in_one_put() {
    let sandbox = with_app();
    let outcome = run(&sandbox)
        .input("buckets", "shop-uploads\nshop-invoices")
        .input("key-scope", "bucket")
        .go()
        .green();
    assert_eq!(outcome.journal.count(DigitalOcean, "PUT", "/v2/apps/"), 1);
    look(&sandbox, |app| {
        for suffix in ["SHOP_UPLOADS", "SHOP_INVOICES"] {
            assert!(
                app.live_env(None, &format!("SPACES_SECRET_KEY_{suffix}"))
                    .is_some(),
                "{suffix}"
            );
        }
    });
}

#[test]
fn a_lost_reply_of_the_put_is_looked_up_and_not_sent_again() {
    for lost in [
        Fault::on(DigitalOcean)
            .method("PUT")
            .path_contains("/v2/apps/")
            .after()
            .reset(),
        Fault::on(DigitalOcean)
            .method("PUT")
            .path_contains("/v2/apps/")
            .after()
            .status(502),
    ] {
        let sandbox = with_app();
        sandbox.script(lost);
        let outcome = run(&sandbox).go().green();
        holds_the_pair(&sandbox, None);
        assert_eq!(outcome.journal.count(DigitalOcean, "PUT", "/v2/apps/"), 1);
    }
}

#[test]
fn a_put_that_never_arrived_is_sent_again() {
    let sandbox = with_app();
    sandbox.script(
        Fault::on(DigitalOcean)
            .method("PUT")
            .path_contains("/v2/apps/")
            .before()
            .reset(),
    );
    run(&sandbox).go().green();
    holds_the_pair(&sandbox, None);
}

#[test]
fn a_save_between_reading_and_writing_is_not_lost() {
    let sandbox = with_app();
    sandbox.script(
        Fault::on(DigitalOcean)
            .method("PUT")
            .path_contains("/v2/apps/")
            .hold(),
    );
    let running = run(&sandbox).start();
    running.held();
    save(&sandbox, |spec| {
        spec["services"][1]["instance_count"] = json!(7);
    });
    sandbox.release();
    running.finish().green();
    holds_the_pair(&sandbox, None);
    assert_eq!(
        look(&sandbox, |app| app.spec["services"][1]["instance_count"].clone()),
        7,
        "somebody's save survives"
    );
}

/// A save by somebody else while the PUT is under way; it is made while this request is held.
#[track_caller]
fn with_a_save_beside(sandbox: &Sandbox, held: Fault) -> Outcome {
    sandbox.script(held.hold());
    let running = run(sandbox).start();
    running.held();
    save(sandbox, |spec| spec["services"][1]["instance_count"] = json!(7));
    sandbox.release();
    let outcome = running.finish().green();
    holds_the_pair(sandbox, None);
    let saved = look(sandbox, |app| app.spec["services"][1]["instance_count"].clone());
    assert_eq!(saved, 7, "somebody's save survives");
    outcome
}

fn the_put() -> Fault {
    Fault::on(DigitalOcean).method("PUT").path_contains("/v2/apps/")
}

/// The last read of the app before its PUT.
fn the_read_before_the_put(sandbox: &Sandbox) -> Fault {
    let id = look(sandbox, |app| app.id.clone());
    let reads = Fault::on(DigitalOcean)
        .method("GET")
        .path_contains(&format!("/v2/apps/{id}"));
    // The list of its deployments comes first.
    reads.skip(1).after()
}

#[test]
fn a_save_between_reading_and_a_put_whose_reply_is_lost_is_not_lost() {
    let sandbox = with_app();
    let read = the_read_before_the_put(&sandbox);
    sandbox.script(the_put().after().reset());
    with_a_save_beside(&sandbox, read);
}

#[test]
fn a_save_beside_a_put_that_makes_no_deployment_is_not_lost() {
    let sandbox = with_app();
    {
        let mut world = sandbox.world();
        let app = world.digitalocean.app_mut("shop").expect("the app");
        // Theirs is made, ours is not.
        app.script(Course::Succeeds);
        app.script(Course::NeverCreated);
    }
    with_a_save_beside(&sandbox, the_put());
}

#[test]
fn a_save_beside_a_put_of_the_unchanged_spec_is_not_lost() {
    let sandbox = with_app();
    let failing = Course::fails("api", "DeployContainerExitNonZero", "farewell");
    sandbox
        .world()
        .digitalocean
        .app_mut("shop")
        .expect("the app")
        .script(failing);
    run(&sandbox).go().red();
    let id = the_delivered_pair(&sandbox);
    with_a_save_beside(&sandbox, the_put());
    assert_eq!(the_delivered_pair(&sandbox), id);
}

#[test]
fn a_save_that_takes_the_new_key_away_again_is_given_it_once_more() {
    let sandbox = with_app();
    let before = look(&sandbox, |app| app.spec.clone());
    // The reply of the PUT is on its way when somebody saves the page that they opened before it.
    sandbox.script(the_put().after().hold());
    let running = run(&sandbox).start();
    running.held();
    save(&sandbox, |spec| {
        *spec = before;
        spec["services"][1]["instance_count"] = json!(7);
    });
    sandbox.release();
    running.finish().green();
    holds_the_pair(&sandbox, None);
    let saved = look(&sandbox, |app| app.spec["services"][1]["instance_count"].clone());
    assert_eq!(saved, 7);
}

#[test]
fn what_somebody_else_has_put_right_meanwhile_is_not_put_again() {
    let sandbox = with_app();
    run(&sandbox).go().green();
    let take = |spec: &mut Value| {
        let envs = spec["envs"].as_array_mut().expect("a list");
        let at = envs
            .iter()
            .position(|env| env["key"] == "SPACES_BUCKET")
            .expect("ours");
        envs.remove(at)
    };
    let mut taken = Value::Null;
    save(&sandbox, |spec| taken = take(spec));
    let listing = Fault::on(DigitalOcean)
        .method("GET")
        .path_contains("/deployments?");
    sandbox.script(listing.hold());
    let running = run(&sandbox).start();
    running.held();
    save(&sandbox, |spec| {
        spec["envs"].as_array_mut().expect("a list").push(taken);
    });
    sandbox.release();
    let outcome = running.finish().green();
    assert!(
        outcome.journal.writes().is_empty(),
        "{:#?}",
        outcome.journal.writes()
    );
    let wanted = look(&sandbox, |app| app.opened_env(None, "SPACES_BUCKET"));
    assert_eq!(wanted.as_deref(), Some("shop-uploads"));
}

#[test]
fn a_listed_component_has_the_last_word_and_the_app_keeps_its_own_variable() {
    let mut spec = spec();
    let own = json!({ "key": "SPACES_BUCKET", "value": "for-all-others" });
    spec["envs"].as_array_mut().expect("a list").push(own);
    let sandbox = with_spec(spec);
    let outcome = run(&sandbox).input("app-components", "api").go().green();
    holds_the_pair(&sandbox, Some("api"));
    let of_the_app = look(&sandbox, |app| app.live_env(None, "SPACES_BUCKET"));
    assert_eq!(of_the_app.as_deref(), Some("for-all-others"));
    assert!(
        outcome.warnings().is_empty(),
        "nothing is hidden: {:?}",
        outcome.warnings()
    );
}

#[test]
fn a_component_s_bindables_and_the_databases_pass_through() {
    let mut spec = spec();
    let bound = [
        json!({ "key": "DATABASE_URL", "value": "${db.DATABASE_URL}", "scope": "RUN_TIME" }),
        json!({ "key": "CA", "value": "${db.CA_CERT}" }),
        json!({ "key": "OWN_URL", "value": "${_self.PRIVATE_URL}" }),
    ];
    spec["workers"][0]["envs"] = json!(bound);
    spec["databases"] =
        json!([{ "name": "db", "engine": "PG", "production": true, "cluster_name": "main", "x": null }]);
    let sandbox = with_spec(spec);
    let before = look(&sandbox, |app| app.spec.clone());
    run(&sandbox).input("app-components", "mailer").go().green();
    holds_the_pair(&sandbox, Some("mailer"));
    let after = look(&sandbox, |app| app.spec.clone());
    assert_eq!(
        without_ours(after, "/workers/0/envs").to_string(),
        before.to_string()
    );
}

#[test]
fn a_spec_that_app_platform_refuses_to_judge_as_it_stands_is_told_and_sent() {
    let sandbox = with_app();
    sandbox.world().switches.propose_accepts_sealed = false;
    let outcome = run(&sandbox).go().green();
    holds_the_pair(&sandbox, None);
    let warnings = outcome.warnings().join("\n");
    assert!(warnings.contains("refuses even its present spec"), "{warnings}");
}

#[test]
fn what_says_where_goes_with_the_put_of_another_key() {
    let sandbox = with_app();
    let two = || {
        let run = run(&sandbox).input("buckets", "shop-uploads\nshop-invoices");
        run.input("key-scope", "bucket")
    };
    two().go().green();
    save(&sandbox, |spec| {
        let envs = spec["envs"].as_array_mut().expect("a list");
        envs.retain(|env| env["key"] != "SPACES_BUCKET_SHOP_INVOICES");
    });
    {
        let mut world = sandbox.world();
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        repository.secrets.remove("SPACES_SECRET_KEY_SHOP_UPLOADS");
    }
    let outcome = two().go().green();
    assert_eq!(outcome.journal.count(DigitalOcean, "PUT", "/v2/apps/"), 1);
    let outcome = two().go().green();
    assert!(
        outcome.journal.writes().is_empty(),
        "{:#?}",
        outcome.journal.writes()
    );
}
