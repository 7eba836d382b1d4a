//! Normalises parameters: no duplicates, all path parameters described, no headers with a special meaning.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::log::{Kind, Log};
use crate::document::{entries, fields, operations};

/// Headers that OpenAPI describes elsewhere and that are ignored as parameters.
const ELSEWHERE: [&str; 3] = ["accept", "content-type", "authorization"];

/// Keywords that Swagger 2 has next to the name, and OpenAPI 3 in a schema.
const OF_SCHEMA: [&str; 5] = ["type", "format", "enum", "items", "default"];

pub(super) fn settle(document: &mut Value, previous: Option<&Value>, log: &mut Log) {
    let mut credentials: BTreeSet<String> = ELSEWHERE.map(str::to_owned).into();
    for document in [Some(&*document), previous].into_iter().flatten() {
        for (_, scheme) in fields(&document["components"]["securitySchemes"]) {
            if scheme["in"] == "header"
                && let Some(name) = scheme["name"].as_str()
            {
                credentials.insert(name.to_lowercase());
            }
        }
    }
    let all: Vec<(String, Vec<String>)> = operations(document)
        .iter()
        .map(|operation| (operation.pointer(), names(operation.path)))
        .collect();
    for (at, path) in all {
        let Some(operation) = document.pointer_mut(&at).and_then(Value::as_object_mut) else {
            continue;
        };
        let at = format!("{at}/parameters");
        let mut kept: Vec<Value> = Vec::new();
        let before = operation.get("parameters").map(entries).unwrap_or_default();
        for parameter in before {
            let Some(parameter) = parameter.as_object() else {
                log.refuse(
                    &at,
                    &format!("{parameter} is not a parameter"),
                    "fix the vendor's file",
                );
                continue;
            };
            let mut parameter = parameter.clone();
            let name = text(&parameter, "name");
            let why = match text(&parameter, "in").as_str() {
                "header" if credentials.contains(&name.to_lowercase()) => {
                    "is a header that every request has"
                }
                "path" if !path.contains(&name) => "is not in the path",
                place if is_there(&kept, place, &name) => "occurs twice",
                _ => {
                    described(&mut parameter, &at, log);
                    kept.push(Value::Object(parameter));
                    continue;
                }
            };
            log.add(Kind::Dropped, &at, format!("{name} {why}"));
        }
        for name in &path {
            if !is_there(&kept, "path", name) {
                log.add(
                    Kind::Lowered,
                    &at,
                    format!("the path parameter {name} is text"),
                );
                let schema = json!({ "type": "string" });
                kept.push(
                    json!({ "name": name, "in": "path", "required": true, "schema": schema }),
                );
            }
        }
        if kept.is_empty() {
            if before.is_empty() {
                continue;
            }
            operation.shift_remove("parameters");
        } else {
            operation.insert("parameters".to_owned(), Value::Array(kept));
        }
    }
}

fn text(parameter: &Map<String, Value>, key: &str) -> String {
    let text = parameter.get(key).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

fn is_there(parameters: &[Value], place: &str, name: &str) -> bool {
    parameters
        .iter()
        .any(|other| other["in"] == place && other["name"] == name)
}

/// Gives a parameter a schema, and makes a path parameter required.
fn described(parameter: &mut Map<String, Value>, at: &str, log: &mut Log) {
    if text(parameter, "in") == "path" && parameter.get("required") != Some(&json!(true)) {
        parameter.insert("required".to_owned(), json!(true));
        log.add(Kind::Lowered, at, "a path parameter is required");
    }
    if parameter.contains_key("schema") || parameter.contains_key("content") {
        return;
    }
    let mut schema = Map::new();
    for key in OF_SCHEMA {
        if let Some(value) = parameter.shift_remove(key) {
            schema.insert(key.to_owned(), value);
        }
    }
    schema.entry("type").or_insert_with(|| json!("string"));
    let name = text(parameter, "name");
    log.add(Kind::Lowered, at, format!("{name} has no schema"));
    parameter.insert("schema".to_owned(), Value::Object(schema));
}

/// Returns the parameters of a path, in its order.
fn names(path: &str) -> Vec<String> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(str::to_owned)
        .collect()
}
