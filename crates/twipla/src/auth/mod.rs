//! Tokens: their claims, their signers, and their lifetime.

mod backoff;
mod claims;
mod clock;
mod der;
mod key;
mod minter;
mod pending_mint;
mod public_key;
mod rsa;
mod signer;
mod signing;
mod token;

pub use key::PrivateKey;
pub(crate) use minter::Minter;
pub use signer::{SignFuture, Signer, SignerError};
pub(crate) use signing::sign_within;
pub use token::Token;
