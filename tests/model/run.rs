//! One run of the product as a machine that always awaits the answer to a request. The order of its steps is a copy of
//! `src/job` and `src/apply` (`rotation.rs`, `delivery.rs`, `keys.rs`, `confirm.rs`); what it decides, the rules say.

use spacekeeper::plan::generations::LEASE;

use crate::rules::{Advice, Chase, Election, KeySet, Need, Rules, Seen, Sent, Sight, Task};
use crate::world::{
    App, DeploymentNo, Key, KeyId, Landed, Mark, Repository, RunNo, Theirs, Time, Value, World, Write,
};

/// The timeout of a request and the skew of two clocks, as in `src/apply/rotation.rs`: what is sent later might land
/// after the lease.
const LANDING: Time = 50;

/// How far `updated_at` may lie after the date of our own write, as in `src/apply/delivery.rs`.
const WRITE_SLACK: Time = 2;

/// How often a pair is written when sinks move under the run, as in `src/apply/delivery.rs`.
const PASSES: u8 = 2;

/// How often a spec is sent because others save the app, as in `src/apply/apps.rs`.
const SENT_AT_MOST: usize = 6;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Run {
    pub(crate) no: RunNo,
    pub(crate) task: Task,
    /// The request whose answer it awaits.
    pub(crate) step: Step,
    /// Where it goes when nothing is left to delete.
    next: Next,
    /// What is deleted before that.
    condemned: KeySet,
    /// What is left to do after a look that is for old keys alone; nothing at any other look.
    rest: Option<Rest>,
    /// Whether this run has minted the key whose deployment it awaits.
    minted: bool,
    pub(crate) own: Option<Own>,
    /// The active keys when the need was seen.
    known: KeySet,
    /// When the newest key was created then.
    pub(crate) newest: Option<Time>,
    /// The newest stamp then.
    pub(crate) stamped: Option<Time>,
    /// The deployment that the app's PUT created.
    put: Option<DeploymentNo>,
    /// What it knows of the app while it is at it.
    pub(crate) editing: Option<Editing>,
    pass: u8,
    /// Whether a sink may hold the own key.
    touched: bool,
    /// Whether the request was sent so long ago that it comes too late.
    pub(crate) frozen: bool,
}

/// The key that the run has minted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Own {
    id: KeyId,
    pub(crate) created_at: Time,
    /// When GitHub said that the two secrets were written.
    pub(crate) id_at: Time,
    pub(crate) secret_at: Time,
}

/// What a run knows of the app since it read it, as `Saves` of `src/plan/saves.rs` does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Editing {
    /// How many saves there were then.
    pub(crate) seen: usize,
    pub(crate) base: (Value, Theirs),
    /// What is sent next.
    pub(crate) wanted: (Value, Theirs),
    pub(crate) sent: Vec<Put>,
    /// How many saves since then were listed last.
    listed: usize,
}

/// A spec that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Put {
    pub(crate) spec: (Value, Theirs),
    /// How many saves were listed before.
    pub(crate) listed: usize,
    pub(crate) answered: bool,
    /// The deployment that the answer named.
    pub(crate) deployment: Option<DeploymentNo>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Look,
    /// The keys are read, the sinks not yet.
    LookAtSinks(Seen),
    /// The sinks are read, the keys not yet.
    LookAtKeys(Repository, Option<App>),
    Delete(KeyId),
    Mint,
    /// Whether a mint without an answer took effect.
    FindMint,
    /// The look that decides; the one beside the proof, which comes to the same or to less, is left out.
    Win,
    Announce,
    ReadApp(Purpose),
    PutApp(Purpose),
    /// What has become of the PUT, and of the saves of others beside it.
    CheckPut(Purpose),
    /// Which of the two are still on their way.
    PutSecrets {
        id: bool,
        secret: bool,
    },
    PutVariable,
    ReadBack,
    /// The list of keys shows that the own key was not renamed although that was answered.
    AnnounceAgain,
    /// Something moved: is another run at it?
    LookForRival {
        app_moved: bool,
    },
    Activate(Time),
    /// The id variable of a kept key is missing.
    MendVariable(KeyId),
    Follow(DeploymentNo),
    FindDeployment {
        redeploy: bool,
    },
    Wait(KeyId),
    Ended {
        green: bool,
    },
    Dead,
}

/// What the app is PUT for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    /// To give it the own key.
    Deliver,
    /// To have it deployed as it is.
    Redeploy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Next {
    Mint,
    Look,
    Wait(KeyId),
    Keep {
        current: KeyId,
        variable: Option<KeyId>,
        chase: Chase,
    },
    Rest(Rest),
    End {
        green: bool,
    },
}

/// What is left to do after a look at old keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Rest {
    Nothing,
    /// The deployment of a new key is still awaited: a compromised one goes before.
    Deployment(KeyId, Option<DeploymentNo>),
}

/// How the answer to a request comes, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    /// It takes effect and is answered.
    Plain,
    /// Of the two secrets the second one is written first.
    SecondFirst,
    /// A minted key is given a smaller id than all others.
    SmallId,
    /// A key is minted in a later second than all others.
    Later,
    /// A minted key is given the second of the newest key all the same.
    Tie,
    /// The spec is saved and no deployment is created.
    Undeployed,
    /// It takes effect, and the run does not learn of it.
    Lost,
    /// The run gives it up as lost, and it is still on its way.
    Late,
    /// It is refused and has no effect.
    Refused,
    /// It is answered as if it were done, and has no effect.
    Ineffective,
}

impl Answer {
    pub(crate) fn happening(self) -> &'static str {
        match self {
            Self::Plain | Self::SecondFirst => "a request is answered",
            Self::SmallId => "two keys are minted in one second",
            Self::Later => "a key is minted in a later second",
            Self::Tie => "a key is born in the second of an older one",
            Self::Undeployed => "a PUT creates no deployment",
            Self::Lost => "a reply is lost",
            Self::Late => "a request comes late",
            Self::Refused => "a request is refused",
            Self::Ineffective => "a write is answered and not done",
        }
    }

    pub(crate) fn is_fault(self) -> bool {
        !matches!(
            self,
            Self::Plain | Self::SecondFirst | Self::SmallId | Self::Later
        )
    }
}

impl Run {
    pub(crate) fn new(no: RunNo, errand: crate::rules::Errand) -> Self {
        let task = Task {
            errand,
            first_seen: None,
            stuck: false,
        };
        Self {
            no,
            task,
            step: Step::Look,
            next: Next::Look,
            condemned: KeySet::default(),
            rest: None,
            minted: false,
            own: None,
            known: KeySet::default(),
            newest: None,
            stamped: None,
            put: None,
            editing: None,
            pass: 1,
            touched: false,
            frozen: false,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.step, Step::Ended { .. } | Step::Dead)
    }

    /// The requests on their way that change something.
    pub(crate) fn writes(&self) -> Vec<Write> {
        let own = self.own.map_or(0, |own| own.id);
        match self.step {
            Step::Delete(key) => vec![Write::Delete(key)],
            Step::Mint => vec![Write::Mint(self.no)],
            Step::Announce | Step::AnnounceAgain => vec![Write::Rename(own, Mark::Delivering)],
            Step::PutApp(_) => {
                let editing = self.editing.iter();
                editing
                    .map(|editing| Write::PutApp(editing.wanted.0, editing.wanted.1))
                    .collect()
            }
            Step::PutSecrets { id, secret } => {
                let both = [(id, Write::PutId(own)), (secret, Write::PutSecret(own))];
                both.into_iter()
                    .filter(|(sent, _)| *sent)
                    .map(|(_, write)| write)
                    .collect()
            }
            Step::PutVariable => vec![Write::PutVariable(own)],
            Step::MendVariable(key) => vec![Write::PutVariable(key)],
            Step::Activate(stamp) => vec![Write::Rename(own, Mark::Active(stamp))],
            _ => Vec::new(),
        }
    }

    /// Whether it waits to begin.
    pub(crate) fn is_idle(&self) -> bool {
        self.step == Step::Look && self.rest.is_none()
    }

    /// So much time passes that what it has sent comes too late.
    pub(crate) fn freeze(&mut self) {
        self.frozen = !self.writes().is_empty();
    }

    /// Whether it may have replaced a save of somebody else and has not looked yet.
    pub(crate) fn may_have_replaced(&self) -> bool {
        let sent = |editing: &Editing| !editing.sent.is_empty();
        matches!(self.step, Step::PutApp(_)) || self.editing.as_ref().is_some_and(sent)
    }

    /// Whether it has begun to deliver and may go on.
    pub(crate) fn delivers(&self, now: Time) -> bool {
        let delivering = matches!(
            self.step,
            Step::ReadApp(Purpose::Deliver)
                | Step::PutApp(Purpose::Deliver)
                | Step::CheckPut(Purpose::Deliver)
                | Step::PutSecrets { .. }
                | Step::PutVariable
                | Step::ReadBack
                | Step::AnnounceAgain
                | Step::LookForRival { .. }
                | Step::Activate(_)
        );
        delivering && self.own.is_some_and(|own| now < own.created_at + lease())
    }

    /// The key that it has minted.
    pub(crate) fn own_key(&self) -> Option<KeyId> {
        self.own.map(|own| own.id)
    }

    /// Whether it delivers a key that does not say so, since its rename was answered and not done.
    pub(crate) fn delivers_unannounced(&self, world: &World) -> bool {
        let own = self.own.and_then(|own| world.key(own.id));
        self.delivers(world.now) && own.is_some_and(|key| key.mark == Mark::Pending)
    }

    /// Whether a key that it deletes goes whoever holds it.
    pub(crate) fn revokes(&self, key: KeyId) -> bool {
        self.task.errand == crate::rules::Errand::Revoke && self.own.is_none_or(|own| own.id != key)
    }

    /// Whether the answer that it awaits can come at all.
    pub(crate) fn can_go_on(&self, world: &World, rules: &dyn Rules) -> bool {
        match self.step {
            Step::Ended { .. } | Step::Dead => false,
            Step::Wait(rival) => !rules.rivals(&world.seen(), self.no).contains(rival),
            Step::Follow(deployment) => world.app.is_some_and(|app| !app.is_coming(deployment)),
            _ => true,
        }
    }

    /// The keys are read now and the sinks later, or the other way round.
    pub(crate) fn look_at_half(&mut self, world: &World, keys_first: bool) {
        self.step = if keys_first {
            Step::LookAtSinks(world.seen())
        } else {
            Step::LookAtKeys(world.repository, world.app_as_planned_by())
        };
    }

    /// A wait ends without what was waited for.
    pub(crate) fn give_up(&mut self) {
        self.end(false);
    }

    /// The answer comes, in one way or another. Returns what is still on its way.
    pub(crate) fn go_on(&mut self, world: &mut World, rules: &dyn Rules, answer: Answer) -> Option<Write> {
        let frozen = self.frozen;
        let late = self.writes().first().copied().filter(|_| answer == Answer::Late);
        match answer {
            Answer::Late => self.missed(world, rules),
            Answer::Lost => {
                for write in self.writes() {
                    world.take(write, false);
                }
                self.missed(world, rules);
            }
            Answer::Refused => self.refused(world),
            Answer::Ineffective => self.feigned(world, rules),
            _ => self.answered(world, rules, answer),
        }
        // Of two secrets that were sent together the other one comes as late.
        self.frozen = frozen && matches!(self.step, Step::PutSecrets { id, secret } if id != secret);
        late
    }
}

// Answers.
impl Run {
    fn answered(&mut self, world: &mut World, rules: &dyn Rules, answer: Answer) {
        match self.step.clone() {
            Step::Look => self.decide(&world.sight(), world, rules),
            Step::LookAtSinks(seen) => {
                let (repository, app) = (world.repository, world.app_as_planned_by());
                self.decide(
                    &Sight {
                        seen,
                        repository,
                        app,
                    },
                    world,
                    rules,
                );
            }
            Step::LookAtKeys(repository, app) => {
                let seen = world.seen();
                self.decide(
                    &Sight {
                        seen,
                        repository,
                        app,
                    },
                    world,
                    rules,
                );
            }
            Step::Delete(key) => {
                world.take(Write::Delete(key), false);
                self.clear(world);
            }
            Step::Mint => self.minted(world, answer),
            Step::FindMint => self.found_mint(world),
            Step::Win => self.judged(world, rules),
            Step::Announce => self.announced(world, rules),
            Step::ReadApp(purpose) => self.read_app(purpose, world),
            Step::PutApp(purpose) => self.put_app(purpose, world, answer),
            Step::CheckPut(purpose) => self.checked_put(purpose, world, rules),
            Step::PutSecrets { .. } => self.put_secret(world, rules, answer),
            Step::PutVariable | Step::AnnounceAgain => self.step = self.after_write(world, Step::ReadBack),
            Step::ReadBack => self.read_back(world, rules),
            Step::LookForRival { app_moved } => self.looked_for_rival(app_moved, world, rules),
            Step::Activate(_) => self.activated(world),
            Step::MendVariable(_) => {
                self.after_write(world, Step::Look);
                self.chase();
            }
            Step::Follow(deployment) => self.followed(deployment, world),
            Step::FindDeployment { redeploy } => self.found_deployment(redeploy, world, rules),
            Step::Wait(_) => self.look(),
            Step::Ended { .. } | Step::Dead => {}
        }
    }

    /// The run goes on as if it were done.
    fn feigned(&mut self, world: &World, rules: &dyn Rules) {
        self.answered(&mut world.clone(), rules, Answer::Plain);
    }

    fn after_write(&self, world: &mut World, step: Step) -> Step {
        for write in self.writes() {
            world.take(write, false);
        }
        step
    }

    fn decide(&mut self, sight: &Sight, world: &mut World, rules: &dyn Rules) {
        let Advice {
            sweep,
            retire,
            need,
            variable,
            chase,
        } = rules.advise(sight, self.no, &self.task);
        let active = sight
            .seen
            .keys
            .iter()
            .filter(|key| matches!(key.mark, Mark::Active(_)));
        let active: KeySet = active.map(|key| key.id).collect();
        if self.task.errand != crate::rules::Errand::Bootstrap {
            self.task.first_seen.get_or_insert(active);
        }
        self.condemned = sweep.and(retire);
        if let Some(rest) = self.rest {
            self.next = Next::Rest(rest);
            return self.clear(world);
        }
        if need == Need::Mint {
            self.known = active;
            self.newest = sight.seen.keys.iter().map(|key| key.created_at).max();
            let stamps = sight.seen.keys.iter().filter_map(|key| key.mark.stamp());
            self.stamped = stamps.max();
        }
        self.next = match need {
            Need::Mint => Next::Mint,
            Need::Wait(rival) => Next::Wait(rival),
            Need::Keep(current) => Next::Keep {
                current,
                variable,
                chase,
            },
            Need::Blocked => Next::End { green: false },
        };
        self.clear(world);
    }

    /// Deletes the next of the condemned keys, and goes on when there is none left.
    fn clear(&mut self, world: &mut World) {
        if let Some(key) = self.condemned.first() {
            self.condemned = self.condemned.without(key);
            self.step = Step::Delete(key);
            return;
        }
        match self.next {
            Next::Mint => self.begin_mint(world),
            Next::Look => self.look(),
            Next::Wait(rival) => self.step = Step::Wait(rival),
            Next::Keep {
                variable: Some(key), ..
            } => self.step = Step::MendVariable(key),
            Next::Keep { variable: None, .. } => self.chase(),
            Next::Rest(Rest::Nothing) => self.end(true),
            Next::Rest(Rest::Deployment(key, put)) => self.await_minted(key, put),
            Next::End { green } => self.end(green),
        }
    }

    fn chase(&mut self) {
        let Next::Keep { chase, current, .. } = self.next else {
            return self.end(true);
        };
        match chase {
            Chase::Nothing => self.end(true),
            Chase::Deployment(deployment) => self.await_deployment(current, Step::Follow(deployment)),
            Chase::Redeploy => self.await_deployment(current, Step::FindDeployment { redeploy: true }),
        }
    }

    /// The mint is sent in a later second than that of the newest key, and of the last delivery.
    fn begin_mint(&mut self, world: &mut World) {
        let last = self.newest.max(self.stamped);
        world.now = world.now.max(last.map_or(0, |last| last + 1));
        self.own = None;
        self.pass = 1;
        self.put = None;
        self.touched = false;
        self.step = Step::Mint;
    }

    fn minted(&mut self, world: &mut World, answer: Answer) {
        if answer == Answer::Later {
            world.now += 1;
        }
        let now = world.now;
        if let (Answer::Tie, Some(newest)) = (answer, self.newest) {
            world.now = newest;
        }
        let minted = world.take(Write::Mint(self.no), answer == Answer::SmallId);
        world.now = now;
        let Some(Landed::Key(key)) = minted else { return };
        self.own = Some(Own::of(key));
        if self.newest.is_some_and(|newest| key.created_at <= newest) {
            self.withdraw(Next::Mint);
        } else {
            self.step = Step::Win;
        }
    }

    fn found_mint(&mut self, world: &mut World) {
        let lost = |key: &&Key| key.run == self.no && key.mark == Mark::Pending;
        self.condemned = world.keys.iter().filter(lost).map(|key| key.id).collect();
        self.next = Next::Mint;
        self.clear(world);
    }

    fn judged(&mut self, world: &World, rules: &dyn Rules) {
        if self.is_past_the_fence(world, rules) {
            return self.withdraw(Next::End { green: false });
        }
        match self.elect(world, rules) {
            Election::GoOn => self.step = Step::Announce,
            Election::LookAgain => {}
            Election::Yield(to) => self.withdraw(Next::Wait(to)),
            Election::Done => self.withdraw(Next::Look),
        }
    }

    fn elect(&self, world: &World, rules: &dyn Rules) -> Election {
        let own = self.own.map_or(0, |own| own.id);
        rules.elect(own, self.known, &world.seen(), self.no)
    }

    fn announced(&mut self, world: &mut World, rules: &dyn Rules) {
        let renamed = self
            .writes()
            .into_iter()
            .all(|write| world.take(write, false).is_some());
        if !renamed || (world.app.is_some() && self.is_past_the_fence(world, rules)) {
            self.withdraw(Next::End { green: false });
        } else if world.app.is_some() {
            self.step = Step::ReadApp(Purpose::Deliver);
        } else {
            self.begin_secrets(world, rules);
        }
    }

    fn read_app(&mut self, purpose: Purpose, world: &World) {
        let Some(app) = world.app else { return };
        let names = match purpose {
            Purpose::Deliver => self.own.map_or(Value::Nothing, |own| Value::Key(own.id)),
            Purpose::Redeploy => app.spec,
        };
        self.editing = Some(Editing {
            seen: world.saves.len(),
            base: (app.spec, app.theirs),
            wanted: (names, app.theirs),
            sent: Vec::new(),
            listed: 0,
        });
        self.step = Step::PutApp(purpose);
    }

    fn put_app(&mut self, purpose: Purpose, world: &mut World, answer: Answer) {
        let deployment = save(&self.writes(), world, answer);
        self.has_sent(purpose, true, deployment);
    }

    fn has_sent(&mut self, purpose: Purpose, answered: bool, deployment: Option<DeploymentNo>) {
        self.touched = true;
        if let Some(editing) = &mut self.editing {
            editing.sent.push(Put {
                spec: editing.wanted,
                listed: editing.listed,
                answered,
                deployment,
            });
        }
        self.step = Step::CheckPut(purpose);
    }

    fn checked_put(&mut self, purpose: Purpose, world: &World, rules: &dyn Rules) {
        let (Some(app), Some(editing)) = (world.app, &mut self.editing) else {
            return;
        };
        let made = world.saves[editing.seen..].to_vec();
        editing.listed = made.len();
        let edit = self.own.map(|own| own.id).filter(|_| purpose == Purpose::Deliver);
        let judged = rules.judge(&Sent {
            edit,
            editing: editing.clone(),
            made,
            standing: (app.spec, app.theirs),
        });
        let Some(theirs) = judged.wanted else {
            return self.has_put(purpose, judged.deployment, world, rules);
        };
        editing.wanted.1 = theirs;
        let contested = editing.sent.len() == SENT_AT_MOST;
        if contested || purpose == Purpose::Deliver && self.is_past_the_fence(world, rules) {
            self.end(false);
        } else {
            self.step = Step::PutApp(purpose);
        }
    }

    fn has_put(
        &mut self,
        purpose: Purpose,
        deployment: Option<DeploymentNo>,
        world: &World,
        rules: &dyn Rules,
    ) {
        self.editing = None;
        match purpose {
            Purpose::Deliver => {
                self.put = deployment;
                self.begin_secrets(world, rules);
            }
            Purpose::Redeploy => self.redeployed(deployment),
        }
    }

    fn begin_secrets(&mut self, world: &World, rules: &dyn Rules) {
        if self.is_past_the_fence(world, rules) {
            return self.stop_delivery();
        }
        self.step = Step::PutSecrets {
            id: true,
            secret: true,
        };
    }

    /// A key that certainly reached no sink is taken back.
    fn stop_delivery(&mut self) {
        self.editing = None;
        if self.touched {
            self.end(false);
        } else {
            self.withdraw(Next::End { green: false });
        }
    }

    fn put_secret(&mut self, world: &mut World, rules: &dyn Rules, answer: Answer) {
        let (&Step::PutSecrets { mut id, mut secret }, Some(own)) = (&self.step, &mut self.own) else {
            return;
        };
        if id && answer != Answer::SecondFirst {
            world.take(Write::PutId(own.id), false);
            (id, own.id_at) = (false, world.now);
        } else {
            world.take(Write::PutSecret(own.id), false);
            (secret, own.secret_at) = (false, world.now);
        }
        let sent = id || secret;
        self.step = match (sent, self.is_past_the_fence(world, rules)) {
            (true, _) => Step::PutSecrets { id, secret },
            (false, false) => Step::PutVariable,
            (false, true) => Step::Ended { green: false },
        };
    }

    fn read_back(&mut self, world: &World, rules: &dyn Rules) {
        let (Repository { id, secret, variable }, Some(own)) = (world.repository, self.own) else {
            return;
        };
        let is_pending = |key: &Key| key.id == own.id && key.mark == Mark::Pending;
        if rules.reads_back() && world.keys.iter().any(is_pending) {
            self.step = Step::AnnounceAgain;
            return;
        }
        let missing =
            id.value == Value::Nothing || secret.value == Value::Nothing || variable != Value::Key(own.id);
        let written = [(id.updated_at, own.id_at), (secret.updated_at, own.secret_at)];
        let moved = written.iter().any(|(at, own)| *at > own + WRITE_SLACK);
        let unstored = written.iter().any(|(at, own)| at + WRITE_SLACK < *own);
        // The very next run would take it for a former key's.
        let early = |at: Time| self.stamped.is_some_and(|before| at <= before);
        let unstored = unstored || written.iter().any(|(at, _)| early(*at));
        let moved = moved || (rules.reads_back() && unstored);
        let app_moved = world.app.is_some_and(|app| app.spec != Value::Key(own.id));
        self.step = if missing || moved || app_moved {
            Step::LookForRival { app_moved }
        } else {
            Step::Activate(id.updated_at.max(secret.updated_at))
        };
    }

    fn looked_for_rival(&mut self, app_moved: bool, world: &World, rules: &dyn Rules) {
        let own = self.own.map_or(0, |own| own.id);
        let rivals = rules.rivals(&world.seen(), self.no);
        let overtaking = |key: &Key| match key.mark {
            Mark::Delivering => rivals.contains(key.id),
            Mark::Active(_) => !self.known.contains(key.id),
            Mark::Pending => false,
        };
        let overtaken = world.keys.iter().any(|key| key.id != own && overtaking(key));
        if overtaken || self.pass == PASSES {
            return self.end(false);
        }
        (self.pass, self.touched) = (self.pass + 1, true);
        if app_moved && self.is_past_the_fence(world, rules) {
            self.end(false);
        } else if app_moved {
            self.step = Step::ReadApp(Purpose::Deliver);
        } else {
            self.begin_secrets(world, rules);
        }
    }

    fn activated(&mut self, world: &mut World) {
        let renamed = self
            .writes()
            .into_iter()
            .all(|write| world.take(write, false).is_some());
        let (key, put) = (self.own.map_or(0, |own| own.id), self.put);
        if !renamed {
            self.end(false);
        } else if world.app.is_none() {
            self.look_at_old_keys(Rest::Nothing);
        } else if self.task.errand == crate::rules::Errand::Revoke {
            self.look_at_old_keys(Rest::Deployment(key, put));
        } else {
            self.await_minted(key, put);
        }
    }

    fn await_minted(&mut self, key: KeyId, put: Option<DeploymentNo>) {
        let find = Step::FindDeployment { redeploy: true };
        self.await_deployment(key, put.map_or(find, Step::Follow));
        self.minted = true;
    }

    fn followed(&mut self, deployment: DeploymentNo, world: &World) {
        let Some(app) = world.app else { return };
        if app.active.no == deployment {
            self.look_at_old_keys(Rest::Nothing);
        } else {
            self.step = Step::FindDeployment { redeploy: false };
        }
    }

    fn found_deployment(&mut self, redeploy: bool, world: &World, rules: &dyn Rules) {
        let (Some(app), Some(own)) = (world.app, self.own) else {
            return;
        };
        let carries = |deployment: &crate::world::Deployment| deployment.names == Value::Key(own.id);
        let coming = [app.pending, app.in_progress].into_iter().flatten().find(carries);
        match coming {
            _ if carries(&app.active) => self.look_at_old_keys(Rest::Nothing),
            Some(deployment) => self.step = Step::Follow(deployment.no),
            None if redeploy => self.step = Step::ReadApp(Purpose::Redeploy),
            None if self.is_replaced(own.id, world, rules) => self.look_at_old_keys(Rest::Nothing),
            None => self.end(false),
        }
    }

    /// Whether another run delivers a newer key, or has.
    fn is_replaced(&self, own: KeyId, world: &World, rules: &dyn Rules) -> bool {
        let rivals = rules.rivals(&world.seen(), self.no);
        let delivering = |key: &Key| key.mark == Mark::Delivering && rivals.contains(key.id);
        world.keys.iter().any(delivering) || world.current().is_some_and(|current| current != own)
    }

    fn redeployed(&mut self, deployment: Option<DeploymentNo>) {
        match deployment {
            Some(deployment) => self.step = Step::Follow(deployment),
            // What was minted just now is not replaced.
            None if self.minted => self.end(false),
            None => {
                self.task.stuck = true;
                self.look();
            }
        }
    }
}

// Answers that do not come.
impl Run {
    fn missed(&mut self, world: &World, rules: &dyn Rules) {
        match self.step {
            Step::Mint => self.step = Step::FindMint,
            Step::Announce => self.withdraw(Next::End { green: false }),
            Step::PutApp(purpose) => {
                self.has_sent(purpose, false, None);
            }
            // Sent again, within the lease.
            Step::PutSecrets { .. } | Step::PutVariable if self.is_past_the_fence(world, rules) => {
                self.end(false);
            }
            Step::PutSecrets { .. } => self.touched = true,
            Step::AnnounceAgain | Step::Activate(_) => self.end(false),
            _ => {}
        }
    }

    fn refused(&mut self, world: &mut World) {
        match self.step {
            Step::Announce => self.withdraw(Next::End { green: false }),
            Step::PutApp(Purpose::Deliver)
            | Step::PutSecrets {
                id: true,
                secret: true,
            } => self.stop_delivery(),
            Step::Delete(_) => {
                self.next = Next::End { green: false };
                self.clear(world);
            }
            _ => self.end(false),
        }
    }
}

// Ways on.
impl Run {
    fn look(&mut self) {
        *self = Self {
            task: self.task,
            ..Self::new(self.no, self.task.errand)
        };
    }

    fn look_at_old_keys(&mut self, rest: Rest) {
        self.look();
        self.rest = Some(rest);
    }

    /// From now on it knows of its key only which one it is.
    fn await_deployment(&mut self, key: KeyId, step: Step) {
        self.look();
        self.own = Some(Own {
            id: key,
            created_at: 0,
            id_at: 0,
            secret_at: 0,
        });
        self.step = step;
    }

    /// Deletes the own key, which no sink has seen.
    fn withdraw(&mut self, next: Next) {
        self.next = next;
        self.step = Step::Delete(self.own.map_or(0, |own| own.id));
    }

    /// Forgets everything that no longer matters, so that ends are alike.
    fn end(&mut self, green: bool) {
        *self = Self {
            step: Step::Ended { green },
            ..Self::new(self.no, self.task.errand)
        };
    }

    fn is_past_the_fence(&self, world: &World, rules: &dyn Rules) -> bool {
        let over = |own: Own| world.now > own.created_at + lease() - LANDING;
        rules.fences() && self.own.is_some_and(over)
    }
}

impl Own {
    fn of(key: Key) -> Self {
        Self {
            id: key.id,
            created_at: key.created_at,
            id_at: 0,
            secret_at: 0,
        }
    }
}

fn save(writes: &[Write], world: &mut World, answer: Answer) -> Option<DeploymentNo> {
    match (writes, answer) {
        ([Write::PutApp(names, theirs)], Answer::Undeployed) => {
            let app = world.app.as_mut()?;
            (app.spec, app.theirs) = (*names, *theirs);
            None
        }
        ([Write::PutApp(names, theirs)], _) => world.save(*names, *theirs),
        _ => None,
    }
}

fn lease() -> Time {
    Time::try_from(LEASE.as_secs()).expect("minutes")
}

impl World {
    /// The keys as they are listed now.
    pub(crate) fn seen(&self) -> Seen {
        Seen {
            now: self.now,
            keys: self.keys.clone(),
            finished: self.finished,
        }
    }

    /// Everything as it can be read now.
    pub(crate) fn sight(&self) -> Sight {
        Sight {
            seen: self.seen(),
            repository: self.repository,
            app: self.app_as_planned_by(),
        }
    }

    /// The app without what is none of our business: no plan depends on it.
    fn app_as_planned_by(&self) -> Option<App> {
        self.app.map(|app| App { theirs: 0, ..app })
    }
}

impl App {
    fn is_coming(&self, deployment: DeploymentNo) -> bool {
        let coming = [self.in_progress, self.pending];
        coming.into_iter().flatten().any(|coming| coming.no == deployment)
    }
}
