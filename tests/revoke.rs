//! `revoke` replaces a compromised key and ends it as soon as its successor is delivered, and says what that breaks.

use std::time::Duration;

use serde_json::json;
use spacekeeper_sandbox::github::Run as WorkflowRun;

use crate::fixture::{
    DigitalOcean, Fault, GitHub, REPOSITORY, Run, Sandbox, live_keys, sandbox, the_active_key,
    the_delivered_pair, world,
};

fn delivered() -> (Sandbox, String) {
    let sandbox = sandbox();
    Run::bootstrap(&sandbox).go().green();
    let id = the_delivered_pair(&sandbox);
    sandbox.advance(Duration::from_secs(5));
    (sandbox, id)
}

fn is_alive(sandbox: &Sandbox, id: &str) -> bool {
    let world = sandbox.world();
    world
        .digitalocean
        .key(id)
        .is_some_and(spacekeeper_sandbox::digitalocean::Key::is_live)
}

#[test]
fn the_current_key_is_replaced_first_and_then_deleted_at_once() {
    let (sandbox, leaked) = delivered();
    let outcome = Run::revoke(&sandbox)
        .input("revoke-access-key-id", &leaked)
        .go()
        .green();
    let new = the_delivered_pair(&sandbox);
    assert_ne!(new, leaked);
    assert!(!is_alive(&sandbox, &leaked));
    assert_eq!(the_active_key(&sandbox), new);
    outcome.journal.goes(&[
        "POST /v2/spaces/keys",
        "PUT /secrets/SPACES_SECRET_KEY",
        "PUT /v2/spaces/keys/",
        "DELETE /v2/spaces/keys/",
    ]);
    assert_eq!(outcome.output("rotated"), "true");
}

#[test]
fn without_an_id_every_older_key_goes() {
    let (sandbox, first) = delivered();
    Run::rotate(&sandbox).input("force", "true").go().green();
    let second = the_delivered_pair(&sandbox);
    sandbox.advance(Duration::from_secs(5));
    Run::revoke(&sandbox).go().green();
    assert!(!is_alive(&sandbox, &first) && !is_alive(&sandbox, &second));
    the_delivered_pair(&sandbox);
    assert_eq!(live_keys(&sandbox).len(), 1);
}

#[test]
fn a_superseded_key_goes_without_another_rotation() {
    let (sandbox, first) = delivered();
    Run::rotate(&sandbox).input("force", "true").go().green();
    let second = the_delivered_pair(&sandbox);
    let outcome = Run::revoke(&sandbox)
        .input("revoke-access-key-id", &first)
        .go()
        .green();
    assert!(
        !is_alive(&sandbox, &first),
        "grace does not protect a compromised key"
    );
    assert_eq!(the_delivered_pair(&sandbox), second);
    assert_eq!(outcome.output("rotated"), "false");
}

#[test]
fn quarantine_empties_the_grants_and_leaves_the_key() {
    let (sandbox, leaked) = delivered();
    let quarantine = || {
        Run::revoke(&sandbox)
            .input("revoke-access-key-id", &leaked)
            .input("quarantine", "true")
    };
    let outcome = quarantine().go().green();
    {
        let world = sandbox.world();
        let key = world.digitalocean.key(&leaked).expect("the key");
        assert!(key.is_live() && key.grants.is_empty(), "{key:?}");
    }
    assert!(outcome.keeps(&leaked).starts_with("it is quarantined"));
    let again = quarantine().run_id(7).go().green();
    assert!(again.journal.writes().is_empty(), "{:#?}", again.journal);
    sandbox.advance(Duration::from_hours(48));
    Run::rotate(&sandbox).run_id(8).go().green();
    assert!(!is_alive(&sandbox, &leaked), "the gate deletes it in the end");
}

#[test]
fn it_says_what_breaks_and_a_dry_run_says_the_same() {
    let app = json!({ "name": "shop", "services": [{ "name": "api" }] });
    let sandbox = Sandbox::start(world().with_app(app));
    let with_app = |run: Run<'_>| -> String {
        let outcome = run.input("app-platform-app", "shop").go().green();
        outcome.warnings().join("\n")
    };
    with_app(Run::bootstrap(&sandbox));
    let leaked = the_delivered_pair(&sandbox);
    sandbox.advance(Duration::from_secs(30));
    {
        let mut world = sandbox.world();
        let now = world.clock.now();
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        repository.runs.push(WorkflowRun::in_progress(31, now - 20));
    }
    let planned = with_app(Run::revoke(&sandbox).input("dry-run", "true"));
    let plan = Run::revoke(&sandbox).input("dry-run", "true").go().green();
    let end = format!("key {leaked}: delete as soon as its successor is delivered: it is to be revoked");
    assert!(
        plan.stdout.contains(&end) && !plan.stdout.contains("kept"),
        "{}",
        plan.stdout
    );
    assert!(is_alive(&sandbox, &leaked));
    // The deployment of the new key must still be on its way when the old one goes.
    sandbox.world().switches.deployment_phase = Duration::from_millis(300);
    let done = with_app(Run::revoke(&sandbox));
    assert!(!is_alive(&sandbox, &leaked));
    for told in [&planned, &done] {
        assert!(told.contains("what still uses it breaks"), "{told}");
        assert!(told.contains("workflow run 31 of acme/shop"), "{told}");
    }
    assert!(planned.contains("the serving deployment"), "{planned}");
    assert!(done.contains("of app shop still names it"), "{done}");
}

#[test]
fn nothing_is_deleted_when_no_successor_can_be_delivered() {
    let (sandbox, leaked) = delivered();
    let refused = Fault::on(GitHub)
        .method("PUT")
        .path_contains("/secrets/")
        .status(403)
        .forever();
    sandbox.script(refused);
    let outcome = Run::revoke(&sandbox).go().red();
    outcome.complains(&[
        &leaked,
        "it is not revoked: no newer key is delivered yet",
        "run revoke again",
    ]);
    assert!(is_alive(&sandbox, &leaked));
    sandbox.clear_faults();
    sandbox.advance(Duration::from_mins(15));
    Run::revoke(&sandbox).run_id(7).go().green();
    assert!(!is_alive(&sandbox, &leaked));
    assert_eq!(live_keys(&sandbox).len(), 1);
}

#[test]
fn a_delete_that_fails_is_red_and_says_to_revoke_again() {
    let (sandbox, leaked) = delivered();
    let failing = Fault::on(DigitalOcean).method("DELETE").path_contains(&leaked);
    sandbox.script(failing.status(500).forever());
    let outcome = Run::revoke(&sandbox)
        .input("revoke-access-key-id", &leaked)
        .go()
        .red();
    outcome.complains(&[&leaked, "Run revoke again"]);
    sandbox.clear_faults();
    let outcome = Run::revoke(&sandbox)
        .input("revoke-access-key-id", &leaked)
        .run_id(7)
        .go()
        .green();
    assert!(!is_alive(&sandbox, &leaked));
    assert_eq!(
        outcome.output("rotated"),
        "false",
        "its successor is there already"
    );
}

#[test]
fn a_strangers_key_is_refused_and_one_that_is_gone_is_told() {
    let (sandbox, current) = delivered();
    {
        let mut world = sandbox.world();
        let key = spacekeeper_sandbox::digitalocean::Key::generate("of another tool", vec![], 0);
        world.digitalocean.keys.push(key);
    }
    let stranger = {
        let world = sandbox.world();
        world
            .digitalocean
            .key_named("of another tool")
            .expect("it")
            .access_key
            .clone()
    };
    let outcome = Run::revoke(&sandbox)
        .input("revoke-access-key-id", &stranger)
        .go()
        .red();
    outcome.complains(&[&stranger, "no key of this request's families"]);
    assert!(is_alive(&sandbox, &stranger));
    let adopted = Run::revoke(&sandbox)
        .input("revoke-access-key-id", &stranger)
        .input("adopt-access-key-id", &stranger);
    adopted.run_id(7).go().green();
    assert!(!is_alive(&sandbox, &stranger), "its owner gave it to the family");
    let gone = Run::revoke(&sandbox)
        .input("revoke-access-key-id", &stranger)
        .run_id(8)
        .go()
        .green();
    assert!(
        gone.warnings()
            .iter()
            .any(|told| told.contains("nothing to revoke")),
        "{:?}",
        gone.warnings()
    );
    assert_eq!(
        the_delivered_pair(&sandbox),
        current,
        "the family's own key stays"
    );
}

#[test]
fn a_run_that_is_stopped_before_the_end_says_to_revoke_again() {
    let (sandbox, leaked) = delivered();
    let slow = Fault::on(GitHub)
        .method("GET")
        .path_contains("/actions/secrets/SPACES_SECRET_KEY");
    sandbox.script(slow.hold());
    let run = Run::revoke(&sandbox).start();
    run.held();
    run.terminate();
    sandbox.release();
    let outcome = run.finish().red();
    outcome.complains(&[&leaked, "a signal stopped the run before", "run revoke again"]);
    assert!(is_alive(&sandbox, &leaked));
    sandbox.advance(Duration::from_mins(15));
    Run::revoke(&sandbox).run_id(7).go().green();
    assert!(!is_alive(&sandbox, &leaked));
}

#[test]
fn a_key_whose_sink_cannot_be_read_is_told_as_not_revoked() {
    let (sandbox, leaked) = delivered();
    let refused = Fault::on(GitHub).method("GET").path_contains("/actions/secrets?");
    sandbox.script(refused.status(403).forever());
    let outcome = Run::revoke(&sandbox).go().red();
    outcome.complains(&[&leaked, "it is not revoked: it is still in use"]);
    assert!(is_alive(&sandbox, &leaked));
}

/// Whoever believes that a key was revoked must not be mistaken.
#[test]
fn an_id_that_is_nearly_one_of_the_account_is_red() {
    let (sandbox, id) = delivered();
    let outcome = Run::revoke(&sandbox)
        .input("revoke-access-key-id", &id.to_lowercase())
        .go()
        .red();
    outcome.complains(&["nothing was revoked", &id]);
    assert!(is_alive(&sandbox, &id));
    let name = crate::fixture::live_keys(&sandbox).remove(0);
    let outcome = Run::revoke(&sandbox).input("revoke-access-key-id", &name).go();
    outcome.complains(&["it is the name of a key"]);
    assert_eq!(outcome.exit, Some(2));
}
