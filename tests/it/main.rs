//! The whole-system tests: one binary, a module for each concern.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may fail loudly, their helpers too"
)]

mod analytics;
mod bad_input;
mod bodies;
mod bulk;
mod chaos;
mod connections;
mod connections_http2;
mod connections_idle;
mod connections_in_flight;
mod connections_proxy;
mod contract;
mod coverage;
mod customers;
mod dashboard;
mod deadlines;
mod fault_table;
mod keys_and_roles;
mod lists;
mod lost_responses;
mod official_clients;
mod package_changes;
mod packages;
mod paths;
mod played;
mod portable;
mod prefetch;
mod readme;
mod recovery;
mod reference;
mod replies;
mod schemas;
mod secrets;
mod situations;
mod spans;
mod subscriptions;
mod throttling;
mod token_table;
mod tokens;
mod vectors;
mod websites;
