//! Apps and their deployments.

use serde_json::{Value, json};
use spacekeeper::model::spec::{AppSpec, Env, EnvKind, Place};
use spacekeeper::remote::digitalocean::{App, Phase};
use spacekeeper::remote::{FailureKind, WriteFailure};
use spacekeeper_sandbox::FaceName::DigitalOcean;
use spacekeeper_sandbox::digitalocean::Course;
use spacekeeper_sandbox::{Fault, Sandbox, World};

use super::clients::digitalocean;

fn shop() -> Value {
    json!({
        "name": "shop",
        "x-later-field": { "z": 1, "a": 2 },
        "services": [{ "name": "api", "instance_count": 2 }],
        "envs": [{ "key": "PASSWORD", "value": "hunter2", "type": "SECRET" }],
    })
}

fn keyed(app: &App, id: &str) -> AppSpec {
    let value = |key: &str, value: &str, kind| Env {
        key: key.to_owned(),
        value: value.to_owned(),
        kind,
    };
    let envs = [
        value("SPACES_ACCESS_KEY_ID", id, EnvKind::General),
        value("SPACES_SECRET_KEY", "plain-s3cret", EnvKind::Secret),
    ];
    app.spec.with(&Place::App, &envs).expect("the app level exists")
}

#[tokio::test]
async fn an_app_is_found_by_name_and_by_id_on_any_page() {
    let world = (0..5).fold(World::new(), |world, n| {
        world.with_app(json!({ "name": format!("app-{n}") }))
    });
    let sandbox = Sandbox::start(world.with_switches(|switches| switches.page_size_cap = 2));
    let client = digitalocean(&sandbox);
    let by_name = client.find_app("app-0").await.expect("by name");
    let by_id = client.find_app(&by_name.id).await.expect("by id");
    assert_eq!(by_id.spec.name(), "app-0");
    assert!(by_id.active.is_some() && by_id.pinned.is_none());
    let missing = client.find_app("shop").await.expect_err("there is no shop");
    assert_eq!(missing.kind, FailureKind::NotFound);
    assert!(missing.detail.contains("app-3"), "{missing}");
}

#[tokio::test]
async fn an_update_causes_the_deployment_that_is_pending() {
    let sandbox = Sandbox::start(World::new().with_app(shop()));
    let client = digitalocean(&sandbox);
    let app = client.find_app("shop").await.expect("the app");
    let spec = keyed(&app, "DO00NEW");
    client.propose(&app.id, &spec).await.expect("accepted");
    let updated = client.update_app(&app.id, &spec).await.expect("updated");
    let pending = updated.pending.expect("a deployment");
    let deployment = loop {
        let deployment = client
            .deployment(&app.id, &pending.id)
            .await
            .expect("a deployment");
        if deployment.phase.is_over() {
            break deployment;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert_eq!(deployment.phase, Phase::Active);
    assert_eq!(deployment.progress.done, deployment.progress.total);
    let listed = client.deployments(&app.id).await.expect("deployments");
    assert_eq!(listed.first().map(|newest| &newest.id), Some(&pending.id));
    let world = sandbox.world();
    let held = world.digitalocean.app("shop").expect("the app");
    assert_eq!(held.opened_env(None, "PASSWORD").as_deref(), Some("hunter2"));
    assert_eq!(held.spec["x-later-field"], shop()["x-later-field"]);
    assert!(!held.deployments.last().expect("a deployment").ships_new_source);
}

#[tokio::test]
async fn a_failed_deployment_tells_the_step_the_reason_and_the_log() {
    let world = World::new()
        .with_app(shop())
        .with_course("shop", Course::fails("api", "Unhealthy", "no answer on 8080"));
    let sandbox = Sandbox::start(world);
    let client = digitalocean(&sandbox);
    let app = client.find_app("shop").await.expect("the app");
    let pending = client
        .update_app(&app.id, &keyed(&app, "DO00NEW"))
        .await
        .expect("updated")
        .pending
        .expect("one");
    let failed = loop {
        let deployment = client
            .deployment(&app.id, &pending.id)
            .await
            .expect("a deployment");
        if deployment.phase.is_over() {
            break deployment;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    let step = failed.failed_step.expect("a failed step");
    assert_eq!(
        (step.component.as_deref(), step.code.as_deref()),
        (Some("api"), Some("Unhealthy"))
    );
    let tail = client
        .log_tail(&app.id, &failed.id, step.component.as_deref(), 1)
        .await
        .expect("a log");
    assert!(tail[0].contains("Unhealthy"), "{tail:?}");
    assert_eq!(sandbox.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn an_update_is_repeated_only_while_nothing_can_have_happened() {
    let sandbox = Sandbox::start(World::new().with_app(shop()));
    let client = digitalocean(&sandbox);
    let app = client.find_app("shop").await.expect("the app");
    sandbox.script(Fault::on(DigitalOcean).method("PUT").before().status(429));
    client
        .update_app(&app.id, &keyed(&app, "DO00ONE"))
        .await
        .expect("updated after the limit");
    sandbox.clear_journal();
    sandbox.script(Fault::on(DigitalOcean).method("PUT").after().reset());
    let lost = client
        .update_app(&app.id, &keyed(&app, "DO00TWO"))
        .await
        .expect_err("the reply is lost");
    assert!(matches!(lost, WriteFailure::Lost(_)));
    assert_eq!(sandbox.journal().len(), 1);
    let present = client.app(&app.id).await.expect("the app");
    assert_eq!(
        present.spec.value(&Place::App, "SPACES_ACCESS_KEY_ID"),
        Some("DO00TWO")
    );
}

#[tokio::test]
async fn a_refusal_that_quotes_a_secret_does_not_pass_it_on() {
    let sandbox = Sandbox::start(World::new().with_app(shop()));
    let client = digitalocean(&sandbox);
    let app = client.find_app("shop").await.expect("the app");
    let body = r#"{"id":"bad_request","message":"invalid value plain-s3cret"}"#;
    sandbox.script(
        Fault::on(DigitalOcean)
            .method("PUT")
            .before()
            .status(400)
            .body(body),
    );
    let refused = client
        .update_app(&app.id, &keyed(&app, "DO00NEW"))
        .await
        .expect_err("refused");
    assert_eq!(&*refused.failure().detail, "400 invalid value ***");
}
