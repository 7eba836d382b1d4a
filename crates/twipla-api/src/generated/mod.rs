//! What `cargo xtask regen` writes from the contract. Nothing here is edited by hand.

#[rustfmt::skip]
pub mod operations;
#[rustfmt::skip]
pub mod requests;
#[rustfmt::skip]
#[allow(missing_docs, reason = "fields say as much as the contract does")]
pub mod types;
