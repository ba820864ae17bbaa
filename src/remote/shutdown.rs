//! The wish to stop, made known to everything that waits.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Sets off the shutdown; held by whoever hears the signals.
#[derive(Debug, Clone)]
pub struct Trigger(watch::Sender<Option<Instant>>);

/// Tells whether the process was asked to stop.
///
/// It ends waits, not requests: a call that has begun is answered, and the first attempt of a call is made even after
/// the signal, so that a key can still be deleted on the way out.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<Option<Instant>>);

/// The process was asked to stop while it waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped by a signal")]
pub struct Interrupted;

impl Trigger {
    /// Asks everything to stop. Asking again changes nothing.
    pub fn pull(&self) {
        self.0.send_if_modified(|asked| {
            let first = asked.is_none();
            asked.get_or_insert_with(Instant::now);
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
        self.0.borrow().is_some()
    }

    /// Returns when the process is asked to stop; never, if nobody can ask any more.
    pub async fn wait(&self) {
        let mut requested = self.0.clone();
        if requested.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Returns when `span` has passed since the process was asked to stop: what is not done by then is given up, while
    /// there is still time to tell.
    pub async fn overdue(&self, span: Duration) {
        self.wait().await;
        let asked = *self.0.borrow();
        tokio::time::sleep_until(asked.unwrap_or_else(Instant::now) + span).await;
    }

    /// Sleeps for `span`, or less when the process is asked to stop.
    pub async fn sleep(&self, span: Duration) -> Result<(), Interrupted> {
        tokio::select! {
            biased;
            () = self.wait() => Err(Interrupted),
            () = tokio::time::sleep(span) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_signal_ends_a_sleep_and_every_later_one() {
        let (trigger, shutdown) = Shutdown::new();
        assert!(!shutdown.requested());
        trigger.pull();
        assert_eq!(shutdown.sleep(Duration::from_hours(1)).await, Err(Interrupted));
        assert!(shutdown.clone().requested());
    }

    #[tokio::test]
    async fn what_is_overdue_counts_from_the_first_signal() {
        let (trigger, shutdown) = Shutdown::new();
        trigger.pull();
        let asked = *shutdown.0.borrow();
        tokio::time::sleep(Duration::from_millis(2)).await;
        trigger.pull();
        assert_eq!(*shutdown.0.borrow(), asked);
        shutdown.overdue(Duration::from_millis(1)).await;
    }

    #[tokio::test]
    async fn without_a_trigger_a_sleep_ends_by_itself() {
        assert_eq!(Shutdown::never().sleep(Duration::from_millis(1)).await, Ok(()));
    }
}
