//! Documents as text: read, written and known by their hash.

use anyhow::{Context as _, Result};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Reads a document in JSON or YAML.
pub fn parse(bytes: &[u8]) -> Result<Value> {
    let text = std::str::from_utf8(bytes).context("invalid text: expected UTF-8")?;
    let text = without_mark(text);
    if is_json(text) {
        return serde_json::from_str(text).context("invalid JSON");
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

/// A text without the mark (BOM) that some editors put at its start.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Whether a document is read as JSON.
pub(super) fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// A document as it is checked in: two spaces, one newline at the end.
pub fn to_text(document: &Value) -> Result<String> {
    let mut text = serde_json::to_string_pretty(document).context("cannot print the contract")?;
    text.push('\n');
    Ok(text)
}

/// The hash by which a document is known.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_as_hands_write_it_is_read() {
        let text =
            "openapi: 3.1\nx: &any {type: string}\npaths:\n  /a: {get: {responses: {200: *any}}}\n";
        let document = parse(text.as_bytes()).unwrap();
        assert_eq!(document["openapi"], "3.1");
        let response = &document["paths"]["/a"]["get"]["responses"]["200"];
        assert_eq!(response["type"], "string");
    }
}
