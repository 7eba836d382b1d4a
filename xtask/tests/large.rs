//! A contract of 2,000 operations, in which single changes are still found.
//!
//! Writes `large-old.json` and `large-new.json` into `target/tmp`, for measuring:
//! `cargo build --release -p xtask && /usr/bin/time -v target/release/xtask diff target/tmp/large-old.json
//! target/tmp/large-new.json --fail-on never`

#![allow(clippy::unwrap_used, reason = "every function here serves a test")]

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use xtask::diff::compare;

const OPERATIONS: usize = 2_000;
/// Schemas that many operations share, each with the next one in it.
const SHARED: usize = 400;

fn large() -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for number in 0..SHARED {
        let mut properties = Map::new();
        for field in 0..20 {
            properties.insert(
                format!("field{field}"),
                json!({"type": "string", "maxLength": 100 + field, "description": format!("Field {field}.")}),
            );
        }
        let next = format!("#/components/schemas/Shared{}", (number + 1) % SHARED);
        properties.insert("next".to_owned(), json!({"$ref": next}));
        schemas.insert(
            format!("Shared{number}"),
            json!({"type": "object", "required": ["field0"], "properties": properties}),
        );
    }
    for number in 0..OPERATIONS {
        let schema = json!({"$ref": format!("#/components/schemas/Shared{}", number % SHARED)});
        let content = json!({"application/json": {"schema": schema}});
        paths.insert(
            format!("/things{number}/{{id}}"),
            json!({"post": {
                "operationId": format!("change_thing_{number}"),
                "parameters": [
                    {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}},
                ],
                "requestBody": {"required": true, "content": content},
                "responses": {"200": {"description": "Changed.", "content": content}},
            }}),
        );
    }
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Large", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

#[test]
fn single_changes_are_found_among_thousands_of_operations() {
    let old = large();
    let mut new = old.clone();
    // One of an operation, and one that every operation leads to, through the ring of schemas.
    new["paths"]["/things1234/{id}"]["post"]["parameters"][1]["schema"]["maximum"] = json!(50);
    new["components"]["schemas"]["Shared7"]["properties"]["field3"]["type"] = json!("integer");
    let findings = compare(&old, &new).unwrap();
    let found: Vec<(&str, usize)> = findings
        .iter()
        .map(|finding| (finding.id.as_str(), finding.operations.len()))
        .collect();
    assert_eq!(
        found,
        [
            ("request-property-type-changed", OPERATIONS),
            ("response-property-type-changed", OPERATIONS),
            ("request-parameter-max-decreased", 1),
        ]
    );
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, document) in [("large-old.json", &old), ("large-new.json", &new)] {
        fs::write(folder.join(name), document.to_string()).unwrap();
    }
}

/// Schemas of which each leads to every other.
fn mesh(prefix: &str) -> Value {
    const SCHEMAS: usize = 300;
    let properties: Map<String, Value> = (0..SCHEMAS)
        .map(|number| {
            let reference = format!("#/components/schemas/{prefix}{number}");
            (format!("to{number}"), json!({"$ref": reference}))
        })
        .collect();
    let schemas: Map<String, Value> = (0..SCHEMAS)
        .map(|number| {
            (
                format!("{prefix}{number}"),
                json!({"type": "object", "properties": properties}),
            )
        })
        .collect();
    let schema = json!({"$ref": format!("#/components/schemas/{prefix}0")});
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Mesh", "version": "1"},
        "paths": {"/mesh": {"get": {
            "operationId": "get_mesh",
            "security": [],
            "responses": {"200": {
                "description": "Mesh.",
                "content": {"application/json": {"schema": schema}},
            }},
        }}},
        "components": {"schemas": schemas},
    })
}

#[test]
fn a_mesh_of_renamed_schemas_is_one_finding_for_each() {
    let findings = compare(&mesh("Node"), &mesh("Tree")).unwrap();
    assert_eq!(findings.len(), 300);
    assert!(
        findings
            .iter()
            .all(|finding| finding.id == "schema-name-changed")
    );
}
