//! A GitHub App as the credential.

use std::sync::{Arc, Mutex};

use secrecy::{ExposeSecret, SecretString};
use spacekeeper::remote::github::{AppKey, BadAppKey, Credential};
use spacekeeper::remote::{FailureKind, GitHub};
use spacekeeper_sandbox::github::{Access, App, Permissions, Reach};
use spacekeeper_sandbox::{Clock, Sandbox, World};

use super::clients::{github_as, lines, setting, target};
use crate::fixture::app_key::{private_key_pem, private_key_pkcs8_pem, public_key};

/// Far from the clock of this machine: a JWT must go by GitHub's.
const NOW: i64 = 1_967_323_045;

fn world(permissions: &[(&str, Access)]) -> World {
    let app = App::new(7, "Iv1.client", &public_key());
    World::new()
        .with_clock(Clock::frozen(NOW))
        .with_repository("acme/shop")
        .with_repository("acme/blog")
        .with_github_app(app.installed(70, "acme", Reach::All, Permissions::new(permissions)))
}

fn granted() -> Vec<(&'static str, Access)> {
    vec![
        ("secrets", Access::Write),
        ("actions_variables", Access::Write),
        ("contents", Access::Write),
        ("metadata", Access::Read),
    ]
}

/// A client under the App, and the tokens that it announces.
fn client(sandbox: &Sandbox) -> (GitHub, Arc<Mutex<Vec<String>>>) {
    let announced = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&announced);
    let announce = move |token: &SecretString| {
        heard
            .lock()
            .expect("no panic")
            .push(token.expose_secret().to_owned());
    };
    let key = AppKey::from_pem(&private_key_pem().into()).expect("a key");
    let credential = Credential::App {
        id: "Iv1.client".to_owned(),
        key,
        announce: Arc::new(announce),
    };
    (github_as(sandbox, credential), announced)
}

#[test]
fn both_forms_of_a_key_are_read_also_with_literal_line_breaks() {
    let (pkcs1, pkcs8) = (private_key_pem(), private_key_pkcs8_pem());
    let broken = [pkcs1.replace('\n', "\\n"), pkcs8.replace('\n', "\r\n")];
    for pem in [pkcs1.clone(), pkcs8].into_iter().chain(broken) {
        assert!(AppKey::from_pem(&pem.into()).is_ok());
    }
    let refused = |pem: &str| AppKey::from_pem(&pem.into()).expect_err("no key");
    assert_eq!(refused("ghp_token"), BadAppKey::NotPem);
    assert_eq!(refused(&pkcs1[..200]), BadAppKey::NotPem);
    assert_eq!(
        refused("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"),
        BadAppKey::NotRsa
    );
}

#[tokio::test]
async fn a_token_is_minted_once_for_each_repository_announced_and_given_back() {
    let sandbox = Sandbox::start(world(&granted()));
    let (client, announced) = client(&sandbox);
    for _ in 0..2 {
        client
            .put_variable(&target("acme/shop", None), &setting("A"), "v", false)
            .await
            .expect("set");
    }
    client
        .put_variable(&target("acme/blog", None), &setting("A"), "v", false)
        .await
        .expect("set");
    assert_eq!(announced.lock().expect("no panic").len(), 2);
    client.revoke().await.expect("given back");
    let revoked = lines(&sandbox)
        .iter()
        .filter(|line| *line == "DELETE /installation/token")
        .count();
    assert_eq!(revoked, 2);
}

#[tokio::test]
async fn a_token_is_narrowed_to_its_repository_and_to_what_we_do() {
    let sandbox = Sandbox::start(world(&granted()));
    let (client, announced) = client(&sandbox);
    client
        .sealing_key(&target("acme/shop", None))
        .await
        .expect("a key");
    let token = announced.lock().expect("no panic")[0].clone();
    let narrowed = github_as(&sandbox, Credential::Token(token.into()));
    narrowed
        .sealing_key(&target("acme/shop", None))
        .await
        .expect("its own repository");
    assert!(
        narrowed.sealing_key(&target("acme/blog", None)).await.is_err(),
        "not its repository"
    );
}

#[tokio::test]
async fn an_app_that_is_not_installed_is_told_so() {
    let sandbox = Sandbox::start(world(&granted()).with_repository("other/shop"));
    let (client, _) = client(&sandbox);
    let failure = client
        .sealing_key(&target("other/shop", None))
        .await
        .expect_err("not installed");
    assert_eq!(failure.kind, FailureKind::NotFound);
    assert!(failure.detail.contains("not installed"), "{failure}");
}

#[tokio::test]
async fn a_permission_that_the_app_lacks_is_a_permission_error() {
    let sandbox = Sandbox::start(world(&[("metadata", Access::Read)]));
    let (client, _) = client(&sandbox);
    let failure = client
        .sealing_key(&target("acme/shop", None))
        .await
        .expect_err("no permission");
    assert!(
        matches!(failure.kind, FailureKind::Forbidden { needs: Some(_) }),
        "{failure:?}"
    );
}
