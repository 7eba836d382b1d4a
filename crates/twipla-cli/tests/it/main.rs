//! Runs the program like its users, against a sandbox in the test.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod analytics;
mod errors;
mod help;
mod output;
mod plan;
mod profiles;
mod readme;
mod sandbox;
mod subscription;
mod support;
#[cfg(unix)]
mod terminal;
mod verbs;
