//! The gate looks back over an app's deployments as far as it must and no further, and counts as served only what was live.

use std::time::Duration;

use serde_json::{Value, json};
use spacekeeper_sandbox::digitalocean::{Course, Phase};
use spacekeeper_sandbox::{Deed, Entry, Routine};

use crate::fixture::app::look;
use crate::fixture::{DigitalOcean, Fault, Run, Sandbox, World, the_delivered_pair, world};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

fn app_world() -> World {
    world().with_app(json!({ "name": "shop", "services": [{ "name": "api" }] }))
}

fn plain(sandbox: &Sandbox) -> Run<'_> {
    Run::rotate(sandbox)
}

fn with_app(sandbox: &Sandbox) -> Run<'_> {
    plain(sandbox).input("app-platform-app", "shop")
}

/// A world in which a forced rotation has replaced a key just now. Returns the replaced one.
fn replaced(world: World, ask: for<'a> fn(&'a Sandbox) -> Run<'a>) -> (Sandbox, String) {
    let sandbox = Sandbox::start(world);
    ask(&sandbox).input("command", "bootstrap").go().green();
    let old = the_delivered_pair(&sandbox);
    sandbox.advance(Duration::from_secs(5));
    ask(&sandbox).input("force", "true").go().green();
    (sandbox, old)
}

fn is_alive(sandbox: &Sandbox, id: &str) -> bool {
    let world = sandbox.world();
    world.digitalocean.key(id).expect("the key").is_live()
}

fn every(sandbox: &Sandbox, span: Duration, deed: Deed) {
    let mut world = sandbox.world();
    let routine = Routine::every(span, world.clock.now(), deed);
    world.routines.push(routine);
}

fn deploys_every(sandbox: &Sandbox, span: Duration) {
    let app = "shop".to_owned();
    every(sandbox, span, Deed::Deploy { app });
}

fn script(sandbox: &Sandbox, course: Course) {
    let mut world = sandbox.world();
    let app = world.digitalocean.app_mut("shop").expect("the app");
    app.script(course);
}

#[test]
fn a_key_goes_however_often_its_app_is_deployed() {
    for (span, pages) in [(HOUR, 3), (Duration::from_mins(10), 9)] {
        let (sandbox, old) = replaced(app_world(), with_app);
        deploys_every(&sandbox, span);
        sandbox.advance(DAY / 2);
        let early = with_app(&sandbox).run_id(5).go().green();
        assert!(early.keeps(&old).starts_with("its grace period lasts until "));
        sandbox.advance(DAY / 2 + HOUR);
        let outcome = with_app(&sandbox).run_id(6).go().green();
        assert!(!is_alive(&sandbox, &old), "{}", outcome.stdout);
        let asked = outcome.journal.count(DigitalOcean, "GET", "/deployments?");
        assert!(asked <= pages, "{asked} pages: {:#?}", outcome.journal);
        assert!(sandbox.violations().is_empty(), "{:?}", sandbox.violations());
    }
}

#[test]
fn grace_counts_from_the_deployment_that_brought_the_new_key_many_deployments_ago() {
    let (sandbox, old) = replaced(app_world(), with_app);
    deploys_every(&sandbox, HOUR);
    sandbox.advance(DAY / 2);
    // A stale spec brings the old key back for a moment.
    let (stale, fresh) = look(&sandbox, |app| {
        (app.deployments[1].spec.clone(), app.spec.clone())
    });
    for spec in [stale, fresh] {
        let mut world = sandbox.world();
        let now = world.clock.now();
        let app = world.digitalocean.app_mut("shop").expect("the app");
        app.spec = spec;
        let deed = Deed::Deploy {
            app: "shop".to_owned(),
        };
        world.routines = vec![Routine::every(Duration::from_secs(1), now, deed)];
        world.clock.advance(Duration::from_secs(2));
        drop(world);
        sandbox.world().routines.clear();
    }
    deploys_every(&sandbox, HOUR);
    sandbox.advance(HOUR * 23);
    let outcome = with_app(&sandbox).run_id(5).go().green();
    assert!(is_alive(&sandbox, &old), "{}", outcome.stdout);
    assert!(outcome.keeps(&old).starts_with("its grace period lasts until "));
    sandbox.advance(HOUR * 2);
    with_app(&sandbox).run_id(6).go().green();
    assert!(!is_alive(&sandbox, &old));
}

#[test]
fn where_more_deployments_are_made_than_anybody_reads_the_key_stays_and_that_is_said() {
    let (sandbox, old) = replaced(app_world(), with_app);
    deploys_every(&sandbox, Duration::from_mins(1));
    sandbox.advance(DAY + HOUR);
    let outcome = with_app(&sandbox).run_id(5).go().green();
    assert!(is_alive(&sandbox, &old), "{}", outcome.stdout);
    let told = outcome.keeps(&old);
    assert!(
        told.contains("only the newest 1000 deployments of app shop are read, the oldest of them of "),
        "{told}"
    );
    sandbox.world().routines.clear();
    sandbox.advance(DAY);
    with_app(&sandbox).run_id(6).go().green();
    assert!(!is_alive(&sandbox, &old));
}

/// The deployment of the new key takes this course and is overtaken a day later by one that comes to serve. Returns the
/// old key, which served until then.
#[track_caller]
fn served_for_a_moment_only(course: &Course) {
    let ask = |sandbox| with_app(sandbox).input("wait-for-deployment", "false");
    let sandbox = Sandbox::start(app_world());
    with_app(&sandbox).input("command", "bootstrap").go().green();
    let old = the_delivered_pair(&sandbox);
    sandbox.advance(Duration::from_mins(15));
    script(&sandbox, course.clone());
    ask(&sandbox).input("force", "true").go().green();
    sandbox.advance(DAY + HOUR);
    let outcome = with_app(&sandbox).run_id(5).go().green();
    assert!(
        is_alive(&sandbox, &old),
        "{course:?}: it served until a moment ago\n{}",
        outcome.stdout
    );
    let told = outcome.keeps(&old);
    assert!(
        told.starts_with("its grace period lasts until "),
        "{course:?}: {told}"
    );
    sandbox.advance(DAY + HOUR);
    with_app(&sandbox).run_id(6).go().green();
    assert!(!is_alive(&sandbox, &old), "{course:?}");
    assert!(sandbox.violations().is_empty(), "{:?}", sandbox.violations());
}

#[test]
fn a_deployment_that_never_served_is_not_counted() {
    served_for_a_moment_only(&Course::StuckIn(Phase::PendingBuild));
    served_for_a_moment_only(&Course::StuckIn(Phase::Building));
    served_for_a_moment_only(&Course::StuckIn(Phase::Deploying));
    served_for_a_moment_only(&Course::SupersededAfter(Phase::Deploying));
    served_for_a_moment_only(&Course::CanceledAfter(Phase::Deploying));
    served_for_a_moment_only(&Course::fails("api", "DeployContainerExitNonZero", "exit 1"));
}

#[test]
fn one_that_took_a_day_to_come_to_serve_counts_from_then_on() {
    let sandbox = Sandbox::start(app_world());
    with_app(&sandbox).input("command", "bootstrap").go().green();
    let old = the_delivered_pair(&sandbox);
    sandbox.advance(Duration::from_mins(15));
    script(&sandbox, Course::StuckIn(Phase::Deploying));
    let hurried = with_app(&sandbox).input("wait-for-deployment", "false");
    hurried.input("force", "true").go().green();
    sandbox.advance(DAY + HOUR);
    {
        let mut world = sandbox.world();
        let app = world.digitalocean.app_mut("shop").expect("the app");
        app.deployments.last_mut().expect("a deployment").course = Course::Succeeds;
    }
    let patient = || with_app(&sandbox).input("deployment-timeout", "48h");
    let outcome = patient().run_id(5).go().green();
    assert!(
        is_alive(&sandbox, &old),
        "it served until a moment ago\n{}",
        outcome.stdout
    );
    sandbox.advance(DAY + HOUR);
    patient().run_id(6).go().green();
    assert!(!is_alive(&sandbox, &old));
}

/// A service that tells less than it might: no steps, no times of phases.
#[test]
fn where_it_is_not_told_what_served_grace_counts_from_what_serves_now() {
    let (sandbox, old) = replaced(app_world(), with_app);
    deploys_every(&sandbox, HOUR * 12);
    sandbox.advance(DAY * 2 + HOUR);
    let silent = |_: &Entry, body: &mut Value| {
        for one in body["deployments"].as_array_mut().into_iter().flatten() {
            for field in [
                "progress",
                "phase_last_updated_at",
                "updated_at",
                "previous_deployment_id",
            ] {
                one.as_object_mut().map(|one| one.remove(field));
            }
        }
    };
    let reading = Fault::on(DigitalOcean).path_contains("/deployments?");
    sandbox.script(reading.forever().edits(silent));
    let outcome = with_app(&sandbox).run_id(5).go().green();
    assert!(is_alive(&sandbox, &old), "{}", outcome.stdout);
    assert!(outcome.keeps(&old).starts_with("its grace period lasts until "));
    sandbox.world().routines.clear();
    sandbox.advance(DAY);
    with_app(&sandbox).run_id(6).go().green();
    assert!(!is_alive(&sandbox, &old));
}
