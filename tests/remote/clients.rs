//! Clients that talk to a sandbox.

use spacekeeper::model::bucket::BucketName;
use spacekeeper::model::key::AccessKeyId;
use spacekeeper::model::sink::{SettingName, Target};
use spacekeeper::remote::github::Credential;
use spacekeeper::remote::spaces::{Freshness, KeyPair};
use spacekeeper::remote::{DigitalOcean, GitHub, Shutdown, Spaces, Transport};
use spacekeeper_sandbox::{Sandbox, World};

pub(crate) fn transport() -> Transport {
    Transport::new().expect("this machine has root certificates")
}

pub(crate) fn digitalocean(sandbox: &Sandbox) -> DigitalOcean {
    let base = sandbox.digitalocean_url().parse().expect("a base URL");
    DigitalOcean::new(
        transport(),
        base,
        World::DIGITALOCEAN_TOKEN.into(),
        Shutdown::never(),
    )
}

pub(crate) fn github(sandbox: &Sandbox) -> GitHub {
    github_as(sandbox, Credential::Token(World::GITHUB_TOKEN.into()))
}

pub(crate) fn github_as(sandbox: &Sandbox, credential: Credential) -> GitHub {
    let base = sandbox.github_url().parse().expect("a base URL");
    GitHub::new(transport(), base, credential, Shutdown::never())
}

pub(crate) fn spaces(sandbox: &Sandbox) -> Spaces {
    let id: AccessKeyId = World::FULL_ACCESS_KEY_ID.parse().expect("an id");
    spaces_as(
        sandbox,
        &KeyPair {
            id,
            secret: World::FULL_ACCESS_SECRET.into(),
        },
        Freshness::Settled,
    )
}

pub(crate) fn spaces_as(sandbox: &Sandbox, pair: &KeyPair, freshness: Freshness) -> Spaces {
    let endpoint = sandbox.spaces_url().parse().expect("a base URL");
    Spaces::new(&transport(), &endpoint, pair, freshness, Shutdown::never())
}

pub(crate) fn bucket(name: &str) -> BucketName {
    name.parse().expect("a bucket name")
}

pub(crate) fn setting(name: &str) -> SettingName {
    name.parse().expect("a name of a secret")
}

pub(crate) fn target(repository: &str, environment: Option<&str>) -> Target {
    let repository = repository.parse().expect("a repository");
    Target {
        repository,
        environment: environment.map(str::to_owned),
    }
}

/// Method and path of every request so far.
pub(crate) fn lines(sandbox: &Sandbox) -> Vec<String> {
    sandbox
        .journal()
        .iter()
        .map(spacekeeper_sandbox::Entry::line)
        .collect()
}
