//! A write is believed when it is seen: whatever is answered to it, what does not stand is written once more, and then told.

use std::time::Duration;

use spacekeeper_sandbox::digitalocean::Key;

use crate::fixture::delivered::delivered;
use crate::fixture::{
    DigitalOcean, Fault, GitHub, Outcome, REPOSITORY, Run, Sandbox, Spaces, live_keys, the_delivered_pair,
    variable, world,
};

const HOUR: Duration = Duration::from_hours(1);

/// A lease and a bit: the run that had the family is dead.
const LEASE: Duration = Duration::from_mins(11);

/// What stands between, or a service that is ill, may answer to a write that it does not carry out.
const LIES: [(u16, &str); 5] = [
    (204, ""),
    (201, "{}"),
    (200, "{}"),
    (200, "<html>Please log in</html>"),
    (202, ""),
];

fn setting(secret: &str) -> Fault {
    let put = Fault::on(GitHub).method("PUT");
    put.path_contains(&format!("/actions/secrets/{secret}"))
}

fn renaming() -> Fault {
    Fault::on(DigitalOcean)
        .method("PUT")
        .path_contains("/v2/spaces/keys/")
}

fn variables(method: &str) -> Fault {
    Fault::on(GitHub)
        .method(method)
        .path_contains("/actions/variables")
}

/// Somebody has pasted other secrets an hour after the delivery: all that stands is younger than the current key's stamp, and
/// only a comparison with the write itself shows that it was not replaced.
fn pasted() -> (Sandbox, String) {
    let sandbox = delivered();
    let old = the_delivered_pair(&sandbox);
    sandbox.advance(HOUR);
    {
        let mut world = sandbox.world();
        let now = world.clock.now();
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        repository.secrets.set("SPACES_ACCESS_KEY", "pasted by hand", now);
        repository.secrets.set("SPACES_SECRET_KEY", "pasted by hand", now);
    }
    sandbox.advance(Duration::from_mins(2));
    (sandbox, old)
}

fn is_live(sandbox: &Sandbox, id: &str) -> bool {
    let world = sandbox.world();
    world.digitalocean.key(id).is_some_and(Key::is_live)
}

fn marked(sandbox: &Sandbox, mark: &str) -> usize {
    let names = live_keys(sandbox);
    names.iter().filter(|name| name.contains(mark)).count()
}

/// The delivery is told as failed, the key before it stays current, and a run that is answered truly puts all right.
#[track_caller]
fn is_no_delivery(sandbox: &Sandbox, old: &str, outcome: &Outcome, story: &str) {
    assert_eq!(outcome.exit, Some(1), "{story}: {}", outcome.stdout);
    assert!(is_live(sandbox, old), "{story}: the key before it is kept");
    assert_eq!(
        marked(sandbox, "--active-"),
        1,
        "{story}: {:?}",
        live_keys(sandbox)
    );
    sandbox.clear_faults();
    puts_all_right(sandbox);
}

/// A later run, to which the services answer truly.
#[track_caller]
fn puts_all_right(sandbox: &Sandbox) {
    sandbox.advance(LEASE);
    Run::bootstrap(sandbox).run_id(9_900_000_009).go().green();
    the_delivered_pair(sandbox);
}

#[test]
fn a_secret_that_was_answered_and_not_stored_is_no_delivery() {
    std::thread::scope(|scope| {
        for (status, body) in LIES {
            for secret in ["SPACES_", "SPACES_SECRET_KEY"] {
                scope.spawn(move || {
                    let story = format!("{status} {body:?} to {secret}");
                    let (sandbox, old) = pasted();
                    sandbox.script(setting(secret).ineffective(status, body).forever());
                    let outcome = Run::bootstrap(&sandbox).go();
                    is_no_delivery(&sandbox, &old, &outcome, &story);
                });
            }
        }
    });
}

#[test]
fn a_secret_that_was_not_stored_is_named_and_the_old_key_stays() {
    let (sandbox, old) = pasted();
    sandbox.script(setting("SPACES_SECRET_KEY").ineffective(204, "").forever());
    let outcome = Run::bootstrap(&sandbox).go().red();
    outcome.complains(&["SPACES_SECRET_KEY", "acme/shop", "not stored"]);
    assert!(is_live(&sandbox, &old));
}

/// Two servers whose clocks differ answer for one service: the answers' `Date` says nothing then, the times of the secrets do.
#[test]
fn a_secret_that_was_not_stored_is_noticed_whatever_the_answer_is_dated() {
    for date in ["Fri, 02 Jan 2026 03:04:05 GMT", ""] {
        let (sandbox, old) = pasted();
        let lie = setting("SPACES_").status(204).header("date", date).forever();
        sandbox.script(lie);
        let outcome = Run::bootstrap(&sandbox).go();
        is_no_delivery(&sandbox, &old, &outcome, date);
    }
}

#[test]
fn a_secret_that_was_not_stored_at_once_is_written_once_more() {
    for secret in ["SPACES_", "SPACES_SECRET_KEY"] {
        let (sandbox, _) = pasted();
        let times = if secret == "SPACES_" { 2 } else { 1 };
        sandbox.script(setting(secret).ineffective(204, "").times(times));
        let outcome = Run::bootstrap(&sandbox).go().green();
        the_delivered_pair(&sandbox);
        assert_eq!(outcome.journal.count(GitHub, "PUT", "/actions/secrets/"), 4);
    }
}

#[test]
fn a_variable_that_was_answered_and_not_stored_is_no_delivery() {
    for method in ["POST", "PATCH"] {
        let sandbox = Sandbox::start(world());
        if method == "PATCH" {
            let mut world = sandbox.world();
            let now = world.clock.now();
            let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
            repository.variables.set("SPACES_BUCKET", "another", now);
        }
        // The question whether variables may be written goes before.
        let passing = u32::from(method == "PATCH");
        sandbox.script(variables(method).skip(passing).without_effect().forever());
        let run = Run::bootstrap(&sandbox).input("overwrite", "true");
        let outcome = run.go().red();
        outcome.complains(&["SPACES_BUCKET", "acme/shop", "not stored"]);
        sandbox.clear_faults();
        sandbox.advance(LEASE);
        let run = Run::bootstrap(&sandbox).input("overwrite", "true");
        run.run_id(9_900_000_009).go().green();
        assert_eq!(
            variable(&sandbox, "SPACES_BUCKET").as_deref(),
            Some("shop-uploads")
        );
    }
}

#[test]
fn a_variable_of_a_kept_key_that_was_answered_and_not_stored_is_told() {
    for (times, exit) in [(1, 0), (9, 1)] {
        let sandbox = delivered();
        {
            let mut world = sandbox.world();
            let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
            repository.variables.remove("SPACES_REGION");
        }
        sandbox.script(variables("POST").without_effect().times(times));
        let outcome = Run::bootstrap(&sandbox).go().exits(exit);
        if exit == 1 {
            outcome.complains(&["SPACES_REGION", "acme/shop", "not stored"]);
            continue;
        }
        assert_eq!(variable(&sandbox, "SPACES_REGION").as_deref(), Some("nyc3"));
    }
}

/// A key whose name does not say that sinks may hold it would be deleted by another run while they do.
#[test]
fn a_key_is_not_activated_before_its_announcement_was_seen() {
    let sandbox = delivered();
    sandbox.script(renaming().without_effect());
    let run = Run::rotate(&sandbox).input("force", "true");
    let outcome = run.go().green();
    let id = the_delivered_pair(&sandbox);
    let renames = outcome.journal.count(DigitalOcean, "PUT", &id);
    assert_eq!(
        renames, 3,
        "announced twice, activated once: {:#?}",
        outcome.journal
    );
}

#[test]
fn a_rename_that_is_answered_and_never_shows_is_no_delivery() {
    let sandbox = delivered();
    let old = the_delivered_pair(&sandbox);
    sandbox.script(renaming().without_effect().forever());
    let run = Run::rotate(&sandbox).input("force", "true");
    let outcome = run.go().red();
    outcome.complains(&["shop-spaces-key", "rename"]);
    assert!(is_live(&sandbox, &old), "the key before it is kept");
    sandbox.clear_faults();
    puts_all_right(&sandbox);
}

#[test]
fn a_cdn_endpoint_that_does_not_come_to_stand_is_announced_nowhere() {
    let sandbox = Sandbox::start(world());
    let creating = Fault::on(DigitalOcean).method("POST");
    sandbox.script(creating.path_contains("/v2/cdn/endpoints").without_effect());
    let outcome = Run::bootstrap(&sandbox).input("cdn", "true").go().red();
    outcome.complains(&["shop-uploads", "CDN endpoint", "list"]);
    assert_eq!(variable(&sandbox, "SPACES_CDN_ENDPOINT"), None);
    assert_eq!(outcome.output("cdn-endpoint"), "");
    the_delivered_pair(&sandbox);
    let again = Run::bootstrap(&sandbox).input("cdn", "true").go().green();
    assert!(!again.output("cdn-endpoint").is_empty());
}

#[test]
fn a_cdn_endpoint_that_shows_a_moment_later_is_announced() {
    let sandbox = Sandbox::start(world());
    sandbox.world().switches.cdn_create_delay = Duration::from_secs(1);
    let outcome = Run::bootstrap(&sandbox).input("cdn", "true").go().green();
    assert!(!outcome.output("cdn-endpoint").is_empty());
    assert!(variable(&sandbox, "SPACES_CDN_ENDPOINT").is_some());
}

#[test]
fn a_cdn_endpoint_whose_change_is_answered_and_does_not_stand_is_told() {
    let sandbox = Sandbox::start(world());
    Run::bootstrap(&sandbox).input("cdn", "true").go().green();
    let changing = Fault::on(DigitalOcean).method("PUT");
    sandbox.script(changing.path_contains("/v2/cdn/endpoints").without_effect());
    let run = Run::bootstrap(&sandbox)
        .input("cdn", "true")
        .input("cdn-ttl", "600");
    run.go().red().complains(&["shop-uploads", "CDN endpoint"]);
}

/// Buckets alone, of which no key gives proof.
#[test]
fn a_bucket_that_is_answered_and_not_made_is_told() {
    let sandbox = Sandbox::start(world().with_full_access_pair());
    sandbox.script(Fault::on(Spaces).method("PUT").without_effect().forever());
    let run = Run::bootstrap(&sandbox).with_full_access();
    let outcome = run.input("key-scope", "none").go().red();
    outcome.complains(&["bucket shop-uploads", "accepted \"created\""]);
}

#[test]
fn a_setting_of_a_bucket_that_is_answered_and_does_not_stand_is_told() {
    std::thread::scope(|scope| {
        let settings = [
            "cors: public-assets",
            "versioning: true",
            "acl: public-read",
            "logging: { bucket: shop-logs }",
        ];
        for setting in settings {
            scope.spawn(move || {
                let sandbox = Sandbox::start(world().with_full_access_pair());
                let answered = Fault::on(Spaces).method("PUT").path_contains("?");
                sandbox.script(answered.without_effect().forever());
                let manifest = format!(
                    "version: 1\nregion: nyc3\napps:\n  shop:\n    buckets:\n      shop-uploads: {{ {setting} }}\n      shop-logs: {{}}\n"
                );
                let run = Run::bare(&sandbox).with_full_access();
                let outcome = run.file(".github/spaces.yml", &manifest).go().red();
                outcome.complains(&["bucket shop-uploads", "shows another setting"]);
            });
        }
    });
}

/// Whoever revokes a key relies on its end.
#[test]
fn a_revoked_key_whose_deletion_is_answered_and_has_no_effect_is_told() {
    for times in [1, 9] {
        let sandbox = delivered();
        let leaked = the_delivered_pair(&sandbox);
        sandbox.advance(Duration::from_secs(5));
        let ending = Fault::on(DigitalOcean).method("DELETE").path_contains(&leaked);
        sandbox.script(ending.without_effect().times(times));
        let outcome = Run::revoke(&sandbox).go();
        if times == 1 {
            outcome.green();
            assert!(!is_live(&sandbox, &leaked), "deleted once more");
        } else {
            outcome
                .red()
                .complains(&[&leaked, "still there", "Run revoke again"]);
        }
    }
}
