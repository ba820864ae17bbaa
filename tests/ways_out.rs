//! Whatever ends a run: the key that may do everything is gone, what happened is told, and the exit code is right.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use spacekeeper_sandbox::digitalocean::Grant;

use crate::fixture::delivered::{delivered, delivered_to_an_app};
use crate::fixture::{
    DigitalOcean, Fault, GitHub, Outcome, Run, Sandbox, Spaces, World, live_keys, sandbox, world,
};

/// The runner kills ten seconds after its first signal.
const TIME_TO_END: Duration = Duration::from_secs(10);

/// What a service may send in a header that counts seconds.
const WITHOUT_END: &str = "18446744073709551615";

/// The end of the calendar of RFC 3339, in seconds since 1970, and its beginning.
const ENDS_OF_TIME: [i64; 2] = [253_402_300_799, -62_135_596_800];

fn minting() -> Fault {
    Fault::on(DigitalOcean)
        .method("POST")
        .path_contains("/v2/spaces/keys")
}

fn deleting() -> Fault {
    Fault::on(DigitalOcean)
        .method("DELETE")
        .path_contains("/v2/spaces/keys")
}

fn making_a_bucket() -> Fault {
    Fault::on(Spaces).method("PUT")
}

/// No key that may do everything is alive.
#[track_caller]
fn assert_no_admin_key_is_left(sandbox: &Sandbox) {
    let world = sandbox.world();
    let admins = world.digitalocean.live_keys().filter(|key| key.has_full_access());
    let names: Vec<&str> = admins.map(|key| key.name.as_str()).collect();
    assert_eq!(names, [""; 0], "a key that may do everything is left");
}

/// Whatever it came to, it came to its end: nothing panicked on the way, and the report is there.
#[track_caller]
fn assert_it_ended(outcome: &Outcome, story: &str) {
    let said = format!(
        "{story}\n{}{}\n{:#?}",
        outcome.stdout, outcome.stderr, outcome.journal
    );
    assert!(
        matches!(outcome.exit, Some(0 | 1 | 3)),
        "{:?}: {said}",
        outcome.exit
    );
    assert!(!outcome.stdout.contains("bug in Spacekeeper"), "{said}");
    assert!(outcome.outputs.contains_key("changed"), "no outputs: {said}");
    assert!(!outcome.summary.is_empty(), "no summary: {said}");
}

/// Refused before anybody was asked anything.
#[track_caller]
fn refused(run: Run<'_>) -> Outcome {
    let outcome = run.go().exits(2);
    assert!(outcome.journal.is_empty(), "asked nobody: {:#?}", outcome.journal);
    outcome
}

#[test]
fn what_a_library_would_choke_on_is_refused_at_the_door_and_not_quoted() {
    let sandbox = Sandbox::start(world());
    let check = || Run::bootstrap(&sandbox).input("command", "check");
    let at_hand = |id| {
        check()
            .input("access-key", id)
            .input("secret-key", "canary-of-a-secret")
    };
    for id in ["DO00\nX", "DO00\r\nX-Evil: 1", "DO00\u{7f}", "DÖ00", ".."] {
        refused(at_hand(id)).complains(&["access-key: it is no access key id"]);
        let supplied = Run::bootstrap(&sandbox).with_full_access();
        refused(supplied.input("spaces-access-key-id", id))
            .complains(&["spaces-access-key-id: it is no access key id"]);
    }
    let pasted = format!("{}é", World::GITHUB_TOKEN);
    refused(Run::bootstrap(&sandbox).input("github-token", &pasted))
        .complains(&["github-token", "not shown"]);
    let endless = format!("https://ghes.example/{}", "a".repeat(70_000));
    refused(Run::bootstrap(&sandbox).env("GITHUB_API_URL", &endless)).complains(&["GITHUB_API_URL"]);
    assert_no_admin_key_is_left(&sandbox);
}

#[test]
fn a_minted_id_that_cannot_be_one_is_not_used_and_its_key_is_deleted() {
    let sandbox = Sandbox::start(world());
    let key = json!({ "access_key": "DO00\nX", "secret_key": "x", "created_at": "2026-01-02T03:04:05Z" });
    let body = json!({ "key": key }).to_string();
    sandbox.script(minting().after().status(201).body(&body));
    Run::bootstrap(&sandbox).go().green();
    assert_no_admin_key_is_left(&sandbox);
}

#[test]
fn output_that_nobody_reads_changes_nothing() {
    for debug in ["", "1"] {
        let sandbox = Sandbox::start(world());
        let outcome = Run::bootstrap(&sandbox)
            .env("RUNNER_DEBUG", debug)
            .unheard()
            .go()
            .green();
        assert_it_ended(&outcome, "unheard");
        assert_no_admin_key_is_left(&sandbox);
    }
}

#[test]
fn output_that_nobody_reads_hides_no_failure() {
    let sandbox = Sandbox::start(world());
    sandbox.script(making_a_bucket().status(403).forever());
    let outcome = Run::bootstrap(&sandbox).unheard().go().red();
    assert!(outcome.summary.contains("shop-uploads"), "{}", outcome.summary);
    assert_no_admin_key_is_left(&sandbox);
}

#[test]
fn nothing_prints_past_the_one_writer_that_cannot_fail() {
    let macros = ["println!(", "print!(", "dbg!("];
    let mut files = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut read = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a folder");
            files.extend(entries.map(|entry| entry.expect("an entry").path()));
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        for (number, line) in text.lines().enumerate() {
            let prints = macros.iter().any(|name| line.contains(name));
            assert!(!prints, "{}:{}: {line}", path.display(), number + 1);
        }
        read += 1;
    }
    assert!(read > 100, "{read} files");
}

#[test]
fn a_run_that_takes_too_long_ends_as_after_a_signal_and_names_the_limit() {
    let places: [(&str, Fault); 4] = [
        ("a mint without a reply", minting().after().hold()),
        ("a bucket that is not made", making_a_bucket().hold()),
        ("a key that is not deleted", deleting().hold()),
        (
            "a secret that is not written",
            Fault::on(GitHub).method("PUT").path_contains("/secrets/").hold(),
        ),
    ];
    std::thread::scope(|scope| {
        for (story, fault) in places {
            scope.spawn(move || {
                let sandbox = Sandbox::start(world());
                sandbox.script(fault);
                let run = Run::bootstrap(&sandbox).input("run-timeout", "4s");
                let outcome = run.input("report-file", "report.json").go().red();
                outcome.complains(&["this run", "run-timeout", "4 seconds", "Run again"]);
                assert_it_ended(&outcome, story);
                let report = outcome.report.as_deref().unwrap_or_default();
                assert!(report.contains("run-timeout"), "{story}: {report}");
                assert_no_admin_key_is_left(&sandbox);
            });
        }
    });
}

#[test]
fn a_deployment_is_not_awaited_for_longer_than_the_run_may_take() {
    let service = json!({ "name": "api", "image": { "repository": "api" }, "http_port": 8080 });
    let app = json!({ "name": "shop", "region": "nyc", "services": [service] });
    let sandbox = Sandbox::start(world().with_app(app));
    sandbox.world().switches.deployment_phase = Duration::from_hours(1);
    let run = Run::bootstrap(&sandbox).input("app-platform-app", "shop");
    let outcome = run.input("run-timeout", "6s").go().red();
    outcome.complains(&["this run", "run-timeout", "6 seconds"]);
    assert_no_admin_key_is_left(&sandbox);
}

#[test]
fn the_limit_of_a_run_has_bounds() {
    let sandbox = Sandbox::start(world());
    for limit in ["0", "6d", "500000000000y", "soon"] {
        refused(Run::bootstrap(&sandbox).input("run-timeout", limit)).complains(&["run-timeout: "]);
    }
}

#[test]
fn a_key_whose_deletion_is_not_answered_is_deleted_once_more_after_a_signal() {
    let sandbox = Sandbox::start(world());
    sandbox.script(deleting().hold());
    let flight = Run::bootstrap(&sandbox).start();
    flight.held();
    flight.hang_up();
    let outcome = flight.finish_within(TIME_TO_END).red();
    assert_it_ended(&outcome, "the first deletion is held");
    assert_no_admin_key_is_left(&sandbox);
}

#[test]
fn a_key_that_cannot_be_deleted_before_the_kill_is_told() {
    let sandbox = Sandbox::start(world());
    sandbox.script(deleting().hold().forever());
    let flight = Run::bootstrap(&sandbox).start();
    flight.held();
    flight.quit();
    let outcome = flight.finish_within(TIME_TO_END).red();
    outcome.complains(&["admin key", "full-access key may be left behind", "next run"]);
    assert_it_ended(&outcome, "every deletion is held");
}

#[test]
fn a_service_that_asks_to_be_left_alone_for_ever_ends_no_run_early() {
    let places: [(&str, Fault); 7] = [
        ("the mint of the admin key", minting().status(429)),
        ("the mint of the scoped key", minting().skip(1).status(429)),
        (
            "the list of keys",
            Fault::on(DigitalOcean).method("GET").status(503),
        ),
        ("the end of the admin key", deleting().status(429)),
        ("a bucket", making_a_bucket().status(503)),
        (
            "GitHub's public key",
            Fault::on(GitHub).path_contains("public-key").status(403),
        ),
        (
            "a secret",
            Fault::on(GitHub)
                .method("PUT")
                .path_contains("/secrets/")
                .status(429),
        ),
    ];
    std::thread::scope(|scope| {
        for (story, fault) in places {
            scope.spawn(move || {
                let sandbox = Sandbox::start(world());
                let fault = fault
                    .header("retry-after", WITHOUT_END)
                    .header("ratelimit-reset", &i64::MAX.to_string())
                    .header("x-ratelimit-remaining", "0")
                    .header("x-ratelimit-reset", &i64::MAX.to_string());
                sandbox.script(fault);
                let outcome = Run::bootstrap(&sandbox).go();
                assert_it_ended(&outcome, story);
                assert_no_admin_key_is_left(&sandbox);
            });
        }
    });
}

#[test]
fn a_span_without_end_is_refused_or_waited_for_and_nothing_else() {
    for input in ["lock-timeout", "deployment-timeout"] {
        let sandbox = delivered_to_an_app();
        let run = Run::rotate(&sandbox).input("app-platform-app", "shop");
        let outcome = run.input("force", "true").input(input, "500000000000y").go();
        assert!(
            matches!(outcome.exit, Some(0 | 2)),
            "{input}: {:?}\n{}",
            outcome.exit,
            outcome.stdout
        );
    }
}

/// Keys of our own grammar from the ends of time, as anybody with the account's token may make them.
fn with_keys_from_the_ends_of_time(sandbox: &Sandbox) {
    let marks = ["active-zzzzzzzz", "active-0", "pending", "delivering", "admin"];
    let mut world = sandbox.world();
    for (number, mark) in marks.iter().enumerate() {
        for (era, created_at) in ENDS_OF_TIME.into_iter().enumerate() {
            let name = format!("shop-spaces-key--7-a{era}b{number}--{mark}");
            let mut key = world.digitalocean.keys.first().expect("a key").clone();
            key.access_key = format!("DO00ENDOFTIME{era}{number}XXXXX");
            key.secret_key = format!("a-secret-from-the-end-of-time-{era}{number}");
            key.name = name;
            key.created_at = created_at;
            if *mark == "admin" {
                key.grants = vec![Grant::full_access()];
            }
            world.digitalocean.keys.push(key);
        }
    }
}

#[test]
fn keys_from_the_ends_of_time_end_no_run_early() {
    for command in ["check", "audit", "rotate", "revoke", "bootstrap"] {
        let sandbox = delivered();
        with_keys_from_the_ends_of_time(&sandbox);
        let run = Run::bootstrap(&sandbox)
            .input("command", command)
            .input("lock-timeout", "0");
        let outcome = run.input("report-file", "report.json").go();
        assert_it_ended(&outcome, command);
    }
}

#[test]
fn a_clock_at_the_ends_of_time_ends_no_run_early() {
    let dates = [
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Mon, 01 Jan 0001 00:00:00 GMT",
        "Fri, 31 Dec 262142 23:59:59 GMT",
    ];
    for date in dates {
        for command in ["check", "audit", "rotate"] {
            let sandbox = delivered();
            let listing = Fault::on(DigitalOcean)
                .method("GET")
                .path_contains("/v2/spaces/keys");
            let body = r#"{"keys":[],"links":{},"meta":{"total":0}}"#;
            sandbox.script(listing.status(200).header("date", date).body(body).forever());
            // A look only: by a clock that stands still no lease ends.
            let look = if command == "rotate" { "true" } else { "false" };
            let run = Run::bootstrap(&sandbox)
                .input("command", command)
                .input("dry-run", look)
                .with_full_access();
            assert_it_ended(&run.go(), &format!("{command}, {date}"));
        }
    }
}

/// A pager that is not scrolled, a terminal that is held: what nobody reads keeps neither the work nor its end waiting.
#[test]
fn output_that_waits_for_its_reader_keeps_nothing_waiting() {
    let sandbox = sandbox();
    let outcome = Run::bootstrap(&sandbox)
        .env("RUNNER_DEBUG", "1")
        .unread()
        .go()
        .green();
    assert_eq!(outcome.output("changed"), "true");
    assert_eq!(live_keys(&sandbox).len(), 1, "the full-access key is gone");
}
