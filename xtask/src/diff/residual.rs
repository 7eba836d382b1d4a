//! What no rule explained, so that no change is ever silent.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::finding::{ChangeLocation, Findings, SeverityOverride};
use crate::document::escape;

/// Reports every difference of two documents that no finding explains.
pub(super) fn report(old: &Value, new: &Value, findings: &mut Findings) {
    let mut differences = Vec::new();
    compare_values(old, new, String::new(), &mut differences);
    for difference in differences {
        if explained(&difference, findings.explained()) {
            continue;
        }
        let is_text = difference
            .pointer
            .rsplit('/')
            .next()
            .is_some_and(|key| matches!(key, "description" | "summary" | "title"));
        let id = if is_text {
            "description-changed"
        } else if difference.pointer.starts_with("/info/") {
            "info-changed"
        } else {
            "document-changed"
        };
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

struct Difference<'a> {
    pointer: String,
    old: Option<&'a Value>,
    new: Option<&'a Value>,
}

impl Difference<'_> {
    /// A list, or a path with its operations: findings about what is inside explain it.
    fn explained_from_inside(&self) -> bool {
        let list = |value: Option<&Value>| value.is_none_or(Value::is_array);
        let path = self.pointer.starts_with("/paths/") && self.pointer.matches('/').count() == 2;
        (list(self.old) && list(self.new)) || path
    }
}

fn explained(difference: &Difference<'_>, known: &BTreeSet<String>) -> bool {
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
                    pointer,
                    old: Some(old),
                    new: Some(new),
                });
            }
        }
        _ => found.push(Difference {
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
    let gone = before.keys().filter(|key| !now.contains_key(*key));
    for key in now.keys().chain(gone) {
        let pointer = format!("{pointer}/{}", escape(key));
        match (before.get(key), now.get(key)) {
            (Some(old), Some(new)) => compare_values(old, new, pointer, found),
            (old, new) => found.push(Difference { pointer, old, new }),
        }
    }
}

/// Lists whose entries have a name are compared by it.
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
                pointer: format!("{pointer}/{index}"),
                old: Some(value),
                new: None,
            }),
        }
    }
    for (index, value) in now.iter().enumerate() {
        if !was.contains(&is[index]) {
            found.push(Difference {
                pointer: format!("{pointer}/{index}"),
                old: None,
                new: Some(value),
            });
        }
    }
}

/// What the entries of a list are called, where each has a name of its own.
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
