//! The promises of `docs/ARCHITECTURE.md`, a file each, held against the built binary and the sandbox.

mod fixture;

mod addresses;
mod admin_key;
mod announcing;
mod app_platform;
mod audit;
mod bounds;
mod buckets;
mod check;
mod concurrency;
mod converge;
mod crash;
mod deployments;
mod dry_run;
mod faults;
mod files;
mod findings;
mod gate;
mod github_app;
mod hostile;
mod inputs;
mod interleavings;
mod judgement;
mod manifest;
mod network;
mod ownership;
mod refusals;
mod remote;
mod revoke;
mod rotate;
mod rotation_steps;
mod secrets;
mod strangers;
mod surface;
mod ways_out;
