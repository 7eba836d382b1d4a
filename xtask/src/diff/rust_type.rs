//! The Rust type that the generator derives from a schema, as far as a comparison needs it.

use anyhow::Result;
use serde_json::Value;

use crate::document::{Contract, Schema, type_name};

/// Deeper than any type, except for circular lists.
const DEEPEST: usize = 16;

/// Returns the type without its `Option`. Schemas with the same one are interchangeable for callers.
pub(super) fn rust_type(contract: Contract<'_>, schema: &Schema<'_>) -> Result<String> {
    nested(contract, schema, 0)
}

fn nested(contract: Contract<'_>, schema: &Schema<'_>, depth: usize) -> Result<String> {
    let named = schema
        .name
        .filter(|_| schema.has_properties() || schema.values().is_some())
        .map(type_name);
    if let Some(name) = named {
        return Ok(name);
    }
    if depth > DEEPEST {
        return Ok("…".to_owned());
    }
    let format = schema.get("format").and_then(Value::as_str);
    let types: Vec<&str> = schema.types().into_iter().collect();
    Ok(match types[..] {
        ["string"] if schema.values().is_some() => "enum".to_owned(),
        ["string"] => match format {
            Some("uuid") => "Uuid",
            Some("date-time") => "DateTime",
            Some("date") => "NaiveDate",
            Some("time") => "NaiveTime",
            Some("ip") => "IpAddr",
            Some("ipv4") => "Ipv4Addr",
            Some("ipv6") => "Ipv6Addr",
            _ => "String",
        }
        .to_owned(),
        ["integer"] => integer(format).to_owned(),
        ["number"] if schema.get("multipleOf").and_then(Value::as_f64) == Some(1.0) => {
            integer(format).to_owned()
        }
        ["number"] => if format == Some("float") {
            "f32"
        } else {
            "f64"
        }
        .to_owned(),
        ["boolean"] => "bool".to_owned(),
        ["array"] => {
            let items = match schema.get("items") {
                Some(items) => {
                    let items = contract.schema(items, schema.at("items"))?;
                    nested(contract, &items, depth + 1)?
                }
                None => "Value".to_owned(),
            };
            format!("Vec<{items}>")
        }
        ["object"] if schema.has_properties() => "struct".to_owned(),
        ["object"] => "Map".to_owned(),
        _ if ["oneOf", "anyOf", "allOf"]
            .iter()
            .any(|key| schema.get(key).is_some()) =>
        {
            "union".to_owned()
        }
        _ => "Value".to_owned(),
    })
}

fn integer(format: Option<&str>) -> &'static str {
    match format {
        Some("int32") => "i32",
        Some("uint32") => "u32",
        Some("uint64") => "u64",
        _ => "i64",
    }
}
