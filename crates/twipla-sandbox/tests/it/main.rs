//! Tests of the sandbox from the outside: the program, and the server as seen
//! by a client.

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
