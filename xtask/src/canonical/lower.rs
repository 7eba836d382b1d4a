//! Converts JSON Schema of OpenAPI 3.1, and common mistakes, to schemas of OpenAPI 3.0.

use serde_json::{Map, Value, json};

use super::log::{Kind, Log};
use super::slips;
use crate::document::{JSON_SCHEMA, WEBHOOKS, each_schema_mut, entries, reference};

/// The OpenAPI version of the canonical form.
const VERSION: &str = "3.0.3";

/// JSON Schema keywords that OpenAPI 3.0 does not have and that do not constrain a value.
const APART: [&str; 7] = [
    "$schema",
    "$id",
    "$anchor",
    "$comment",
    "$defs",
    "$dynamicAnchor",
    "definitions",
];

/// Keywords that do constrain a value. They are preserved in [`JSON_SCHEMA`], so that a change of them is noticed.
const LIMITING: [&str; 18] = [
    "$dynamicRef",
    "patternProperties",
    "prefixItems",
    "propertyNames",
    "contains",
    "minContains",
    "maxContains",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "unevaluatedProperties",
    "unevaluatedItems",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
];

/// Keywords next to a reference that only annotate this place.
pub(super) const ANNOTATIONS: [&str; 8] = [
    "nullable",
    "description",
    "default",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "externalDocs",
];

pub(super) fn lower(document: &mut Value, log: &mut Log) {
    let version = document["openapi"].as_str().unwrap_or_default().to_owned();
    if version != VERSION {
        document["openapi"] = json!(VERSION);
        log.add(
            Kind::Lowered,
            "/openapi",
            format!("{version} becomes {VERSION}"),
        );
    }
    let number = match &document["info"]["version"] {
        Value::String(_) => None,
        // YAML reads a bare 3.1 as a number.
        Value::Number(number) => Some(number.to_string()),
        _ => Some("unversioned".to_owned()),
    };
    if let Some(number) = number.filter(|_| document["info"].is_object()) {
        document["info"]["version"] = json!(number);
        log.add(
            Kind::Lowered,
            "/info/version",
            format!("is written as {number:?}"),
        );
    }
    if let Some(root) = document.as_object_mut() {
        if let Some(webhooks) = root.shift_remove("webhooks") {
            root.insert(WEBHOOKS.to_owned(), webhooks);
            log.add(Kind::Lowered, "/webhooks", format!("is kept as {WEBHOOKS}"));
        }
        if root.shift_remove("jsonSchemaDialect").is_some() {
            log.add(
                Kind::Dropped,
                "/jsonSchemaDialect",
                "does not exist in OpenAPI 3.0",
            );
        }
    }
    each_schema_mut(document, &mut |at, schema| {
        schema_at(schema, at, log);
    });
}

fn schema_at(schema: &mut Value, at: &str, log: &mut Log) {
    if let Value::Bool(any) = *schema {
        *schema = json!({});
        if !any {
            log.add(Kind::Dropped, at, "nothing matches the schema false");
        }
    }
    let Some(fields) = schema.as_object_mut() else {
        log.refuse(at, "is not a schema", "fix the vendor's file");
        // The following steps still run.
        *schema = json!({});
        return;
    };
    slips::schema(fields, at, log);
    keywords(fields, at, log);
    if fields.contains_key("$ref") {
        beside_reference(schema, at, log);
        return;
    }
    types(fields, at, log);
    constants(fields, at, log);
    limits(fields);
    choices(schema, at, log);
    if let Some(fields) = schema.as_object_mut() {
        type_name(fields, at, log);
        values(fields, at, log);
        shape(fields, at, log);
    }
}

fn keywords(fields: &mut Map<String, Value>, at: &str, log: &mut Log) {
    for key in APART {
        if fields.shift_remove(key).is_some() {
            log.add(Kind::Dropped, at, format!("{key} cannot be converted"));
        }
    }
    for key in LIMITING {
        if let Some(value) = fields.shift_remove(key) {
            keep(fields, key, value);
            log.add(Kind::Lowered, at, format!("{key} is kept in {JSON_SCHEMA}"));
        }
    }
    // A name for readers, whose use for naming was earlier.
    if let Some(Value::Array(examples)) = fields.get("examples").cloned() {
        replace(fields, "examples", "example", examples.first());
    }
}

/// Preserves a keyword that OpenAPI 3.0 does not have.
fn keep(fields: &mut Map<String, Value>, key: &str, value: Value) {
    let kept = fields.entry(JSON_SCHEMA).or_insert_with(|| json!({}));
    if let Some(kept) = kept.as_object_mut() {
        kept.insert(key.to_owned(), value);
    }
}

/// Renames a keyword in place, unless the new one exists.
fn replace(fields: &mut Map<String, Value>, from: &str, to: &str, value: Option<&Value>) {
    let has = fields.contains_key(to);
    *fields = std::mem::take(fields)
        .into_iter()
        .filter_map(|(key, old)| match (value, key == from) {
            (_, false) => Some((key, old)),
            (Some(value), true) if !has => Some((to.to_owned(), value.clone())),
            _ => None,
        })
        .collect();
}

fn beside_reference(schema: &mut Value, at: &str, log: &mut Log) {
    let Some(fields) = schema.as_object_mut().filter(|fields| fields.len() > 1) else {
        return;
    };
    let mut beside = std::mem::take(fields);
    let reference = beside.shift_remove("$ref").unwrap_or_default();
    let dropped: Vec<String> = beside
        .keys()
        .filter(|key| {
            !ANNOTATIONS.contains(&key.as_str()) && !key.starts_with("x-") && *key != "title"
        })
        .cloned()
        .collect();
    for key in dropped {
        if let Some(value) = beside.shift_remove(&key) {
            keep(&mut beside, &key, value);
        }
        log.add(
            Kind::Lowered,
            at,
            format!("{key} next to $ref is kept in {JSON_SCHEMA}"),
        );
    }
    fields.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
    fields.extend(beside);
}

/// Converts `type` as a list.
fn types(fields: &mut Map<String, Value>, at: &str, log: &mut Log) {
    let names: Vec<Value> = match fields.get("type") {
        Some(Value::Array(names)) => names.clone(),
        Some(Value::String(name)) if name == "null" => vec![json!("null")],
        _ => return,
    };
    let others: Vec<&Value> = names.iter().filter(|name| *name != "null").collect();
    let is_number = others.len() == 2
        && others
            .iter()
            .all(|name| *name == "integer" || *name == "number");
    match others.as_slice() {
        [only] => {
            fields.insert("type".to_owned(), (*only).clone());
            if others.len() < names.len() {
                fields.insert("nullable".to_owned(), json!(true));
            }
        }
        _ if is_number => {
            fields.insert("type".to_owned(), json!("number"));
        }
        _ => {
            fields.shift_remove("type");
            keep(fields, "type", json!(names));
            log.add(
                Kind::Lowered,
                at,
                format!("type {} is any value", json!(names)),
            );
        }
    }
}

fn constants(fields: &mut Map<String, Value>, at: &str, log: &mut Log) {
    let Some(value) = fields.get("const").cloned() else {
        return;
    };
    if value.is_string() {
        replace(fields, "const", "enum", Some(&json!([value])));
    } else {
        fields.shift_remove("const");
        keep(fields, "const", value.clone());
        log.add(
            Kind::Lowered,
            at,
            format!("const {value} is checked by the server"),
        );
    }
}

/// Converts an exclusive limit to a flag.
fn limits(fields: &mut Map<String, Value>) {
    for (exclusive, limit) in [
        ("exclusiveMinimum", "minimum"),
        ("exclusiveMaximum", "maximum"),
    ] {
        if let Some(value) = fields
            .get(exclusive)
            .filter(|value| value.is_number())
            .cloned()
        {
            fields.insert(limit.to_owned(), value);
            fields.insert(exclusive.to_owned(), json!(true));
        }
    }
}

/// Simplifies choices with null, and choices of one.
fn choices(schema: &mut Value, at: &str, log: &mut Log) {
    for key in ["anyOf", "oneOf"] {
        let Some(Value::Array(parts)) = schema.get(key) else {
            continue;
        };
        let is_null = |part: &Value| part["type"] == "null" || part["enum"] == json!([null]);
        let others: Vec<Value> = parts
            .iter()
            .filter(|part| !is_null(part))
            .cloned()
            .collect();
        let nullable = others.len() < parts.len();
        let Some(fields) = schema.as_object_mut() else {
            return;
        };
        if let Some(values) = listed(&others) {
            fields.shift_remove(key);
            fields.insert("type".to_owned(), json!("string"));
            fields.insert("enum".to_owned(), Value::Array(values));
            if nullable {
                fields.insert("nullable".to_owned(), json!(true));
            }
            log.add(Kind::Lowered, at, format!("{key} of values is an enum"));
        } else if let [only] = others.as_slice() {
            fields.shift_remove(key);
            if nullable {
                fields.insert("nullable".to_owned(), json!(true));
            }
            match (reference(only), only.as_object()) {
                (None, Some(only)) => {
                    for (name, value) in only {
                        fields.entry(name.clone()).or_insert_with(|| value.clone());
                    }
                    // The only one that was not visited before it was moved.
                    schema_at(schema, at, log);
                    return;
                }
                _ => {
                    fields.insert("allOf".to_owned(), json!([only]));
                }
            }
        } else if nullable {
            fields.insert(key.to_owned(), Value::Array(others));
            fields.insert("nullable".to_owned(), json!(true));
        }
    }
}

/// Returns the values of choices that are all constant texts, possibly with titles. An additional choice of any text marks
/// the list as open, as every enum is here.
fn listed(choices: &[Value]) -> Option<Vec<Value>> {
    let mut values = Vec::new();
    for choice in choices {
        match (&choice["const"], &choice["enum"]) {
            (value @ Value::String(_), _) => values.push(value.clone()),
            (_, Value::Array(more)) if more.iter().all(Value::is_string) => {
                values.extend(more.iter().cloned());
            }
            (Value::Null, Value::Null) if *choice == json!({ "type": "string" }) => {}
            _ => return None,
        }
    }
    (!values.is_empty()).then_some(values)
}

/// Corrects unofficial names of types.
fn type_name(fields: &mut Map<String, Value>, at: &str, log: &mut Log) {
    let Some(name) = fields
        .get("type")
        .and_then(Value::as_str)
        .map(str::to_owned)
    else {
        if let Some(other) = fields.get("type") {
            log.refuse(
                at,
                &format!("invalid type {other}"),
                "expected one word, such as string",
            );
        }
        return;
    };
    let (known, format) = match name.to_lowercase().as_str() {
        "string" | "text" | "str" | "char" | "enum" | "url" | "email" | "objectid" | "time" => {
            ("string", None)
        }
        "integer" | "int" | "int32" | "int64" | "long" | "bigint" => ("integer", None),
        "number" | "float" | "double" | "decimal" | "bigdecimal" => ("number", None),
        "boolean" | "bool" => ("boolean", None),
        "object" | "map" | "dict" | "record" => ("object", None),
        "array" | "list" | "set" => ("array", None),
        "date" | "datetime" | "date-time" | "timestamp" => ("string", Some("date-time")),
        "uuid" => ("string", Some("uuid")),
        "file" | "binary" => ("string", Some("binary")),
        "any" | "mixed" | "json" | "unknown" | "undefined" | "" => ("", None),
        _ => {
            log.refuse(
                at,
                &format!("unknown type {name:?}"),
                "correct it by an overlay: expected string, number, integer, boolean, array or object",
            );
            return;
        }
    };
    if known == name && !name.is_empty() {
        return;
    }
    log.add(Kind::Lowered, at, format!("type {name}"));
    if known.is_empty() {
        fields.shift_remove("type");
    } else {
        fields.insert("type".to_owned(), json!(known));
    }
    if let Some(format) = format {
        fields.insert("format".to_owned(), json!(format));
    }
}

/// Normalises enums: strings, without duplicates, and null as a flag.
fn values(fields: &mut Map<String, Value>, at: &str, log: &mut Log) {
    let Some(Value::Array(values)) = fields.get("enum").cloned() else {
        return;
    };
    let mut kept: Vec<Value> = Vec::new();
    for value in &values {
        if value.is_null() {
            fields.insert("nullable".to_owned(), json!(true));
        } else if !kept.contains(value) {
            kept.push(value.clone());
        }
    }
    let all = |is: fn(&Value) -> bool| !kept.is_empty() && kept.iter().all(is);
    if all(Value::is_string) {
        if fields.get("type") != Some(&json!("string")) {
            fields.insert("type".to_owned(), json!("string"));
            log.add(Kind::Lowered, at, "an enum of strings is of type string");
        }
        if kept != values {
            fields.insert("enum".to_owned(), Value::Array(kept));
            log.add(
                Kind::Lowered,
                at,
                "duplicates in the enum are removed, and null is a flag",
            );
        }
        return;
    }
    fields.shift_remove("enum");
    keep(fields, "enum", json!(values));
    log.add(
        Kind::Lowered,
        at,
        format!("enum {} is checked by the server", json!(values)),
    );
    let kind = match () {
        () if all(|value| value.is_i64() || value.is_u64()) => "integer",
        () if all(Value::is_number) => "number",
        () if all(Value::is_boolean) => "boolean",
        () => {
            fields.shift_remove("type");
            return;
        }
    };
    fields.insert("type".to_owned(), json!(kind));
}

/// Adds missing keywords, and removes meaningless ones.
fn shape(fields: &mut Map<String, Value>, at: &str, log: &mut Log) {
    if fields.contains_key("properties") && !fields.contains_key("type") {
        fields.insert("type".to_owned(), json!("object"));
    }
    if fields.get("type") == Some(&json!("array")) && !fields.contains_key("items") {
        fields.insert("items".to_owned(), json!({}));
        log.add(Kind::Lowered, at, "the array has items of any kind");
    }
    let composed = ["allOf", "anyOf", "oneOf", "type"]
        .iter()
        .any(|key| fields.contains_key(*key));
    if !composed && fields.shift_remove("nullable").is_some() {
        log.add(Kind::Lowered, at, "any value may be null");
    }
    if fields.get("nullable") == Some(&json!(false)) {
        fields.shift_remove("nullable");
    }
    if let Some(format) = fields.get("format").and_then(Value::as_str)
        && matches!(
            format.to_lowercase().as_str(),
            "datetime" | "date_time" | "timestamp"
        )
        && fields.get("type") == Some(&json!("string"))
    {
        log.add(Kind::Lowered, at, format!("format {format} is date-time"));
        fields.insert("format".to_owned(), json!("date-time"));
    }
    let known: Vec<String> = match fields.get("properties") {
        Some(Value::Object(properties)) => properties.keys().cloned().collect(),
        _ => return,
    };
    let required = entries(fields.get("required").unwrap_or(&Value::Null)).to_vec();
    let described: Vec<Value> = required
        .iter()
        .filter(|name| known.iter().any(|known| *name == known))
        .cloned()
        .collect();
    if described.len() < required.len() {
        log.add(
            Kind::Dropped,
            format!("{at}/required"),
            "names a property that is not described",
        );
        if described.is_empty() {
            fields.shift_remove("required");
        } else {
            fields.insert("required".to_owned(), Value::Array(described));
        }
    }
}
