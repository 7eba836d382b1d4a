//! Compares what may differ between uses of a schema: null, defaults, flags, texts, and its name.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::changes::{AT_THE_USE, Changes, or_null};
use super::context::SchemaContext;
use crate::diff::finding::{ChangeLocation, SeverityOverride};
use crate::diff::rules::{Direction, Level, Runtime, RustApi};
use crate::document::{JSON_SCHEMA, Schema, escape, fields};

/// Keywords that are only for readers, and the rules for their changes.
pub(super) const TEXTS: [(&str, &str); 8] = [
    ("title", "description-changed"),
    ("description", "description-changed"),
    ("summary", "description-changed"),
    ("example", "example-changed"),
    ("examples", "example-changed"),
    ("externalDocs", "documentation-changed"),
    ("xml", "documentation-changed"),
    ("$comment", "documentation-changed"),
];

/// Keywords that form a reference.
const STRUCTURE: [&str; 4] = ["$ref", "allOf", "anyOf", "oneOf"];

impl<'a> Changes<'_, 'a> {
    /// Compares what may differ between uses of a schema.
    pub(super) fn compare_annotations(
        &mut self,
        context: &SchemaContext,
        old: &Schema<'a>,
        new: &Schema<'a>,
    ) {
        if old.nullable() != new.nullable() {
            let aspect = if new.nullable() {
                "became-nullable"
            } else {
                "became-not-nullable"
            };
            let mut severity = self.severity_by_type(context, old, new);
            // For this client, a value that may be absent may also be null.
            if context.position.direction() == Direction::Response
                && context.required == (false, false)
            {
                severity.runtime = Some(Runtime::Works);
            }
            let key = if new.get("nullable").is_some() || old.get("nullable").is_some() {
                "nullable"
            } else {
                "type"
            };
            let (before, now) = (json!(old.nullable()), json!(new.nullable()));
            self.add_with(context, aspect, (old, new), key, [before, now], severity);
        }
        for (key, on, off) in [
            ("readOnly", "became-read-only", "became-not-read-only"),
            ("writeOnly", "became-write-only", "became-not-write-only"),
            ("deprecated", "schema-deprecated", "schema-reactivated"),
        ] {
            let (before, now) = (old.is(key), new.is(key));
            if before != now {
                let aspect = if now { on } else { off };
                let mut severity = context.severity();
                // It was required but is no longer sent, or it was read and no longer arrives.
                let breaks = match (key, context.position.direction()) {
                    ("readOnly", Direction::Request) => context.required == (false, true),
                    ("writeOnly", Direction::Response) => context.required == (true, false),
                    _ => false,
                };
                if breaks {
                    severity.level = Some(Level::Breaking);
                    severity.runtime = Some(Runtime::Breaks);
                }
                let values = [json!(before), json!(now)];
                self.add_with(context, aspect, (old, new), key, values, severity);
            }
        }
        for key in AT_THE_USE {
            // The same text in another place.
            let is_same = old.get(key).is_some() && old.get(key) == new.get(key);
            if is_same && old.at(key) != new.at(key) {
                self.findings.mark_explained(old.at(key));
                self.findings.mark_explained(new.at(key));
            }
        }
        let (before, now) = (old.get("default"), new.get("default"));
        let aspect = match (before, now) {
            (None, Some(_)) => "default-value-added",
            (Some(_), None) => "default-value-removed",
            _ => "default-value-changed",
        };
        if before != now {
            self.add(
                context,
                aspect,
                (old, new),
                "default",
                [or_null(before), or_null(now)],
            );
        }
        for (key, id) in TEXTS {
            let (before, now) = (old.get(key), new.get(key));
            if before != now {
                let mut location = Self::locate(context, (old, new), key);
                if location.pointer.starts_with("/components/")
                    && let Some(name) = new.name
                {
                    name.clone_into(&mut location.subject);
                }
                let severity = SeverityOverride::default();
                self.findings
                    .add(id, location, or_null(before), or_null(now), severity);
            }
        }
        self.extensions(context, (old, new));
        self.explain_references(old);
        self.explain_references(new);
    }

    /// Compares extensions next to a reference.
    fn extensions(&mut self, context: &SchemaContext, (old, new): (&Schema<'a>, &Schema<'a>)) {
        let beside = |schema: &Schema<'a>| -> BTreeMap<&'a str, (String, &'a Value)> {
            // In OpenAPI 3.1 a limit next to a reference applies, as a part of the schema.
            let is_part = |at: &str| schema.parts().any(|(part, _)| part == at);
            schema
                .references()
                .filter(|(at, _)| !is_part(at))
                .flat_map(|(at, node)| {
                    fields(node)
                        .map(move |(key, value)| (key, (format!("{at}/{}", escape(key)), value)))
                })
                .filter(|(key, _)| {
                    !STRUCTURE.contains(key)
                        && !AT_THE_USE.contains(key)
                        && TEXTS.iter().all(|(text, _)| text != key)
                })
                .collect()
        };
        let (before, now) = (beside(old), beside(new));
        for key in before.keys().chain(now.keys()) {
            let (was, is) = (before.get(key), now.get(key));
            let value =
                |found: Option<&(String, &'a Value)>| or_null(found.map(|(_, value)| *value));
            if value(was) != value(is)
                && let Some((pointer, _)) = is.or(was)
            {
                let location = context.location(pointer.clone());
                let id = if key.starts_with("x-") && *key != JSON_SCHEMA {
                    "extension-changed"
                } else {
                    "document-changed"
                };
                self.findings.add(
                    id,
                    location,
                    value(was),
                    value(is),
                    SeverityOverride::default(),
                );
            }
        }
    }

    /// Reports whether one name replaced the other in the whole document.
    pub(super) fn compare_names(
        &mut self,
        context: &SchemaContext,
        old: &Schema<'a>,
        new: &Schema<'a>,
    ) -> bool {
        if old.name == new.name {
            return false;
        }
        let renamed = match (old.name, new.name) {
            (Some(was), Some(is)) => self.schemas.renamed(was, is),
            _ => false,
        };
        // Callers only see the name of a schema that becomes a Rust type.
        let own = |schema: &Schema<'a>| schema.has_properties() || schema.values().is_some();
        let severity = if own(old) || own(new) {
            context.severity()
        } else {
            SeverityOverride {
                rust_api: Some(RustApi::None),
                ..context.severity()
            }
        };
        let name = |schema: &Schema<'a>| schema.name.map_or(Value::Null, |name| json!(name));
        let location = match old.name.filter(|_| renamed) {
            // Reported once, however often the schema is used.
            Some(was) => ChangeLocation {
                subject: format!("schema {was}"),
                ..context.location(new.pointer.clone())
            },
            None => context.location(new.used_at.clone()),
        };
        self.findings.add(
            "schema-name-changed",
            location,
            name(old),
            name(new),
            severity,
        );
        renamed
    }
}
