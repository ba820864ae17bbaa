//! An embedded DigitalOcean, Spaces and GitHub on loopback.
//!
//! It plays the parts of the three services that Spacekeeper talks to, from
//! their public documentation: it signs, seals, paginates, limits and refuses
//! as they do, and it can be told to misbehave. Tests start it as a library:
//!
//! ```
//! use spacekeeper_sandbox::{Sandbox, World};
//!
//! let sandbox = Sandbox::start(World::new().with_key("shop-spaces-key", &[]));
//! assert!(sandbox.digitalocean_url().starts_with("http://127.0.0.1:"));
//! assert!(sandbox.world().digitalocean.key_named("shop-spaces-key").is_some());
//! ```
//!
//! People start it as a binary and point Spacekeeper at it.
//!
//! - [`World`] is all that exists; look at it and change it at any time.
//! - [`Switches`] decide what the documentation leaves open.
//! - [`Fault`]s script resets, delays, lost replies and held requests.
//! - [`Entry`]s tell what was asked, in order.
//! - [`Edge`] serves the same under the real host names over TLS.

pub mod clock;
pub mod digitalocean;
mod echo;
mod edge;
mod fault;
pub mod github;
mod hold;
mod journal;
mod outgoing;
mod reply;
mod routine;
mod sandbox;
mod server;
pub mod spaces;
mod switches;
mod violations;
mod world;

pub use clock::Clock;
pub use echo::Spelling;
pub use edge::{Edge, TlsUrls};
pub use fault::Fault;
pub use journal::{Entry, FaceName};
pub use routine::{Deed, Routine};
pub use sandbox::{Ports, Sandbox};
pub use switches::{Overtaken, PinnedUpdate, Switches};
pub use world::World;
