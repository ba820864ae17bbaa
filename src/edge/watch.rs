//! Watches over a job to its end, whatever that is, and sees to it that nothing is left behind that must not be.

use std::time::Duration;

use crate::apply::{FullAccess, Ledger, left_behind};
use crate::bug::caught_in;
use crate::model::problem::Problem;
use crate::remote::{Cause, GitHub, Shutdown, Trigger};
use crate::report::spoken;

/// How long after a signal the job may go on. The runner kills ten seconds after the first one, and what happened must
/// still be told.
const JOB_AFTER_SIGNAL: Duration = Duration::from_millis(7_500);

/// How long after a signal the farewell may go on.
const FAREWELL_AFTER_SIGNAL: Duration = Duration::from_millis(8_500);

/// How long the farewell may take when nobody is about to kill: as long as one call is tried, and some more.
const FAREWELL: Duration = Duration::from_mins(2);

/// One job, and what it was lent.
pub(super) struct Watch<'a> {
    pub(super) full_access: &'a FullAccess,
    pub(super) github: Option<&'a GitHub>,
    pub(super) ledger: &'a Ledger,
    pub(super) trigger: &'a Trigger,
    pub(super) shutdown: &'a Shutdown,
    /// How long the job may take (`run-timeout`).
    pub(super) limit: Duration,
}

impl Watch<'_> {
    /// Lets the job go to its end and says the farewell. Nothing comes of a job that broke off; the ledger says why.
    pub(super) async fn over<T>(&self, job: impl Future<Output = T>) -> Option<T> {
        let ended = tokio::select! {
            biased;
            ended = caught_in(job) => ended.map_err(|bug| bug.problem("this run")),
            cause = self.time_is_up() => Err(cut_off(cause)),
        };
        let ended = ended.map_err(|problem| self.ledger.failed(problem)).ok();
        Box::pin(self.say_farewell()).await;
        if self.shutdown.cause() == Some(Cause::RunTimeout) {
            self.ledger.failed(timed_out(self.limit));
        }
        ended
    }

    /// Asks the job to stop when it has lasted for too long, and returns when a job that was asked to has not stopped.
    async fn time_is_up(&self) -> Cause {
        tokio::select! {
            biased;
            _ = self.shutdown.wait() => {}
            () = tokio::time::sleep(self.limit) => self.trigger.pull(Cause::RunTimeout),
        }
        self.shutdown.overdue(JOB_AFTER_SIGNAL).await
    }

    async fn say_farewell(&self) {
        let key = self.while_there_is_time(caught_in(self.full_access.end()));
        let token = self.while_there_is_time(self.give_back_token());
        let (key, _) = tokio::join!(key, token);
        self.tell_tokens();
        let problem = match key {
            Some(Ok(Ok(()))) => return,
            Some(Ok(Err(problem))) => problem,
            Some(Err(bug)) => left_behind(&bug.problem("").what, ""),
            None => left_behind(
                &format!("the end of {} was not answered in time", self.key().await),
                "",
            ),
        };
        self.ledger.failed(problem);
    }

    /// How the full-access key is called, as far as that is known.
    async fn key(&self) -> String {
        let traces = self.full_access.traces().await;
        if traces.is_empty() {
            "its mint".to_owned()
        } else {
            format!("key {}", traces.join(", "))
        }
    }

    async fn give_back_token(&self) {
        let Some(github) = self.github else { return };
        match caught_in(github.revoke()).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => tracing::debug!("{failure}"),
            Err(bug) => tracing::debug!("{}", bug.problem("App token")),
        }
    }

    /// The token of a GitHub App ends by itself within the hour; that it could not be given back is no failure of the run.
    fn tell_tokens(&self) {
        let out = self.github.map(GitHub::tokens_out).unwrap_or_default();
        for repository in out {
            let what = format!("the App's token for {repository} may not have been given back");
            self.ledger.note(Problem::new(
                "github-app-id",
                what,
                "It ends by itself, an hour after its mint.",
            ));
        }
    }

    async fn while_there_is_time<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.kill_is_near() => None,
            () = tokio::time::sleep(FAREWELL) => None,
        }
    }

    /// Only who has sent a signal kills soon after.
    async fn kill_is_near(&self) {
        if self.shutdown.overdue(FAREWELL_AFTER_SIGNAL).await != Cause::Signal {
            std::future::pending::<()>().await;
        }
    }
}

fn cut_off(cause: Cause) -> Problem {
    let what = format!("{cause} stopped it, and what it had begun did not come to an end in time");
    let remedy = "Run again: it goes on from what it finds, and delivers anew where that is in doubt.";
    Problem::new("this run", what, remedy)
}

fn timed_out(limit: Duration) -> Problem {
    let what = format!(
        "it was not done at the end of run-timeout, after {}",
        spoken(limit)
    );
    let remedy = "Run again: it goes on from what it finds. Raise run-timeout where the job's timeout-minutes leaves room.";
    Problem::new("this run", what, remedy)
}

#[cfg(test)]
mod tests {
    use spacekeeper_sandbox::{FaceName, Fault, Sandbox, World};

    use super::*;
    use crate::apply::Minter;
    use crate::config::{Environment, Runner};
    use crate::model::name::Run;
    use crate::remote::{DigitalOcean, Transport};
    use crate::report::console::Console;

    const PAYLOAD: &str = "a payload with a canary-of-a-secret";

    fn own_key(sandbox: &Sandbox) -> FullAccess {
        let transport = Transport::new().expect("a transport");
        let base = sandbox.digitalocean_url().parse().expect("a base URL");
        let token = World::DIGITALOCEAN_TOKEN.into();
        FullAccess::own(Minter {
            digitalocean: DigitalOcean::new(transport, base, token, Shutdown::never()).to_the_end(),
            family: "shop-spaces-key".parse().expect("a family"),
            run: Run::OUTSIDE,
            console: Console::new(&Runner::read(&Environment::new())),
        })
    }

    /// Lets the job run under watch, and returns what it came to and what was told as failed.
    async fn watched<T>(
        full_access: &FullAccess,
        limit: Duration,
        job: impl Future<Output = T>,
    ) -> (Option<T>, Vec<Problem>) {
        let (ledger, (trigger, shutdown)) = (Ledger::default(), Shutdown::new());
        let watch = Watch {
            full_access,
            github: None,
            ledger: &ledger,
            trigger: &trigger,
            shutdown: &shutdown,
            limit,
        };
        let ended = watch.over(job).await;
        (ended, ledger.told().problems)
    }

    /// How many full-access keys were made, and how many of them live.
    fn admin_keys(sandbox: &Sandbox) -> (usize, usize) {
        let world = sandbox.world();
        let admins = world.digitalocean.keys.iter().filter(|key| key.has_full_access());
        let live = world.digitalocean.live_keys().filter(|key| key.has_full_access());
        (admins.count(), live.count())
    }

    #[track_caller]
    fn is_told_as_a_bug(problems: &[Problem]) {
        let [problem] = problems else {
            panic!("one problem: {problems:#?}")
        };
        let told = problem.to_string();
        assert!(
            told.contains("bug in Spacekeeper") && !told.contains("canary"),
            "{told}"
        );
    }

    #[tokio::test]
    async fn a_job_that_panics_over_its_work_leaves_no_full_access_key() {
        let sandbox = Sandbox::start(World::new());
        let full_access = own_key(&sandbox);
        let job = async {
            full_access.order().await;
            let pair = full_access.pair().await.expect("a mint");
            assert!(pair.is_none(), "{PAYLOAD}");
        };
        let (ended, problems) = watched(&full_access, FAREWELL, Box::pin(job)).await;
        assert_eq!((ended, admin_keys(&sandbox)), (None, (1, 0)));
        is_told_as_a_bug(&problems);
    }

    #[tokio::test]
    async fn a_job_that_panics_beside_its_mint_leaves_no_full_access_key() {
        let sandbox = Sandbox::start(World::new());
        let minting = Fault::on(FaceName::DigitalOcean).method("POST");
        sandbox.script(minting.after().delay(Duration::from_millis(200)));
        let full_access = own_key(&sandbox);
        let job = async {
            full_access.order().await;
            let both = tokio::join!(full_access.pair(), async { panic!("{PAYLOAD}") });
            drop::<(_, ())>(both);
        };
        let (ended, problems) = watched(&full_access, FAREWELL, Box::pin(job)).await;
        assert_eq!((ended, admin_keys(&sandbox)), (None, (1, 0)));
        is_told_as_a_bug(&problems);
    }

    #[tokio::test]
    async fn a_job_that_panics_while_it_deletes_the_key_leaves_none() {
        let sandbox = Sandbox::start(World::new());
        let deleting = Fault::on(FaceName::DigitalOcean).method("DELETE");
        sandbox.script(deleting.delay(Duration::from_millis(200)));
        let full_access = own_key(&sandbox);
        let job = async {
            full_access.order().await;
            full_access.pair().await.expect("a mint");
            let hurt = async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                panic!("{PAYLOAD}")
            };
            let both = tokio::join!(full_access.end(), hurt);
            drop::<(_, ())>(both);
        };
        let (ended, problems) = watched(&full_access, FAREWELL, Box::pin(job)).await;
        assert_eq!((ended, admin_keys(&sandbox)), (None, (1, 0)));
        is_told_as_a_bug(&problems);
    }

    #[tokio::test]
    async fn a_key_that_could_not_be_deleted_early_is_deleted_at_the_end_and_not_told() {
        let sandbox = Sandbox::start(World::new());
        sandbox.script(Fault::on(FaceName::DigitalOcean).method("DELETE").status(403));
        let full_access = own_key(&sandbox);
        let job = async {
            full_access.order().await;
            full_access.pair().await.expect("a mint");
            full_access.end().await.is_err()
        };
        let (ended, problems) = watched(&full_access, FAREWELL, Box::pin(job)).await;
        assert_eq!((ended, admin_keys(&sandbox)), (Some(true), (1, 0)));
        assert_eq!(problems, []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_does_not_stop_at_the_limit_is_cut_off_and_both_are_told() {
        let limit = Duration::from_mins(50);
        let (ended, problems) = watched(&FullAccess::none(), limit, std::future::pending::<()>()).await;
        assert_eq!(ended, None);
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(told[0].contains("run-timeout stopped it"), "{told:?}");
        assert!(
            told[1].contains("at the end of run-timeout, after 50 minutes"),
            "{told:?}"
        );
    }
}
