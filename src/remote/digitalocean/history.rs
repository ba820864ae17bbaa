//! The deployments of an app, from the newest as far back as somebody wants to know them.

use serde::Deserialize;

use super::super::failure::Failure;
use super::super::page::{Listed, Page};
use super::super::paging::Stretch;
use super::deployments::{Deployment, WireDeployment};
use super::{DigitalOcean, segment};

/// Deployments a page: each comes with its spec and steps, tens of kilobytes.
const PER_PAGE: usize = 20;

/// How many deployments are read at most: with a grace period of a day, those of an app that is deployed every two
/// minutes.
pub const HISTORY_MAX: usize = 1_000;

#[derive(Deserialize)]
#[serde(try_from = "WireDeployment")]
struct Past(Deployment);

impl TryFrom<WireDeployment> for Past {
    type Error = Box<str>;

    fn try_from(wire: WireDeployment) -> Result<Self, Self::Error> {
        wire.read("list deployments")
            .map(Self)
            .map_err(|failure| failure.detail)
    }
}

impl Listed for Past {
    const FIELD: &'static str = "deployments";
    const COUNTED: bool = false;

    fn identity(&self) -> String {
        self.0.id.clone()
    }
}

/// What was read of an app's deployments.
#[derive(Debug, Clone)]
pub struct Deployments {
    /// Newest first.
    pub items: Vec<Deployment>,
    /// Whether older ones were left unread although more was wanted: there are more than [`HISTORY_MAX`].
    pub limited: bool,
}

impl DigitalOcean {
    /// The deployments of an app, newest first, page after page until those read are `enough`, there are no more, or
    /// [`HISTORY_MAX`] are read.
    pub async fn deployments_back(
        &self,
        app_id: &str,
        enough: impl Fn(&[&Deployment]) -> bool,
    ) -> Result<Deployments, Failure> {
        let subject = format!("list deployments of app {app_id}");
        let path = format!("/v2/apps/{}/deployments", segment(app_id));
        let page =
            |number| self.get::<Page<Past>>(&subject, format!("{path}?per_page={PER_PAGE}&page={number}"));
        let is_enough = |read: &[Past]| enough(&read.iter().map(|Past(one)| one).collect::<Vec<_>>());
        let pages_max = HISTORY_MAX / PER_PAGE;
        let list = self.list_of(&subject);
        let Stretch { items, limited } = list.back(page, pages_max, is_enough).await?;
        Ok(Deployments {
            items: items.into_iter().map(|Past(one)| one).collect(),
            limited,
        })
    }
}
