//! The whole-system tests: one binary, a module for each concern.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may fail loudly, their helpers too"
)]

mod analytics;
mod bad_input;
mod bulk;
mod chaos;
mod connections;
mod contract;
mod coverage;
mod customers;
mod dashboard;
mod deadlines;
mod fault_table;
mod keys_and_roles;
mod lost_responses;
mod official_clients;
mod package_changes;
mod packages;
mod paths;
mod prefetch;
mod readme;
mod recovery;
mod reference;
mod replies;
mod schemas;
mod secrets;
mod subscriptions;
mod token_table;
mod tokens;
mod vectors;
mod websites;
