//! The sandbox from outside: as a program, and as a client meets it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "every function here serves a test"
)]

mod commits;
mod console;
mod dashboard;
mod faults;
mod hostile;
mod kept;
mod program;
mod rules;
mod seed;
mod support;
mod tls;
mod vendor_suite;
mod wire;
