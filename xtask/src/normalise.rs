//! Prepares the contract for the generator.
//!
//! progenitor panics on some documents, and is silently wrong about others.
//! [`normalise`] rewrites what can be said in a way that it understands, logs
//! each rewrite, and refuses the rest with the operation and the JSON pointer.
//! It is pure: a document in, a document and its log out.

mod check;
mod rewrite;

use std::fmt;

use anyhow::Result;
use serde_json::Value;

pub use crate::document::{Operation, entries, operations, resolve};

/// One change that prepares the contract for the generator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// What kind of change.
    pub kind: Kind,
    /// JSON pointer of the node, in the document as it was when the step ran.
    pub pointer: String,
    /// What was done.
    pub text: String,
}

/// Kinds of [`Rewrite`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A schema without a name got one.
    Hoisted,
    /// The success of an operation stands for every 2xx.
    Success,
    /// A second success was dropped.
    DroppedSuccess,
    /// Failures were dropped: they arrive with status, headers and body intact.
    DroppedFailures,
    /// A component that nothing refers to any more was dropped.
    DroppedComponent,
    /// A whole number became an integer.
    Integer,
    /// A limit or a default was dropped.
    DroppedLimit,
    /// An optional field of a response may be null, too.
    Nullable,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hoisted => "hoisted",
            Self::Success => "success",
            Self::DroppedSuccess => "dropped-success",
            Self::DroppedFailures => "dropped-failures",
            Self::DroppedComponent => "dropped-component",
            Self::Integer => "integer",
            Self::DroppedLimit => "dropped-limit",
            Self::Nullable => "nullable",
        })
    }
}

impl fmt::Display for Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind, self.pointer, self.text)
    }
}

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

#[derive(Debug, Default)]
struct Log(Vec<Rewrite>);

impl Log {
    fn add(&mut self, kind: Kind, pointer: impl Into<String>, text: impl Into<String>) {
        self.0.push(Rewrite {
            kind,
            pointer: pointer.into(),
            text: text.into(),
        });
    }
}
