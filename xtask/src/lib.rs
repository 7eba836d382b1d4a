//! Maintains the contract and generates the client from it.
//!
//! Data flows one way: a version and the overlays form the contract, [`normalise`] prepares it for the generator,
//! [`generate`] and [`operations`] turn it into source text, and [`regen`] writes or compares the files.

pub mod bench;
mod bindings;
pub mod breakages;
pub mod canonical;
pub mod check_modules;
pub mod conformance;
pub mod dependency_cost;
pub mod diff;
pub mod document;
mod external;
pub mod fetch;
pub mod generate;
pub mod history;
pub mod hosts;
pub mod layout;
pub mod lint_contract;
pub mod lock;
pub mod minimal_versions;
pub mod normalise;
pub mod operations;
pub mod overlay;
pub mod packages;
pub mod public_api;
pub mod readme;
pub mod regen;
mod sandbox;
pub mod secrets;
pub mod update;
