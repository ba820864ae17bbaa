//! What stands of the buckets, told by those who work on them to those who write what names them.

use tokio::sync::watch;

use crate::plan::standing::Standing;

/// What stands now, and whether the work on it is over.
#[derive(Debug, Default)]
struct Stage {
    standing: Standing,
    under_way: bool,
}

/// The buckets and CDN endpoints of a run, as far as they stand at any moment.
#[derive(Debug)]
pub(crate) struct Landmarks(watch::Sender<Stage>);

impl Default for Landmarks {
    fn default() -> Self {
        Self(watch::Sender::new(Stage::default()))
    }
}

impl Landmarks {
    /// The buckets are made; their settings and CDN endpoints are still worked on.
    pub(crate) fn are_made(&self, standing: Standing) {
        self.0.send_replace(Stage {
            standing,
            under_way: true,
        });
    }

    /// All work on buckets is over.
    pub(crate) fn are_settled(&self, standing: Standing) {
        self.0.send_replace(Stage {
            standing,
            under_way: false,
        });
    }

    /// What stands now.
    pub(crate) fn standing(&self) -> Standing {
        self.0.borrow().standing.clone()
    }

    /// What stands when all work on buckets is over.
    pub(crate) async fn settled(&self) -> Standing {
        let mut stages = self.0.subscribe();
        // The sender is `self`, so it cannot go away meanwhile.
        match stages.wait_for(|stage| !stage.under_way).await {
            Ok(stage) => stage.standing.clone(),
            Err(_) => self.standing(),
        }
    }
}
