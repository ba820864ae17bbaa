//! The door: what the environment says is parsed here into types that cannot be wrong, and every problem is told at once.

mod access;
mod addresses;
mod credentials;
mod defaults;
mod door;
mod errand;
mod files;
mod inputs;
mod looks;
pub mod manifest;
mod needs;
mod request;
mod values;

pub use access::{Access, Credential, FullAccessPair, GitHubAccess};
pub use credentials::credentials;
pub use door::InputProblem;
pub use errand::Command;
pub use files::{Files, InventoryFile, InventoryFormat};
pub use inputs::{INPUTS, OUTPUTS, RawInputs};
pub use looks::{Looks, PairAtHand, PairPlace, SpecFile};
pub use request::{Environment, Patience, Refused, Request, Runner};
