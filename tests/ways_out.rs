//! Whatever ends a run: the key that may do everything is gone, what happened is told, and the exit code is right.

use spacekeeper_sandbox::World;

use crate::fixture::{Outcome, Run, Sandbox, world};

/// No key that may do everything is alive.
#[track_caller]
fn assert_no_admin_key_is_left(sandbox: &Sandbox) {
    let world = sandbox.world();
    let admins = world.digitalocean.live_keys().filter(|key| key.has_full_access());
    let names: Vec<&str> = admins.map(|key| key.name.as_str()).collect();
    assert_eq!(names, [""; 0], "a key that may do everything is left");
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
