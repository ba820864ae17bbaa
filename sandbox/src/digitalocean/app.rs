//! Apps as the account holds them.

use std::collections::VecDeque;

use serde_json::Value;

use super::deployment::{Course, Deployment, Phase};
use super::random_id;
use super::seal::Seal;
use super::spec;
use crate::switches::{Overtaken, Switches};

/// An app with its wanted spec and all its deployments.
#[derive(Debug, Clone)]
pub struct App {
    /// A UUID.
    pub id: String,
    /// The spec that is wanted; secret values are sealed.
    pub spec: Value,
    /// When it was made, in Unix seconds.
    pub created_at: i64,
    /// When its spec last changed, in Unix seconds.
    pub updated_at: i64,
    /// Oldest first.
    pub deployments: Vec<Deployment>,
    /// The deployment it was rolled back to and pinned at, by id.
    pub pinned: Option<String>,
    /// How deployments go once `courses` are used up.
    pub course: Course,
    /// How the next deployments go, one each.
    pub courses: VecDeque<Course>,
    pub(super) seal: Seal,
    /// The deployment that is live, by id.
    live: Option<String>,
}

impl App {
    /// An app that is live with `spec`, whose secrets may be in plain text.
    pub(super) fn live(spec: Value, now: i64) -> Self {
        let seal = Seal::new();
        let spec = spec::sealed(spec, &seal);
        let mut first = Deployment::new(spec.clone(), "Initial deployment", Course::Succeeds, now);
        first.enter(Phase::Active, now);
        Self {
            live: Some(first.id.clone()),
            deployments: vec![first],
            ..Self::undeployed(spec, seal, now)
        }
    }

    /// An app that was never deployed.
    pub(super) fn undeployed(spec: Value, seal: Seal, now: i64) -> Self {
        Self {
            id: random_id(),
            spec,
            created_at: now,
            updated_at: now,
            deployments: Vec::new(),
            pinned: None,
            course: Course::Succeeds,
            courses: VecDeque::new(),
            seal,
            live: None,
        }
    }

    /// The name, which its spec gives it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.spec["name"].as_str().unwrap_or_default()
    }

    /// The value of an app-level variable as the API shows it: sealed if secret.
    #[must_use]
    pub fn env(&self, key: &str) -> Option<&str> {
        spec::env(&self.spec, None, key)?["value"].as_str()
    }

    /// The value of a variable of the wanted spec in plain text, at app level or
    /// in a component.
    #[must_use]
    pub fn opened_env(&self, component: Option<&str>, key: &str) -> Option<String> {
        spec::plain(spec::env(&self.spec, component, key)?, &self.seal)
    }

    /// As [`App::opened_env`], for what is live.
    #[must_use]
    pub fn live_env(&self, component: Option<&str>, key: &str) -> Option<String> {
        let live = self.active_deployment()?;
        spec::plain(spec::env(&live.spec, component, key)?, &self.seal)
    }

    /// The deployment that is live.
    #[must_use]
    pub fn active_deployment(&self) -> Option<&Deployment> {
        self.deployment(self.live.as_deref()?)
    }

    /// The deployment that is being built or deployed.
    #[must_use]
    pub fn in_progress_deployment(&self) -> Option<&Deployment> {
        self.deployments.iter().rfind(|d| d.is_in_progress())
    }

    /// The deployment that waits for its turn.
    #[must_use]
    pub fn pending_deployment(&self) -> Option<&Deployment> {
        self.deployments.iter().rfind(|d| d.is_pending())
    }

    /// The deployment that the app is pinned to.
    #[must_use]
    pub fn pinned_deployment(&self) -> Option<&Deployment> {
        self.deployment(self.pinned.as_deref()?)
    }

    /// Where it is reached once it is live; workers and jobs are reached nowhere.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        let has = |list: &&str| self.spec[*list].as_array().is_some_and(|parts| !parts.is_empty());
        self.active_deployment()?;
        ["services", "static_sites", "functions"].into_iter().find(has)?;
        Some(format!("https://{}-sandbox.ondigitalocean.app", self.name()))
    }

    /// The deployment of that id.
    #[must_use]
    pub fn deployment(&self, id: &str) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.id == id)
    }

    /// Decides how the next deployment that has no course yet goes.
    pub fn script(&mut self, course: Course) {
        self.courses.push_back(course);
    }

    /// Changes the spec behind the clients' back, as a save in the control panel
    /// does: new secret values may be plain, and a deployment comes of it.
    pub fn save(&mut self, now: i64, switches: &Switches, edit: impl FnOnce(&mut Value)) {
        let mut spec = self.spec.clone();
        edit(&mut spec);
        self.replace_spec(spec, now);
        self.deploy("Control panel", now, switches);
    }

    /// Keeps `spec`, its secrets sealed, as what is wanted.
    pub(super) fn replace_spec(&mut self, spec: Value, now: i64) {
        self.spec = spec::sealed(spec, &self.seal);
        self.updated_at = now;
    }

    /// Makes a deployment of the present spec, unless the course says otherwise.
    pub(super) fn deploy(&mut self, cause: &str, now: i64, switches: &Switches) -> Option<&mut Deployment> {
        let course = self.courses.pop_front().unwrap_or_else(|| self.course.clone());
        if course == Course::NeverCreated {
            return None;
        }
        self.overtake(now, switches.overtaken);
        let mut deployment = Deployment::new(self.spec.clone(), cause, course, now);
        deployment.previous.clone_from(&self.live);
        self.deployments.push(deployment);
        self.deployments.last_mut()
    }

    /// Makes a deployment of the present spec that is live at once; none while another is under way.
    pub(crate) fn deploy_at_once(&mut self, cause: &str, now: i64) {
        if self.deployments.iter().any(|one| !one.phase.is_terminal()) {
            return;
        }
        let mut deployment = Deployment::new(self.spec.clone(), cause, Course::Succeeds, now);
        deployment.previous.clone_from(&self.live);
        deployment.enter(Phase::Active, now);
        self.deployments.push(deployment);
        self.go_live(self.deployments.len() - 1, now);
    }

    /// What a newer deployment does to those under way. One that merely waits
    /// always gives way.
    fn overtake(&mut self, now: i64, overtaken: Overtaken) {
        let fate = match overtaken {
            Overtaken::Canceled => Phase::Canceled,
            Overtaken::Superseded | Overtaken::Finished => Phase::Superseded,
        };
        let spares_running = overtaken == Overtaken::Finished;
        for deployment in &mut self.deployments {
            let spared = spares_running && deployment.is_in_progress();
            if !deployment.phase.is_terminal() && !spared {
                deployment.enter(fate, now);
            }
        }
    }

    /// Moves deployments on to the phase they are due.
    pub(super) fn settle(&mut self, now: i64, switches: &Switches) {
        let mut busy = false;
        for index in 0..self.deployments.len() {
            let deployment = &mut self.deployments[index];
            if deployment.phase.is_terminal() {
                continue;
            }
            if busy || !deployment.is_visible(switches) {
                deployment.wait();
                continue;
            }
            deployment.proceed(switches.deployment_phase, now);
            busy = !deployment.phase.is_terminal();
            match deployment.phase {
                Phase::Active => self.go_live(index, now),
                Phase::Error if switches.failed_deployment_reverts_spec => self.revert(),
                _ => {}
            }
        }
    }

    fn go_live(&mut self, index: usize, now: i64) {
        let before = self.live.replace(self.deployments[index].id.clone());
        let mut deployments = self.deployments.iter_mut();
        if let Some(old) = deployments.find(|deployment| Some(&deployment.id) == before.as_ref()) {
            old.enter(Phase::Superseded, now);
        }
    }

    fn revert(&mut self) {
        if let Some(spec) = self.active_deployment().map(|live| live.spec.clone()) {
            self.spec = spec;
        }
    }

    /// The deployments that the app names, by what it calls them.
    pub(super) fn standing(&self) -> impl Iterator<Item = (&'static str, &Deployment)> {
        let named = [
            ("active", self.active_deployment()),
            ("in_progress", self.in_progress_deployment()),
            ("pending", self.pending_deployment()),
            ("pinned", self.pinned_deployment()),
        ];
        named
            .into_iter()
            .filter_map(|(name, deployment)| Some((name, deployment?)))
    }

    /// Where the text stands in the wanted spec or in a deployment that the app names.
    pub(crate) fn holders_of(&self, text: &str) -> Vec<String> {
        let deployments = self.standing().map(|(name, deployment)| (name, &deployment.spec));
        let mut holders = Vec::new();
        for (place, spec) in std::iter::once(("wanted", &self.spec)).chain(deployments) {
            let held = spec::opened(spec, &self.seal).filter(|(_, value)| value.contains(text));
            let app = self.name();
            holders.extend(held.map(|(variable, _)| format!("{variable} in the {place} spec of app {app}")));
        }
        holders
    }
}
