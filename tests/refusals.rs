//! Every refusal of a service is told apart: what, why, and what to do. No scoped key is left, the rest is still done.

use std::io::Write;

use serde_json::json;
use spacekeeper_sandbox::digitalocean::{Course, Phase};
use spacekeeper_sandbox::github::{Access, Reach, Token};
use spacekeeper_sandbox::spaces::Bucket;
use tempfile::NamedTempFile;

use crate::fixture::{
    DigitalOcean, Fault, Outcome, REPOSITORY, Run, Sandbox, World, live_keys, sandbox, secret,
    the_delivered_pair, variable, world,
};

/// Insists that neither a scoped key nor an admin key is left, and that no secret was written.
#[track_caller]
fn delivered_nothing(sandbox: &Sandbox) {
    let left = live_keys(sandbox);
    assert!(
        !left.iter().any(|name| name.contains("spaces-key--")),
        "no key of ours is left: {left:?}"
    );
    assert_eq!(secret(sandbox, "SPACES_ACCESS_KEY"), None);
    assert_eq!(secret(sandbox, "SPACES_SECRET_KEY"), None);
}

#[track_caller]
fn fails(sandbox: &Sandbox, run: Run<'_>, phrases: &[&str]) -> Outcome {
    let outcome = run.go().red();
    outcome.complains(phrases);
    delivered_nothing(sandbox);
    for phrase in phrases {
        assert!(
            unescaped(&outcome.summary).contains(phrase),
            "the summary says {phrase:?} too:\n{}",
            outcome.summary
        );
    }
    outcome
}

/// The page as it is shown.
fn unescaped(page: &str) -> String {
    let mut parts = page.split("&#");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_once(';').expect("an entity");
        let code = code.parse().ok().and_then(char::from_u32);
        shown.push(code.expect("a character"));
        shown.push_str(rest);
    }
    shown
}

fn with_logs(sandbox: &Sandbox) -> Run<'_> {
    Run::bootstrap(sandbox).input("log-bucket", "shop-logs")
}

#[test]
fn a_name_that_is_taken_by_someone_else() {
    let sandbox = Sandbox::start(world().with_strangers_bucket("nyc3", "shop-uploads"));
    fails(
        &sandbox,
        with_logs(&sandbox).input("buckets", "shop-uploads\nshop-invoices"),
        &[
            "bucket shop-uploads",
            "belongs to someone else",
            "Choose another name",
        ],
    );
    let world = sandbox.world();
    for other in ["shop-logs", "shop-invoices"] {
        assert!(world.spaces.bucket(other).is_some(), "{other} was still made");
    }
}

#[test]
fn one_familys_trouble_does_not_stop_the_others() {
    let sandbox = Sandbox::start(world().with_strangers_bucket("nyc3", "shop-uploads"));
    let outcome = Run::bootstrap(&sandbox)
        .input("buckets", "shop-uploads\nshop-invoices")
        .input("key-scope", "bucket")
        .go()
        .red();
    outcome.complains(&["bucket shop-uploads", "Choose another name"]);
    assert!(secret(&sandbox, "SPACES_SECRET_KEY_SHOP_INVOICES").is_some());
    assert_eq!(secret(&sandbox, "SPACES_SECRET_KEY_SHOP_UPLOADS"), None);
    assert_eq!(live_keys(&sandbox).len(), 1);
}

#[test]
fn a_log_bucket_that_cannot_be_had_is_the_trouble_of_what_logs_to_it() {
    let sandbox = Sandbox::start(world().with_strangers_bucket("nyc3", "shop-logs"));
    let outcome = with_logs(&sandbox).go().red();
    outcome.complains(&["bucket shop-logs", "Choose another name"]);
    assert!(sandbox.world().spaces.bucket("shop-uploads").is_some());
}

/// The same run with the public names of the services, so that regions have hosts of their own.
pub(crate) fn at_public_hosts<'a>(run: Run<'a>, sandbox: &Sandbox) -> (Run<'a>, NamedTempFile) {
    let edge = sandbox.edge();
    let mut authority = NamedTempFile::new().expect("a file");
    authority.write_all(edge.ca_pem.as_bytes()).expect("written");
    let path = authority.path().to_str().expect("a path in UTF-8").to_owned();
    let run = run
        .without_env("DIGITALOCEAN_API_URL")
        .without_env("SPACES_ENDPOINT_URL")
        .env("GITHUB_API_URL", "https://api.github.com")
        .env("HTTPS_PROXY", &edge.proxy_url)
        .env("SSL_CERT_FILE", &path);
    (run, authority)
}

#[test]
fn a_bucket_of_ours_in_another_region() {
    let sandbox = Sandbox::start(world().with_bucket("fra1", "shop-uploads"));
    let (run, _authority) = at_public_hosts(with_logs(&sandbox), &sandbox);
    fails(
        &sandbox,
        run,
        &[
            "bucket shop-uploads",
            "it exists in region fra1",
            "Set region: fra1",
        ],
    );
    let world = sandbox.world();
    let logs = world
        .spaces
        .bucket("shop-logs")
        .expect("the log bucket was still made");
    assert_eq!(logs.region, "nyc3");
}

#[test]
fn a_strangers_bucket_in_another_region() {
    let sandbox = Sandbox::start(world().with_strangers_bucket("fra1", "shop-uploads"));
    let (run, _authority) = at_public_hosts(with_logs(&sandbox), &sandbox);
    fails(&sandbox, run, &["bucket shop-uploads", "another name"]);
}

#[test]
fn a_bucket_with_a_policy() {
    let mut bucket = Bucket::new("shop-uploads", "nyc3", 0);
    bucket.policy = Some("{}".to_owned());
    let sandbox = Sandbox::start(world().with_this_bucket(bucket));
    let outcome = fails(
        &sandbox,
        Run::bootstrap(&sandbox),
        &["bucket shop-uploads", "bucket policy", "Remove the policy"],
    );
    assert_eq!(
        outcome.journal.count(DigitalOcean, "POST", "/v2/spaces/keys"),
        1,
        "only the admin key was minted"
    );
    assert!(
        sandbox
            .world()
            .spaces
            .bucket("shop-uploads")
            .expect("the bucket")
            .policy
            .is_some(),
        "the policy stays"
    );
}

#[test]
fn the_workflows_own_token() {
    let token = "ghs_theWorkflowsOwnToken00000000000000000";
    let sandbox = Sandbox::start(world().with_workflow_token(token, REPOSITORY));
    fails(
        &sandbox,
        Run::bootstrap(&sandbox).input("github-token", token),
        &[
            "GITHUB_TOKEN cannot write secrets",
            "fine-grained token",
            "GitHub App",
        ],
    );
    assert!(
        sandbox.world().spaces.bucket("shop-uploads").is_some(),
        "the bucket was still made"
    );
}

#[test]
fn github_tokens_that_lack_a_permission_are_told_which() {
    let token = "github_pat_11FINEGRAINED0000000000_canary";
    let secrets = ("secrets", Access::Write);
    let variables = ("actions_variables", Access::Write);
    let environments = ("environments", Access::Write);
    for (held, lacking) in [
        (vec![variables, environments], "secrets"),
        (
            vec![("secrets", Access::Read), variables, environments],
            "secrets",
        ),
        (vec![secrets, environments], "variables"),
        (
            vec![secrets, ("actions_variables", Access::Read), environments],
            "variables",
        ),
    ] {
        let sandbox = Sandbox::start(world().with_fine_grained_token(token, &held));
        let run = Run::bootstrap(&sandbox).input("github-token", token);
        let outcome = run.go().red();
        delivered_nothing(&sandbox);
        let errors = outcome.errors().join("\n").to_lowercase();
        assert!(
            errors.contains("github-token") && errors.contains(lacking),
            "{held:?} lacks {lacking}: {errors}"
        );
    }
}

#[test]
fn a_github_token_that_does_not_reach_the_repository() {
    let token = "github_pat_11FINEGRAINED0000000000_canary";
    let elsewhere = Token::fine_grained(
        token,
        Reach::Selected(vec!["acme/other".to_owned()]),
        &[("secrets", Access::Write), ("actions_variables", Access::Write)],
    );
    let sandbox = Sandbox::start(world().with_github_token(elsewhere));
    fails(
        &sandbox,
        Run::bootstrap(&sandbox).input("github-token", token),
        &["acme/shop", "Check github-repository", "without access"],
    );
}

#[test]
fn a_repository_that_does_not_exist() {
    let sandbox = sandbox();
    fails(
        &sandbox,
        Run::bootstrap(&sandbox).input("github-repository", "acme/shopp"),
        &["acme/shopp", "Check github-repository"],
    );
}

#[test]
fn an_environment_that_does_not_exist() {
    let sandbox = sandbox();
    fails(
        &sandbox,
        Run::bootstrap(&sandbox).input("github-environment", "production"),
        &["production", "github-environment"],
    );
}

#[test]
fn tokens_that_nobody_knows() {
    let sandbox = sandbox();
    fails(
        &sandbox,
        Run::bootstrap(&sandbox).input("github-token", "ghp_revoked00000000000000000000000000000"),
        &["Check github-token", "expired or revoked"],
    );
    fails(
        &sandbox,
        Run::bootstrap(&sandbox).input("digitalocean-token", "dop_v1_revoked000000000000000000000000"),
        &["Check digitalocean-token", "expired or revoked"],
    );
}

#[test]
fn a_full_access_pair_that_nobody_knows() {
    let sandbox = sandbox();
    let outcome = Run::bootstrap(&sandbox).with_full_access().go().red();
    outcome.complains(&[
        "bucket shop-uploads",
        "InvalidAccessKeyId",
        "spaces-access-key-id",
    ]);
    delivered_nothing(&sandbox);
}

#[test]
fn a_full_access_pair_whose_halves_do_not_belong_together() {
    let sandbox = Sandbox::start(world().with_full_access_pair());
    let outcome = Run::bootstrap(&sandbox)
        .with_full_access()
        .input(
            "spaces-secret-access-key",
            "n0tTheRightSecretKeyForTheSuppliedId0000000",
        )
        .go()
        .red();
    outcome.complains(&[
        "bucket shop-uploads",
        "SignatureDoesNotMatch",
        "spaces-secret-access-key",
    ]);
    delivered_nothing(&sandbox);
}

const SCOPES: [&str; 7] = [
    "spaces_key:create_credentials",
    "spaces_key:read",
    "spaces_key:update",
    "spaces_key:delete",
    "app:read",
    "app:update",
    "app:create",
];

#[test]
fn the_scopes_of_the_readme_are_enough() {
    let token = "dop_v1_scoped0000000000000000000000000000";
    let enough: Vec<_> = SCOPES
        .into_iter()
        .filter(|scope| *scope != "app:create")
        .collect();
    let sandbox = Sandbox::start(world().with_app(app()).with_digitalocean_token(token, &enough));
    with_logs(&sandbox)
        .input("digitalocean-token", token)
        .input("app-platform-app", "shop")
        .go()
        .green();
    the_delivered_pair(&sandbox);
}

#[test]
fn a_digitalocean_token_that_lacks_a_scope_is_told_which() {
    let token = "dop_v1_scoped0000000000000000000000000000";
    for lacking in &SCOPES[..6] {
        let held: Vec<_> = SCOPES.into_iter().filter(|scope| scope != lacking).collect();
        let sandbox = Sandbox::start(world().with_app(app()).with_digitalocean_token(token, &held));
        let outcome = Run::bootstrap(&sandbox)
            .input("digitalocean-token", token)
            .input("app-platform-app", "shop")
            .go()
            .red();
        outcome.complains(&["digitalocean-token", lacking]);
        let litter: Vec<_> = live_keys(&sandbox)
            .into_iter()
            .filter(|name| name.ends_with("--pending"))
            .collect();
        // Who may not delete leaves what it made, and says so.
        assert!(
            litter.is_empty() || *lacking == "spaces_key:delete",
            "{lacking}: {litter:?}"
        );
    }
}

fn app() -> serde_json::Value {
    json!({
        "name": "shop",
        "region": "nyc",
        "services": [{ "name": "api" }, { "name": "admin" }],
        "workers": [{ "name": "mailer" }],
    })
}

fn with_app(sandbox: &Sandbox) -> Run<'_> {
    Run::bootstrap(sandbox).input("app-platform-app", "shop")
}

#[test]
fn an_app_that_does_not_exist_is_told_with_those_that_do() {
    let sandbox = Sandbox::start(world().with_app(app()));
    fails(
        &sandbox,
        with_app(&sandbox).input("app-platform-app", "shopp"),
        &["shopp", "there are shop"],
    );
    let world = sandbox.world();
    assert!(
        world.spaces.bucket("shop-uploads").is_some(),
        "the bucket was still made"
    );
}

#[test]
fn a_component_that_does_not_exist_is_told_with_those_that_do() {
    let sandbox = Sandbox::start(world().with_app(app()));
    fails(
        &sandbox,
        with_app(&sandbox).input("app-components", "api\nworker"),
        &[
            "app shop",
            "no component `worker`",
            "api",
            "admin",
            "mailer",
            "Correct app-components",
        ],
    );
}

#[test]
fn an_app_that_is_pinned() {
    let mut world = world().with_app(app());
    let app = world.digitalocean.app_mut("shop").expect("the app");
    app.pinned = Some(app.deployments[0].id.clone());
    let sandbox = Sandbox::start(world);
    fails(
        &sandbox,
        with_app(&sandbox),
        &["app shop", "pinned", "Commit or revert the rollback"],
    );
}

#[test]
fn a_deployment_that_fails_is_shown_with_the_end_of_its_log() {
    let failing = Course::fails("api", "DeployContainerExitNonZero", "the container says farewell");
    let sandbox = Sandbox::start(world().with_app(app()).with_course("shop", failing));
    let outcome = with_app(&sandbox).go().red();
    outcome.complains(&["app shop", "ERROR", "Mend the app and run again"]);
    assert!(
        outcome.stdout.contains("the container says farewell"),
        "{}",
        outcome.stdout
    );
    // The key is delivered and active: what failed is the app.
    the_delivered_pair(&sandbox);
}

#[test]
fn after_a_failed_deployment_the_next_run_deploys_the_same_key_again() {
    let failing = Course::fails("api", "DeployContainerExitNonZero", "the container says farewell");
    let sandbox = Sandbox::start(world().with_app(app()).with_course("shop", failing));
    with_app(&sandbox).go().red();
    let id = the_delivered_pair(&sandbox);
    with_app(&sandbox).go().green();
    assert_eq!(the_delivered_pair(&sandbox), id);
    let world = sandbox.world();
    let app = world.digitalocean.app("shop").expect("the app");
    assert_eq!(
        app.live_env(None, "SPACES_ACCESS_KEY_ID").as_deref(),
        Some(id.as_str())
    );
}

#[test]
fn a_deployment_that_is_stuck_is_waited_for_no_longer_than_asked() {
    let stuck = Course::StuckIn(Phase::Building);
    let sandbox = Sandbox::start(world().with_app(app()).with_course("shop", stuck));
    let outcome = with_app(&sandbox).input("deployment-timeout", "2s").go().red();
    outcome.complains(&["app shop", "BUILDING", "deployment-timeout"]);
    the_delivered_pair(&sandbox);
}

#[test]
fn a_deployment_that_somebody_cancels() {
    let canceled = Course::CanceledAfter(Phase::Building);
    let sandbox = Sandbox::start(world().with_app(app()).with_course("shop", canceled));
    let outcome = with_app(&sandbox).go().red();
    outcome.complains(&["app shop", "CANCELED"]);
    the_delivered_pair(&sandbox);
}

#[test]
fn a_spec_that_app_platform_refuses_is_told_before_a_key_is_minted() {
    let sandbox = Sandbox::start(world().with_app(app()));
    let body = r#"{"id":"bad_request","message":"error validating app spec field \"envs\": too many","request_id":"r"}"#;
    sandbox.script(
        Fault::on(DigitalOcean)
            .path_contains("/v2/apps/propose")
            .status(400)
            .header("content-type", "application/json")
            .body(body),
    );
    let outcome = with_app(&sandbox).go().red();
    outcome.complains(&["app", "too many"]);
    delivered_nothing(&sandbox);
    assert_eq!(outcome.journal.count(DigitalOcean, "POST", "/v2/spaces/keys"), 1);
}

#[test]
fn an_account_that_is_full_of_keys() {
    for status in [403, 422, 429] {
        let full = world()
            .with_full_access_pair()
            .with_key("somebody-1", &[])
            .with_key("somebody-2", &[])
            .with_switches(|switches| {
                switches.key_quota = 3;
                switches.key_quota_status = status.try_into().expect("a status");
            });
        let sandbox = Sandbox::start(full);
        let outcome = Run::bootstrap(&sandbox).with_full_access().go().red();
        outcome.complains(&["the account holds as many access keys as it may"]);
        delivered_nothing(&sandbox);
        assert_eq!(
            live_keys(&sandbox).len(),
            3,
            "{status}: no stranger's key made room"
        );
        assert!(
            sandbox.world().spaces.bucket("shop-uploads").is_some(),
            "the bucket was still made"
        );
    }
}

#[test]
fn an_account_without_room_for_the_admin_key() {
    let full = world()
        .with_key("somebody-1", &[])
        .with_switches(|switches| switches.key_quota = 1);
    let sandbox = Sandbox::start(full);
    let outcome = Run::bootstrap(&sandbox).go().red();
    outcome.complains(&["the account holds as many access keys as it may"]);
    delivered_nothing(&sandbox);
}

#[test]
fn an_archived_repository() {
    let mut world = world();
    world
        .github
        .repository_mut(REPOSITORY)
        .expect("the repository")
        .archived = true;
    let sandbox = Sandbox::start(world);
    fails(
        &sandbox,
        Run::bootstrap(&sandbox),
        &["repository acme/shop", "archived", "Unarchive it"],
    );
    assert_eq!(variable(&sandbox, "SPACES_BUCKET"), None);
    assert!(
        sandbox.world().spaces.bucket("shop-uploads").is_some(),
        "the bucket was still made"
    );
}

#[test]
fn a_service_that_cannot_be_reached() {
    let sandbox = sandbox();
    // Port 9 of loopback: nobody listens there.
    let outcome = Run::bootstrap(&sandbox)
        .env("GITHUB_API_URL", "http://127.0.0.1:9")
        .go()
        .red();
    outcome.complains(&["GitHub was not available", "HTTPS_PROXY"]);
    delivered_nothing(&sandbox);
}

#[test]
fn remote_words_cannot_speak_to_the_runner() {
    let sandbox = Sandbox::start(World::new().with_repository(REPOSITORY).with_full_access_pair());
    let body =
        r#"{"id":"x","message":"a\n::set-env name=PATH::/evil\n##[error]b | c <b> @acme","request_id":"r"}"#;
    sandbox.script(
        Fault::on(DigitalOcean)
            .method("POST")
            .path_contains("/v2/spaces/keys")
            .status(422)
            .header("content-type", "application/json")
            .body(body),
    );
    let outcome = Run::bootstrap(&sandbox).with_full_access().go().red();
    for line in outcome.stdout.lines() {
        assert!(!line.starts_with("::set-env") && !line.contains("##["), "{line}");
    }
    assert!(
        !outcome.summary.contains("<b>") && !outcome.summary.contains("@acme"),
        "{}",
        outcome.summary
    );
}
