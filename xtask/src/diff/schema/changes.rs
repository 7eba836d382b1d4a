//! Records what changes between two schemas.

use std::collections::HashSet;

use serde_json::Value;

use super::context::SchemaContext;
use crate::diff::finding::{ChangeLocation, Findings, SeverityOverride};
use crate::diff::rules::RustApi;
use crate::diff::rust_type::rust_type;
use crate::document::{Contract, Schema, escape, fields};

/// The two contracts.
pub(super) struct Pair<'a> {
    pub(super) old: Contract<'a>,
    pub(super) new: Contract<'a>,
    /// Components that are equal in both, with everything they refer to.
    pub(super) same: HashSet<&'a str>,
}

impl Pair<'_> {
    /// Reports whether one component is only in the old document and the other only in the new one.
    pub(super) fn renamed(&self, old: &str, new: &str) -> bool {
        self.new.component("schemas", old).is_none() && self.old.component("schemas", new).is_none()
    }
}

/// A pair of schemas one level down, which is still to be compared.
pub(super) struct Child<'a> {
    pub(super) context: SchemaContext,
    pub(super) old: Schema<'a>,
    pub(super) new: Schema<'a>,
}

/// Records findings about two schemas.
pub(super) struct Changes<'s, 'a> {
    pub(super) schemas: &'s Pair<'a>,
    pub(super) findings: &'s mut Findings,
}

impl<'a> Changes<'_, 'a> {
    /// Returns the severity, given whether the Rust type changes.
    pub(super) fn severity_by_type(
        &self,
        context: &SchemaContext,
        old: &Schema<'a>,
        new: &Schema<'a>,
    ) -> SeverityOverride {
        let mut severity = context.severity();
        let optional = |schema: &Schema<'a>, required: bool| schema.nullable() || !required;
        let same = rust_type(self.schemas.old, old).ok() == rust_type(self.schemas.new, new).ok()
            && optional(old, context.required.0) == optional(new, context.required.1);
        if same {
            severity.rust_api = Some(RustApi::None);
        }
        severity
    }

    pub(super) fn add(
        &mut self,
        context: &SchemaContext,
        aspect: &str,
        schemas: (&Schema<'a>, &Schema<'a>),
        key: &str,
        values: [Value; 2],
    ) {
        self.add_with(context, aspect, schemas, key, values, context.severity());
    }

    pub(super) fn add_with(
        &mut self,
        context: &SchemaContext,
        aspect: &str,
        schemas: (&Schema<'a>, &Schema<'a>),
        key: &str,
        values: [Value; 2],
        severity: SeverityOverride,
    ) {
        let location = Self::locate(context, schemas, key);
        self.finish(context, aspect, location, values, severity);
    }

    pub(super) fn finish(
        &mut self,
        context: &SchemaContext,
        aspect: &str,
        location: ChangeLocation,
        [old, new]: [Value; 2],
        severity: SeverityOverride,
    ) {
        let id = format!("{}-{aspect}", context.position.prefix());
        self.findings.add(&id, location, old, new, severity);
    }

    pub(super) fn locate(
        context: &SchemaContext,
        (old, new): (&Schema<'a>, &Schema<'a>),
        key: &str,
    ) -> ChangeLocation {
        // What was removed is looked up in the old document.
        let pointer = if new.get(key).is_none() && old.get(key).is_some() {
            old.at(key)
        } else {
            new.at(key)
        };
        ChangeLocation {
            explains: vec![old.at(key), new.at(key)],
            ..context.location(pointer)
        }
    }

    /// Marks these schemas as compared by keyword, so that their differences are not reported again.
    ///
    /// Keywords at a use of a schema, which override those of the schema, are marked where they are compared.
    pub(super) fn explain(&mut self, schema: &Schema<'a>) {
        for (at, node) in schema.parts() {
            for (key, _) in fields(node).filter(|(key, _)| !AT_THE_USE.contains(key)) {
                self.findings
                    .mark_explained(format!("{at}/{}", escape(key)));
            }
            if !node.is_object() {
                self.findings.mark_explained(at.to_owned());
            }
        }
    }

    /// Like [`Changes::explain`], for the references that lead to them.
    pub(super) fn explain_references(&mut self, schema: &Schema<'a>) {
        for (at, node) in schema.references() {
            for (key, _) in fields(node).filter(|(key, _)| !AT_THE_USE.contains(key)) {
                self.findings
                    .mark_explained(format!("{at}/{}", escape(key)));
            }
        }
    }
}

/// Keywords next to a reference that override those of its target.
pub(super) const AT_THE_USE: [&str; 5] =
    ["nullable", "default", "deprecated", "readOnly", "writeOnly"];

/// Returns a keyword as it is reported.
pub(super) fn or_null(value: Option<&Value>) -> Value {
    value.cloned().unwrap_or(Value::Null)
}
