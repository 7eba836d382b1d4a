//! Compares the keywords that no other rule compares, so that no change goes unreported.

use std::collections::BTreeSet;

use serde_json::Value;

use super::annotations::TEXTS;
use super::changes::{AT_THE_USE, Changes};
use super::context::SchemaContext;
use crate::diff::finding::{ChangeLocation, SeverityOverride};
use crate::diff::sunset;
use crate::document::{JSON_SCHEMA, Schema, fields, object};

/// Keywords that are compared by their meaning, in any part of a schema.
const COMPARED: [&str; 24] = [
    "$ref",
    "type",
    "enum",
    "const",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "uniqueItems",
    "properties",
    "required",
    "allOf",
    "nullable",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "additionalProperties",
];

/// Keywords that are compared if the schema has them once.
const COMPARED_ONCE: [&str; 8] = [
    "format",
    "multipleOf",
    "pattern",
    "not",
    "discriminator",
    "items",
    "oneOf",
    "anyOf",
];

/// Keywords that can only exclude values: a schema with one of them allows fewer values.
const NARROWING: [&str; 5] = [
    "contains",
    "dependentRequired",
    "dependentSchemas",
    "maxContains",
    "propertyNames",
];

/// Keywords that have no meaning for a value.
const FORMAL: [&str; 6] = [
    "$schema",
    "$id",
    "$anchor",
    "$defs",
    "definitions",
    "$dynamicAnchor",
];

impl<'a> Changes<'_, 'a> {
    /// Reports every different keyword that nothing else compares.
    pub(super) fn rest(&mut self, context: &SchemaContext, old: &Schema<'a>, new: &Schema<'a>) {
        let keys: BTreeSet<&'a str> = old
            .parts()
            .chain(new.parts())
            .flat_map(|(_, node)| fields(node))
            .map(|(key, _)| key)
            .collect();
        for key in keys {
            let (before, now) = (old.all(key), new.all(key));
            let is_same = before.len() == now.len() && before.iter().all(|was| now.contains(was));
            if is_same
                || (COMPARED.contains(&key)
                    && (before.iter().chain(&now)).all(|value| fits(key, value)))
                || (COMPARED_ONCE.contains(&key)
                    && !is_manifold(old, new, key)
                    && (before.iter().chain(&now)).all(|value| fits(key, value)))
            {
                continue;
            }
            if key == JSON_SCHEMA {
                self.kept_keywords(context, (old, new));
                continue;
            }
            let location = Self::locate(context, (old, new), key);
            let values = [together(&before), together(&now)];
            if key == "x-sunset" {
                if let Some(aspect) = sunset::change(before.first().copied(), now.first().copied())
                {
                    self.finish(context, aspect, location, values, context.severity());
                }
                continue;
            }
            let text = TEXTS.iter().find(|(text, _)| *text == key);
            let id = match text {
                Some((_, id)) => id,
                None if key.starts_with("x-") => "extension-changed",
                None if FORMAL.contains(&key) => "documentation-changed",
                None => {
                    self.keyword(context, location, key, &before, &now);
                    continue;
                }
            };
            let [from, to] = values;
            self.findings
                .add(id, location, from, to, SeverityOverride::default());
        }
    }

    /// Compares the JSON Schema keywords that the canonical form preserves, by the rules of OpenAPI 3.1.
    fn kept_keywords(&mut self, context: &SchemaContext, (old, new): (&Schema<'a>, &Schema<'a>)) {
        let (before, now) = (old.all(JSON_SCHEMA), new.all(JSON_SCHEMA));
        let keys: BTreeSet<&str> = (before.iter().chain(&now))
            .flat_map(|kept| fields(kept))
            .map(|(key, _)| key)
            .collect();
        for key in keys {
            let of = |kept: &[&'a Value]| -> Vec<&'a Value> {
                kept.iter().filter_map(|kept| kept.get(key)).collect()
            };
            let (before, now) = (of(&before), of(&now));
            if before != now {
                let location = Self::locate(context, (old, new), JSON_SCHEMA);
                self.keyword(context, location, key, &before, &now);
            }
        }
    }

    fn keyword(
        &mut self,
        context: &SchemaContext,
        location: ChangeLocation,
        key: &str,
        before: &[&Value],
        now: &[&Value],
    ) {
        let aspect = match (before.is_empty(), now.is_empty()) {
            (true, false) if NARROWING.contains(&key) => "keyword-added",
            (false, true) if NARROWING.contains(&key) => "keyword-removed",
            _ => "keyword-changed",
        };
        // Include the keyword for readers.
        let values = [together(before), together(now)].map(|value| named(key, value));
        self.finish(context, aspect, location, values, context.severity());
    }

    /// Reports schemas that are written differently with the same meaning.
    pub(super) fn rewritten(
        &mut self,
        context: &SchemaContext,
        old: &Schema<'a>,
        new: &Schema<'a>,
    ) {
        let ([(_, was)], [(_, is)]) = (
            &old.parts().collect::<Vec<_>>()[..],
            &new.parts().collect::<Vec<_>>()[..],
        ) else {
            return;
        };
        let keys: BTreeSet<&str> = fields(was).chain(fields(is)).map(|(key, _)| key).collect();
        for key in keys {
            let is_inside = ["properties", "items", "not", "oneOf", "anyOf"].contains(&key)
                || (key == "additionalProperties" && was[key].is_object() && is[key].is_object());
            let is_told = AT_THE_USE.contains(&key) || TEXTS.iter().any(|(text, _)| *text == key);
            if is_inside || is_told || was.get(key) == is.get(key) {
                continue;
            }
            let location = Self::locate(context, (old, new), key);
            let severity = SeverityOverride::default();
            let values =
                [was, is].map(|node| object(node).get(key).cloned().unwrap_or(Value::Null));
            let [from, to] = values;
            self.findings
                .add("document-rewritten", location, from, to, severity);
            // Report it once per schema.
            return;
        }
    }
}

/// Reports whether several parts have different values of a keyword that is only compared once.
pub(super) fn is_manifold(old: &Schema<'_>, new: &Schema<'_>, key: &str) -> bool {
    match key {
        // They are merged.
        "items" => false,
        _ => old.all(key).len() > 1 || new.all(key).len() > 1,
    }
}

/// Reports whether a value has the type that its keyword requires, so that it was compared.
fn fits(key: &str, value: &Value) -> bool {
    match key {
        "required" => value
            .as_array()
            .is_some_and(|names| names.iter().all(Value::is_string)),
        "enum" | "allOf" | "oneOf" | "anyOf" => value.is_array(),
        "properties" | "items" => value.is_object(),
        "additionalProperties" => value.is_object() || value.is_boolean(),
        "uniqueItems" => value.is_boolean(),
        "exclusiveMinimum" | "exclusiveMaximum" => value.is_boolean() || value.is_number(),
        "type" => value.is_string() || value.is_array(),
        _ if key.starts_with("min") || key.starts_with("max") => value.is_number(),
        _ => true,
    }
}

fn together(values: &[&Value]) -> Value {
    match values {
        [] => Value::Null,
        [one] => (*one).clone(),
        all => all.iter().map(|value| (*value).clone()).collect(),
    }
}

fn named(key: &str, value: Value) -> Value {
    if value.is_null() {
        return value;
    }
    Value::Object([(key.to_owned(), value)].into_iter().collect())
}
