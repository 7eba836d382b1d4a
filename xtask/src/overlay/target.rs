//! The target of an action: what it selects, and the nearest path if it selects nothing.

use anyhow::{Context as _, Result};
use serde_json::Value;
use serde_json_path::JsonPath;
use similar::TextDiff;

use crate::document::fields;

/// Returns JSON pointers of the nodes that a JSONPath selects.
pub(super) fn pointers(document: &Value, path: &str) -> Result<Vec<String>> {
    let path = JsonPath::parse(path).context("the target is not a JSONPath")?;
    let locations = path.query_located(document);
    Ok(locations
        .locations()
        .map(serde_json_path::NormalizedPath::to_json_pointer)
        .collect())
}

/// Splits each selector with several names, and returns the path once for each name.
///
/// `$.a['b','c'].d` gives `$.a['b'].d` and `$.a['c'].d`; a path without such a selector gives itself.
pub(super) fn alternatives(path: &str) -> Vec<String> {
    let parts = segments(path);
    let mut found = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let names = names(part);
        if names.len() < 2 {
            continue;
        }
        for name in names {
            let mut parts = parts.clone();
            parts[index] = format!("['{name}']");
            found.push(parts.concat());
        }
    }
    if found.is_empty() {
        found.push(path.to_owned());
    }
    found
}

/// Returns the most similar path that selects something.
pub(super) fn nearest(document: &Value, path: &str) -> Option<String> {
    let parts = segments(path);
    for end in (1..parts.len()).rev() {
        let start = parts[..end].concat();
        let Ok(found) = pointers(document, &start) else {
            continue;
        };
        if found.is_empty() {
            continue;
        }
        let wanted = names(&parts[end]).into_iter().next()?;
        let keys = found
            .iter()
            .filter_map(|pointer| document.pointer(pointer))
            .flat_map(fields);
        let likeness = |key: &str| {
            TextDiff::from_chars(wanted.to_lowercase().as_str(), key.to_lowercase().as_str())
                .ratio()
        };
        let best = keys
            .map(|(key, _)| (likeness(key), key))
            .max_by(|one, other| one.0.total_cmp(&other.0));
        let (_, key) = best.filter(|(likeness, _)| *likeness >= ALIKE)?;
        return Some(format!("{start}['{key}']"));
    }
    None
}

/// The minimum similarity of two names, between 0 and 1.
const ALIKE: f32 = 0.5;

/// Returns the names in a segment: of `['a','b']` and of `.a`; none in a filter or a wildcard.
fn names(segment: &str) -> Vec<String> {
    if let Some(name) = segment.strip_prefix('.') {
        return if matches!(name, "" | "*") {
            Vec::new()
        } else {
            vec![name.to_owned()]
        };
    }
    let Some(inner) = segment
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    else {
        return Vec::new();
    };
    let mut names = Vec::new();
    let mut rest = inner.trim();
    while let Some(quote) = rest.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let Some(end) = rest[1..].find(quote) else {
            return Vec::new();
        };
        names.push(rest[1..=end].to_owned());
        rest = rest[end + 2..].trim_start();
        match rest.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None => break,
        }
    }
    if rest.is_empty() { names } else { Vec::new() }
}

/// Splits a JSONPath into segments whose concatenation is the path.
fn segments(path: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    let mut quote: Option<char> = None;
    for c in path.chars() {
        let starts = quote.is_none() && depth == 0 && matches!(c, '.' | '[');
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if starts && parts.last().is_none_or(|last| last != ".") {
            parts.push(String::new());
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_of_several_names_is_tried_separately() {
        for (path, want) in [
            ("$.a.b", vec!["$.a.b"]),
            ("$.a['b','c'].d", vec!["$.a['b'].d", "$.a['c'].d"]),
            ("$['/p/{x}'].get", vec!["$['/p/{x}'].get"]),
            ("$.a[?@.n=='b'].c", vec!["$.a[?@.n=='b'].c"]),
            (
                "$['a','b'][\"c\", \"d\"]",
                vec![
                    "$['a'][\"c\", \"d\"]",
                    "$['b'][\"c\", \"d\"]",
                    "$['a','b']['c']",
                    "$['a','b']['d']",
                ],
            ),
        ] {
            assert_eq!(alternatives(path), want, "{path}");
        }
    }

    #[test]
    fn nearest_target_exists() {
        let document =
            json!({ "schemas": { "LoginRequest": { "key": 1 }, "Website": { "id": 1 } } });
        for (path, want) in [
            (
                "$.schemas.LoginWithKeyRequest.key",
                Some("$.schemas['LoginRequest']"),
            ),
            ("$.schemas.Website.ids", Some("$.schemas.Website['id']")),
            ("$.schema.Website", Some("$['schemas']")),
            ("$.schemas.Package", None),
        ] {
            assert_eq!(nearest(&document, path).as_deref(), want, "{path}");
        }
    }
}
