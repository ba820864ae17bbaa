//! Panics. Each is a bug, told by its place alone: what it says of itself may quote a secret.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};

use futures_util::FutureExt;
use tokio::task::JoinError;

use crate::model::problem::Problem;

thread_local! {
    /// Where this thread has panicked last.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A panic of Spacekeeper, or of a library below it, that was caught.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bug {
    place: Option<String>,
}

/// Lets panics be silent from now on: whoever catches one tells it. The process must catch them all.
pub fn keep_panics_silent() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(spoken);
        PLACE.with_borrow_mut(|last| *last = place);
    }));
}

/// Does the work, and takes a panic for what it is.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Bug> {
    catch_unwind(AssertUnwindSafe(work)).map_err(Bug::of)
}

/// The same with a future. What it held is given back when this returns, and nothing of it is looked at any more but what
/// can be seen half done: ledgers, and locks that are let go.
pub async fn caught_in<T>(work: impl Future<Output = T>) -> Result<T, Bug> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(Bug::of)
}

impl Bug {
    /// The panic of this thread that was caught a moment ago. Its payload is dropped unseen.
    #[must_use]
    pub fn of(_: Box<dyn Any + Send>) -> Self {
        Self { place: PLACE.take() }
    }

    /// The panic that has ended a task of this thread.
    #[must_use]
    pub fn of_task(_: JoinError) -> Self {
        Self { place: PLACE.take() }
    }

    /// What to tell of it, and of what it broke off.
    #[must_use]
    pub fn problem(&self, subject: &str) -> Problem {
        let place = self.place.as_deref().unwrap_or("a place that is not known");
        let what = format!("it broke off at {place}: this is a bug in Spacekeeper");
        let remedy = "Report it with this place and the version. Run again: it goes on from what it finds.";
        Problem::new(subject, what, remedy)
    }
}

fn spoken(place: &Location<'_>) -> String {
    format!("{}:{}", within(place.file()), place.line())
}

/// The path of a source file within its package, without where the machine that built us keeps packages.
fn within(path: &str) -> &str {
    let of_a_crate = path
        .split_once("/registry/src/")
        .and_then(|(_, rest)| rest.split_once('/'));
    let of_rust = || path.split_once("/library/");
    of_a_crate.or_else(of_rust).map_or(path, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_within_its_package() {
        let sigv4 = "/build/.cargo/registry/src/a-registry-1949cf8c6b5b557f/aws-sigv4-1.6.4/src/sign.rs";
        assert_eq!(within(sigv4), "aws-sigv4-1.6.4/src/sign.rs");
        assert_eq!(within("/rustc/0a1b/library/core/src/time.rs"), "core/src/time.rs");
        assert_eq!(within("src/job/mod.rs"), "src/job/mod.rs");
    }

    #[tokio::test]
    async fn a_panic_is_caught_and_its_payload_is_not_told() {
        let hurt = async { panic!("a payload with a canary-of-a-secret") };
        let bug = caught_in::<()>(hurt).await.expect_err("it panicked");
        let told = bug.problem("this run").to_string();
        assert!(
            told.contains("bug in Spacekeeper") && !told.contains("canary"),
            "{told}"
        );
        assert_eq!(caught(|| 7), Ok(7));
    }
}
