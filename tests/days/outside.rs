//! What holds keys and is no sink: workflow runs with the secrets of the moment at which they were queued, and the
//! deployments that an app has had.

use std::collections::BTreeMap;

use spacekeeper::model::observed::{PastDeployment, Service, Unfinished, UnfinishedRun};

use crate::product::{self, at};
use crate::world::{App, DeploymentNo, KeyId, Repository, RunNo, Time, Value};

/// How many of an app's deployments are read at once, as in `src/remote/digitalocean/deployments.rs`.
const RECENT: usize = 20;

#[derive(Debug, Clone, Default)]
pub(crate) struct Outside {
    pub(crate) jobs: BTreeMap<u64, Job>,
    /// By number, the oldest first.
    pub(crate) deployments: Vec<Deployment>,
    /// The deployments that became active, in the order in which they did.
    pub(crate) served: Vec<DeploymentNo>,
}

/// A workflow run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job {
    pub(crate) queued_at: Time,
    /// What the two secrets were.
    pub(crate) holds: [Value; 2],
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Deployment {
    no: DeploymentNo,
    pub(crate) names: Value,
    pub(crate) created_at: Time,
    pub(crate) phase: Phase,
    /// Whether it is known what will become of it.
    pub(crate) has_begun: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Coming,
    /// Since this time.
    Active(Time),
    /// Until this time; not every one of them has come to serve.
    Superseded {
        served: bool,
        at: Time,
    },
    Failed,
}

impl Job {
    pub(crate) fn queued(now: Time, repository: &Repository) -> Self {
        Self {
            queued_at: now,
            holds: [repository.id.value, repository.secret.value],
        }
    }

    /// A run of our own: what it reads of the sinks it reads through the API.
    pub(crate) fn of_ours(now: Time) -> Self {
        Self {
            queued_at: now,
            holds: [Value::Nothing; 2],
        }
    }
}

impl Outside {
    /// The id of the workflow run in which a run of ours lives.
    pub(crate) fn id_of(run: RunNo) -> u64 {
        product::run(run).id
    }

    /// Whether a workflow run that has not ended was given the key.
    pub(crate) fn job_with(&self, key: KeyId) -> Option<u64> {
        let holding = |job: &Job| job.holds.contains(&Value::Key(key));
        self.jobs.iter().find(|(_, job)| holding(job)).map(|(id, _)| *id)
    }

    /// Since when the app has served without a break what is not this key; nothing when it never served it.
    pub(crate) fn served_without(&self, key: KeyId) -> Option<Time> {
        let of = |no: &DeploymentNo| self.deployments[usize::from(*no)];
        let holds = |no: &DeploymentNo| of(no).names == Value::Key(key);
        let last = self.served.iter().rposition(holds)?;
        Some(
            self.served
                .get(last + 1)
                .map_or(Time::MAX, |next| of(next).created_at),
        )
    }

    /// Takes note of the deployments that were created since, and of those that a newer one has displaced.
    pub(crate) fn note(&mut self, app: &App, now: Time) {
        while self.deployments.len() < usize::from(app.created) {
            let no = DeploymentNo::try_from(self.deployments.len()).expect("not that many");
            let here = [Some(app.active), app.in_progress, app.pending];
            let found = here.into_iter().flatten().find(|one| one.no == no);
            self.deployments.push(Deployment {
                no,
                names: found.map_or(Value::Nothing, |one| one.names),
                created_at: found.map_or(now, |one| one.created_at),
                phase: Phase::Coming,
                has_begun: false,
            });
        }
        for deployment in self.deployments.iter_mut().rev().take(RECENT) {
            let mut on_its_way = [app.in_progress, app.pending].into_iter().flatten();
            if deployment.phase == Phase::Coming && on_its_way.all(|one| one.no != deployment.no) {
                deployment.phase = displaced(now);
            }
        }
    }

    /// The deployment serves from now on.
    pub(crate) fn serves(&mut self, no: DeploymentNo, at: Time) {
        if let Some(before) = self.served.last() {
            self.deployments[usize::from(*before)].phase = Phase::Superseded { served: true, at };
        }
        self.deployments[usize::from(no)].phase = Phase::Active(at);
        self.served.push(no);
    }

    /// The workflow runs that have not ended, as GitHub lists them.
    pub(crate) fn unfinished(&self) -> Unfinished {
        let runs = self.jobs.iter().map(|(id, job)| UnfinishedRun {
            id: *id,
            created_at: at(job.queued_at),
        });
        Unfinished::Runs(runs.collect())
    }

    /// The deployments that serve, have served or may do so, the newest first, as far back as the horizon: as
    /// `src/observe/history.rs` reads them, page by page.
    pub(crate) fn listed(&self, horizon: Time) -> Vec<PastDeployment> {
        let mut listed = Vec::new();
        for deployment in self.deployments.iter().rev() {
            let Some(service) = deployment.service() else {
                continue;
            };
            listed.push(PastDeployment {
                deployment: product::deployment(crate::world::Deployment {
                    no: deployment.no,
                    names: deployment.names,
                    created_at: deployment.created_at,
                }),
                service,
            });
            if deployment.reaches_back_to(horizon) {
                break;
            }
        }
        listed
    }
}

impl Deployment {
    /// What the list of deployments says of how it has served; nothing of one that failed.
    fn service(&self) -> Option<Service> {
        Some(match self.phase {
            Phase::Coming => Service::Coming,
            Phase::Active(since) => Service::Serves(at(since)),
            Phase::Superseded {
                served: true,
                at: until,
            } => Service::Served(Some(at(until))),
            Phase::Superseded {
                served: false,
                at: until,
            } => Service::Doubtful(Some(at(until))),
            Phase::Failed => return None,
        })
    }

    fn reaches_back_to(&self, horizon: Time) -> bool {
        match self.phase {
            Phase::Active(at) | Phase::Superseded { served: true, at } => at <= horizon,
            Phase::Superseded { .. } | Phase::Coming | Phase::Failed => false,
        }
    }
}

/// What becomes of a deployment that a newer one displaces before it serves.
pub(crate) const fn displaced(at: Time) -> Phase {
    Phase::Superseded { served: false, at }
}
