//! Apps of App Platform: `/v2/apps`.

use futures_util::future::join_all;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::failure::{Failure, FailureKind, Service, WriteFailure};
use super::super::json::{self as reading, null_is_empty};
use super::super::page::Listed;
use super::super::transport::Reply;
use super::deployments::{Deployment, WireDeployment, same, spec};
use super::{Call, DigitalOcean, not_found, segment};
use crate::model::key::AccessKeyId;
use crate::model::observed::NamingApp;
use crate::model::spec::AppSpec;

/// Apps a page. Each comes with its spec and those of its deployments, so a page of 200 would be megabytes.
const PER_PAGE: usize = 50;

/// Up to how many apps are looked for one by one.
const FOUND_ONE_BY_ONE: usize = 2;

/// How many names of apps an error lists.
const NAMES_SHOWN: usize = 10;

/// An app as it stands.
#[derive(Debug, Clone)]
pub struct App {
    /// A UUID.
    pub id: String,
    /// The wanted spec, raw; what runs may differ.
    pub spec: AppSpec,
    /// What is live.
    pub active: Option<Deployment>,
    /// What is being built or rolled out.
    pub in_progress: Option<Deployment>,
    /// What waits for its turn; after an update, the deployment that the update caused.
    pub pending: Option<Deployment>,
    /// The deployment that a rollback pinned the app to, so that a new spec does not go live.
    pub pinned: Option<Deployment>,
    /// Where its pages are, as origins: its live URL and its custom domains; workers and jobs have none.
    pub origins: Vec<String>,
}

#[derive(Deserialize)]
struct AppReply {
    app: WireApp,
}

/// A deployment is left out when there is none in that state, and so are addresses that the app does not have.
#[derive(Deserialize)]
struct WireApp {
    #[serde(deserialize_with = "reading::id")]
    id: String,
    #[serde(deserialize_with = "spec")]
    spec: AppSpec,
    #[serde(default)]
    active_deployment: Option<WireDeployment>,
    #[serde(default)]
    in_progress_deployment: Option<WireDeployment>,
    #[serde(default)]
    pending_deployment: Option<WireDeployment>,
    #[serde(default)]
    pinned_deployment: Option<WireDeployment>,
    #[serde(default)]
    live_url: Option<String>,
    #[serde(default, deserialize_with = "null_is_empty")]
    domains: Vec<WireDomain>,
}

/// The answer to a proposal: the spec as it would be kept.
#[derive(Deserialize)]
struct Proposal {
    #[serde(rename = "spec", deserialize_with = "spec")]
    _spec: AppSpec,
}

impl Listed for WireApp {
    const FIELD: &'static str = "apps";
    const COUNTED: bool = false;

    fn identity(&self) -> String {
        self.id.clone()
    }
}

#[derive(Deserialize)]
struct WireDomain {
    #[serde(default)]
    spec: Option<WireDomainSpec>,
}

#[derive(Deserialize)]
struct WireDomainSpec {
    #[serde(default)]
    domain: String,
    #[serde(default)]
    wildcard: bool,
}

impl DigitalOcean {
    /// The app of this id or name. What looks like an id is tried as one first.
    ///
    /// `NotFound` names the apps that exist, at most ten.
    pub async fn find_app(&self, id_or_name: &str) -> Result<App, Failure> {
        if looks_like_uuid(id_or_name) {
            match self.app(id_or_name).await {
                Err(failure) if failure.kind == FailureKind::NotFound => {}
                answered => return answered,
            }
        }
        self.app_named(id_or_name).await
    }

    /// The apps of these ids or names, in their order. A few are looked for one by one, side by side; more of them share
    /// one list.
    pub async fn find_apps(&self, ids_or_names: &[&str]) -> Vec<Result<App, Failure>> {
        if ids_or_names.len() <= FOUND_ONE_BY_ONE {
            return join_all(ids_or_names.iter().map(|app| self.find_app(app))).await;
        }
        match self.apps().await {
            Ok(apps) => ids_or_names.iter().map(|wanted| pick(&apps, wanted)).collect(),
            Err(failure) => ids_or_names.iter().map(|_| Err(failure.clone())).collect(),
        }
    }

    /// The app of this id.
    pub async fn app(&self, id: &str) -> Result<App, Failure> {
        let subject = format!("read app {id}");
        let reply: AppReply = self.get(&subject, app_path(id)).await?;
        same(&subject, id, &reply.app.id)?;
        readable(&subject, reply.app)
    }

    /// Has a spec for this app validated without touching the app. `Invalid` names the first mistake.
    pub async fn propose(&self, id: &str, spec: &AppSpec) -> Result<(), Failure> {
        let subject = format!("propose a spec for app {id}");
        let body = json!({ "spec": spec.raw(), "app_id": id });
        let call = Call::new(&subject, Method::POST, "/v2/apps/propose").with(body);
        let answered: Result<Proposal, Failure> = self.ask(&call).await;
        answered
            .map(|_| ())
            .map_err(|failure| without_secrets(failure, spec))
    }

    /// Replaces the spec of an app; the sources stay at what is deployed. Returns the app with the deployment that the
    /// update caused as `pending`, if it caused any.
    ///
    /// `Refused`: the app is as it was. `Lost`: read it again and compare. Only what surely did nothing is repeated
    /// here: a rate limit, a connection that did not come about.
    pub async fn update_app(&self, id: &str, spec: &AppSpec) -> Result<App, WriteFailure> {
        let subject = format!("update app {id}");
        let body = json!({ "spec": spec.raw(), "update_all_source_versions": false });
        let call = Call::new(&subject, Method::PUT, app_path(id)).with(body);
        let client = self.on_fresh_connections();
        let answered = self.attempts.run(|| client.write(&call)).await;
        let reply = answered.map_err(|failure| failure.map(|failure| without_secrets(failure, spec)))?;
        updated(&subject, id, &reply).map_err(WriteFailure::Lost)
    }

    /// Every app of the account.
    pub async fn apps(&self) -> Result<Vec<App>, Failure> {
        let subject = "list apps";
        let listed: Vec<WireApp> = self.list(subject, "/v2/apps", PER_PAGE).await?;
        listed.into_iter().map(|app| readable(subject, app)).collect()
    }

    /// Every app of the account that names one of these keys: in the spec that it shall have, or in a deployment that
    /// serves or is on its way. A list without one of the `known` apps is not whole.
    pub async fn apps_naming(&self, keys: &[AccessKeyId], known: &[&str]) -> Result<Vec<NamingApp>, Failure> {
        let mut naming = Vec::new();
        let apps = self.apps().await?;
        if let Some(missing) = known.iter().find(|id| apps.iter().all(|app| app.id != **id)) {
            let why = format!("app {missing}, which was read a moment ago, is not in the list");
            return Err(Failure::malformed(Service::DigitalOcean, "list apps", &why));
        }
        for app in apps {
            let app = Box::pin(self.with_every_spec(app)).await?;
            let named = keys.iter().filter(|key| app.mentions(key));
            naming.extend(named.map(|key| NamingApp {
                id: app.id.clone(),
                name: app.spec.name().to_owned(),
                key: key.clone(),
            }));
        }
        Ok(naming)
    }

    /// The app with the specs of what serves and what comes: one that the list leaves out may name any key, so it is
    /// read by itself.
    async fn with_every_spec(&self, mut app: App) -> Result<App, Failure> {
        let deployments = [&mut app.active, &mut app.in_progress, &mut app.pending];
        let bare = deployments.into_iter().flatten().filter(|it| it.spec.is_none());
        for deployment in bare {
            *deployment = self.deployment(&app.id, &deployment.id).await?;
            if deployment.spec.is_none() {
                let subject = format!("read deployment {} of app {}", deployment.id, app.id);
                let why = "missing field `spec`";
                return Err(Failure::malformed(Service::DigitalOcean, &subject, why));
            }
        }
        Ok(app)
    }

    /// There is no lookup by name; every tool lists and compares.
    async fn app_named(&self, name: &str) -> Result<App, Failure> {
        let subject = format!("find app {name}");
        let mut names = Vec::new();
        let listed: Vec<WireApp> = self.list(&subject, "/v2/apps", PER_PAGE).await?;
        for app in listed {
            let app = readable(&subject, app)?;
            if app.spec.name() == name {
                return Ok(app);
            }
            names.push(app.spec.name().to_owned());
        }
        Err(not_found(&subject, &existing(&names)))
    }
}

impl App {
    fn mentions(&self, key: &AccessKeyId) -> bool {
        let deployments = [&self.active, &self.in_progress, &self.pending, &self.pinned]
            .into_iter()
            .flatten();
        let deployed = deployments.filter_map(|deployment| deployment.spec.as_ref());
        deployed.chain([&self.spec]).any(|spec| spec.mentions(key))
    }
}

fn pick(apps: &[App], wanted: &str) -> Result<App, Failure> {
    let by_id = apps.iter().find(|app| app.id == wanted);
    let found = by_id.or_else(|| apps.iter().find(|app| app.spec.name() == wanted));
    found.cloned().ok_or_else(|| {
        let names: Vec<String> = apps.iter().map(|app| app.spec.name().to_owned()).collect();
        not_found(&format!("find app {wanted}"), &existing(&names))
    })
}

fn app_path(id: &str) -> String {
    format!("/v2/apps/{}", segment(id))
}

fn looks_like_uuid(text: &str) -> bool {
    let lengths: Vec<_> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

fn readable(subject: &str, app: WireApp) -> Result<App, Failure> {
    let app_origins = origins(&app);
    let deployment = |wire: Option<WireDeployment>| wire.map(|wire| wire.read(subject)).transpose();
    Ok(App {
        id: app.id,
        spec: app.spec,
        active: deployment(app.active_deployment)?,
        in_progress: deployment(app.in_progress_deployment)?,
        pending: deployment(app.pending_deployment)?,
        pinned: deployment(app.pinned_deployment)?,
        origins: app_origins,
    })
}

/// The live URL without its path, and `https` for every custom domain: those that are in use and those that the spec
/// names. A wildcard domain stands for its subdomains too (`wildcard` of the app spec).
fn origins(app: &WireApp) -> Vec<String> {
    let live = app.live_url.iter().filter_map(|url| origin(url));
    let in_use = app.domains.iter().filter_map(|domain| domain.spec.as_ref());
    let in_use = in_use.map(|spec| (spec.domain.as_str(), spec.wildcard));
    let named = app
        .spec
        .raw()
        .get("domains")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let named = named.filter_map(|domain| {
        let wildcard = domain.get("wildcard").and_then(Value::as_bool);
        Some((domain.get("domain")?.as_str()?, wildcard == Some(true)))
    });
    let domains = in_use.chain(named).filter(|(domain, _)| !domain.is_empty());
    let mut all: Vec<String> = live
        .chain(domains.flat_map(|(domain, wildcard)| of_domain(domain, wildcard)))
        .collect();
    all.sort();
    all.dedup();
    all
}

fn of_domain(domain: &str, wildcard: bool) -> impl Iterator<Item = String> {
    let own = format!("https://{}", domain.to_ascii_lowercase());
    let all = wildcard.then(|| format!("https://*.{}", domain.to_ascii_lowercase()));
    [own].into_iter().chain(all)
}

fn origin(url: &str) -> Option<String> {
    let url: http::Uri = url.parse().ok()?;
    Some(format!("{}://{}", url.scheme_str()?, url.authority()?))
}

fn updated(subject: &str, id: &str, reply: &Reply) -> Result<App, Failure> {
    let reply: AppReply = reading::read(Service::DigitalOcean, subject, reply)?;
    same(subject, id, &reply.app.id)?;
    readable(subject, reply.app)
}

fn existing(names: &[String]) -> String {
    match names {
        [] => "the account has no app".to_owned(),
        _ if names.len() <= NAMES_SHOWN => format!("there are {}", names.join(", ")),
        _ => format!(
            "there are {} and {} more",
            names[..NAMES_SHOWN].join(", "),
            names.len() - NAMES_SHOWN
        ),
    }
}

/// Takes the plain values of the spec's secrets out of a message, should the server have quoted one.
fn without_secrets(mut failure: Failure, spec: &AppSpec) -> Failure {
    let mut secrets = Vec::new();
    collect_secrets(spec.raw(), &mut secrets);
    for secret in secrets {
        failure.detail = failure.detail.replace(secret, "***").into();
    }
    failure
}

fn collect_secrets<'a>(value: &'a Value, secrets: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_secrets(item, secrets)),
        Value::Object(fields) => {
            let secret = fields.get("type").and_then(Value::as_str) == Some("SECRET");
            let plain = fields
                .get("value")
                .and_then(Value::as_str)
                .filter(|value| !value.is_empty());
            secrets.extend(plain.filter(|value| secret && !value.starts_with("EV[")));
            fields.values().for_each(|field| collect_secrets(field, secrets));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_uuid_is_tried_as_an_id() {
        assert!(looks_like_uuid("4f6c71e2-1e90-4762-9fee-6cc4a0a9f2cf"));
        assert!(!looks_like_uuid("shop"));
        assert!(!looks_like_uuid("4f6c71e2-1e90-4762-9fee-6cc4a0a9f2cz"));
    }

    #[test]
    fn a_missing_app_is_told_with_those_that_exist() {
        let names: Vec<_> = (1..=12).map(|n| format!("app-{n}")).collect();
        assert_eq!(existing(&names[..2]), "there are app-1, app-2");
        assert!(existing(&names).ends_with("app-10 and 2 more"));
        assert_eq!(existing(&[]), "the account has no app");
    }

    #[test]
    fn a_secret_that_the_server_quotes_is_taken_out() {
        let spec = AppSpec::new(json!({ "services": [{ "envs": [
            { "key": "A", "value": "s3cret", "type": "SECRET" },
            { "key": "B", "value": "EV[1:x:y]", "type": "SECRET" },
            { "key": "C", "value": "open" },
        ]}]}));
        let quoting = Failure::new(
            Service::DigitalOcean,
            "s",
            FailureKind::Invalid,
            "bad s3cret, EV[1:x:y], open",
        );
        assert_eq!(
            &*without_secrets(quoting, &spec).detail,
            "bad ***, EV[1:x:y], open"
        );
    }
}
