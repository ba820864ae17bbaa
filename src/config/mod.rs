//! The door: what the environment says is parsed here into types that cannot be wrong, and every problem is told at once.

mod access;
mod addresses;
mod credentials;
mod defaults;
mod door;
mod errand;
mod files;
mod given;
mod inputs;
mod looks;
pub mod manifest;
mod nearest;
mod needs;
mod options;
mod request;
mod runner;
mod values;

pub use access::{Access, Credential, FullAccessPair, GitHubAccess};
pub use credentials::credentials;
pub use door::InputProblem;
pub use errand::Command;
pub use files::{Files, InventoryFile, InventoryFormat};
pub use given::Given;
pub(crate) use inputs::LONGEST;
pub use inputs::{Group, INPUTS, Input, OUTPUTS, RawInputs, Takes, Unset};
pub use looks::{Looks, PairAtHand, PairPlace, SpecFile};
pub(crate) use nearest::nearest;
pub use options::Patience;
pub use request::{Environment, Refused, Request};
pub use runner::Runner;
pub(crate) use values::is_plain_word;
