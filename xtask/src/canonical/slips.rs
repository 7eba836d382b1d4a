//! Corrects common mistakes of tools and authors: fields without a value, paths in a web framework's syntax, flags in
//! quotes.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::log::{Kind, Log};
use crate::document::{SCHEMAS, entries, escape, is_method};

/// Keywords whose content is data.
const DATA: [&str; 5] = ["example", "examples", "default", "enum", "const"];

/// Keywords with a map from names to schemas.
const MAPS: [&str; 3] = ["properties", "patternProperties", "schemas"];

/// Keywords with text.
const TEXTS: [&str; 3] = ["description", "summary", "title"];

/// Parts of a path that the client does not use: it sends neither method, and receives no callbacks.
const UNUSED: [&str; 2] = ["options", "trace"];

pub(super) fn mend(document: &mut Value, previous: Option<&Value>, log: &mut Log) {
    let plain = plain_names(document, log);
    plain_references(document, &plain);
    without_nothing(document, "", false, log);
    info(document, previous, log);
    whole(document, log);
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else {
        return;
    };
    *paths = std::mem::take(paths)
        .into_iter()
        .map(|(path, mut item)| {
            let at = format!("/paths/{}", escape(&path));
            match item.as_object_mut() {
                Some(item) => path_item(item, &at, log),
                None if path.starts_with("x-") => {}
                None => {
                    log.refuse(&at, "is not a path", "fix the vendor's file");
                    item = json!({});
                }
            }
            (in_braces(&path, log), item)
        })
        .collect();
}

/// Removes fields without a value, which YAML has if a line ends with a colon.
fn without_nothing(node: &mut Value, at: &str, is_map: bool, log: &mut Log) {
    if let Some(entries) = node.as_array_mut() {
        for (index, entry) in entries.iter_mut().enumerate() {
            without_nothing(entry, &format!("{at}/{index}"), false, log);
        }
        return;
    }
    let Some(fields) = node.as_object_mut() else {
        return;
    };
    let mut empty: Vec<String> = Vec::new();
    for (key, value) in fields.iter_mut() {
        if !is_map && (DATA.contains(&key.as_str()) || key.starts_with("x-")) {
            continue;
        }
        let at = format!("{at}/{}", escape(key));
        let is_text = !is_map && TEXTS.contains(&key.as_str());
        match value {
            Value::Null if is_map => *value = json!({}),
            Value::Null => empty.push(key.clone()),
            Value::Number(number) if is_text => *value = json!(number.to_string()),
            Value::String(_) => continue,
            _ if is_text => empty.push(key.clone()),
            _ => {
                without_nothing(value, &at, !is_map && MAPS.contains(&key.as_str()), log);
                continue;
            }
        }
        log.add(Kind::Lowered, at, "has no value");
    }
    for key in empty {
        fields.shift_remove(&key);
    }
}

/// Removes characters with a meaning in JSON pointers from names of schemas. Returns old and new names.
fn plain_names(document: &mut Value, log: &mut Log) -> BTreeMap<String, String> {
    let mut plain = BTreeMap::new();
    let schemas = document.pointer_mut("/components/schemas");
    if let Some(schemas) = schemas.and_then(Value::as_object_mut) {
        *schemas = std::mem::take(schemas)
            .into_iter()
            .map(|(name, schema)| {
                let ours = name.replace(['/', '~', '%'], "_");
                if ours != name {
                    let at = format!("/components/schemas/{}", escape(&name));
                    log.add(Kind::Renamed, at, format!("is {ours}"));
                    plain.insert(name, ours.clone());
                }
                (ours, schema)
            })
            .collect();
    }
    plain
}

/// Removes the URL escapes of references.
fn plain_references(node: &mut Value, plain: &BTreeMap<String, String>) {
    match node {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if key == "$ref" => {
                        let decoded = percent_decode_str(text).decode_utf8_lossy().into_owned();
                        let name = decoded.strip_prefix(SCHEMAS).unwrap_or_default();
                        let name = name.replace("~1", "/").replace("~0", "~");
                        *text = match plain.get(&name) {
                            Some(ours) => format!("{SCHEMAS}{ours}"),
                            None => decoded,
                        };
                    }
                    _ => plain_references(value, plain),
                }
            }
        }
        Value::Array(entries) => entries
            .iter_mut()
            .for_each(|entry| plain_references(entry, plain)),
        _ => {}
    }
}

/// Adds the title and version if they are missing.
fn info(document: &mut Value, previous: Option<&Value>, log: &mut Log) {
    if !document.is_object() {
        return;
    }
    if !document["info"].is_object() {
        document["info"] = json!({});
    }
    if !document["info"]["title"].is_string() {
        let before = previous.and_then(|previous| previous["info"]["title"].as_str());
        document["info"]["title"] = json!(before.unwrap_or("API"));
        log.add(Kind::Kept, "/info/title", "is left out");
    }
}

/// Checks the top level and the components.
fn whole(document: &mut Value, log: &mut Log) {
    let Some(root) = document.as_object_mut() else {
        return;
    };
    for key in ["servers", "tags", "security"] {
        keep(root, key, Value::is_array, "", log);
    }
    keep(root, "components", Value::is_object, "", log);
    let components = root.get_mut("components").and_then(Value::as_object_mut);
    let Some(components) = components else { return };
    let kinds: Vec<String> = components.keys().cloned().collect();
    for kind in kinds.iter().filter(|kind| !kind.starts_with("x-")) {
        keep(components, kind, Value::is_object, "/components", log);
        let at = format!("/components/{}", escape(kind));
        let named = components.get_mut(kind).and_then(Value::as_object_mut);
        match (kind.as_str(), named) {
            ("responses", Some(named)) => each_response(named, &at, log),
            // Invalid schemas are reported where schemas are processed.
            ("schemas", _) | (_, None) => {}
            (_, Some(named)) => {
                let keys: Vec<String> = named.keys().cloned().collect();
                for name in keys {
                    keep(named, &name, Value::is_object, &at, log);
                }
            }
        }
    }
}

fn path_item(item: &mut Map<String, Value>, at: &str, log: &mut Log) {
    *item = std::mem::take(item)
        .into_iter()
        .map(|(key, value)| {
            let lower = key.to_lowercase();
            let is_method = lower != key && is_method(&lower);
            (if is_method { lower } else { key }, value)
        })
        .collect();
    for key in UNUSED {
        if item.shift_remove(key).is_some() {
            log.add(
                Kind::Dropped,
                format!("{at}/{key}"),
                "the client does not send this method",
            );
        }
    }
    let servers = item.shift_remove("servers");
    let methods: Vec<String> = item.keys().filter(|key| is_method(key)).cloned().collect();
    for method in methods {
        keep(item, &method, Value::is_object, at, log);
        let operation = item.get_mut(&method).and_then(Value::as_object_mut);
        let Some(operation) = operation else { continue };
        if let Some(servers) = &servers {
            operation
                .entry("servers")
                .or_insert_with(|| servers.clone());
        }
        self::operation(operation, &format!("{at}/{method}"), log);
    }
}

fn operation(operation: &mut Map<String, Value>, at: &str, log: &mut Log) {
    if operation.shift_remove("callbacks").is_some() {
        log.add(
            Kind::Dropped,
            format!("{at}/callbacks"),
            "the client receives no callbacks",
        );
    }
    for key in ["parameters", "tags", "security", "servers"] {
        keep(operation, key, Value::is_array, at, log);
    }
    for key in ["requestBody", "responses"] {
        keep(operation, key, Value::is_object, at, log);
    }
    if let Some(body) = operation.get_mut("requestBody") {
        content(body, &format!("{at}/requestBody"), log);
    }
    let responses = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut);
    if let Some(responses) = responses {
        each_response(responses, &format!("{at}/responses"), log);
    }
}

fn each_response(responses: &mut Map<String, Value>, at: &str, log: &mut Log) {
    let names: Vec<String> = responses.keys().cloned().collect();
    for name in names.iter().filter(|name| !name.starts_with("x-")) {
        keep(responses, name, Value::is_object, at, log);
        let Some(response) = responses.get_mut(name) else {
            continue;
        };
        content(response, &format!("{at}/{}", escape(name)), log);
        if let Some(response) = response.as_object_mut()
            && !response.contains_key("$ref")
        {
            response.entry("description").or_insert_with(|| json!(""));
        }
    }
}

fn content(body: &mut Value, at: &str, log: &mut Log) {
    let Some(body) = body.as_object_mut() else {
        return;
    };
    keep(body, "content", Value::is_object, at, log);
    let content = body.get_mut("content").and_then(Value::as_object_mut);
    if let Some(content) = content {
        let names: Vec<String> = content.keys().cloned().collect();
        for name in names {
            keep(
                content,
                &name,
                Value::is_object,
                &format!("{at}/content"),
                log,
            );
        }
    }
}

/// Rejects a value of the wrong type and removes it, so that the following steps can run and report more.
fn keep(
    fields: &mut Map<String, Value>,
    key: &str,
    fits: fn(&Value) -> bool,
    at: &str,
    log: &mut Log,
) {
    let Some(value) = fields.get(key).filter(|value| !fits(value)) else {
        return;
    };
    log.refuse(
        &format!("{at}/{}", escape(key)),
        &format!("{value} is not valid here"),
        "fix the vendor's file",
    );
    fields.shift_remove(key);
}

/// Converts `/things/:id` of Express and `/things/{id:[0-9]+}` of other routers to `/things/{id}`.
fn in_braces(path: &str, log: &mut Log) -> String {
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let segment = |segment: &str| {
        let bare = segment.strip_prefix(':').or_else(|| {
            let (name, _) = segment
                .strip_prefix('{')?
                .strip_suffix('}')?
                .split_once(':')?;
            Some(name)
        });
        match bare.filter(|name| is_name(name)) {
            Some(name) => format!("{{{name}}}"),
            None => segment.to_owned(),
        }
    };
    let segments: Vec<String> = path.split('/').map(segment).collect();
    let mended = segments.join("/");
    if mended != path {
        log.add(Kind::Lowered, "/paths", format!("{path} is {mended}"));
    }
    mended
}

/// Corrects keywords of a schema with invalid values.
pub(super) fn schema(fields: &mut Map<String, Value>, at: &str, log: &mut Log) {
    for key in ["nullable", "readOnly", "writeOnly", "deprecated"] {
        if let Some(Value::String(flag)) = fields.get(key) {
            let flag = flag.eq_ignore_ascii_case("true");
            fields.insert(key.to_owned(), json!(flag));
        }
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        if fields
            .get(key)
            .is_some_and(|parts| entries(parts).is_empty())
        {
            drop_slip(fields, key, at, log);
        }
    }
    for (key, fits) in [
        ("format", Value::is_string as fn(&Value) -> bool),
        ("properties", Value::is_object),
        ("items", Value::is_object),
        ("additionalProperties", |value| {
            value.is_object() || value.is_boolean()
        }),
        ("enum", Value::is_array),
    ] {
        if fields.get(key).is_some_and(|value| !fits(value)) {
            drop_slip(fields, key, at, log);
        }
    }
    let kind = fields
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let others: &[&str] = match kind {
        "string" | "number" | "integer" | "boolean" => &["properties", "items"],
        "array" => &["properties"],
        "object" => &["items"],
        _ => &[],
    };
    for key in others
        .iter()
        .filter(|key| fields.contains_key(**key))
        .copied()
        .collect::<Vec<_>>()
    {
        drop_slip(fields, key, at, log);
    }
    let is_number = matches!(
        fields.get("type").and_then(Value::as_str),
        Some("string" | "number" | "integer") | None
    );
    if !is_number {
        fields.shift_remove("format");
    }
    required(fields, at, log);
}

fn drop_slip(fields: &mut Map<String, Value>, key: &str, at: &str, log: &mut Log) {
    let value = fields.shift_remove(key).unwrap_or_default();
    log.add(Kind::Dropped, at, format!("{key} {value} has no meaning"));
}

/// Converts `required` flags of fields to the list of the object.
fn required(fields: &mut Map<String, Value>, at: &str, log: &mut Log) {
    let mut names: Vec<Value> = match fields.get("required") {
        Some(Value::Array(names)) => names.clone(),
        Some(name @ Value::String(_)) => vec![name.clone()],
        _ => Vec::new(),
    };
    let before = names.len();
    let properties = fields.get_mut("properties").and_then(Value::as_object_mut);
    for (name, property) in properties.into_iter().flatten() {
        let Some(property) = property.as_object_mut() else {
            continue;
        };
        let Some(Value::Bool(flag)) = property.get("required").cloned() else {
            continue;
        };
        property.shift_remove("required");
        if flag && !names.iter().any(|known| known == name) {
            names.push(json!(name));
        }
    }
    if names.len() > before {
        log.add(Kind::Lowered, at, "required is a list of names");
    }
    if names.is_empty() {
        fields.shift_remove("required");
    } else {
        fields.insert("required".to_owned(), Value::Array(names));
    }
}
