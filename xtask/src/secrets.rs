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

/// How names of secrets end, written as one word.
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

/// Last words of names of secrets; as a part of a word they say nothing.
const LAST_WORDS: [&str; 7] = ["bearer", "cookie", "jwt", "otp", "pin", "pwd", "totp"];

/// What may follow such a name without making it less of a secret.
const MORE: [&str; 7] = ["hash", "pem", "plain", "raw", "string", "text", "value"];

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

/// Parameters that may be secret. The client keeps secrets in bodies only.
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

/// Whether something is called like a secret: `apiKey`, `refresh_token`, `passwordHash`.
pub(crate) fn looks_secret(name: &str) -> bool {
    let name = name.to_snake_case();
    let mut words: Vec<&str> = name.split('_').collect();
    if words.len() > 1 && words.last().is_some_and(|last| MORE.contains(last)) {
        words.pop();
    }
    // Several of them are as secret as one.
    let singular = |word: &str| word.strip_suffix('s').unwrap_or(word).to_owned();
    let last = words.last().copied().map(singular).unwrap_or_default();
    let one_word = singular(&words.concat());
    LAST_WORDS.contains(&last.as_str()) || ENDS.iter().any(|end| one_word.ends_with(end))
}

/// Whether a field can hold a secret, or something with one inside: a flag cannot.
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
    #[test]
    fn names_of_secrets_are_known_however_they_are_written() {
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
    fn passwords_lists_maps_and_objects_are_looked_at() {
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
    fn a_secret_stays_one_inside_maps_and_choices() {
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
    fn a_parameter_is_no_place_for_a_secret() {
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
