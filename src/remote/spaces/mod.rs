//! The S3 API of Spaces, or of any S3 server at a custom endpoint.

mod buckets;
mod cors;
mod errors;
mod lifecycle;
mod listing;
mod logging;
mod plain;
mod preflight;
mod proof;
mod regions;
mod trial;
mod versioning;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, IdentityCache, Region, RequestChecksumCalculation,
    ResponseChecksumValidation, StalledStreamProtectionConfig,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OnceCell;
use tokio::time::Instant;

pub use buckets::{Creation, Presence};
pub use preflight::Browser;
pub use proof::ProofFailure;
pub use regions::{Endpoints, SpacesOf};

use super::base_url::BaseUrl;
use super::clock::SigningTime;
use super::deadline::deadline;
use super::failure::{Failure, Service};
use super::retry::{Attempts, Patience};
use super::shutdown::Shutdown;
use super::smithy_client::SmithyClient;
use super::transport::{Transport, host_of};
use crate::model::key::AccessKeyId;

/// How long a new key may take until it works everywhere. Undocumented; public scripts wait for 30 s.
const PROPAGATION: Duration = Duration::from_secs(90);

/// How long a new bucket may be denied by configuration calls; Terraform's provider waits for as long.
const VISIBILITY: Duration = Duration::from_mins(5);

/// The region in every signature. Spaces does not compare it and its SDK documentation signs so; with any other, the
/// SDK would put a `LocationConstraint` into each creation, which Spaces refuses.
const SIGNING_REGION: &str = "us-east-1";

/// What opens buckets.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// The access key id.
    pub id: AccessKeyId,
    /// The secret access key.
    pub secret: SecretString,
}

/// Since when a key exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// A full-access key that was minted a moment ago: for 90 s from now, a server that does not know it is asked again.
    Fresh,
    /// A key that works: what it may not do is told at once.
    Settled,
}

/// A client of one S3 endpoint under one key pair.
///
/// Buckets stand in the path, never in the host: that works on Spaces and everywhere else, and one TLS connection
/// serves all buckets.
#[derive(Debug, Clone)]
pub struct Spaces {
    s3: Client,
    /// The same with a fresh connection for every request, for the proof of a key.
    unpooled: Client,
    attempts: Attempts,
    fresh_until: Option<Instant>,
    settled: Arc<OnceCell<()>>,
}

impl Spaces {
    /// A client that signs for `endpoint` with `pair`.
    #[must_use]
    pub fn new(
        transport: &Transport,
        endpoint: &BaseUrl,
        pair: &KeyPair,
        freshness: Freshness,
        shutdown: Shutdown,
    ) -> Self {
        Self {
            s3: client(transport.clone(), endpoint, pair),
            unpooled: client(transport.unpooled(), endpoint, pair),
            attempts: Attempts::many(shutdown),
            fresh_until: (freshness == Freshness::Fresh).then(|| deadline(PROPAGATION)),
            settled: Arc::default(),
        }
    }

    /// The first call for which Spaces did not accept the credential.
    #[must_use]
    pub fn rejection(&self) -> Option<&Failure> {
        self.attempts.rejection()
    }

    /// Makes a call, again after transient failures and while the key is not known everywhere.
    async fn call<T, E, F>(&self, subject: &str, send: impl Fn() -> F) -> Result<T, Failure>
    where
        E: ProvideErrorMetadata,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        self.attempt(self.propagation(), || async {
            send().await.map_err(|error| errors::failure(subject, &error))
        })
        .await
    }

    /// Makes a configuration call; for 5 minutes after a creation, that the bucket is not found may pass.
    async fn configure<T, E, F>(
        &self,
        subject: &str,
        just_created: bool,
        send: impl Fn() -> F,
    ) -> Result<T, Failure>
    where
        E: ProvideErrorMetadata,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let visible = just_created.then(|| Patience::lasting(VISIBILITY, errors::is_absent_or_unknown_key));
        let patience = visible.or_else(|| self.propagation());
        self.attempt(patience, || async {
            send().await.map_err(|error| errors::failure(subject, &error))
        })
        .await
    }

    async fn attempt<T, F>(&self, patience: Option<Patience>, call: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        match self.attempts.patiently(patience, &call).await {
            Err(denied) if errors::is_denied(&denied) && self.is_unsettled() => {
                self.settle().await;
                self.attempts.patiently(patience, call).await
            }
            answered => answered,
        }
    }

    /// Whether a denial may still be about the key's age. Asked only after one: a key that works at once, as most do,
    /// costs no request more.
    fn is_unsettled(&self) -> bool {
        self.fresh_until.is_some() && !self.settled.initialized()
    }

    /// Waits until a fresh full-access key may list buckets. After that an `AccessDenied` is about the bucket, not about
    /// the key's age.
    async fn settle(&self) {
        let Some(until) = self.fresh_until else { return };
        let list = || async {
            let listed = self.s3.list_buckets().send().await;
            listed.map_err(|error| errors::failure("list buckets", &error))
        };
        let settling = || async {
            let patience = Patience {
                until,
                with: errors::is_denied,
            };
            if let Err(failure) = self.attempts.patiently(Some(patience), list).await {
                // Not the end: the calls themselves will tell what they may not do.
                tracing::debug!("the new key is not accepted yet: {failure}");
            }
        };
        self.settled.get_or_init(settling).await;
    }

    fn propagation(&self) -> Option<Patience> {
        self.fresh_until.map(|until| Patience {
            until,
            with: errors::is_unknown_key,
        })
    }
}

fn client(transport: Transport, endpoint: &BaseUrl, pair: &KeyPair) -> Client {
    let credentials = Credentials::new(
        pair.id.as_str(),
        pair.secret.expose_secret(),
        None,
        None,
        "spacekeeper",
    );
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .time_source(SigningTime::new(
            transport.clocks(),
            Service::Spaces,
            &host_of(endpoint),
        ))
        .http_client(SmithyClient::new(transport))
        .endpoint_url(endpoint.to_string())
        .force_path_style(true)
        .region(Region::new(SIGNING_REGION))
        .credentials_provider(credentials)
        .identity_cache(IdentityCache::no_cache())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    Client::from_conf(config)
}
