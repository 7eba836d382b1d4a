//! What may differ from one use of a schema to the next: null, defaults, flags, texts, and its name.

use serde_json::{Value, json};

use super::changes::{Changes, or_null};
use super::context::SchemaContext;
use crate::diff::finding::{ChangeLocation, SeverityOverride};
use crate::diff::rules::{Direction, Runtime, RustApi};
use crate::document::Schema;

impl<'a> Changes<'_, 'a> {
    /// What may differ from one use of a schema to the next.
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
            // What may be absent may be null as well, for this client.
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
                self.add(
                    context,
                    aspect,
                    (old, new),
                    key,
                    [json!(before), json!(now)],
                );
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
        for key in ["title", "description"] {
            let (before, now) = (old.get(key), new.get(key));
            if before != now {
                let mut location = Self::locate(context, (old, new), key);
                if location.pointer.starts_with("/components/")
                    && let Some(name) = new.name
                {
                    name.clone_into(&mut location.subject);
                }
                self.findings.add(
                    "description-changed",
                    location,
                    or_null(before),
                    or_null(now),
                    SeverityOverride::default(),
                );
            }
        }
    }

    /// Whether one name took the place of the other in the whole document.
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
        let explains: Vec<String> = old.references().chain(new.references()).collect();
        // Only what becomes a Rust type of its own has a name that callers see.
        let own = |schema: &Schema<'a>| schema.properties().is_some() || schema.values().is_some();
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
            // Once, however often it is used.
            Some(was) => ChangeLocation {
                operation: context.operation.clone(),
                subject: format!("schema {was}"),
                pointer: new.pointer.clone(),
                explains,
            },
            None => ChangeLocation {
                operation: context.operation.clone(),
                subject: context.subject.clone(),
                pointer: new.used_at.clone(),
                explains,
            },
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
