//! Text that must not be shown: API keys, refresh tokens, signed tokens.

pub use twipla_api::Secret;
