//! Whoever saves an app while a run is at it, and whatever becomes of the run's own requests: nobody's save is lost.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::fixture::app::{holds_the_pair, look, run, save, save_in, with_app};
use crate::fixture::scenario::{DUE_ROTATION_WITH_AN_APP, serves};
use crate::fixture::{DigitalOcean, Fault, Outcome, Sandbox, World, the_delivered_pair};

/// Runs that go on at a time.
const SIDE_BY_SIDE: usize = 4;

/// A way in which the reply of a request is lost.
type Loss = (&'static str, fn(Fault) -> Fault);

/// The ways in which the answer to a PUT that was carried out does not come.
const LOST_REPLIES: [Loss; 4] = [
    ("reset after", |put| put.after().reset()),
    ("500 though applied", |put| put.after().status(500)),
    ("502 with HTML though applied", |put| put.after().html(502)),
    ("half a body", |put| put.after().garbage()),
];

/// The ways in which a PUT is answered as a success that it is not.
const HOLLOW_ANSWERS: [Loss; 3] = [
    ("204", |put| put.before().status(204)),
    ("200 with HTML", |put| put.before().html(200)),
    ("200 with {}", |put| put.before().json(&json!({}))),
];

fn the_put() -> Fault {
    Fault::on(DigitalOcean).method("PUT").path_contains("/v2/apps/")
}

/// Somebody reads the app, adds a variable of their own, and saves it.
fn add(world: &mut World, key: &str) {
    save_in(world, |spec| {
        envs(spec).push(json!({ "key": key, "value": "theirs" }));
    });
}

fn envs(spec: &mut Value) -> &mut Vec<Value> {
    let envs = spec.as_object_mut().expect("a spec").entry("envs");
    envs.or_insert_with(|| json!([])).as_array_mut().expect("a list")
}

/// Insists that these variables of somebody else stand in the app.
#[track_caller]
fn keeps(sandbox: &Sandbox, keys: &[&str], story: &str) {
    for key in keys {
        let kept = look(sandbox, |app| app.opened_env(None, key));
        assert_eq!(kept.as_deref(), Some("theirs"), "{key} is lost: {story}");
    }
}

#[track_caller]
fn puts(outcome: &Outcome) -> usize {
    outcome.journal.count(DigitalOcean, "PUT", "/v2/apps/")
}

/// The deployments that came of saves in the control panel, oldest first.
fn theirs(sandbox: &Sandbox) -> Vec<String> {
    look(sandbox, |app| {
        let saved = app.deployments.iter();
        let saved = saved.filter(|deployment| deployment.cause == "Control panel");
        saved.map(|deployment| deployment.id.clone()).collect()
    })
}

#[test]
fn a_save_after_a_put_whose_reply_is_lost_is_not_put_away() {
    for (kind, lost) in LOST_REPLIES {
        let sandbox = with_app();
        sandbox.script(lost(the_put()).after_it(|world| add(world, "THEIRS")));
        let outcome = run(&sandbox).go().green();
        holds_the_pair(&sandbox, None);
        keeps(&sandbox, &["THEIRS"], kind);
        assert_eq!(
            puts(&outcome),
            1,
            "{kind}: its own deployment is known by what it carries"
        );
    }
}

#[test]
fn saves_before_and_after_a_put_whose_reply_is_lost_are_both_kept() {
    for (kind, lost) in LOST_REPLIES {
        let sandbox = with_app();
        let put = lost(the_put());
        let put = put.before_it(|world| add(world, "BEFORE"));
        sandbox.script(put.after_it(|world| add(world, "AFTER")));
        run(&sandbox).go().green();
        holds_the_pair(&sandbox, None);
        keeps(&sandbox, &["BEFORE", "AFTER"], kind);
    }
}

#[test]
fn saves_in_successive_gaps_between_reading_and_writing_are_all_kept() {
    const KEYS: [&str; 3] = ["FIRST", "SECOND", "THIRD"];
    for gaps in [2, 3] {
        let sandbox = with_app();
        for (gap, key) in (0..).zip(&KEYS[..gaps]) {
            sandbox.script(the_put().skip(gap).before_it(move |world| add(world, key)));
        }
        let outcome = run(&sandbox).go().green();
        holds_the_pair(&sandbox, None);
        keeps(&sandbox, &KEYS[..gaps], &format!("{gaps} gaps"));
        assert_eq!(puts(&outcome), gaps + 1);
    }
}

#[test]
fn two_saves_of_a_page_that_was_opened_before_the_run_are_both_kept() {
    let sandbox = with_app();
    let page = look(&sandbox, |app| app.spec.clone());
    let saved = move |world: &mut World, key: &str| {
        let page = page.clone();
        save_in(world, |spec| {
            *spec = page;
            envs(spec).push(json!({ "key": key, "value": "theirs" }));
        });
    };
    let first = saved.clone();
    sandbox.script(the_put().before_it(move |world| first(world, "FIRST")));
    sandbox.script(the_put().after_it(move |world| saved(world, "SECOND")).skip(1));
    run(&sandbox).go().green();
    holds_the_pair(&sandbox, None);
    keeps(&sandbox, &["FIRST", "SECOND"], "a page of before the run");
}

#[test]
fn a_page_that_is_opened_while_a_save_is_replaced_and_saved_afterwards_takes_nothing_away() {
    let sandbox = with_app();
    let page = Arc::new(Mutex::new(Value::Null));
    let opened = Arc::clone(&page);
    sandbox.script(the_put().before_it(|world| add(world, "FIRST")));
    sandbox.script(the_put().after_it(move |world| {
        let app = world.digitalocean.app("shop").expect("the app");
        *opened.lock().expect("a page") = app.spec.clone();
    }));
    sandbox.script(the_put().skip(1).after_it(move |world| {
        save_in(world, |spec| {
            *spec = page.lock().expect("a page").clone();
            envs(spec).push(json!({ "key": "SECOND", "value": "theirs" }));
        });
    }));
    run(&sandbox).go().green();
    holds_the_pair(&sandbox, None);
    keeps(&sandbox, &["FIRST", "SECOND"], "a page of between two PUTs");
}

#[test]
fn where_a_save_touches_a_variable_of_ours_ours_is_written_again_and_the_rest_is_kept() {
    let touch = |world: &mut World| {
        save_in(world, |spec| {
            let mine = json!({ "key": "SPACES_BUCKET", "value": "mine", "scope": "RUN_TIME" });
            let envs = envs(spec);
            envs.retain(|env| env["key"] != "SPACES_BUCKET" && env["key"] != "STRIPE_KEY");
            envs.push(mine);
            spec["services"][1]["instance_count"] = json!(7);
        });
    };
    for put in [the_put().before_it(touch), the_put().after_it(touch)] {
        let sandbox = with_app();
        sandbox.script(put);
        run(&sandbox).go().green();
        holds_the_pair(&sandbox, None);
        look(&sandbox, |app| {
            assert_eq!(app.spec["services"][1]["instance_count"], 7);
            assert_eq!(app.env("STRIPE_KEY"), None, "what they removed stays away");
            let envs = app.spec["envs"].as_array().expect("a list");
            let ours: Vec<_> = envs.iter().filter(|env| env["key"] == "SPACES_BUCKET").collect();
            assert_eq!(ours.len(), 1, "{ours:?}");
            assert_eq!(ours[0]["scope"], "RUN_TIME", "the scope is theirs to choose");
        });
    }
}

#[test]
fn saves_that_cannot_be_brought_together_end_the_run_red_and_are_both_named() {
    let rules = |world: &mut World, prefix: &str| {
        save_in(world, |spec| {
            let rule = json!({ "match": { "path": { "prefix": prefix } }, "component": { "name": "admin" } });
            spec["ingress"]["rules"]
                .as_array_mut()
                .expect("a list")
                .push(rule);
        });
    };
    let sandbox = with_app();
    sandbox.script(the_put().before_it(move |world| rules(world, "/one")));
    sandbox.script(the_put().skip(1).before_it(move |world| rules(world, "/two")));
    let outcome = run(&sandbox).go().red();
    let [first, second] = &theirs(&sandbox)[..] else {
        panic!("two saves: {outcome:#?}");
    };
    outcome.complains(&["app shop", first, second, "ingress.rules"]);
    assert_eq!(puts(&outcome), 2, "nothing more is sent");
}

#[test]
fn a_save_that_removes_the_component_of_the_key_ends_the_run_red_and_names_both() {
    let sandbox = with_app();
    let remove = |world: &mut World| {
        save_in(world, |spec| {
            spec["workers"].as_array_mut().expect("a list").clear();
        });
    };
    sandbox.script(the_put().before_it(remove));
    let outcome = run(&sandbox).input("app-components", "mailer").go().red();
    let ours = look(&sandbox, |app| app.deployments.last().expect("ours").id.clone());
    outcome.complains(&["app shop", &theirs(&sandbox)[0], &ours, "mailer"]);
    assert_eq!(puts(&outcome), 1, "nothing more is sent");
}

#[test]
fn deployments_of_one_moment_that_are_listed_the_other_way_round_are_told_apart() {
    let sandbox = with_app();
    sandbox.script(the_put().before_it(|world| add(world, "BEFORE")));
    let listed = Fault::on(DigitalOcean).path_contains("/deployments?");
    sandbox.script(listed.forever().edits(|_, body| {
        body["deployments"].as_array_mut().expect("a list").reverse();
    }));
    run(&sandbox).go().green();
    holds_the_pair(&sandbox, None);
    keeps(&sandbox, &["BEFORE"], "the list is the other way round");
}

#[test]
fn a_put_that_is_answered_and_not_carried_out_is_sent_once_more() {
    for (kind, hollow) in HOLLOW_ANSWERS {
        let sandbox = with_app();
        sandbox.script(hollow(the_put()));
        let outcome = run(&sandbox).go().green();
        holds_the_pair(&sandbox, None);
        assert_eq!(puts(&outcome), 2, "{kind}");

        let sandbox = with_app();
        sandbox.script(hollow(the_put()).forever());
        is_not_written(&sandbox, run(&sandbox).go(), kind);
    }
}

#[test]
fn a_put_whose_answer_shows_what_does_not_stand_is_sent_once_more() {
    let sandbox = with_app();
    sandbox.world().switches.updates_without_effect = 1;
    let outcome = run(&sandbox).go().green();
    holds_the_pair(&sandbox, None);
    assert_eq!(puts(&outcome), 2);

    let sandbox = with_app();
    sandbox.world().switches.updates_without_effect = u32::MAX;
    is_not_written(&sandbox, run(&sandbox).go(), "an answer that shows the new spec");
}

#[test]
fn a_put_whose_answer_shows_the_spec_as_it_was_is_sent_once_more() {
    let shown = |sandbox: &Sandbox| {
        let app = look(sandbox, |app| json!({ "id": app.id, "spec": app.spec }));
        the_put().before().json(&json!({ "app": app }))
    };
    let sandbox = with_app();
    sandbox.script(shown(&sandbox));
    let outcome = run(&sandbox).go().green();
    holds_the_pair(&sandbox, None);
    assert_eq!(puts(&outcome), 2);

    let sandbox = with_app();
    sandbox.script(shown(&sandbox).forever());
    is_not_written(&sandbox, run(&sandbox).go(), "the spec as it was");
}

/// A place that is corrected in an app whose key stays, with answers that are none.
#[test]
fn a_variable_that_says_where_is_not_told_as_set_where_it_was_not() {
    let sandbox = with_app();
    run(&sandbox).go().green();
    save(&sandbox, |spec| {
        envs(spec).retain(|env| env["key"] != "SPACES_BUCKET");
    });
    sandbox.world().switches.updates_without_effect = u32::MAX;
    is_not_written(&sandbox, run(&sandbox).go(), "a kept key");
}

#[track_caller]
fn is_not_written(sandbox: &Sandbox, outcome: Outcome, kind: &str) {
    let outcome = outcome.red();
    outcome.complains(&["app shop", "does not show"]);
    assert_eq!(puts(&outcome), 2, "{kind}: once more, and no oftener");
    assert!(!outcome.stdout.contains("spec given the new key"), "{kind}");
    assert!(!outcome.stdout.contains("SPACES_BUCKET set"), "{kind}");
    assert!(theirs(sandbox).len() <= 1, "{kind}");
}

/// Long enough that a run is through with all its looks if it does not wait, short enough that one waits for it.
const LATE: Duration = Duration::from_millis(400);

#[test]
fn a_deployment_that_shows_late_is_waited_for_and_nothing_is_put_twice() {
    let sandbox = with_app();
    sandbox.world().switches.deployment_visible_after = LATE;
    let outcome = run(&sandbox).go().green();
    holds_the_pair(&sandbox, None);
    assert_eq!(puts(&outcome), 1);
}

#[test]
fn a_late_deployment_of_a_put_whose_reply_is_lost_is_waited_for_too() {
    for (kind, lost) in LOST_REPLIES {
        let sandbox = with_app();
        sandbox.world().switches.deployment_visible_after = LATE;
        sandbox.script(lost(the_put()));
        let outcome = run(&sandbox).go().green();
        holds_the_pair(&sandbox, None);
        assert_eq!(puts(&outcome), 1, "{kind}");
    }
}

#[test]
fn a_save_whose_deployment_shows_late_is_not_lost() {
    let sandbox = with_app();
    sandbox.world().switches.deployment_visible_after = LATE;
    sandbox.script(the_put().before_it(|world| add(world, "THEIRS")));
    run(&sandbox).go().green();
    holds_the_pair(&sandbox, None);
    keeps(&sandbox, &["THEIRS"], "shown late");
}

#[test]
fn a_late_deployment_of_the_run_before_is_waited_for() {
    let sandbox = with_app();
    // Only what comes of this very PUT is late.
    run(&sandbox).input("wait-for-deployment", "false").go().green();
    let id = the_delivered_pair(&sandbox);
    {
        let mut world = sandbox.world();
        world.switches.deployment_visible_after = LATE * 2;
        // As if it had been saved just now: nothing shows its deployment yet.
        save_in(&mut world, |_| {});
        let app = world.digitalocean.app_mut("shop").expect("the app");
        for deployment in app.deployments.iter_mut().rev().skip(1) {
            let envs = deployment.spec["envs"].as_array_mut().expect("a list");
            envs.retain(|env| env["value"] != json!(id));
        }
    }
    let outcome = run(&sandbox).go().green();
    assert_eq!(puts(&outcome), 0, "{:#?}", outcome.journal);
    holds_the_pair(&sandbox, None);
}

#[test]
fn an_app_that_does_not_show_what_serves_is_not_put_again() {
    let sandbox = with_app();
    run(&sandbox).go().green();
    let apps = Fault::on(DigitalOcean).method("GET").path_contains("/v2/apps");
    sandbox.script(apps.forever().edits(|_, body| {
        let hide = |app: &mut Value| {
            let app = app.as_object_mut().expect("an app");
            app.remove("active_deployment");
        };
        body.get_mut("app").into_iter().for_each(hide);
        let listed = body.get_mut("apps").and_then(Value::as_array_mut);
        listed.into_iter().flatten().for_each(hide);
    }));
    for wait in ["true", "false"] {
        let outcome = run(&sandbox).input("wait-for-deployment", wait).go().green();
        let writes = outcome.journal.writes();
        assert!(writes.is_empty(), "{writes:#?}");
    }
}

/// Somebody saves the app just before one request of a run, whichever it is, while the reply of its PUT comes or is lost.
#[test]
fn a_save_at_any_point_of_a_rotation_is_not_lost() {
    let came: Loss = ("the reply comes", |put| put);
    let never_arrived: Loss = ("reset before", |put| put.before().reset());
    let replies: Vec<Loss> = LOST_REPLIES.into_iter().chain([came, never_arrived]).collect();
    let requests = DUE_ROTATION_WITH_AN_APP.requests;
    let points: Vec<(u64, Loss)> = (1..=requests)
        .flat_map(|number| replies.iter().map(move |reply| (number, *reply)))
        .collect();
    let points = &points;
    std::thread::scope(|scope| {
        for share in 0..SIDE_BY_SIDE {
            scope.spawn(move || {
                let own = points.iter().skip(share).step_by(SIDE_BY_SIDE);
                own.for_each(|(number, reply)| survives_a_save(*number, *reply));
            });
        }
    });
}

/// Two saves: one at this request, and one at the PUT that follows it or at the next one.
#[track_caller]
fn survives_a_save(number: u64, (kind, lost): Loss) {
    let sandbox = (DUE_ROTATION_WITH_AN_APP.before)();
    let before = sandbox.journal().last().map_or(0, |entry| entry.number);
    sandbox.script(Fault::nth(before + number).before_it(|world| add(world, "AT_ANY_POINT")));
    sandbox.script(
        the_put()
            .skip(1)
            .before_it(|world| add(world, "AT_THE_SECOND_PUT")),
    );
    sandbox.script(lost(the_put()));
    let outcome = (DUE_ROTATION_WITH_AN_APP.ask)(&sandbox).go();
    let story = format!("a save before request {number}, {kind}: {outcome:#?}");
    assert_eq!(outcome.exit, Some(0), "{story}");
    keeps(&sandbox, &["AT_ANY_POINT"], &story);
    if puts(&outcome) > 1 {
        keeps(&sandbox, &["AT_THE_SECOND_PUT"], &story);
    }
    serves(&sandbox, &story);
}

/// When the run is about to look at the app: its key has just been announced.
fn before_the_look() -> Fault {
    Fault::on(DigitalOcean)
        .method("PUT")
        .path_contains("/v2/spaces/keys/")
}

/// What somebody saves before the run reads the app, and then shows late, was read already.
#[test]
fn saves_of_before_the_look_that_show_late_are_not_replayed() {
    let sandbox = with_app();
    sandbox.world().switches.deployment_visible_after = LATE;
    sandbox.script(before_the_look().after_it(|world| {
        add(world, "FIRST");
        add(world, "SECOND");
    }));
    let outcome = run(&sandbox).go().green();
    holds_the_pair(&sandbox, None);
    keeps(&sandbox, &["FIRST", "SECOND"], "both were read");
    assert_eq!(puts(&outcome), 1);
}

/// Whether the app has so many instances of its first service.
fn instances(sandbox: &Sandbox) -> Option<i64> {
    look(sandbox, |app| app.spec["services"][0]["instance_count"].as_i64())
}

fn scale(world: &mut World, count: i64) {
    save_in(world, |spec| spec["services"][0]["instance_count"] = json!(count));
}

#[test]
fn what_somebody_took_back_stays_taken_back() {
    let sandbox = with_app();
    scale(&mut sandbox.world(), 3);
    sandbox.script(the_put().before_it(|world| {
        scale(world, 2);
        scale(world, 3);
    }));
    run(&sandbox).go().green();
    assert_eq!(instances(&sandbox), Some(3), "before our PUT");
    let sandbox = with_app();
    scale(&mut sandbox.world(), 3);
    sandbox.script(the_put().after_it(|world| {
        scale(world, 2);
        scale(world, 3);
    }));
    run(&sandbox).go().green();
    assert_eq!(instances(&sandbox), Some(3), "after our PUT");
}

#[test]
fn a_second_put_that_is_answered_and_not_stored_loses_nobody() {
    let sandbox = with_app();
    sandbox.script(the_put().before_it(|world| add(world, "THEIRS")));
    sandbox.script(the_put().skip(1).without_effect());
    run(&sandbox).go();
    keeps(&sandbox, &["THEIRS"], "the merge was sent once more");
}
