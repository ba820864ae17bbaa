//! Secrets, variables, repositories and runs.

use secrecy::SecretString;
use spacekeeper::model::observed::Unfinished;
use spacekeeper::model::time::Timestamp;
use spacekeeper::remote::github::Credential;
use spacekeeper::remote::{Created, FailureKind};
use spacekeeper_sandbox::FaceName::GitHub;
use spacekeeper_sandbox::github::Run;
use spacekeeper_sandbox::{Clock, Fault, Sandbox, World};

use super::clients::{github, github_as, lines, setting, target};

const NOW: i64 = 1_767_323_045;

fn shop() -> World {
    World::new()
        .with_clock(Clock::frozen(NOW))
        .with_repository("acme/shop")
        .with_environment("acme/shop", "eu/live 1")
}

fn stored(sandbox: &Sandbox, name: &str) -> Option<String> {
    let world = sandbox.world();
    world
        .github
        .repository("acme/shop")?
        .secret(name)
        .map(|secret| secret.text().into_owned())
}

#[tokio::test]
async fn a_secret_is_sealed_set_and_found_again() {
    let sandbox = Sandbox::start(shop());
    let (client, target) = (github(&sandbox), target("acme/shop", None));
    let key = client.sealing_key(&target).await.expect("a key");
    let secret = SecretString::from("s3cret-é");
    let written = client
        .put_secret(&target, &setting("SPACES_KEY"), &key, &secret)
        .await
        .expect("set");
    assert_eq!(written.date.map(Timestamp::unix), Some(NOW));
    assert_eq!(stored(&sandbox, "SPACES_KEY").as_deref(), Some("s3cret-é"));
    let updated = client
        .secret(&target, &setting("SPACES_KEY"))
        .await
        .expect("read")
        .expect("there");
    assert_eq!(updated.unix(), NOW);
    assert_eq!(
        client.secret(&target, &setting("OTHER")).await.expect("read"),
        None
    );
    assert_eq!(
        client.secrets(&target).await.expect("a list"),
        [("SPACES_KEY".to_owned(), updated)]
    );
}

#[tokio::test]
async fn an_environment_with_a_slash_has_its_own_secrets_and_variables() {
    let sandbox =
        Sandbox::start(shop().with_switches(|switches| switches.github_path_prefix = "/api/v3".to_owned()));
    let (client, target) = (github(&sandbox), target("acme/shop", Some("eu/live 1")));
    let key = client.sealing_key(&target).await.expect("a key");
    client
        .put_secret(&target, &setting("A"), &key, &SecretString::from("v"))
        .await
        .expect("set");
    client
        .put_variable(&target, &setting("B"), "w", false)
        .await
        .expect("set");
    assert_eq!(
        client
            .variable(&target, &setting("B"))
            .await
            .expect("read")
            .expect("there")
            .value,
        "w"
    );
    assert_eq!(stored(&sandbox, "A"), None);
    let world = sandbox.world();
    let environment = world
        .github
        .repository("acme/shop")
        .expect("it")
        .environment("eu/live 1")
        .expect("it");
    assert!(environment.secret("A").is_some() && environment.variable("B").is_some());
}

#[tokio::test]
async fn every_page_of_secrets_is_read() {
    let world = (0..100).fold(shop(), |world, n| {
        world.with_secret("acme/shop", &format!("S{n}"), "v")
    });
    let sandbox = Sandbox::start(world);
    let secrets = github(&sandbox)
        .secrets(&target("acme/shop", None))
        .await
        .expect("a list");
    assert_eq!((secrets.len(), sandbox.journal().len()), (100, 1));
}

#[tokio::test]
async fn a_secret_sealed_for_a_former_key_is_sealed_again() {
    let sandbox = Sandbox::start(shop().with_switches(|switches| switches.public_key_rotations = 1));
    let (client, target) = (github(&sandbox), target("acme/shop", None));
    let stale = client.sealing_key(&target).await.expect("a key");
    client
        .put_secret(&target, &setting("A"), &stale, &SecretString::from("v"))
        .await
        .expect("set");
    assert_eq!(stored(&sandbox, "A").as_deref(), Some("v"));
    let methods: Vec<_> = sandbox
        .journal()
        .iter()
        .map(|entry| entry.method.clone())
        .collect();
    assert_eq!(methods, ["GET", "PUT", "GET", "PUT"]);
}

#[tokio::test]
async fn a_lost_reply_to_a_secret_is_asked_for_again() {
    let sandbox = Sandbox::start(shop());
    let (client, target) = (github(&sandbox), target("acme/shop", None));
    let key = client.sealing_key(&target).await.expect("a key");
    sandbox.script(Fault::on(GitHub).method("PUT").after().reset());
    sandbox.script(Fault::on(GitHub).method("PUT").before().html(502));
    client
        .put_secret(&target, &setting("A"), &key, &SecretString::from("v"))
        .await
        .expect("set");
    assert_eq!(stored(&sandbox, "A").as_deref(), Some("v"));
}

#[tokio::test]
async fn a_variable_is_set_whatever_was_thought_of_it() {
    let sandbox = Sandbox::start(shop().with_variable("acme/shop", "THERE", "old"));
    let (client, target) = (github(&sandbox), target("acme/shop", None));
    client
        .put_variable(&target, &setting("THERE"), "new", false)
        .await
        .expect("created, conflict, changed");
    client
        .put_variable(&target, &setting("GONE"), "new", true)
        .await
        .expect("changed, missing, created");
    for name in ["THERE", "GONE"] {
        assert_eq!(
            client
                .variable(&target, &setting(name))
                .await
                .expect("read")
                .expect("there")
                .value,
            "new"
        );
    }
    sandbox.clear_journal();
    sandbox.script(Fault::on(GitHub).method("POST").after().status(500));
    client
        .put_variable(&target, &setting("LOST"), "new", false)
        .await
        .expect("created, lost, conflict, changed");
    let methods: Vec<_> = sandbox
        .journal()
        .iter()
        .map(|entry| entry.method.clone())
        .collect();
    assert_eq!(methods, ["POST", "POST", "PATCH"]);
}

#[tokio::test]
async fn a_renamed_repository_is_found_and_a_write_under_its_old_name_is_not_turned_into_a_read() {
    let sandbox = Sandbox::start(shop());
    {
        let mut world = sandbox.world();
        let repository = world.github.repository_mut("acme/shop").expect("it");
        repository.former_names.push("acme/store".to_owned());
    }
    let client = github(&sandbox);
    let facts = client
        .repository(&"acme/store".parse().expect("a repository"))
        .await
        .expect("found");
    assert_eq!(
        (facts.repository.to_string().as_str(), facts.archived),
        ("acme/shop", false)
    );
    sandbox.clear_journal();
    let old = target("acme/store", None);
    let moved = client
        .put_variable(&old, &setting("A"), "v", false)
        .await
        .expect_err("a redirect");
    assert_eq!(moved.kind, FailureKind::Invalid);
    assert_eq!(lines(&sandbox), ["POST /repos/acme/store/actions/variables"]);
}

#[tokio::test]
async fn the_token_of_the_job_is_told_what_it_lacks_and_is_not_tried_again() {
    let sandbox = Sandbox::start(shop().with_workflow_token("ghs_job", "acme/shop"));
    let client = github_as(&sandbox, Credential::Token("ghs_job".into()));
    let denied = client
        .sealing_key(&target("acme/shop", None))
        .await
        .expect_err("it cannot");
    let FailureKind::Forbidden { needs: Some(needs) } = &denied.kind else {
        panic!("{denied:?}")
    };
    assert!(needs.contains("secrets=read"), "{needs}");
    assert_eq!(sandbox.journal().len(), 1);
}

#[tokio::test]
async fn a_limit_is_waited_for_and_a_long_one_is_told() {
    let sandbox = Sandbox::start(shop());
    let (client, target) = (github(&sandbox), target("acme/shop", None));
    sandbox.script(
        Fault::on(GitHub)
            .before()
            .status(403)
            .header("retry-after", "1")
            .body(r#"{"message":"slow"}"#),
    );
    client.sealing_key(&target).await.expect("after a second");
    assert_eq!(sandbox.journal().len(), 2);
    let reset = (NOW + 3000).to_string();
    sandbox.script(
        Fault::on(GitHub)
            .before()
            .status(403)
            .header("x-ratelimit-remaining", "0")
            .header("x-ratelimit-reset", &reset),
    );
    let limited = client.sealing_key(&target).await.expect_err("in 50 minutes");
    assert_eq!(limited.kind, FailureKind::RateLimited);
}

#[tokio::test]
async fn runs_are_looked_up_as_far_as_the_token_may() {
    let world = shop()
        .with_run("acme/shop", Run::in_progress(7, NOW - 50))
        .with_run("acme/shop", Run::in_progress(8, NOW - 90).queued())
        .with_run("acme/shop", Run::in_progress(9, NOW - 99).completed("success"));
    let sandbox = Sandbox::start(world.with_fine_grained_token("github_pat_x", &[]));
    let (client, shop) = (github(&sandbox), "acme/shop".parse().expect("a repository"));
    assert_eq!(client.run_is_over(&shop, 7).await.expect("read"), Some(false));
    assert_eq!(client.run_is_over(&shop, 9).await.expect("read"), Some(true));
    assert_eq!(client.run_is_over(&shop, 10).await.expect("read"), None);
    let created = |until: i64| Created {
        now: Timestamp::from_unix(NOW),
        until: Some(Timestamp::from_unix(until)),
    };
    let unfinished = async |until| match client.unfinished_runs(&shop, created(until)).await {
        Ok(Unfinished::Runs(runs)) => runs.iter().map(|run| (run.id, run.created_at.unix())).collect(),
        other => panic!("the token may look: {other:?}"),
    };
    let all: Vec<_> = unfinished(NOW).await;
    assert_eq!(all, [(8, NOW - 90), (7, NOW - 50)], "the oldest first");
    assert_eq!(unfinished(NOW - 90).await, [(8, NOW - 90)]);
    assert_eq!(unfinished(NOW - 91).await, []);
    let blind = github_as(&sandbox, Credential::Token("github_pat_x".into()));
    assert_eq!(
        blind
            .unfinished_runs(&shop, created(NOW))
            .await
            .expect("cannot tell"),
        Unfinished::Unknown
    );
}

#[tokio::test]
async fn the_headers_are_githubs_and_each_stands_once() {
    let sandbox = Sandbox::start(shop());
    github(&sandbox)
        .sealing_key(&target("acme/shop", None))
        .await
        .expect("a key");
    let [entry] = &sandbox.journal()[..] else {
        panic!("one request")
    };
    for (name, value) in [
        ("user-agent", concat!("spacekeeper/", env!("CARGO_PKG_VERSION"))),
        ("accept", "application/vnd.github+json"),
        ("x-github-api-version", "2022-11-28"),
    ] {
        assert_eq!(
            entry.headers.get_all(name).iter().collect::<Vec<_>>(),
            [value],
            "{name}"
        );
    }
}
