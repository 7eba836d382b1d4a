//! Tokens: who signs them, what they say, how long they live.

mod claims;
mod clock;
mod key;
mod minter;
mod rsa;
mod signer;

pub use key::PrivateKey;
pub(crate) use minter::Minter;
pub use minter::Token;
pub use signer::{SignFuture, Signer, SignerError};
