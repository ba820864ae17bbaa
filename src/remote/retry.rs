//! Trying again: calls that may be repeated without harm, for a while, with pauses that grow.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::deadline::deadline;
use super::failure::{Failure, FailureKind, WriteFailure};
use super::shutdown::Shutdown;

/// How often a call is made before its transient failure is final.
const ATTEMPTS: u32 = 5;

/// The longest first pause; it doubles from attempt to attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause that we choose ourselves; a server may ask for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// How long after its first failure a call is still repeated, pauses included; what is known to be under way is waited
/// for first. A server that wants a longer wait is not waited for. A whole call therefore ends after this and two
/// attempts, each of which has the time limit of a request.
const BUDGET: Duration = Duration::from_secs(90);

/// The longest pause while something that we know to be under way shows up, such as a new key on all servers.
const LONGEST_PATIENT_PAUSE: Duration = Duration::from_secs(5);

/// A longer pause than this is told in the log.
const NOTICEABLE: Duration = Duration::from_secs(2);

/// Requests at a time to one service. GitHub allows 100 and asks for few; DigitalOcean counts 250 a minute.
const CONCURRENT: usize = 10;

/// Requests at a time to Spaces, which takes 1,500 in a second from one address (limits page of its documentation).
const CONCURRENT_STORAGE: usize = 32;

tokio::task_local! {
    static ATTEMPT: u32;
}

/// The number of the attempt that the running call is at, counted from one.
pub(super) fn attempt() -> u32 {
    ATTEMPT.try_with(|attempt| *attempt).unwrap_or(1)
}

/// How one service is called: so many requests at a time, again after a transient failure, no more after a signal.
#[derive(Debug, Clone)]
pub(super) struct Attempts {
    slots: Arc<Semaphore>,
    shutdown: Shutdown,
    deadline: Option<Instant>,
    rejection: Arc<OnceLock<Failure>>,
}

/// A failure that is no failure until then, because something is known to be under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Until when it may be under way.
    pub until: Instant,
    /// How it shows meanwhile.
    pub with: fn(&Failure) -> bool,
}

/// Failures in a row that are not to be expected.
struct Streak {
    failures: u32,
}

/// An error that knows whether the same call may be made again.
pub(super) trait Repeatable: From<Failure> {
    fn failure(&self) -> &Failure;
    fn may_repeat(&self) -> bool;
}

impl Repeatable for Failure {
    fn failure(&self) -> &Failure {
        self
    }

    fn may_repeat(&self) -> bool {
        self.is_transient()
    }
}

impl Repeatable for WriteFailure {
    fn failure(&self) -> &Failure {
        Self::failure(self)
    }

    fn may_repeat(&self) -> bool {
        matches!(self, Self::Refused(failure) if failure.is_transient())
    }
}

impl Patience {
    /// Patience with this, for so long from now.
    pub(super) fn lasting(span: Duration, with: fn(&Failure) -> bool) -> Self {
        Self {
            until: deadline(span),
            with,
        }
    }

    fn covers(&self, failure: &Failure) -> bool {
        (self.with)(failure)
    }

    fn pause(&self, attempt: u32) -> Option<Duration> {
        let pause = jittered(backoff(attempt).min(LONGEST_PATIENT_PAUSE));
        (deadline(pause) <= self.until).then_some(pause)
    }
}

impl Attempts {
    pub(super) fn new(shutdown: Shutdown) -> Self {
        Self::with(CONCURRENT, shutdown)
    }

    /// For a service that takes many requests at a time.
    pub(super) fn many(shutdown: Shutdown) -> Self {
        Self::with(CONCURRENT_STORAGE, shutdown)
    }

    fn with(slots: usize, shutdown: Shutdown) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(slots)),
            shutdown,
            deadline: None,
            rejection: Arc::default(),
        }
    }

    /// The same, but waiting on whatever the signals say.
    pub(super) fn heedless(&self) -> Self {
        Self {
            shutdown: Shutdown::never(),
            ..self.clone()
        }
    }

    /// The same, but no call is repeated after `deadline`.
    pub(super) fn until(&self, deadline: Instant) -> Self {
        Self {
            deadline: Some(deadline),
            ..self.clone()
        }
    }

    /// Makes the call once, when a slot is free.
    pub(super) async fn once<T>(&self, call: impl Future<Output = T>) -> T {
        // The semaphore is never closed, so there is no error; without a slot the call would only be early.
        let _slot = self.slots.acquire().await.ok();
        call.await
    }

    /// Makes the call until it succeeds, its failure is final or the budget is spent.
    pub(super) async fn run<T, E, F>(&self, call: impl Fn() -> F) -> Result<T, E>
    where
        E: Repeatable,
        F: Future<Output = Result<T, E>>,
    {
        self.patiently(None, call).await
    }

    /// The same, and with patience for what is known to be under way.
    pub(super) async fn patiently<T, E, F>(
        &self,
        patience: Option<Patience>,
        call: impl Fn() -> F,
    ) -> Result<T, E>
    where
        E: Repeatable,
        F: Future<Output = Result<T, E>>,
    {
        let mut streak = Streak::new();
        let mut end = None;
        let mut attempt = 0_u32;
        loop {
            attempt = attempt.saturating_add(1);
            let error = match ATTEMPT.scope(attempt, self.once(call())).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let pause = match patience.filter(|patience| patience.covers(error.failure())) {
                Some(patience) => {
                    streak = Streak::new();
                    patience.pause(attempt)
                }
                None => streak.pause(&error),
            };
            let end = *end.get_or_insert_with(|| Self::end(patience));
            let Some(pause) = pause.filter(|pause| deadline(*pause) <= end && self.is_in_time(*pause)) else {
                self.note(error.failure());
                return Err(error);
            };
            self.rest(pause, error).await?;
        }
    }

    /// The first call for which the service did not accept the credential, by this client or one that was made of it.
    pub(super) fn rejection(&self) -> Option<&Failure> {
        self.rejection.get()
    }

    fn note(&self, failure: &Failure) {
        if failure.kind == FailureKind::Unauthorized {
            // The first one is as good as any other.
            let _ = self.rejection.set(failure.clone());
        }
    }

    /// When a call that fails now for the first time is repeated no more.
    fn end(patience: Option<Patience>) -> Instant {
        let now = Instant::now();
        patience.map_or(now, |patience| patience.until.max(now)) + BUDGET
    }

    fn is_in_time(&self, pause: Duration) -> bool {
        self.deadline.is_none_or(|last| deadline(pause) <= last)
    }

    async fn rest<E: Repeatable>(&self, pause: Duration, error: E) -> Result<(), E> {
        announce(error.failure(), pause);
        let rested = self.shutdown.sleep(pause).await;
        rested.map_err(|_| E::from(error.failure().clone().interrupted()))
    }
}

impl Streak {
    fn new() -> Self {
        Self { failures: 0 }
    }

    /// How long to wait after one more failure; nothing when it is final.
    fn pause<E: Repeatable>(&mut self, error: &E) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        let asked = error.failure().wait;
        let pause = asked.unwrap_or_else(|| jittered(backoff(self.failures)));
        (error.may_repeat() && self.failures < ATTEMPTS).then_some(pause)
    }
}

fn backoff(attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

/// Any pause up to `longest`: full jitter keeps runs that failed together from coming back together.
fn jittered(longest: Duration) -> Duration {
    let share = getrandom::u32().map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX));
    longest.mul_f64(share)
}

fn announce(failure: &Failure, pause: Duration) {
    if pause > NOTICEABLE {
        tracing::info!("{failure}; trying again in {} s", pause.as_secs());
    } else {
        tracing::debug!("{failure}; trying again in {} ms", pause.as_millis());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::super::failure::Service;
    use super::super::shutdown::Cause;
    use super::*;

    fn failing(kind: FailureKind, wait: Option<Duration>) -> Failure {
        Failure {
            wait,
            ..Failure::new(Service::GitHub, "test", kind, "")
        }
    }

    async fn calls(attempts: &Attempts, failure: Failure, until: u32) -> (u32, Result<(), Failure>) {
        let count = AtomicU32::new(0);
        let call = || async {
            let made = count.fetch_add(1, Ordering::Relaxed) + 1;
            if made >= until {
                Ok(())
            } else {
                Err(failure.clone())
            }
        };
        let outcome = attempts.run(call).await;
        (count.load(Ordering::Relaxed), outcome)
    }

    #[tokio::test]
    async fn a_passing_failure_is_outlived() {
        let attempts = Attempts::new(Shutdown::never());
        let soon = Some(Duration::from_millis(1));
        let (made, outcome) = calls(&attempts, failing(FailureKind::Unavailable, soon), 3).await;
        assert_eq!((made, outcome.is_ok()), (3, true));
    }

    #[tokio::test]
    async fn five_attempts_and_no_more() {
        let attempts = Attempts::new(Shutdown::never());
        let soon = Some(Duration::from_millis(1));
        let (made, outcome) = calls(&attempts, failing(FailureKind::RateLimited, soon), u32::MAX).await;
        assert_eq!(
            (made, outcome.map_err(|failure| failure.kind)),
            (ATTEMPTS, Err(FailureKind::RateLimited))
        );
    }

    #[tokio::test]
    async fn a_refusal_is_final_and_so_is_a_wait_beyond_the_budget() {
        let attempts = Attempts::new(Shutdown::never());
        let refused = failing(FailureKind::Forbidden { needs: None }, None);
        assert_eq!(calls(&attempts, refused, u32::MAX).await.0, 1);
        for wait in [
            Duration::from_hours(24),
            Duration::from_secs(u64::MAX),
            Duration::MAX,
        ] {
            let limited = failing(FailureKind::RateLimited, Some(wait));
            assert_eq!(calls(&attempts, limited.clone(), u32::MAX).await.0, 1);
            let bounded = attempts.until(Instant::now() + BUDGET);
            assert_eq!(calls(&bounded, limited, u32::MAX).await.0, 1);
        }
        let vast = failing(FailureKind::Excessive, None);
        assert_eq!(calls(&attempts, vast, u32::MAX).await.0, 1);
    }

    /// Failures of two kinds in turn: one counts as under way, the other begins a streak of its own each time.
    #[tokio::test(start_paused = true)]
    async fn a_whole_call_ends_however_its_failures_alternate() {
        let (count, begun) = (AtomicU32::new(0), Instant::now());
        let call = || async {
            let kind = match count.fetch_add(1, Ordering::Relaxed) % 2 {
                0 => FailureKind::NotFound,
                _ => FailureKind::RateLimited,
            };
            Err::<(), _>(failing(kind, Some(Duration::from_secs(30))))
        };
        let absent = |failure: &Failure| failure.kind == FailureKind::NotFound;
        let patience = Patience::lasting(Duration::from_mins(5), absent);
        let attempts = Attempts::new(Shutdown::never());
        assert!(attempts.patiently(Some(patience), call).await.is_err());
        assert!(begun.elapsed() <= Duration::from_mins(5) + BUDGET);
    }

    #[tokio::test]
    async fn a_signal_ends_the_wait_but_not_the_first_attempt() {
        let (trigger, shutdown) = Shutdown::new();
        trigger.pull(Cause::Signal);
        let (made, outcome) = calls(
            &Attempts::new(shutdown),
            failing(FailureKind::Unavailable, None),
            9,
        )
        .await;
        assert_eq!(
            (made, outcome.map_err(|failure| failure.kind)),
            (1, Err(FailureKind::Interrupted))
        );
    }

    #[tokio::test]
    async fn no_attempt_begins_after_the_deadline() {
        let attempts = Attempts::new(Shutdown::never()).until(Instant::now() + Duration::from_millis(50));
        let soon = Some(Duration::from_millis(30));
        let (made, _) = calls(&attempts, failing(FailureKind::Unavailable, soon), u32::MAX).await;
        assert_eq!(made, 2);
    }

    #[tokio::test]
    async fn what_is_under_way_does_not_count_as_a_failure() {
        let count = AtomicU32::new(0);
        let call = || async {
            let kind = match count.fetch_add(1, Ordering::Relaxed) {
                0..4 => FailureKind::NotFound,
                4..7 => FailureKind::Unavailable,
                _ => return Ok(()),
            };
            Err(failing(kind, Some(Duration::from_millis(1))))
        };
        let absent = |failure: &Failure| failure.kind == FailureKind::NotFound;
        let patience = Patience::lasting(BUDGET, absent);
        let outcome = Attempts::new(Shutdown::never())
            .patiently(Some(patience), call)
            .await;
        assert!(outcome.is_ok(), "{outcome:?}");
    }

    #[test]
    fn pauses_double_up_to_the_cap() {
        assert_eq!(backoff(1), FIRST_PAUSE);
        assert_eq!(backoff(3), FIRST_PAUSE * 4);
        assert_eq!(backoff(40), LONGEST_PAUSE);
        assert!(jittered(LONGEST_PAUSE) <= LONGEST_PAUSE);
    }
}
