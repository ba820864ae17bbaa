//! The door: what the environment says is parsed here into types that cannot be wrong, and every problem is told at once.

mod access;
mod door;
mod inputs;
mod request;
mod values;
mod wishes;

pub use access::{Access, Credential, FullAccessPair, GitHubAccess};
pub use door::InputProblem;
pub use inputs::{INPUTS, OUTPUTS, RawInputs};
pub use request::{Command, Environment, Patience, Refused, Request, Runner};
