//! Choices between schemas: the client uses one type for each place, the one common to all of them, or any value.

use std::collections::BTreeSet;

use anyhow::{Error, anyhow};
use serde_json::{Map, Value, json};

use super::log::{Kind, Log};
use crate::document::{SCHEMAS, each_schema_mut, entries, fields, references, resolve};

/// Replaces choices by a type that the client supports. Rejects those that contain a secret.
pub(super) fn open(document: &mut Value, log: &mut Log) -> Vec<Error> {
    let whole = document.clone();
    let mut problems = Vec::new();
    each_schema_mut(document, &mut |at, schema| {
        let Some(schema) = schema.as_object_mut() else {
            return;
        };
        for key in ["not", "discriminator"] {
            if schema.shift_remove(key).is_some() {
                log.add(Kind::Choice, at, format!("{key} is checked by the server"));
            }
        }
        for key in ["oneOf", "anyOf"] {
            let Some(choice) = schema.shift_remove(key) else {
                continue;
            };
            if holds_secret(&whole, &choice) {
                problems.push(anyhow!(
                    "{at}: {key} has a secret in it, which the client would print with any other value: name one schema, \
                     by an overlay"
                ));
            }
            let text = settle(
                &whole,
                schema,
                entries(&choice),
                at.contains("/parameters/"),
            );
            log.add(Kind::Choice, at, format!("{key} {text}"));
        }
    });
    problems
}

/// Gives a schema the common type of its choices, and returns a description of it.
fn settle(
    document: &Value,
    schema: &mut Map<String, Value>,
    choices: &[Value],
    is_parameter: bool,
) -> String {
    let others = ["type", "properties", "allOf", "$ref"];
    if others.iter().any(|key| schema.contains_key(*key)) {
        return "is left out, and the keywords next to it stay".to_owned();
    }
    let mut kinds: BTreeSet<&str> = choices
        .iter()
        .map(|choice| {
            let choice = resolve(document, choice).unwrap_or(choice);
            choice["type"].as_str().unwrap_or_default()
        })
        .collect();
    if kinds == BTreeSet::from(["integer", "number"]) {
        kinds.remove("integer");
    }
    let only = kinds.first().copied().filter(|_| kinds.len() == 1);
    let kind = match only {
        Some(kind @ ("string" | "integer" | "number" | "boolean")) => kind,
        _ if is_parameter => "string",
        _ => {
            schema.shift_remove("nullable");
            return "is any value".to_owned();
        }
    };
    schema.insert("type".to_owned(), json!(kind));
    format!("is a {kind}")
}

/// Reports whether a node, or something that it refers to, is marked as secret.
fn holds_secret(document: &Value, node: &Value) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        if is_marked(node) {
            return true;
        }
        for name in references(node) {
            let schema = name
                .strip_prefix(SCHEMAS)
                .and_then(|name| document["components"]["schemas"].get(name));
            if seen.insert(name) {
                open.extend(schema);
            }
        }
    }
    false
}

fn is_marked(node: &Value) -> bool {
    node.get("x-secret") == Some(&json!(true))
        || fields(node).any(|(_, inner)| is_marked(inner))
        || entries(node).iter().any(is_marked)
}
