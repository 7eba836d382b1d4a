//! What a schema admits, whatever it is called and however it is described.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::document::{LIMITS, SCHEMAS, entries, fields, reference};

/// Keywords beside [`LIMITS`] that leave the type as it is.
const APART: [&str; 12] = [
    "title",
    "description",
    "example",
    "examples",
    "default",
    "deprecated",
    "externalDocs",
    "xml",
    "additionalProperties",
    "readOnly",
    "writeOnly",
    "summary",
];

/// The schema below wrappers that only annotate it: an `allOf` of one.
pub(super) fn peel(schema: &Value) -> &Value {
    match entries(&schema["allOf"]) {
        [only] if schema.get("properties").is_none() => peel(only),
        _ => schema,
    }
}

/// The name that a schema refers to.
pub(super) fn named(schema: &Value) -> Option<&str> {
    reference(peel(schema))?.strip_prefix(SCHEMAS)
}

/// Whether the generator makes a type of its own for it.
pub(super) fn needs_name(schema: &Value) -> bool {
    schema.get("properties").is_some()
        || schema.get("enum").is_some()
        || entries(&schema["allOf"]).len() > 1
}

/// Whether it is one plain value: text, a number, a flag.
pub(super) fn is_scalar(schema: &Value) -> bool {
    !needs_name(schema)
        && matches!(
            schema["type"].as_str(),
            Some("string" | "number" | "integer" | "boolean")
        )
}

/// Schemas that are written out in a shape; those beyond are told apart by their names. A mesh would never end.
const MOST_SCHEMAS: usize = 1_000;
/// The same for those that are further inside.
const DEEPEST: usize = 16;

/// The names on the way to a schema, and how many schemas may still be written out.
struct Open<'a> {
    names: Vec<&'a str>,
    left: usize,
}

/// Text that is equal for schemas that admit the same.
pub(super) fn shape(document: &Value, schema: &Value) -> String {
    let mut open = Open {
        names: Vec::new(),
        left: MOST_SCHEMAS,
    };
    value(document, schema, true, &mut open).to_string()
}

fn value<'a>(
    document: &'a Value,
    schema: &'a Value,
    outermost: bool,
    open: &mut Open<'a>,
) -> Value {
    open.left = open.left.saturating_sub(1);
    let nullable = !outermost && schema["nullable"] == true;
    let inner = peel(schema);
    let mut found = match named(inner) {
        Some(name) if open.names.contains(&name) => {
            json!({ "again": open.names.iter().rev().position(|other| *other == name) })
        }
        Some(name) if open.left == 0 || open.names.len() == DEEPEST => json!({ "named": name }),
        Some(name) => {
            open.names.push(name);
            let found = value(
                document,
                &document["components"]["schemas"][name],
                true,
                open,
            );
            open.names.pop();
            found
        }
        None => own(document, inner, open),
    };
    if nullable && let Some(found) = found.as_object_mut() {
        found.insert("nullable".to_owned(), json!(true));
    }
    found
}

fn own<'a>(document: &'a Value, schema: &'a Value, open: &mut Open<'a>) -> Value {
    let mut found: BTreeMap<&str, Value> = BTreeMap::new();
    let kind = schema["type"].as_str();
    let is_number = matches!(kind, Some("integer" | "number"));
    for (key, keyword) in fields(schema) {
        match key {
            // The values of a map are part of its type.
            "additionalProperties" if keyword.is_object() => {
                found.insert(key, value(document, keyword, false, open));
            }
            _ if APART.contains(&key)
                || LIMITS.contains(&key)
                || key.starts_with("x-")
                || key == "nullable" => {}
            // Many documents write `number` for whole numbers.
            "format" if is_number => {}
            "type" if is_number => {
                found.insert(key, json!("number"));
            }
            "required" | "enum" => {
                let mut names = entries(keyword).to_vec();
                names.sort_by_key(Value::to_string);
                if !names.is_empty() {
                    found.insert(key, Value::Array(names));
                }
            }
            "properties" => {
                let properties: BTreeMap<&str, Value> = fields(keyword)
                    .map(|(name, property)| (name, value(document, property, false, open)))
                    .collect();
                found.insert(key, object(properties));
            }
            "items" | "not" => {
                found.insert(key, value(document, keyword, false, open));
            }
            "allOf" | "oneOf" | "anyOf" => {
                let parts = entries(keyword)
                    .iter()
                    .map(|part| value(document, part, false, open))
                    .collect();
                found.insert(key, Value::Array(parts));
            }
            _ => {
                found.insert(key, keyword.clone());
            }
        }
    }
    object(found)
}

fn object(fields: BTreeMap<&str, Value>) -> Value {
    let fields: Map<String, Value> = fields
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    Value::Object(fields)
}
