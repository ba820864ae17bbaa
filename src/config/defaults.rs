//! What an input means when nobody gives it: said once, for the inputs, the manifest, `action.yml` and the help.

pub(in crate::config) const COMMAND: &str = "bootstrap";
pub(in crate::config) const REGION: &str = "nyc3";
pub(in crate::config) const CDN: &str = "false";
pub(in crate::config) const CDN_PURGE: &str = "false";
pub(in crate::config) const KEY_SCOPE: &str = "app";
pub(in crate::config) const ACCESS_KEY_SECRET: &str = "SPACES_ACCESS_KEY";
pub(in crate::config) const SECRET_KEY_SECRET: &str = "SPACES_SECRET_KEY";
pub(in crate::config) const VARIABLES: &str = "true";
pub(in crate::config) const WAIT_FOR_DEPLOYMENT: &str = "true";
pub(in crate::config) const DEPLOYMENT_TIMEOUT: &str = "30m";
pub(in crate::config) const MAX_AGE: &str = "90d";
pub(in crate::config) const GRACE_PERIOD: &str = "24h";
pub(in crate::config) const FORCE: &str = "false";
pub(in crate::config) const LOCK_TIMEOUT: &str = "12m";
pub(in crate::config) const RUN_TIMEOUT: &str = "50m";
pub(in crate::config) const OVERWRITE: &str = "false";
pub(in crate::config) const QUARANTINE: &str = "false";
pub(in crate::config) const FAIL_ON: &str = "warning";
pub(in crate::config) const EXPORT_ENV: &str = "false";
pub(in crate::config) const DRY_RUN: &str = "false";
pub(in crate::config) const LOG_PREFIX: &str = "access-logs/{app}/{bucket}/";
