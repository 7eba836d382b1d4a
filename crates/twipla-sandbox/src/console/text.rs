//! Shortens text from clients, so that the page stays small.

use std::io::{self, Write};

use serde_json::Value;

/// Maximum number of characters of an id, an address, a header or a query.
const MAX_LINE: usize = 300;
/// Maximum number of bytes of a body.
const MAX_BODY: usize = 4096;

pub(super) fn line(text: &str) -> String {
    match text.char_indices().nth(MAX_LINE) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

/// Formats a body, and stops at the limit.
pub(super) fn body(json: &Value) -> String {
    let mut writer = LimitedWriter(Vec::new());
    let is_whole = serde_json::to_writer_pretty(&mut writer, json).is_ok();
    let text = writer.0.utf8_chunks().next();
    let text = text.map(|chunk| chunk.valid()).unwrap_or_default();
    if is_whole {
        text.to_owned()
    } else {
        format!("{text}… (more than {MAX_BODY} bytes)")
    }
}

/// Accepts up to [`MAX_BODY`] bytes, and then fails.
struct LimitedWriter(Vec<u8>);

impl Write for LimitedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(MAX_BODY - self.0.len());
        self.0.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(line("ä"), "ä");
        assert_eq!(body(&json!({ "a": "ä" })), "{\n  \"a\": \"ä\"\n}");
        let long = "ä".repeat(5000);
        assert_eq!(
            line(&long),
            format!("{}… (10000 bytes)", "ä".repeat(MAX_LINE))
        );
        // The quote takes one byte, so that the limit is within a character.
        let expected = format!("\"{}… (more than 4096 bytes)", "ä".repeat(2047));
        assert_eq!(body(&json!(long)), expected);
    }
}
