//! A client for the TWIPLA 3AS API that partners can trust with other people's billing.
//!
//! Partners (INTP) create customers (INTPC) and websites, manage their
//! subscriptions, hand out API keys and roles, and embed a dashboard. This
//! crate signs the tokens, retries requests when that is safe, and reports exactly
//! what happened.
//!
//! ```
//! use twipla::{PrivateKey, Twipla};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = twipla_sandbox::Sandbox::start().await?;
//! let partner = sandbox.website_partner();
//! let twipla = Twipla::builder()
//!     .partner(partner.id(), PrivateKey::from_pem(partner.private_key_pem())?)
//!     .base_url(sandbox.base_url())
//!     .build()?;
//!
//! let customer = twipla.customers().create("cust-42", "owner@example.com")
//!     .website("site-7", "example.com")
//!     .await?;
//! let site = twipla.website("site-7").get().await?;
//! let url = twipla.dashboard("cust-42", "site-7").locale("de").await?;
//! assert_eq!(customer.intp_customer_id, site.intp_customer_id);
//! # let _ = url;
//! # Ok(()) }
//! ```
//!
//! - [`Twipla`] is the client; its methods lead to every operation.
//! - Those methods return [`Request`], [`List`] or a builder, each of which is sent when awaited.
//! - [`Error`] says what went wrong, and [`Error::is_ambiguous`] whether the server may have carried out the call
//!   anyway.
//! - [`types`] are the models of the contract, under the names used there.
//! - [`guide`] explains all of it, a page for each topic.
//!
//! There are two kinds of ids. You choose the id of a customer and of a website, as
//! text; TWIPLA issues the UUID of a package and a second id of a website. Each has
//! its own type ([`CustomerId`], [`WebsiteId`], [`PackageId`], [`TwiplaWebsiteId`]),
//! so that one cannot be passed for another.
//!
//! # Connections
//!
//! Requests use the proxy named by `HTTPS_PROXY`, `HTTP_PROXY` or `ALL_PROXY`, unless the host is this machine or
//! listed in `NO_PROXY`; [`TwiplaBuilder::proxy`] sets another. Servers are verified against the system's root
//! certificates (on Linux the files named by `SSL_CERT_FILE` and `SSL_CERT_DIR`, if set);
//! [`TwiplaBuilder::root_certificates`] adds to them. [`TwiplaBuilder::pool_idle_timeout`],
//! [`max_in_flight`](TwiplaBuilder::max_in_flight) and [`http1_only`](TwiplaBuilder::http1_only) control how
//! connections are used, and [`http_client`](TwiplaBuilder::http_client) replaces them with a client of your own.
//!
//! # Features
//!
//! - `ring` (default) and `aws-lc-rs` select the library for TLS and signatures; at least one is required. With both,
//!   ring is the default; [`TwiplaBuilder::crypto_backend`] chooses for TLS, [`PrivateKey::from_pem_with`] for
//!   signatures.
//! - `http2` (default) uses HTTP/2 where the server negotiates it during the TLS handshake.
//! - `profile` adds `Twipla::from_profile`, which reads the configuration file of the program `twipla`.
//! - `schemars` implements `JsonSchema` for the models, see below.
//!
//! This crate always names its library explicitly and never installs a process-wide default. But Cargo builds rustls
//! and reqwest only once per program, which affects code of yours that relies on their default:
//!
//! - rustls has a default only if exactly one library is enabled. With `ring` here and aws-lc-rs elsewhere (reqwest
//!   enables it by default), `rustls::ClientConfig::builder()` panics.
//! - reqwest has a default only with its feature `rustls`. In a program whose only TLS is this crate's `ring`,
//!   `reqwest::Client::new()` panics, even for plain HTTP.
//!
//! Calling `rustls::crypto::ring::default_provider().install_default()` at the start of `main` fixes both. Neither
//! occurs with `default-features = false, features = ["aws-lc-rs", "http2"]`.
//!
//! # JSON Schema
//!
//! With the feature `schemars` the models in [`types`] and the ids implement `schemars::JsonSchema` (schemars 1), so
//! that you can use them in the schemas and OpenAPI documents of your own service. The schemas are named as in the
//! contract and describe what serde does: an enum is open, and a [`Count`](types::Count) is read as a number or as text
//! but written as a number. A secret field has `"x-secret": true`; when a received value is serialized, it is written
//! as `[redacted]` (see [`Secret`]). `tests/it/schemas/differences.toml` in the repository lists where they differ from
//! the contract, and why.
//!
#![cfg_attr(feature = "schemars", doc = "```")]
#![cfg_attr(not(feature = "schemars"), doc = "```ignore")]
//! use schemars::{JsonSchema, schema_for};
//! use serde::{Deserialize, Serialize};
//! use twipla::types::SubscriptionStatus;
//! use twipla::{CustomerId, PackageId};
//!
//! /// A customer as the shop stores it.
//! #[derive(Serialize, Deserialize, JsonSchema)]
//! struct Account {
//!     customer: CustomerId,
//!     package: PackageId,
//!     status: SubscriptionStatus,
//! }
//!
//! let schema = schema_for!(Account);
//! let defs = schema.pointer("/$defs").unwrap();
//! assert_eq!(defs["PackageId"]["format"], "uuid");
//! assert_eq!(defs["SubscriptionStatus"]["anyOf"][0]["enum"][0], "active");
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(target_family = "wasm")]
compile_error!(
    "twipla does not run on wasm32: it needs sockets, and the certificates that an operating system trusts"
);

mod analytics;
mod auth;
mod bulk;
mod call;
mod client;
mod config;
mod connection;
mod core;
mod crypto;
mod dashboard;
mod deferred;
mod domain;
mod environment;
mod error;
mod error_body;
pub mod guide;
mod ids;
mod iframe;
mod list;
mod operations;
mod options;
mod pace;
mod page;
#[cfg(feature = "profile")]
pub mod profile;
mod proxy;
mod raw_request;
mod recover;
mod redact;
mod request;
pub mod resources;
mod response;
mod retry;
#[cfg(feature = "schemars")]
mod schemas;
mod secret;
mod time;
mod tokens;
mod variables;
mod walk;

pub use analytics::{
    Analytics, AnalyticsQuery, AnalyticsReport, Dimension, Filter, Graph, GraphQuery, Metric,
    Order, RawSessions, Row, Series,
};
pub use auth::{PrivateKey, SignFuture, Signer, SignerError, Token};
pub use bulk::{Bulk, BulkReport, BulkRun, NewCustomer, NewWebsite, Outcome, Progress};
pub use client::Twipla;
pub use config::TwiplaBuilder;
pub use crypto::CryptoBackend;
pub use dashboard::{DashboardBuilder, DashboardUrl};
pub use environment::Environment;
pub use error::{ChangeState, Error, ErrorKind, Result};
pub use ids::{ApiKeyId, CustomerId, IntoId, PackageId, PartnerId, TwiplaWebsiteId, WebsiteId};
pub use iframe::IframeMessage;
pub use list::List;
pub use page::{Page, PageMeta};
pub use raw_request::RawRequest;
pub use request::Request;
#[cfg(fuzzing)]
#[doc(hidden)]
pub use response::fuzzing;
pub use retry::RetryPolicy;
pub use secret::Secret;
pub use tokens::{CustomerToken, PartnerToken};

// Crates whose types appear in the public API.
pub use {chrono, http, url, uuid};

/// The example of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The models of the contract, under the names used there.
pub mod types {
    pub use twipla_api::Count;
    pub use twipla_api::types::{
        ApiKey, BillingInterval, BillingMode, CompanyDetails, Consumption, Contributor,
        ContributorRole, ContributorsByRole, CreatedApiKey, CreatedIntpc, Currency,
        DashboardTokens, Intpc, Package, PackageRestriction, PackageVisibility, Subscription,
        SubscriptionStatus, SubscriptionType, Website, WebsiteContributors,
    };
}
