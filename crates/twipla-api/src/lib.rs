//! The raw client of the TWIPLA 3AS API, generated from its OpenAPI contract.
//!
//! One method for each operation, one type for each schema, and nothing in
//! between: no retries, no token that renews itself, no pages. Partners want
//! the crate `twipla`, which is built on this one. Use this one to see exactly
//! what travels, or to bring your own [`Transport`].
//!
//! ```no_run
//! use twipla_api::{Client, Session, StaticToken, types};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let token = std::env::var("TWIPLA_TOKEN")?;
//! let session = Session::from(StaticToken::new(&token)?);
//! let http = reqwest::Client::new();
//! let client = Client::new_with_client("https://api-gateway.visitor-analytics.io", http, session);
//!
//! let website = client.get_website("site-7").await?.into_inner().payload;
//! match website.status {
//!     types::SubscriptionStatus::Active => println!("{} is measured", website.domain),
//!     other => println!("{} is {other}", website.domain),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What to know
//!
//! - Every reply outside 2xx is [`Error::UnexpectedResponse`], with status,
//!   headers and body unread.
//! - [`Error::InvalidResponsePayload`] shows the whole body in its `Display`
//!   and `Debug`. Where [`Operation::secret_response`] is set, that body holds
//!   a secret: do not log it.
//! - Some operations answer 204 where a body was expected; that is
//!   [`Error::InvalidResponsePayload`] with an empty body here.
//! - Enums are open: a value that this version does not know is
//!   `Unknown(value)`.
//! - With the feature `schemars` every type implements `schemars::JsonSchema`.
//! - An id can hold anything but cannot be `.` or `..`; see [`mod@path`].

#[rustfmt::skip]
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    reason = "generated; fields say as much as the contract does"
)]
mod generated;
#[rustfmt::skip]
#[path = "generated_operations.rs"]
pub mod operations;
mod base;
mod hooks;
pub mod operation;
pub mod path;
mod session;
mod wire;

#[doc(inline)]
pub use self::generated::{Client, types};
#[doc(inline)]
pub use self::operation::{Auth, Idempotency, Method, Operation, Provenance, Server};
pub use self::session::{InvalidCredential, Sending, Session, StaticToken, Transport};
pub use self::wire::Count;
/// What generated methods return; reads more than a client needs.
pub use progenitor_client::{ClientInfo, Error, ResponseValue};
