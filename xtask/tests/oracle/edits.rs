//! Random edits such as a vendor might make.

use proptest::prelude::Rng;
use proptest::test_runner::TestRng;
use serde_json::{Map, Value, json};

/// Applies one edit that fits the document, and returns what and where it is.
pub(crate) fn one(document: &mut Value, random: &mut TestRng) -> (String, String) {
    let schemas = schemas(document);
    let operations = operations(document);
    loop {
        // An edit that does not fit may be half done.
        let mut edited = document.clone();
        let what = if random.next_u32().is_multiple_of(3) {
            let at = choose(&operations, random).clone();
            of_operation(&mut edited, &at, random).map(|what| (what, at))
        } else {
            let at = choose(&schemas, random).clone();
            of_schema(&mut edited, &at, random).map(|what| (what, at))
        };
        if let Some(what) = what {
            *document = edited;
            return what;
        }
    }
}

fn choose<'a, T>(items: &'a [T], random: &mut TestRng) -> &'a T {
    &items[random.next_u32() as usize % items.len()]
}

/// Returns every schema by its pointer.
fn schemas(document: &Value) -> Vec<String> {
    fn within(schema: &Value, at: String, found: &mut Vec<String>) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            within(property, format!("{at}/properties/{name}"), found);
        }
        if schema["items"].is_object() {
            within(&schema["items"], format!("{at}/items"), found);
        }
        found.push(at);
    }
    let mut found = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        within(schema, format!("/components/schemas/{name}"), &mut found);
    }
    found
}

fn operations(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "put", "post", "patch", "delete"] {
            if item[method].is_object() {
                found.push(format!("/paths/{}/{method}", path.replace('/', "~1")));
            }
        }
    }
    found
}

#[allow(clippy::too_many_lines, reason = "a table of edits")]
fn of_schema(document: &mut Value, at: &str, random: &mut TestRng) -> Option<String> {
    let schema = document.pointer_mut(at)?.as_object_mut()?;
    let kind = schema
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let names: Vec<String> = schema
        .get("properties")
        .and_then(Value::as_object)
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default();
    let name = (!names.is_empty()).then(|| choose(&names, random).as_str());
    let what = match random.next_u32() % 19 {
        0 => {
            properties(schema)?.shift_remove(name?);
            "a property is removed"
        }
        1 => {
            properties(schema)?.insert("added".to_owned(), json!({ "type": "string" }));
            "an optional property is added"
        }
        2 => {
            properties(schema)?.insert("added".to_owned(), json!({ "type": "string" }));
            required(schema).push(json!("added"));
            "a required property is added"
        }
        3 => {
            let name = json!(name?);
            if required(schema).contains(&name) {
                return None;
            }
            required(schema).push(name);
            "a property becomes required"
        }
        4 => {
            required(schema).pop()?;
            "a property becomes optional"
        }
        5 => {
            let other = match kind.as_str() {
                "string" => "integer",
                "integer" | "number" => "boolean",
                "boolean" | "array" | "object" => "string",
                _ => return None,
            };
            schema.insert("type".to_owned(), json!(other));
            "another type"
        }
        6 => {
            schema.get_mut("enum")?.as_array_mut()?.push(json!("added"));
            "an enum value is added"
        }
        7 => {
            schema.get_mut("enum")?.as_array_mut()?.pop()?;
            "an enum value is removed"
        }
        8 if kind == "string" && !schema.contains_key("enum") => {
            schema.insert("enum".to_owned(), json!(["one", "two"]));
            "an enum"
        }
        9 if !kind.is_empty() => {
            let nullable = schema.get("nullable") == Some(&json!(true));
            schema.insert("nullable".to_owned(), json!(!nullable));
            "null"
        }
        10 if kind == "string" => {
            schema.insert("maxLength".to_owned(), json!(3));
            "shorter text"
        }
        11 if kind == "string" => {
            schema.insert("minLength".to_owned(), json!(20));
            "longer text"
        }
        12 if kind == "integer" || kind == "number" => {
            schema.insert("maximum".to_owned(), json!(5));
            "smaller numbers"
        }
        13 if kind == "object" => {
            schema.insert("additionalProperties".to_owned(), json!(false));
            "nothing else"
        }
        14 if kind == "string" => {
            schema.insert("format".to_owned(), json!("uuid"));
            "another format"
        }
        15 => {
            let name = name?;
            let properties = properties(schema)?;
            let property = properties.shift_remove(name)?;
            properties.insert(format!("{name}Renamed"), property);
            "a property is renamed"
        }
        16 if kind == "array" => {
            schema.insert("minItems".to_owned(), json!(3));
            "more items"
        }
        17 if kind == "object" => {
            schema.insert("allOf".to_owned(), json!([{ "required": ["undeclared"] }]));
            "an undeclared property is required"
        }
        18 => {
            schema.shift_remove("properties")?;
            "all properties are removed"
        }
        _ => return None,
    };
    Some(match name {
        Some(name) if !at.ends_with(name) => format!("{what} ({name})"),
        _ => what.to_owned(),
    })
}

#[allow(clippy::too_many_lines, reason = "a table of edits")]
fn of_operation(document: &mut Value, at: &str, random: &mut TestRng) -> Option<String> {
    let (item, method) = at.rsplit_once('/')?;
    let operation = document.pointer_mut(at)?.as_object_mut()?;
    let what = match random.next_u32() % 17 {
        0 => {
            let item = document.pointer_mut(item)?.as_object_mut()?;
            item.shift_remove(method);
            "the operation is removed"
        }
        1 => {
            parameters(operation)
                .push(json!({ "name": "added", "in": "query", "required": true, "schema": { "type": "string" } }));
            "a required parameter is added"
        }
        2 => {
            parameters(operation)
                .push(json!({ "name": "added", "in": "query", "schema": { "type": "string" } }));
            "an optional parameter is added"
        }
        3 => {
            let query = |parameter: &&mut Value| {
                parameter["in"] == "query" && parameter["required"] != true
            };
            parameters(operation).iter_mut().find(query)?["required"] = json!(true);
            "a parameter becomes required"
        }
        4 => {
            let place = parameters(operation)
                .iter()
                .position(|parameter| parameter["in"] == "query")?;
            parameters(operation).remove(place);
            "a parameter is removed"
        }
        5 => {
            let query = |parameter: &&mut Value| parameter["in"] == "query";
            parameters(operation).iter_mut().find(query)?["schema"] = json!({ "type": "boolean" });
            "another type of a parameter"
        }
        6 => {
            operation.shift_remove("requestBody")?;
            "the body is removed"
        }
        7 => {
            operation.insert(
                "requestBody".to_owned(),
                json!({ "required": true, "content": { "application/json": { "schema": { "type": "object" } } } }),
            );
            "another body, required"
        }
        8 => {
            responses(operation)?.retain(|status, _| !status.starts_with('2'));
            responses(operation)?.insert("204".to_owned(), json!({ "description": "Done." }));
            "the response is empty"
        }
        9 => {
            let schema = json!({ "type": "string" });
            responses(operation)?.retain(|status, _| !status.starts_with('2'));
            responses(operation)?.insert(
                "200".to_owned(),
                json!({ "description": "Done.", "content": { "application/xml": { "schema": schema } } }),
            );
            "the response is XML"
        }
        10 => {
            operation.insert("security".to_owned(), json!([{ "apiKey": [] }]));
            "another authentication"
        }
        11 => {
            operation.insert(
                "servers".to_owned(),
                json!([{ "url": "https://new.example.com" }]),
            );
            "another server"
        }
        12 => {
            let path = item.strip_prefix("/paths/")?.replace("~1", "/");
            let paths = document["paths"].as_object_mut()?;
            let moved = paths.shift_remove(&path)?;
            paths.insert(format!("{path}/moved"), moved);
            "another path"
        }
        13 => {
            let other = if method == "post" { "put" } else { "post" };
            let item = document.pointer_mut(item)?.as_object_mut()?;
            if item.contains_key(other) {
                return None;
            }
            let moved = item.shift_remove(method)?;
            item.insert(other.to_owned(), moved);
            "another method"
        }
        14 => {
            let schema =
                json!({ "type": "object", "properties": { "queued": { "type": "boolean" } } });
            responses(operation)?.insert(
                "202".to_owned(),
                json!({ "description": "Later.", "content": { "application/json": { "schema": schema } } }),
            );
            "another success"
        }
        15 => {
            responses(operation)?.insert("418".to_owned(), json!({ "description": "No." }));
            "another failure"
        }
        _ => {
            operation.insert("operationId".to_owned(), json!("renamed_operation"));
            "another id"
        }
    };
    Some(what.to_owned())
}

fn properties(schema: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    schema.get_mut("properties")?.as_object_mut()
}

fn required(schema: &mut Map<String, Value>) -> &mut Vec<Value> {
    let names = schema.entry("required").or_insert_with(|| json!([]));
    names.as_array_mut().unwrap()
}

fn parameters(operation: &mut Map<String, Value>) -> &mut Vec<Value> {
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    parameters.as_array_mut().unwrap()
}

fn responses(operation: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    operation.get_mut("responses")?.as_object_mut()
}
