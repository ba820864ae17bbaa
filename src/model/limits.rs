//! How much the services hold.

/// Keys that an account holds, unless support raised the limit (limits page of the Spaces documentation).
pub const KEYS_MAX: usize = 200;

/// Buckets that an account holds, unless support raised the limit (limits page of the Spaces documentation).
pub const BUCKETS_MAX: usize = 100;

/// Secrets that GitHub keeps for a repository, and as many for an environment ("Limits for secrets" of its
/// documentation).
pub const SECRETS_MAX: usize = 100;
