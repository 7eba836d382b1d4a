//! Shared by the whole-system tests and the programs in this package.
//!
//! - [`setup`]: a sandbox with clients of its partners, and what most tests create on it
//! - [`chaos`]: a long run against a sandbox that fails all the time
//! - [`fault_table`]: the table of faults in `tests/README.md`
//! - [`situations`]: situations that were once reported incorrectly, then and now
//! - [`throttling`]: many creates against a gateway that allows few requests
//! - [`replay`]: the wire vectors, and the comparison of a binding with them
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
