//! Moments that are yet to come.

use std::time::Duration;

use tokio::time::Instant;

/// Longer than any process waits, and short enough to be added to any clock: the addition panics beyond its end.
const NEVER: Duration = Duration::from_hours(30 * 365 * 24);

/// The moment that lies `span` ahead, whoever has named the span; one of more than 30 years is taken for as many.
#[must_use]
pub fn deadline(span: Duration) -> Instant {
    Instant::now() + span.min(NEVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_span_without_end_is_a_late_deadline() {
        assert!(deadline(Duration::MAX) > deadline(Duration::from_hours(24 * 3650)));
        assert_eq!(
            deadline(Duration::from_secs(5)) - Instant::now(),
            Duration::from_secs(5)
        );
    }
}
