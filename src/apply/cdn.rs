//! CDN endpoints: made or changed, and announced when the list shows them.

use super::buckets::{BucketWork, CdnAddresses, LOOKS};
use crate::model::bucket::BucketName;
use crate::model::cdn::CdnEndpoint;
use crate::model::problem::Problem;
use crate::plan::bucket::CdnChange;
use crate::plan::{BucketAction, BucketPlan};
use crate::remedy::problem;
use crate::remote::Failure;

impl BucketWork<'_> {
    /// The address of the endpoint, as the reply has it. Whether it stands is seen in the [list](Self::seen_cdn).
    pub(super) async fn put_cdn(&self, name: &BucketName, change: &CdnChange) -> Result<String, Problem> {
        let CdnChange {
            existing,
            origin,
            wish,
        } = change;
        let Some(digitalocean) = self.digitalocean else {
            let what = "its CDN endpoint cannot be made: there is no digitalocean-token";
            return Err(Problem::new(
                format!("bucket {name}"),
                what,
                "Give digitalocean-token (scopes cdn:read, cdn:create, cdn:update).",
            ));
        };
        let written = match existing {
            Some(id) => digitalocean.change_cdn(id, wish).await,
            None => digitalocean.create_cdn(origin, wish).await,
        };
        let endpoint = written.map_err(|failure| problem(&failure))?;
        if change.is_met_by(&endpoint) {
            Ok(endpoint.url(wish))
        } else {
            Err(cdn_differs(name))
        }
    }

    /// Those of the endpoints that the list shows as they were answered; each of the others is told. One list serves all
    /// buckets, for half a minute: the API takes few such calls, and a new endpoint may be missing at first.
    pub(super) async fn seen_cdn(&self, plans: &[BucketPlan], mut answered: CdnAddresses) -> CdnAddresses {
        let Some(digitalocean) = self.digitalocean.filter(|_| !answered.is_empty()) else {
            return answered;
        };
        let mut looks = LOOKS.into_iter();
        let missing = loop {
            let listed = digitalocean.cdn_endpoints().await;
            let missing = unseen(plans, &answered, listed.as_deref());
            match looks.next() {
                Some(pause) if !missing.is_empty() => tokio::time::sleep(pause).await,
                _ => break missing,
            }
        };
        for (name, problem) in missing {
            answered.remove(&name);
            self.ledger.failed(problem);
        }
        answered
    }
}

/// The endpoints that the list does not show as they were answered, each with what to say of it.
fn unseen(
    plans: &[BucketPlan],
    answered: &CdnAddresses,
    listed: Result<&[CdnEndpoint], &Failure>,
) -> Vec<(BucketName, Problem)> {
    let changes = plans
        .iter()
        .flat_map(|plan| plan.actions.iter().map(move |action| (&plan.name, action)));
    let unseen = changes.filter_map(|(name, action)| {
        let (BucketAction::Cdn(change), Some(address)) = (action, answered.get(name)) else {
            return None;
        };
        let problem = match listed {
            Ok(listed)
                if listed
                    .iter()
                    .any(|one| change.is_met_by(one) && one.url(&change.wish) == *address) =>
            {
                return None;
            }
            Ok(_) => not_listed(name),
            Err(failure) => problem(failure),
        };
        Some((name.clone(), problem))
    });
    unseen.collect()
}

fn cdn_differs(name: &BucketName) -> Problem {
    let what = "DigitalOcean accepted the settings of the CDN endpoint, but answers with others";
    let remedy = "Run again; if it stays, look at the endpoint in the control panel.";
    Problem::new(format!("bucket {name}"), what, remedy)
}

fn not_listed(name: &BucketName) -> Problem {
    let what = "DigitalOcean accepted the settings of the CDN endpoint, but its list does not show an endpoint with them";
    let remedy = "Run again; if it stays, look at the endpoint in the control panel. Its address is announced nowhere.";
    Problem::new(format!("bucket {name}"), what, remedy)
}
