//! What the product does already; a world that needs the rest is not drawn.

/// The grace period of a key counts from the delivery of its own successor. Until then another tool that overwrites a
/// secret every day, or a life shorter than twice the grace period, makes keys pile up.
pub(crate) const GRACE_COUNTS_PER_SUCCESSOR: bool = false;

/// Deployments are read as far back as the grace period reaches. Until then the newest twenty must reach so far.
pub(crate) const DEPLOYMENTS_ARE_PAGED: bool = false;

/// A deployment that never was active does not count as having served. Until then none ends as superseded.
pub(crate) const ONLY_ACTIVE_DEPLOYMENTS_SERVED: bool = false;
