//! The rewrites, one function each.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use heck::ToPascalCase as _;
use serde_json::{Map, Value, json};

use super::log::{Kind, Log};
use crate::document::{
    LIMITS, SCHEMAS, each_schema_mut, entries, escape, fields, is_success, object, operations,
    references, resolve, target, type_name,
};

/// Gives a name to every object and enum that has none.
pub(super) fn hoist(document: &mut Value, log: &mut Log) -> Result<()> {
    let mut named: Map<String, Value> = object(&document["components"]["schemas"]).clone();
    let mut taken: BTreeMap<String, String> = named
        .keys()
        .map(|name| (type_name(name), name.clone()))
        .collect();
    let components: Vec<String> = named.keys().cloned().collect();
    let mut hoister = Hoister {
        taken: &mut taken,
        new: Map::new(),
        log,
    };
    for name in components {
        let at = format!("/components/schemas/{}", escape(&name));
        let base = type_name(&name);
        if let Some(schema) = named.get_mut(&name) {
            hoister.children(schema, &at, &base)?;
        }
    }
    let ids: Vec<(String, String, String)> = operations(document)
        .iter()
        .map(|operation| {
            (
                operation.id.to_pascal_case(),
                operation.path.to_owned(),
                operation.method.to_owned(),
            )
        })
        .collect();
    for (base, path, method) in ids {
        let at = format!("/paths/{}/{method}", escape(&path));
        let Some(operation) = document.pointer_mut(&at) else {
            continue;
        };
        if let Some(body) = operation.get_mut("requestBody") {
            hoister.content(
                body,
                &format!("{at}/requestBody"),
                &format!("{base}Request"),
            )?;
        }
        if let Some(responses) = operation
            .get_mut("responses")
            .and_then(Value::as_object_mut)
        {
            for (status, response) in responses {
                let name = if is_success(status) {
                    format!("{base}Response")
                } else {
                    format!("{base}Error{status}")
                };
                hoister.content(response, &format!("{at}/responses/{status}"), &name)?;
            }
        }
        if let Some(parameters) = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut)
        {
            for (index, parameter) in parameters.iter_mut().enumerate() {
                let name = format!(
                    "{base}{}",
                    parameter["name"]
                        .as_str()
                        .unwrap_or_default()
                        .to_pascal_case()
                );
                if let Some(schema) = parameter.get_mut("schema") {
                    hoister.schema(schema, &format!("{at}/parameters/{index}/schema"), &name)?;
                }
            }
        }
    }
    for (kind, suffix) in [("responses", "Response"), ("requestBodies", "Request")] {
        if let Some(bodies) = document
            .pointer_mut(&format!("/components/{kind}"))
            .and_then(Value::as_object_mut)
        {
            for (name, body) in bodies {
                let at = format!("/components/{kind}/{}", escape(name));
                hoister.content(body, &at, &format!("{}{suffix}", type_name(name)))?;
            }
        }
    }
    named.extend(hoister.new);
    if !named.is_empty() {
        document["components"]["schemas"] = Value::Object(named);
    }
    Ok(())
}

struct Hoister<'a> {
    taken: &'a mut BTreeMap<String, String>,
    new: Map<String, Value>,
    log: &'a mut Log,
}

impl Hoister<'_> {
    fn content(&mut self, body: &mut Value, at: &str, name: &str) -> Result<()> {
        if let Some(content) = body.get_mut("content").and_then(Value::as_object_mut) {
            for (media, value) in content {
                if let Some(schema) = value.get_mut("schema") {
                    self.schema(
                        schema,
                        &format!("{at}/content/{}/schema", escape(media)),
                        name,
                    )?;
                }
            }
        }
        Ok(())
    }

    /// Hoists the schema itself if it needs a name, or else the schemas in it.
    fn schema(&mut self, schema: &mut Value, at: &str, name: &str) -> Result<()> {
        self.children(schema, at, name)?;
        let is_enum = schema.get("enum").is_some();
        let is_object = schema.get("properties").is_some();
        let is_merged = entries(&schema["allOf"]).len() > 1;
        if !(is_enum || is_object || is_merged) {
            return Ok(());
        }
        if let Some(other) = self.taken.insert(name.to_owned(), at.to_owned()) {
            bail!(
                "{at}: the schema has no name, and the derived one, {name}, is used by {other}: name it in the contract"
            );
        }
        let mut hoisted = std::mem::take(schema);
        // Whether null is allowed depends on the place, not on the type.
        let nullable = hoisted
            .as_object_mut()
            .and_then(|fields| fields.shift_remove("nullable"));
        let reference = json!({ "$ref": format!("{SCHEMAS}{name}") });
        *schema = match nullable {
            Some(nullable) => json!({ "allOf": [reference], "nullable": nullable }),
            None => reference,
        };
        self.new.insert(name.to_owned(), hoisted);
        self.log.add(Kind::Hoisted, at, format!("named {name}"));
        Ok(())
    }

    fn children(&mut self, schema: &mut Value, at: &str, base: &str) -> Result<()> {
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            for (name, property) in properties {
                let at = format!("{at}/properties/{}", escape(name));
                self.schema(property, &at, &format!("{base}{}", name.to_pascal_case()))?;
            }
        }
        if let Some(items) = schema.get_mut("items") {
            self.schema(items, &format!("{at}/items"), &format!("{base}Item"))?;
        }
        if let Some(values) = schema
            .get_mut("additionalProperties")
            .filter(|values| values.is_object())
        {
            self.schema(
                values,
                &format!("{at}/additionalProperties"),
                &format!("{base}Value"),
            )?;
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            if let Some(parts) = schema.get_mut(key).and_then(Value::as_array_mut) {
                for (index, part) in parts.iter_mut().enumerate() {
                    self.schema(
                        part,
                        &format!("{at}/{key}/{index}"),
                        &format!("{base}{}", index + 1),
                    )?;
                }
            }
        }
        Ok(())
    }
}

/// Keeps one success for each operation, which represents all of 2xx, and nothing else.
pub(super) fn one_success(document: &mut Value, log: &mut Log) -> Result<()> {
    let resolved = document.clone();
    for operation in operations(&resolved) {
        let at = format!("{}/responses", operation.pointer());
        let mut kept: Option<(&str, &Value, bool)> = None;
        let mut failures = Vec::new();
        for (status, response) in fields(&operation.value["responses"]) {
            if status.starts_with("x-") {
                continue;
            }
            if !is_success(status) {
                failures.push(status);
                continue;
            }
            let response = resolve(&resolved, response)?;
            let has_body = response
                .get("content")
                .is_some_and(|content| !object(content).is_empty());
            match kept {
                Some((other, _, other_has_body)) => {
                    let (dropped, stays) = if has_body && !other_has_body {
                        (other, status)
                    } else {
                        (status, other)
                    };
                    let why = if has_body == other_has_body {
                        "the same body"
                    } else {
                        "no body"
                    };
                    log.add(
                        Kind::DroppedSuccess,
                        format!("{at}/{dropped}"),
                        format!("{why}, {stays} represents it"),
                    );
                    if stays == status {
                        kept = Some((status, response, has_body));
                    }
                }
                None => kept = Some((status, response, has_body)),
            }
        }
        let Some((status, response, has_body)) = kept else {
            bail!("operation {}: {at}: no response is a success", operation.id);
        };
        let what = if has_body { "" } else { ", without a body" };
        if status != "2XX" {
            log.add(
                Kind::Success,
                format!("{at}/{status}"),
                format!("represents 2XX{what}"),
            );
        }
        if !failures.is_empty() {
            log.add(Kind::DroppedFailures, at.clone(), failures.join(", "));
        }
        if let Some(responses) = document.pointer_mut(&at) {
            *responses = json!({ "2XX": response });
        }
    }
    Ok(())
}

/// Drops the components that no operation reaches.
pub(super) fn drop_unused(document: &mut Value, log: &mut Log) -> Result<()> {
    let mut used = BTreeSet::new();
    let mut open = vec![&document["paths"]];
    while let Some(node) = open.pop() {
        for reference in references(node) {
            if used.insert(reference.to_owned()) {
                let found = target(document, reference)?;
                open.push(resolve(document, found.value)?);
            }
        }
    }
    if let Some(components) = document
        .get_mut("components")
        .and_then(Value::as_object_mut)
    {
        for kind in [
            "schemas",
            "responses",
            "parameters",
            "requestBodies",
            "headers",
            "examples",
            "links",
            "callbacks",
        ] {
            let Some(named) = components.get_mut(kind).and_then(Value::as_object_mut) else {
                continue;
            };
            let keep = |name: &str| used.contains(&format!("#/components/{kind}/{name}"));
            let mut dropped: Vec<_> = named.keys().filter(|name| !keep(name)).collect();
            // The result must not depend on the order of components.
            dropped.sort();
            for name in dropped {
                log.add(
                    Kind::DroppedComponent,
                    format!("/components/{kind}/{}", escape(name)),
                    "no request or response refers to it",
                );
            }
            named.retain(|name, _| keep(name));
        }
    }
    Ok(())
}

/// Turns `number` in steps of 1 into an integer: as a number it would be sent as `0.0`.
pub(super) fn integers(document: &mut Value, log: &mut Log) {
    each_schema_mut(document, &mut |at, schema| {
        let Some(fields) = schema.as_object_mut() else {
            return;
        };
        let whole = fields.get("type") == Some(&json!("number"))
            && fields
                .get("multipleOf")
                .and_then(Value::as_f64)
                .is_some_and(|step| (step - 1.0).abs() < f64::EPSILON);
        if whole {
            fields.insert("type".to_owned(), json!("integer"));
            fields.insert("format".to_owned(), json!("int64"));
            fields.shift_remove("multipleOf");
            log.add(Kind::Integer, at, "number in steps of 1, now int64");
        }
    });
}

/// Drops limits and defaults, which are up to the server.
///
/// A limit would become a wrapper type that rejects responses, and a default would be sent with every request that leaves
/// the field out.
pub(super) fn limits(document: &mut Value, log: &mut Log) {
    each_schema_mut(document, &mut |at, schema| {
        let Some(fields) = schema.as_object_mut() else {
            return;
        };
        for key in LIMITS.iter().chain(["default"].iter()) {
            if let Some(value) = fields.shift_remove(*key) {
                log.add(
                    Kind::DroppedLimit,
                    at,
                    format!("{key} {value} is checked by the server"),
                );
            }
        }
    });
}

/// Leaves values with the same Rust name to the open variant, which carries any text.
pub(super) fn enum_values(document: &mut Value, log: &mut Log) {
    each_schema_mut(document, &mut |at, schema| {
        let Some(fields) = schema.as_object_mut() else {
            return;
        };
        let Some(Value::Array(values)) = fields.get("enum") else {
            return;
        };
        let mut names = BTreeSet::from(["Unknown".to_owned()]);
        let (kept, others): (Vec<Value>, Vec<Value>) = values.iter().cloned().partition(|value| {
            let name = value.as_str().unwrap_or_default().to_pascal_case();
            names.insert(name)
        });
        for value in &others {
            log.add(
                Kind::OpenValue,
                at,
                format!("{value} has no distinct name, and is Unknown({value})"),
            );
        }
        if kept.is_empty() {
            fields.shift_remove("enum");
        } else if !others.is_empty() {
            fields.insert("enum".to_owned(), Value::Array(kept));
        }
    });
}

/// Allows null for every optional field of a response.
///
/// The generator gives most optional fields an `Option`, but lists and maps a bare type that rejects null.
pub(super) fn nullable_responses(document: &mut Value, log: &mut Log) -> Result<()> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Value> = operations(document)
        .iter()
        .map(|operation| &operation.value["responses"])
        .collect();
    while let Some(node) = open.pop() {
        for reference in references(node) {
            if let Some(name) = reference.strip_prefix(SCHEMAS)
                && reached.insert(name.to_owned())
            {
                open.push(resolve(document, &document["components"]["schemas"][name])?);
            }
        }
    }
    let resolved = document.clone();
    for name in reached {
        let at = format!("/components/schemas/{}", escape(&name));
        let Some(schema) = document.pointer_mut(&at) else {
            continue;
        };
        let required: BTreeSet<String> = entries(&schema["required"])
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
            continue;
        };
        for (field, property) in properties {
            if required.contains(field) || property["nullable"] == json!(true) {
                continue;
            }
            let target = match entries(&property["allOf"]) {
                [only] => resolve(&resolved, only)?,
                _ => resolve(&resolved, property)?,
            };
            let bare = target["type"] == json!("array")
                || (target.get("properties").is_none()
                    && target.get("additionalProperties").is_some());
            if !bare {
                continue;
            }
            if property.get("$ref").is_some() {
                *property = json!({ "allOf": [property.take()], "nullable": true });
            } else {
                property["nullable"] = json!(true);
            }
            log.add(
                Kind::Nullable,
                format!("{at}/properties/{}", escape(field)),
                "optional in a response, so null is allowed",
            );
        }
    }
    Ok(())
}
