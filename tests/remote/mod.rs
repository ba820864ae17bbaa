//! The remote clients against the sandbox: what is sent, how often, and what is made of the replies.

mod apps;
mod clients;
mod github;
mod github_app;
mod keys;
mod spaces;
mod transport;
