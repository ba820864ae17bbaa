//! The door: what the environment says is parsed here into types that cannot be wrong, and every problem is told at once.

mod access;
mod door;
mod errand;
mod inputs;
mod request;
mod values;
mod wishes;

pub use access::{Access, Credential, FullAccessPair, GitHubAccess};
pub use door::InputProblem;
pub use errand::Command;
pub use inputs::{INPUTS, OUTPUTS, RawInputs};
pub use request::{Environment, Patience, Refused, Request, Runner};
