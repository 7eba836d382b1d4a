//! Resolves references, except to named schemas.
//!
//! References to `components/schemas` stay, and those to `components/responses`, which every tool supports. A reference
//! into a path, to a deep pointer, a path item, a parameter or a request body is replaced by its target.

use serde_json::Value;

use super::log::{Kind, Log};
use crate::document::{SCHEMAS, escape, is_method, reference, references, target};

/// The maximum nesting of references in a target. More are a circle.
const DEEPEST: usize = 8;

/// Keywords whose content is data.
const DATA: [&str; 4] = ["example", "examples", "default", "enum"];

/// Keywords with a map from names to nodes.
const MAPS: [&str; 6] = [
    "properties",
    "patternProperties",
    "headers",
    "schemas",
    "responses",
    "$defs",
];

pub(super) fn resolve_references(document: &mut Value, log: &mut Log) {
    if !references(document).into_iter().all(stays) {
        let whole = document.clone();
        for part in ["paths", "components"] {
            if let Some(node) = document.get_mut(part) {
                write_out(&whole, node, &format!("/{part}"), false, 0, log);
            }
        }
    }
    if let Some(components) = document
        .get_mut("components")
        .and_then(Value::as_object_mut)
    {
        for kind in ["parameters", "requestBodies", "pathItems"] {
            components.shift_remove(kind);
        }
    }
    own_parameters(document);
}

fn write_out(whole: &Value, node: &mut Value, at: &str, is_map: bool, depth: usize, log: &mut Log) {
    if !is_map
        && let Some(name) = reference(node).map(str::to_owned)
        && !stays(&name)
    {
        if depth == DEEPEST {
            log.refuse(
                at,
                &format!("$ref {name:?} leads in a circle"),
                "name the schema under components/schemas",
            );
            return;
        }
        let Ok(target) = target(whole, &name) else {
            log.refuse(
                at,
                &format!("$ref {name:?} does not exist"),
                "bundle the document, or fix the reference",
            );
            return;
        };
        let mut target = target.value.clone();
        // Fields next to a reference are annotations of this place.
        if let (Some(target), Some(node)) = (target.as_object_mut(), node.as_object()) {
            for (key, value) in node.iter().filter(|(key, _)| *key != "$ref") {
                target.insert(key.clone(), value.clone());
            }
        }
        log.add(Kind::Resolved, at, format!("{name} is inlined"));
        *node = target;
        write_out(whole, node, at, false, depth + 1, log);
        return;
    }
    match node {
        Value::Object(fields) => {
            for (key, value) in fields {
                if !is_map && (DATA.contains(&key.as_str()) || key.starts_with("x-")) {
                    continue;
                }
                let at = format!("{at}/{}", escape(key));
                let holds_map = !is_map && MAPS.contains(&key.as_str());
                write_out(whole, value, &at, holds_map, depth, log);
            }
        }
        Value::Array(entries) => {
            for (index, entry) in entries.iter_mut().enumerate() {
                write_out(whole, entry, &format!("{at}/{index}"), false, depth, log);
            }
        }
        _ => {}
    }
}

/// Reports whether the canonical form keeps a reference.
fn stays(reference: &str) -> bool {
    [
        SCHEMAS,
        "#/components/responses/",
        "#/components/headers/",
        "#/components/examples/",
    ]
    .iter()
    .any(|start| {
        reference
            .strip_prefix(start)
            .is_some_and(|name| !name.contains('/'))
    })
}

/// Copies the parameters of each path into its operations.
fn own_parameters(document: &mut Value) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for item in paths.into_iter().flat_map(|paths| paths.values_mut()) {
        let Some(item) = item.as_object_mut() else {
            continue;
        };
        let Some(Value::Array(shared)) = item.shift_remove("parameters") else {
            continue;
        };
        for (method, operation) in item {
            if !is_method(method) || !operation.is_object() {
                continue;
            }
            let mut own = operation["parameters"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            for parameter in &shared {
                let is_same = |other: &Value| {
                    other["name"] == parameter["name"] && other["in"] == parameter["in"]
                };
                if !own.iter().any(is_same) {
                    own.push(parameter.clone());
                }
            }
            operation["parameters"] = Value::Array(own);
        }
    }
}
