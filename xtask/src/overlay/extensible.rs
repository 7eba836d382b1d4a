//! Allows values and fields in responses that the document does not list.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;

use crate::document::{SCHEMAS, each_schema_mut, operations, references, target};

/// Rewrites enums in responses as known values (`x-extensible-enum` instead of `enum`), and allows additional fields in the
/// objects of responses.
///
/// Clients in Python, Go and other languages reject a whole list for one value that an `enum` does not list, and Go and
/// Java for a field that is not listed, unless `additionalProperties` allows it. Schemas that are only sent stay unchanged.
/// This is not an overlay, because that would not cover what the next document adds.
pub(super) fn open_responses(document: &mut Value) -> Result<()> {
    let received = in_responses(document)?;
    each_schema_mut(document, &mut |at, schema| {
        let named = at.strip_prefix("/components/schemas/").unwrap_or_default();
        let name = named.split('/').next().unwrap_or_default();
        let is_received = at.contains("/responses/") || received.contains(name);
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

/// Returns the names of the schemas that a response may contain.
fn in_responses(document: &Value) -> Result<BTreeSet<String>> {
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
