//! What a reply may say that the document does not list.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;

use crate::document::{SCHEMAS, each_schema_mut, operations, references, target};

/// Writes the values of enums in replies as known ones, `x-extensible-enum` in place of `enum`, and says that objects in
/// replies may have more fields.
///
/// Python, Go and others refuse a whole list for one value that an `enum` does not name, and Go and Java for a field that
/// is not listed, unless `additionalProperties` allows it. What is only sent stays as it is. Not an overlay, which would
/// hide what the next document adds.
pub(super) fn open_replies(document: &mut Value) -> Result<()> {
    let replies = in_replies(document)?;
    each_schema_mut(document, &mut |at, schema| {
        let named = at.strip_prefix("/components/schemas/").unwrap_or_default();
        let name = named.split('/').next().unwrap_or_default();
        let is_received = at.contains("/responses/") || replies.contains(name);
        let Some(fields) = schema.as_object_mut().filter(|_| is_received) else {
            return;
        };
        if fields.contains_key("properties") {
            fields
                .entry("additionalProperties")
                .or_insert(Value::Bool(true));
        }
        if fields.contains_key("enum") {
            *fields = std::mem::take(fields)
                .into_iter()
                .map(|(key, value)| match key.as_str() {
                    "enum" => ("x-extensible-enum".to_owned(), value),
                    _ => (key, value),
                })
                .collect();
        }
    });
    let whole = document.clone();
    each_schema_mut(document, &mut |_, schema| {
        let name = schema["x-schema"].as_str().unwrap_or_default();
        let known = &whole["components"]["schemas"][name]["x-extensible-enum"];
        if known.is_array() {
            schema["x-extensible-enum"] = known.clone();
        }
    });
    Ok(())
}

/// Names of the schemas that a reply may hold.
fn in_replies(document: &Value) -> Result<BTreeSet<String>> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Value> = operations(document)
        .iter()
        .map(|operation| &operation.value["responses"])
        .collect();
    while let Some(node) = open.pop() {
        for reference in references(node) {
            let schema = reference.strip_prefix(SCHEMAS);
            if schema.is_none_or(|name| reached.insert(name.to_owned())) {
                open.push(target(document, reference)?.value);
            }
        }
    }
    Ok(reached)
}
