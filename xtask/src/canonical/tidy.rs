//! Removes constraints that a client must not enforce, and marks code in texts so that rustdoc does not run it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::log::{Kind, Log};
use crate::document::{
    SCHEMAS, each_schema_mut, entries, escape, fields, operations, references, target,
};

pub(super) fn tidy(document: &mut Value, log: &mut Log) {
    titles(document);
    let sent = reached(document, "requestBody");
    let received = reached(document, "responses");
    open_responses(document, &received, log);
    directions(document, &sent, &received, log);
    texts(document, log);
}

/// Removes titles, which name schemas that now have a name.
fn titles(document: &mut Value) {
    each_schema_mut(document, &mut |_, schema| {
        if let Some(fields) = schema.as_object_mut() {
            fields.shift_remove("title");
        }
    });
}

/// Returns the schemas that a part of the operations refers to.
fn reached(document: &Value, part: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Value> = operations(document)
        .iter()
        .filter_map(|operation| operation.value.get(part))
        .collect();
    let mut shared = BTreeSet::new();
    while let Some(node) = open.pop() {
        for reference in references(node) {
            let is_new = match reference.strip_prefix(SCHEMAS) {
                Some(name) => reached.insert(name.to_owned()),
                None => shared.insert(reference),
            };
            if is_new && let Ok(found) = target(document, reference) {
                open.push(found.value);
            }
        }
    }
    reached
}

/// Allows additional fields in responses.
fn open_responses(document: &mut Value, received: &BTreeSet<String>, log: &mut Log) {
    let mut changed = Vec::new();
    let received: BTreeSet<String> = received.iter().map(|name| escape(name)).collect();
    each_schema_mut(document, &mut |at, schema| {
        let name = at
            .strip_prefix(&SCHEMAS[1..])
            .map(|rest| rest.split('/').next().unwrap_or_default());
        let is_received = match name {
            Some(name) => received.contains(name),
            None => at.contains("/responses/"),
        };
        if is_received
            && schema.get("properties").is_some()
            && schema["additionalProperties"] == false
            && let Some(fields) = schema.as_object_mut()
        {
            fields.shift_remove("additionalProperties");
            changed.push(at.to_owned());
        }
    });
    for at in changed {
        log.add(
            Kind::Dropped,
            at,
            "additionalProperties: false, a response may have more fields",
        );
    }
}

/// Handles `readOnly` fields, which are not sent, and `writeOnly` ones, which are not received.
fn directions(
    document: &mut Value,
    sent: &BTreeSet<String>,
    received: &BTreeSet<String>,
    log: &mut Log,
) {
    let schemas = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut);
    for (name, schema) in schemas.into_iter().flatten() {
        for (flag, here, there) in [("readOnly", sent, received), ("writeOnly", received, sent)] {
            if !here.contains(name) {
                continue;
            }
            let flagged: Vec<String> = fields(&schema["properties"])
                .filter(|(_, property)| property[flag] == true)
                .map(|(field, _)| field.to_owned())
                .collect();
            for field in flagged {
                let required: Vec<Value> = entries(&schema["required"])
                    .iter()
                    .filter(|name| **name != field)
                    .cloned()
                    .collect();
                if required.len() < entries(&schema["required"]).len() {
                    schema["required"] = Value::Array(required);
                }
                let at = format!(
                    "{}{}/properties/{}",
                    &SCHEMAS[1..],
                    escape(name),
                    escape(&field)
                );
                if there.contains(name) {
                    log.add(
                        Kind::Dropped,
                        at,
                        format!("{flag}, and not required where the schema is used both ways"),
                    );
                } else if let Some(properties) = schema["properties"].as_object_mut() {
                    properties.shift_remove(&field);
                    log.add(
                        Kind::Dropped,
                        at,
                        format!("{flag}, and used the other way only"),
                    );
                }
            }
            if schema["required"] == json!([])
                && let Some(fields) = schema.as_object_mut()
            {
                fields.shift_remove("required");
            }
        }
    }
}

/// Changes descriptions so that rustdoc shows them and does not run their code.
fn texts(document: &mut Value, log: &mut Log) {
    for part in ["paths", "components"] {
        if let Some(node) = document.get_mut(part) {
            descriptions(node, &format!("/{part}"), false, log);
        }
    }
}

fn descriptions(node: &mut Value, at: &str, is_map: bool, log: &mut Log) {
    match node {
        Value::Object(fields) => {
            for (key, value) in fields {
                let at = format!("{at}/{}", escape(key));
                match value {
                    Value::String(text)
                        if !is_map && matches!(key.as_str(), "description" | "summary") =>
                    {
                        let harmless = harmless(text);
                        if harmless != *text {
                            log.add(Kind::Lowered, at, "code in the text is marked as text");
                            *text = harmless;
                        }
                    }
                    _ if !is_map
                        && matches!(key.as_str(), "example" | "examples" | "default" | "enum") => {}
                    _ => descriptions(value, &at, !is_map && key == "properties", log),
                }
            }
        }
        Value::Array(entries) => {
            for (index, entry) in entries.iter_mut().enumerate() {
                descriptions(entry, &format!("{at}/{index}"), false, log);
            }
        }
        _ => {}
    }
}

/// Marks fenced code as `text`, and fences indented code.
fn harmless(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    // The marker of the open fence.
    let mut fence: Option<String> = None;
    let mut indented = false;
    let mut after_blank = true;
    for line in text.lines() {
        let bare = line.trim_start();
        let marker: String = bare
            .chars()
            .take_while(|c| matches!(c, '`' | '~'))
            .collect();
        let is_fence = marker.len() >= 3 && line.len() - bare.len() < 4;
        if let Some(open) = &fence {
            if is_fence && marker.starts_with(open.as_str()) && bare.trim_end() == marker {
                fence = None;
            }
            lines.push(line.to_owned());
            continue;
        }
        let is_code = (line.starts_with("    ") || line.starts_with('\t')) && !bare.is_empty();
        if indented && !is_code && !bare.is_empty() {
            close(&mut lines);
            indented = false;
        }
        if is_code && (indented || after_blank) {
            if !indented {
                lines.push("```text".to_owned());
                indented = true;
            }
            let code = line
                .strip_prefix('\t')
                .or_else(|| line.strip_prefix("    "));
            lines.push(code.unwrap_or(line).to_owned());
        } else if is_fence {
            let language = bare[marker.len()..].trim();
            let runs = language.is_empty()
                || language.to_lowercase().starts_with("rust")
                || language.contains(',');
            lines.push(if runs {
                format!("{marker}text")
            } else {
                line.to_owned()
            });
            fence = Some(marker);
        } else {
            lines.push(line.to_owned());
        }
        after_blank = bare.is_empty();
    }
    if indented {
        close(&mut lines);
    }
    if let Some(marker) = fence {
        lines.push(marker);
    }
    let mut result = lines.join("\n");
    if text.ends_with('\n') {
        result.push('\n');
    }
    result
}

/// Ends fenced code before the blank lines that follow it.
fn close(lines: &mut Vec<String>) {
    let blank = lines
        .iter()
        .rev()
        .take_while(|line| line.trim().is_empty())
        .count();
    lines.insert(lines.len() - blank, "```".to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_in_a_description_is_marked_as_text() {
        for (text, want) in [
            ("plain", "plain"),
            ("a\n\n    code();\n\nb", "a\n\n```text\ncode();\n```\n\nb"),
            ("```\ncode\n```", "```text\ncode\n```"),
            ("```rust,no_run\ncode\n```\n", "```text\ncode\n```\n"),
            ("```json\n{}\n```", "```json\n{}\n```"),
            ("```\nopen", "```text\nopen\n```"),
            ("- a\n    continued", "- a\n    continued"),
        ] {
            assert_eq!(harmless(text), want, "{text:?}");
        }
    }
}
