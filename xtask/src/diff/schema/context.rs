//! Where in the contracts a pair of schemas is.

use crate::diff::finding::{ChangeLocation, SeverityOverride};
use crate::diff::rules::SchemaPosition;

/// The operation, subject and position of a pair of schemas.
#[derive(Debug, Clone)]
pub(in crate::diff) struct SchemaContext {
    pub(in crate::diff) operation: String,
    /// What it is about, in the words of the contract.
    pub(in crate::diff) subject: String,
    pub(in crate::diff) position: SchemaPosition,
    /// Whether the value is always there: before, and now.
    pub(in crate::diff) required: (bool, bool),
    /// The body of a failure, which the client does not decode.
    pub(in crate::diff) ignored: bool,
    /// A property that does not travel this way, or something inside it.
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

    /// What applies to every finding here.
    pub(in crate::diff) fn severity(&self) -> SeverityOverride {
        if self.ignored {
            SeverityOverride::ignored()
        } else if self.unsent {
            SeverityOverride::unsent()
        } else {
            SeverityOverride::default()
        }
    }

    /// A place about which a finding is.
    pub(in crate::diff) fn location(&self, pointer: String) -> ChangeLocation {
        ChangeLocation {
            operation: self.operation.clone(),
            subject: self.subject.clone(),
            pointer,
            explains: Vec::new(),
        }
    }

    /// The context of what is one level down.
    pub(in crate::diff) fn child(&self, name: &str, required: (bool, bool)) -> Self {
        Self {
            subject: format!("{}{name}", self.subject),
            position: self.position.inner(),
            required,
            ..self.clone()
        }
    }
}
