//! What may differ from one use of a schema to the next: null, defaults, flags, texts, and its name.

use serde_json::{Value, json};

use super::changes::{Changes, Walk, or_null};
use crate::diff::finding::{Place, Verdict};
use crate::diff::rules::{Direction, Runtime, RustApi};
use crate::document::Schema;

impl<'a> Changes<'_, 'a> {
    /// What may differ from one use of a schema to the next.
    pub(super) fn beside(&mut self, walk: &Walk, old: &Schema<'a>, new: &Schema<'a>) {
        if old.nullable() != new.nullable() {
            let aspect = if new.nullable() {
                "became-nullable"
            } else {
                "became-not-nullable"
            };
            let mut verdict = self.by_type(walk, old, new);
            // What may be absent may be null as well, for this client.
            if walk.place.direction() == Direction::Response && walk.required == (false, false) {
                verdict.runtime = Some(Runtime::Works);
            }
            let key = if new.get("nullable").is_some() || old.get("nullable").is_some() {
                "nullable"
            } else {
                "type"
            };
            let (before, now) = (json!(old.nullable()), json!(new.nullable()));
            self.verdict(walk, aspect, (old, new), key, [before, now], verdict);
        }
        for (key, on, off) in [
            ("readOnly", "became-read-only", "became-not-read-only"),
            ("writeOnly", "became-write-only", "became-not-write-only"),
            ("deprecated", "schema-deprecated", "schema-reactivated"),
        ] {
            let (before, now) = (old.is(key), new.is(key));
            if before != now {
                let aspect = if now { on } else { off };
                self.add(walk, aspect, (old, new), key, [json!(before), json!(now)]);
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
                walk,
                aspect,
                (old, new),
                "default",
                [or_null(before), or_null(now)],
            );
        }
        for key in ["title", "description"] {
            let (before, now) = (old.get(key), new.get(key));
            if before != now {
                let mut place = Self::place(walk, (old, new), key);
                if place.location.starts_with("/components/")
                    && let Some(name) = new.name
                {
                    name.clone_into(&mut place.subject);
                }
                self.findings.add(
                    "description-changed",
                    place,
                    or_null(before),
                    or_null(now),
                    Verdict::default(),
                );
            }
        }
    }

    pub(super) fn name(&mut self, walk: &Walk, old: &Schema<'a>, new: &Schema<'a>) {
        if old.name == new.name {
            return;
        }
        let covers = old.references().chain(new.references()).collect();
        // Only what becomes a Rust type of its own has a name that callers see.
        let own = |schema: &Schema<'a>| schema.properties().is_some() || schema.values().is_some();
        let verdict = if own(old) || own(new) {
            walk.verdict()
        } else {
            Verdict {
                rust_api: Some(RustApi::None),
                ..walk.verdict()
            }
        };
        let place = Place {
            operation: walk.operation.clone(),
            subject: walk.subject.clone(),
            location: new.used_at.clone(),
            covers,
        };
        let name = |schema: &Schema<'a>| schema.name.map_or(Value::Null, |name| json!(name));
        self.findings
            .add("schema-name-changed", place, name(old), name(new), verdict);
    }
}
