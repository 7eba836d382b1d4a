//! Example Hosting: a hosting company's customer area, with TWIPLA analytics in it.
//!
//! An example of how `twipla` is meant to be used in a web application, for partners that do the
//! billing themselves. The README says what to look at first.

pub mod demo;
mod document;
mod format;
mod outbox;
mod pages;
mod problem;
mod reconcile;
mod send;
mod server;
mod session;
mod settings;
mod state;
mod store;
mod worker;

pub use reconcile::{Report, reconcile};
pub use server::Portal;
pub use settings::{Pace, Settings};
pub use store::{Customer, Store};
