//! `check` tells what is wrong, all of it and nothing else, and writes nothing but the admin key.

use std::time::Duration;

use serde_json::{Value, json};
use spacekeeper::config::INPUTS;
use spacekeeper_sandbox::digitalocean::{App, Grant, Key, Token};
use spacekeeper_sandbox::github::Repository;
use spacekeeper_sandbox::spaces::{Acl, Bucket, Owner, Versioning};

use crate::fixture::{Fault, GitHub, Outcome, REPOSITORY, Run, Sandbox, Spaces, app, the_delivered_pair};

const DAY: Duration = Duration::from_hours(24);

const HOUR: i64 = 3_600;

/// Everything that a request can declare and a check can compare, delivered an hour ago.
fn steady() -> Sandbox {
    delivered_with(as_it_is)
}

fn delivered_with(wish: Wish) -> Sandbox {
    let sandbox = app::with_app();
    sandbox.world().switches.deployment_phase = Duration::ZERO;
    let bootstrap = request(Run::bootstrap(&sandbox)).input("wait-for-deployment", "false");
    wish(bootstrap).go().green();
    sandbox.advance(Duration::from_hours(1));
    sandbox
}

/// Changes a request.
type Wish = fn(Run<'_>) -> Run<'_>;

fn as_it_is(run: Run<'_>) -> Run<'_> {
    run
}

fn without_credentials(run: Run<'_>) -> Run<'_> {
    run.without_input("access-key").without_input("secret-key")
}

fn request(run: Run<'_>) -> Run<'_> {
    run.with_full_access()
        .input("log-bucket", "shop-logs")
        .input("log-retention-days", "30")
        .input("app-platform-app", "shop")
}

/// The check that belongs to the request of [`steady`], with the credentials that a job of the repository has.
fn check(sandbox: &Sandbox) -> Run<'_> {
    let (id, secret) = the_pair(sandbox);
    request(Run::bootstrap(sandbox))
        .input("command", "check")
        .input("access-key", &id)
        .input("secret-key", &secret)
        .run_id(9_900_000_009)
}

/// What the repository's secrets hold.
fn the_pair(sandbox: &Sandbox) -> (String, String) {
    let id = crate::fixture::secret(sandbox, "SPACES_ACCESS_KEY").unwrap_or_default();
    let half = crate::fixture::secret(sandbox, "SPACES_SECRET_KEY").unwrap_or_default();
    (id, half)
}

/// The ids of all findings, in order.
fn ids(outcome: &Outcome) -> Vec<String> {
    let findings = outcome.json_output("findings");
    let id = |finding: &Value| finding["id"].as_str().expect("an id").to_owned();
    findings.as_array().expect("a list").iter().map(id).collect()
}

#[test]
fn a_clean_world_yields_nothing_and_nothing_is_written() {
    let sandbox = steady();
    let outcome = check(&sandbox).go().green();
    assert_eq!(ids(&outcome), Vec::<String>::new());
    assert!(outcome.journal.writes().is_empty(), "{:#?}", outcome.journal);
    assert_eq!(outcome.output("changed"), "false");
}

#[test]
fn without_a_full_access_pair_only_the_admin_key_is_written() {
    let sandbox = steady();
    let outcome = check(&sandbox)
        .without_input("spaces-access-key-id")
        .without_input("spaces-secret-access-key")
        .go()
        .green();
    let writes = outcome.journal.writes();
    assert_eq!(writes.len(), 2, "{writes:?}");
    assert_eq!(writes[0], "POST /v2/spaces/keys");
    assert!(writes[1].starts_with("DELETE /v2/spaces/keys/"), "{writes:?}");
}

#[test]
fn rights_to_read_suffice_beside_a_full_access_pair() {
    let sandbox = steady();
    {
        let mut world = sandbox.world();
        let reader = Token::scoped("dop_v1_reader", &["spaces_key:read", "app:read"]);
        world.digitalocean.tokens.push(reader);
    }
    let outcome = check(&sandbox)
        .input("digitalocean-token", "dop_v1_reader")
        .go()
        .green();
    assert_eq!(ids(&outcome), Vec::<String>::new());
}

#[test]
fn what_no_token_shows_is_unknown_and_never_fine() {
    let sandbox = steady();
    let blind = check(&sandbox)
        .without_input("github-token")
        .without_input("digitalocean-token");
    let outcome = blind.go().exits(3);
    assert!(
        ids(&outcome).iter().all(|id| id == "SK090"),
        "{:?}",
        ids(&outcome)
    );
    let told = outcome.warnings().join("\n");
    for subject in ["Spaces keys", "secrets of acme/shop", "app shop"] {
        assert!(told.contains(subject), "{subject}: {told}");
    }
}

#[test]
fn half_a_pair_is_refused() {
    let sandbox = steady();
    let outcome = check(&sandbox).without_input("secret-key").go().exits(2);
    outcome.complains(&["secret-key", "missing or empty"]);
}

fn with_cors(run: Run<'_>) -> Run<'_> {
    run.input("cors", "private-uploads")
        .input("cors-origins", "https://shop.example")
}

/// The same request as a manifest, which can say more of a bucket.
fn by_manifest(run: Run<'_>) -> Run<'_> {
    const TEXT: &str = "
version: 1
apps:
  shop:
    buckets:
      shop-uploads: { versioning: true, acl: private }
    keys:
      shop-spaces-key: { grants: { shop-uploads: readwrite }, app_platform: [{ app: shop }] }
";
    let said = [
        "app",
        "buckets",
        "log-bucket",
        "log-retention-days",
        "app-platform-app",
    ];
    let run = said.into_iter().fold(run, Run::without_input);
    run.file(".github/spaces.yml", TEXT)
}

/// The image as a job of the app itself: the app's environment and nothing else.
fn inside_app(sandbox: &Sandbox) -> Run<'_> {
    let (id, secret) = the_pair(sandbox);
    let run = INPUTS.iter().fold(Run::bare(sandbox), |run, input| {
        run.without_env(&format!("INPUT_{}", input.to_uppercase()))
    });
    let of_the_runner = [
        "GITHUB_ACTIONS",
        "GITHUB_REPOSITORY",
        "GITHUB_RUN_ID",
        "GITHUB_RUN_ATTEMPT",
        "GITHUB_API_URL",
    ];
    let run = of_the_runner.iter().fold(run, |run, name| run.without_env(name));
    run.env("INPUT_COMMAND", "check")
        .env("SPACES_ACCESS_KEY", &id)
        .env("SPACES_SECRET_KEY", &secret)
        .env("SPACES_BUCKET", "shop-uploads")
        .env("SPACES_REGION", "nyc3")
        .env("SPACES_ENDPOINT", &sandbox.spaces_url())
        .env("SPACES_ACCESS_KEY_ID", &id)
}

#[test]
fn inside_the_app_its_own_environment_is_all_that_is_needed() {
    let sandbox = steady();
    // This machine's clock has not gone on by the hour that has passed; `tests/clocks.rs` is about that.
    sandbox.world().switches.signature_skew_allowed = None;
    let outcome = inside_app(&sandbox).go().green();
    assert_eq!(outcome.journal.lines(), ["GET /shop-uploads/?max-keys=1"]);
    inside_app(&sandbox).without_env("SPACES_ENDPOINT").go().green();
}

#[test]
fn inside_the_app_broken_credentials_stop_the_deployment() {
    let sandbox = steady();
    let torn = inside_app(&sandbox).env("SPACES_SECRET_KEY", "the secret of another key");
    assert!(torn.go().exits(3).stdout.contains("SK012"));
    let revoked = inside_app(&sandbox).env("SPACES_ACCESS_KEY", "DO00NOSUCHKEY0000000");
    assert!(revoked.go().exits(3).stdout.contains("SK011"));
    let lost = inside_app(&sandbox).env("SPACES_SECRET_KEY", "").go().exits(2);
    assert!(lost.stdout.contains("SPACES_SECRET_KEY"), "{}", lost.stdout);
}

#[test]
fn inside_an_app_with_a_key_per_bucket_every_pair_is_tried() {
    let sandbox = steady();
    let (id, secret) = the_pair(&sandbox);
    let outcome = inside_app(&sandbox)
        .env("SPACES_ACCESS_KEY_SHOP_LOGS", &id)
        .env("SPACES_SECRET_KEY_SHOP_LOGS", &secret)
        .env("SPACES_BUCKET_SHOP_LOGS", "shop-logs")
        .go()
        .exits(3);
    assert!(outcome.stdout.contains("SK014"), "{}", outcome.stdout);
}

/// One finding, and a world that has exactly this fault.
struct Case {
    id: &'static str,
    /// What is asked for, by the run that made the world as by the check.
    wish: Wish,
    /// What goes wrong then.
    spoil: fn(&Sandbox),
    /// How the check is asked.
    ask: Wish,
}

const fn case(id: &'static str, spoil: fn(&Sandbox)) -> Case {
    Case {
        id,
        wish: as_it_is,
        spoil,
        ask: as_it_is,
    }
}

const fn asked(id: &'static str, ask: Wish) -> Case {
    Case {
        id,
        wish: as_it_is,
        spoil: |_| {},
        ask,
    }
}

impl Case {
    const fn ask(self, ask: Wish) -> Self {
        Self { ask, ..self }
    }

    const fn wish(self, wish: Wish) -> Self {
        Self { wish, ..self }
    }
}

/// How GitHub refuses what a token may not do.
const REFUSED: &str = r#"{"message":"Resource not accessible by personal access token"}"#;

const STRANGER: &str = "DO00STRANGERSKEY0000";

const CASES: &[Case] = &[
    case("SK001", |sandbox| {
        key(sandbox, |key, now| key.deleted_at = Some(now));
    })
    .ask(without_credentials),
    case("SK002", |sandbox| mark(sandbox, "delivering")),
    case("SK003", |sandbox| {
        key(sandbox, |key, _| key.grants.push(Grant::new("shop-logs", "read")));
    }),
    case("SK004", |sandbox| sandbox.advance(87 * DAY)),
    case("SK005", |sandbox| sandbox.advance(88 * DAY)),
    case("SK006", |sandbox| sandbox.advance(90 * DAY)),
    case("SK007", |sandbox| {
        older(sandbox, "older1");
        older(sandbox, "older2");
    }),
    case("SK008", |sandbox| mint(sandbox, "1x2-aaaa", "pending", 0)),
    case("SK009", |sandbox| mint(sandbox, "1x2-aaaa", "admin", 2 * HOUR)),
    case("SK010", |sandbox| older(sandbox, "older1")).ask(|run| {
        run.input("access-key", &older_id("older1"))
            .input("secret-key", "older1older1")
    }),
    asked("SK011", |run| run.input("access-key", "DO00NOSUCHKEY0000000")),
    asked("SK012", |run| {
        run.input("secret-key", "the secret of another key")
    }),
    case("SK013", stranger).ask(|run| {
        run.input("access-key", STRANGER)
            .input("secret-key", "the strangers secret")
    }),
    case("SK014", |sandbox| in_force(sandbox, Vec::new())),
    case("SK015", |sandbox| {
        in_force(sandbox, vec![Grant::new("shop-uploads", "readwrite")]);
    })
    .wish(|run| run.input("buckets", "shop-uploads=read")),
    case("SK020", |sandbox| {
        repository(sandbox, |it, _| drop(it.secrets.remove("SPACES_SECRET_KEY")));
    })
    .ask(without_credentials),
    case("SK021", |sandbox| touch(sandbox, 0)).ask(without_credentials),
    case("SK022", |sandbox| touch(sandbox, 2 * HOUR)).ask(without_credentials),
    case("SK023", |sandbox| {
        repository(sandbox, |it, now| {
            let production = it.add_environment("production", now);
            production.secrets.set("SPACES_ACCESS_KEY", "hides", now);
        });
    }),
    case("SK024", |sandbox| {
        repository(sandbox, |it, _| drop(it.variables.remove("SPACES_REGION")));
    }),
    case("SK025", |sandbox| {
        repository(sandbox, |it, now| {
            it.variables.set("SPACES_BUCKET", "another", now);
        });
    }),
    case("SK026", |sandbox| {
        stranger(sandbox);
        repository(sandbox, |it, now| {
            it.variables.set("SPACES_ACCESS_KEY_ID", STRANGER, now);
        });
    })
    .ask(without_credentials),
    case("SK027", |sandbox| {
        repository(sandbox, |it, now| {
            it.variables
                .set("SPACES_CDN_ENDPOINT", "https://assets.shop.example", now);
        });
    }),
    case("SK030", |sandbox| {
        spec_env(sandbox, "SPACES_ACCESS_KEY_ID", |env| {
            env["value"] = "DO00ANOTHER000000000".into();
        });
    }),
    case("SK031", |sandbox| {
        spec_env(sandbox, "SPACES_SECRET_KEY", |env| {
            *env = json!({ "key": "SPACES_SECRET_KEY", "value": "plain" });
        });
    }),
    case("SK032", |sandbox| {
        spec_env(sandbox, "SPACES_BUCKET", |env| env["value"] = "another".into());
    }),
    case("SK033", |sandbox| {
        edit(sandbox, |app| {
            app.spec["services"][1]["envs"] = json!([{ "key": "SPACES_BUCKET", "value": "mine" }]);
        });
    }),
    case("SK034", |sandbox| {
        edit(sandbox, |app| {
            app.pinned = app.deployments.first().map(|first| first.id.clone());
        });
    }),
    case("SK035", |sandbox| {
        sandbox.world().switches.deployment_phase = DAY;
        app::save(sandbox, |spec| spec["features"] = json!([]));
    }),
    case("SK036", |sandbox| {
        edit(sandbox, |app| {
            let live = app.deployments.last_mut().expect("a deployment");
            live.spec["envs"] = json!([]);
        });
    }),
    asked("SK037", |run| {
        let spec =
            "name: shop\nenvs:\n- key: A\n  value: ${NOBODY_HAS_THIS}\n- key: B\n  value: ${APP_URL}\n";
        run.input("app-spec-file", ".do/app.yaml")
            .file(".do/app.yaml", spec)
    }),
    case("SK040", |sandbox| {
        let mut world = sandbox.world();
        let now = world.clock.now();
        world
            .spaces
            .remove("shop-uploads", "nyc3", now)
            .expect("the bucket");
    }),
    case("SK041", |sandbox| {
        bucket(sandbox, |it| it.owner = Owner::Stranger);
    })
    .ask(without_credentials),
    case("SK042", |sandbox| {
        let moved = Fault::on(Spaces)
            .method("HEAD")
            .path_contains("/shop-uploads")
            .forever();
        sandbox.script(moved.status(301).header("x-amz-bucket-region", "ams3"));
    })
    .ask(without_credentials),
    case("SK043", |sandbox| {
        bucket(sandbox, |it| it.policy = Some("{}".to_owned()));
    })
    .ask(without_credentials),
    case("SK044", |sandbox| bucket(sandbox, |it| it.logging = None)),
    case("SK045", |sandbox| {
        let mut world = sandbox.world();
        world
            .spaces
            .bucket_mut("shop-logs")
            .expect("the log bucket")
            .lifecycle
            .clear();
    }),
    case("SK046", |sandbox| bucket(sandbox, |it| it.cors.clear())).wish(with_cors),
    case("SK047", |sandbox| {
        // The rules stand, and the servers that answer browsers do not go by them yet.
        sandbox.script(Fault::on(Spaces).method("OPTIONS").forever().status(403));
    })
    .wish(with_cors),
    case("SK048", |sandbox| {
        bucket(sandbox, |it| it.versioning = Versioning::Suspended);
    })
    .wish(by_manifest),
    case("SK049", |sandbox| bucket(sandbox, |it| it.acl = Acl::PublicRead)).wish(by_manifest),
    case("SK050", |sandbox| {
        sandbox.world().digitalocean.cdn_endpoints[0].ttl = 60;
    })
    .wish(|run| run.input("cdn", "true").input("cdn-ttl", "3600")),
    case("SK069", |sandbox| mint(sandbox, "1x2-aaaa", "pending", HOUR)),
    case("SK075", |sandbox| {
        for nickname in ["older1", "older2", "older3", "older4", "older5", "older6"] {
            older(sandbox, nickname);
        }
    }),
    case("SK090", |sandbox| {
        sandbox.script(
            Fault::on(GitHub)
                .path_contains("/actions/secrets?")
                .forever()
                .status(403)
                .body(REFUSED),
        );
    })
    .ask(without_credentials),
    case("SK091", |sandbox| {
        sandbox.script(
            Fault::on(GitHub)
                .path_contains("/environments?")
                .forever()
                .status(403)
                .body(REFUSED),
        );
    }),
];

/// The rules for which there is a world here.
pub(crate) fn tried() -> impl Iterator<Item = &'static str> {
    CASES.iter().map(|case| case.id)
}

#[test]
fn one_fault_is_one_finding() {
    for case in CASES {
        let sandbox = delivered_with(case.wish);
        (case.spoil)(&sandbox);
        let outcome = (case.ask)((case.wish)(check(&sandbox))).go();
        assert_eq!(ids(&outcome), [case.id], "{}\n{}", case.id, outcome.stdout);
        let severity = outcome.json_output("findings")[0]["severity"].clone();
        let exit = if severity == "notice" { 0 } else { 3 };
        assert_eq!(outcome.exit, Some(exit), "{}\n{}", case.id, outcome.stdout);
        let writes = outcome.journal.writes();
        let proof_of_reading = |line: &String| line.contains("uploadId");
        assert!(writes.iter().all(proof_of_reading), "{}: {writes:?}", case.id);
    }
}

fn key(sandbox: &Sandbox, change: impl FnOnce(&mut Key, i64)) {
    let id = the_delivered_pair(sandbox);
    let mut world = sandbox.world();
    let now = world.clock.now();
    change(world.digitalocean.key_mut(&id).expect("the key"), now);
}

/// Gives the current key another mark.
fn mark(sandbox: &Sandbox, mark: &str) {
    key(sandbox, |key, _| {
        let (rest, _) = key.name.rsplit_once("--").expect("a mark");
        key.name = format!("{rest}--{mark}");
    });
}

/// Another key of the family.
fn mint(sandbox: &Sandbox, run: &str, mark: &str, age: i64) {
    let mut world = sandbox.world();
    let created_at = world.clock.now() - age;
    let name = format!("shop-spaces-key--{run}--{mark}");
    let grants = vec![Grant::new("shop-uploads", "readwrite")];
    world
        .digitalocean
        .keys
        .push(Key::generate(&name, grants, created_at));
}

/// An older key of the family, whose secret is its nickname twice.
fn older(sandbox: &Sandbox, nickname: &str) {
    let mut world = sandbox.world();
    let created_at = world.clock.now() - 2 * HOUR;
    let grants = vec![Grant::new("shop-uploads", "readwrite")];
    let mut key = Key::generate("shop-spaces-key--1-aaaa--active-1", grants, created_at);
    key.access_key = older_id(nickname);
    key.secret_key = nickname.repeat(2);
    world.digitalocean.keys.push(key);
}

fn older_id(nickname: &str) -> String {
    format!("DO00{:0>16}", nickname.to_uppercase())
}

fn stranger(sandbox: &Sandbox) {
    let mut world = sandbox.world();
    let mut key = Key::generate(
        "made-by-hand",
        vec![Grant::new("shop-uploads", "readwrite")],
        world.clock.now(),
    );
    STRANGER.clone_into(&mut key.access_key);
    "the strangers secret".clone_into(&mut key.secret_key);
    world.digitalocean.keys.push(key);
}

/// Spaces goes by other grants than the API shows.
fn in_force(sandbox: &Sandbox, grants: Vec<Grant>) {
    key(sandbox, |key, now| {
        key.previous_grants = grants;
        key.grants_from_millis = (now + HOUR) * 1000;
    });
}

fn repository(sandbox: &Sandbox, change: impl FnOnce(&mut Repository, i64)) {
    let mut world = sandbox.world();
    let now = world.clock.now();
    change(
        world.github.repository_mut(REPOSITORY).expect("the repository"),
        now,
    );
}

/// Makes a secret look written that long ago.
fn touch(sandbox: &Sandbox, ago: i64) {
    repository(sandbox, |it, now| {
        it.secrets
            .get_mut("SPACES_SECRET_KEY")
            .expect("the secret")
            .updated_at = now - ago;
    });
}

fn edit(sandbox: &Sandbox, change: impl FnOnce(&mut App)) {
    let mut world = sandbox.world();
    change(world.digitalocean.app_mut("shop").expect("the app"));
}

/// Changes one variable of the whole app in the wanted spec.
fn spec_env(sandbox: &Sandbox, name: &str, change: impl FnOnce(&mut Value)) {
    edit(sandbox, |app| {
        let envs = app.spec["envs"].as_array_mut().expect("a list");
        change(
            envs.iter_mut()
                .find(|env| env["key"] == name)
                .expect("the variable"),
        );
    });
}

fn bucket(sandbox: &Sandbox, change: impl FnOnce(&mut Bucket)) {
    let mut world = sandbox.world();
    change(world.spaces.bucket_mut("shop-uploads").expect("the bucket"));
}
