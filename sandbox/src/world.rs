//! All that exists: the account, its buckets, its repositories, and time.

use std::time::Duration;

use serde_json::Value;

use crate::clock::Clock;
use crate::digitalocean::{Course, DigitalOcean, Grant, Key, Token};
use crate::github::GitHub;
use crate::journal::FaceName;
use crate::routine::{self, Deed, Routine};
use crate::spaces::Spaces;
use crate::switches::Switches;

/// Everything that the three faces serve, open to look at and to change.
///
/// Build one with [`World::new`] and the `with_…` methods, hand it to
/// [`crate::Sandbox::start`], and reach it again through
/// [`crate::Sandbox::world`].
#[derive(Debug, Clone)]
pub struct World {
    /// The time that all faces go by; the clocks of GitHub and Spaces may be ahead of it: [`World::time_at`]. That of the
    /// machine under test may be too: [`Clock::set`].
    pub clock: Clock,
    /// The DigitalOcean account: keys, CDN endpoints, apps.
    pub digitalocean: DigitalOcean,
    /// The buckets, and what is in them.
    pub spaces: Spaces,
    /// The repositories with their secrets and variables.
    pub github: GitHub,
    /// How the faces behave where the real ones are uncertain.
    pub switches: Switches,
    /// What happens again and again as time goes by.
    pub routines: Vec<Routine>,
    /// Sentences on what must never happen and did.
    pub(crate) violations: Vec<String>,
}

impl World {
    /// A DigitalOcean token with every scope, valid in every new world.
    pub const DIGITALOCEAN_TOKEN: &str =
        "dop_v1_5a9d8c7b6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b";
    /// A classic personal access token with the scope `repo`, valid in every new world.
    pub const GITHUB_TOKEN: &str = "ghp_5anDb0xT0kenW1thScopeRepo00000000000";
    /// Access key of [`World::with_full_access_pair`].
    pub const FULL_ACCESS_KEY_ID: &str = "DO00SANDBOXFULLACCES";
    /// Secret key of [`World::with_full_access_pair`].
    pub const FULL_ACCESS_SECRET: &str = "5pAceKeeperSandb0xFu11AccessSecretKey000000";

    /// An empty account, no buckets, no repositories, and a running clock.
    #[must_use]
    pub fn new() -> Self {
        Self {
            clock: Clock::running(),
            digitalocean: DigitalOcean::new(Token::full(Self::DIGITALOCEAN_TOKEN)),
            spaces: Spaces::default(),
            github: GitHub::default(),
            switches: Switches::default(),
            routines: Vec::new(),
            violations: Vec::new(),
        }
    }

    /// Replaces the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Turns switches: `with_switches(|s| s.key_quota = 3)`.
    #[must_use]
    pub fn with_switches(mut self, turn: impl FnOnce(&mut Switches)) -> Self {
        turn(&mut self.switches);
        self
    }

    /// Adds a DigitalOcean token that holds only these scopes, such as `spaces_key:read`.
    #[must_use]
    pub fn with_digitalocean_token(mut self, token: &str, scopes: &[&str]) -> Self {
        self.digitalocean.tokens.push(Token::scoped(token, scopes));
        self
    }

    /// Adds a key, made now, with `(bucket, permission)` grants.
    #[must_use]
    pub fn with_key(self, name: &str, grants: &[(&str, &str)]) -> Self {
        self.with_key_of_age(name, grants, Duration::ZERO)
    }

    /// Adds a key that was made this long ago.
    #[must_use]
    pub fn with_key_of_age(mut self, name: &str, grants: &[(&str, &str)], age: Duration) -> Self {
        let age = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        let grants = grants
            .iter()
            .map(|(bucket, permission)| Grant::new(bucket, permission));
        let key = Key::generate(name, grants.collect(), self.clock.now() - age);
        self.digitalocean.keys.push(key);
        self
    }

    /// Adds a standing full-access key with a known id and secret.
    #[must_use]
    pub fn with_full_access_pair(mut self) -> Self {
        let mut key = Key::generate("full-access", vec![Grant::full_access()], self.clock.now());
        Self::FULL_ACCESS_KEY_ID.clone_into(&mut key.access_key);
        Self::FULL_ACCESS_SECRET.clone_into(&mut key.secret_key);
        self.digitalocean.keys.push(key);
        self
    }

    /// Adds an app that is live with this spec; SECRET values are given in plain text.
    #[must_use]
    pub fn with_app(mut self, spec: Value) -> Self {
        self.digitalocean.add_live_app(spec, self.clock.now());
        self
    }

    /// Decides how the next deployment of an app goes; call it again for those after.
    ///
    /// # Panics
    /// If there is no such app yet.
    #[must_use]
    pub fn with_course(mut self, app: &str, course: Course) -> Self {
        let app = self.digitalocean.app_mut(app).expect("the app was added before");
        app.script(course);
        self
    }

    /// Lets something happen regularly, for the first time one span from now.
    #[must_use]
    pub fn with_routine(mut self, every: Duration, deed: Deed) -> Self {
        self.routines.push(Routine::every(every, self.clock.now(), deed));
        self
    }

    /// The time on the clock of one face.
    #[must_use]
    pub fn time_at(&self, face: FaceName) -> i64 {
        match face {
            FaceName::GitHub => self.clock.now() + self.switches.github_clock_ahead,
            FaceName::Spaces => self.clock.now() + self.switches.spaces_clock_ahead,
            FaceName::DigitalOcean => self.clock.now(),
        }
    }

    /// Lets time have its effects: what happens regularly has happened, and deployments move on to the phase they are due.
    pub(crate) fn settle(&mut self) {
        let (now, routines) = (self.clock.now(), &mut self.routines);
        routine::carry_on(routines, now, &mut self.digitalocean, &mut self.github);
        self.digitalocean.settle(&self.clock, &self.switches);
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
