//! `audit` lists what the account holds and ranks what is wrong with it, and writes nothing but the admin key.

use std::time::Duration;

use serde_json::{Value, json};
use spacekeeper_sandbox::digitalocean::{Grant, Key};
use spacekeeper_sandbox::spaces::{Acl, Bucket, Logging};

use crate::fixture::{Outcome, REPOSITORY, Run, Sandbox, World, world};

const DAY: Duration = Duration::from_hours(24);

/// An account in which everything is as an auditor wants it: one scoped key, one bucket that is logged.
fn tidy() -> Sandbox {
    let world = world()
        .with_bucket("nyc3", "shop-logs")
        .with_bucket("nyc3", "shop-uploads")
        .with_key("made-by-hand", &[("shop-uploads", "read")]);
    let sandbox = Sandbox::start(world);
    log_to(&sandbox, "shop-uploads", "shop-logs");
    sandbox
}

fn log_to(sandbox: &Sandbox, source: &str, target: &str) {
    let mut world = sandbox.world();
    world.spaces.bucket_mut(source).expect("the bucket").logging = Some(Logging {
        target_bucket: target.to_owned(),
        target_prefix: "logs/".to_owned(),
    });
}

/// The least that an audit needs: a token.
fn audit(sandbox: &Sandbox) -> Run<'_> {
    Run::bare(sandbox)
        .input("command", "audit")
        .input("digitalocean-token", World::DIGITALOCEAN_TOKEN)
        .input("report-file", "report.json")
}

fn ids(outcome: &Outcome) -> Vec<String> {
    let findings = outcome.json_output("findings");
    let id = |finding: &Value| finding["id"].as_str().expect("an id").to_owned();
    findings.as_array().expect("a list").iter().map(id).collect()
}

fn inventory(outcome: &Outcome) -> Value {
    let report: Value = serde_json::from_str(outcome.report.as_deref().expect("a report")).expect("JSON");
    report["inventory"].clone()
}

#[test]
fn a_tidy_account_yields_nothing_and_only_the_admin_key_is_written() {
    let sandbox = tidy();
    let outcome = audit(&sandbox).go().green();
    assert_eq!(ids(&outcome), Vec::<String>::new());
    let writes = outcome.journal.writes();
    assert_eq!(writes.len(), 2, "{writes:?}");
    let inventory = inventory(&outcome);
    assert_eq!(
        inventory["keys"].as_array().map(Vec::len),
        Some(1),
        "{inventory:#}"
    );
    assert_eq!(
        inventory["buckets"].as_array().map(Vec::len),
        Some(2),
        "{inventory:#}"
    );
}

struct Case {
    id: &'static str,
    spoil: fn(&Sandbox),
    ask: fn(Run<'_>) -> Run<'_>,
}

const fn case(id: &'static str, spoil: fn(&Sandbox)) -> Case {
    Case {
        id,
        spoil,
        ask: |run| run,
    }
}

const CASES: &[Case] = &[
    case("SK009", |sandbox| {
        key(
            sandbox,
            "shop-spaces-key--0-aaaa--admin",
            vec![Grant::full_access()],
            2,
        );
    }),
    case("SK051", |sandbox| {
        sandbox
            .world()
            .spaces
            .bucket_mut("shop-uploads")
            .expect("the bucket")
            .acl = Acl::PublicRead;
    }),
    case("SK060", |sandbox| {
        key(sandbox, "terraform", vec![Grant::full_access()], 1);
    }),
    case("SK061", |sandbox| {
        key(sandbox, "old", vec![Grant::new("shop-uploads", "read")], 24 * 91);
    }),
    case("SK062", |sandbox| {
        key(sandbox, "other", vec![Grant::new("gone", "read")], 1);
    }),
    Case {
        id: "SK063",
        spoil: |sandbox| {
            let grants = vec![
                Grant::new("shop-uploads", "read"),
                Grant::new("shop-logs", "readwrite"),
            ];
            key(sandbox, "shop-spaces-key--1-aaaa--active-1", grants, 1);
        },
        ask: |run| {
            run.input("app", "shop")
                .input("buckets", "shop-uploads=read")
                .input("log-bucket", "shop-logs")
        },
    },
    case("SK064", |sandbox| {
        let mut world = sandbox.world();
        let now = world.clock.now();
        world.spaces.add(Bucket::new("unlogged", "nyc3", now));
    }),
    case("SK065", |sandbox| {
        sandbox
            .world()
            .spaces
            .bucket_mut("shop-uploads")
            .expect("the bucket")
            .policy = Some("{}".to_owned());
    }),
    case("SK066", |sandbox| app(sandbox, "DO00GONEGONEGONE0000")),
    case("SK067", |sandbox| {
        for number in 0..196 {
            key(
                sandbox,
                &format!("key-{number}"),
                vec![Grant::new("shop-uploads", "read")],
                1,
            );
        }
    }),
    case("SK068", |sandbox| {
        let mut world = sandbox.world();
        let now = world.clock.now();
        for number in 0..93 {
            world
                .spaces
                .add(Bucket::new(format!("bucket-{number}"), "nyc3", now).logging_to("shop-logs", "logs/"));
        }
    }),
    case("SK069", |sandbox| {
        key(
            sandbox,
            "shop-spaces-key--0-aaaa--delivering",
            vec![Grant::new("shop-uploads", "read")],
            1,
        );
    }),
    case("SK070", |sandbox| key(sandbox, "empty", Vec::new(), 1)),
    Case {
        id: "SK071",
        spoil: |_| {},
        ask: |run| {
            run.input("app", "shop")
                .input("buckets", "shop-uploads")
                .without_input("log-bucket")
        },
    },
    Case {
        id: "SK072",
        spoil: |sandbox| {
            current(sandbox, 1);
            repository_names(sandbox, "DO00OFANOTHERFAMILY0");
        },
        ask: declared,
    },
    case("SK073", |sandbox| drop(current(sandbox, 1))),
    Case {
        id: "SK074",
        spoil: |sandbox| {
            let id = current(sandbox, 24 * 91);
            repository_names(sandbox, &id);
        },
        ask: declared,
    },
];

/// The request of the family, by which its sinks are known.
fn declared(run: Run<'_>) -> Run<'_> {
    run.input("app", "shop")
        .input("buckets", "shop-uploads")
        .input("log-bucket", "shop-logs")
        .input("github-token", World::GITHUB_TOKEN)
}

/// The current key of the family `shop-spaces-key`, minted so many hours ago; its id.
fn current(sandbox: &Sandbox, hours: i64) -> String {
    let grants = vec![Grant::new("shop-uploads", "readwrite")];
    key(sandbox, "shop-spaces-key--1-aaaa--active-1", grants, hours);
    let world = sandbox.world();
    let newest = world.digitalocean.keys.last().expect("the key");
    newest.access_key.clone()
}

/// The id variable of the repository says this.
fn repository_names(sandbox: &Sandbox, id: &str) {
    let mut world = sandbox.world();
    let now = world.clock.now();
    let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
    repository.variables.set("SPACES_ACCESS_KEY_ID", id, now);
}

/// The rules for which there is a world here.
pub(crate) fn tried() -> impl Iterator<Item = &'static str> {
    CASES.iter().map(|case| case.id)
}

#[test]
fn one_fault_is_one_finding() {
    for case in CASES {
        let sandbox = tidy();
        (case.spoil)(&sandbox);
        let outcome = (case.ask)(audit(&sandbox)).go();
        assert_eq!(ids(&outcome), [case.id], "{}\n{}", case.id, outcome.stdout);
    }
}

#[test]
fn fail_on_says_from_where_on_a_finding_fails() {
    let sandbox = tidy();
    key(&sandbox, "terraform", vec![Grant::full_access()], 1);
    let exit = |level: &str| audit(&sandbox).input("fail-on", level).go().exit;
    assert_eq!(
        [exit("none"), exit("error"), exit("warning"), exit("")],
        [Some(0), Some(0), Some(3), Some(3)]
    );
}

#[test]
fn without_the_right_to_mint_buckets_are_unknown_and_never_fine() {
    let world = world()
        .with_bucket("nyc3", "shop-uploads")
        .with_key("mine", &[("shop-uploads", "read")]);
    let sandbox =
        Sandbox::start(world.with_digitalocean_token("dop_v1_reader", &["spaces_key:read", "app:read"]));
    let outcome = audit(&sandbox)
        .input("digitalocean-token", "dop_v1_reader")
        .go()
        .exits(3);
    assert_eq!(ids(&outcome), ["SK090"]);
}

#[test]
fn an_app_is_listed_with_the_key_that_it_holds() {
    let sandbox = tidy();
    let id = {
        let world = sandbox.world();
        world
            .digitalocean
            .live_keys()
            .next()
            .expect("a key")
            .access_key
            .clone()
    };
    app(&sandbox, &id);
    let outcome = audit(&sandbox).go().green();
    let apps = &inventory(&outcome)["apps"];
    assert_eq!(apps[0]["access_key_id"], json!(id), "{apps:#}");
}

#[test]
fn a_max_age_of_ones_own_is_the_measure() {
    let sandbox = tidy();
    sandbox.advance(31 * DAY);
    assert_eq!(ids(&audit(&sandbox).input("max-age", "30d").go()), ["SK061"]);
}

/// A key of so many hours.
fn key(sandbox: &Sandbox, name: &str, grants: Vec<Grant>, hours: i64) {
    let mut world = sandbox.world();
    let created_at = world.clock.now() - hours * 3_600;
    world
        .digitalocean
        .keys
        .push(Key::generate(name, grants, created_at));
}

/// An app that names this key.
fn app(sandbox: &Sandbox, id: &str) {
    let spec =
        json!({ "name": "shop", "services": [{ "name": "api", "envs": [{ "key": "KEY", "value": id }] }] });
    let mut world = sandbox.world();
    let now = world.clock.now();
    world.digitalocean.add_live_app(spec, now);
}
