//! The whole-system tests: one binary, a module for each concern.

mod analytics;
mod bad_input;
mod contract;
mod coverage;
mod customers;
mod dashboard;
mod keys_and_roles;
mod packages;
mod readme;
mod reference;
mod replies;
mod subscriptions;
mod tokens;
mod websites;
