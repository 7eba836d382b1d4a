//! Nodes of a document: their fields and entries, pointers, and references.

use anyhow::{Context as _, Result, bail};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// The prefix of a reference to a named schema.
pub const SCHEMAS: &str = "#/components/schemas/";

/// The longest chain of references. A longer one is a circle.
pub(super) const LONGEST_CHAIN: usize = 32;

/// Keywords with a map from names to nodes, where no name is a keyword, not even `example`.
const MAPS: [&str; 19] = [
    "properties",
    "patternProperties",
    "dependentSchemas",
    "$defs",
    "definitions",
    "headers",
    "schemas",
    "responses",
    "parameters",
    "requestBodies",
    "securitySchemes",
    "links",
    "callbacks",
    "pathItems",
    "paths",
    "webhooks",
    "content",
    "encoding",
    "variables",
];

/// Reports whether a keyword has a map from names to nodes.
pub fn is_map(key: &str) -> bool {
    MAPS.contains(&key)
}

/// A node with its JSON pointer, with its reference resolved.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// Its JSON pointer.
    pub pointer: String,
    /// Its value.
    pub value: &'a Value,
}

/// Returns the fields of an object, or nothing for any other value.
pub fn fields(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    object(value)
        .iter()
        .map(|(key, value)| (key.as_str(), value))
}

/// Returns the object itself, or an empty one for any other value.
pub fn object(value: &Value) -> &Map<String, Value> {
    static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.as_object().unwrap_or(&EMPTY)
}

/// Returns the entries of an array, or nothing for any other value.
pub fn entries(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Escapes a key as a segment of a JSON pointer.
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Returns the unescaped keys of a JSON pointer.
pub fn segments(pointer: &str) -> Vec<String> {
    let unescaped = |segment: &str| segment.replace("~1", "/").replace("~0", "~");
    pointer.split('/').skip(1).map(unescaped).collect()
}

/// Returns the `$ref` of a node.
pub fn reference(node: &Value) -> Option<&str> {
    node.get("$ref").and_then(Value::as_str)
}

/// Returns every `$ref` in a node. Examples and extensions contain data, not references.
pub fn references(node: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    collect_references(node, false, &mut found);
    found
}

fn collect_references<'a>(node: &'a Value, has_names: bool, found: &mut Vec<&'a str>) {
    for (key, value) in fields(node) {
        match value {
            _ if has_names => collect_references(value, false, found),
            _ if matches!(key, "example" | "examples") || key.starts_with("x-") => {}
            Value::String(reference) if key == "$ref" => found.push(reference),
            _ => collect_references(value, is_map(key), found),
        }
    }
    for entry in entries(node) {
        collect_references(entry, false, found);
    }
}

/// Returns the target of a local `$ref`, or the node itself.
///
/// # Errors
///
/// If a reference points outside the document, to nothing, or in a circle.
pub fn resolve<'a>(document: &'a Value, node: &'a Value) -> Result<&'a Value> {
    Ok(resolve_at(document, node, String::new())?.value)
}

/// Like [`resolve`], and also returns the pointer of the result.
///
/// # Errors
///
/// As for [`resolve`].
pub fn resolve_at<'a>(document: &'a Value, value: &'a Value, pointer: String) -> Result<Node<'a>> {
    let mut node = Node { pointer, value };
    for _ in 0..LONGEST_CHAIN {
        let Some(reference) = reference(node.value) else {
            return Ok(node);
        };
        node = target(document, reference)?;
    }
    bail!("{}: a chain of $ref does not end", node.pointer)
}

/// Returns the target of a `$ref`.
///
/// # Errors
///
/// If it points outside the document, or to nothing.
pub fn target<'a>(document: &'a Value, reference: &str) -> Result<Node<'a>> {
    let pointer = reference.strip_prefix('#').with_context(|| {
        format!("$ref {reference:?} points outside the document: bundle it first")
    })?;
    // A fast path: large documents have a great many references, most of which name a schema in plain letters.
    if let Some(name) = reference.strip_prefix(SCHEMAS)
        && !name.contains(['%', '~', '/'])
        && let Some(value) = document["components"]["schemas"].get(name)
    {
        return Ok(Node {
            pointer: pointer.to_owned(),
            value,
        });
    }
    // A reference is part of a URL, where a space is written %20.
    let pointer = percent_decode_str(pointer).decode_utf8_lossy();
    let value = document.pointer(&pointer).with_context(|| {
        format!("$ref {reference:?} does not exist: bundle the document, or correct the reference")
    })?;
    Ok(Node {
        pointer: pointer.into_owned(),
        value,
    })
}

/// Returns the pointer of a `$ref` in a node.
pub(super) fn place_of(node: &Value, wanted: &str, at: &str) -> Option<String> {
    if reference(node) == Some(wanted) {
        return Some(at.to_owned());
    }
    let inside = fields(node)
        .find_map(|(key, value)| place_of(value, wanted, &format!("{at}/{}", escape(key))));
    inside.or_else(|| {
        let mut entries = entries(node).iter().enumerate();
        entries.find_map(|(index, entry)| place_of(entry, wanted, &format!("{at}/{index}")))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_in_examples_and_extensions_are_data() {
        let node = json!({
            "a": { "$ref": "#/a" },
            "example": { "$ref": "#/b" },
            "x-note": { "$ref": "#/c" },
            "list": [{ "$ref": "#/d" }],
        });
        assert_eq!(references(&node), ["#/a", "#/d"]);
    }

    #[test]
    fn properties_and_headers_may_have_any_name() {
        let node = json!({
            "properties": { "example": { "$ref": "#/a" }, "properties": { "example": { "$ref": "#/b" } } },
            "headers": { "x-rate": { "$ref": "#/c" } },
        });
        assert_eq!(references(&node), ["#/a", "#/c"]);
    }
}
