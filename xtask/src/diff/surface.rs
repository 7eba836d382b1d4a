//! A summary of a contract: one line for each operation, parameter, response and field.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::Value;

use crate::document::{Contract, Node, Schema, entries, escape, fields};

/// Returns the summary, in the order of the document.
pub fn surface(document: &Value) -> Result<String> {
    let contract = Contract::read(document)?;
    let mut text = String::new();
    for server in entries(&document["servers"]) {
        let _ = writeln!(
            text,
            "server {}",
            server["url"].as_str().unwrap_or_default()
        );
    }
    for (name, scheme) in contract.components("securitySchemes") {
        let parts: Vec<&str> = ["type", "scheme", "bearerFormat", "in", "name"]
            .iter()
            .filter_map(|key| scheme[key].as_str())
            .collect();
        let _ = writeln!(text, "security {name}: {}", parts.join(" "));
    }
    for operation in contract.operations()? {
        let mut notes: Vec<String> = Vec::new();
        if operation.is("deprecated") {
            notes.push("deprecated".to_owned());
        }
        if !operation.security.is_empty() {
            let alternatives: Vec<&str> = operation.security.iter().map(String::as_str).collect();
            notes.push(alternatives.join(" or "));
        }
        let notes = if notes.is_empty() {
            String::new()
        } else {
            format!(" [{}]", notes.join(", "))
        };
        let _ = writeln!(text, "\n{} {}{notes}", operation.request(), operation.id());
        for parameter in &operation.parameters {
            let kind = content(contract, &parameter.node)?;
            let _ = writeln!(
                text,
                "  {} {}: {kind}{}",
                parameter.location,
                parameter.name,
                flags(
                    parameter.node.value["required"] == true,
                    parameter.node.value
                ),
            );
        }
        if let Some(body) = &operation.body {
            let kind = content(contract, body)?;
            let _ = writeln!(
                text,
                "  body: {kind}{}",
                flags(body.value["required"] == true, body.value)
            );
        }
        for (status, response) in &operation.responses {
            let _ = writeln!(text, "  {status}: {}", content(contract, response)?);
            for (name, _) in fields(&response.value["headers"]) {
                let _ = writeln!(text, "    header {name}");
            }
        }
    }
    for (name, value) in contract.components("schemas") {
        let schema = contract.schema(value, format!("/components/schemas/{}", escape(name)))?;
        let _ = writeln!(text, "\n{name}: {}", whole(contract, &schema)?);
        let own = schema.parts().next().map_or(&Value::Null, |(_, node)| node);
        for (field, property) in fields(&own["properties"]) {
            let at = format!("{}/{}", schema.at("properties"), escape(field));
            let property = contract.schema(property, at)?;
            let mut notes = String::new();
            for flag in ["readOnly", "writeOnly", "deprecated"] {
                if property.is(flag) {
                    let _ = write!(notes, ", {flag}");
                }
            }
            let presence = if schema.required().contains(field) {
                ""
            } else {
                "?"
            };
            let _ = writeln!(
                text,
                "  {field}{presence}: {}{notes}",
                kind(contract, &property)?
            );
        }
    }
    Ok(text)
}

fn flags(required: bool, value: &Value) -> String {
    let mut flags = if required { ", required" } else { "" }.to_owned();
    if value["deprecated"] == true {
        flags.push_str(", deprecated");
    }
    flags
}

/// Describes the content of a body or a parameter.
fn content(contract: Contract<'_>, node: &Node<'_>) -> Result<String> {
    let mut kinds = Vec::new();
    for (media, content) in fields(&node.value["content"]) {
        let at = format!("{}/content/{}/schema", node.pointer, escape(media));
        let schema = contract.schema(&content["schema"], at)?;
        let kind = kind(contract, &schema)?;
        kinds.push(if media == "application/json" {
            kind
        } else {
            format!("{kind} as {media}")
        });
    }
    if let Some(schema) = node.value.get("schema") {
        kinds.push(kind(
            contract,
            &contract.schema(schema, format!("{}/schema", node.pointer))?,
        )?);
    }
    Ok(if kinds.is_empty() {
        "nothing".to_owned()
    } else {
        kinds.join(" or ")
    })
}

/// Returns the name of a schema, or a description of its type.
fn kind(contract: Contract<'_>, schema: &Schema<'_>) -> Result<String> {
    let mut text = match schema.name {
        Some(name) => name.to_owned(),
        None => whole(contract, schema)?,
    };
    if schema.nullable() {
        text.push_str(" or null");
    }
    Ok(text)
}

fn whole(contract: Contract<'_>, schema: &Schema<'_>) -> Result<String> {
    let types: Vec<&str> = schema.types().into_iter().collect();
    let mut text = match types[..] {
        [] => "any".to_owned(),
        ["array"] => match schema.get("items") {
            Some(items) => {
                let items = contract.schema(items, schema.at("items"))?;
                format!("[{}]", kind(contract, &items)?)
            }
            None => "[any]".to_owned(),
        },
        _ => types.join(" or "),
    };
    if let Some(format) = schema.get("format").and_then(Value::as_str) {
        let _ = write!(text, " ({format})");
    }
    if let Some(values) = schema.values() {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        let _ = write!(text, " {}", values.join(" | "));
    }
    for key in [
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "multipleOf",
        "pattern",
        "default",
    ] {
        if let Some(value) = schema.get(key) {
            let _ = write!(text, " {key}={value}");
        }
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        let mut members = Vec::new();
        for (index, member) in entries(schema.get(key).unwrap_or(&Value::Null))
            .iter()
            .enumerate()
        {
            let member = contract.schema(member, format!("{}/{index}", schema.at(key)))?;
            members.push(kind(contract, &member)?);
        }
        if !members.is_empty() {
            let _ = write!(text, " {key}({})", members.join(", "));
        }
    }
    Ok(text)
}
