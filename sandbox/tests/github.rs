//! The GitHub face over HTTP.

mod client;

use std::net::TcpStream;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client::Answer;
use crypto_box::PublicKey;
use rand_core::OsRng;
use serde_json::{Value, json};
use spacekeeper_sandbox::clock::rfc3339;
use spacekeeper_sandbox::github::{Access, App, Organization, Reach, Repository, Run, Secrets, Token};
use spacekeeper_sandbox::{Clock, Sandbox, World};

const NOW: i64 = 1_767_323_045;
const SECRETS: &str = "/repos/acme/shop/actions/secrets";
const VARIABLES: &str = "/repos/acme/shop/actions/variables";

fn world() -> World {
    World::new()
        .with_clock(Clock::frozen(NOW))
        .with_repository("acme/shop")
        .with_environment("acme/shop", "prod/eu")
}

fn send_as(sandbox: &Sandbox, token: &str, method: &str, path: &str, body: &str) -> Answer {
    let authorization = format!("Authorization: Bearer {token}\r\n");
    send_with(
        sandbox,
        &format!("User-Agent: test\r\n{authorization}"),
        method,
        path,
        body,
    )
}

fn send_with(sandbox: &Sandbox, headers: &str, method: &str, path: &str, body: &str) -> Answer {
    let url = sandbox.github_url();
    let url = url.strip_prefix("http://").expect("a plain URL");
    let (host, prefix) = url.split_at(url.find('/').unwrap_or(url.len()));
    let mut stream = TcpStream::connect(host).expect("a listener");
    let request = client::request(method, &format!("{prefix}{path}"), host, headers, body);
    std::io::Write::write_all(&mut stream, request.as_bytes()).expect("sent");
    client::answer(stream).expect("an answer")
}

fn send(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> Answer {
    send_as(sandbox, World::GITHUB_TOKEN, method, path, body)
}

/// The body of a PUT with a value sealed for the key that the store tells.
fn sealed(sandbox: &Sandbox, store: &str, value: &str) -> String {
    seal(
        &send(sandbox, "GET", &format!("{store}/public-key"), "").json(),
        value,
    )
}

fn seal(key: &Value, value: &str) -> String {
    let public = STANDARD
        .decode(key["key"].as_str().expect("text"))
        .expect("base64");
    let public = PublicKey::from_slice(&public).expect("32 bytes");
    let sealed = public.seal(&mut OsRng, value.as_bytes()).expect("sealed");
    json!({ "encrypted_value": STANDARD.encode(sealed), "key_id": key["key_id"] }).to_string()
}

fn message(answer: &Answer) -> (u16, String) {
    (
        answer.status,
        answer.json()["message"].as_str().unwrap_or_default().to_owned(),
    )
}

fn value(secrets: &Secrets, name: &str) -> String {
    secrets
        .get(name)
        .expect("the secret is there")
        .text()
        .into_owned()
}

#[test]
fn a_secret_is_opened_and_stored_under_its_upper_case_name() {
    let sandbox = Sandbox::start(world());
    let body = sealed(&sandbox, SECRETS, "spaces-é\n");
    let path = format!("{SECRETS}/spaces_key");
    assert_eq!(send(&sandbox, "PUT", &path, &body).status, 201);
    sandbox.advance(Duration::from_mins(1));
    let again = send(&sandbox, "PUT", &path, &sealed(&sandbox, SECRETS, "other"));
    assert_eq!((again.status, again.body.as_str()), (204, ""));
    let shown = send(&sandbox, "GET", &path, "").json();
    assert_eq!(
        shown,
        json!({ "name": "SPACES_KEY", "created_at": rfc3339(NOW), "updated_at": rfc3339(NOW + 60) })
    );
    assert_eq!(
        value(
            &sandbox
                .world()
                .github
                .repository("ACME/Shop")
                .expect("there")
                .secrets,
            "SPACES_KEY"
        ),
        "other"
    );
    assert_eq!(send(&sandbox, "GET", SECRETS, "").json()["total_count"], 1);
    assert_eq!(send(&sandbox, "DELETE", &path, "").status, 204);
    assert_eq!(
        message(&send(&sandbox, "DELETE", &path, "")),
        (404, "Not Found".to_owned())
    );
}

#[test]
fn what_does_not_open_is_refused_in_three_ways() {
    let sandbox = Sandbox::start(world());
    let path = format!("{SECRETS}/A");
    let put = |body: &str| message(&send(&sandbox, "PUT", &path, body));
    let unsupplied = "Invalid request.\n\n\"key_id\" wasn't supplied.";
    assert_eq!(put(r#"{"encrypted_value":"AAAA"}"#), (422, unsupplied.to_owned()));
    let (status, text) = put(r#"{"encrypted_value":"a_b-","key_id":"1"}"#);
    assert!(
        status == 422 && text.contains("a_b- does not match /^(?:[A-Za-z0-9+\\/]{4})*"),
        "{text}"
    );
    let garbage = "Bad request - validation failed due to an improperly encrypted secret";
    assert_eq!(
        put(r#"{"encrypted_value":"AAAA","key_id":"1"}"#),
        (422, garbage.to_owned())
    );
    assert_eq!(put("[]"), (400, "Body should be a JSON object".to_owned()));
    assert_eq!(put("{"), (400, "Problems parsing JSON".to_owned()));
    let body = sealed(&sandbox, SECRETS, "x");
    assert_eq!(
        send(&sandbox, "PUT", &format!("{SECRETS}/GITHUB_A"), &body).status,
        422
    );
    let long = sealed(&sandbox, SECRETS, &"x".repeat(48 * 1024 + 1));
    assert_eq!(send(&sandbox, "PUT", &path, &long).status, 422);
}

#[test]
fn a_key_that_was_rotated_opens_nothing_old() {
    let sandbox = Sandbox::start(world().with_switches(|it| it.public_key_rotations = 1));
    let path = format!("{SECRETS}/A");
    assert_eq!(
        send(&sandbox, "PUT", &path, &sealed(&sandbox, SECRETS, "x")).status,
        422
    );
    assert_eq!(
        send(&sandbox, "PUT", &path, &sealed(&sandbox, SECRETS, "x")).status,
        201
    );
}

#[test]
fn an_environment_has_a_store_of_its_own_under_two_paths() {
    let sandbox = Sandbox::start(world());
    let (by_name, by_id) = (
        "/repos/acme/shop/environments/prod%2Feu",
        "/repositories/501/environments/prod%2Feu",
    );
    let store = format!("{by_name}/secrets");
    assert_eq!(
        send(
            &sandbox,
            "PUT",
            &format!("{store}/A"),
            &sealed(&sandbox, SECRETS, "x")
        )
        .status,
        422
    );
    assert_eq!(
        send(
            &sandbox,
            "PUT",
            &format!("{store}/A"),
            &sealed(&sandbox, &store, "x")
        )
        .status,
        201
    );
    assert_eq!(
        send(&sandbox, "GET", &format!("{by_id}/secrets/a"), "").json()["name"],
        "A"
    );
    assert_eq!(
        send(
            &sandbox,
            "POST",
            &format!("{by_id}/variables"),
            r#"{"name":"V","value":"1"}"#
        )
        .status,
        201
    );
    {
        let world = sandbox.world();
        let environment = world
            .github
            .repository("acme/shop")
            .and_then(|it| it.environment("prod/eu"))
            .expect("there");
        assert_eq!(
            (
                value(&environment.secrets, "A").as_str(),
                environment.variable("v").expect("there").value.as_str()
            ),
            ("x", "1")
        );
    }
    assert_eq!(
        send(&sandbox, "GET", "/repos/acme/shop/environments/none/secrets", "").status,
        404
    );
    assert_eq!(
        send(&sandbox, "PUT", "/repos/acme/shop/environments/none", "").status,
        200
    );
    assert_eq!(
        send(&sandbox, "GET", "/repos/acme/shop/environments/none/secrets", "").status,
        200
    );
    assert_eq!(
        send(&sandbox, "GET", "/repos/acme/shop/environments/none/secrets/", "").status,
        404
    );
}

#[test]
fn variables_are_created_once_and_then_changed() {
    let sandbox = Sandbox::start(world());
    let item = format!("{VARIABLES}/BUCKET");
    assert_eq!(send(&sandbox, "PATCH", &item, r#"{"value":"a"}"#).status, 404);
    assert_eq!(
        send(&sandbox, "POST", VARIABLES, r#"{"name":"bucket","value":"a"}"#).status,
        201
    );
    assert_eq!(
        send(&sandbox, "POST", VARIABLES, r#"{"name":"BUCKET","value":"b"}"#).status,
        409
    );
    assert_eq!(send(&sandbox, "PATCH", &item, r#"{"value":"b"}"#).status, 204);
    assert_eq!(send(&sandbox, "GET", &item, "").json()["value"], "b");
    assert_eq!(send(&sandbox, "PATCH", &item, r#"{"name":"PAIL"}"#).status, 204);
    assert_eq!(
        sandbox
            .world()
            .github
            .repository("acme/shop")
            .expect("there")
            .variable("PAIL")
            .expect("there")
            .value,
        "b"
    );
}

#[test]
fn lists_go_on_through_their_links() {
    let sandbox = Sandbox::start(world().with_switches(|it| it.github_path_prefix = "/api/v3".to_owned()));
    for at in 0..12 {
        let mut world = sandbox.world();
        world
            .github
            .repository_mut("acme/shop")
            .expect("there")
            .variables
            .set(&format!("V{at:02}"), "x", NOW);
    }
    let first = send(&sandbox, "GET", VARIABLES, "");
    assert_eq!(first.json()["variables"].as_array().map(Vec::len), Some(10));
    let link = first.header("link").expect("a link");
    let next = format!("<{}{VARIABLES}?page=2>; rel=\"next\"", sandbox.github_url());
    assert!(link.starts_with(&next), "{link}");
    let second = send(&sandbox, "GET", &format!("{VARIABLES}?page=2"), "");
    assert_eq!(second.json()["variables"][1]["name"], "V11");
    assert!(!second.header("link").expect("a link").contains("next"));
}

#[test]
fn each_kind_of_token_is_refused_in_its_own_way() {
    let mut public = Repository::new(9, "acme/open");
    public.private = false;
    let mut world = world()
        .with_workflow_token("ghs_workflow", "acme/shop")
        .with_github_token(Token::classic("ghp_bare", &[]))
        .with_fine_grained_token("github_pat_read", &[("secrets", Access::Read)]);
    world.github.repositories.push(public);
    let sandbox = Sandbox::start(world.with_run("acme/shop", Run::in_progress(7, NOW)));
    let get = |token: &str, path: &str| send_as(&sandbox, token, "GET", path, "");
    let key = format!("{SECRETS}/public-key");
    let refused = get("ghs_workflow", &key);
    assert_eq!(
        message(&refused),
        (403, "Resource not accessible by integration".to_owned())
    );
    assert_eq!(
        refused.header("x-accepted-github-permissions"),
        Some("secrets=read")
    );
    assert_eq!(
        get("ghs_workflow", "/repos/acme/shop/actions/runs?status=in_progress").json()["total_count"],
        1
    );
    assert_eq!(
        get("ghs_workflow", "/repos/acme/shop/actions/runs/7").json()["run_attempt"],
        1
    );
    assert_eq!(get("ghp_bare", &key).status, 404);
    assert_eq!(get("ghp_bare", "/repos/acme/open").status, 200);
    assert_eq!(get("github_pat_read", &key).status, 200);
    let denied = send_as(&sandbox, "github_pat_read", "DELETE", &format!("{SECRETS}/A"), "");
    assert_eq!(
        message(&denied),
        (403, "Resource not accessible by personal access token".to_owned())
    );
    assert_eq!(
        get("github_pat_read", VARIABLES).header("x-accepted-github-permissions"),
        Some("actions_variables=read")
    );
    assert_eq!(
        message(&get("ghp_unknown", "/repos/acme/shop")),
        (401, "Bad credentials".to_owned())
    );
}

#[test]
fn a_repository_tells_what_it_is() {
    let sandbox = Sandbox::start(world());
    let shown = send(&sandbox, "GET", "/repos/Acme/SHOP", "");
    let json = shown.json();
    assert_eq!(
        (&json["id"], &json["full_name"], &json["archived"]),
        (&json!(501), &json!("acme/shop"), &json!(false))
    );
    assert_eq!(
        (&json["permissions"]["admin"], &json["default_branch"]),
        (&json!(true), &json!("main"))
    );
    assert!(shown.header("x-github-request-id").is_some());
    assert_eq!(shown.header("x-ratelimit-remaining"), Some("4999"));

    sandbox
        .world()
        .github
        .repository_mut("acme/shop")
        .expect("there")
        .former_names
        .push("acme/store".to_owned());
    let moved = send(&sandbox, "GET", "/repos/acme/store/actions/secrets", "");
    let to = format!("{}/repositories/501/actions/secrets", sandbox.github_url());
    assert_eq!((moved.status, moved.header("location")), (301, Some(to.as_str())));
    assert_eq!(
        send(&sandbox, "GET", "/repositories/501/actions/secrets", "").status,
        200
    );

    sandbox
        .world()
        .github
        .repository_mut("acme/shop")
        .expect("there")
        .archived = true;
    assert_eq!(send(&sandbox, "DELETE", &format!("{SECRETS}/A"), "").status, 403);
    assert_eq!(send_with(&sandbox, "", "GET", "/repos/acme/shop", "").status, 403);
    let old = "User-Agent: test\r\nX-GitHub-Api-Version: 2020-01-01\r\n";
    assert_eq!(
        send_with(&sandbox, old, "GET", "/repos/acme/shop", "").status,
        400
    );
}

#[test]
fn limits_are_told_apart() {
    let sandbox = Sandbox::start(world().with_switches(|it| it.secondary_limit_points = Some(3)));
    let get = || send(&sandbox, "GET", "/repos/acme/shop", "");
    assert_eq!([get().status, get().status, get().status], [200; 3]);
    let limited = get();
    assert!(
        message(&limited).1.contains("secondary rate limit"),
        "{limited:?}"
    );
    assert_eq!((limited.status, limited.header("retry-after")), (403, Some("60")));
    sandbox.world().switches.github_hourly_limit = 4;
    let limited = get();
    assert_eq!(
        (
            limited.header("x-ratelimit-remaining"),
            limited.header("retry-after")
        ),
        (Some("0"), None)
    );
    assert!(
        message(&limited).1.contains("API rate limit exceeded"),
        "{limited:?}"
    );
}

#[test]
fn an_installation_token_is_narrow_and_ends() {
    let token = Token::installation(
        "ghs_minted",
        Reach::Selected(vec!["acme/shop".to_owned()]),
        &[("secrets", Access::Write)],
    );
    let expiring = Token {
        expires_at: Some(NOW + 10),
        ..token.clone()
    };
    let world = world().with_repository("acme/other").with_github_token(Token {
        value: "ghs_b".to_owned(),
        ..expiring
    });
    let sandbox = Sandbox::start(
        world
            .with_github_token(token)
            .with_github_app(App::new(1, "Iv1", b"")),
    );
    let get = |token: &str, path: &str| send_as(&sandbox, token, "GET", path, "").status;
    assert_eq!(get("ghs_minted", SECRETS), 200);
    assert_eq!(get("ghs_minted", "/repos/acme/other"), 404);
    assert_eq!(get("ghs_minted", "/installation/repositories"), 200);
    assert_eq!(
        send_as(&sandbox, "ghs_minted", "DELETE", "/installation/token", "").status,
        204
    );
    assert_eq!(get("ghs_minted", SECRETS), 401);
    assert_eq!(get("ghs_b", SECRETS), 200);
    sandbox.advance(Duration::from_secs(10));
    assert_eq!(get("ghs_b", SECRETS), 401);
    assert_eq!(get("ghs_b", "/repos/acme/shop/installation"), 401);
}

#[test]
fn an_organization_shares_its_secrets() {
    let admin = Token::classic("ghp_admin", &["repo", "admin:org"]);
    let mut world = world().with_github_token(admin);
    world.github.organizations.push(Organization::new("acme"));
    let sandbox = Sandbox::start(world);
    let send = |method: &str, path: &str, body: &str| send_as(&sandbox, "ghp_admin", method, path, body);
    let key = send("GET", "/orgs/Acme/actions/secrets/public-key", "").json();
    let body = seal(&key, "x");
    assert_eq!(send("PUT", "/orgs/acme/actions/secrets/a", &body).status, 422);
    let body = body.replace(
        '{',
        r#"{"visibility":"selected","selected_repository_ids":["501"],"#,
    );
    assert_eq!(send("PUT", "/orgs/acme/actions/secrets/a", &body).status, 201);
    let seen =
        || send("GET", "/repos/acme/shop/actions/organization-secrets", "").json()["total_count"].clone();
    assert_eq!(seen(), 1);
    assert_eq!(
        send("DELETE", "/orgs/acme/actions/secrets/a/repositories/501", "").status,
        204
    );
    assert_eq!(seen(), 0);
    let refused = send_as(
        &sandbox,
        World::GITHUB_TOKEN,
        "GET",
        "/orgs/acme/actions/secrets",
        "",
    );
    assert_eq!(refused.status, 404);
}

#[test]
fn a_deleted_key_that_a_secret_holds_is_a_violation() {
    let sandbox = Sandbox::start(world().with_key("shop", &[]));
    let key = sandbox
        .world()
        .digitalocean
        .key_named("shop")
        .expect("there")
        .clone();
    let body = sealed(
        &sandbox,
        SECRETS,
        &format!("{{\"access_key\":\"{}\"}}", key.access_key),
    );
    assert_eq!(
        send(&sandbox, "PUT", &format!("{SECRETS}/PAIR"), &body).status,
        201
    );
    let path = format!("/v2/spaces/keys/{}", key.access_key);
    client::send(
        &sandbox.digitalocean_url(),
        World::DIGITALOCEAN_TOKEN,
        "DELETE",
        &path,
        "",
    )
    .expect("an answer");
    let violations = sandbox.violations();
    assert!(
        violations.len() == 1 && violations[0].contains("secret PAIR of acme/shop"),
        "{violations:?}"
    );
}

const RUNS: &str = "/repos/acme/shop/actions/runs";

#[test]
fn a_search_shows_a_thousand_runs_and_no_more() {
    let sandbox = Sandbox::start(world());
    {
        let mut world = sandbox.world();
        let repository = world.github.repository_mut("acme/shop").expect("the repository");
        let runs = (1..=1_051).map(|id| Run::in_progress(id, NOW).queued());
        repository.runs.extend(runs);
    }
    let page = |query: &str| {
        send_as(
            &sandbox,
            World::GITHUB_TOKEN,
            "GET",
            &format!("{RUNS}?{query}"),
            "",
        )
        .json()
    };
    let held = |query: &str| page(query)["workflow_runs"].as_array().expect("runs").len();
    assert_eq!(held("status=queued&per_page=100&page=10"), 100);
    assert_eq!(held("status=queued&per_page=100&page=11"), 0);
    assert_eq!(
        held("per_page=100&page=11"),
        51,
        "a list without filters shows all"
    );
    assert_eq!(page("status=queued&per_page=1")["total_count"], 1_051);
    sandbox.world().switches.searches_count_what_they_hide = false;
    assert_eq!(page("status=queued&per_page=1")["total_count"], 1_000);
}

#[test]
fn a_run_that_eludes_the_lists_is_on_none_of_a_pass_whatever_their_order() {
    let statuses = ["waiting", "queued", "in_progress"];
    for first in 0..statuses.len() {
        let run = Run::in_progress(7, NOW).eluding(1);
        let sandbox = Sandbox::start(world().with_run("acme/shop", run));
        let count = |status: &str| {
            let path = format!("{RUNS}?status={status}");
            send_as(&sandbox, World::GITHUB_TOKEN, "GET", &path, "").json()["total_count"].as_u64()
        };
        let pass = || -> u64 {
            let mut order = statuses;
            order.rotate_left(first);
            order.iter().filter_map(|status| count(status)).sum()
        };
        assert_eq!((pass(), pass(), pass()), (0, 1, 1));
    }
}
