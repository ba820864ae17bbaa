//! Deployments, and the course each one takes.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::random_id;
use crate::switches::Switches;

/// Where a deployment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// `PENDING_BUILD`
    PendingBuild,
    /// `BUILDING`
    Building,
    /// `PENDING_DEPLOY`
    PendingDeploy,
    /// `DEPLOYING`
    Deploying,
    /// `ACTIVE`: live.
    Active,
    /// `SUPERSEDED` by a newer one.
    Superseded,
    /// `ERROR`
    Error,
    /// `CANCELED`
    Canceled,
}

/// How a deployment goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Course {
    /// Through all phases to ACTIVE.
    Succeeds,
    /// To ERROR after the failure's phase.
    Fails(Failure),
    /// To CANCELED after this phase.
    CanceledAfter(Phase),
    /// To SUPERSEDED after this phase, with nothing newer.
    SupersededAfter(Phase),
    /// To this phase, and there it stays.
    StuckIn(Phase),
    /// No deployment comes of the change.
    NeverCreated,
}

/// Why a deployment ends in ERROR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The phase it fails in: building or deploying.
    pub phase: Phase,
    /// The component that fails; `None` for a step of no component.
    pub component: Option<String>,
    /// Such as `DeployContainerExitNonZero`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// One attempt to bring a spec live.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// A UUID.
    pub id: String,
    /// Its own copy of the app's spec.
    pub spec: Value,
    /// A sentence on why it was made.
    pub cause: String,
    /// When it was made, in Unix seconds.
    pub created_at: i64,
    /// When it last changed its phase, in Unix seconds.
    pub updated_at: i64,
    /// Where it stands.
    pub phase: Phase,
    /// The last phase of work that it entered: how far its steps got.
    pub reached: Phase,
    /// The deployment that was live when it was made, by id.
    pub previous: Option<String>,
    /// Whether it fetched the latest source rather than keep what was deployed.
    pub ships_new_source: bool,
    /// How it goes on.
    pub course: Course,
    /// Real time at which it was asked for.
    asked: Instant,
    /// Real time at which it entered its phase.
    pub(super) entered: Instant,
}

impl Phase {
    /// The API's word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::PendingBuild => "PENDING_BUILD",
            Self::Building => "BUILDING",
            Self::PendingDeploy => "PENDING_DEPLOY",
            Self::Deploying => "DEPLOYING",
            Self::Active => "ACTIVE",
            Self::Superseded => "SUPERSEDED",
            Self::Error => "ERROR",
            Self::Canceled => "CANCELED",
        }
    }

    /// Whether nothing more happens of itself.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        self >= Self::Active
    }

    fn following(self) -> Self {
        match self {
            Self::PendingBuild => Self::Building,
            Self::Building => Self::PendingDeploy,
            Self::PendingDeploy => Self::Deploying,
            _ => Self::Active,
        }
    }
}

impl Course {
    /// To ERROR while the component is deployed.
    #[must_use]
    pub fn fails(component: &str, code: &str, message: &str) -> Self {
        Self::Fails(Failure {
            phase: Phase::Deploying,
            component: Some(component.to_owned()),
            code: code.to_owned(),
            message: message.to_owned(),
        })
    }

    /// The phase after `phase`; `None` if it stays there.
    fn next(&self, phase: Phase) -> Option<Phase> {
        match self {
            _ if phase.is_terminal() => None,
            Self::Fails(failure) if failure.phase == phase => Some(Phase::Error),
            Self::CanceledAfter(last) if *last == phase => Some(Phase::Canceled),
            Self::SupersededAfter(last) if *last == phase => Some(Phase::Superseded),
            Self::StuckIn(last) if *last == phase => None,
            _ => Some(phase.following()),
        }
    }
}

impl Deployment {
    pub(super) fn new(spec: Value, cause: &str, course: Course, now: i64) -> Self {
        Self {
            id: random_id(),
            spec,
            cause: cause.to_owned(),
            created_at: now,
            updated_at: now,
            phase: Phase::PendingBuild,
            reached: Phase::PendingBuild,
            previous: None,
            ships_new_source: false,
            course,
            asked: Instant::now(),
            entered: Instant::now(),
        }
    }

    /// Whether it has been made yet: some time may pass between a save and its deployment.
    #[must_use]
    pub fn is_visible(&self, switches: &Switches) -> bool {
        self.asked.elapsed() >= switches.deployment_visible_after
    }

    /// Whether it is being built or deployed.
    #[must_use]
    pub fn is_in_progress(&self) -> bool {
        self.phase > Phase::PendingBuild && !self.phase.is_terminal()
    }

    /// Whether it still waits for its turn.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.phase == Phase::PendingBuild
    }

    /// Moves on by the phases that are over.
    pub(super) fn proceed(&mut self, each: Duration, now: i64) {
        while self.entered.elapsed() >= each {
            let Some(next) = self.course.next(self.phase) else {
                return;
            };
            self.entered += each;
            self.enter(next, now);
        }
    }

    pub(super) fn enter(&mut self, phase: Phase, now: i64) {
        self.phase = phase;
        self.updated_at = now;
        if phase <= Phase::Active {
            self.reached = phase;
        }
    }

    /// Starts waiting anew: its turn has not come.
    pub(super) fn wait(&mut self) {
        self.entered = Instant::now();
    }
}
