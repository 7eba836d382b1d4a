//! Guards secrets: fields that were secret stay secret, and fields that look like secrets are marked either way.
//!
//! A client never prints a field marked `x-secret: true`. A mark of `false` means that a person decided it.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use heck::ToSnakeCase as _;
use serde_json::Value;

use crate::document::{
    SCHEMAS, each_schema, entries, escape, fields, is_success, operations, reference, resolve,
};

const MARK: &str = "x-secret";

/// Endings of names of secrets, written as one word.
const ENDS: [&str; 21] = [
    "accesskey",
    "apikey",
    "authkey",
    "authorization",
    "backupcode",
    "credential",
    "encryptionkey",
    "licensekey",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "recoverycode",
    "secret",
    "secretkey",
    "sharedkey",
    "signingkey",
    "sshkey",
    "token",
    "verificationcode",
];

/// Last words of names of secrets. As parts of longer words they mean nothing.
const LAST_WORDS: [&str; 7] = ["bearer", "cookie", "jwt", "otp", "pin", "pwd", "totp"];

/// Words that may follow such a name and leave it a secret.
const MORE: [&str; 7] = ["hash", "pem", "plain", "raw", "string", "text", "value"];

/// How deep bodies are compared, because schemas may be recursive.
const DEEPEST: usize = 8;

/// Rejects a contract that would print what the previous one keeps secret.
///
/// # Errors
///
/// If a field lost its mark, by its name or by its place in a body, or a field that looks like a secret has no mark.
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
                    "{}: was secret, and is no longer marked",
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
                problems.push(format!("{place}: was secret, and is no longer marked"));
            }
        }
    }
    each_schema(now, &mut |at, schema| {
        for (name, property) in fields(&schema["properties"]) {
            let is_password = property["format"] == "password";
            if property.get(MARK).is_none()
                && (is_password || may_be_secret(now, property) && looks_secret(name))
            {
                problems.push(format!(
                    "{at}/properties/{}: looks like a secret",
                    escape(name)
                ));
            }
        }
    });
    problems.extend(parameters(now));
    problems.dedup();
    if problems.is_empty() {
        return Ok(());
    }
    bail!(
        "fields that may be secret: mark each by an overlay, with `\"x-secret\": true` or `false`:\n- {}",
        problems.join("\n- ")
    )
}

/// Returns parameters that may be secret. The client keeps secrets only in bodies.
fn parameters(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for operation in operations(document) {
        for parameter in entries(&operation.value["parameters"]) {
            let parameter = resolve(document, parameter).unwrap_or(parameter);
            let name = parameter["name"].as_str().unwrap_or_default();
            if looks_secret(name) && mark(parameter) != Some(false) {
                found.push(format!(
                    "operation {}: the {} parameter {name} looks like a secret, which the client keeps in bodies only: \
                     take it out, or mark it `false`",
                    operation.id,
                    parameter["in"].as_str().unwrap_or_default()
                ));
            }
        }
    }
    found
}

/// Reports whether a name looks like that of a secret: `apiKey`, `refresh_token`, `passwordHash`.
pub(crate) fn looks_secret(name: &str) -> bool {
    let name = name.to_snake_case();
    let mut words: Vec<&str> = name.split('_').collect();
    if words.len() > 1 && words.last().is_some_and(|last| MORE.contains(last)) {
        words.pop();
    }
    // The plural is as secret as the singular.
    let singular = |word: &str| word.strip_suffix('s').unwrap_or(word).to_owned();
    let last = words.last().copied().map(singular).unwrap_or_default();
    let one_word = singular(&words.concat());
    LAST_WORDS.contains(&last.as_str()) || ENDS.iter().any(|end| one_word.ends_with(end))
}

/// Reports whether a field can hold a secret, directly or nested. A flag cannot.
fn may_be_secret(document: &Value, property: &Value) -> bool {
    let schema = resolve(document, property).unwrap_or(property);
    let only = match entries(&schema["allOf"]) {
        [only] => resolve(document, only).unwrap_or(only),
        _ => schema,
    };
    only["type"] != "boolean"
}

struct Field {
    pointer: String,
    mark: Option<bool>,
}

fn mark(property: &Value) -> Option<bool> {
    property.get(MARK).and_then(Value::as_bool)
}

/// Returns the fields of the named schemas.
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

/// Returns the fields of every body by their place, regardless of schema names.
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
    for key in ["allOf", "oneOf", "anyOf"] {
        for part in entries(&schema[key]) {
            collect(document, part, place, depth + 1, found);
        }
    }
    for (key, step) in [("items", "[]"), ("additionalProperties", "{}")] {
        if let Some(inner) = schema.get(key) {
            collect(
                document,
                inner,
                &format!("{place} {step}"),
                depth + 1,
                found,
            );
        }
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
    fn secret_that_lost_its_mark_is_an_error() {
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
    #[test]
    fn names_of_secrets_are_recognised_in_any_case() {
        for name in [
            "apiKey",
            "API_KEY",
            "x-api-key",
            "passWord",
            "passwd",
            "pwd",
            "pin",
            "otp",
            "privatekey",
            "privateKeyPem",
            "tokenHash",
            "refreshTokens",
            "clientSecretValue",
            "Authorization",
            "recoveryCodes",
        ] {
            assert!(looks_secret(name), "{name}");
        }
        for name in [
            "key",
            "tokenizer",
            "spin",
            "tokenType",
            "secretary",
            "value",
            "text",
        ] {
            assert!(!looks_secret(name), "{name}");
        }
    }

    #[test]
    fn secrets_are_found_in_lists_maps_and_objects() {
        for (field, property) in [
            ("code", json!({ "type": "string", "format": "password" })),
            (
                "tokens",
                json!({ "type": "array", "items": { "type": "string" } }),
            ),
            (
                "tokens",
                json!({ "type": "object", "additionalProperties": { "type": "string" } }),
            ),
            (
                "token",
                json!({ "type": "object", "properties": { "value": { "type": "string" } } }),
            ),
            ("pin", json!({ "type": "integer" })),
            ("password", json!({})),
        ] {
            let error = check(None, &contract("Login", &property, field)).unwrap_err();
            assert!(error.to_string().contains("looks like a secret"), "{error}");
        }
    }

    #[test]
    fn secret_in_a_map_or_choice_must_keep_its_mark() {
        let inside = |keyword: &str, mark: Value| {
            let part = json!({ "properties": { "code": { "type": "string", "x-secret": mark } } });
            let part = if keyword == "oneOf" {
                json!([part])
            } else {
                part
            };
            contract("Login", &json!({ keyword: part }), "grant")
        };
        for keyword in ["oneOf", "additionalProperties"] {
            let (before, mut now) = (inside(keyword, json!(true)), inside(keyword, json!(null)));
            let renamed = now["components"]["schemas"]["Login"].take();
            now["components"]["schemas"] = json!({ "Fresh": renamed });
            let now = json!(now.to_string().replace("schemas/Login", "schemas/Fresh"));
            let now: Value = serde_json::from_str(now.as_str().unwrap()).unwrap();
            let error = check(Some(&before), &now).unwrap_err().to_string();
            assert!(error.contains("code: was secret"), "{keyword}: {error}");
        }
    }

    #[test]
    fn secret_parameter_is_rejected() {
        let with = |mark: Value| {
            json!({ "paths": { "/a": { "get": { "operationId": "get_a", "parameters": [
                { "name": "token", "in": "query", "x-secret": mark } ] } } } })
        };
        for mark in [json!(null), json!(true)] {
            let error = check(None, &with(mark)).unwrap_err().to_string();
            assert!(
                error.contains("operation get_a: the query parameter token"),
                "{error}"
            );
        }
        assert!(check(None, &with(json!(false))).is_ok());
    }
}
