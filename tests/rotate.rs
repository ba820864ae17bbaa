//! `rotate` replaces what is due and nothing else, and takes old keys out of service when their time has come.

use std::time::Duration;

use serde_json::json;
use spacekeeper_sandbox::digitalocean::{Course, Grant};

use crate::fixture::{
    DigitalOcean, REPOSITORY, Run, Sandbox, Spaces, World, live_keys, sandbox, the_active_key,
    the_delivered_pair, variable, world,
};

const DAY: Duration = Duration::from_hours(24);

/// A world after a first bootstrap.
fn delivered() -> (Sandbox, String) {
    let sandbox = sandbox();
    Run::bootstrap(&sandbox).go().green();
    let id = the_delivered_pair(&sandbox);
    (sandbox, id)
}

/// Somebody writes a secret by hand.
fn rewrite(sandbox: &Sandbox, name: &str, value: &str) {
    let mut world = sandbox.world();
    let now = world.clock.now();
    let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
    repository.secrets.set(name, value, now);
}

fn is_alive(sandbox: &Sandbox, id: &str) -> bool {
    let world = sandbox.world();
    world.digitalocean.key(id).expect("the key").is_live()
}

#[test]
fn a_due_key_is_replaced_everywhere_and_its_predecessor_outlives_the_grace_period() {
    let (sandbox, old) = delivered();
    sandbox.advance(DAY * 88);
    let outcome = Run::rotate(&sandbox).go().green();
    let new = the_delivered_pair(&sandbox);
    assert_ne!(new, old);
    assert_eq!(variable(&sandbox, "SPACES_ACCESS_KEY_ID"), Some(new.clone()));
    assert_eq!(outcome.output("rotated"), "true");
    assert!(
        outcome.stdout.contains("the current key is due since"),
        "{}",
        outcome.stdout
    );
    assert!(outcome.keeps(&old).starts_with("its grace period lasts until "));
    assert!(outcome.summary.contains("### Older keys"), "{}", outcome.summary);

    sandbox.advance(Duration::from_mins(24 * 60 - 1));
    Run::rotate(&sandbox).run_id(3).go().green();
    assert!(is_alive(&sandbox, &old), "a minute of grace is left");
    sandbox.advance(Duration::from_mins(2));
    let outcome = Run::rotate(&sandbox).run_id(4).go().green();
    assert!(!is_alive(&sandbox, &old), "grace is over");
    assert_eq!(outcome.output("changed"), "true");
    assert_eq!(live_keys(&sandbox).len(), 1);
    assert_eq!(the_active_key(&sandbox), new);
    assert!(sandbox.violations().is_empty(), "{:?}", sandbox.violations());
}

/// Rotates at these minutes after the mint, and looks at the oldest key just before each start.
#[track_caller]
fn no_key_outlives(max_age: &str, limit: Duration, starts: &[i64]) {
    let sandbox = sandbox();
    let with_life = |run: Run<'_>| {
        let run = run.input("max-age", max_age).input("grace-period", "24h");
        run.go().green();
    };
    with_life(Run::bootstrap(&sandbox));
    let first = the_active_key(&sandbox);
    let began = sandbox.world().clock.now();
    for (run, minutes) in (10..).zip(starts) {
        sandbox.world().clock.set(began + minutes * 60);
        let oldest = {
            let world = sandbox.world();
            let keys = world.digitalocean.live_keys();
            keys.map(|key| world.clock.now() - key.created_at).max()
        };
        let oldest = Duration::from_secs(oldest.and_then(|age| age.try_into().ok()).expect("a key"));
        assert!(oldest <= limit, "at {minutes} min there is a key of {oldest:?}");
        with_life(Run::rotate(&sandbox).run_id(run));
    }
    assert!(!is_alive(&sandbox, &first), "the first key is gone");
}

const MINUTES_A_DAY: i64 = 24 * 60;

/// A minute before the hour of the mint, and once at it: before a lead of a day is over, and before the grace period.
#[test]
fn no_key_outlives_max_age_when_the_schedule_is_daily() {
    let on = |day: i64| day * MINUTES_A_DAY - 1;
    let starts = [on(11), on(12), on(13) + 1, on(14), on(15)];
    no_key_outlives("14d", DAY * 14, &starts);
}

/// The key is due just after a start that is in time, and its grace period is over just after one that is an hour late.
#[test]
fn no_key_outlives_max_age_when_the_schedule_is_late() {
    let last_young = 10 * MINUTES_A_DAY + 21 * 60 - 1;
    let starts =
        [(0, 0), (1, 60), (2, 59), (3, 60)].map(|(days, late)| last_young + days * MINUTES_A_DAY + late);
    no_key_outlives("14d", DAY * 14, &starts);
}

#[test]
fn no_key_of_a_short_life_outlives_it_either() {
    let last_young = 25 * 60 - 1;
    let starts =
        [(0, 0), (1, 60), (2, 59), (3, 60)].map(|(days, late)| last_young + days * MINUTES_A_DAY + late);
    no_key_outlives("100h", Duration::from_hours(100), &starts);
}

#[test]
fn when_nothing_is_due_it_is_silent() {
    let (sandbox, id) = delivered();
    sandbox.advance(DAY * 40);
    let outcome = Run::rotate(&sandbox).go().green();
    assert!(outcome.journal.writes().is_empty(), "{:#?}", outcome.journal);
    assert!(outcome.warnings().is_empty(), "{:?}", outcome.warnings());
    assert_eq!(outcome.output("changed"), "false");
    assert!(outcome.output("next-rotation").ends_with('Z'));
    assert_eq!(the_delivered_pair(&sandbox), id);
}

#[test]
fn it_is_about_keys_only() {
    let (sandbox, _) = delivered();
    sandbox.advance(DAY * 88);
    let outcome = Run::rotate(&sandbox)
        .input("log-bucket", "shop-logs")
        .go()
        .green();
    let asked = outcome.journal.to(Spaces);
    let proof = asked
        .iter()
        .all(|entry| matches!(entry.method.as_str(), "GET" | "HEAD"));
    assert!(proof, "buckets are left as they are: {:#?}", outcome.journal);
    assert_eq!(
        outcome.journal.count(DigitalOcean, "POST", "/v2/spaces/keys"),
        1,
        "no admin key"
    );
}

#[test]
fn force_replaces_a_young_key_and_bootstrap_an_old_one_never() {
    let (sandbox, first) = delivered();
    Run::rotate(&sandbox).input("force", "true").go().green();
    let second = the_delivered_pair(&sandbox);
    assert_ne!(first, second);
    sandbox.advance(DAY * 365);
    let outcome = Run::bootstrap(&sandbox).input("force", "true").go().green();
    assert_eq!(
        the_delivered_pair(&sandbox),
        second,
        "a due key is kept by bootstrap"
    );
    assert!(
        outcome
            .warnings()
            .iter()
            .any(|warning| warning.contains("force is heeded by rotate")),
        "{:?}",
        outcome.warnings()
    );
    assert!(!is_alive(&sandbox, &first), "bootstrap runs the gate too");
}

#[test]
fn without_grace_the_old_key_still_outlives_its_own_lease() {
    let (sandbox, old) = delivered();
    let now = || {
        Run::rotate(&sandbox)
            .input("force", "true")
            .input("grace-period", "0s")
    };
    let outcome = now().go().green();
    assert!(
        outcome
            .keeps(&old)
            .contains("the run that minted it may still write until"),
        "{}",
        outcome.keeps(&old)
    );
    sandbox.advance(Duration::from_mins(12));
    let second = the_delivered_pair(&sandbox);
    now().run_id(5).go().green();
    assert!(
        !is_alive(&sandbox, &old) && !is_alive(&sandbox, &second),
        "both are past it, in one run"
    );
    assert_eq!(live_keys(&sandbox).len(), 1);
    assert!(sandbox.violations().is_empty(), "{:?}", sandbox.violations());
}

#[test]
fn a_dry_run_says_what_rotate_would_do() {
    let (sandbox, id) = delivered();
    sandbox.advance(DAY * 88);
    let outcome = Run::rotate(&sandbox).input("dry-run", "true").go().green();
    assert!(outcome.journal.writes().is_empty());
    assert!(
        outcome.summary.contains("the current key is due since"),
        "{}",
        outcome.summary
    );
    assert_eq!(the_delivered_pair(&sandbox), id);
}

#[test]
fn a_current_key_that_was_deleted_by_hand_is_replaced() {
    let (sandbox, first) = delivered();
    Run::rotate(&sandbox).input("force", "true").go().green();
    let second = the_delivered_pair(&sandbox);
    sandbox
        .world()
        .digitalocean
        .keys
        .retain(|key| key.access_key != second);
    sandbox.advance(Duration::from_secs(5));
    let outcome = Run::rotate(&sandbox).run_id(6).go().green();
    let third = the_delivered_pair(&sandbox);
    assert!(third != first && third != second);
    assert!(outcome.stdout.contains("names another key"), "{}", outcome.stdout);
}

#[test]
fn the_last_slots_of_the_account_are_left_to_repairs() {
    let mut crowded = world();
    for n in 0..197 {
        crowded = crowded.with_key(&format!("tool-{n}"), &[]);
    }
    let sandbox = Sandbox::start(crowded);
    Run::bootstrap(&sandbox).go().green();
    sandbox.advance(DAY * 88);
    let outcome = Run::rotate(&sandbox).go().red();
    outcome.complains(&[
        "198 of 200 keys",
        "keys of other tools: 197",
        "leaves 3 slots free",
    ]);
    assert!(outcome.journal.writes().is_empty());
    // A secret that somebody overwrote cannot wait.
    rewrite(&sandbox, "SPACES_SECRET_KEY", "by hand");
    Run::rotate(&sandbox).run_id(7).go().green();
    the_delivered_pair(&sandbox);
    // The last slot is taken: not even a repair can mint.
    sandbox.advance(Duration::from_secs(5));
    let key = spacekeeper_sandbox::digitalocean::Key::generate("one more tool", vec![], 0);
    sandbox.world().digitalocean.keys.push(key);
    rewrite(&sandbox, "SPACES_SECRET_KEY", "by hand again");
    let outcome = Run::rotate(&sandbox).run_id(8).go().red();
    outcome.complains(&["mint", "as many access keys as it may"]);
    let warnings = outcome.warnings().join("\n");
    assert!(warnings.contains("keys of other tools: 198"), "{warnings}");
}

#[test]
fn leftovers_of_the_admin_key_are_swept_by_rotate_too() {
    let stray = "shop-spaces-key--7-aaaa--admin";
    let old = world().with_key_of_age(stray, &[("", "fullaccess")], DAY);
    let sandbox = Sandbox::start(old);
    Run::bootstrap(&sandbox).go().green();
    let grants = vec![Grant::full_access()];
    let key = spacekeeper_sandbox::digitalocean::Key::generate(stray, grants, 0);
    sandbox.world().digitalocean.keys.push(key);
    let outcome = Run::rotate(&sandbox).go().green();
    assert!(!live_keys(&sandbox).contains(&stray.to_owned()));
    assert!(
        outcome.stdout.contains("a dead run left it"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn keys_only_commands_need_keys() {
    let sandbox = sandbox();
    for command in ["rotate", "revoke"] {
        let outcome = Run::rotate(&sandbox)
            .input("command", command)
            .input("key-scope", "none")
            .with_full_access()
            .go()
            .exits(2);
        outcome.complains(&["command", "key-scope: none has none"]);
    }
    let misplaced = Run::rotate(&sandbox)
        .input("revoke-access-key-id", "DO00X")
        .input("quarantine", "true");
    let outcome = misplaced.go().exits(2);
    outcome.complains(&["revoke-access-key-id", "only command: revoke"]);
    outcome.complains(&["quarantine", "only command: revoke"]);
    assert!(outcome.journal.is_empty());
    let in_use = Run::rotate(&sandbox)
        .with_full_access()
        .input("adopt-access-key-id", World::FULL_ACCESS_KEY_ID);
    in_use
        .go()
        .exits(2)
        .complains(&["adopt-access-key-id", "full-access key that this run works with"]);
}

#[test]
fn a_pair_that_was_swept_away_by_a_person_is_no_reason_to_stop() {
    let (sandbox, _) = delivered();
    sandbox.advance(DAY * 88);
    Run::rotate(&sandbox).go().green();
    // Somebody deletes the superseded key by hand between our look and our own delete.
    sandbox.advance(DAY * 2);
    let deleted = crate::fixture::Fault::on(DigitalOcean)
        .method("DELETE")
        .status(404)
        .body(r#"{"id":"not_found","message":"Not Found"}"#);
    sandbox.script(deleted);
    Run::rotate(&sandbox).run_id(8).go().green();
}

#[test]
fn an_app_that_is_not_deployed_as_it_stands_gets_another_key() {
    let app = json!({ "name": "shop", "services": [{ "name": "api" }] });
    let world = world()
        .with_app(app)
        .with_switches(|switches| switches.identical_spec_deploys = false);
    let failing = Course::fails("api", "DeployContainerExitNonZero", "exit 1");
    let sandbox = Sandbox::start(world.with_course("shop", failing));
    let ask = |run: Run<'_>| run.input("app-platform-app", "shop").go();
    ask(Run::bootstrap(&sandbox))
        .red()
        .complains(&["app shop", "ended ERROR"]);
    let undeployed = the_delivered_pair(&sandbox);
    sandbox.advance(Duration::from_secs(30));
    let outcome = ask(Run::rotate(&sandbox)).green();
    assert!(
        outcome.stdout.contains("App Platform does not deploy it"),
        "{}",
        outcome.stdout
    );
    let served = {
        let world = sandbox.world();
        let app = world.digitalocean.app("shop").expect("the app");
        app.live_env(None, "SPACES_ACCESS_KEY_ID")
    };
    assert_eq!(served.as_deref(), Some(&*the_delivered_pair(&sandbox)));
    assert_ne!(served.as_deref(), Some(&*undeployed));
    assert!(is_alive(&sandbox, &undeployed), "jobs may hold it");
}
