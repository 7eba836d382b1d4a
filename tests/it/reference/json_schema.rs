//! Validates values against the schemas of an OpenAPI 3.0 document.
//!
//! Such schemas are not quite JSON Schema: `nullable` must be translated, and the rest is copied. An unknown keyword is an
//! error, so that no rule of the contract is skipped unnoticed.

use jsonschema::Draft;
use serde_json::{Map, Value, json};

use super::document::{Document, entries};

/// Keywords with the same meaning in OpenAPI 3.0 and JSON Schema 2020-12.
const SHARED: [&str; 18] = [
    "$ref",
    "type",
    "format",
    "enum",
    "required",
    "default",
    "title",
    "description",
    "multipleOf",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "deprecated",
];

/// The named schemas of a document as JSON Schema.
pub(crate) struct Schemas {
    named: Value,
}

/// A violation of a schema by a value.
#[derive(Debug)]
pub(crate) struct Violation {
    /// JSON pointer into the value.
    pub(crate) pointer: String,
    pub(crate) message: String,
}

impl Schemas {
    pub(crate) fn of(document: &Document) -> Result<Self, String> {
        let mut named = Map::new();
        for (name, schema) in document.schemas() {
            let schema = translate(schema).map_err(|why| format!("{name}: {why}"))?;
            named.insert(name.to_owned(), schema);
        }
        Ok(Self {
            named: named.into(),
        })
    }

    /// Returns all violations of a schema by a value, including formats.
    pub(crate) fn violations(
        &self,
        schema: &Value,
        value: &Value,
    ) -> Result<Vec<Violation>, String> {
        let mut whole = json!({ "allOf": [translate(schema)?] });
        // Most schemas are scalars, and copying all others for each of them is slow.
        if whole.to_string().contains("$ref") {
            whole["components"] = json!({ "schemas": self.named });
        }
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            // Formats of OpenAPI that add nothing to the type.
            .with_format("int64", |_: &str| true)
            .with_format("double", |_: &str| true)
            .build(&whole)
            .map_err(|error| error.to_string())?;
        let violations = validator
            .iter_errors(value)
            .map(|error| Violation {
                pointer: error.instance_path().to_string(),
                message: error.to_string(),
            })
            .collect();
        Ok(violations)
    }
}

/// Translates a schema, and all schemas inside it, to JSON Schema.
fn translate(schema: &Value) -> Result<Value, String> {
    let Value::Object(words) = schema else {
        return if schema.is_boolean() {
            Ok(schema.clone())
        } else {
            Err(format!("not a schema: {schema}"))
        };
    };
    let mut translated = Map::new();
    for (word, value) in words {
        let value = match word.as_str() {
            "properties" => translate_each(value)?,
            "items" | "additionalProperties" | "not" => translate(value)?,
            "allOf" | "anyOf" | "oneOf" => translate_all(value)?,
            word if SHARED.contains(&word) => value.clone(),
            "nullable" | "example" => continue,
            word if word.starts_with("x-") => continue,
            word => return Err(format!("no translation for `{word}`")),
        };
        translated.insert(word.clone(), value);
    }
    let translated = Value::Object(translated);
    if words.get("nullable") == Some(&Value::Bool(true)) {
        // Not `anyOf`, which would report the whole value instead of the part that is wrong.
        Ok(json!({ "if": { "not": { "type": "null" } }, "then": translated }))
    } else {
        Ok(translated)
    }
}

fn translate_each(schemas: &Value) -> Result<Value, String> {
    entries(schemas)
        .map(|(name, schema)| Ok((name.to_owned(), translate(schema)?)))
        .collect::<Result<Map<_, _>, _>>()
        .map(Value::Object)
}

fn translate_all(schemas: &Value) -> Result<Value, String> {
    let schemas = schemas.as_array().ok_or("a list of schemas expected")?;
    schemas
        .iter()
        .map(translate)
        .collect::<Result<Vec<_>, _>>()
        .map(Value::Array)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schemas() -> Schemas {
        let root = json!({ "components": { "schemas": {
            "Colour": { "type": "string", "enum": ["red", "blue"] },
            "Widget": { "type": "object", "required": ["id"], "properties": {
                "id": { "type": "string", "format": "uuid" },
                "madeAt": { "type": "string", "format": "date-time", "nullable": true },
                "maker": { "type": "string", "format": "email", "example": "not checked here" },
                "colour": { "allOf": [{ "$ref": "#/components/schemas/Colour" }] },
                "trim": { "allOf": [{ "$ref": "#/components/schemas/Colour" }], "nullable": true },
                "nullable": { "type": "number", "multipleOf": 1 },
                "part": { "allOf": [{ "$ref": "#/components/schemas/Widget" }], "nullable": true },
            }},
        }}});
        Schemas::of(&Document { root }).unwrap()
    }

    #[test]
    fn formats_and_references_are_validated() {
        const ID: &str = "7128840a-5347-49a4-8dfa-9022d8dad21a";
        for (value, wrong_at) in [
            (
                json!({ "id": ID, "madeAt": null, "trim": null, "nullable": 1.0 }),
                None,
            ),
            (
                json!({ "id": ID, "madeAt": "2023-08-22T08:14:03+00:00", "maker": "a@example.com", "colour": "red" }),
                None,
            ),
            (json!({}), Some("")),
            (json!({ "id": "7128840a" }), Some("/id")),
            (json!({ "id": null }), Some("/id")),
            (json!({ "id": ID, "madeAt": "2023-08-22" }), Some("/madeAt")),
            (json!({ "id": ID, "maker": "nobody" }), Some("/maker")),
            (json!({ "id": ID, "maker": null }), Some("/maker")),
            (json!({ "id": ID, "colour": "green" }), Some("/colour")),
            (json!({ "id": ID, "colour": null }), Some("/colour")),
            (json!({ "id": ID, "trim": "green" }), Some("/trim")),
            (json!({ "id": ID, "nullable": 1.5 }), Some("/nullable")),
            (json!({ "id": ID, "part": null }), None),
            (json!({ "id": ID, "part": { "id": ID } }), None),
            (
                json!({ "id": ID, "part": { "id": ID, "colour": "green" } }),
                Some("/part/colour"),
            ),
        ] {
            let found = schemas()
                .violations(&json!({ "$ref": "#/components/schemas/Widget" }), &value)
                .unwrap();
            let mut found: Vec<&str> = found
                .iter()
                .map(|violation| violation.pointer.as_str())
                .collect();
            found.dedup();
            assert_eq!(found, Vec::from_iter(wrong_at), "{value}");
        }
    }

    #[test]
    fn unknown_schema_keyword_is_an_error() {
        for schema in [
            json!({ "type": "number", "minimum": 0, "exclusiveMinimum": true }),
            json!({ "properties": { "a": { "discriminator": {} } } }),
            json!({ "items": "string" }),
            json!({ "$ref": "#/components/schemas/Nobody" }),
            json!({ "type": "string", "format": "uiud" }),
        ] {
            assert!(
                schemas().violations(&schema, &json!("x")).is_err(),
                "{schema}"
            );
        }
    }
}
