//! Spacekeeper gives a DigitalOcean App Platform app its object storage and keeps the credentials fresh.
//!
//! The way of the data: inputs are parsed into a [`config::Request`], the world is read into
//! [`model::observed::Observed`], [`plan`] compares the two without touching anything, [`apply`] carries the plan out,
//! [`report`] tells about it. `docs/ARCHITECTURE.md` has the map.

// Printing goes through one writer, `report::console`: the macros panic when nobody listens.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod apply;
pub mod bug;
pub mod cli;
pub mod config;
pub mod edge;
pub mod job;
pub mod model;
pub mod observe;
pub mod plan;
pub mod remedy;
pub mod remote;
pub mod report;
pub mod scrub;
pub mod session;
pub mod signals;
pub mod tell;
pub mod workspace;
