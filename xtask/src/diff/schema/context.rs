//! The place of a pair of schemas in the contracts.

use crate::diff::finding::{ChangeLocation, SeverityOverride};
use crate::diff::rules::SchemaPosition;

/// The operation, subject and position of a pair of schemas.
#[derive(Debug, Clone)]
pub(in crate::diff) struct SchemaContext {
    pub(in crate::diff) operation: String,
    /// The subject of findings, in the terms of the contract.
    pub(in crate::diff) subject: String,
    pub(in crate::diff) position: SchemaPosition,
    /// Whether the value is always present: before, and now.
    pub(in crate::diff) required: (bool, bool),
    /// Whether it is in the body of a failure, which the client does not decode.
    pub(in crate::diff) ignored: bool,
    /// Whether it is in a property that is not transferred in this direction.
    pub(in crate::diff) unsent: bool,
}

impl SchemaContext {
    pub(in crate::diff) fn new(operation: &str, subject: String, position: SchemaPosition) -> Self {
        Self {
            operation: operation.to_owned(),
            subject,
            position,
            required: (false, false),
            ignored: false,
            unsent: false,
        }
    }

    pub(in crate::diff) fn required(mut self, before: bool, now: bool) -> Self {
        self.required = (before, now);
        self
    }

    pub(in crate::diff) fn ignored(mut self) -> Self {
        self.ignored = true;
        self
    }

    /// Returns the overrides that apply to every finding here.
    pub(in crate::diff) fn severity(&self) -> SeverityOverride {
        if self.ignored {
            SeverityOverride::ignored()
        } else if self.unsent {
            SeverityOverride::unsent()
        } else {
            SeverityOverride::default()
        }
    }

    /// Returns the location of a finding.
    pub(in crate::diff) fn location(&self, pointer: String) -> ChangeLocation {
        ChangeLocation {
            operation: self.operation.clone(),
            subject: self.subject.clone(),
            pointer,
            explains: Vec::new(),
        }
    }

    /// Returns the context one level down.
    pub(in crate::diff) fn child(&self, name: &str, required: (bool, bool)) -> Self {
        Self {
            subject: format!("{}{name}", self.subject),
            position: self.position.inner(),
            required,
            ..self.clone()
        }
    }
}
