//! The three remote APIs: DigitalOcean (reqwest), GitHub (octocrab) and Spaces (aws-sdk-s3), all over one HTTP stack.
//!
//! Thin clients without policy: each call reads or changes one thing and says what came of it. What is safe to repeat
//! is repeated here ([`retry`]); what is not (minting a key) is sent once and told apart by [`WriteFailure`].
//!
//! No method logs or returns a header, a body of a call that bears a secret, or a token.

mod clock;
mod deadline;
pub mod digitalocean;
mod failure;
mod foreign_url;
pub mod github;
mod json;
mod limits;
mod no_reply;
mod octocrab_service;
mod pacing;
mod page;
mod paging;
mod retry;
mod seal;
mod shutdown;
mod smithy_client;
pub mod spaces;
mod transport;
mod waiting;

use crate::model::base_url;
pub use crate::model::base_url::{BadBaseUrl, BaseUrl};
pub use clock::{Clocks, Gap, ServerClock};
pub use deadline::deadline;
pub use digitalocean::DigitalOcean;
pub use failure::{Failure, FailureKind, Service, WriteFailure};
pub use github::{Created, GitHub};
pub use seal::SealingKey;
pub use shutdown::{Cause, Interrupted, Shutdown, Trigger};
pub use spaces::Spaces;
pub use transport::{NoTransport, REQUEST_TIMEOUT, Transport};
