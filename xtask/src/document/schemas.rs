//! Visits every schema of a document, and derives the names of types.

use heck::ToPascalCase as _;
use serde_json::Value;

use super::node::escape;

/// The extension in which a schema of the canonical form keeps keywords that OpenAPI 3.0 does not have.
pub const JSON_SCHEMA: &str = "x-json-schema";
/// The extension in which a document keeps the requests that the server sends.
pub const WEBHOOKS: &str = "x-webhooks";
/// Limits that the server checks. A client that rejected a response because of them would be of no help.
pub const LIMITS: [&str; 13] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
];

/// Names that have a meaning in the generated code.
const RUST_NAMES: [&str; 9] = [
    "AsRef", "From", "Into", "Option", "Result", "Self", "String", "ToString", "Vec",
];

/// Returns the Rust name that the generator gives to a component schema.
pub fn type_name(schema: &str) -> String {
    schema.to_pascal_case()
}

/// Reports whether a schema of that name would hide a name of Rust, or be renamed by the generator.
pub fn is_rust_name(schema: &str) -> bool {
    let name = type_name(schema);
    RUST_NAMES.contains(&name.as_str()) || !name.starts_with(|first: char| first.is_alphabetic())
}

/// Calls `visit` with every schema and its pointer, outer ones first.
pub fn each_schema(document: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    let mut copy = document.clone();
    each_schema_mut(&mut copy, &mut |at, schema| visit(at, schema));
}

/// Like [`each_schema`], for changes in place.
pub fn each_schema_mut(document: &mut Value, visit: &mut dyn FnMut(&str, &mut Value)) {
    if let Some(schemas) = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    {
        for (name, schema) in schemas {
            walk_schema(
                schema,
                &format!("/components/schemas/{}", escape(name)),
                visit,
            );
        }
    }
    for kind in ["responses", "requestBodies", "parameters"] {
        if let Some(holders) = document
            .pointer_mut(&format!("/components/{kind}"))
            .and_then(Value::as_object_mut)
        {
            for (name, holder) in holders {
                walk_holder(
                    holder,
                    &format!("/components/{kind}/{}", escape(name)),
                    visit,
                );
            }
        }
    }
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else {
        return;
    };
    for (path, item) in paths {
        let at = format!("/paths/{}", escape(path));
        let Some(item) = item.as_object_mut() else {
            continue;
        };
        for (method, operation) in item {
            if method == "parameters" {
                walk_list(operation, &format!("{at}/parameters"), visit);
                continue;
            }
            let at = format!("{at}/{method}");
            if let Some(parameters) = operation.get_mut("parameters") {
                walk_list(parameters, &format!("{at}/parameters"), visit);
            }
            if let Some(body) = operation.get_mut("requestBody") {
                walk_holder(body, &format!("{at}/requestBody"), visit);
            }
            if let Some(responses) = operation
                .get_mut("responses")
                .and_then(Value::as_object_mut)
            {
                for (status, response) in responses {
                    walk_holder(response, &format!("{at}/responses/{status}"), visit);
                }
            }
        }
    }
}

fn walk_list(holders: &mut Value, at: &str, visit: &mut dyn FnMut(&str, &mut Value)) {
    for (index, holder) in holders.as_array_mut().into_iter().flatten().enumerate() {
        walk_holder(holder, &format!("{at}/{index}"), visit);
    }
}

/// Visits the schemas of a node that has one, or one for each content type.
fn walk_holder(holder: &mut Value, at: &str, visit: &mut dyn FnMut(&str, &mut Value)) {
    if let Some(schema) = holder.get_mut("schema") {
        walk_schema(schema, &format!("{at}/schema"), visit);
    }
    for (media, value) in holder
        .get_mut("content")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        if let Some(schema) = value.get_mut("schema") {
            walk_schema(
                schema,
                &format!("{at}/content/{}/schema", escape(media)),
                visit,
            );
        }
    }
}

fn walk_schema(schema: &mut Value, at: &str, visit: &mut dyn FnMut(&str, &mut Value)) {
    visit(at, schema);
    for (name, property) in schema
        .get_mut("properties")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        walk_schema(
            property,
            &format!("{at}/properties/{}", escape(name)),
            visit,
        );
    }
    for key in ["items", "additionalProperties", "not"] {
        if let Some(inner) = schema.get_mut(key).filter(|inner| inner.is_object()) {
            walk_schema(inner, &format!("{at}/{key}"), visit);
        }
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        for (index, part) in schema
            .get_mut(key)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
            .enumerate()
        {
            walk_schema(part, &format!("{at}/{key}/{index}"), visit);
        }
    }
}
