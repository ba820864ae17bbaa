//! An old key is deleted when nothing can hold it any more, and whatever speaks against that is told in its own sentence.

use std::time::Duration;

use serde_json::json;
use spacekeeper_sandbox::digitalocean::Course;
use spacekeeper_sandbox::github::Run as WorkflowRun;

use crate::fixture::{
    DigitalOcean, Fault, GitHub, REPOSITORY, Run, Sandbox, World, live_keys, the_delivered_pair, world,
};

const DAY: Duration = Duration::from_hours(24);

/// How the next runs ask: without waiting for rivals or deployments longer than needed.
type Ask = for<'a> fn(&'a Sandbox) -> Run<'a>;

fn plain(sandbox: &Sandbox) -> Run<'_> {
    Run::rotate(sandbox)
}

fn with_app(sandbox: &Sandbox) -> Run<'_> {
    Run::rotate(sandbox).input("app-platform-app", "shop")
}

/// A world in which a key was superseded by a forced rotation. Returns the superseded one.
fn superseded(world: World, ask: Ask) -> (Sandbox, String) {
    let sandbox = Sandbox::start(world);
    ask(&sandbox).input("command", "bootstrap").go().green();
    let old = the_delivered_pair(&sandbox);
    sandbox.advance(Duration::from_secs(5));
    ask(&sandbox).input("force", "true").go().green();
    (sandbox, old)
}

fn app_world() -> World {
    world().with_app(json!({ "name": "shop", "services": [{ "name": "api" }] }))
}

fn is_alive(sandbox: &Sandbox, id: &str) -> bool {
    let world = sandbox.world();
    world.digitalocean.key(id).expect("the key").is_live()
}

/// A run after the grace period keeps the old key and says why; when the cause is gone, the next run deletes it.
#[track_caller]
fn is_held_until(sandbox: &Sandbox, old: &str, ask: Ask, why: &str, mend: impl FnOnce(&Sandbox)) {
    sandbox.advance(DAY * 2);
    let outcome = ask(sandbox).run_id(500).go();
    assert!(
        is_alive(sandbox, old),
        "it is deleted too early:\n{}",
        outcome.stdout
    );
    assert!(
        outcome.keeps(old).contains(why),
        "`{why}` is not in `{}`",
        outcome.keeps(old)
    );
    mend(sandbox);
    ask(sandbox).run_id(501).go();
    sandbox.advance(DAY * 2);
    ask(sandbox).run_id(502).go().green();
    assert!(!is_alive(sandbox, old), "nothing holds it any more");
    assert!(sandbox.violations().is_empty(), "{:?}", sandbox.violations());
}

#[test]
fn grace() {
    let (sandbox, old) = superseded(world(), plain);
    let outcome = plain(&sandbox).run_id(5).go().green();
    assert!(outcome.keeps(&old).starts_with("its grace period lasts until "));
    assert!(outcome.journal.writes().is_empty());
}

#[test]
fn a_workflow_run_that_was_queued_before_the_delivery() {
    let (sandbox, old) = superseded(world(), plain);
    {
        let mut world = sandbox.world();
        let queued = world.clock.now() - 600;
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        repository
            .runs
            .push(WorkflowRun::in_progress(77, queued).queued());
    }
    is_held_until(
        &sandbox,
        &old,
        plain,
        "workflow run 77 of acme/shop, queued at ",
        |sandbox| {
            let mut world = sandbox.world();
            let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
            repository.runs[0].finish("success");
        },
    );
}

#[test]
fn a_workflow_run_that_was_queued_later_has_the_new_pair() {
    let (sandbox, old) = superseded(world(), plain);
    sandbox.advance(DAY * 2);
    {
        let mut world = sandbox.world();
        let queued = world.clock.now() - 600;
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        repository.runs.push(WorkflowRun::in_progress(78, queued));
    }
    plain(&sandbox).run_id(5).go().green();
    assert!(!is_alive(&sandbox, &old));
}

#[test]
fn where_workflow_runs_cannot_be_seen_grace_alone_counts_and_that_is_said() {
    use spacekeeper_sandbox::github::Access;
    let permissions = [
        ("secrets", Access::Write),
        ("actions_variables", Access::Write),
        ("metadata", Access::Read),
    ];
    let blind = world().with_fine_grained_token("github_pat_blind", &permissions);
    let ask: Ask = |sandbox| Run::rotate(sandbox).input("github-token", "github_pat_blind");
    let (sandbox, old) = superseded(blind, ask);
    let kept = ask(&sandbox).run_id(5).go().green();
    assert!(
        kept.keeps(&old).contains("github-token lacks Actions: read"),
        "{}",
        kept.keeps(&old)
    );
    sandbox.advance(DAY * 2);
    let outcome = ask(&sandbox).run_id(6).go().green();
    assert!(!is_alive(&sandbox, &old));
    assert!(
        outcome
            .stdout
            .contains("nobody could look at workflow runs of acme/shop"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_list_of_workflow_runs_that_fails_holds_the_key() {
    let (sandbox, old) = superseded(world(), plain);
    sandbox.script(
        Fault::on(GitHub)
            .path_contains("/actions/runs?")
            .status(500)
            .forever(),
    );
    is_held_until(
        &sandbox,
        &old,
        plain,
        "the list of workflow runs of acme/shop could not be read",
        Sandbox::clear_faults,
    );
}

#[test]
fn another_app_that_names_it() {
    let (sandbox, old) = superseded(
        world().with_app(json!({ "name": "blog", "workers": [{ "name": "w" }] })),
        plain,
    );
    let save = |value: serde_json::Value| {
        let mut world = sandbox.world();
        let (now, switches) = (world.clock.now(), world.switches.clone());
        let app = world.digitalocean.app_mut("blog").expect("the app");
        app.save(now, &switches, |spec| spec["workers"][0]["envs"] = value);
    };
    save(json!([{ "key": "S3_URL", "value": format!("s3://{old}@nyc3.example/blog") }]));
    is_held_until(&sandbox, &old, plain, "app blog still names it", |_| {
        save(json!([]));
    });
}

#[test]
fn a_token_that_may_not_list_apps_relies_on_grace_and_says_so() {
    let scopes = [
        "spaces_key:create_credentials",
        "spaces_key:read",
        "spaces_key:update",
        "spaces_key:delete",
    ];
    let narrow = world().with_digitalocean_token("dop_v1_narrow", &scopes);
    let ask: Ask = |sandbox| Run::rotate(sandbox).input("digitalocean-token", "dop_v1_narrow");
    let (sandbox, old) = superseded(narrow, ask);
    sandbox.advance(DAY * 2);
    let outcome = ask(&sandbox).run_id(5).go().green();
    assert!(!is_alive(&sandbox, &old));
    assert!(
        outcome.stdout.contains("digitalocean-token lacks app:read"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_deployment_that_serves_the_old_key() {
    let ask: Ask = |sandbox| with_app(sandbox).input("wait-for-deployment", "false");
    let sandbox = Sandbox::start(app_world());
    ask(&sandbox).input("command", "bootstrap").go().green();
    let old = the_delivered_pair(&sandbox);
    sandbox.advance(Duration::from_secs(30));
    sandbox
        .world()
        .digitalocean
        .app_mut("shop")
        .expect("the app")
        .script(Course::fails("api", "DeployContainerExitNonZero", "exit 1"));
    ask(&sandbox).input("force", "true").go().green();
    is_held_until(
        &sandbox,
        &old,
        ask,
        "of app shop does not carry the current key",
        |_| {},
    );
}

#[test]
fn grace_counts_from_the_deployment_that_brought_the_new_key() {
    let (sandbox, old) = superseded(app_world(), with_app);
    {
        // The app goes back to the old key for a while, as a deploy with stale secrets does, and is put right again.
        let mut world = sandbox.world();
        world.clock.advance(DAY * 2);
        let now = world.clock.now();
        let app = world.digitalocean.app_mut("shop").expect("the app");
        let last = app
            .deployments
            .iter_mut()
            .max_by_key(|one| one.created_at)
            .expect("a deployment");
        last.created_at = now - 60;
    }
    let outcome = with_app(&sandbox).run_id(5).go().green();
    assert!(
        is_alive(&sandbox, &old),
        "the app serves the new key for a minute only"
    );
    assert!(outcome.keeps(&old).starts_with("its grace period lasts until "));
    sandbox.advance(DAY);
    with_app(&sandbox).run_id(6).go().green();
    assert!(!is_alive(&sandbox, &old));
}

#[test]
fn drift_of_the_current_key() {
    let (sandbox, old) = superseded(world(), plain);
    sandbox.advance(DAY * 2);
    {
        let mut world = sandbox.world();
        let now = world.clock.now();
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        repository.secrets.set("SPACES_ACCESS_KEY", old.as_str(), now);
    }
    let current = variable_id(&sandbox);
    // The mint that would repair it fails, so the drift stays.
    let no_mint = Fault::on(DigitalOcean)
        .method("POST")
        .path_contains("/v2/spaces/keys");
    sandbox.script(no_mint.status(403).forever());
    let outcome = plain(&sandbox).run_id(5).go().red();
    assert!(is_alive(&sandbox, &old), "a sink holds its id again");
    assert!(
        outcome.keeps(&old).contains("the current key is not in every sink: secret SPACES_ACCESS_KEY in acme/shop was written by someone else"),
        "{}",
        outcome.keeps(&old)
    );
    assert!(is_alive(&sandbox, &current));
    sandbox.clear_faults();
    plain(&sandbox).run_id(6).go().green();
    sandbox.advance(DAY * 2);
    plain(&sandbox).run_id(7).go().green();
    assert_eq!(live_keys(&sandbox).len(), 1);
    assert!(sandbox.violations().is_empty(), "{:?}", sandbox.violations());
}

fn variable_id(sandbox: &Sandbox) -> String {
    crate::fixture::variable(sandbox, "SPACES_ACCESS_KEY_ID").expect("the variable")
}

#[test]
fn a_doubtful_key_goes_through_the_gate() {
    let sandbox = Sandbox::start(world());
    let held = Fault::on(GitHub).method("PUT").path_contains("/secrets/").hold();
    sandbox.script(held);
    let dying = Run::bootstrap(&sandbox).start();
    assert!(
        sandbox.wait_until_held(Duration::from_mins(1)).is_some(),
        "it delivers"
    );
    dying.kill();
    sandbox.drop_held();
    let doubtful = {
        let world = sandbox.world();
        let key = world
            .digitalocean
            .live_keys()
            .find(|key| key.name.ends_with("--delivering"));
        key.expect("a half delivered key").access_key.clone()
    };
    sandbox.advance(Duration::from_mins(15));
    let outcome = plain(&sandbox).go().green();
    assert!(
        outcome.stdout.contains("a run died while it delivered"),
        "{}",
        outcome.stdout
    );
    assert!(outcome.summary.contains("doubtful"), "{}", outcome.summary);
    assert!(is_alive(&sandbox, &doubtful));
    sandbox.advance(DAY * 2);
    plain(&sandbox).run_id(8).go().green();
    assert!(!is_alive(&sandbox, &doubtful));
    assert!(sandbox.violations().is_empty(), "{:?}", sandbox.violations());
}

#[test]
fn an_adopted_key_is_the_predecessor_and_is_never_renamed() {
    let by_hand = world().with_key("made by hand", &[("shop-uploads", "readwrite")]);
    let sandbox = Sandbox::start(by_hand.with_bucket("nyc3", "shop-uploads"));
    let by_hand = {
        let world = sandbox.world();
        world
            .digitalocean
            .key_named("made by hand")
            .expect("the key")
            .access_key
            .clone()
    };
    let adopting = || Run::rotate(&sandbox).input("adopt-access-key-id", &by_hand);
    let outcome = adopting().go().green();
    assert!(
        outcome
            .keeps(&by_hand)
            .starts_with("its grace period lasts until ")
    );
    assert!(
        live_keys(&sandbox).contains(&"made by hand".to_owned()),
        "not renamed"
    );
    sandbox.advance(DAY * 2);
    // Without the input it is a stranger's key again.
    Run::rotate(&sandbox).run_id(5).go().green();
    assert!(is_alive(&sandbox, &by_hand));
    let outcome = adopting().run_id(6).go().green();
    assert!(!is_alive(&sandbox, &by_hand));
    assert!(
        outcome.stdout.contains("adopted, its grace period is over"),
        "{}",
        outcome.stdout
    );
    let again = adopting().run_id(7).go().green();
    assert!(again.journal.writes().is_empty(), "{:#?}", again.journal);
}

#[test]
fn a_pinned_app_that_serves_the_old_key() {
    let (sandbox, old) = superseded(app_world(), with_app);
    {
        let mut world = sandbox.world();
        let app = world.digitalocean.app_mut("shop").expect("the app");
        let before_last = app.deployments.iter().rev().nth(1).expect("two deployments");
        app.pinned = Some(before_last.id.clone());
    }
    sandbox.advance(DAY * 2);
    let outcome = with_app(&sandbox).run_id(5).go().red();
    outcome.complains(&["app shop", "pinned to an older deployment"]);
    assert!(is_alive(&sandbox, &old));
    assert!(
        outcome
            .keeps(&old)
            .contains("app shop is pinned to an older deployment by a rollback")
    );
}
