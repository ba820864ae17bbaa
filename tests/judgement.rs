//! A key is judged once: what `check` finds wrong with the sinks is what `rotate` and `bootstrap` mend, and while it is
//! wrong no old key goes.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use spacekeeper::model::name::{KeyName, Mark, Nonce, Run as WorkflowRun};
use spacekeeper::model::time::Timestamp;
use spacekeeper_sandbox::digitalocean::{Grant, Key};
use spacekeeper_sandbox::github::Repository;

use crate::fixture::delivered::{delivered, delivered_to_an_app};
use crate::fixture::{
    DigitalOcean, Fault, GitHub, Outcome, REPOSITORY, Run, Sandbox, World, live_keys, the_delivered_pair,
    variable, world,
};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// How long a run may take to come to a request.
const PATIENCE: Duration = Duration::from_mins(1);

/// Another level of the repository, with secrets of its own.
const STAGING: &str = "staging";

fn fresh() -> Sandbox {
    Sandbox::start(world().with_bucket("nyc3", "shop-uploads"))
}

/// As in a workflow whose author prefers other names for the secrets.
fn renamed(run: Run<'_>) -> Run<'_> {
    run.input("access-key-secret", "UPLOADS_ID")
        .input("secret-key-secret", "UPLOADS_SECRET")
}

fn check(sandbox: &Sandbox) -> Run<'_> {
    Run::bootstrap(sandbox)
        .input("command", "check")
        .run_id(9_900_000_009)
}

/// The ids of all findings, each once; that old keys are left is no news here.
fn found(outcome: &Outcome) -> Vec<String> {
    let findings = outcome.json_output("findings");
    let findings = findings.as_array().expect("a list").iter();
    let told = findings.filter(|finding| finding["id"] != "SK007");
    let mut ids: Vec<String> = told
        .map(|finding| finding["id"].as_str().expect("an id").to_owned())
        .collect();
    ids.dedup();
    ids
}

/// Every write but those to the account's keys.
fn beside_keys(outcome: &Outcome) -> Vec<String> {
    let writes = outcome.journal.writes().into_iter();
    writes.filter(|line| !line.contains("/v2/spaces/keys")).collect()
}

fn is_live(sandbox: &Sandbox, id: &str) -> bool {
    let world = sandbox.world();
    world.digitalocean.key(id).is_some_and(Key::is_live)
}

fn in_repository<T>(sandbox: &Sandbox, change: impl FnOnce(&mut Repository, i64) -> T) -> T {
    let mut world = sandbox.world();
    let now = world.time_at(GitHub);
    change(
        world.github.repository_mut(REPOSITORY).expect("the repository"),
        now,
    )
}

/// Changes a request.
type Wish = fn(Run<'_>) -> Run<'_>;

fn as_it_is(run: Run<'_>) -> Run<'_> {
    run
}

/// `check` finds exactly this, a dry run would mint, and the commands that mend do it once; the key that the sink may
/// hold outlives them all.
#[track_caller]
fn everybody_agrees(sandbox: &Sandbox, wish: Wish, ids: &[&str], held: &str) -> String {
    let looked = wish(check(sandbox)).go().exits(3);
    assert_eq!(found(&looked), ids, "{}", looked.stdout);
    let dry = wish(Run::rotate(sandbox)).input("dry-run", "true").go().green();
    assert!(dry.stdout.contains("mint and deliver"), "{}", dry.stdout);
    assert!(is_live(sandbox, held), "a look deletes nothing");
    let mended = wish(Run::rotate(sandbox)).go().green();
    assert_eq!(mended.output("rotated"), "true", "{}", mended.stdout);
    assert!(is_live(sandbox, held), "{held} may have been read a moment ago");
    let looked = wish(check(sandbox)).go();
    assert_eq!(found(&looked), Vec::<String>::new(), "{}", looked.stdout);
    for command in ["bootstrap", "rotate"] {
        let again = wish(Run::bootstrap(sandbox)).input("command", command);
        let again = again.run_id(9_900_000_010).go().green();
        assert_eq!(again.output("rotated"), "false", "{command}: {}", again.stdout);
        assert_eq!(beside_keys(&again), Vec::<String>::new(), "{command}");
    }
    mended.output("access-key-id").to_owned()
}

#[test]
fn names_that_change_there_and_back_are_given_a_living_key() {
    let sandbox = fresh();
    let first = Run::bootstrap(&sandbox).go().green();
    let first = first.output("access-key-id").to_owned();
    let second = renamed(Run::bootstrap(&sandbox)).run_id(2).go().green();
    assert_eq!(second.output("rotated"), "true");
    let third = everybody_agrees(&sandbox, as_it_is, &["SK022"], &first);
    assert_eq!(the_delivered_pair(&sandbox), third);
}

#[test]
fn names_that_change_back_when_their_key_is_gone_are_given_a_living_one() {
    let sandbox = fresh();
    Run::bootstrap(&sandbox).go().green();
    let first = the_delivered_pair(&sandbox);
    let second = renamed(Run::bootstrap(&sandbox)).run_id(2).go().green();
    let second = second.output("access-key-id").to_owned();
    delete(&sandbox, &first);
    let third = everybody_agrees(&sandbox, as_it_is, &["SK022"], &second);
    assert_eq!(the_delivered_pair(&sandbox), third);
}

fn delete(sandbox: &Sandbox, id: &str) {
    let mut world = sandbox.world();
    let now = world.clock.now();
    let key = world.digitalocean.key_mut(id).expect("the key");
    key.deleted_at = Some(now);
    key.usable_until_millis = now * 1000;
}

/// In `staging`.
fn staged(run: Run<'_>) -> Run<'_> {
    run.input("github-environment", STAGING)
}

#[test]
fn an_environment_with_secrets_of_a_former_key_is_given_the_present_one() {
    let sandbox = fresh();
    in_repository(&sandbox, |repository, now| {
        repository.add_environment(STAGING, now);
    });
    let first = staged(Run::bootstrap(&sandbox)).go().green();
    let first = first.output("access-key-id").to_owned();
    let second = Run::bootstrap(&sandbox).run_id(2).go().green();
    let second = second.output("access-key-id").to_owned();
    // Somebody has corrected the variable and cannot correct the secrets.
    in_repository(&sandbox, |repository, now| {
        let staging = repository.environments.get_mut(STAGING).expect("the environment");
        staging.variables.set("SPACES_ACCESS_KEY_ID", second, now);
    });
    sandbox.advance(2 * DAY);
    everybody_agrees(&sandbox, staged, &["SK022"], &first);
}

#[test]
fn an_environment_without_the_id_variable_is_given_more_than_the_variable() {
    let sandbox = fresh();
    in_repository(&sandbox, |repository, now| {
        repository.add_environment(STAGING, now);
    });
    staged(Run::bootstrap(&sandbox)).go().green();
    Run::bootstrap(&sandbox).run_id(2).go().green();
    in_repository(&sandbox, |repository, _| {
        let staging = repository.environments.get_mut(STAGING).expect("the environment");
        staging.variables.remove("SPACES_ACCESS_KEY_ID");
    });
    let looked = staged(check(&sandbox)).go().exits(3);
    assert!(found(&looked).contains(&"SK022".to_owned()), "{}", looked.stdout);
    let mended = staged(Run::bootstrap(&sandbox)).run_id(3).go().green();
    assert_eq!(mended.output("rotated"), "true", "{}", mended.stdout);
}

/// Makes the secret look written that long ago, as if somebody had brought an old value back behind GitHub's back.
fn restore(sandbox: &Sandbox, name: &str, ago: Duration) {
    in_repository(sandbox, |repository, now| {
        let secret = repository.secrets.get_mut(name).expect("the secret");
        secret.updated_at = now - i64::try_from(ago.as_secs()).expect("a time ago");
    });
}

#[test]
fn one_restored_secret_is_drift_for_everybody() {
    for name in ["SPACES_ACCESS_KEY", "SPACES_SECRET_KEY"] {
        let sandbox = delivered();
        sandbox.advance(HOUR);
        let old = the_delivered_pair(&sandbox);
        Run::rotate(&sandbox).input("force", "true").go().green();
        sandbox.advance(2 * DAY);
        restore(&sandbox, name, 2 * DAY + HOUR);
        everybody_agrees(&sandbox, as_it_is, &["SK022"], &old);
    }
}

/// With one secret that holds the whole pair.
fn combined(run: Run<'_>) -> Run<'_> {
    run.input("credentials-secret", "SPACES_CREDENTIALS")
}

#[test]
fn a_combined_secret_counts_like_the_pair() {
    let sandbox = fresh();
    combined(Run::bootstrap(&sandbox)).go().green();
    let old = the_delivered_pair(&sandbox);
    // Without the combined secret in the request a rotation leaves it as it is.
    sandbox.advance(HOUR);
    Run::rotate(&sandbox).input("force", "true").go().green();
    everybody_agrees(&sandbox, combined, &["SK022"], &old);
}

/// What the older keys of a report wait for.
fn reasons(outcome: &Outcome) -> Vec<String> {
    let report: Value = serde_json::from_str(outcome.report.as_deref().expect("a report")).expect("JSON");
    let keys = report["older_keys"].as_array().expect("a list").clone();
    assert!(!keys.is_empty(), "{report:#}");
    let because = keys
        .iter()
        .flat_map(|key| key["because"].as_array().expect("reasons").clone());
    because
        .map(|why| why.as_str().expect("a text").to_owned())
        .collect()
}

#[test]
fn no_old_key_goes_while_a_sink_may_hold_it() {
    let sandbox = delivered();
    let old = the_delivered_pair(&sandbox);
    sandbox.advance(HOUR);
    Run::rotate(&sandbox).input("force", "true").go().green();
    sandbox.advance(2 * DAY);
    restore(&sandbox, "SPACES_SECRET_KEY", 2 * DAY + HOUR);
    // The grace is over, and but for the secret nothing would hold the key back.
    let mended = Run::bootstrap(&sandbox).run_id(5);
    let mended = mended.input("report-file", "report.json").go().green();
    assert!(is_live(&sandbox, &old));
    // What held it when the run looked is mended; what holds it now is what the next run will find.
    for why in reasons(&mended) {
        assert!(why.starts_with("its grace period lasts until"), "{why}");
    }
    sandbox.advance(2 * DAY);
    Run::rotate(&sandbox).run_id(6).go().green();
    assert_eq!(live_keys(&sandbox).len(), 1, "{:?}", live_keys(&sandbox));
}

/// By how many seconds GitHub's clock is ahead of DigitalOcean's.
const GAPS: [i64; 4] = [-600, -90, 90, 600];

fn with_gap(gap: i64) -> Sandbox {
    Sandbox::start(
        world()
            .with_bucket("nyc3", "shop-uploads")
            .with_switches(|switches| switches.github_clock_ahead = gap),
    )
}

#[test]
fn clocks_that_differ_make_no_key_look_stale() {
    for gap in GAPS {
        let sandbox = with_gap(gap);
        Run::bootstrap(&sandbox).go().green();
        let id = the_delivered_pair(&sandbox);
        let settled = |story: &str| {
            let again = Run::rotate(&sandbox).go().green();
            assert_eq!(
                again.output("rotated"),
                "false",
                "{gap} s, {story}: {}",
                again.stdout
            );
            assert_eq!(
                found(&check(&sandbox).go()),
                Vec::<String>::new(),
                "{gap} s, {story}"
            );
        };
        settled("after the first key");
        let forced = Run::rotate(&sandbox)
            .input("force", "true")
            .run_id(3)
            .go()
            .green();
        assert_ne!(forced.output("access-key-id"), id);
        settled("after a rotation right behind it");
        sandbox.world().switches.github_clock_ahead = 0;
        settled("when the clocks agree again");
    }
}

/// How often the two secrets of the repository were written.
fn secrets_written(outcome: &Outcome) -> usize {
    outcome.journal.count(GitHub, "PUT", "/actions/secrets/")
}

#[test]
fn a_delivery_that_github_dates_before_the_last_one_is_written_again() {
    let sandbox = fresh();
    Run::bootstrap(&sandbox).go().green();
    sandbox.world().clock.freeze();
    sandbox.advance(HOUR);
    sandbox.world().switches.github_clock_ahead = -7_200;
    let read_back = Fault::on(GitHub).method("GET");
    sandbox.script(
        read_back
            .path_contains("/actions/secrets/SPACES_SECRET_KEY")
            .after()
            .hold(),
    );
    let run = Run::rotate(&sandbox).input("force", "true").start();
    run.held();
    catch_up(&sandbox);
    is_vouched_for(&sandbox, &run.finish().green());
}

#[test]
fn a_delivery_that_straddles_its_mint_on_two_clocks_is_written_again() {
    let sandbox = fresh();
    sandbox.world().clock.freeze();
    sandbox.world().switches.github_clock_ahead = -2;
    let second = Fault::on(GitHub).method("PUT");
    sandbox.script(second.path_contains("/actions/secrets/SPACES_SECRET_KEY").hold());
    let run = Run::bootstrap(&sandbox).start();
    until("the first secret is written", || {
        let journal = sandbox.journal();
        let mut writes = journal.iter().filter(|entry| entry.method == "PUT");
        writes.any(|entry| entry.path.contains("SPACES_ACCESS_KEY") && entry.status.is_some())
    });
    run.held();
    catch_up(&sandbox);
    is_vouched_for(&sandbox, &run.finish().green());
}

/// From now on both clocks agree, and what was held goes on.
fn catch_up(sandbox: &Sandbox) {
    sandbox.world().switches.github_clock_ahead = 0;
    sandbox.release();
}

/// The pair was written twice, and is what `check` and the next run hold it for.
#[track_caller]
fn is_vouched_for(sandbox: &Sandbox, delivery: &Outcome) {
    assert_eq!(secrets_written(delivery), 4, "{:#?}", delivery.journal);
    let why = "a secret looks older than this delivery, writing again";
    assert!(delivery.stdout.contains(why), "{}", delivery.stdout);
    assert_eq!(found(&check(sandbox).go()), Vec::<String>::new());
    let again = Run::rotate(sandbox).run_id(3).go().green();
    assert_eq!(again.output("rotated"), "false", "{}", again.stdout);
}

#[test]
fn clocks_that_differ_hide_no_former_names() {
    for gap in GAPS {
        let sandbox = with_gap(gap);
        Run::bootstrap(&sandbox).go().green();
        let first = the_delivered_pair(&sandbox);
        renamed(Run::bootstrap(&sandbox)).run_id(2).go().green();
        everybody_agrees(&sandbox, as_it_is, &["SK022"], &first);
    }
}

#[test]
fn a_look_beside_a_rotation_finds_nothing_that_the_rotation_has_mended() {
    let looks: [Wish; 2] = [
        |run| run.input("command", "check"),
        |run| run.input("dry-run", "true"),
    ];
    for look in looks {
        let sandbox = delivered();
        sandbox.advance(HOUR);
        // The secrets are read before the rotation, and the keys after it.
        let read = |face, path| Fault::on(face).method("GET").path_contains(path).hold();
        sandbox.script(read(GitHub, "/actions/secrets?").after());
        sandbox.script(read(DigitalOcean, "/v2/spaces/keys?").before());
        let looking = look(Run::bootstrap(&sandbox)).run_id(9_900_000_009).start();
        until_both_are_held(&sandbox);
        another_run_delivers(&sandbox);
        sandbox.release();
        let looked = looking.finish().green();
        assert!(!looked.stdout.contains("SK0"), "{}", looked.stdout);
        assert!(!looked.stdout.contains("mint and deliver"), "{}", looked.stdout);
    }
}

/// What a rotation leaves, all at once.
fn another_run_delivers(sandbox: &Sandbox) {
    let mut world = sandbox.world();
    let now = world.clock.now();
    let name = KeyName {
        family: "shop-spaces-key".parse().expect("a family"),
        run: WorkflowRun { id: 8, attempt: 1 },
        nonce: Nonce::from_random([1; 4]),
        mark: Mark::Active {
            since: Timestamp::from_unix(now),
        },
    };
    let key = Key::generate(
        &name.to_string(),
        vec![Grant::new("shop-uploads", "readwrite")],
        now,
    );
    let (id, half) = (key.access_key.clone(), key.secret_key.clone());
    world.digitalocean.keys.push(key);
    let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
    repository.secrets.set("SPACES_ACCESS_KEY", id.as_str(), now);
    repository.secrets.set("SPACES_SECRET_KEY", half, now);
    repository.variables.set("SPACES_ACCESS_KEY_ID", id, now);
}

fn until_both_are_held(sandbox: &Sandbox) {
    let is_under_way = |path: &str| {
        let journal = sandbox.journal();
        let mut lists = journal
            .iter()
            .filter(|entry| entry.method == "GET" && entry.path.contains(path));
        lists.any(|entry| entry.status.is_none())
    };
    until("keys and secrets are read", || {
        is_under_way("/actions/secrets?") && is_under_way("/v2/spaces/keys?")
    });
    assert!(sandbox.wait_until_held(PATIENCE).is_some());
}

#[track_caller]
fn until(what: &str, mut there: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !there() {
        assert!(begun.elapsed() < PATIENCE, "it never comes about that {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_app_that_shows_the_secret_is_found_and_mended_by_the_same_judgement() {
    let sandbox = delivered_to_an_app();
    sandbox.advance(HOUR);
    {
        let mut world = sandbox.world();
        let app = world.digitalocean.app_mut("shop").expect("the app");
        let envs = app.spec["envs"].as_array_mut().expect("a list");
        let shown = envs.iter_mut().find(|env| env["key"] == "SPACES_SECRET_KEY");
        *shown.expect("the variable") = json!({ "key": "SPACES_SECRET_KEY", "value": "plain" });
    }
    let old = the_delivered_pair(&sandbox);
    everybody_agrees(
        &sandbox,
        |run| run.input("app-platform-app", "shop"),
        &["SK031"],
        &old,
    );
}

#[test]
fn a_component_that_hides_the_pair_may_hold_the_old_key() {
    let sandbox = delivered_to_an_app();
    let old = the_delivered_pair(&sandbox);
    let shop: Wish = |run| run.input("app-platform-app", "shop");
    sandbox.advance(HOUR);
    shop(Run::rotate(&sandbox)).input("force", "true").go().green();
    hide(
        &sandbox,
        &json!([
            { "key": "SPACES_ACCESS_KEY", "value": old, "type": "SECRET" },
            { "key": "SPACES_SECRET_KEY", "value": "of nobody knows which key", "type": "SECRET" },
        ]),
    );
    sandbox.advance(2 * DAY);
    assert_eq!(found(&shop(check(&sandbox)).go().exits(3)), ["SK033"]);
    let kept = shop(Run::rotate(&sandbox)).run_id(4).go().green();
    assert!(is_live(&sandbox, &old));
    assert!(
        kept.keeps(&old)
            .contains("component api of app shop has a SPACES_"),
        "{}",
        kept.stdout
    );
    hide(&sandbox, &json!([]));
    shop(Run::rotate(&sandbox)).run_id(5).go().green();
    assert!(!is_live(&sandbox, &old), "nothing hides it any more");
}

/// Gives the app's first service variables of its own, in its spec and in what serves: the deployment of the save ends at
/// once.
fn hide(sandbox: &Sandbox, envs: &Value) {
    sandbox.world().switches.deployment_phase = Duration::ZERO;
    crate::fixture::app::save(sandbox, |spec| spec["services"][0]["envs"] = envs.clone());
    let world: &mut World = &mut sandbox.world();
    let app = world.digitalocean.app_mut("shop").expect("the app");
    for deployment in &mut app.deployments {
        deployment.spec["services"][0]["envs"] = app.spec["services"][0]["envs"].clone();
    }
}

#[test]
fn a_serving_key_is_never_called_superseded() {
    let sandbox = delivered();
    sandbox.advance(HOUR);
    restore(&sandbox, "SPACES_SECRET_KEY", 2 * HOUR);
    let id = variable(&sandbox, "SPACES_ACCESS_KEY_ID").expect("the id");
    let row = |outcome: &Outcome| {
        let rows = outcome.summary.lines().filter(|line| line.starts_with('|'));
        let rows = rows.filter(|line| line.contains(&id));
        rows.filter(|line| line.contains("superseded")).count()
    };
    assert_eq!(row(&check(&sandbox).go()), 0);
    let dry = Run::bootstrap(&sandbox).input("dry-run", "true").go().green();
    assert_eq!(row(&dry), 0, "{}", dry.summary);
    let full = Fault::on(DigitalOcean)
        .method("POST")
        .path_contains("/v2/spaces/keys")
        .skip(1)
        .forever()
        .status(422);
    sandbox.script(full);
    let failed = Run::bootstrap(&sandbox).go().red();
    assert_eq!(row(&failed), 0, "{}", failed.summary);
    sandbox.clear_faults();
    let minted = Run::bootstrap(&sandbox).go().green();
    assert_eq!(row(&minted), 1, "{}", minted.summary);
}
