//! The three services, as far as keys are concerned: an account with keys, a repository with two secrets and a
//! variable, an app with a spec and deployments. One clock serves for all of them.

/// Seconds since the story began.
pub(crate) type Time = u32;
/// A key's id, and at the same time its secret: a sink holds a whole pair when both halves are the same.
pub(crate) type KeyId = u8;
/// Which of the runs.
pub(crate) type RunNo = u8;
/// The number of a deployment.
pub(crate) type DeploymentNo = u16;
/// The entries of an app's spec that others have saved, a bit each: none of our business.
pub(crate) type Theirs = u8;

/// How far a key has come; the [`spacekeeper::model::name::Mark`] of this model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mark {
    Pending,
    Delivering,
    Active(Time),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) id: KeyId,
    pub(crate) created_at: Time,
    pub(crate) run: RunNo,
    pub(crate) mark: Mark,
}

/// What stands in a sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    Nothing,
    Key(KeyId),
    /// What no run of ours wrote.
    Foreign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Secret {
    pub(crate) value: Value,
    pub(crate) updated_at: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Repository {
    pub(crate) id: Secret,
    pub(crate) secret: Secret,
    pub(crate) variable: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Deployment {
    pub(crate) no: DeploymentNo,
    pub(crate) names: Value,
    pub(crate) created_at: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct App {
    pub(crate) spec: Value,
    /// What else stands in the spec.
    pub(crate) theirs: Theirs,
    pub(crate) active: Deployment,
    /// The oldest deployment of the unbroken row back from the active one that carries what that one carries.
    pub(crate) row_began: Deployment,
    pub(crate) in_progress: Option<Deployment>,
    pub(crate) pending: Option<Deployment>,
    /// How many deployments were ever created.
    pub(crate) created: DeploymentNo,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) now: Time,
    /// Sorted by id.
    pub(crate) keys: Vec<Key>,
    /// How many keys were ever minted.
    pub(crate) minted: u8,
    pub(crate) repository: Repository,
    pub(crate) app: Option<App>,
    /// The runs of which Actions says that they are over.
    pub(crate) finished: u8,
    /// The saves of the app that left a deployment, since the first run that is at it now has read it.
    pub(crate) saves: Vec<Save>,
}

/// A save of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Save {
    pub(crate) spec: (Value, Theirs),
    pub(crate) deployment: DeploymentNo,
}

/// A request that changes something, on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Write {
    Mint(RunNo),
    Rename(KeyId, Mark),
    PutId(KeyId),
    PutSecret(KeyId),
    PutVariable(KeyId),
    /// The spec that names this, with what others have saved.
    PutApp(Value, Theirs),
    Delete(KeyId),
}

/// The run that minted the key that serves when a story begins.
const LONG_AGO: RunNo = 6;

/// The middle of all ids: a new key is given one above or one below all others.
const MIDDLE: KeyId = 50;

impl Mark {
    /// When GitHub last wrote a secret of a delivered key.
    pub(crate) fn stamp(self) -> Option<Time> {
        match self {
            Self::Active(stamp) => Some(stamp),
            Self::Pending | Self::Delivering => None,
        }
    }
}

impl Write {
    /// Whether it brings a key to a sink.
    pub(crate) fn delivers(self) -> bool {
        matches!(
            self,
            Self::PutId(_) | Self::PutSecret(_) | Self::PutVariable(_) | Self::PutApp(..)
        )
    }
}

impl World {
    /// An account without keys, secrets and app.
    pub(crate) fn empty() -> Self {
        let nothing = Secret {
            value: Value::Nothing,
            updated_at: 0,
        };
        let repository = Repository {
            id: nothing,
            secret: nothing,
            variable: Value::Nothing,
        };
        Self {
            now: 0,
            keys: Vec::new(),
            minted: 0,
            repository,
            app: None,
            finished: 0,
            saves: Vec::new(),
        }
    }

    /// With an app that serves without any key.
    pub(crate) fn with_app(mut self) -> Self {
        let active = Deployment {
            no: 0,
            names: Value::Nothing,
            created_at: self.now,
        };
        self.app = Some(App {
            spec: Value::Nothing,
            theirs: 0,
            active,
            row_began: active,
            in_progress: None,
            pending: None,
            created: 1,
        });
        self
    }

    /// With a key in all sinks that a run delivered two hours ago.
    pub(crate) fn in_service(mut self) -> Self {
        let key = self.mint(LONG_AGO, false).id;
        self.take(Write::Rename(key, Mark::Active(self.now)), false);
        for write in [
            Write::PutId(key),
            Write::PutSecret(key),
            Write::PutVariable(key),
            Write::PutApp(Value::Key(key), 0),
        ] {
            self.take(write, false);
        }
        self.saves.clear();
        self.deploy(true);
        self.now += 2 * 60 * 60;
        self
    }

    /// With a newer key that went to secrets of other names, since when the names were changed back: two hours ago.
    pub(crate) fn renamed(mut self) -> Self {
        let secrets = (self.repository.id, self.repository.secret);
        self = self.in_service();
        (self.repository.id, self.repository.secret) = secrets;
        self
    }

    pub(crate) fn key(&self, id: KeyId) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// With a deployment of the first key on its way, and one of the current key behind it.
    pub(crate) fn redeploying(mut self) -> Self {
        let ids: Vec<KeyId> = self.keys.iter().map(|key| key.id).collect();
        for id in ids {
            self.save(Value::Key(id), 0);
        }
        self.saves.clear();
        self
    }

    /// The same world with the smallest numbers for its keys and deployments that keep their order.
    pub(crate) fn renumbered(mut self) -> Self {
        let mut ids: Vec<KeyId> = self.keys.iter().map(|key| key.id).collect();
        self.values(&mut |value| ids.extend(value.key()));
        ids.sort_unstable();
        ids.dedup();
        let new = |id: KeyId| {
            (MIDDLE..)
                .zip(&ids)
                .find(|(_, old)| **old == id)
                .map_or(id, |(new, _)| new)
        };
        self.keys.iter_mut().for_each(|key| key.id = new(key.id));
        self.values(&mut |value| *value = value.key().map_or(*value, |id| Value::Key(new(id))));
        self.minted = u8::try_from(ids.len()).unwrap_or(u8::MAX);
        self.saves.clear();
        self.app.iter_mut().for_each(App::renumber);
        self
    }

    fn values(&mut self, show: &mut dyn FnMut(&mut Value)) {
        let Repository { id, secret, variable } = &mut self.repository;
        [&mut id.value, &mut secret.value, variable]
            .into_iter()
            .for_each(&mut *show);
        if let Some(app) = &mut self.app {
            show(&mut app.spec);
            app.deployments()
                .for_each(|deployment| show(&mut deployment.names));
        }
    }

    /// The key that was delivered last.
    pub(crate) fn current(&self) -> Option<KeyId> {
        let active = self.keys.iter().filter_map(|key| match key.mark {
            Mark::Active(since) => Some((since, key.created_at, key.id)),
            _ => None,
        });
        active.max().map(|(_, _, id)| id)
    }

    /// Who holds the key: a half of it in a secret, its id in the variable, a spec or a live or coming deployment.
    pub(crate) fn holders(&self, id: KeyId) -> Vec<&'static str> {
        let Repository {
            id: first,
            secret,
            variable,
        } = self.repository;
        let app = self.app.map(|app| {
            let coming = app.in_progress.is_some_and(|one| one.names == Value::Key(id))
                || app.pending.is_some_and(|one| one.names == Value::Key(id));
            [
                (app.spec == Value::Key(id), "the spec"),
                (app.active.names == Value::Key(id), "the active deployment"),
                (coming, "a coming deployment"),
            ]
        });
        let github = [
            (first.value == Value::Key(id), "the id secret"),
            (secret.value == Value::Key(id), "the secret-key secret"),
            (variable == Value::Key(id), "the variable"),
        ];
        let all = github.into_iter().chain(app.into_iter().flatten());
        all.filter(|(holds, _)| *holds).map(|(_, who)| who).collect()
    }

    /// The write takes effect. `small`: a minted key is given an id below all others, not above. Nothing where what
    /// it writes to is gone.
    pub(crate) fn take(&mut self, write: Write, small: bool) -> Option<Landed> {
        let now = self.now;
        let secret = |key| Secret {
            value: Value::Key(key),
            updated_at: now,
        };
        match write {
            Write::Mint(run) => return Some(Landed::Key(self.mint(run, small))),
            Write::Rename(id, mark) => self.keys.iter_mut().find(|key| key.id == id)?.mark = mark,
            Write::PutId(key) => self.repository.id = secret(key),
            Write::PutSecret(key) => self.repository.secret = secret(key),
            Write::PutVariable(key) => self.repository.variable = Value::Key(key),
            Write::PutApp(names, theirs) => return Some(Landed::Deployment(self.save(names, theirs)?)),
            Write::Delete(id) => self.keys.retain(|key| key.id != id),
        }
        Some(Landed::Done)
    }

    fn mint(&mut self, run: RunNo, small: bool) -> Key {
        self.minted += 1;
        let id = if small {
            MIDDLE - self.minted
        } else {
            MIDDLE + self.minted
        };
        let key = Key {
            id,
            created_at: self.now,
            run,
            mark: Mark::Pending,
        };
        self.keys.push(key);
        self.keys.sort_by_key(|key| key.id);
        key
    }

    /// The spec is replaced, and a deployment of it is created; one that still waited is superseded.
    pub(crate) fn save(&mut self, names: Value, theirs: Theirs) -> Option<DeploymentNo> {
        let created_at = self.now;
        let app = self.app.as_mut()?;
        (app.spec, app.theirs) = (names, theirs);
        let no = app.created;
        self.saves.push(Save {
            spec: (names, theirs),
            deployment: no,
        });
        let deployment = Deployment {
            no,
            names,
            created_at,
        };
        app.created += 1;
        if app.in_progress.is_none() {
            app.in_progress = Some(deployment);
        } else {
            app.pending = Some(deployment);
        }
        Some(no)
    }

    /// The deployment in progress ends.
    pub(crate) fn deploy(&mut self, well: bool) {
        let Some(app) = &mut self.app else { return };
        let Some(ended) = app.in_progress.take() else {
            return;
        };
        app.in_progress = app.pending.take();
        if !well {
            return;
        }
        if ended.names != app.active.names {
            app.row_began = ended;
        }
        app.active = ended;
    }
}

impl App {
    /// The oldest first.
    pub(crate) fn deployments(&mut self) -> impl Iterator<Item = &mut Deployment> {
        let served = [&mut self.row_began, &mut self.active].into_iter();
        served.chain(&mut self.in_progress).chain(&mut self.pending)
    }

    fn renumber(&mut self) {
        let one = self.row_began.no == self.active.no;
        let numbers = if one { [0, 0, 1, 2] } else { [0, 1, 2, 3] };
        let mut created = 0;
        for (deployment, no) in self.deployments().zip(numbers) {
            (deployment.no, created) = (no, no + 1);
        }
        self.created = created;
        self.theirs = 0;
    }
}

impl Value {
    /// The key that stands there.
    pub(crate) fn key(self) -> Option<KeyId> {
        match self {
            Self::Key(id) => Some(id),
            Self::Nothing | Self::Foreign => None,
        }
    }
}

/// What a write came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Landed {
    Done,
    Key(Key),
    Deployment(DeploymentNo),
}
