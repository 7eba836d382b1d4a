//! A faithful TWIPLA 3AS server in one process: tokens, both subscription
//! models, the rules with their odd status codes, data endpoints, a dashboard,
//! and faults on request.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), twipla_sandbox::Error> {
//! use twipla_sandbox::{Fault, FaultKind, Sandbox};
//!
//! let sandbox = Sandbox::start().await?;
//! let partner = sandbox.website_partner();
//! println!("{} signs with {} bytes of PEM", partner.id(), partner.private_key_pem().len());
//!
//! sandbox.inject(Fault::new(FaultKind::HtmlBody).operation("get_website").times(1));
//! sandbox.advance(chrono::Duration::days(40));   // planned downgrades take effect
//! assert!(sandbox.requests().is_empty());
//! sandbox.stop().await;
//! # Ok(()) }
//! ```
//!
//! The API, the data endpoints (also under `/api`) and the dashboard (`/`) share
//! one address. Where it is not known what the real server does, the sandbox
//! makes these choices:
//!
//! - a canceled subscription falls back to an active free plan when its period ends;
//! - a subscription has one trial, an upgrade ends it, and an upgrade that asks
//!   for a second one is carried out without it: the reply says `inTrial: false`
//!   and `hadTrial: true`;
//! - a deleted website is no longer found, and its id may be used again;
//! - an API key that never expires shows a date a hundred years ahead, because
//!   two official clients need one;
//! - a downgrade to the unlimited trial is refused, and the undocumented
//!   `reactivate` does not exist;
//! - the owner of a website cannot be its contributor, and removing someone who
//!   is not a contributor gives 404.
//!
//! ## Control endpoints
//!
//! For tests in other languages, under `/__sandbox/`. Bodies are JSON and say so
//! in `Content-Type`. So that no web page can use these endpoints, `Host` must be
//! `localhost`, an IP address or a name of [`Builder::allow_host`], and `Origin`
//! must be missing or the sandbox itself.
//!
//! | request | effect |
//! |---|---|
//! | `GET health` | says that the sandbox is up |
//! | `GET state` | [`Sandbox::snapshot`] |
//! | `GET requests`, `DELETE requests` | [`Sandbox::requests`], [`Sandbox::clear_requests`] |
//! | `GET commits`, `DELETE commits` | [`Sandbox::commits`], [`Sandbox::clear_commits`] |
//! | `POST faults` with `{"kind": "hang", "operation": "get_website", "times": 1}` | [`Sandbox::try_inject`]; see [`Fault`] |
//! | `GET faults`, `DELETE faults` | [`Sandbox::faults`], [`Sandbox::clear_faults`] |
//! | `POST reset` with `{}` | [`Sandbox::reset`] |
//! | `POST advance` with `{"seconds": 3600}` | [`Sandbox::advance`] |
//!
//! ## The modules
//!
//! Each uses only those on the lines above it:
//!
//! - `message`, `clock`, `error`, `keys`, `commits`: the basics
//! - `price_list`, `subscription`, `table`, `account`: what a partner owns
//! - `reply`, `input`, `render`: between JSON and the account
//! - `rules`: what each operation does
//! - `auth`, `fault`, `faults`, `record`, `partner`: tokens, faults, the log of
//!   requests, partners
//! - `routes`, `state`: which operation a request is for, and everything that is remembered
//! - `dashboard`, `control`: the pages and endpoints beside the API
//! - `execute`, `corrupt`, `exchange`: one request and its response
//! - `receive`, `server`: connections
//! - `files`, `tls`, `credentials`, `state_file`, `seed`: what outlives a run
//! - `builder`, `sandbox`: what a test starts

mod account;
mod auth;
mod builder;
mod clock;
mod commits;
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
