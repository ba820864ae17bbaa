//! What Spacekeeper talks about: buckets, keys and their marks, sinks, the app spec, the wanted and the observed world.
//!
//! Nothing here does IO, reads a clock, knows a client or awaits: every function is a plain function of its arguments.

pub mod base_url;
pub mod bucket;
pub mod cdn;
pub mod cors;
pub mod desired;
pub mod endpoint;
pub mod evidence;
pub mod finding;
pub mod home;
pub mod intent;
pub mod inventory;
pub mod key;
pub mod lifecycle;
pub mod lifetime;
pub mod limits;
pub mod merge;
pub mod name;
pub mod observed;
pub mod path;
pub mod placeholder;
pub mod problem;
pub mod sink;
pub mod spec;
pub mod time;
