//! Plan and apply for the TWIPLA 3AS API: brings a server to the state described in a
//! file of customers and websites.
//!
//! ```
//! use twipla::{PrivateKey, Twipla};
//! use twipla_plan::{Apply, Planner, Wanted};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = twipla_sandbox::Sandbox::start().await?;
//! # let partner = sandbox.website_partner();
//! # let twipla = Twipla::builder()
//! #     .partner(partner.id(), PrivateKey::from_pem(partner.private_key_pem())?)
//! #     .base_url(sandbox.base_url())
//! #     .build()?;
//! # let folder = tempfile::tempdir()?;
//! # let (plan_file, journal) = (folder.path().join("plan.json"), folder.path().join("journal"));
//! let wanted = Wanted::open("examples/wanted/customers.toml")?;
//! let plan = Planner::new(&twipla).plan(&wanted, &plan_file).await?;
//! plan.write_text(&mut std::io::stdout(), Some(100))?;
//! let report = Apply::new(&twipla, &plan, &journal).run().await?;
//! assert!(report.is_complete());
//! # Ok(()) }
//! ```
//!
//! - [`Wanted`] is the file; the README of this crate describes its format.
//! - [`Planner`] compares it with the server and writes a [`Plan`], which is a file, too.
//! - [`Apply`] applies a plan. Its journal records each action before and after it is sent, so
//!   that an interrupted run continues where it stopped.
//! - [`Shard`] splits a file among machines.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod action;
mod apply;
mod carry_out;
mod catalogue;
mod compare;
mod csv_file;
mod error;
mod journal;
mod key;
mod money;
mod plan_file;
mod planner;
mod render;
mod roles;
mod shard;
mod subscription;
mod summary;
mod there;
mod wanted;
mod wanted_check;
mod wanted_file;

pub use action::{Action, FirstWebsite};
pub use apply::{Apply, Event, OpenAction, Progress, Report, Stop};
pub use carry_out::Outcome;
pub use error::{Error, Result};
pub use money::{Amount, Monthly};
pub use plan_file::{CustomerPlan, Plan, PlanHeader};
pub use planner::{PlanProgress, Planner};
pub use shard::Shard;
pub use subscription::{Standing, Status, Step, Target};
pub use summary::Summary;
pub use wanted::{WantedContributor, WantedCustomer, WantedWebsite};
pub use wanted_file::Wanted;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
