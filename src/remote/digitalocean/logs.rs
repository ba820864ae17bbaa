//! The end of a deployment's log, for the person who must find out why it failed.

use serde::Deserialize;

use super::super::failure::{Failure, Service};
use super::super::foreign_url::ForeignUrl;
use super::super::json::null_is_empty;
use super::super::no_reply::NoReply;
use super::super::transport::host;
use super::{DigitalOcean, not_found, segment};
use crate::scrub::scrubbed;

/// How much of a log's end is kept, in bytes.
const TAIL: usize = 64 * 1024;

/// How much of a log is read for its end, in bytes; a host that ignores `Range` sends all of it.
const READ_MAX: usize = 8 * 1024 * 1024;

/// The kinds of log that may tell of a failure, the later stage first.
const KINDS: [&str; 2] = ["DEPLOY", "BUILD"];

/// Where a log is kept. The hosts are not DigitalOcean's API.
#[derive(Deserialize)]
struct LogPlaces {
    #[serde(default, deserialize_with = "null_is_empty")]
    historic_urls: Vec<String>,
    #[serde(default)]
    live_url: Option<String>,
}

impl DigitalOcean {
    /// The last `lines` of a deployment's log, of one component or of all: what was said while deploying or, if nothing
    /// was, while building. Untrusted text. Best effort: for showing, not for deciding.
    pub async fn log_tail(
        &self,
        app_id: &str,
        deployment_id: &str,
        component: Option<&str>,
        lines: usize,
    ) -> Result<Vec<String>, Failure> {
        let subject = format!("read the log of deployment {deployment_id}");
        let path = logs_path(app_id, deployment_id, component);
        let mut failure = not_found(&subject, "no log was kept");
        for kind in KINDS {
            match self.log_of_kind(&subject, &path, kind, lines).await {
                Ok(tail) if tail.iter().any(|line| !line.trim().is_empty()) => return Ok(tail),
                Ok(_) => {}
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn log_of_kind(
        &self,
        subject: &str,
        path: &str,
        kind: &str,
        lines: usize,
    ) -> Result<Vec<String>, Failure> {
        let places: LogPlaces = self
            .get(subject, format!("{path}?type={kind}&follow=false"))
            .await?;
        let Some(place) = places.newest() else {
            return Ok(Vec::new());
        };
        let place = ForeignUrl::parse(&place, &self.base)
            .map_err(|why| Failure::malformed(Service::DigitalOcean, subject, &why.to_string()))?;
        let unanswered = |why| Failure::unanswered(Service::DigitalOcean, subject, &why);
        let text = self.fetch_tail(place).await.map_err(unanswered)?;
        // Before the lines are parted: a secret may run over their ends.
        let text = scrubbed(&text);
        let all: Vec<_> = text.lines().map(str::to_owned).collect();
        Ok(all[all.len().saturating_sub(lines)..].to_vec())
    }

    /// Reads the end of a text at a foreign host, without our token.
    async fn fetch_tail(&self, place: ForeignUrl) -> Result<String, NoReply> {
        let response = self.transport.open(place, &format!("bytes=-{TAIL}")).await?;
        if response.status().is_success() {
            tail(response).await
        } else {
            let why = format!("status {}", response.status().as_u16());
            Err(NoReply::lost(host(response.url()), why))
        }
    }
}

impl LogPlaces {
    /// The last of the historic ones, or what is being written now.
    fn newest(self) -> Option<String> {
        let historic = self.historic_urls.into_iter().next_back();
        historic.or(self.live_url).filter(|url| !url.is_empty())
    }
}

/// The end of a body, of which no more than that is held at a time.
async fn tail(mut response: reqwest::Response) -> Result<String, NoReply> {
    let (mut tail, mut read) = (Vec::new(), 0);
    let host = host(response.url());
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| NoReply::of(&host, error))?
    {
        read += chunk.len();
        tail.extend_from_slice(&chunk);
        tail.drain(..tail.len().saturating_sub(TAIL));
        if read > READ_MAX {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&tail).into_owned())
}

/// The logs of one component, or those of all together.
fn logs_path(app_id: &str, deployment_id: &str, component: Option<&str>) -> String {
    let deployment = format!(
        "/v2/apps/{}/deployments/{}",
        segment(app_id),
        segment(deployment_id)
    );
    match component {
        Some(component) => format!("{deployment}/components/{}/logs", segment(component)),
        None => format!("{deployment}/logs"),
    }
}
