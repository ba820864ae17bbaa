//! The DigitalOcean account and the face that serves it.

mod app;
mod apps;
mod call;
mod cdn;
mod deployment;
mod deployments;
mod face;
mod key;
mod keys;
mod limits;
mod logs;
mod page;
mod progress;
mod refusal;
mod seal;
mod spec;
mod token;

use serde_json::Value;

pub use app::App;
pub use cdn::CdnEndpoint;
pub use deployment::{Course, Deployment, Failure, Phase};
pub(crate) use face::answer;
pub(crate) use key::random;
pub use key::{Grant, Key, Permission};
pub use token::Token;

use crate::clock::Clock;
use crate::switches::Switches;

/// The account: its tokens, keys, CDN endpoints and apps.
#[derive(Debug, Clone)]
pub struct DigitalOcean {
    /// The tokens that are accepted.
    pub tokens: Vec<Token>,
    /// All keys ever made, oldest first, deleted ones included.
    pub keys: Vec<Key>,
    /// All CDN endpoints.
    pub cdn_endpoints: Vec<CdnEndpoint>,
    /// All apps.
    pub apps: Vec<App>,
    /// Origin of the links to logs.
    pub(crate) log_host: String,
    limits: limits::Limits,
}

impl DigitalOcean {
    /// An empty account that accepts one token.
    #[must_use]
    pub fn new(token: Token) -> Self {
        Self {
            tokens: vec![token],
            keys: Vec::new(),
            cdn_endpoints: Vec::new(),
            apps: Vec::new(),
            log_host: String::new(),
            limits: limits::Limits::default(),
        }
    }

    /// The keys that are not deleted, oldest first.
    pub fn live_keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(|key| key.is_live())
    }

    /// The oldest live key of that name.
    #[must_use]
    pub fn key_named(&self, name: &str) -> Option<&Key> {
        self.live_keys().find(|key| key.name == name)
    }

    /// The key with that access key, deleted or not.
    #[must_use]
    pub fn key(&self, access_key: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.access_key == access_key)
    }

    /// As [`DigitalOcean::key`], to change it behind the clients' back.
    pub fn key_mut(&mut self, access_key: &str) -> Option<&mut Key> {
        self.keys.iter_mut().find(|key| key.access_key == access_key)
    }

    /// The app of that name.
    #[must_use]
    pub fn app(&self, name: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.name() == name)
    }

    /// As [`DigitalOcean::app`], to change it or to script its deployments.
    pub fn app_mut(&mut self, name: &str) -> Option<&mut App> {
        self.apps.iter_mut().find(|app| app.name() == name)
    }

    /// The CDN endpoint in front of `bucket.region.digitaloceanspaces.com`.
    #[must_use]
    pub fn cdn_endpoint(&self, origin: &str) -> Option<&CdnEndpoint> {
        self.cdn_endpoints
            .iter()
            .find(|endpoint| endpoint.origin == origin)
    }

    /// Puts an app into the account that is live with this spec; SECRET values are given in plain text.
    pub fn add_live_app(&mut self, spec: Value, now: i64) {
        self.apps.push(App::live(spec, now));
    }

    pub(crate) fn settle(&mut self, clock: &Clock, switches: &Switches) {
        for app in &mut self.apps {
            app.settle(clock.now(), switches);
        }
    }

    fn token(&self, value: &str) -> Option<&Token> {
        self.tokens.iter().find(|token| token.value == value)
    }
}

/// A new UUID, version 4.
pub(crate) fn random_id() -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(key::random()));
    let parts = [
        &hex[..8],
        &hex[8..12],
        "4",
        &hex[13..16],
        "a",
        &hex[17..20],
        &hex[20..],
    ];
    let [low, mid, version, high, variant, sequence, node] = parts;
    format!("{low}-{mid}-{version}{high}-{variant}{sequence}-{node}")
}
