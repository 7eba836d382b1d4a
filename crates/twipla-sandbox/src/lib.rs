#![doc = include_str!("../README.md")]
//!
//! ## The modules
//!
//! Each module uses only those on the lines above it:
//!
//! - `message`, `clock`, `error`, `keys`, `commits`: the basics
//! - `price_list`, `subscription`, `table`, `account`: the data of a partner
//! - `reply`, `input`, `render`: conversion between JSON and an account
//! - `rules`: the behaviour of each operation
//! - `auth`, `fault`, `faults`, `record`, `partner`: tokens, faults, the log of
//! requests, partners
//! - `routes`, `state`: which operation a request is for, and the state of the sandbox
//! - `dashboard`, `console`: pages for a browser
//! - `control`: the control endpoints
//! - `page_urls`, `execute`, `corrupt`, `exchange`: one request and its
//! response
//! - `receive`, `server`: connections
//! - `files`, `tls`, `credentials`, `state_file`, `seed`: files
//! - `builder`, `sandbox`: the public API

#![cfg_attr(docsrs, feature(doc_cfg))]

mod account;
mod auth;
mod builder;
mod clock;
mod commits;
mod console;
mod control;
mod corrupt;
mod credentials;
mod dashboard;
mod error;
mod exchange;
mod execute;
mod fault;
mod faults;
mod files;
mod input;
mod keys;
mod message;
mod page_urls;
mod partner;
mod price_list;
mod receive;
mod record;
mod render;
mod reply;
mod routes;
#[allow(
    clippy::needless_pass_by_value,
    reason = "each rule takes its context by value, so that all have one signature"
)]
mod rules;
mod sandbox;
mod seed;
mod server;
mod state;
mod state_file;
mod subscription;
mod table;
mod tls;

pub use account::Model;
pub use builder::Builder;
pub use commits::Commit;
pub use error::Error;
pub use fault::{Fault, FaultKind};
pub use faults::{FaultReport, FaultStatus};
pub use partner::{Partner, PartnerConfig};
pub use record::RecordedRequest;
pub use sandbox::Sandbox;
