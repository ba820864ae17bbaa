//! What a service does not say is not taken for what is not there: an answer that lacks its list, is cut short, is no
//! answer of the API or has no end deletes nothing and mints nothing, and the run says which field it misses.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use spacekeeper_sandbox::digitalocean::Key;
use spacekeeper_sandbox::{Entry, FaceName};

use crate::fixture::delivered::delivered_to_an_app;
use crate::fixture::{DigitalOcean, Fault, GitHub, Outcome, Run, Sandbox, Spaces, World, world};

const DAY: Duration = Duration::from_hours(24);

/// A read that a decision about keys rests on, and the field that bears what is read.
type Read = (FaceName, &'static str, &'static str);

const LISTS: [Read; 6] = [
    (DigitalOcean, "/v2/spaces/keys?", "keys"),
    (DigitalOcean, "/v2/apps?", "apps"),
    (DigitalOcean, "/deployments?", "deployments"),
    (GitHub, "/actions/secrets?", "secrets"),
    (GitHub, "/actions/variables?", "variables"),
    (GitHub, "/actions/runs?", "workflow_runs"),
];

const THINGS: [Read; 1] = [(GitHub, "/actions/secrets/public-key", "key_id")];

/// A delivered key, and its predecessor, whose grace is over: the next rotation deletes it, mints nothing else and
/// writes nothing else.
fn with_an_old_key() -> Sandbox {
    let sandbox = delivered_to_an_app();
    {
        let mut world = sandbox.world();
        let current = world.digitalocean.live_keys().next().expect("the key").clone();
        let mut old = Key::generate(
            &current.name.replace("--7-", "--6-"),
            current.grants,
            current.created_at - 86_400,
        );
        old.name = before(&old.name);
        world.digitalocean.keys.insert(0, old);
    }
    sandbox.advance(DAY * 2);
    sandbox
}

/// The name with an earlier stamp.
fn before(name: &str) -> String {
    use spacekeeper::model::name::{KeyName, Mark};
    use spacekeeper::model::time::Timestamp;
    let name = KeyName::parse(name).expect("a name of ours");
    let Mark::Active { since } = name.mark else {
        panic!("an active key")
    };
    let since = Timestamp::from_unix(since.unix() - 86_400);
    name.marked(Mark::Active { since }).to_string()
}

fn rotate(sandbox: &Sandbox) -> Outcome {
    Run::rotate(sandbox).input("app-platform-app", "shop").go()
}

fn live_ids(sandbox: &Sandbox) -> BTreeSet<String> {
    let world = sandbox.world();
    world
        .digitalocean
        .live_keys()
        .map(|key| key.access_key.clone())
        .collect()
}

/// Insists that the run ended red, touched no key and no sink, and told what it missed.
#[track_caller]
fn is_harmless(story: &str, sandbox: &Sandbox, before: &BTreeSet<String>, outcome: &Outcome, told: &[&str]) {
    let all = format!(
        "{story}\n{}{}\n{:#?}",
        outcome.stdout, outcome.stderr, outcome.journal
    );
    assert_eq!(live_ids(sandbox), *before, "{all}");
    assert_eq!(outcome.journal.writes(), [""; 0], "{all}");
    assert_eq!(outcome.exit, Some(1), "{all}");
    for phrase in told {
        assert!(outcome.stdout.contains(phrase), "`{phrase}` is not said: {all}");
    }
    assert!(sandbox.violations().is_empty(), "{all}");
}

/// Plays a fault to each of these reads, one run each, side by side: most of a run is pauses.
fn each_read(
    reads: &[Read],
    fault: impl Fn(Fault) -> Fault + Sync,
    told: impl Fn(&Read) -> Vec<String> + Sync,
) {
    let (fault, told) = (&fault, &told);
    std::thread::scope(|scope| {
        for read in reads {
            scope.spawn(move || {
                let sandbox = with_an_old_key();
                let before = live_ids(&sandbox);
                let (face, path, _) = *read;
                sandbox.script(fault(Fault::on(face).method("GET").path_contains(path).forever()));
                let outcome = rotate(&sandbox);
                let told = told(read);
                let told: Vec<&str> = told.iter().map(String::as_str).collect();
                is_harmless(path, &sandbox, &before, &outcome, &told);
            });
        }
    });
}

fn names_the_field(read: &Read) -> Vec<String> {
    vec![format!("missing field `{}`", read.2)]
}

/// The field of the list that a request asks for.
fn field(entry: &Entry) -> &'static str {
    let all = LISTS.iter();
    let mut found = all.filter(|(face, path, _)| *face == entry.face && entry.path.contains(path));
    found.next().expect("a list").2
}

fn total(body: &mut Value) -> &mut Value {
    if body.get("total_count").is_some() {
        &mut body["total_count"]
    } else {
        &mut body["meta"]["total"]
    }
}

#[test]
fn without_a_fault_the_old_key_goes_and_nothing_else_is_written() {
    let sandbox = with_an_old_key();
    let outcome = rotate(&sandbox).green();
    assert_eq!(live_ids(&sandbox).len(), 1, "{}", outcome.stdout);
    let writes = outcome.journal.writes();
    assert!(
        matches!(&writes[..], [one] if one.starts_with("DELETE /v2/spaces/keys/")),
        "{writes:?}"
    );
}

#[test]
fn an_object_with_nothing_in_it() {
    let reads = [&LISTS[..], &THINGS[..]].concat();
    each_read(
        &reads,
        |fault| fault.json(&json!({})),
        |read| match read.2 {
            // GitHub counts what it lists, and the count is missed first.
            "secrets" | "variables" | "workflow_runs" => vec!["missing field `total_count`".to_owned()],
            _ => names_the_field(read),
        },
    );
}

#[test]
fn a_list_that_is_null() {
    let null = |entry: &Entry, body: &mut Value| {
        *total(body) = json!(1);
        body[field(entry)] = Value::Null;
    };
    each_read(&LISTS, |fault| fault.edits(null), names_the_field);
}

#[test]
fn a_list_that_is_left_out_without_a_count_of_zero() {
    let without = |entry: &Entry, body: &mut Value| {
        *total(body) = json!(1);
        body.as_object_mut().expect("an object").remove(field(entry));
    };
    each_read(&LISTS, |fault| fault.edits(without), names_the_field);
}

#[test]
fn a_list_of_another_thing() {
    let renamed = |entry: &Entry, body: &mut Value| {
        let fields = body.as_object_mut().expect("an object");
        let items = fields.remove(field(entry)).expect("the list");
        let other = if field(entry) == "keys" { "apps" } else { "keys" };
        fields.insert(other.to_owned(), items);
        *total(body) = json!(1);
    };
    each_read(&LISTS, |fault| fault.edits(renamed), names_the_field);
}

#[test]
fn a_list_that_holds_less_than_it_counts() {
    let short = |_: &Entry, body: &mut Value| {
        let counted = total(body).as_u64().expect("a count");
        *total(body) = json!(counted + 1);
    };
    each_read(
        &LISTS,
        |fault| fault.edits(short),
        |read| vec![format!("`{}`", read.2), "it counts ".to_owned()],
    );
}

#[test]
fn json_of_another_kind() {
    let reads = [&LISTS[..], &THINGS[..]].concat();
    for other in [json!([]), json!("nothing"), json!(null)] {
        each_read(
            &reads,
            |fault| fault.json(&other),
            |_| vec!["makes no sense".to_owned()],
        );
    }
}

#[test]
fn a_page_for_people_and_an_empty_answer() {
    let reads = [&LISTS[..], &THINGS[..]].concat();
    each_read(
        &reads,
        |fault| fault.html(200),
        |_| vec!["the reply is a page of markup, not JSON".to_owned()],
    );
    each_read(
        &reads,
        |fault| fault.status(204),
        |_| vec!["the reply is empty".to_owned()],
    );
}

#[test]
fn a_body_of_a_quarter_of_a_gigabyte_is_not_read_and_not_asked_for_again() {
    let reads = [&LISTS[..], &THINGS[..]].concat();
    each_read(
        &reads,
        |fault| fault.flood(250_000_000),
        |read| {
            vec![
                format!(
                    "{} sent more than is read",
                    if read.0 == GitHub {
                        "GitHub"
                    } else {
                        "DigitalOcean"
                    }
                ),
                "the reply of 127.0.0.1:".to_owned(),
                "is longer than 16 MiB".to_owned(),
            ]
        },
    );
    let sandbox = with_an_old_key();
    let keys = Fault::on(DigitalOcean)
        .method("GET")
        .path_contains("/v2/spaces/keys?");
    sandbox.script(keys.forever().flood(250_000_000));
    let outcome = rotate(&sandbox).red();
    assert_eq!(outcome.journal.count(DigitalOcean, "GET", "/v2/spaces/keys?"), 1);
}

#[test]
fn a_body_that_nobody_asked_to_be_compressed() {
    let zipped = |fault: Fault| {
        fault
            .status(200)
            .header("content-encoding", "gzip")
            .body("\u{1f}zipped")
    };
    each_read(&LISTS, zipped, |_| {
        vec!["is encoded as gzip, which was not asked for".to_owned()]
    });
}

/// Every page has a new item and announces the next one.
#[test]
fn pages_without_end() {
    let endless = |entry: &Entry, body: &mut Value| {
        let page = entry.path.rsplit_once("page=").expect("a page").1.to_owned();
        if body["keys"].as_array().is_none_or(Vec::is_empty) {
            let key = json!({ "access_key": format!("DO00PAGE{page}"), "name": "hand-made", "grants": [],
                "created_at": "2026-01-02T03:04:05Z" });
            body["keys"] = json!([key]);
        }
        body["links"] = json!({ "pages": { "next": "https://evil.example/v2/spaces/keys?page=2" } });
        *total(body) = json!(1);
    };
    let sandbox = with_an_old_key();
    let before = live_ids(&sandbox);
    let keys = Fault::on(DigitalOcean)
        .method("GET")
        .path_contains("/v2/spaces/keys?");
    sandbox.script(keys.forever().edits(endless));
    let outcome = rotate(&sandbox);
    let told = [
        "list Spaces keys",
        "the list from 127.0.0.1:",
        "does not end on 200 pages",
    ];
    is_harmless("endless", &sandbox, &before, &outcome, &told);
    assert_eq!(
        outcome.journal.count(DigitalOcean, "GET", "/v2/spaces/keys?"),
        200
    );
}

#[test]
fn pages_that_go_round() {
    let round = |entry: &Entry, body: &mut Value| {
        let item = json!({ "access_key": "DO00ROUND", "name": "n", "grants": [], "created_at": "2026-01-02T03:04:05Z" });
        assert_eq!(field(entry), "keys");
        body["keys"] = json!([item]);
        body["links"] = json!({ "pages": { "next": "https://evil.example/" } });
        body["meta"] = json!({});
    };
    each_read(
        &LISTS[..1],
        |fault| fault.edits(round),
        |_| vec!["a page without new `keys` announces another".to_owned()],
    );
}

/// What a key cannot lack, and what no key has.
#[test]
fn a_key_that_cannot_be_read_is_a_list_that_cannot_be_read() {
    type Edit = fn(&Entry, &mut Value);
    let spoilt: [(Edit, &str); 8] = [
        (
            |_, body| remove(&mut body["keys"][0], "access_key"),
            "missing field `access_key`",
        ),
        (
            |_, body| remove(&mut body["keys"][0], "name"),
            "missing field `name`",
        ),
        (
            |_, body| remove(&mut body["keys"][0], "grants"),
            "missing field `grants`",
        ),
        (
            |_, body| remove(&mut body["keys"][0], "created_at"),
            "missing field `created_at`",
        ),
        (
            |_, body| remove(&mut body["keys"][0]["grants"][0], "bucket"),
            "missing field `bucket`",
        ),
        (
            |_, body| body["keys"][0]["created_at"] = json!("0001-01-01T00:00:00Z"),
            "a time is not set",
        ),
        (
            |_, body| body["keys"][0]["access_key"] = json!(".."),
            "it is no access key id",
        ),
        (
            |_, body| body["keys"][0]["access_key"] = json!("DO00\nX"),
            "it is no access key id",
        ),
    ];
    for (edit, told) in spoilt {
        each_read(&LISTS[..1], |fault| fault.edits(edit), |_| vec![told.to_owned()]);
    }
}

fn remove(object: &mut Value, field: &str) {
    object
        .as_object_mut()
        .expect("an object")
        .remove(field)
        .expect("the field");
}

/// What an app cannot lack: without it nobody knows which keys it holds.
#[test]
fn an_app_that_cannot_be_read_holds_whatever_it_may_hold() {
    type Edit = fn(&Entry, &mut Value);
    let spoilt: [(Edit, &str); 6] = [
        (|_, body| remove(&mut body["apps"][0], "id"), "missing field `id`"),
        (
            |_, body| body["apps"][0]["id"] = json!(".."),
            "an id has other characters",
        ),
        (
            |_, body| remove(&mut body["apps"][0], "spec"),
            "missing field `spec`",
        ),
        (
            |_, body| body["apps"][0]["spec"] = json!({}),
            "a `spec` is not an object with the `name`",
        ),
        (
            |_, body| body["apps"][0]["spec"] = json!(null),
            "a `spec` is not an object with the `name`",
        ),
        (
            |_, body| body["apps"][0]["active_deployment"] = json!({}),
            "missing field `id`",
        ),
    ];
    for (edit, told) in spoilt {
        each_read(&LISTS[1..2], |fault| fault.edits(edit), |_| vec![told.to_owned()]);
    }
}

/// Another app's deployment serves the old key; the list leaves its spec out, so it is read by itself.
#[test]
fn a_deployment_that_is_listed_without_its_spec_is_asked_for_it() {
    let sandbox = with_an_old_key();
    let old = {
        let mut world = sandbox.world();
        let old = world.digitalocean.keys[0].access_key.clone();
        let env = json!([{ "key": "S3_KEY", "value": old }]);
        let spec = json!({ "name": "blog", "workers": [{ "name": "w", "envs": env }] });
        let now = world.clock.now();
        world.digitalocean.add_live_app(spec, now);
        world.digitalocean.app_mut("blog").expect("the app").spec =
            json!({ "name": "blog", "workers": [{ "name": "w" }] });
        old
    };
    sandbox.script(
        Fault::on(DigitalOcean)
            .path_contains("/v2/apps?")
            .forever()
            .edits(|_, body| {
                for app in body["apps"].as_array_mut().expect("apps") {
                    if app["spec"]["name"] == "blog" {
                        remove(&mut app["active_deployment"], "spec");
                    }
                }
            }),
    );
    let outcome = rotate(&sandbox);
    assert!(live_ids(&sandbox).contains(&old), "{}", outcome.stdout);
    assert!(
        outcome.keeps(&old).contains("app blog still names it"),
        "{}",
        outcome.stdout
    );
    let before = live_ids(&sandbox);
    sandbox.script(
        Fault::on(DigitalOcean)
            .path_contains("/deployments/")
            .forever()
            .edits(|_, body| remove(&mut body["deployment"], "spec")),
    );
    let outcome = rotate(&sandbox);
    is_harmless(
        "no spec anywhere",
        &sandbox,
        &before,
        &outcome,
        &["missing field `spec`"],
    );
}

/// The grace period counts from the creation of the deployment that brought the new key.
#[test]
fn a_deployment_without_its_time_and_an_app_without_its_deployment_hold_the_key() {
    type Edit = fn(&Entry, &mut Value);
    let spoilt: [(Read, Edit, &str); 2] = [
        (
            LISTS[2],
            |_, body| remove(&mut body["deployments"][0], "created_at"),
            "one of them shows no `created_at`",
        ),
        (
            LISTS[1],
            |_, body| remove(&mut body["apps"][0], "active_deployment"),
            "one of them is ACTIVE, and the app shows none that is",
        ),
    ];
    for (read, edit, told) in spoilt {
        each_read(&[read], |fault| fault.edits(edit), |_| vec![told.to_owned()]);
    }
}

/// What a service asks us to wait for is a wish; one that is longer than time itself too.
#[test]
fn no_wait_that_a_server_asks_for_is_too_long_to_be_refused() {
    let absurd = [
        ("retry-after", "18446744073709551615"),
        ("retry-after", "99999999999999999999999999"),
        ("ratelimit-reset", "18446744073709551615"),
    ];
    for (name, value) in absurd {
        let limited = |fault: Fault| fault.status(429).header(name, value);
        each_read(&LISTS[..1], limited, |_| {
            vec!["limited the rate of requests".to_owned()]
        });
    }
    let limited = |fault: Fault| {
        let fault = fault.status(403).header("x-ratelimit-remaining", "0");
        fault.header("x-ratelimit-reset", "18446744073709551615")
    };
    each_read(&LISTS[3..4], limited, |_| {
        vec!["limited the rate of requests".to_owned()]
    });
}

/// A proxy that refuses the lists which show who holds a key is no token without the permission to see them, and one
/// that finds nothing at an address is no service in which nothing is.
#[test]
fn a_refusal_in_a_proxy_s_own_words_is_no_answer_of_the_service() {
    for status in [403, 404] {
        let read = |face, path| (face, path, "");
        let reads = [
            read(DigitalOcean, "/v2/apps?"),
            read(GitHub, "/actions/runs?"),
            read(GitHub, "/actions/variables?"),
        ];
        let told = |_: &Read| vec![format!("{status} <html>")];
        each_read(&reads, |fault| fault.html(status), told);
    }
    let sandbox = with_an_old_key();
    let before = live_ids(&sandbox);
    let deleting = Fault::on(DigitalOcean).method("DELETE").forever();
    sandbox.script(deleting.html(404));
    rotate(&sandbox).red();
    assert_eq!(live_ids(&sandbox), before);
}

#[test]
fn a_deletion_that_nobody_confirms_is_not_done() {
    let sandbox = with_an_old_key();
    let before = live_ids(&sandbox);
    sandbox.script(Fault::on(DigitalOcean).method("DELETE").forever().html(200));
    let outcome = rotate(&sandbox).red();
    assert_eq!(live_ids(&sandbox), before);
    assert!(
        outcome.stdout.contains("status 200 in place of 204"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_mint_whose_reply_is_odd_leaves_no_key() {
    type Edit = fn(&Entry, &mut Value);
    let spoilt: [Edit; 5] = [
        |_, body| body["key"]["access_key"] = json!(".."),
        |_, body| body["key"]["access_key"] = json!("DO00\nX"),
        |_, body| body["key"]["secret_key"] = json!("x"),
        |_, body| body["key"]["secret_key"] = json!("two\nlines of what is no secret"),
        |_, body| body["key"]["grants"] = json!([]),
    ];
    for edit in spoilt {
        let sandbox = Sandbox::start(
            world()
                .with_full_access_pair()
                .with_bucket("nyc3", "shop-uploads"),
        );
        let mints = Fault::on(DigitalOcean)
            .method("POST")
            .path_contains("/v2/spaces/keys");
        sandbox.script(mints.forever().edits(edit));
        let outcome = Run::bootstrap(&sandbox).with_full_access().go().red();
        assert_eq!(
            live_ids(&sandbox).len(),
            1,
            "the supplied pair: {}",
            outcome.stdout
        );
        assert_eq!(outcome.journal.count(GitHub, "PUT", "/secrets/"), 0);
        sandbox.clear_faults();
        Run::bootstrap(&sandbox).with_full_access().run_id(5).go().green();
    }
}

#[test]
fn a_public_key_with_an_odd_id_seals_nothing() {
    let sandbox = Sandbox::start(
        world()
            .with_full_access_pair()
            .with_bucket("nyc3", "shop-uploads"),
    );
    let key = Fault::on(GitHub).path_contains("/public-key").forever();
    sandbox.script(key.edits(|_, body| body["key_id"] = json!("1\n2")));
    let outcome = Run::bootstrap(&sandbox).with_full_access().go().red();
    assert_eq!(live_ids(&sandbox).len(), 1, "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("an id has other characters"),
        "{}",
        outcome.stdout
    );
}

/// Settings of a bucket, each by the query of its request.
const SETTINGS: [&str; 4] = ["?logging", "?cors", "?lifecycle", "?policy"];

fn configured() -> Sandbox {
    Sandbox::start(
        world()
            .with_full_access_pair()
            .with_bucket("nyc3", "shop-uploads")
            .with_bucket("nyc3", "shop-logs"),
    )
}

fn configure(sandbox: &Sandbox) -> Outcome {
    Run::bootstrap(sandbox)
        .with_full_access()
        .input("log-bucket", "shop-logs")
        .input("log-retention-days", "30")
        .input("cors", "private-uploads")
        .input("cors-origins", "https://shop.example")
        .go()
}

#[test]
fn a_setting_that_cannot_be_read_is_left_alone() {
    type Spoil = fn(Fault) -> Fault;
    let spoilt: [(Spoil, &str); 5] = [
        (|fault| fault.html(200), "is a page of HTML"),
        (|fault| fault.status(200), "its body is not what S3 answers"),
        (
            |fault| fault.status(200).body("<?xml version=\"1.0\"?><Result></Result>"),
            "its body is not what S3 answers",
        ),
        (
            |fault| fault.status(200).body("<Error><Code>AccessDenied</Code></Error>"),
            "AccessDenied",
        ),
        (|fault| fault.flood(250_000_000), "is longer than 4 MiB"),
    ];
    std::thread::scope(|scope| {
        for (spoil, told) in spoilt {
            scope.spawn(move || {
                let sandbox = configured();
                // A policy is no XML: whatever text there is may be one.
                for setting in &SETTINGS[..3] {
                    let read = Fault::on(Spaces).method("GET").path_contains(setting).forever();
                    sandbox.script(spoil(read));
                }
                let outcome = configure(&sandbox).red();
                assert!(outcome.stdout.contains(told), "{told}: {}", outcome.stdout);
                for setting in &SETTINGS[..3] {
                    assert_eq!(
                        outcome.journal.count(Spaces, "PUT", setting),
                        0,
                        "{told} {setting}"
                    );
                }
            });
        }
    });
}

#[test]
fn a_policy_that_cannot_be_read_is_not_taken_for_none() {
    let sandbox = configured();
    let read = Fault::on(Spaces).method("GET").path_contains("?policy").forever();
    sandbox.script(read.status(403).body("<Error><Code>AccessDenied</Code></Error>"));
    let outcome = configure(&sandbox).red();
    assert!(
        outcome.stdout.contains("its policy cannot be read"),
        "{}",
        outcome.stdout
    );
    let unknown = configured();
    let read = Fault::on(Spaces).method("GET").path_contains("?policy").forever();
    unknown.script(
        read.status(501)
            .body("<Error><Code>NotImplemented</Code></Error>"),
    );
    configure(&unknown).green();
}

#[test]
fn a_setting_is_not_set_because_a_gateway_says_so() {
    for setting in &SETTINGS[..3] {
        let sandbox = configured();
        sandbox.script(
            Fault::on(Spaces)
                .method("PUT")
                .path_contains(setting)
                .forever()
                .html(200),
        );
        let outcome = configure(&sandbox).red();
        assert!(
            outcome.stdout.contains("is a page of HTML"),
            "{setting}: {}",
            outcome.stdout
        );
    }
}

#[test]
fn a_secret_is_not_written_because_a_gateway_says_so() {
    let sandbox = Sandbox::start(
        world()
            .with_full_access_pair()
            .with_bucket("nyc3", "shop-uploads"),
    );
    sandbox.script(
        Fault::on(GitHub)
            .method("PUT")
            .path_contains("/secrets/")
            .forever()
            .html(200),
    );
    let outcome = Run::bootstrap(&sandbox).with_full_access().go().red();
    assert!(
        outcome.stdout.contains("status 200 in place of 201 or 204"),
        "{}",
        outcome.stdout
    );
}

/// The host is told, and of its address nothing else.
#[test]
fn a_host_that_cannot_be_reached_is_named() {
    let sandbox = Sandbox::start(world());
    for (variable, host) in [
        ("DIGITALOCEAN_API_URL", "127.0.0.1:9"),
        ("GITHUB_API_URL", "localhost:9"),
    ] {
        let outcome = Run::bootstrap(&sandbox)
            .env(variable, &format!("http://{host}/prefix"))
            .input("digitalocean-token", World::DIGITALOCEAN_TOKEN)
            .go()
            .red();
        let told = format!("no connection to {host}: ");
        assert!(outcome.stdout.contains(&told), "{}", outcome.stdout);
    }
}

/// A reply about the key that serves, say one that a gateway has kept, must not end that key.
#[test]
fn a_reply_about_another_key_is_no_mint_and_ends_no_key() {
    let sandbox = with_an_old_key();
    let before = live_ids(&sandbox);
    let mints = Fault::on(DigitalOcean)
        .method("POST")
        .path_contains("/v2/spaces/keys");
    sandbox.script(
        mints
            .forever()
            .edits(|_, body| body["key"]["name"] = json!("the key that serves")),
    );
    let outcome = Run::rotate(&sandbox)
        .input("app-platform-app", "shop")
        .input("force", "true")
        .go()
        .red();
    outcome.complains(&["another name than was asked for"]);
    assert!(sandbox.violations().is_empty(), "{:?}", sandbox.violations());
    assert!(
        live_ids(&sandbox).len() <= before.len(),
        "no key of the mints stays"
    );
}

/// Whoever sees a list of workflow runs, or an app, once may see them all.
#[test]
fn what_is_hidden_beside_what_is_shown_is_a_failure_to_read() {
    let hidden = r#"{"message":"Not Found","id":"not_found"}"#;
    let answers = [
        Fault::on(GitHub).path_contains("/actions/runs?").skip(1),
        Fault::on(DigitalOcean)
            .method("GET")
            .path_contains("/v2/apps?")
            .skip(1),
    ];
    for (fault, status) in answers.into_iter().zip([404, 403]) {
        let sandbox = with_an_old_key();
        let before = live_ids(&sandbox);
        let fault = fault.forever().status(status);
        sandbox.script(fault.header("content-type", "application/json").body(hidden));
        let outcome = rotate(&sandbox);
        is_harmless("hidden", &sandbox, &before, &outcome, &["could not be read"]);
    }
}

#[test]
fn a_list_of_apps_without_the_one_that_was_read_is_not_whole() {
    let sandbox = with_an_old_key();
    let before = live_ids(&sandbox);
    let apps = Fault::on(DigitalOcean)
        .method("GET")
        .path_contains("/v2/apps?")
        .skip(1);
    sandbox.script(
        apps.forever()
            .json(&json!({ "apps": [], "meta": { "total": 0 } })),
    );
    let outcome = rotate(&sandbox);
    is_harmless("short", &sandbox, &before, &outcome, &["is not in the list"]);
}
