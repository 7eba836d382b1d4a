//! OpenAPI Overlay 1.0: corrections to a document that stay apart from it.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use serde_json_path::JsonPath;

use crate::canonical;
use crate::layout::Layout;

/// An overlay document.
#[derive(Debug, Clone, Deserialize)]
pub struct Overlay {
    /// Version of the overlay specification.
    pub overlay: String,
    /// What the document is.
    pub info: Info,
    /// The corrections, in order.
    pub actions: Vec<Action>,
}

/// What an overlay document is.
#[derive(Debug, Clone, Deserialize)]
pub struct Info {
    /// A name for readers.
    pub title: String,
    /// A version for readers.
    pub version: String,
}

/// One correction.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// JSONPath of the nodes to correct.
    pub target: String,
    /// Why. The specification leaves it optional; this repository does not.
    #[serde(default)]
    pub description: String,
    /// What to merge into each node.
    pub update: Option<Value>,
    /// Take each node away.
    #[serde(default)]
    pub remove: bool,
}

/// The contract: the current version in its canonical form, with every overlay applied.
pub fn contract(layout: &Layout) -> Result<Value> {
    corrected(layout, canonical::current(layout)?.0)
}

/// A canonical document with every overlay applied.
pub fn corrected(layout: &Layout, mut document: Value) -> Result<Value> {
    for (name, overlay) in load(layout)? {
        document = apply(&document, &overlay).with_context(|| name.clone())?;
    }
    sort_statuses(&mut document);
    Ok(document)
}

/// Puts the statuses of each operation in order, where an overlay added one.
///
/// A reader in JavaScript cannot keep another order: its objects have keys that are whole numbers sorted.
fn sort_statuses(document: &mut Value) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for item in paths.into_iter().flat_map(|paths| paths.values_mut()) {
        let operations = item.as_object_mut();
        for operation in operations.into_iter().flat_map(|item| item.values_mut()) {
            if let Some(Value::Object(responses)) = operation.get_mut("responses") {
                responses.sort_keys();
            }
        }
    }
}

/// The overlays of the contract with their file names, in the order in which they apply.
pub fn load(layout: &Layout) -> Result<Vec<(String, Overlay)>> {
    let folder = layout.openapi().join("overlays");
    let mut paths = Vec::new();
    for entry in
        fs::read_dir(&folder).with_context(|| format!("cannot read {}", layout.show(&folder)))?
    {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            paths.push(path);
        }
    }
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", layout.show(&path)))?;
            let overlay: Overlay = serde_json::from_str(&text)
                .with_context(|| format!("{} is not an OpenAPI overlay", layout.show(&path)))?;
            Ok((layout.show(&path).to_string(), overlay))
        })
        .collect()
}

/// Applies an overlay. Every action must hit something.
pub fn apply(document: &Value, overlay: &Overlay) -> Result<Value> {
    ensure!(
        overlay.overlay == "1.0.0" || overlay.overlay.starts_with("1.0."),
        "overlay version {:?} is not supported: use 1.0.0",
        overlay.overlay
    );
    ensure!(
        !overlay.actions.is_empty(),
        "an overlay needs at least one action"
    );
    let mut result = document.clone();
    for (index, action) in overlay.actions.iter().enumerate() {
        act(&mut result, action)
            .with_context(|| format!("action {index}, target {}", action.target))?;
    }
    Ok(result)
}

fn act(document: &mut Value, action: &Action) -> Result<()> {
    ensure!(
        !action.description.trim().is_empty(),
        "there is no description: say why the document is wrong"
    );
    let path = JsonPath::parse(&action.target).context("the target is not a JSONPath")?;
    // A set, so that a node selected twice is corrected once.
    let pointers: BTreeSet<Pointer> = path
        .query_located(document)
        .locations()
        .map(|location| Pointer::from(location.to_json_pointer()))
        .collect();
    ensure!(
        !pointers.is_empty(),
        "the target matches nothing: the document changed, or the path is mistyped"
    );
    if action.remove {
        // Backwards, so that the positions of array entries stay valid.
        for pointer in pointers.iter().rev() {
            remove(document, &pointer.text)?;
        }
        return Ok(());
    }
    let Some(update) = &action.update else {
        bail!("the action has neither update nor remove");
    };
    for pointer in &pointers {
        let node = document
            .pointer_mut(&pointer.text)
            .with_context(|| format!("{} is gone", pointer.text))?;
        match (&mut *node, update) {
            (Value::Object(_), Value::Object(_)) => merge(node, update),
            (Value::Array(entries), Value::Array(more)) => entries.extend(more.iter().cloned()),
            (Value::Array(entries), entry) => entries.push(entry.clone()),
            (Value::Object(_), _) => bail!("{} is an object: the update must be one", pointer.text),
            _ => bail!(
                "{} is neither object nor array: target its parent",
                pointer.text
            ),
        }
    }
    Ok(())
}

/// Objects merge, arrays are appended to, everything else is replaced.
fn merge(node: &mut Value, update: &Value) {
    match (node, update) {
        (Value::Object(fields), Value::Object(more)) => {
            for (name, value) in more {
                match fields.get_mut(name) {
                    Some(field) => merge(field, value),
                    None => {
                        fields.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(entries), Value::Array(more)) => entries.extend(more.iter().cloned()),
        (node, update) => *node = update.clone(),
    }
}

fn remove(document: &mut Value, pointer: &str) -> Result<()> {
    let (parent, last) = pointer
        .rsplit_once('/')
        .context("the document itself cannot be removed")?;
    let last = last.replace("~1", "/").replace("~0", "~");
    match document.pointer_mut(parent) {
        // Keeps the order of the others, which a plain remove does not.
        Some(Value::Object(fields)) => {
            fields.shift_remove(&last);
        }
        Some(Value::Array(entries)) => {
            let index: usize = last
                .parse()
                .with_context(|| format!("{pointer} is not an array entry"))?;
            ensure!(index < entries.len(), "{pointer} is gone");
            entries.remove(index);
        }
        _ => {} // Went away together with its parent.
    }
    Ok(())
}

/// A JSON pointer that sorts its array positions as numbers.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pointer {
    key: Vec<(Option<usize>, String)>,
    text: String,
}

impl From<String> for Pointer {
    fn from(text: String) -> Self {
        let key = text
            .split('/')
            .map(|part| (part.parse().ok(), part.to_owned()))
            .collect();
        Self { key, text }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn overlay(actions: &Value) -> Overlay {
        serde_json::from_value(json!({
            "overlay": "1.0.0",
            "info": { "title": "test", "version": "1" },
            "actions": actions,
        }))
        .unwrap()
    }

    fn applied(document: &Value, actions: &Value) -> Result<Value> {
        apply(document, &overlay(actions))
    }

    #[test]
    fn updates_and_removes() {
        let document = json!({
            "a": { "x": 1, "y": { "z": [1] } },
            "list": [{ "name": "p" }, { "name": "q" }, { "name": "r" }],
        });
        let cases = [
            (
                "objects merge",
                json!([{ "target": "$.a", "description": "d", "update": { "y": { "w": 2 } } }]),
                json!({ "x": 1, "y": { "z": [1], "w": 2 } }),
                "/a",
            ),
            (
                "arrays inside are appended to",
                json!([{ "target": "$.a", "description": "d", "update": { "y": { "z": [2] } } }]),
                json!([1, 2]),
                "/a/y/z",
            ),
            (
                "a value is replaced",
                json!([{ "target": "$.a", "description": "d", "update": { "x": "one" } }]),
                json!("one"),
                "/a/x",
            ),
            (
                "an entry is appended to an array",
                json!([{ "target": "$.a.y.z", "description": "d", "update": { "e": 1 } }]),
                json!([1, { "e": 1 }]),
                "/a/y/z",
            ),
            (
                "every match is updated",
                json!([{ "target": "$.list[?@.name != 'q']", "description": "d", "update": { "hit": true } }]),
                json!([{ "name": "p", "hit": true }, { "name": "q" }, { "name": "r", "hit": true }]),
                "/list",
            ),
            (
                "a property is removed",
                json!([{ "target": "$.a.x", "description": "d", "remove": true }]),
                json!({ "y": { "z": [1] } }),
                "/a",
            ),
            (
                "several entries are removed",
                json!([{ "target": "$.list[0,2]", "description": "d", "remove": true }]),
                json!([{ "name": "q" }]),
                "/list",
            ),
            (
                "a node with a slash in its name",
                json!([
                { "target": "$.a", "description": "d", "update": { "/p/{q}": { "get": 1 } } },
                { "target": "$.a['/p/{q}']", "description": "d", "update": { "put": 2 } }]),
                json!({ "get": 1, "put": 2 }),
                "/a/~1p~1{q}",
            ),
        ];
        for (name, actions, want, at) in cases {
            let got = applied(&document, &actions).unwrap();
            assert_eq!(got.pointer(at), Some(&want), "{name}");
        }
    }

    #[test]
    fn order_is_kept() {
        let document = json!({ "c": 1, "a": 2, "b": 3 });
        let got = applied(
            &document,
            &json!([{ "target": "$.c", "description": "d", "remove": true },
            { "target": "$", "description": "d", "update": { "0": 0, "a": 9 } }]),
        )
        .unwrap();
        assert_eq!(
            serde_json::to_string(&got).unwrap(),
            r#"{"a":9,"b":3,"0":0}"#
        );
    }

    #[test]
    fn removes_more_than_ten_entries() {
        let document = json!({ "n": (0..12).collect::<Vec<_>>() });
        let got = applied(
            &document,
            &json!([{ "target": "$.n[2:12]", "description": "d", "remove": true }]),
        )
        .unwrap();
        assert_eq!(got, json!({ "n": [0, 1] }));
    }

    #[test]
    fn refuses() {
        let document = json!({ "a": { "x": 1 } });
        let cases = [
            (
                json!([{ "target": "$.b", "description": "d", "remove": true }]),
                "matches nothing",
            ),
            (
                json!([{ "target": "$.a.x", "description": "d", "update": {} }]),
                "target its parent",
            ),
            (
                json!([{ "target": "$.a", "description": "d", "update": 3 }]),
                "must be one",
            ),
            (json!([{ "target": "$.a", "update": {} }]), "say why"),
            (
                json!([{ "target": "$.a", "description": "d" }]),
                "neither update nor remove",
            ),
            (
                json!([{ "target": "a", "description": "d", "remove": true }]),
                "not a JSONPath",
            ),
            (
                json!([{ "target": "$", "description": "d", "remove": true }]),
                "itself",
            ),
            (json!([]), "at least one action"),
        ];
        for (actions, want) in cases {
            let error = format!("{:#}", applied(&document, &actions).unwrap_err());
            assert!(error.contains(want), "{error:?} does not say {want:?}");
        }
        let error = format!(
            "{:#}",
            applied(
                &document,
                &json!([
            { "target": "$.a", "description": "d", "update": {} },
            { "target": "$.b", "description": "d", "update": {} }])
            )
            .unwrap_err()
        );
        assert!(error.starts_with("action 1, target $.b: "), "{error}");
    }
}
