//! Whatever single request fails once, in whatever way, the run still ends green and the world is as it was wanted. A
//! mint is never repeated under the same name.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use spacekeeper_sandbox::{Entry, FaceName};

use crate::fixture;
use crate::fixture::scenario::{DUE_ROTATION_WITH_AN_APP, REVOCATION, Scenario, serves};
use crate::fixture::under_way::until_answered;
use crate::fixture::{DigitalOcean, Fault, GitHub, Outcome, Run, Sandbox, Spaces, World, live_keys};

const SLOW_DOWN: &str = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message>\
                         <RequestId>tx0</RequestId></Error>";

/// Runs that go on at a time.
const SIDE_BY_SIDE: usize = 8;

/// A first bootstrap touches everything: buckets, settings, keys, secrets, variables and an app.
fn world() -> World {
    let service = json!({ "name": "api", "image": { "repository": "api" }, "http_port": 8080 });
    fixture::world().with_app(json!({ "name": "shop", "region": "nyc", "services": [service] }))
}

fn run(sandbox: &Sandbox) -> Outcome {
    Run::bootstrap(sandbox)
        .input("log-bucket", "shop-logs")
        .input("log-retention-days", "30")
        .input("app-platform-app", "shop")
        .go()
}

/// The requests of a run without faults, to all services or to one, numbered from 1.
fn requests(face: Option<FaceName>) -> Vec<u32> {
    let sandbox = Sandbox::start(world());
    let outcome = run(&sandbox).green();
    assert_as_wanted(&sandbox, &outcome, "no fault");
    let asked = |entry: &&Entry| face.is_none_or(|face| face == entry.face);
    (1..)
        .zip(outcome.journal.0.iter().filter(asked))
        .map(|(number, _)| number)
        .collect()
}

/// Plays the fault to each request, one run each, some of them side by side: most of a run is pauses.
fn every_request_survives(kind: &str, requests: &[u32], fault: impl Fn(u32) -> Fault + Sync) {
    let survive = |numbers: &[u32]| {
        for number in numbers {
            survives(&format!("{kind} at request {number}"), fault(*number));
        }
    };
    let survive = &survive;
    std::thread::scope(|scope| {
        for share in requests.chunks(requests.len().div_ceil(SIDE_BY_SIDE)) {
            scope.spawn(move || survive(share));
        }
    });
}

#[track_caller]
fn survives(story: &str, fault: Fault) {
    let sandbox = Sandbox::start(world());
    sandbox.script(fault);
    let outcome = run(&sandbox).green();
    assert_as_wanted(&sandbox, &outcome, story);
}

#[track_caller]
fn assert_as_wanted(sandbox: &Sandbox, outcome: &Outcome, story: &str) {
    let world = sandbox.world();
    let uploads = world.spaces.bucket("shop-uploads").expect("the bucket");
    assert!(uploads.logging.is_some(), "{story}: {}", outcome.stdout);
    let logs = world.spaces.bucket("shop-logs").expect("the log bucket");
    assert_eq!(logs.lifecycle.len(), 1, "{story}: {}", outcome.stdout);

    let live: Vec<_> = world.digitalocean.live_keys().collect();
    let [key] = live[..] else {
        panic!("{story}: not one key but {live:?}: {}", outcome.stdout);
    };
    assert!(key.name.contains("--active-"), "{story}: {}", key.name);

    let repository = world.github.repository("acme/shop").expect("the repository");
    let secret = |name| repository.secret(name).map(|secret| secret.text().into_owned());
    assert_eq!(
        secret("SPACES_ACCESS_KEY").as_ref(),
        Some(&key.access_key),
        "{story}"
    );
    assert_eq!(
        secret("SPACES_SECRET_KEY").as_ref(),
        Some(&key.secret_key),
        "{story}"
    );
    let variable = repository.variable("SPACES_ACCESS_KEY_ID");
    assert_eq!(variable.map(|it| &it.value), Some(&key.access_key), "{story}");

    let app = world.digitalocean.app("shop").expect("the app");
    let live_secret = app.live_env(None, "SPACES_SECRET_KEY");
    assert_eq!(
        live_secret.as_ref(),
        Some(&key.secret_key),
        "{story}: {}",
        outcome.stdout
    );
    assert_names_are_new(&world, &outcome.journal.0, story);
}

/// A mint that may have been carried out is not repeated: every key ever made has a name of its own, and the account
/// is looked through before another is tried.
#[track_caller]
fn assert_names_are_new(world: &World, journal: &[Entry], story: &str) {
    let nonce = |name: &str| name.rsplit_once("--").map(|(born, _)| born.to_owned());
    let names: Vec<_> = world
        .digitalocean
        .keys
        .iter()
        .map(|key| nonce(&key.name))
        .collect();
    let distinct: BTreeSet<_> = names.iter().collect();
    assert_eq!(names.len(), distinct.len(), "{story}: {names:?}");
    let mints: Vec<usize> = positions(journal, "POST");
    let looks: Vec<usize> = positions(journal, "GET");
    for lost in mints
        .iter()
        .filter(|at| may_have_been_carried_out(&journal[**at]))
    {
        let next = mints.iter().find(|at| *at > lost);
        let looked = |next: &usize| looks.iter().any(|at| lost < at && at < next);
        assert!(next.is_none_or(looked), "{story}: a mint was repeated blindly");
    }
}

fn positions(journal: &[Entry], method: &str) -> Vec<usize> {
    let at_keys = |entry: &Entry| entry.method == method && entry.path.starts_with("/v2/spaces/keys");
    let found = journal.iter().enumerate().filter(|(_, entry)| at_keys(entry));
    found.map(|(at, _)| at).collect()
}

fn may_have_been_carried_out(entry: &Entry) -> bool {
    entry.status.is_none_or(|status| status >= 500)
}

/// A way in which one request goes wrong.
type Kind = (&'static str, fn(u64) -> Fault);

/// Everything that the sandbox can do to a request, but for the stall, which takes its time.
const KINDS: [Kind; 9] = [
    ("429 that says when", |number| {
        Fault::nth(number).status(429).header("retry-after", "0")
    }),
    ("429 that says nothing", |number| Fault::nth(number).status(429)),
    ("500", |number| Fault::nth(number).status(500)),
    ("502 with HTML", |number| Fault::nth(number).html(502)),
    ("503 SlowDown", |number| {
        let slow_down = Fault::nth(number).status(503);
        slow_down
            .header("content-type", "application/xml")
            .body(SLOW_DOWN)
    }),
    ("reset before", |number| Fault::nth(number).before().reset()),
    ("reset after", |number| Fault::nth(number).after().reset()),
    ("half a body", |number| Fault::nth(number).after().garbage()),
    ("wrong content type", |number| {
        Fault::nth(number).after().wrong_content_type()
    }),
];

/// Longer than the product waits for an answer: it asks again, and the first request lands when nobody awaits it.
const STALL: Duration = Duration::from_secs(30);

impl Scenario {
    fn requests_without_faults(self) -> u64 {
        let sandbox = (self.before)();
        let requests = (self.ask)(&sandbox).go().green().journal.0.len();
        u64::try_from(requests).expect("a number")
    }

    /// One request goes wrong once: the run itself makes good for it.
    fn survives(self, (kind, fault): Kind, number: u64) {
        let sandbox = (self.before)();
        let before = sandbox.journal().last().map_or(0, |entry| entry.number);
        sandbox.script(fault(before + number));
        let outcome = (self.ask)(&sandbox).go();
        let story = format!("{kind} at request {number}: {outcome:#?}");
        assert_eq!(outcome.exit, Some(0), "{story}");
        serves(&sandbox, &story);
        let unfinished = |name: &&String| !name.contains("--active-") && name.contains("--");
        assert_eq!(live_keys(&sandbox).iter().find(unfinished), None, "{story}");
        assert_names_are_new(&sandbox.world(), &outcome.journal.0, &story);
    }

    /// One request hangs: the run may fail, and the next one puts it right.
    fn outlives_a_stall(self, number: u64) {
        let sandbox = (self.before)();
        let before = sandbox.journal().last().map_or(0, |entry| entry.number);
        sandbox.script(Fault::nth(before + number).before().delay(STALL));
        let outcome = (self.ask)(&sandbox).run_id(101).go();
        let story = format!("request {number} hangs: {outcome:#?}");
        assert!(matches!(outcome.exit, Some(0 | 1)), "{story}");
        until_answered(&sandbox, before + number);
        sandbox.advance(Duration::from_mins(12));
        let repaired = (self.ask)(&sandbox).run_id(102).go();
        assert_eq!(repaired.exit, Some(0), "{story}\n{repaired:#?}");
        serves(&sandbox, &story);
    }
}

/// Does each of these, some of them side by side.
fn side_by_side<T: Copy + Send + Sync>(all: &[T], at_a_time: usize, each: impl Fn(T) + Sync) {
    let each = &each;
    std::thread::scope(|scope| {
        for share in 0..at_a_time {
            scope.spawn(move || {
                all.iter()
                    .skip(share)
                    .step_by(at_a_time)
                    .for_each(|one| each(*one));
            });
        }
    });
}

fn every_kind_at_every_request(scenario: Scenario) {
    let requests = 1..=scenario.requests_without_faults();
    let all: Vec<(Kind, u64)> = requests
        .flat_map(|number| KINDS.map(|kind| (kind, number)))
        .collect();
    assert!(all.len() > 180, "{}", all.len());
    side_by_side(&all, SIDE_BY_SIDE, |(kind, number)| {
        scenario.survives(kind, number);
    });
}

/// Three kinds a request, others at the next one: in a command that differs from another in a few calls only.
fn every_request_with_changing_kinds(scenario: Scenario) {
    let requests = 1..=scenario.requests_without_faults();
    let all: Vec<(Kind, u64)> = requests
        .flat_map(|number| {
            [0, 2, 5].map(|step| {
                (
                    KINDS[usize::try_from(number + step).expect("a number") % KINDS.len()],
                    number,
                )
            })
        })
        .collect();
    side_by_side(&all, SIDE_BY_SIDE, |(kind, number)| {
        scenario.survives(kind, number);
    });
}

#[test]
fn a_rotation_with_an_app_survives_everything() {
    every_kind_at_every_request(DUE_ROTATION_WITH_AN_APP);
}

#[test]
fn a_revocation_survives_everything() {
    every_request_with_changing_kinds(REVOCATION);
}

#[test]
fn a_request_that_hangs_and_lands_late_is_put_right_by_the_next_run() {
    let requests = DUE_ROTATION_WITH_AN_APP.requests_without_faults();
    let all: Vec<u64> = (1..=requests).collect();
    side_by_side(&all, all.len(), |number| {
        DUE_ROTATION_WITH_AN_APP.outlives_a_stall(number);
    });
}

fn at_request(number: u32) -> Fault {
    Fault::nth(number.into())
}

#[test]
fn a_429_that_says_when() {
    let fault = |number| at_request(number).status(429).header("retry-after", "0");
    every_request_survives("429", &requests(None), fault);
}

#[test]
fn a_429_that_says_nothing() {
    every_request_survives("bare 429", &requests(None), |number| {
        at_request(number).status(429)
    });
}

#[test]
fn half_a_body() {
    every_request_survives("half a body", &requests(None), |number| {
        at_request(number).after().garbage()
    });
}

#[test]
fn a_wrong_content_type() {
    every_request_survives("wrong content type", &requests(None), |number| {
        at_request(number).after().wrong_content_type()
    });
}

#[test]
fn a_500() {
    every_request_survives("500", &requests(None), |number| at_request(number).status(500));
}

#[test]
fn a_502_with_a_page_of_html() {
    every_request_survives("502", &requests(None), |number| at_request(number).html(502));
}

#[test]
fn a_connection_that_breaks_before_the_request_is_carried_out() {
    let fault = |number| at_request(number).before().reset();
    every_request_survives("reset before", &requests(None), fault);
}

#[test]
fn a_connection_that_breaks_after_the_request_was_carried_out() {
    let fault = |number| at_request(number).after().reset();
    every_request_survives("reset after", &requests(None), fault);
}

#[test]
fn a_503_slow_down_of_spaces() {
    let fault = |number| {
        let slow_down = Fault::on(Spaces).skip(number - 1).status(503);
        slow_down
            .header("content-type", "application/xml")
            .body(SLOW_DOWN)
    };
    every_request_survives("SlowDown", &requests(Some(Spaces)), fault);
}

#[test]
fn a_service_that_stays_down_ends_the_run_red_and_leaves_no_key() {
    for face in [DigitalOcean, Spaces, GitHub] {
        let sandbox = Sandbox::start(world());
        sandbox.script(Fault::on(face).status(503).forever());
        run(&sandbox).red();
        let world = sandbox.world();
        let left: Vec<_> = world.digitalocean.live_keys().map(|key| &key.name).collect();
        assert!(left.is_empty(), "{face:?}: {left:?}");
    }
}
