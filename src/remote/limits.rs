//! How much a service may make us read, and for how long: each bound is more than any real account needs, so what goes
//! beyond it is a fault and no reason to go on.

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The longest body of an API's reply, in bytes.
///
/// The largest that are asked for: a page of 50 apps, each with its spec and those of up to four deployments, tens of
/// kilobytes each; a page of 30 GitHub variables of 48 KB, of which JSON may make six times as much.
pub(super) const BODY_MAX: usize = 16 * MIB;

/// The longest body of a reply of Spaces, in bytes. The largest that are asked for are 1,000 lifecycle rules or the
/// names of an account's buckets, hundreds of kilobytes.
pub(super) const STORAGE_BODY_MAX: usize = 4 * MIB;

/// How much of a refusal is read, in bytes: more than its code and message take. The rest is cut off, since its status
/// says what it means.
pub(super) const REFUSAL_MAX: usize = 64 * KIB;

/// How many pages a list may have. An account holds 200 keys unless support raised it, apps and CDN endpoints by the
/// hundreds; a repository has 100 secrets and 500 variables, an organisation 1,000 of each. At the 30 to 200 items of a
/// page that is up to 34 pages.
pub(super) const PAGES_MAX: usize = 200;

/// How long all pages of a list may take. The slowest are CDN endpoints, of which a run that makes many may read a page
/// only every few minutes: the API takes five such calls in ten seconds.
pub(super) const LIST_WITHIN: Duration = Duration::from_mins(10);

/// A number of bytes as people read it.
pub(super) fn shown(bytes: usize) -> String {
    if bytes.is_multiple_of(MIB) {
        format!("{} MiB", bytes / MIB)
    } else {
        format!("{} KiB", bytes.div_ceil(KIB))
    }
}
