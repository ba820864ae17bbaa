//! The wish to stop, made known to everything that waits.

use std::fmt;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Sets off the shutdown; held by whoever hears the signals and watches the clock.
#[derive(Debug, Clone)]
pub struct Trigger(watch::Sender<Option<Asked>>);

/// Tells whether the process was asked to stop.
///
/// It ends waits, not requests: a call that has begun is answered, and the first attempt of a call is made even after
/// the signal, so that a key can still be deleted on the way out.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<Option<Asked>>);

/// Why the process was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Somebody has sent a signal.
    Signal,
    /// The run has lasted for as long as it may.
    RunTimeout,
    /// What the run was about is over; only what it must not leave behind is still waited for.
    Farewell,
}

/// The process was asked to stop while it waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped by {0}")]
pub struct Interrupted(pub Cause);

/// The first wish, which is the one that counts.
#[derive(Debug, Clone, Copy)]
struct Asked {
    at: Instant,
    cause: Cause,
}

impl Trigger {
    /// Asks everything to stop. Asking again changes nothing.
    pub fn pull(&self, cause: Cause) {
        self.0.send_if_modified(|asked| {
            let first = asked.is_none();
            asked.get_or_insert_with(|| Asked {
                at: Instant::now(),
                cause,
            });
            first
        });
    }
}

impl Shutdown {
    /// A shutdown and what sets it off.
    #[must_use]
    pub fn new() -> (Trigger, Self) {
        let (sender, receiver) = watch::channel(None);
        (Trigger(sender), Self(receiver))
    }

    /// A shutdown that never comes: for the work that must be finished on the way out.
    #[must_use]
    pub fn never() -> Self {
        Self::new().1
    }

    /// Whether the process was asked to stop.
    #[must_use]
    pub fn requested(&self) -> bool {
        self.cause().is_some()
    }

    /// Why the process was asked to stop, if it was.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        self.0.borrow().map(|asked| asked.cause)
    }

    /// Returns when the process is asked to stop, and tells why; never, if nobody can ask any more.
    pub async fn wait(&self) -> Cause {
        self.asked().await.cause
    }

    /// Returns when `span` has passed since the process was asked to stop: what is not done by then is given up, while
    /// there is still time to tell.
    pub async fn overdue(&self, span: Duration) -> Cause {
        let Asked { at, cause } = self.asked().await;
        tokio::time::sleep(span.saturating_sub(at.elapsed())).await;
        cause
    }

    /// What the work comes to, unless it goes on for longer than `span` after the process was asked to stop.
    pub async fn within<T>(&self, span: Duration, work: impl Future<Output = T>) -> Result<T, Interrupted> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            cause = self.overdue(span) => Err(Interrupted(cause)),
        }
    }

    /// Sleeps for `span`, or less when the process is asked to stop.
    pub async fn sleep(&self, span: Duration) -> Result<(), Interrupted> {
        tokio::select! {
            biased;
            cause = self.wait() => Err(Interrupted(cause)),
            () = tokio::time::sleep(span) => Ok(()),
        }
    }

    async fn asked(&self) -> Asked {
        let mut requested = self.0.clone();
        let asked = requested
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|asked| *asked);
        match asked {
            Some(asked) => asked,
            None => std::future::pending().await,
        }
    }
}

impl fmt::Display for Cause {
    /// What goes on with "stopped the run".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signal => "a signal",
            Self::RunTimeout => "run-timeout",
            Self::Farewell => "its end",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_signal_ends_a_sleep_and_every_later_one() {
        let (trigger, shutdown) = Shutdown::new();
        assert!(!shutdown.requested());
        trigger.pull(Cause::Signal);
        let interrupted = Err(Interrupted(Cause::Signal));
        assert_eq!(shutdown.sleep(Duration::from_hours(1)).await, interrupted);
        assert!(shutdown.clone().requested());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_overdue_counts_from_the_first_wish_which_gives_the_cause() {
        let (trigger, shutdown) = Shutdown::new();
        let begun = Instant::now();
        trigger.pull(Cause::RunTimeout);
        tokio::time::sleep(Duration::from_secs(2)).await;
        trigger.pull(Cause::Signal);
        assert_eq!(shutdown.overdue(Duration::from_secs(5)).await, Cause::RunTimeout);
        assert_eq!(begun.elapsed(), Duration::from_secs(5));
    }

    #[tokio::test]
    async fn without_a_trigger_a_sleep_ends_by_itself() {
        assert_eq!(Shutdown::never().sleep(Duration::from_millis(1)).await, Ok(()));
    }
}
