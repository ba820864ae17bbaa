//! Requests that a fault keeps waiting.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::journal::Entry;

/// The requests held at the moment.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    held: Mutex<Vec<Held>>,
    arrived: Condvar,
}

#[derive(Debug)]
struct Held {
    entry: Entry,
    release: oneshot::Sender<()>,
}

impl Holds {
    /// Waits until the request is released; `false` if it was dropped instead.
    pub(crate) async fn hold(&self, entry: &Entry) -> bool {
        let (release, released) = oneshot::channel();
        self.lock().push(Held {
            entry: entry.clone(),
            release,
        });
        self.arrived.notify_all();
        released.await.is_ok()
    }

    /// Blocks until a request is held and returns the one held longest.
    pub(crate) fn wait(&self, timeout: Duration) -> Option<Entry> {
        let (held, _) = self
            .arrived
            .wait_timeout_while(self.lock(), timeout, |held| held.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        held.first().map(|held| held.entry.clone())
    }

    /// Lets every held request go on.
    pub(crate) fn release(&self) {
        for held in self.lock().drain(..) {
            // A receiver is only gone when the sandbox is stopping.
            let _ = held.release.send(());
        }
    }

    /// Forgets every held request: it never takes effect.
    pub(crate) fn drop_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
