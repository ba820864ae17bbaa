//! What happens in a story between its runs: time, people, and the app.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;
use spacekeeper_sandbox::digitalocean::Course;

use crate::fixture::REPOSITORY;

use super::{Story, TICK};

impl Story {
    pub(super) fn wait(&mut self) {
        let seconds = self.dice.pick(&[5, 45, 700, 3_600, 90_000, 88 * 86_400]);
        let _ = write!(self.told, "\n- {seconds} s pass");
        self.sandbox.advance(Duration::from_secs(seconds));
    }

    /// Somebody writes a sink by hand, as likely as not with a key that was there before. Nobody but its run knows the
    /// secret of a key that has not been delivered.
    pub(super) fn edit(&mut self) {
        self.sandbox.advance(TICK);
        let which = self.dice.roll(4);
        let mut world = self.sandbox.world();
        let live: Vec<(String, String)> = world
            .digitalocean
            .live_keys()
            .filter(|key| key.name.contains("--active-"))
            .map(|key| (key.access_key.clone(), key.secret_key.clone()))
            .collect();
        if live.is_empty() {
            return;
        }
        let (id, half) =
            live[usize::try_from(self.dice.roll(live.len() as u64)).expect("one of a few")].clone();
        let (now, switches) = (world.clock.now(), world.switches.clone());
        let repository = world.github.repository_mut(REPOSITORY).expect("the repository");
        let what = match which {
            0 => {
                repository.secrets.set("SPACES_ACCESS_KEY", id.as_str(), now);
                repository.secrets.set("SPACES_SECRET_KEY", half, now);
                "both secrets"
            }
            1 => {
                repository.secrets.set("SPACES_SECRET_KEY", "pasted by hand", now);
                "one secret"
            }
            2 => {
                repository.variables.set("SPACES_ACCESS_KEY_ID", id.as_str(), now);
                "the variable"
            }
            _ => {
                let app = world.digitalocean.app_mut("shop").expect("the app");
                app.save(now, &switches, |spec| {
                    let envs = spec["envs"].as_array_mut().expect("variables");
                    let named = |name: &'static str| move |env: &&mut serde_json::Value| env["key"] == name;
                    for (name, value) in [("SPACES_ACCESS_KEY_ID", &id), ("SPACES_SECRET_KEY", &half)] {
                        if let Some(env) = envs.iter_mut().find(named(name)) {
                            env["value"] = json!(value);
                        }
                    }
                });
                "the app"
            }
        };
        let _ = write!(self.told, "\n- somebody writes {what} with {id}");
    }

    pub(super) fn fail_deployment(&mut self) {
        let _ = write!(self.told, "\n- the next deployment will fail");
        let mut world = self.sandbox.world();
        let app = world.digitalocean.app_mut("shop").expect("the app");
        app.script(Course::fails("api", "DeployContainerExitNonZero", "exit 1"));
    }

    /// Somebody deletes a key by hand.
    pub(super) fn lose_a_key(&mut self) {
        let mut world = self.sandbox.world();
        let now = world.clock.now();
        let live: Vec<String> = world
            .digitalocean
            .live_keys()
            .map(|key| key.access_key.clone())
            .collect();
        if live.is_empty() {
            return;
        }
        let id = &live[usize::try_from(self.dice.roll(live.len() as u64)).expect("one of a few")];
        world.digitalocean.key_mut(id).expect("the key").deleted_at = Some(now);
        let _ = write!(self.told, "\n- somebody deletes {id}");
    }

    /// No further deployment fails.
    pub(super) fn mend(&mut self) {
        let _ = write!(self.told, "\n- the app is mended");
        let mut world = self.sandbox.world();
        world
            .digitalocean
            .app_mut("shop")
            .expect("the app")
            .courses
            .clear();
    }
}
