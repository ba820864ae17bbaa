//! What says where, and with which key, is written only when it is so: nobody is sent to what does not stand.

use serde_json::json;
use spacekeeper_sandbox::digitalocean::Grant;
use spacekeeper_sandbox::github::{Access, Reach, Token};
use spacekeeper_sandbox::spaces::Bucket;

use crate::fixture::app::{look, run as run_with_app, with_app};
use crate::fixture::delivered::delivered;
use crate::fixture::{
    DigitalOcean, Fault, GitHub, Outcome, REPOSITORY, Run, Sandbox, World, live_keys, sandbox,
    the_active_key, the_delivered_pair, variable, world,
};

const WHERE: [&str; 4] = [
    "SPACES_BUCKET",
    "SPACES_REGION",
    "SPACES_ENDPOINT",
    "SPACES_CDN_ENDPOINT",
];

const VARIABLES: &str = "/actions/variables";

fn keep(sandbox: &Sandbox) -> Vec<Option<String>> {
    WHERE.iter().map(|name| variable(sandbox, name)).collect()
}

#[track_caller]
fn names_nothing(sandbox: &Sandbox) {
    assert_eq!(keep(sandbox), vec![None; WHERE.len()]);
    assert_eq!(variable(sandbox, "SPACES_ACCESS_KEY_ID"), None);
}

/// A first run whose mint is refused.
fn refused_mint() -> Fault {
    Fault::on(DigitalOcean)
        .method("POST")
        .path_contains("/v2/spaces/keys")
        .status(422)
        .header("content-type", "application/json")
        .body(r#"{"id":"unprocessable_entity","message":"no","request_id":"r"}"#)
        .forever()
}

#[test]
fn a_bucket_of_somebody_else_is_named_nowhere() {
    let sandbox = Sandbox::start(world().with_strangers_bucket("nyc3", "shop-uploads"));
    let outcome = Run::bootstrap(&sandbox).go().red();
    names_nothing(&sandbox);
    for output in ["spaces-endpoint", "cdn-endpoint", "access-key-id"] {
        assert_eq!(outcome.output(output), "", "{output}");
    }
    assert_eq!(outcome.json_output("buckets"), json!([]));
}

#[test]
fn while_the_live_key_opens_another_bucket_the_variables_stay_with_it() {
    let sandbox = delivered();
    let (before, id) = (keep(&sandbox), the_delivered_pair(&sandbox));
    {
        let mut world = sandbox.world();
        let now = world.clock.now();
        world
            .spaces
            .add(Bucket::new("shop-media", "nyc3", now).of_a_stranger());
    }
    let outcome = Run::bootstrap(&sandbox)
        .input("buckets", "shop-media\nshop-uploads")
        .go()
        .red();
    assert_eq!((keep(&sandbox), the_delivered_pair(&sandbox)), (before, id));
    assert_eq!(outcome.output("spaces-endpoint"), "");
}

#[test]
fn a_mint_that_is_refused_leaves_no_variable() {
    let sandbox = Sandbox::start(world().with_full_access_pair());
    sandbox.script(refused_mint());
    let outcome = Run::bootstrap(&sandbox).with_full_access().go().red();
    names_nothing(&sandbox);
    assert_eq!(outcome.output("spaces-endpoint"), "");
    let named = outcome.json_output("buckets");
    assert_eq!(
        named[0]["name"],
        json!("shop-uploads"),
        "the bucket itself stands"
    );
    assert_eq!(outcome.json_output("keys")[0]["grants"], json!([]));
}

#[test]
fn a_failed_replacement_leaves_the_variables_with_the_key_that_serves() {
    let sandbox = delivered();
    let before = keep(&sandbox);
    sandbox.script(refused_mint().skip(1));
    let outcome = Run::bootstrap(&sandbox)
        .input("buckets", "shop-media\nshop-uploads")
        .go()
        .red();
    assert_eq!(keep(&sandbox), before);
    let keys = outcome.json_output("keys");
    assert_eq!(keys[0]["access_key_id"], json!(the_active_key(&sandbox)));
    assert_eq!(
        keys[0]["grants"],
        json!(["shop-uploads=readwrite"]),
        "what it opens, not what was asked for"
    );
    assert!(!outcome.summary.contains("superseded"), "{}", outcome.summary);
}

#[test]
fn a_dry_run_does_not_call_the_serving_key_superseded() {
    let sandbox = delivered();
    let id = the_active_key(&sandbox);
    let outcome = Run::rotate(&sandbox)
        .input("force", "true")
        .input("dry-run", "true")
        .go()
        .green();
    assert!(!outcome.summary.contains("superseded"), "{}", outcome.summary);
    assert_eq!(outcome.output("access-key-id"), id);
}

#[test]
fn a_secret_that_is_refused_keeps_what_says_where_from_being_written() {
    let sandbox = sandbox();
    sandbox.script(
        Fault::on(GitHub)
            .method("PUT")
            .path_contains("/secrets/")
            .status(422)
            .header("content-type", "application/json")
            .body(r#"{"message":"no"}"#)
            .forever(),
    );
    Run::bootstrap(&sandbox).go().red();
    names_nothing(&sandbox);
}

#[test]
fn what_says_where_is_written_after_the_secrets_that_open_it() {
    let sandbox = sandbox();
    let outcome = Run::bootstrap(&sandbox).go().green();
    outcome.journal.goes(&[
        "PUT /secrets/SPACES_",
        "PUT /secrets/SPACES_",
        "POST /variables",
        "POST /variables",
        "POST /variables",
        "POST /variables",
        "GET /secrets/SPACES_",
    ]);
}

fn reads_only() -> World {
    let permissions = [
        ("secrets", Access::Write),
        ("actions_variables", Access::Read),
        ("metadata", Access::Read),
    ];
    let token = Token::fine_grained(PAT, Reach::All, &permissions);
    world().with_github_token(token)
}

const PAT: &str = "github_pat_11FINEGRAINED0000000000_canary";

#[test]
fn a_token_that_may_not_write_variables_is_noticed_before_a_mint_and_changes_none() {
    let sandbox = Sandbox::start(reads_only());
    let outcome = Run::bootstrap(&sandbox).input("github-token", PAT).go().red();
    outcome.complains(&["github-token", "actions_variables"]);
    assert_eq!(
        outcome.journal.count(DigitalOcean, "POST", "/v2/spaces/keys"),
        1,
        "only the admin key"
    );
    names_nothing(&sandbox);
}

#[test]
fn the_question_whether_variables_may_be_written_changes_none() {
    let sandbox = delivered();
    let before = {
        let world = sandbox.world();
        let repository = world.github.repository(REPOSITORY).expect("the repository");
        format!("{:?}", repository.variables)
    };
    sandbox.script(refused_mint());
    Run::rotate(&sandbox).input("force", "true").go().red();
    let world = sandbox.world();
    let repository = world.github.repository(REPOSITORY).expect("the repository");
    assert_eq!(format!("{:?}", repository.variables), before);
}

fn refused_cdn() -> Fault {
    Fault::on(DigitalOcean)
        .method("POST")
        .path_contains("/v2/cdn/endpoints")
        .status(422)
        .header("content-type", "application/json")
        .body(r#"{"id":"unprocessable_entity","message":"invalid origin","request_id":"r"}"#)
        .forever()
}

fn cdn_of_the_app(sandbox: &Sandbox) -> Option<String> {
    look(sandbox, |app| app.live_env(None, "SPACES_CDN_ENDPOINT"))
}

#[test]
fn a_cdn_endpoint_that_is_refused_is_announced_nowhere() {
    let sandbox = with_app();
    sandbox.script(refused_cdn());
    let outcome = run_with_app(&sandbox).input("cdn", "true").go().red();
    outcome.complains(&["invalid origin"]);
    the_delivered_pair(&sandbox);
    assert_eq!(variable(&sandbox, "SPACES_CDN_ENDPOINT"), None);
    assert_eq!(cdn_of_the_app(&sandbox), None);
    assert_eq!(outcome.output("cdn-endpoint"), "");
    assert_eq!(
        variable(&sandbox, "SPACES_BUCKET").as_deref(),
        Some("shop-uploads")
    );
}

#[test]
fn a_cdn_endpoint_is_announced_by_the_address_that_digitalocean_gave_it() {
    let sandbox = with_app();
    sandbox.world().switches.cdn_domain = "cdn.example-spaces.net".to_owned();
    let outcome = run_with_app(&sandbox).input("cdn", "true").go().green();
    let address = "https://shop-uploads.nyc3.cdn.example-spaces.net";
    assert_eq!(
        variable(&sandbox, "SPACES_CDN_ENDPOINT").as_deref(),
        Some(address)
    );
    assert_eq!(cdn_of_the_app(&sandbox).as_deref(), Some(address));
    assert_eq!(outcome.output("cdn-endpoint"), address);
    outcome
        .journal
        .goes(&["POST /v2/cdn/endpoints", "PUT /v2/apps/", "PUT /secrets/"]);
    let again = run_with_app(&sandbox).input("cdn", "true").go().green();
    assert_eq!(again.journal.writes(), Vec::<String>::new());
}

#[test]
fn a_kept_key_announces_the_cdn_endpoint_when_it_stands() {
    let sandbox = with_app();
    run_with_app(&sandbox).go().green();
    let id = the_delivered_pair(&sandbox);
    sandbox.script(refused_cdn().times(1));
    run_with_app(&sandbox).input("cdn", "true").go().red();
    assert_eq!(variable(&sandbox, "SPACES_CDN_ENDPOINT"), None);
    assert_eq!(cdn_of_the_app(&sandbox), None);
    let outcome = run_with_app(&sandbox).input("cdn", "true").go().green();
    assert!(variable(&sandbox, "SPACES_CDN_ENDPOINT").is_some());
    assert!(cdn_of_the_app(&sandbox).is_some());
    assert_eq!(the_delivered_pair(&sandbox), id);
    outcome
        .journal
        .goes(&["POST /v2/cdn/endpoints", "POST /variables"]);
}

#[test]
fn a_rotation_leaves_the_cdn_variable_as_it_is() {
    let sandbox = Sandbox::start(world().with_full_access_pair());
    let with_cdn = |run: Run<'_>| run.input("cdn", "true").go().green();
    with_cdn(Run::bootstrap(&sandbox));
    let before = variable(&sandbox, "SPACES_CDN_ENDPOINT");
    assert!(before.is_some());
    with_cdn(Run::rotate(&sandbox).input("force", "true"));
    assert_eq!(variable(&sandbox, "SPACES_CDN_ENDPOINT"), before);
}

#[test]
fn a_variable_that_names_a_cdn_which_nobody_asks_for_any_more_is_told() {
    let sandbox = Sandbox::start(world());
    Run::bootstrap(&sandbox).input("cdn", "true").go().green();
    let outcome = Run::bootstrap(&sandbox).go().green();
    let warnings = outcome.warnings().join("\n");
    let told = |phrase: &str| warnings.contains(phrase) || outcome.summary.contains(phrase);
    assert!(
        told("asks for no CDN any more"),
        "{}\n{}",
        outcome.stdout,
        outcome.summary
    );
}

/// What a run under a rejected credential leaves: nothing, not even an admin key.
#[track_caller]
fn wrote_nothing(sandbox: &Sandbox, outcome: &Outcome, what: &[&str]) {
    outcome.complains(what);
    let errors = outcome.errors();
    let same = |error: &&String| error.contains("nothing was written");
    assert_eq!(errors.iter().filter(same).count(), 1, "told once: {errors:#?}");
    names_nothing(sandbox);
    let left = live_keys(sandbox);
    assert!(left.iter().all(|name| !name.ends_with("--admin")), "{left:?}");
    let lasting: Vec<String> = outcome
        .journal
        .writes()
        .into_iter()
        .filter(|line| !line.contains("/v2/spaces/keys"))
        .collect();
    assert_eq!(lasting, Vec::<String>::new());
}

#[test]
fn a_github_token_that_nobody_knows_ends_the_run_before_its_first_write() {
    let swept = world().with_key_of_age(
        "shop-spaces-key--1f-abcd--pending",
        &[],
        std::time::Duration::from_hours(2),
    );
    let sandbox = Sandbox::start(swept);
    let outcome = Run::bootstrap(&sandbox)
        .input("github-token", "ghp_revoked00000000000000000000000000000")
        .go()
        .red();
    wrote_nothing(&sandbox, &outcome, &["Check github-token", "expired or revoked"]);
    assert!(sandbox.world().spaces.bucket("shop-uploads").is_none());
    assert!(live_keys(&sandbox).iter().any(|name| name.ends_with("--pending")));
}

#[test]
fn a_digitalocean_token_that_nobody_knows_ends_the_run_before_its_first_write() {
    let sandbox = Sandbox::start(world().with_full_access_pair());
    let outcome = Run::bootstrap(&sandbox)
        .with_full_access()
        .input("digitalocean-token", "dop_v1_revoked000000000000000000000000")
        .go()
        .red();
    wrote_nothing(
        &sandbox,
        &outcome,
        &["Check digitalocean-token", "expired or revoked"],
    );
    assert!(sandbox.world().spaces.bucket("shop-uploads").is_none());
}

#[test]
fn a_full_access_pair_that_nobody_knows_ends_the_run_before_its_first_write() {
    let sandbox = delivered();
    let before = keep(&sandbox);
    let outcome = Run::bootstrap(&sandbox)
        .with_full_access()
        .input("log-bucket", "shop-logs")
        .go()
        .red();
    outcome.complains(&[
        "InvalidAccessKeyId",
        "spaces-access-key-id",
        "nothing was written",
    ]);
    assert_eq!(outcome.journal.writes(), Vec::<String>::new());
    assert_eq!(keep(&sandbox), before);
}

#[test]
fn a_refused_permission_is_the_trouble_of_its_sink_alone() {
    let sandbox = sandbox();
    let outcome = Run::bootstrap(&sandbox)
        .input("github-repository", "acme/shopp")
        .go()
        .red();
    outcome.complains(&["acme/shopp", "Check github-repository"]);
    assert!(sandbox.world().spaces.bucket("shop-uploads").is_some());
    names_nothing(&sandbox);
}

#[test]
fn no_request_is_added_to_a_first_run() {
    let sandbox = sandbox();
    let outcome = Run::bootstrap(&sandbox)
        .input("log-bucket", "shop-logs")
        .go()
        .green();
    let asked = outcome.journal.find(GitHub, "PATCH", VARIABLES).len();
    assert_eq!(asked, 1, "{:#?}", outcome.journal);
    assert_eq!(
        outcome.journal.count(GitHub, "GET", VARIABLES),
        2,
        "one list and one read-back: {:#?}",
        outcome.journal
    );
    let id = the_delivered_pair(&sandbox);
    let world = sandbox.world();
    let grants = &world.digitalocean.key(&id).expect("the key").grants;
    assert_eq!(grants, &[Grant::new("shop-uploads", "readwrite")]);
}
