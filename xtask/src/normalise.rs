//! Prepares the contract for the generator.
//!
//! progenitor panics on some documents, and is silently wrong about others.
//! [`normalise`] rewrites what can be said in a way that it understands, logs
//! each rewrite, and refuses the rest with the operation and the JSON pointer.
//! It is pure: a document in, a document and its log out.

mod check;
mod log;
mod rewrite;

use anyhow::Result;
use serde_json::Value;

pub use self::log::{Kind, Rewrite};

use self::log::Log;

/// Prepares a contract for the generator, or says what cannot be carried over.
pub fn normalise(contract: &Value) -> Result<(Value, Vec<Rewrite>)> {
    let mut document = contract.clone();
    let mut log = Log::default();
    check::check_document(&document)?;
    check::check_operations(&document)?;
    rewrite::hoist(&mut document, &mut log)?;
    check::check_type_names(&document)?;
    check::check_schemas(&document)?;
    rewrite::one_success(&mut document, &mut log)?;
    rewrite::drop_unused(&mut document, &mut log)?;
    check::check_kept_schemas(&document)?;
    rewrite::integers(&mut document, &mut log);
    rewrite::limits(&mut document, &mut log);
    rewrite::nullable_responses(&mut document, &mut log)?;
    Ok((document, log.0))
}
