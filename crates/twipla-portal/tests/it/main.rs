//! The portal by HTTP, with a sandbox behind it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may fail loudly, their helpers too"
)]

mod crash;
mod fire;
mod money;
mod pages;
mod postgres;
mod program;
mod reconcile;
mod safety;
mod sign_in;
mod stage;
mod story;
