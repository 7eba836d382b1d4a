//! A small contract, and helpers to modify it.

use serde_json::{Value, json};
use xtask::normalise::{Kind, normalise};

/// A contract with one operation and two schemas, which each test modifies.
pub(crate) fn contract() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Test", "version": "1" },
        "paths": {
            "/things/{thingId}": {
                "get": {
                    "operationId": "get_thing",
                    "parameters": [
                        { "name": "thingId", "in": "path", "required": true, "schema": { "type": "string" } },
                        { "name": "page", "in": "query", "schema": { "type": "number" } },
                    ],
                    "responses": {
                        "200": { "description": "ok", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } },
                        "404": { "$ref": "#/components/responses/NotFound" },
                    },
                },
            },
        },
        "components": {
            "schemas": {
                "Thing": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string" } } },
                "Problem": { "type": "object", "properties": { "error": { "type": "string" } } },
            },
            "responses": {
                "NotFound": { "description": "gone", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } } },
            },
        },
    })
}

/// Returns the contract with the node at each pointer replaced or added.
pub(crate) fn bent(changes: &[(&str, Value)]) -> Value {
    let mut document = contract();
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let name = name.replace("~1", "/");
        match document.pointer_mut(parent).unwrap() {
            Value::Array(entries) => entries[name.parse::<usize>().unwrap()] = value.clone(),
            parent => parent[name] = value.clone(),
        }
    }
    document
}

pub(crate) const GET: &str = "/paths/~1things~1{thingId}/get";

pub(crate) const THING: &str = "/components/schemas/Thing";

pub(crate) fn at(base: &str, rest: &str) -> String {
    format!("{base}{rest}")
}

pub(crate) fn log(document: &Value, kind: Kind) -> Vec<String> {
    let (_, log) = normalise(document).unwrap();
    log.into_iter()
        .filter(|rewrite| rewrite.kind == kind)
        .map(|rewrite| rewrite.to_string())
        .collect()
}

pub(crate) fn json_body(schema: &str) -> Value {
    json!({ "description": "ok", "content": { "application/json": { "schema": { "$ref": format!("#/components/schemas/{schema}") } } } })
}

/// A required parameter `page`.
pub(crate) fn required(place: &str, schema: impl Into<Value>) -> Value {
    json!({ "name": "page", "in": place, "required": true, "schema": schema.into() })
}
