//! Steps 2 to 9 of the rotation, seen from outside.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;
use spacekeeper_sandbox::FaceName;
use spacekeeper_sandbox::digitalocean::{Grant, Key};
use spacekeeper_sandbox::github::Run as WorkflowRun;

use crate::fixture::delivered::delivered;
use crate::fixture::{
    DigitalOcean, Fault, GitHub, REPOSITORY, Run, Sandbox, Spaces, World, secret, the_active_key,
    the_delivered_pair, variable, world,
};

const KEYS: &str = "/v2/spaces/keys";

/// A lease and a bit.
const LEASE_OVER: Duration = Duration::from_mins(11);

/// The workflow run, in hex as it stands in keys' names, that other runs of these tests are.
const RIVAL: u64 = 0x1f;

/// The bucket exists and a full-access pair is supplied, so that the only key minted is the one to be delivered.
fn prepared() -> World {
    world()
        .with_full_access_pair()
        .with_bucket("nyc3", "shop-uploads")
}

fn rotation(sandbox: &Sandbox) -> Run<'_> {
    Run::bootstrap(sandbox).with_full_access()
}

fn mint() -> Fault {
    Fault::on(FaceName::DigitalOcean)
        .method("POST")
        .path_contains(KEYS)
}

/// All keys of the family ever made, as (name, alive).
fn family(sandbox: &Sandbox) -> Vec<(String, bool)> {
    let world = sandbox.world();
    let ours = world
        .digitalocean
        .keys
        .iter()
        .filter(|key| key.name.starts_with("shop-spaces-key--"));
    ours.map(|key| (key.name.clone(), key.is_live())).collect()
}

/// The live keys of the family.
fn alive(sandbox: &Sandbox) -> Vec<String> {
    let all = family(sandbox).into_iter();
    all.filter(|(_, alive)| *alive).map(|(name, _)| name).collect()
}

/// Insists that one key of the family lives, that it is active, and that both secrets are its halves.
#[track_caller]
fn converged(sandbox: &Sandbox) -> String {
    let alive = alive(sandbox);
    assert_eq!(alive.len(), 1, "no orphan: {alive:?}");
    let id = the_delivered_pair(sandbox);
    assert_eq!(the_active_key(sandbox), id);
    assert_eq!(
        variable(sandbox, "SPACES_ACCESS_KEY_ID").as_deref(),
        Some(id.as_str())
    );
    id
}

/// Waits until the sandbox is in some state.
#[track_caller]
fn until(what: &str, mut there: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !there() {
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "it never happens that {what}"
        );
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_key_goes_its_way_in_the_order_of_the_protocol() {
    let spec = json!({ "name": "shop", "region": "nyc", "services": [{ "name": "api" }] });
    let sandbox = Sandbox::start(prepared().with_app(spec));
    let outcome = rotation(&sandbox)
        .input("app-platform-app", "shop")
        .input("credentials-secret", "SPACES_CREDENTIALS")
        .go()
        .green();
    let id = converged(&sandbox);
    let journal = &outcome.journal;
    let own = format!("{KEYS}/{id}");
    let rename = format!("PUT {own}");
    journal.goes(
        &[
            "POST /v2/apps/propose",
            "POST /v2/spaces/keys",
            "GET /v2/spaces/keys?",
            "GET /v2/spaces/keys?",
            &rename,
            "PUT /v2/apps/",
            "PUT /secrets/SPACES_",
            "PUT /secrets/SPACES_",
            "PUT /secrets/SPACES_",
            "/variables",
            "GET /secrets/SPACES_",
            "GET /secrets/SPACES_",
            "GET /secrets/SPACES_",
            &rename,
            "GET /v2/apps/",
        ]
        .map(|step| {
            if step.starts_with('/') {
                "POST /variables"
            } else {
                step
            }
        }),
    );

    assert_eq!(journal.count(DigitalOcean, "POST", KEYS), 1, "minted once");
    assert_eq!(
        journal.count(DigitalOcean, "PUT", &own),
        2,
        "delivering, then active"
    );
    assert_eq!(
        journal.count(DigitalOcean, "PUT", "/v2/apps/"),
        1,
        "one PUT per app"
    );
    let place = |line: &str| {
        let lines = journal.lines();
        let at = lines.iter().position(|found| found.contains(line));
        at.unwrap_or_else(|| panic!("no {line} in {lines:#?}"))
    };
    let last_secret = journal
        .lines()
        .iter()
        .rposition(|line| line.starts_with("PUT") && line.contains("/secrets/"))
        .expect("secrets were written");
    let writes: Vec<_> = journal.lines();
    let id_variable = writes
        .iter()
        .enumerate()
        .filter(|(_, line)| line.contains("/actions/variables") && !line.starts_with("GET"))
        .map(|(at, _)| at)
        .max()
        .expect("variables were written");
    assert!(id_variable > last_secret, "the id variable comes last");
    assert!(
        place("POST /v2/apps/propose") < place("POST /v2/spaces/keys"),
        "nothing is minted before the preflight is over"
    );
}

#[test]
fn the_name_says_how_far_the_key_has_come_before_it_goes_on() {
    let spec = json!({ "name": "shop", "region": "nyc", "services": [{ "name": "api" }] });
    let sandbox = Sandbox::start(prepared().with_app(spec));
    let name = || alive(&sandbox).pop().unwrap_or_default();
    // The proof is under way: nobody has been given anything.
    sandbox.script(
        Fault::on(FaceName::Spaces)
            .method("GET")
            .path_contains("max-keys=1")
            .hold(),
    );
    sandbox.script(
        Fault::on(FaceName::DigitalOcean)
            .method("PUT")
            .path_contains("/v2/apps/")
            .hold(),
    );
    sandbox.script(
        Fault::on(FaceName::GitHub)
            .method("PUT")
            .path_contains("/secrets/")
            .times(2)
            .hold(),
    );
    let mut run = rotation(&sandbox).input("app-platform-app", "shop").start();
    let held = run.held();
    assert_eq!(held.face, Spaces);
    assert!(name().ends_with("--pending"), "{}", name());
    sandbox.release();
    until("the app is about to be written", || {
        sandbox
            .wait_until_held(Duration::from_secs(30))
            .is_some_and(|held| held.path.contains("/v2/apps/"))
    });
    assert!(name().ends_with("--delivering"), "{}", name());
    sandbox.release();
    until("a secret is about to be written", || {
        sandbox
            .wait_until_held(Duration::from_secs(30))
            .is_some_and(|held| held.path.contains("/secrets/"))
    });
    assert!(name().ends_with("--delivering"), "{}", name());
    {
        let world = sandbox.world();
        let app = world.digitalocean.app("shop").expect("the app");
        assert!(
            app.opened_env(None, "SPACES_SECRET_KEY").is_some(),
            "the app comes first"
        );
    }
    assert_eq!(secret(&sandbox, "SPACES_SECRET_KEY"), None);
    sandbox.clear_faults();
    // The second secret may be held a moment after the first.
    until("all are released and the run is over", || {
        sandbox.release();
        run.is_over()
    });
    run.finish().green();
    converged(&sandbox);
}

#[test]
fn the_mark_bears_the_latest_time_of_its_secrets() {
    let sandbox = Sandbox::start(prepared());
    rotation(&sandbox)
        .input("credentials-secret", "SPACES_CREDENTIALS")
        .go()
        .green();
    converged(&sandbox);
    let name = alive(&sandbox).pop().expect("a key");
    let (_, stamp) = name.split_once("--active-").expect("an active key");
    let world = sandbox.world();
    let secrets = &world
        .github
        .repository(REPOSITORY)
        .expect("the repository")
        .secrets;
    let latest = secrets.iter().map(|(_, secret)| secret.updated_at).max();
    assert_eq!(i64::from_str_radix(stamp, 36).ok(), latest);
}

#[test]
fn a_name_tells_the_run_and_its_attempt() {
    for (attempt, ticket) in [("1", "--24e160301-"), ("3", "--24e160301x3-")] {
        let sandbox = Sandbox::start(prepared());
        rotation(&sandbox)
            .run_id(9_900_000_001)
            .env("GITHUB_RUN_ATTEMPT", attempt)
            .go()
            .green();
        let name = alive(&sandbox).pop().expect("a key");
        assert!(name.contains(ticket), "{name}");
    }
}

#[test]
fn a_lost_reply_of_the_mint_leaves_no_orphan_and_another_name_is_tried() {
    for lost in [
        mint().after().reset(),
        mint().after().status(500),
        mint().after().garbage(),
        mint().after().html(502),
    ] {
        let sandbox = Sandbox::start(prepared());
        sandbox.script(lost.clone());
        let outcome = rotation(&sandbox).go().green();
        converged(&sandbox);
        assert_eq!(outcome.journal.count(DigitalOcean, "POST", KEYS), 2, "{lost:?}");
        let all = family(&sandbox);
        assert_eq!(all.len(), 2, "{all:?}");
        let nonce = |name: &str| name.split("--").nth(1).map(str::to_owned);
        assert_ne!(nonce(&all[0].0), nonce(&all[1].0), "a name is used once");
    }
}

#[test]
fn after_three_lost_replies_the_run_gives_up_and_leaves_nothing() {
    let sandbox = Sandbox::start(prepared());
    sandbox.script(mint().after().reset().forever());
    let outcome = rotation(&sandbox).go().red();
    assert_eq!(outcome.journal.count(DigitalOcean, "POST", KEYS), 3);
    assert!(alive(&sandbox).is_empty(), "{:?}", alive(&sandbox));
    assert_eq!(secret(&sandbox, "SPACES_ACCESS_KEY"), None);
}

#[test]
fn a_grant_that_is_refused_for_a_while_is_waited_for() {
    let sandbox = Sandbox::start(prepared());
    let body = r#"{"id":"forbidden","message":"invalid grant","request_id":"r"}"#;
    sandbox.script(
        mint()
            .times(2)
            .status(403)
            .header("content-type", "application/json")
            .body(body),
    );
    let outcome = rotation(&sandbox).go().green();
    assert_eq!(outcome.journal.count(DigitalOcean, "POST", KEYS), 3);
    converged(&sandbox);
}

#[test]
fn a_mint_that_is_refused_for_good_is_not_repeated() {
    let sandbox = Sandbox::start(prepared());
    let body = r#"{"id":"unprocessable_entity","message":"no more keys for you","request_id":"r"}"#;
    sandbox.script(
        mint()
            .status(422)
            .header("content-type", "application/json")
            .body(body)
            .forever(),
    );
    let outcome = rotation(&sandbox).go().red();
    assert_eq!(outcome.journal.count(DigitalOcean, "POST", KEYS), 1);
    outcome.complains(&["mint", "422"]);
}

#[test]
fn no_sink_is_written_before_the_key_opens_its_bucket() {
    let slow = prepared().with_switches(|switches| switches.key_create_delay = Duration::from_secs(2));
    let sandbox = Sandbox::start(slow);
    let outcome = rotation(&sandbox).go().green();
    let id = converged(&sandbox);
    let signed_by_it = |entry: &&spacekeeper_sandbox::Entry| {
        entry
            .headers
            .get("authorization")
            .is_some_and(|value| String::from_utf8_lossy(value.as_bytes()).contains(&id))
    };
    let proofs: Vec<_> = outcome
        .journal
        .to(Spaces)
        .into_iter()
        .filter(signed_by_it)
        .collect();
    assert!(
        proofs.iter().any(|entry| entry.status == Some(403)),
        "the key was not known at first: {proofs:#?}"
    );
    let proven = proofs
        .iter()
        .find(|entry| entry.status == Some(200) && entry.method == "GET")
        .expect("a list that succeeds");
    let first_secret = outcome.journal.find(GitHub, "PUT", "/secrets/")[0];
    assert!(proven.number < first_secret.number);
}

#[test]
fn a_key_that_never_opens_its_bucket_is_delivered_nowhere() {
    let sandbox = Sandbox::start(prepared());
    // The proof's own list only; the pair that was supplied lists nothing.
    let denied = "<?xml version=\"1.0\"?><Error><Code>MethodNotAllowed</Code><Message>no</Message></Error>";
    sandbox.script(
        Fault::on(FaceName::Spaces)
            .method("GET")
            .path_contains("max-keys=1")
            .forever()
            .status(405)
            .header("content-type", "application/xml")
            .body(denied),
    );
    rotation(&sandbox).go().red();
    assert!(alive(&sandbox).is_empty(), "{:?}", alive(&sandbox));
    assert_eq!(secret(&sandbox, "SPACES_ACCESS_KEY"), None);
}

#[test]
fn a_read_grant_that_can_write_is_delivered_nowhere() {
    let abort = || {
        Fault::on(FaceName::Spaces)
            .method("DELETE")
            .path_contains("uploadId")
    };
    let no_such_upload =
        "<?xml version=\"1.0\"?><Error><Code>NoSuchUpload</Code><Message>no</Message></Error>";
    for leak in [
        abort()
            .status(404)
            .header("content-type", "application/xml")
            .body(no_such_upload),
        abort().status(204),
    ] {
        let sandbox = Sandbox::start(prepared());
        sandbox.script(leak);
        let outcome = rotation(&sandbox)
            .input("buckets", "shop-uploads=read")
            .go()
            .red();
        outcome.complains(&["shop-spaces-key", "may write to bucket shop-uploads"]);
        assert!(alive(&sandbox).is_empty(), "{:?}", alive(&sandbox));
        assert_eq!(secret(&sandbox, "SPACES_ACCESS_KEY"), None);
    }
}

#[test]
fn the_proof_of_a_read_grant_leaves_no_object() {
    let sandbox = Sandbox::start(prepared().with_object("shop-uploads", "a.txt", "a"));
    rotation(&sandbox)
        .input("buckets", "shop-uploads=read")
        .go()
        .green();
    let world = sandbox.world();
    let bucket = world.spaces.bucket("shop-uploads").expect("the bucket");
    assert_eq!((bucket.objects.len(), bucket.uploads.len()), (1, 0));
}

/// The name of a key that the rival run has minted.
fn rivals_key(mark: &str) -> String {
    format!("shop-spaces-key--{RIVAL:x}-abcd--{mark}")
}

const GRANTS: [(&str, &str); 1] = [("shop-uploads", "readwrite")];

#[test]
fn a_pending_key_of_a_dead_run_is_deleted() {
    let pending = rivals_key("pending");
    let of_a_finished_run = prepared().with_key(&pending, &GRANTS).with_run(
        REPOSITORY,
        WorkflowRun::in_progress(RIVAL, 0).completed("cancelled"),
    );
    let past_its_lease = prepared()
        .with_key_of_age(&pending, &GRANTS, LEASE_OVER)
        .with_run(REPOSITORY, WorkflowRun::in_progress(RIVAL, 0));
    for dead in [of_a_finished_run, past_its_lease] {
        let sandbox = Sandbox::start(dead);
        rotation(&sandbox).go().green();
        converged(&sandbox);
    }
}

#[test]
fn a_pending_key_of_an_earlier_attempt_is_deleted() {
    let name = "shop-spaces-key--24e160301-abcd--pending";
    let sandbox = Sandbox::start(prepared().with_key(name, &GRANTS));
    rotation(&sandbox).env("GITHUB_RUN_ATTEMPT", "2").go().green();
    converged(&sandbox);
}

#[test]
fn a_live_rival_ends_a_run_that_may_not_wait_and_nothing_is_left_of_it() {
    for mark in ["pending", "delivering"] {
        let sandbox = Sandbox::start(
            prepared()
                .with_key(&rivals_key(mark), &GRANTS)
                .with_run(REPOSITORY, WorkflowRun::in_progress(RIVAL, 0)),
        );
        let outcome = rotation(&sandbox).input("lock-timeout", "0").go().red();
        outcome.complains(&["shop-spaces-key", &format!("run {RIVAL}"), "lock-timeout"]);
        assert_eq!(alive(&sandbox), [rivals_key(mark)], "the rival's key stays");
        assert_eq!(outcome.journal.count(DigitalOcean, "POST", KEYS), 0);
        assert_eq!(secret(&sandbox, "SPACES_ACCESS_KEY"), None);
    }
}

#[test]
fn a_rival_that_finishes_while_it_is_waited_for_has_done_the_work() {
    let sandbox = Sandbox::start(
        prepared()
            .with_key(&rivals_key("delivering"), &GRANTS)
            .with_run(REPOSITORY, WorkflowRun::in_progress(RIVAL, 0)),
    );
    let run = rotation(&sandbox).start();
    until("the rival is waited for", || {
        let lists = sandbox.journal().into_iter();
        lists
            .filter(|entry| entry.method == "GET" && entry.path.starts_with(KEYS))
            .count()
            >= 2
    });
    finish_the_rival(&sandbox);
    let outcome = run.finish().green();
    assert_eq!(
        outcome.journal.count(DigitalOcean, "POST", KEYS),
        0,
        "nothing is minted"
    );
    converged(&sandbox);
    assert_eq!(outcome.output("rotated"), "false");
    assert!(
        outcome.stdout.contains(&format!("run {RIVAL}")),
        "the wait is told:\n{}",
        outcome.stdout
    );
}

/// Does what the rival would do: delivers its key and marks it active.
fn finish_the_rival(sandbox: &Sandbox) {
    let mut world = sandbox.world();
    let now = world.clock.now();
    let delivering = |key: &&mut Key| key.name == rivals_key("delivering");
    let key = world
        .digitalocean
        .keys
        .iter_mut()
        .find(delivering)
        .expect("the rival's key");
    key.name = rivals_key(&format!("active-{}", base36(now)));
    let (id, half) = (key.access_key.clone(), key.secret_key.clone());
    let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
    repository.secrets.set("SPACES_ACCESS_KEY", id.clone(), now);
    repository.secrets.set("SPACES_SECRET_KEY", half, now);
    repository.variables.set("SPACES_ACCESS_KEY_ID", id, now);
}

fn base36(number: i64) -> String {
    let mut rest = u32::try_from(number).expect("a time of this century");
    let mut digits = Vec::new();
    while rest > 0 {
        digits.push(char::from_digit(rest % 36, 36).expect("a digit"));
        rest /= 36;
    }
    digits.iter().rev().collect()
}

#[test]
fn a_rival_that_dies_while_it_is_waited_for_is_cleaned_up_after() {
    let sandbox = Sandbox::start(
        prepared()
            .with_key(&rivals_key("pending"), &GRANTS)
            .with_run(REPOSITORY, WorkflowRun::in_progress(RIVAL, 0)),
    );
    let run = rotation(&sandbox).start();
    until("the rival is waited for", || {
        let lists = sandbox.journal().into_iter();
        lists
            .filter(|entry| entry.method == "GET" && entry.path.starts_with(KEYS))
            .count()
            >= 2
    });
    sandbox
        .world()
        .github
        .repository_mut(REPOSITORY)
        .expect("the repository")
        .runs[0]
        .finish("failure");
    run.finish().green();
    converged(&sandbox);
}

#[test]
fn a_dead_delivery_is_never_finished_but_done_anew() {
    let sandbox = Sandbox::start(
        prepared()
            .with_key_of_age(&rivals_key("delivering"), &GRANTS, LEASE_OVER)
            .with_run(
                REPOSITORY,
                WorkflowRun::in_progress(RIVAL, 0).completed("failure"),
            ),
    );
    rotation(&sandbox).go().green();
    let id = the_delivered_pair(&sandbox);
    assert_eq!(the_active_key(&sandbox), id);
    let alive = alive(&sandbox);
    assert!(
        alive.contains(&rivals_key("delivering")),
        "a sink may hold it, so it stays: {alive:?}"
    );
    assert_eq!(alive.len(), 2, "{alive:?}");
    sandbox.advance(Duration::from_mins(1));
    let again = rotation(&sandbox).go().green();
    assert!(again.journal.writes().is_empty(), "{:#?}", again.journal.writes());
}

#[test]
fn a_key_is_never_born_in_the_second_of_its_predecessor() {
    let sandbox = Sandbox::start(prepared());
    rotation(&sandbox).go().green();
    let old = the_delivered_pair(&sandbox);
    sandbox
        .world()
        .github
        .repository_mut(REPOSITORY)
        .expect("the repository")
        .secrets
        .remove("SPACES_SECRET_KEY");
    rotation(&sandbox).go().green();
    let new = the_delivered_pair(&sandbox);
    let world = sandbox.world();
    let born = |id: &str| world.digitalocean.key(id).expect("a key").created_at;
    assert!(born(&new) > born(&old));
}

/// Two runs at once, both of which Actions knows as running.
fn two_runs() -> Sandbox {
    let running = |id| WorkflowRun::in_progress(id, 0);
    Sandbox::start(
        prepared()
            .with_run(REPOSITORY, running(101))
            .with_run(REPOSITORY, running(102)),
    )
}

#[test]
fn two_runs_at_once_end_with_one_key_and_one_pair() {
    let sandbox = two_runs();
    let (one, other) = (
        rotation(&sandbox).run_id(101).start(),
        rotation(&sandbox).run_id(102).start(),
    );
    one.finish().green();
    other.finish().green();
    converged(&sandbox);
}

#[test]
fn two_runs_that_have_both_minted_elect_one() {
    let sandbox = two_runs();
    sandbox.script(mint().times(2).hold());
    let (mut one, mut other) = (
        rotation(&sandbox).run_id(101).start(),
        rotation(&sandbox).run_id(102).start(),
    );
    until("both are about to mint, neither having seen the other", || {
        let mints = sandbox.journal().into_iter();
        mints
            .filter(|entry| entry.method == "POST" && entry.path == KEYS)
            .count()
            == 2
    });
    until("both mints are released and both runs are over", || {
        sandbox.release();
        one.is_over() & other.is_over()
    });
    let rotated = [one.finish().green(), other.finish().green()].map(|run| run.output("rotated").to_owned());
    converged(&sandbox);
    assert!(
        rotated.contains(&"true".to_owned()) && rotated.contains(&"false".to_owned()),
        "{rotated:?}"
    );
}

#[test]
fn two_runs_of_which_one_delivers_while_the_other_mints_end_with_one_pair() {
    let sandbox = two_runs();
    sandbox.script(
        Fault::on(FaceName::GitHub)
            .method("PUT")
            .path_contains("/secrets/")
            .hold(),
    );
    let one = rotation(&sandbox).run_id(101).start();
    one.held();
    let other = rotation(&sandbox).run_id(102).start();
    until("the other has looked", || {
        let lists = sandbox.journal().into_iter();
        lists
            .filter(|entry| entry.method == "GET" && entry.path.starts_with(KEYS))
            .count()
            >= 4
    });
    sandbox.release();
    one.finish().green();
    let outcome = other.finish().green();
    converged(&sandbox);
    assert_eq!(outcome.output("rotated"), "false");
    assert_eq!(outcome.journal.count(DigitalOcean, "POST", KEYS), 0);
}

#[test]
fn a_secret_that_somebody_writes_during_delivery_is_written_again() {
    let sandbox = Sandbox::start(prepared());
    // The last write of the delivery waits while somebody pastes an old value.
    sandbox.script(
        Fault::on(FaceName::GitHub)
            .method("POST")
            .path_contains("/variables")
            .skip(3)
            .hold(),
    );
    let run = rotation(&sandbox).start();
    run.held();
    paste_an_old_value(&sandbox);
    sandbox.release();
    run.finish().green();
    converged(&sandbox);
}

/// Somebody pastes an old value over the secret half, in a later second than the run's own write.
fn paste_an_old_value(sandbox: &Sandbox) {
    sandbox.advance(Duration::from_secs(30));
    let mut world = sandbox.world();
    let now = world.clock.now();
    let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
    repository
        .secrets
        .set("SPACES_SECRET_KEY", "an old value, pasted", now);
}

#[test]
fn a_pair_that_somebody_writes_into_twice_is_not_vouched_for() {
    let sandbox = Sandbox::start(prepared());
    let write = || {
        Fault::on(FaceName::GitHub)
            .method("POST")
            .path_contains("/variables")
    };
    // The last write of the first pass, and of the second.
    sandbox.script(write().skip(3).hold());
    sandbox.script(write().skip(3).hold());
    let run = rotation(&sandbox).start();
    for _ in 0..2 {
        run.held();
        paste_an_old_value(&sandbox);
        sandbox.release();
    }
    run.finish()
        .red()
        .complains(&["a sink does not show what was written to it, twice", "run again"]);
    sandbox.advance(LEASE_OVER);
    rotation(&sandbox).go().green();
    assert_eq!(the_active_key(&sandbox), the_delivered_pair(&sandbox));
}

#[test]
fn a_mint_that_was_given_up_and_lands_late_is_no_rival() {
    let sandbox = delivered();
    sandbox.advance(Duration::from_hours(1));
    // The first mint is answered long after nobody waits for it any more: the election of the second sees its key.
    sandbox.script(mint().hold());
    let lists = Fault::on(DigitalOcean).method("GET").path_contains(KEYS);
    sandbox.script(lists.skip(2).hold());
    let run = Run::rotate(&sandbox).input("force", "true").start();
    until("both mints are sent, and the account is looked over", || {
        let journal = sandbox.journal();
        let count = |method: &str| {
            let entries = journal.iter();
            entries
                .filter(|entry| entry.method == method && entry.path.starts_with(KEYS))
                .count()
        };
        count("POST") == 2 && count("GET") == 3
    });
    sandbox.release();
    let outcome = run.finish().green();
    assert!(
        outcome.stdout.contains("whose mint had been given up"),
        "{}",
        outcome.stdout
    );
    let left = alive(&sandbox);
    assert!(
        left.len() == 2 && left.iter().all(|name| name.contains("--active-")),
        "{left:?}"
    );
    the_delivered_pair(&sandbox);
}

#[test]
fn the_pair_that_is_delivered_opens_the_bucket_and_nothing_else() {
    let sandbox = Sandbox::start(prepared().with_bucket("nyc3", "somebody-else"));
    rotation(&sandbox).go().green();
    let id = the_delivered_pair(&sandbox);
    let world = sandbox.world();
    let key = world.digitalocean.key(&id).expect("a key");
    assert_eq!(
        key.grants_in_force(&world.clock),
        [Grant::new("shop-uploads", "readwrite")]
    );
    assert!(key.is_usable(&world.clock));
}
