//! Secrets cannot slip out: what was secret stays secret, and what looks like one is marked one way or the other.
//!
//! A client never prints a field that is marked `x-secret: true`. A mark of `false` says that somebody looked.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use heck::ToSnakeCase as _;
use serde_json::Value;

use crate::document::{
    SCHEMAS, each_schema, entries, escape, fields, is_success, operations, reference, resolve,
};

const MARK: &str = "x-secret";

/// Names of secrets, and the ends of such names.
const LOOKS_SECRET: [&str; 12] = [
    "access_key",
    "api_key",
    "apikey",
    "credential",
    "jwt",
    "passphrase",
    "password",
    "private_key",
    "secret",
    "secret_key",
    "signing_key",
    "token",
];

/// How deep bodies are compared; a schema that holds itself has no end.
const DEEPEST: usize = 8;

/// Refuses a contract that would print what the one before it keeps secret.
///
/// # Errors
///
/// Where a field lost its mark, by its name or by its place in a body, or a field that looks like a secret has none.
pub fn check(before: Option<&Value>, now: &Value) -> Result<()> {
    let mut problems: Vec<String> = Vec::new();
    if let Some(before) = before {
        let known = by_name(now);
        for (name, at) in by_name(before) {
            if at.mark == Some(true)
                && let Some(now) = known.get(&name)
                && now.mark.is_none()
            {
                problems.push(format!(
                    "{}: was secret, and is not marked any more",
                    now.pointer
                ));
            }
        }
        let places = by_place(now);
        for (place, at) in by_place(before) {
            if at.mark == Some(true)
                && let Some(now) = places.get(&place)
                && now.mark.is_none()
            {
                problems.push(format!("{place}: was secret, and is not marked any more"));
            }
        }
    }
    each_schema(now, &mut |at, schema| {
        for (name, property) in fields(&schema["properties"]) {
            if property.get(MARK).is_none() && may_be_text(now, property) && looks_secret(name) {
                problems.push(format!(
                    "{at}/properties/{}: looks like a secret",
                    escape(name)
                ));
            }
        }
    });
    problems.dedup();
    if problems.is_empty() {
        return Ok(());
    }
    bail!(
        "fields that may be secret: mark each by an overlay, with `\"x-secret\": true` or `false`:\n- {}",
        problems.join("\n- ")
    )
}

fn looks_secret(name: &str) -> bool {
    let name = name.to_snake_case();
    // Several of them are as secret as one.
    let name = name.strip_suffix('s').unwrap_or(&name);
    LOOKS_SECRET.iter().any(|end| {
        name.strip_suffix(end)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
    })
}

/// Whether a field can hold text, as a secret is.
fn may_be_text(document: &Value, property: &Value) -> bool {
    let schema = resolve(document, property).unwrap_or(property);
    let only = match entries(&schema["allOf"]) {
        [only] => resolve(document, only).unwrap_or(only),
        _ => schema,
    };
    match only["type"].as_str() {
        Some("array") => may_be_text(document, &only["items"]),
        kind => matches!(kind, None | Some("string")),
    }
}

struct Field {
    pointer: String,
    mark: Option<bool>,
}

fn mark(property: &Value) -> Option<bool> {
    property.get(MARK).and_then(Value::as_bool)
}

/// The fields of the named schemas.
fn by_name(document: &Value) -> BTreeMap<(String, String), Field> {
    let mut found = BTreeMap::new();
    for (name, schema) in fields(&document["components"]["schemas"]) {
        for (field, property) in fields(&schema["properties"]) {
            let pointer = format!(
                "{}{}/properties/{}",
                &SCHEMAS[1..],
                escape(name),
                escape(field)
            );
            let mark = mark(property);
            found.insert((name.to_owned(), field.to_owned()), Field { pointer, mark });
        }
    }
    found
}

/// The fields of every body, whatever its schemas are called.
fn by_place(document: &Value) -> BTreeMap<String, Field> {
    let mut found = BTreeMap::new();
    for operation in operations(document) {
        let request = operation.request();
        let mut bodies = vec![(
            format!("{request} request"),
            &operation.value["requestBody"],
        )];
        for (status, response) in fields(&operation.value["responses"]) {
            if is_success(status) {
                bodies.push((format!("{request} response"), response));
            }
        }
        for (place, body) in bodies {
            let body = resolve(document, body).unwrap_or(body);
            for (_, media) in fields(&body["content"]) {
                collect(document, &media["schema"], &place, 0, &mut found);
            }
        }
    }
    found
}

fn collect(
    document: &Value,
    schema: &Value,
    place: &str,
    depth: usize,
    found: &mut BTreeMap<String, Field>,
) {
    if depth == DEEPEST {
        return;
    }
    let schema = if reference(schema).is_some() {
        resolve(document, schema).unwrap_or(schema)
    } else {
        schema
    };
    for part in entries(&schema["allOf"]) {
        collect(document, part, place, depth + 1, found);
    }
    if let Some(items) = schema.get("items") {
        collect(document, items, &format!("{place} []"), depth + 1, found);
    }
    for (name, property) in fields(&schema["properties"]) {
        let place = format!("{place} {name}");
        collect(document, property, &place, depth + 1, found);
        found.insert(
            place.clone(),
            Field {
                pointer: place,
                mark: mark(property),
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn contract(name: &str, property: &Value, field: &str) -> Value {
        json!({
            "paths": { "/login": { "post": { "requestBody": { "content": { "application/json": {
                "schema": { "$ref": format!("#/components/schemas/{name}") } } } } } } },
            "components": { "schemas": { name: { "properties": { field: property } } } },
        })
    }

    #[test]
    fn what_was_secret_stays_secret() {
        let secret = json!({ "type": "string", "x-secret": true });
        let before = contract("Login", &secret, "code");
        for (now, want) in [
            (contract("Login", &secret, "code"), None),
            (
                contract("Login", &json!({ "type": "string" }), "code"),
                Some("was secret"),
            ),
            (
                contract("Renamed", &json!({ "type": "string" }), "code"),
                Some("POST /login request code: was secret"),
            ),
            (
                contract(
                    "Login",
                    &json!({ "type": "string", "x-secret": false }),
                    "code",
                ),
                None,
            ),
            (
                contract("Login", &json!({ "type": "string" }), "other"),
                None,
            ),
            (
                contract("Login", &json!({ "type": "string" }), "apiKey"),
                Some("looks like a secret"),
            ),
            (
                contract("Login", &json!({ "type": "string" }), "refreshToken"),
                Some("looks like a secret"),
            ),
            (
                contract("Login", &json!({ "type": "boolean" }), "token"),
                None,
            ),
            (
                contract("Login", &json!({ "type": "string" }), "tokenizer"),
                None,
            ),
        ] {
            let found = check(Some(&before), &now)
                .err()
                .map(|error| format!("{error:#}"));
            match (want, found) {
                (None, found) => assert_eq!(found, None, "{now}"),
                (Some(want), found) => {
                    let found = found.unwrap_or_default();
                    assert!(found.contains(want), "{found:?} does not say {want:?}");
                }
            }
        }
    }
}
