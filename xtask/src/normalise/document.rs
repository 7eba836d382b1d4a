//! Ways around an OpenAPI document: its operations, references and schemas.

use anyhow::{Context as _, Result, bail};
use heck::ToPascalCase as _;
use serde_json::{Map, Value};

/// Methods of a path item that the generated client can send.
const METHODS: [&str; 6] = ["get", "put", "post", "delete", "head", "patch"];
pub(super) const SCHEMAS: &str = "#/components/schemas/";

/// An operation with where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    /// Its id; empty where it has none.
    pub id: &'a str,
    /// Path template.
    pub path: &'a str,
    /// Method, in lower case.
    pub method: &'a str,
    /// The operation object.
    pub value: &'a Value,
    /// Parameters of the whole path.
    pub shared: &'a [Value],
}

impl Operation<'_> {
    /// JSON pointer of the operation.
    pub fn pointer(&self) -> String {
        format!("/paths/{}/{}", escape(self.path), self.method)
    }
}

/// The operations of a document, in its order.
pub fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut found = Vec::new();
    for (path, item) in fields(&document["paths"]) {
        for (method, value) in fields(item) {
            if METHODS.contains(&method.as_str()) {
                found.push(Operation {
                    id: value["operationId"].as_str().unwrap_or_default(),
                    path,
                    method,
                    value,
                    shared: entries(&item["parameters"]),
                });
            }
        }
    }
    found
}

/// The node that a local `$ref` names, or the node itself.
pub fn resolve<'a>(document: &'a Value, node: &'a Value) -> Result<&'a Value> {
    let mut node = node;
    for _ in 0..16 {
        let Some(reference) = node.get("$ref").and_then(Value::as_str) else {
            return Ok(node);
        };
        let pointer = reference.strip_prefix('#').with_context(|| {
            format!("{reference} leads out of the document: put it under components")
        })?;
        node = document
            .pointer(pointer)
            .with_context(|| format!("{reference} does not exist"))?;
    }
    bail!("a chain of $ref does not end")
}

/// The Rust name that the generator gives to a component schema.
pub fn type_name(schema: &str) -> String {
    schema.to_pascal_case()
}

/// Whether a status is a success: 200 to 299, or the range `2XX`.
pub fn is_success(status: &str) -> bool {
    status.len() == 3 && status.starts_with('2')
}

/// Calls `visit` with every schema and its pointer, outer ones first.
pub(super) fn each_schema(document: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    let mut copy = document.clone();
    each_schema_mut(&mut copy, &mut |at, schema| visit(at, schema));
}

pub(super) fn each_schema_mut(document: &mut Value, visit: &mut dyn FnMut(&str, &mut Value)) {
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

pub(super) fn walk_list(holders: &mut Value, at: &str, visit: &mut dyn FnMut(&str, &mut Value)) {
    for (index, holder) in holders.as_array_mut().into_iter().flatten().enumerate() {
        walk_holder(holder, &format!("{at}/{index}"), visit);
    }
}

/// Something with a schema of its own, or with one for each content type.
pub(super) fn walk_holder(holder: &mut Value, at: &str, visit: &mut dyn FnMut(&str, &mut Value)) {
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

pub(super) fn walk_schema(schema: &mut Value, at: &str, visit: &mut dyn FnMut(&str, &mut Value)) {
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

/// Every `$ref` in a node. Examples are data, not references.
pub(super) fn references(node: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        match node {
            Value::Object(fields) => {
                for (key, value) in fields {
                    match (key.as_str(), value) {
                        ("$ref", Value::String(reference)) => found.push(reference.as_str()),
                        ("example" | "examples", _) => {}
                        _ => open.push(value),
                    }
                }
            }
            Value::Array(entries) => open.extend(entries),
            _ => {}
        }
    }
    found
}

/// One step of a JSON pointer.
pub(super) fn escape(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

pub(super) fn fields(node: &Value) -> impl Iterator<Item = (&String, &Value)> {
    node.as_object().into_iter().flatten()
}

pub(super) fn fields_of(node: &Value) -> &Map<String, Value> {
    static EMPTY: std::sync::OnceLock<Map<String, Value>> = std::sync::OnceLock::new();
    node.as_object()
        .unwrap_or_else(|| EMPTY.get_or_init(Map::new))
}

pub(crate) fn entries(node: &Value) -> &[Value] {
    node.as_array().map_or(&[], Vec::as_slice)
}
