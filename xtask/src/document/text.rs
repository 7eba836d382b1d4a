//! Reads, writes and hashes the text of documents.

use std::fmt;

use anyhow::{Context as _, Result};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// Parses a document, JSON or YAML.
pub fn parse(bytes: &[u8]) -> Result<Value> {
    let text = std::str::from_utf8(bytes).context("invalid text: expected UTF-8")?;
    let text = without_mark(text);
    if is_json(text) {
        let Unique(document) = serde_json::from_str(text).context("invalid JSON")?;
        return Ok(document);
    }
    let mut document: Value = serde_saphyr::from_str(text).context("invalid YAML")?;
    // YAML reads a bare 3.1 as a number.
    if let Some(version) = document
        .get_mut("openapi")
        .filter(|version| version.is_number())
    {
        *version = Value::String(version.to_string());
    }
    Ok(document)
}

/// Returns a text without a byte order mark.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Reports whether a document is parsed as JSON.
pub(super) fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// Returns the text of a document as it is committed: two spaces, one newline at the end.
pub fn to_text(document: &Value) -> Result<String> {
    let mut text = serde_json::to_string_pretty(document).context("cannot print the contract")?;
    text.push('\n');
    Ok(text)
}

/// Returns the hash that identifies a document.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Formats bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// A value without duplicate keys: readers differ in which of the two they use.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(Unique(entry)) = list.next_element()? {
            entries.push(entry);
        }
        Ok(entries.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some((key, Unique(value))) = object.next_entry::<String, Unique>()? {
            if fields.contains_key(&key) {
                return Err(A::Error::custom(format_args!(
                    "duplicate key {key:?}: expected each key once"
                )));
            }
            fields.insert(key, value);
        }
        Ok(fields.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handwritten_yaml_is_read() {
        let text =
            "openapi: 3.1\nx: &any {type: string}\npaths:\n  /a: {get: {responses: {200: *any}}}\n";
        let document = parse(text.as_bytes()).unwrap();
        assert_eq!(document["openapi"], "3.1");
        let response = &document["paths"]["/a"]["get"]["responses"]["200"];
        assert_eq!(response["type"], "string");
    }

    #[test]
    fn duplicate_key_is_an_error_with_its_place() {
        for text in [
            "{\"a\": 1, \"a\": 1}",
            "{\"b\": [{\"a\": 1,\n\"c\": {}, \"a\": {}}]}",
            "{\"x\": {\"a\": null, \"\\u0061\": 2}}",
            "[{\"a\": 1, \"b\": 2, \"a\": 3}]",
            "{\"properties\": {\"a\": {}, \"a\": {}}}",
            "a: 1\nb: 2\na: 3\n",
            "x:\n  - a: 1\n    a: 2\n",
        ] {
            let error = format!("{:#}", parse(text.as_bytes()).unwrap_err());
            assert!(error.contains("duplicate"), "{error}");
            assert!(error.contains("line"), "{error}");
        }
    }

    #[test]
    fn json_is_read_unchanged() {
        let text = "{\"z\": [null, true, 1, -2, 2.5, 1e300, 18446744073709551615, \"s\\n\"], \"a\": {\"z\": {}}}";
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(parse(text.as_bytes()).unwrap(), value);
        assert_eq!(
            parse(text.as_bytes()).unwrap().to_string(),
            value.to_string()
        );
    }
}
