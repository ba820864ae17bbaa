//! CDN endpoints: `/v2/cdn/endpoints`. The whole family takes five calls in ten seconds.

use std::time::Duration;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::deadline::deadline;
use super::super::failure::{Failure, FailureKind};
use super::super::json;
use super::super::pacing::Pace;
use super::super::page::{Listed, Page};
use super::{Call, DigitalOcean, segment};
use crate::model::cdn::{CdnEndpoint, CdnWish};

const ENDPOINTS: &str = "/v2/cdn/endpoints";

/// The largest page that the API gives.
const PER_PAGE: usize = 200;

/// The limit of the family, by the responses' own headers (terraform-provider-digitalocean#1086).
const CALLS: usize = 5;
const WITHIN: Duration = Duration::from_secs(10);

/// How long a new endpoint may be missing from the list; Terraform's provider waits for as long.
const VISIBLE_WITHIN: Duration = Duration::from_secs(30);

/// The pause between two looks for it: the limit of the family.
const LOOK: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Reply {
    endpoint: Wire,
}

/// Domain and certificate are left out where there is none (`resources/cdn/models` of digitalocean/openapi).
#[derive(Deserialize)]
struct Wire {
    #[serde(deserialize_with = "json::id")]
    id: String,
    origin: String,
    /// Its address; the request parameters call it a response-only field (`cdn_endpoint.yml` of digitalocean/openapi).
    endpoint: String,
    ttl: u32,
    #[serde(default)]
    custom_domain: Option<String>,
    #[serde(default)]
    certificate_id: Option<String>,
}

impl Listed for Wire {
    const FIELD: &'static str = "endpoints";
    const COUNTED: bool = false;

    fn identity(&self) -> String {
        self.id.clone()
    }
}

/// The pace of the whole family of calls.
pub(super) fn pace() -> Pace {
    Pace::new(CALLS, WITHIN)
}

impl DigitalOcean {
    /// Every CDN endpoint of the account; there is no lookup by origin.
    pub async fn cdn_endpoints(&self) -> Result<Vec<CdnEndpoint>, Failure> {
        let subject = "list CDN endpoints";
        let page = |number| async move {
            self.cdn_pace.turn().await;
            let path = format!("{ENDPOINTS}?per_page={PER_PAGE}&page={number}");
            self.get::<Page<Wire>>(subject, path).await
        };
        let listed = self.list_of(subject).whole(page).await?;
        Ok(listed.into_iter().map(CdnEndpoint::from).collect())
    }

    /// Makes an endpoint for a bucket. One that exists already, by someone else or by an attempt of ours whose reply was
    /// lost, is brought in line instead.
    pub async fn create_cdn(&self, origin: &str, wish: &CdnWish) -> Result<CdnEndpoint, Failure> {
        let subject = format!("create the CDN endpoint of {origin}");
        let mut body = settings(wish);
        body["origin"] = json!(origin);
        let call = Call::new(&subject, Method::POST, ENDPOINTS).with(body);
        match self.write_cdn(&call).await {
            // "cdn already enabled" (community.digitalocean#267)
            Err(failure) if failure.kind == FailureKind::Conflict => {
                self.adopt_cdn(origin, wish, failure).await
            }
            answered => answered,
        }
    }

    /// Changes an endpoint to what is wanted; what is not wanted otherwise stays.
    pub async fn change_cdn(&self, id: &str, wish: &CdnWish) -> Result<CdnEndpoint, Failure> {
        let subject = format!("change CDN endpoint {id}");
        let path = format!("{ENDPOINTS}/{}", segment(id));
        self.write_cdn(&Call::new(&subject, Method::PUT, path).with(settings(wish)))
            .await
    }

    /// Empties the cache of an endpoint: everything in it is asked for anew.
    pub async fn purge_cdn(&self, id: &str) -> Result<(), Failure> {
        let subject = format!("purge the cache of CDN endpoint {id}");
        let path = format!("{ENDPOINTS}/{}/cache", segment(id));
        let call = Call::new(&subject, Method::DELETE, path).with(json!({ "files": ["*"] }));
        let purge = || async {
            self.cdn_pace.turn().await;
            self.carry_out(&call).await
        };
        self.attempts.run(purge).await
    }

    async fn adopt_cdn(
        &self,
        origin: &str,
        wish: &CdnWish,
        refused: Failure,
    ) -> Result<CdnEndpoint, Failure> {
        let last = deadline(VISIBLE_WITHIN);
        loop {
            match self.cdn_of(origin).await? {
                Some(endpoint) if endpoint.fits(wish) => return Ok(endpoint),
                Some(endpoint) => return self.change_cdn(&endpoint.id, wish).await,
                None if deadline(LOOK) >= last => return Err(refused),
                None => tokio::time::sleep(LOOK).await,
            }
        }
    }

    async fn cdn_of(&self, origin: &str) -> Result<Option<CdnEndpoint>, Failure> {
        let endpoints = self.cdn_endpoints().await?;
        Ok(endpoints
            .into_iter()
            .find(|endpoint| endpoint.origin.eq_ignore_ascii_case(origin)))
    }

    async fn write_cdn(&self, call: &Call<'_>) -> Result<CdnEndpoint, Failure> {
        self.cdn_pace.turn().await;
        let reply: Reply = self.ask(call).await?;
        Ok(reply.endpoint.into())
    }
}

fn settings(wish: &CdnWish) -> Value {
    let mut body = json!({});
    if let Some(ttl) = wish.ttl {
        body["ttl"] = json!(ttl.seconds());
    }
    if let Some(domain) = &wish.domain {
        body["custom_domain"] = json!(domain.name);
        body["certificate_id"] = json!(domain.certificate_id);
    }
    body
}

impl From<Wire> for CdnEndpoint {
    fn from(wire: Wire) -> Self {
        let Wire {
            id,
            origin,
            endpoint,
            ttl,
            custom_domain,
            certificate_id,
        } = wire;
        let set = |text: Option<String>| text.filter(|text| !text.is_empty());
        Self {
            id,
            origin,
            host: endpoint,
            ttl,
            custom_domain: set(custom_domain),
            certificate_id: set(certificate_id),
        }
    }
}
