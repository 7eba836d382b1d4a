//! Prepares the contract for the generator.
//!
//! progenitor panics on some documents, and silently generates wrong code for others. [`normalise`] rewrites what it can
//! into a form that progenitor supports, logs each rewrite, and rejects the rest with the operation and the JSON pointer.
//! It is pure: it takes a document and returns a document and a log.

mod check;
mod choices;
mod log;
mod parameters;
mod restore;
mod rewrite;

use anyhow::Result;
use serde_json::Value;

pub use self::log::{Kind, Rewrite};

use self::log::Log;

/// Prepares a contract for the generator, or fails with a list of what cannot be converted.
pub fn normalise(contract: &Value) -> Result<(Value, Vec<Rewrite>)> {
    let mut document = contract.clone();
    let mut log = Log::default();
    restore::restore(&mut document, &mut log);
    let mut problems = check::document(&document);
    problems.extend(choices::open(&mut document, &mut log));
    problems.extend(check::all_operations(&document));
    match rewrite::hoist(&mut document, &mut log) {
        Ok(()) => problems.extend(check::all_schemas(&document)),
        Err(error) => problems.push(error),
    }
    check::fail(&problems)?;
    parameters::rewrite(&mut document, &mut log);
    check::check_type_names(&document)?;
    rewrite::one_success(&mut document, &mut log)?;
    rewrite::drop_unused(&mut document, &mut log)?;
    check::fail(&check::kept_schemas(&document))?;
    rewrite::enum_values(&mut document, &mut log);
    rewrite::integers(&mut document, &mut log);
    rewrite::limits(&mut document, &mut log);
    rewrite::nullable_responses(&mut document, &mut log)?;
    Ok((document, log.0))
}
