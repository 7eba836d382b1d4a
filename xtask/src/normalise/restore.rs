//! Translates extensions for other generators into a form for ours.

use serde_json::{Value, json};

use super::log::{Kind, Log};
use crate::document::{SCHEMAS, each_schema_mut};

/// Replaces `x-schema` by the reference that it stands for, and known values by an enum, which is open in Rust. Objects
/// with their own fields lose `additionalProperties`, which is only for others.
pub(super) fn restore(document: &mut Value, log: &mut Log) {
    each_schema_mut(document, &mut |at, schema| {
        let Some(fields) = schema.as_object_mut() else {
            return;
        };
        if fields.contains_key("properties")
            && fields.get("additionalProperties") == Some(&json!(true))
        {
            fields.shift_remove("additionalProperties");
        }
        if let Some(Value::String(name)) = fields.shift_remove("x-schema") {
            fields.retain(|key, _| matches!(key.as_str(), "description" | "example" | "nullable"));
            let reference = json!({ "$ref": format!("{SCHEMAS}{name}") });
            fields.insert("allOf".to_owned(), json!([reference]));
            log.add(Kind::Restored, at, format!("a {name} that may be null"));
        } else if let Some(known) = fields.shift_remove("x-extensible-enum") {
            log.add(Kind::Restored, at, format!("known values {known}"));
            fields.insert("enum".to_owned(), known);
        }
    });
}
