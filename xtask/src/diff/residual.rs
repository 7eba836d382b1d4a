//! Reports what no rule explained, so that no change goes unreported.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::finding::{ChangeLocation, Findings, SeverityOverride};
use crate::document::{JSON_SCHEMA, WEBHOOKS, escape, is_map};

/// Reports every difference of two documents that no finding explains.
pub(super) fn report(old: &Value, new: &Value, findings: &mut Findings) {
    let mut differences = Vec::new();
    compare_values(old, new, String::new(), &mut differences);
    for difference in differences {
        if explained(&difference, findings.explained()) {
            continue;
        }
        let id = rule(&difference);
        let location = ChangeLocation {
            subject: difference.pointer.clone(),
            pointer: difference.pointer,
            ..ChangeLocation::default()
        };
        let [before, now] =
            [difference.old, difference.new].map(|value| value.cloned().unwrap_or(Value::Null));
        findings.add(id, location, before, now, SeverityOverride::default());
    }
}

/// Returns the rule for a difference, by the last keyword of its pointer.
fn rule(difference: &Difference<'_>) -> &'static str {
    let keywords = keywords(&difference.pointer);
    let is_description = keywords.iter().any(|key| key == "description");
    if difference.pointer.starts_with("/info/") && !is_description {
        return "info-changed";
    }
    if let Some(id) = keywords.iter().find_map(|key| for_readers(key)) {
        return id;
    }
    if difference.is_beside {
        return "document-rewritten";
    }
    let is_off = |value: Option<&Value>| value.is_none_or(|value| value == &Value::Bool(false));
    let last = keywords.last().map_or("", String::as_str);
    if FLAGS.contains(&last) && is_off(difference.old) && is_off(difference.new) {
        return "document-rewritten";
    }
    "document-changed"
}

/// Returns the rule for keywords that are only for readers.
pub(super) fn for_readers(key: &str) -> Option<&'static str> {
    match key {
        "description" | "summary" | "title" => Some("description-changed"),
        "example" | "examples" => Some("example-changed"),
        "externalDocs" | "xml" | "$comment" => Some("documentation-changed"),
        JSON_SCHEMA | WEBHOOKS => None,
        _ if key.starts_with("x-") => Some("extension-changed"),
        _ => None,
    }
}

/// Flags that are off if they are missing.
const FLAGS: [&str; 7] = [
    "nullable",
    "deprecated",
    "readOnly",
    "writeOnly",
    "uniqueItems",
    "required",
    "allowReserved",
];

/// Returns the segments of a pointer that are keywords rather than names.
fn keywords(pointer: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_name = false;
    for segment in pointer.split('/').skip(1) {
        if is_name {
            is_name = false;
            continue;
        }
        is_name = is_map(segment);
        found.push(segment.replace("~1", "/").replace("~0", "~"));
    }
    found
}

struct Difference<'a> {
    /// Whether it is next to a reference, where it has no effect.
    is_beside: bool,
    pointer: String,
    old: Option<&'a Value>,
    new: Option<&'a Value>,
}

impl Difference<'_> {
    /// Reports whether findings about its content explain it: true for a list, or a path with its operations.
    fn explained_from_inside(&self) -> bool {
        let list = |value: Option<&Value>| value.is_none_or(Value::is_array);
        let path = self.pointer.starts_with("/paths/") && self.pointer.matches('/').count() == 2;
        (list(self.old) && list(self.new)) || path
    }
}

fn explained(difference: &Difference<'_>, known: &BTreeSet<String>) -> bool {
    if difference.is_beside {
        return known.contains(&difference.pointer);
    }
    let mut at = difference.pointer.as_str();
    loop {
        if known.contains(at) {
            return true;
        }
        match at.rfind('/') {
            Some(end) => at = &at[..end],
            None => break,
        }
    }
    let inside = format!("{}/", difference.pointer);
    difference.explained_from_inside()
        && known
            .range(inside.clone()..)
            .next()
            .is_some_and(|pointer| pointer.starts_with(&inside))
}

fn compare_values<'a>(
    old: &'a Value,
    new: &'a Value,
    pointer: String,
    found: &mut Vec<Difference<'a>>,
) {
    match (old, new) {
        _ if old == new => {}
        (Value::Object(before), Value::Object(now)) => objects(before, now, &pointer, found),
        (Value::Array(before), Value::Array(now)) => {
            if let (Some(was), Some(is)) = (keys(before), keys(now)) {
                lists((before, &was), (now, &is), &pointer, found);
            } else if before.len() == now.len() && before.iter().chain(now).all(Value::is_object) {
                for (index, (before, now)) in before.iter().zip(now).enumerate() {
                    compare_values(before, now, format!("{pointer}/{index}"), found);
                }
            } else {
                found.push(Difference {
                    is_beside: false,
                    pointer,
                    old: Some(old),
                    new: Some(new),
                });
            }
        }
        _ => found.push(Difference {
            is_beside: false,
            pointer,
            old: Some(old),
            new: Some(new),
        }),
    }
}

fn objects<'a>(
    before: &'a Map<String, Value>,
    now: &'a Map<String, Value>,
    pointer: &str,
    found: &mut Vec<Difference<'a>>,
) {
    if before.get("$ref").is_some_and(Value::is_string) && before.get("$ref") == now.get("$ref") {
        for key in before.keys().chain(now.keys()) {
            let (old, new) = (before.get(key), now.get(key));
            if old != new {
                found.push(Difference {
                    is_beside: true,
                    pointer: format!("{pointer}/{}", escape(key)),
                    old,
                    new,
                });
            }
        }
        return;
    }
    let gone = before.keys().filter(|key| !now.contains_key(*key));
    for key in now.keys().chain(gone) {
        let pointer = format!("{pointer}/{}", escape(key));
        match (before.get(key), now.get(key)) {
            (Some(old), Some(new)) => compare_values(old, new, pointer, found),
            (old, new) => found.push(Difference {
                is_beside: false,
                pointer,
                old,
                new,
            }),
        }
    }
}

/// Compares lists by the names of their entries, if they have names.
fn lists<'a>(
    (before, was): (&'a [Value], &[String]),
    (now, is): (&'a [Value], &[String]),
    pointer: &str,
    found: &mut Vec<Difference<'a>>,
) {
    for (index, value) in before.iter().enumerate() {
        match is.iter().position(|key| *key == was[index]) {
            Some(other) => compare_values(value, &now[other], format!("{pointer}/{other}"), found),
            None => found.push(Difference {
                is_beside: false,
                pointer: format!("{pointer}/{index}"),
                old: Some(value),
                new: None,
            }),
        }
    }
    for (index, value) in now.iter().enumerate() {
        if !was.contains(&is[index]) {
            found.push(Difference {
                is_beside: false,
                pointer: format!("{pointer}/{index}"),
                old: None,
                new: Some(value),
            });
        }
    }
}

/// Returns the names of the entries of a list, if they are distinct.
fn keys(list: &[Value]) -> Option<Vec<String>> {
    let keys: Vec<String> = list
        .iter()
        .map(|entry| {
            ["$ref", "name", "url"]
                .iter()
                .find_map(|key| entry.get(key)?.as_str())
                .map(|name| format!("{} {name}", entry["in"].as_str().unwrap_or_default()))
        })
        .collect::<Option<_>>()?;
    let unique: BTreeSet<&String> = keys.iter().collect();
    (unique.len() == keys.len()).then_some(keys)
}
