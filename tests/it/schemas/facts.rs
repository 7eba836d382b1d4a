//! The meaning of a schema as a flat list, so that two dialects can be compared by keyword.
//!
//! The contract is OpenAPI 3.0, the schemas of the Rust types are JSON Schema 2020-12. Both have several ways to express
//! the same thing; each has one fact here. An unknown keyword is an error, so that nothing is skipped unnoticed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// The facts of a schema: JSON pointer and keyword, and the value. `property` marks a property that exists, `open` a list
/// of values that is not closed, `ref` the name of the schema referred to; the rest are keywords of JSON Schema.
pub(crate) type Facts = BTreeMap<(String, String), Value>;

/// Keywords that only annotate.
const EXPLAINING: [&str; 8] = [
    "$schema",
    "$id",
    "$defs",
    "title",
    "description",
    "example",
    "examples",
    "x-provenance",
];

/// Keywords whose value is compared unchanged.
const PLAIN: [&str; 17] = [
    "default",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "pattern",
    "uniqueItems",
    "x-secret",
];

/// Returns the facts of a schema, by JSON pointer and keyword.
pub(crate) fn facts(schema: &Value) -> Result<Facts, String> {
    let mut facts = Facts::new();
    collect(schema, "", &mut facts)?;
    Ok(facts)
}

fn collect(schema: &Value, at: &str, facts: &mut Facts) -> Result<(), String> {
    let words = one_form(schema).map_err(|why| format!("{at}: {why}"))?;
    let mut add = |at: &str, word: &str, value: Value| {
        facts.insert((at.to_owned(), word.to_owned()), value);
    };
    for (word, value) in &words {
        match (word.as_str(), value) {
            (word, _) if EXPLAINING.contains(&word) => {}
            // Defaults of both dialects, and keywords that are handled below.
            ("nullable", Value::Bool(false))
            | ("additionalProperties", Value::Bool(true))
            | ("items" | "additionalProperties", Value::Object(_)) => {}
            ("$ref", Value::String(target)) => {
                add(at, "ref", json!(target.rsplit('/').next()));
            }
            ("type" | "enum", Value::Array(values)) => {
                let sorted: BTreeSet<String> = values.iter().map(Value::to_string).collect();
                let sorted: Result<Vec<Value>, _> = sorted
                    .iter()
                    .map(|text| serde_json::from_str(text))
                    .collect();
                add(at, word, sorted.map_err(|error| error.to_string())?.into());
            }
            ("type", Value::String(_)) | ("nullable" | "open", Value::Bool(true)) => {
                add(at, word, value.clone());
            }
            ("required", Value::Array(names)) => {
                for name in names.iter().filter_map(Value::as_str) {
                    add(&format!("{at}/properties/{name}"), word, json!(true));
                }
            }
            ("properties", Value::Object(properties)) => {
                for name in properties.keys() {
                    add(&format!("{at}/properties/{name}"), "property", json!(true));
                }
            }
            (word, _) if PLAIN.contains(&word) => add(at, word, value.clone()),
            _ => return Err(format!("{at}: cannot compare `{word}: {value}`")),
        }
    }
    for (name, property) in words
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        collect(property, &format!("{at}/properties/{name}"), facts)?;
    }
    for word in ["items", "additionalProperties"] {
        if let Some(inner) = words.get(word).filter(|inner| inner.is_object()) {
            collect(inner, &format!("{at}/{word}"), facts)?;
        }
    }
    Ok(())
}

/// Returns the keywords of a schema in one form, if there are several ways to express the same thing.
fn one_form(schema: &Value) -> Result<Map<String, Value>, String> {
    let mut words = match schema {
        Value::Object(words) => words.clone(),
        Value::Bool(true) => Map::new(),
        other => return Err(format!("not a schema: {other}")),
    };
    // Nullable references are inlined for generators that ignore null next to a reference.
    if let Some(Value::String(name)) = words.remove("x-schema") {
        words.retain(|word, _| word == "nullable");
        words.insert(
            "$ref".to_owned(),
            json!(format!("#/components/schemas/{name}")),
        );
    }
    // Known values in a response, and any other.
    if let Some(known) = words.remove("x-extensible-enum") {
        words.insert("enum".to_owned(), known);
        words.insert("open".to_owned(), json!(true));
    }
    // In OpenAPI 3.0 an annotation next to a reference needs `allOf`.
    if let Some(all) = words.remove("allOf") {
        let [only] = all.as_array().map(Vec::as_slice).unwrap_or_default() else {
            return Err("an `allOf` of more than one schema".to_owned());
        };
        merge(&mut words, one_form(only)?)?;
    }
    if let Some(any) = words.remove("anyOf") {
        let any = any.as_array().cloned().unwrap_or_default();
        merge(&mut words, alternatives(&any)?)?;
    }
    if let Some(Value::Array(types)) = words.get("type") {
        let kept: Vec<Value> = types
            .iter()
            .filter(|name| *name != "null")
            .cloned()
            .collect();
        if kept.len() < types.len() {
            words.insert("nullable".to_owned(), json!(true));
        }
        let types = match kept.as_slice() {
            [only] => only.clone(),
            _ => kept.into(),
        };
        words.insert("type".to_owned(), types);
    }
    // `integer` means a number without a fraction.
    if words.get("type") == Some(&json!("number")) && words.get("multipleOf") == Some(&json!(1)) {
        words.insert("type".to_owned(), json!("integer"));
        words.remove("multipleOf");
    }
    Ok(words)
}

/// Merges `anyOf` into one schema: null as `nullable`, and scalars as a list of types.
fn alternatives(any: &[Value]) -> Result<Map<String, Value>, String> {
    let is_null = |schema: &Value| schema["type"] == "null";
    let mut rest = Vec::new();
    for schema in any.iter().filter(|schema| !is_null(schema)) {
        rest.push(one_form(schema)?);
    }
    let mut merged = match rest.as_slice() {
        [only] => only.clone(),
        _ => scalars(&rest)?,
    };
    if any.iter().any(is_null) {
        merged.insert("nullable".to_owned(), json!(true));
    }
    Ok(merged)
}

/// Merges alternatives of different types into a list of types; a list of values next to any text becomes an open list.
fn scalars(schemas: &[Map<String, Value>]) -> Result<Map<String, Value>, String> {
    let mut merged = Map::new();
    let mut types = Vec::new();
    for schema in schemas {
        let Some(name @ Value::String(_)) = schema.get("type") else {
            return Err("an `anyOf` of something else than scalars".to_owned());
        };
        let any = schema
            .keys()
            .all(|word| word == "type" || EXPLAINING.contains(&word.as_str()));
        if !types.contains(name) {
            types.push(name.clone());
        } else if any && merged.contains_key("enum") {
            merged.insert("open".to_owned(), json!(true));
        } else {
            return Err("an `anyOf` of the same type twice".to_owned());
        }
        let mut rest = schema.clone();
        rest.remove("type");
        merge(&mut merged, rest)?;
    }
    let types = match types.as_slice() {
        [only] => only.clone(),
        _ => types.into(),
    };
    merged.insert("type".to_owned(), types);
    Ok(merged)
}

fn merge(words: &mut Map<String, Value>, more: Map<String, Value>) -> Result<(), String> {
    for (word, value) in more {
        if EXPLAINING.contains(&word.as_str()) {
            continue;
        }
        if words.get(&word).is_some_and(|before| *before != value) {
            return Err(format!("two values of `{word}`"));
        }
        words.insert(word, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(schema: &Value) -> Vec<String> {
        let facts = facts(schema).unwrap();
        facts
            .iter()
            .map(|((at, word), value)| format!("{at} {word} {value}"))
            .collect()
    }

    #[test]
    fn both_dialects_give_the_same_facts() {
        for (openapi, json_schema) in [
            (
                json!({ "type": "string", "nullable": true, "example": "x" }),
                json!({ "type": ["string", "null"], "title": "X" }),
            ),
            (
                json!({ "allOf": [{ "$ref": "#/components/schemas/A" }], "nullable": true }),
                json!({ "anyOf": [{ "$ref": "#/$defs/A" }, { "type": "null" }] }),
            ),
            (
                json!({ "type": "number", "multipleOf": 1 }),
                json!({ "type": "integer" }),
            ),
            (
                json!({ "type": "object", "additionalProperties": true, "required": ["a"], "properties": { "a": {} } }),
                json!({ "type": "object", "required": ["a"], "properties": { "a": true } }),
            ),
            (
                json!({ "type": "array", "items": { "type": "number", "nullable": true } }),
                json!({ "type": "array", "items": { "type": ["number", "null"] } }),
            ),
            (
                json!({ "type": "string", "enum": ["b", "a"] }),
                json!({ "type": "string", "enum": ["a", "b"] }),
            ),
        ] {
            assert_eq!(facts(&openapi), facts(&json_schema), "{openapi}");
        }
    }

    #[test]
    fn alternatives_are_merged() {
        let open = json!({ "anyOf": [{ "type": "string", "enum": ["a"] }, { "type": "string", "description": "x" }] });
        assert_eq!(
            listed(&open),
            [" enum [\"a\"]", " open true", " type \"string\""]
        );
        let count =
            json!({ "anyOf": [{ "type": "integer", "format": "int64" }, { "type": "string" }] });
        assert_eq!(
            listed(&count),
            [" format \"int64\"", " type [\"integer\",\"string\"]"]
        );
    }

    #[test]
    fn unknown_keyword_is_an_error() {
        for schema in [
            json!({ "propertyNames": { "type": "string" } }),
            json!({ "type": 5 }),
            json!({ "oneOf": [] }),
            json!({ "items": "string" }),
            json!({ "properties": { "a": false } }),
            json!({ "allOf": [{ "type": "string" }, { "minLength": 1 }] }),
            json!({ "allOf": [{ "type": "string" }], "type": "number" }),
            json!({ "anyOf": [{ "$ref": "#/$defs/A" }, { "$ref": "#/$defs/B" }] }),
            json!({ "anyOf": [{ "type": "string", "minLength": 1 }, { "type": "string" }] }),
        ] {
            assert!(facts(&schema).is_err(), "{schema}");
        }
    }
}
