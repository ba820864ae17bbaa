//! What the documentation leaves open, each as a switch.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use http::StatusCode;

/// How the sandbox behaves where the facts about the real services are
/// uncertain, and how slow, strict or limited it is.
///
/// [`Switches::default`] is the best guess of the real behaviour, without
/// latency. Change them in [`crate::World::new`]'s result or at any time later.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Switches {
    // Every face
    /// Real time that each request waits before it is looked at.
    pub latency: Duration,
    /// Real time of which each request waits some part more before it is looked at, and some part before it is
    /// answered: `jitter_seed` and the number of the request say how much.
    pub jitter: Duration,
    /// Another seed makes other waits of [`Switches::jitter`].
    pub jitter_seed: u64,

    // DigitalOcean: keys
    /// How long Spaces refuses a new key, in sandbox time.
    pub key_create_delay: Duration,
    /// How long Spaces goes by a key's previous grants, in sandbox time.
    pub key_grant_delay: Duration,
    /// How long Spaces still accepts a deleted key, in sandbox time.
    pub key_delete_delay: Duration,
    /// Whether a grant on a bucket that is not visible yet is refused, as one
    /// on a missing bucket always is.
    pub grant_needs_visible_bucket: bool,
    /// Whether changing a key without naming its grants empties them.
    pub name_only_update_wipes_grants: bool,
    /// Keys an account may hold.
    pub key_quota: usize,
    /// The status at the quota: 403, 422 or 429.
    pub key_quota_status: StatusCode,
    /// Whether the `name`, `bucket` and `permission` filters of the key list
    /// match parts of a value rather than the whole.
    pub key_filters_match_parts: bool,

    // DigitalOcean: lists and limits
    /// The largest page that is served; a larger `per_page` is cut to it.
    pub page_size_cap: usize,
    /// Host put into `links.pages` in place of the sandbox's own; a client
    /// that follows it takes its token to a stranger.
    pub foreign_page_host: Option<String>,
    /// Requests a token may make in an hour of sandbox time.
    pub hourly_limit: usize,
    /// Requests a token may make in a minute of sandbox time; `None` for no limit.
    pub burst_limit: Option<usize>,
    /// Whether the 429 of the burst and CDN limits says `retry-after`.
    pub burst_limit_says_retry_after: bool,
    /// Calls to `/v2/cdn/endpoints` in ten seconds of sandbox time; `None` for no limit.
    pub cdn_limit: Option<usize>,
    /// What the links to the texts of logs begin with, in place of the sandbox's own address.
    pub log_url: Option<String>,
    /// How long a new CDN endpoint answers 404, in sandbox time.
    pub cdn_create_delay: Duration,
    /// What follows `bucket.region.` in the address of a new CDN endpoint.
    pub cdn_domain: String,

    // DigitalOcean: apps
    /// Real time that a deployment stays in each phase.
    pub deployment_phase: Duration,
    /// How long after a save the deployment that comes of it is made, in real time: until then nothing shows it, and
    /// nothing happens to it.
    pub deployment_visible_after: Duration,
    /// How many more updates of an app are answered as if they had been made, and change nothing.
    pub updates_without_effect: u32,
    /// Whether changing an app's spec deploys it.
    pub update_deploys: bool,
    /// Whether putting a spec that equals the present one deploys it.
    pub identical_spec_deploys: bool,
    /// What becomes of a deployment that is under way when a newer one is made.
    pub overtaken: Overtaken,
    /// What an update does to an app that is pinned to a deployment.
    pub pinned_update: PinnedUpdate,
    /// Whether a failed deployment puts the app's spec back to the active one.
    pub failed_deployment_reverts_spec: bool,
    /// Whether replies leave out `type: GENERAL`.
    pub general_is_omitted: bool,
    /// Whether an `EV[…]` value in a GENERAL variable is refused.
    pub general_refuses_sealed: bool,
    /// Whether `propose` accepts a spec with `EV[…]` values of the app it names.
    pub propose_accepts_sealed: bool,

    // Spaces
    /// Region of requests whose `Host` names none.
    pub default_region: String,
    /// How long a new bucket answers 404, in sandbox time.
    pub bucket_create_delay: Duration,
    /// Status of creating a bucket that one already owns: 200 or 409.
    pub recreate_own_bucket: StatusCode,
    /// Whether bucket names are unique over all regions rather than within one.
    pub bucket_names_are_global: bool,
    /// How long the name of a deleted bucket stays taken, in sandbox time.
    pub deleted_bucket_name_blocked: Duration,
    /// Whether `ListObjectsV2` hands out continuation tokens and takes them.
    pub list_v2_pages: bool,
    /// Buckets an account may hold.
    pub bucket_quota: usize,
    /// Whether the calls documented to need `Content-MD5` are refused without it.
    pub content_md5_required: bool,
    /// Whether `x-amz-checksum-*` trailers and headers are refused with 501.
    pub checksum_headers_refused: bool,
    /// By how many seconds the clock of Spaces is ahead of DigitalOcean's; a negative number: how far it is behind.
    pub spaces_clock_ahead: i64,
    /// How far the time of a signature may be from the clock of Spaces; `None` for any time.
    pub signature_skew_allowed: Option<Duration>,
    /// Whether `GET ?logging` needs full access.
    pub reading_logging_needs_full_access: bool,

    // GitHub
    /// By how many seconds GitHub's clock is ahead of DigitalOcean's; a negative number: how far it is behind.
    pub github_clock_ahead: i64,
    /// Prefix of every path: empty for github.com, `/api/v3` for an Enterprise Server.
    pub github_path_prefix: String,
    /// Hosts, beside `api.github.com`, that the edge takes for GitHub.
    pub github_hosts: Vec<String>,
    /// Requests a token may make in an hour of sandbox time.
    pub github_hourly_limit: usize,
    /// Status of the primary rate limit: 403 or 429.
    pub primary_limit_status: StatusCode,
    /// Points a token may spend in a minute of sandbox time, a write costing 5
    /// and a read 1; `None` for no limit.
    pub secondary_limit_points: Option<u32>,
    /// Status of the secondary rate limit: 403 or 429.
    pub secondary_limit_status: StatusCode,
    /// Whether the secondary rate limit says `retry-after`.
    pub secondary_limit_says_retry_after: bool,
    /// Status of a PUT that makes a new secret: 201, or 204 as old servers have it.
    pub new_secret_status: StatusCode,
    /// How many more times a public key is replaced right after it was told.
    pub public_key_rotations: u32,
    /// Whether a secret with another `key_id` than the present one is refused
    /// even if it opens.
    pub key_id_must_match: bool,
    /// Whether environment secrets need the permission on secrets, and
    /// environment variables the one on variables, beside that on environments.
    pub environment_secrets_need_secrets: bool,
    /// Whether a variable may be empty.
    pub empty_variables_accepted: bool,
    /// Whether a search that finds more than the 1,000 runs that it shows counts all that it finds.
    pub searches_count_what_they_hide: bool,
    /// Whether installation tokens have the form of 2026, about 520 characters.
    pub long_installation_tokens: bool,
}

/// What becomes of a deployment under way when a newer one is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overtaken {
    /// It ends as SUPERSEDED.
    Superseded,
    /// It ends as CANCELED.
    Canceled,
    /// It is finished first; the newer one stays pending meanwhile.
    Finished,
}

/// What an update does to an app that is pinned to a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinnedUpdate {
    /// The spec changes and is deployed, as if the app were not pinned.
    Deploys,
    /// The spec changes, and no deployment comes of it.
    OnlyStored,
    /// 400; the spec stays.
    Refused,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            jitter_seed: 0,
            key_create_delay: Duration::ZERO,
            key_grant_delay: Duration::ZERO,
            key_delete_delay: Duration::ZERO,
            grant_needs_visible_bucket: true,
            name_only_update_wipes_grants: true,
            key_quota: 200,
            key_quota_status: StatusCode::UNPROCESSABLE_ENTITY,
            key_filters_match_parts: false,
            page_size_cap: 200,
            foreign_page_host: None,
            hourly_limit: 5_000,
            burst_limit: Some(250),
            burst_limit_says_retry_after: true,
            cdn_limit: Some(5),
            log_url: None,
            cdn_create_delay: Duration::ZERO,
            cdn_domain: "cdn.digitaloceanspaces.com".to_owned(),
            deployment_phase: Duration::from_millis(20),
            deployment_visible_after: Duration::ZERO,
            updates_without_effect: 0,
            update_deploys: true,
            identical_spec_deploys: true,
            overtaken: Overtaken::Superseded,
            pinned_update: PinnedUpdate::Deploys,
            failed_deployment_reverts_spec: false,
            general_is_omitted: true,
            general_refuses_sealed: false,
            propose_accepts_sealed: true,
            default_region: "nyc3".to_owned(),
            bucket_create_delay: Duration::ZERO,
            recreate_own_bucket: StatusCode::OK,
            bucket_names_are_global: true,
            deleted_bucket_name_blocked: Duration::from_hours(7 * 24),
            list_v2_pages: false,
            bucket_quota: 100,
            content_md5_required: true,
            checksum_headers_refused: true,
            spaces_clock_ahead: 0,
            // `RGW_AUTH_GRACE` of Ceph, and what S3 allows.
            signature_skew_allowed: Some(Duration::from_mins(15)),
            reading_logging_needs_full_access: true,
            github_clock_ahead: 0,
            github_path_prefix: String::new(),
            github_hosts: Vec::new(),
            github_hourly_limit: 5_000,
            primary_limit_status: StatusCode::FORBIDDEN,
            secondary_limit_points: Some(900),
            secondary_limit_status: StatusCode::FORBIDDEN,
            secondary_limit_says_retry_after: true,
            new_secret_status: StatusCode::CREATED,
            public_key_rotations: 0,
            key_id_must_match: true,
            environment_secrets_need_secrets: false,
            empty_variables_accepted: true,
            searches_count_what_they_hide: true,
            long_installation_tokens: true,
        }
    }
}

impl Switches {
    /// How long the request of this number waits before it is looked at, and before it is answered.
    pub(crate) fn waits(&self, number: u64) -> (Duration, Duration) {
        let mut hasher = DefaultHasher::new();
        (self.jitter_seed, number).hash(&mut hasher);
        let [before, after, ..] = hasher.finish().to_le_bytes();
        let part = |byte: u8| self.jitter * u32::from(byte) / u32::from(u8::MAX);
        (self.latency + part(before), part(after))
    }
}
