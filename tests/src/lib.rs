//! What the whole-system tests and the programs beside them are made of.
//!
//! - [`setup`]: a sandbox with clients of its partners, and what most tests put on it
//! - [`chaos`]: a long run against a sandbox that fails all the time
//! - [`fault_table`]: the table of faults in `tests/README.md`
//! - [`situations`]: what callers were once told wrongly, then and now
//! - [`throttling`]: many creates against a gateway that lets few requests through
//! - [`replay`]: the wire vectors, and what compares a binding with them
//!
//! The programs are in `src/bin`, the tests in `it`, the vectors in `vectors`, and the vendor's reference page in
//! `reference`.

pub mod chaos;
pub mod fault_table;
pub mod replay;
pub mod setup;
pub mod situations;
pub mod throttling;

pub use setup::{Stage, client, package_named, price_list, respond};

/// Compiles every Rust block of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
