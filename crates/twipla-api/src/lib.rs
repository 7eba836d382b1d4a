//! The raw client of the TWIPLA 3AS API, generated from its OpenAPI contract.
//!
//! One function for each operation, one type for each schema, and nothing in
//! between: no retries, no token refresh, no pagination. Partners usually want
//! the crate `twipla`, which is built on this one. Use this one to control exactly
//! what is sent, or to send requests with your own HTTP client.
//!
//! ```no_run
//! use twipla_api::{Client, StaticToken, WebsiteId, requests, types};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let token = StaticToken::new(&std::env::var("TWIPLA_TOKEN")?)?;
//! let client = Client::new("https://api-gateway.visitor-analytics.io", reqwest::Client::new(), token)?;
//!
//! let response = client.send(requests::get_website(&WebsiteId::new("site-7")?)?).await?;
//! let website = response.into_body().payload;
//! match website.status {
//!     types::SubscriptionStatus::Active => println!("{} is measured", website.domain),
//!     other => println!("{} is {other}", website.domain),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Overview
//!
//! - The functions of [`requests`] do not send anything. They validate the arguments and
//!   return a [`PreparedRequest`], to be sent with [`Client::send`] or any HTTP
//!   client of yours.
//! - A response with a status outside 2xx is [`Error::Status`], with its status, headers
//!   and body.
//! - A response that does not fit the contract is [`Error::Decode`]. If
//!   [`Operation::secret_response`] is set, its body contains a secret: do not log it.
//! - Some operations answer 204 although the contract has a body. That is
//!   [`Error::Decode`] with an empty body.
//! - Enums are open: a value that this version does not know is
//!   `Unknown(value)`.
//! - API keys and tokens are [`Secret`]. serde writes them in a body that is sent,
//!   and redacts them in values that were received.
//! - With the feature `schemars` every type implements `schemars::JsonSchema`.
//! - An id can contain anything but cannot be empty, `.` or `..`; see [`mod@path`].

#![cfg_attr(docsrs, feature(doc_cfg))]

mod base_url;
mod client;
mod count;
mod generated;
#[cfg(feature = "schemars")]
mod id_schemas;
pub mod ids;
mod open_enum;
pub mod operation;
mod pagination_meta;
pub mod path;
mod redacted;
mod request;
mod secret;

pub use self::base_url::{BaseUrl, InvalidBaseUrl};
pub use self::client::{Client, Error, InvalidCredential, StaticToken};
pub use self::count::Count;
pub use self::generated::{operations, requests, types};
#[doc(inline)]
pub use self::ids::{
    ApiKeyId, CustomerId, InvalidId, PackageId, PartnerId, TwiplaWebsiteId, WebsiteId,
};
#[doc(inline)]
pub use self::operation::{Auth, Idempotency, Method, Operation, Provenance, Server};
pub use self::pagination_meta::PaginationMeta;
pub use self::redacted::looks_secret;
pub use self::request::{InvalidRequest, PreparedRequest, RequestParts};
pub use self::secret::Secret;

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
