//! Deployment logs: the links that the API gives, and the texts behind them.

use bytes::Bytes;
use http::{Request, StatusCode, header};
use serde_json::json;

use super::call::{Call, segments};
use super::deployment::{Course, Deployment, Phase};
use super::refusal::Refusal;
use super::spec;
use crate::clock::rfc3339;
use crate::reply::Reply;
use crate::world::World;

/// First segment of the paths that log texts are served under. In life they are
/// on another host, so they take no token.
const LOGS: &str = "logs";

/// `GET …/logs?type=BUILD|DEPLOY|RUN`: links to the text.
pub(super) fn answer(world: &World, call: &Call, app: usize, id: &str) -> Result<Reply, Refusal> {
    call.needs("app:read")?;
    let deployment = world.digitalocean.apps[app].deployment(id);
    let deployment = deployment.ok_or_else(Refusal::not_found)?;
    let kind = call.parameter("type").unwrap_or("UNSPECIFIED");
    if !["BUILD", "DEPLOY", "RUN"].contains(&kind) {
        return Err(Refusal::bad_request("type must be BUILD, DEPLOY or RUN"));
    }
    let own = &world.digitalocean.log_host;
    let host = world.switches.log_url.as_ref().unwrap_or(own);
    let url = format!("{host}/{LOGS}/{id}/{kind}");
    let mut body = json!({ "historic_urls": [url] });
    if !deployment.phase.is_terminal() {
        body["live_url"] = json!(url);
    }
    Ok(Reply::json(StatusCode::OK, &body))
}

/// The text behind a link; `None` if the path is no such link.
pub(super) fn text(world: &mut World, request: &Request<Bytes>) -> Option<Reply> {
    let segments = segments(request.uri().path());
    let [LOGS, id, kind] = *segments.iter().map(String::as_str).collect::<Vec<_>>() else {
        return None;
    };
    if request.headers().contains_key(header::AUTHORIZATION) {
        world
            .violations
            .push("a token was sent to the host of the logs".to_owned());
    }
    let mut apps = world.digitalocean.apps.iter();
    let Some(deployment) = apps.find_map(|app| app.deployment(id)) else {
        return Some(Reply::empty(StatusCode::NOT_FOUND));
    };
    let text = lines(deployment, kind).join("\n") + "\n";
    Some(Reply::new(StatusCode::OK, "text/plain", text))
}

fn lines(deployment: &Deployment, kind: &str) -> Vec<String> {
    let phase = if kind == "BUILD" {
        Phase::Building
    } else {
        Phase::Deploying
    };
    if deployment.reached < phase {
        return Vec::new();
    }
    let at = rfc3339(deployment.updated_at);
    let components = spec::component_names(&deployment.spec);
    let mut lines: Vec<String> = components
        .iter()
        .map(|component| format!("{component} {at} {}", doing(phase)))
        .collect();
    if let Course::Fails(failure) = &deployment.course
        && failure.phase == phase
        && deployment.phase == Phase::Error
    {
        let component = failure.component.as_deref().unwrap_or("app");
        lines.push(format!("{component} {at} {}", failure.message));
        lines.push(format!("{component} {at} error: {}", failure.code));
    }
    lines
}

fn doing(phase: Phase) -> &'static str {
    if phase == Phase::Building {
        "building the image"
    } else {
        "starting the container"
    }
}
