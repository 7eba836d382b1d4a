//! Finds single changes in a contract of 2,000 operations.
//!
//! `cargo test -p xtask --test large -- --ignored` writes pairs of documents for measurements into `target/tmp`, see
//! CONTRIBUTING.md.

#![allow(clippy::unwrap_used, reason = "every function here serves a test")]

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use xtask::diff::compare;

const OPERATIONS: usize = 2_000;
/// Schemas that many operations share, each containing the next one.
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
    // One in an operation, and one that every operation reaches, through the ring of schemas.
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
}

/// Returns schemas that all refer to each other.
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
fn mesh_of_renamed_schemas_gives_one_finding_each() {
    let findings = compare(&mesh("Node"), &mesh("Tree")).unwrap();
    assert_eq!(findings.len(), 300);
    assert!(
        findings
            .iter()
            .all(|finding| finding.id == "schema-name-changed")
    );
}

/// Returns a document with an operation for each schema.
fn document(schemas: &Map<String, Value>, operations: usize) -> Value {
    let names: Vec<&String> = schemas.keys().collect();
    let paths: Map<String, Value> = (0..operations)
        .map(|number| {
            let name = names[number % names.len()];
            let schema = json!({"$ref": format!("#/components/schemas/{name}")});
            let content = json!({"application/json": {"schema": schema}});
            let operation = json!({
                "operationId": format!("operation_{number}"),
                "security": [],
                "requestBody": {"required": true, "content": content},
                "responses": {"200": {"description": "Done.", "content": content}},
            });
            (format!("/path{number}"), json!({"post": operation}))
        })
        .collect();
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Large", "version": "1"},
        "servers": [{"url": "https://api.example.com"}],
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

/// Returns schemas of 22 fields each, of which the first has this type; with `is_ring`, each refers to the next.
fn schemas(count: usize, kind: &str, text: &str, is_ring: bool) -> Map<String, Value> {
    (0..count)
        .map(|number| {
            let mut properties: Map<String, Value> = (0..22)
                .map(|field| {
                    let kind = if field == 0 { kind } else { "string" };
                    (
                        format!("field{field}"),
                        json!({"type": kind, "description": text}),
                    )
                })
                .collect();
            if is_ring {
                let next = format!("#/components/schemas/Schema{}", (number + 1) % count);
                properties.insert("next".to_owned(), json!({"$ref": next}));
            }
            let schema = json!({"type": "object", "properties": properties});
            (format!("Schema{number}"), schema)
        })
        .collect()
}

#[test]
#[ignore = "writes documents for measuring"]
fn write_pairs_for_measuring() {
    let renamed = |prefix: &str| {
        let fields: Map<String, Value> = (0..2_000)
            .map(|number| (format!("{prefix}{number}"), json!({"type": "string"})))
            .collect();
        let schema = json!({"type": "object", "properties": fields});
        document(&Map::from_iter([("Wide".to_owned(), schema)]), 1)
    };
    let shared = |kind: &str| document(&schemas(500, kind, "Text.", true), 2_000);
    // 20 MB.
    let big = |kind: &str| document(&schemas(5_000, kind, &"x".repeat(120), false), 5_000);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, old, new) in [
        ("renamed", renamed("old"), renamed("odd")),
        ("mesh", mesh("Node"), mesh("Tree")),
        ("shared", shared("string"), shared("integer")),
        ("big", big("string"), big("integer")),
    ] {
        fs::write(folder.join(format!("{name}-old.json")), old.to_string()).unwrap();
        fs::write(folder.join(format!("{name}-new.json")), new.to_string()).unwrap();
    }
}
