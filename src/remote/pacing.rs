//! So many calls in so long a time, and no more.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// Lets calls begin no faster than a limit allows. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    calls: usize,
    within: Duration,
    begun: Arc<Mutex<VecDeque<Instant>>>,
}

impl Pace {
    /// So many calls within any span of this length.
    pub(super) fn new(calls: usize, within: Duration) -> Self {
        Self {
            calls,
            within,
            begun: Arc::default(),
        }
    }

    /// Returns when the next call may begin. Those who wait go in the order in which they came.
    pub(super) async fn turn(&self) {
        let mut begun = self.begun.lock().await;
        if begun.len() >= self.calls
            && let Some(oldest) = begun.pop_front()
        {
            tokio::time::sleep_until(oldest + self.within).await;
        }
        begun.push_back(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_sixth_call_waits_for_the_first_to_be_ten_seconds_past() {
        let (pace, start) = (Pace::new(5, Duration::from_secs(10)), Instant::now());
        for _ in 0..5 {
            pace.turn().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        pace.turn().await;
        assert_eq!(start.elapsed(), Duration::from_secs(10));
        pace.turn().await;
        assert_eq!(
            start.elapsed(),
            Duration::from_secs(10),
            "the second one is past as well"
        );
    }
}
