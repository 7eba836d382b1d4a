//! The log of rewrites.

use std::fmt;

/// One change that prepares the contract for the generator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// The kind of change.
    pub kind: Kind,
    /// JSON pointer of the node, in the document before the step ran.
    pub pointer: String,
    /// What was done.
    pub text: String,
}

/// Kinds of [`Rewrite`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An extension for other generators was replaced by its meaning.
    Restored,
    /// A schema without a name got one.
    Hoisted,
    /// The success of an operation represents every 2xx.
    Success,
    /// A second success was dropped.
    DroppedSuccess,
    /// Failures were dropped: they arrive with status, headers and body intact.
    DroppedFailures,
    /// A component that nothing refers to any more was dropped.
    DroppedComponent,
    /// A number in whole steps became an integer.
    Integer,
    /// A limit or a default was dropped.
    DroppedLimit,
    /// An enum value has no distinct name in Rust, and arrives as an unknown one.
    OpenValue,
    /// An optional field of a response may also be null.
    Nullable,
    /// A comma-separated list became text.
    CommaList,
    /// A choice between schemas became one type, or any value.
    Choice,
    /// An optional parameter that the client cannot send was removed.
    LeftOut,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Restored => "restored",
            Self::Hoisted => "hoisted",
            Self::Success => "success",
            Self::DroppedSuccess => "dropped-success",
            Self::DroppedFailures => "dropped-failures",
            Self::DroppedComponent => "dropped-component",
            Self::Integer => "integer",
            Self::DroppedLimit => "dropped-limit",
            Self::OpenValue => "open-value",
            Self::Nullable => "nullable",
            Self::CommaList => "comma-list",
            Self::Choice => "choice",
            Self::LeftOut => "left-out",
        })
    }
}

impl fmt::Display for Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind, self.pointer, self.text)
    }
}

/// The rewrites so far.
#[derive(Debug, Default)]
pub(super) struct Log(pub(super) Vec<Rewrite>);

impl Log {
    pub(super) fn add(&mut self, kind: Kind, pointer: impl Into<String>, text: impl Into<String>) {
        self.0.push(Rewrite {
            kind,
            pointer: pointer.into(),
            text: text.into(),
        });
    }
}
