//! Merges `allOf` of a base object and its additional properties.

use serde_json::{Map, Value, json};

use super::log::{Kind, Log};
use super::lower::ANNOTATIONS;
use crate::document::{LIMITS, SCHEMAS, each_schema_mut, entries, fields, reference, target};

/// The maximum number of nested bases. More are a circle.
const DEEPEST: usize = 8;

pub(super) fn write_out(document: &mut Value, log: &mut Log) {
    let mut any = false;
    each_schema_mut(document, &mut |_, schema| {
        annotations(schema);
        any |= is_composed(schema);
    });
    if any {
        merge_parts(document, log);
    }
    null_where_it_is_used(document, log);
}

fn is_composed(schema: &Value) -> bool {
    let parts = entries(&schema["allOf"]).len();
    parts > 1 || (parts == 1 && schema.get("properties").is_some())
}

fn merge_parts(document: &mut Value, log: &mut Log) {
    let whole = document.clone();
    each_schema_mut(document, &mut |at, schema| {
        if !is_composed(schema) {
            return;
        }
        let mut merged = Map::new();
        if !merge(&whole, schema, &mut merged, 0) {
            log.refuse(
                at,
                "allOf of schemas that are not plain objects, or differ in a property",
                "write a single schema, by an overlay or in the vendor's file",
            );
            return;
        }
        for (key, value) in fields(schema)
            .filter(|(key, _)| !["allOf", "type", "properties", "required"].contains(key))
        {
            merged.insert(key.to_owned(), value.clone());
        }
        *schema = Value::Object(merged);
        log.add(Kind::Lowered, at, "allOf is merged");
    });
}

/// Moves the parts of `allOf` that only annotate into the schema around it: `[{ $ref }, { description }]`.
fn annotations(schema: &mut Value) {
    let parts = entries(&schema["allOf"]).to_vec();
    let only_annotates = |part: &Value| {
        fields(part).all(|(key, _)| {
            ANNOTATIONS.contains(&key)
                || LIMITS.contains(&key)
                || key == "title"
                || key.starts_with("x-")
        })
    };
    let (beside, kept): (Vec<Value>, Vec<Value>) = parts.into_iter().partition(only_annotates);
    if beside.is_empty() || kept.is_empty() {
        return;
    }
    let Some(whole) = schema.as_object_mut() else {
        return;
    };
    for (key, value) in beside.iter().flat_map(fields) {
        whole.entry(key).or_insert_with(|| value.clone());
    }
    match kept.as_slice() {
        [only] if reference(only).is_none() => {
            whole.shift_remove("allOf");
            for (key, value) in fields(only) {
                whole.entry(key).or_insert_with(|| value.clone());
            }
        }
        _ => {
            whole.insert("allOf".to_owned(), json!(kept));
        }
    }
}

/// Adds the properties of an object, and of its bases.
fn merge(document: &Value, schema: &Value, merged: &mut Map<String, Value>, depth: usize) -> bool {
    if depth == DEEPEST {
        return false;
    }
    if let Some(name) = reference(schema) {
        return target(document, name)
            .is_ok_and(|found| merge(document, found.value, merged, depth + 1));
    }
    let is_object = schema.get("properties").is_some()
        || schema["type"] == "object"
        || schema.get("allOf").is_some();
    let only_describes = schema.get("type").is_none()
        && ["enum", "oneOf", "anyOf", "items"]
            .iter()
            .all(|key| schema.get(key).is_none());
    if !is_object && !only_describes {
        return false;
    }
    for part in entries(&schema["allOf"]) {
        if !merge(document, part, merged, depth + 1) {
            return false;
        }
    }
    merged.entry("type").or_insert_with(|| json!("object"));
    for (name, property) in fields(&schema["properties"]) {
        let properties = merged.entry("properties").or_insert_with(|| json!({}));
        // A later part refines an earlier one.
        let known = properties
            .get(name)
            .and_then(|known| known["type"].as_str());
        if known.is_some()
            && property["type"]
                .as_str()
                .is_some_and(|kind| known != Some(kind))
        {
            return false;
        }
        properties[name] = property.clone();
    }
    let more = entries(&schema["required"]);
    if !more.is_empty()
        && let Some(required) = merged
            .entry("required")
            .or_insert_with(|| json!([]))
            .as_array_mut()
    {
        for name in more {
            if !required.contains(name) {
                required.push(name.clone());
            }
        }
    }
    true
}

/// Moves null from enums with a name to the places that use them.
fn null_where_it_is_used(document: &mut Value, log: &mut Log) {
    let mut nullable = Vec::new();
    for (name, schema) in document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        if schema.get("enum").is_some()
            && let Some(fields) = schema.as_object_mut()
            && fields.shift_remove("nullable").is_some()
        {
            nullable.push(format!("{SCHEMAS}{name}"));
            log.add(
                Kind::Lowered,
                format!("{}{name}", &SCHEMAS[1..]),
                "may be null where it is used",
            );
        }
    }
    if nullable.is_empty() {
        return;
    }
    for part in ["paths", "components"] {
        if let Some(node) = document.get_mut(part) {
            mark(node, &nullable);
        }
    }
}

/// Marks the references to these schemas as nullable.
fn mark(node: &mut Value, nullable: &[String]) {
    let is_nullable = |node: &Value| {
        reference(node).is_some_and(|name| nullable.iter().any(|other| other == name))
    };
    if is_nullable(node) {
        *node = json!({ "allOf": [node.take()], "nullable": true });
        return;
    }
    if matches!(entries(&node["allOf"]), [only] if is_nullable(only)) {
        node["nullable"] = json!(true);
        return;
    }
    match node {
        Value::Object(fields) => {
            for (key, value) in fields {
                if !matches!(key.as_str(), "example" | "examples" | "default") {
                    mark(value, nullable);
                }
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| mark(entry, nullable)),
        _ => {}
    }
}
