//! The log of changes to a document, and of problems.

use std::fmt;

use anyhow::{Result, bail};

/// One change that was needed for the canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The kind of change.
    pub kind: Kind,
    /// JSON pointer of the node, in the document before the step ran.
    pub pointer: String,
    /// What was done.
    pub text: String,
}

/// Kinds of [`Change`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A reference that only few tools support was replaced by its target.
    Resolved,
    /// A keyword was replaced by its equivalent in OpenAPI 3.0.
    Lowered,
    /// A keyword without an equivalent in OpenAPI 3.0 was dropped.
    Dropped,
    /// An operation or a tag was renamed to its known name.
    Renamed,
    /// A schema without a name got one.
    Named,
    /// A security scheme was recognised.
    Security,
    /// Something that the document leaves out was kept from the previous version.
    Kept,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolved => "resolved",
            Self::Lowered => "lowered",
            Self::Dropped => "dropped",
            Self::Renamed => "renamed",
            Self::Named => "named",
            Self::Security => "security",
            Self::Kept => "kept",
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind, self.pointer, self.text)
    }
}

/// The changes and problems so far.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) changes: Vec<Change>,
    refusals: Vec<String>,
}

impl Log {
    pub(super) fn add(&mut self, kind: Kind, pointer: impl Into<String>, text: impl Into<String>) {
        self.changes.push(Change {
            kind,
            pointer: pointer.into(),
            text: text.into(),
        });
    }

    /// Records a problem. The other steps still run, so that all problems are reported together.
    pub(super) fn refuse(&mut self, pointer: &str, cause: &str, remedy: &str) {
        self.refusals.push(format!("{pointer}: {cause}: {remedy}"));
    }

    /// Returns the changes, or an error with all problems.
    pub(super) fn finish(self) -> Result<Vec<Change>> {
        match self.refusals.as_slice() {
            [] => Ok(self.changes),
            [one] => bail!("{one}"),
            all => bail!("{} refusals:\n- {}", all.len(), all.join("\n- ")),
        }
    }
}
