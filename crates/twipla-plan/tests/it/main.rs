//! Plan and apply against the sandbox.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may fail loudly, their helpers too"
)]

mod files;
mod guards;
mod journals;
mod killed;
mod plans;
mod property;
mod support;
