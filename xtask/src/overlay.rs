//! OpenAPI Overlay 1.0: corrections to a document, kept separate from it.

mod extensible;
mod target;

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::canonical;
use crate::document::{entries, escape, fields};
use crate::layout::Layout;

/// An overlay document.
#[derive(Debug, Clone, Deserialize)]
pub struct Overlay {
    /// Version of the overlay specification.
    pub overlay: String,
    /// Title and version.
    pub info: Info,
    /// The corrections, in order.
    pub actions: Vec<Action>,
}

/// Title and version of an overlay.
#[derive(Debug, Clone, Deserialize)]
pub struct Info {
    /// A title for readers.
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
    /// Why the correction is needed. Optional in the specification, required in this repository.
    #[serde(default)]
    pub description: String,
    /// The value to merge into each node.
    pub update: Option<Value>,
    /// Whether to remove each node.
    #[serde(default)]
    pub remove: bool,
}

/// Returns the contract: the current version in its canonical form, with every overlay applied.
pub fn contract(layout: &Layout) -> Result<Value> {
    corrected(layout, canonical::current(layout)?.0)
}

/// Applies every overlay to a canonical document.
///
/// # Errors
///
/// If actions cannot be applied. The error lists all of them with file, reason, and the nearest target that exists.
pub fn corrected(layout: &Layout, document: Value) -> Result<Value> {
    Ok(report(layout, document)?.0)
}

/// Like [`corrected`], and also returns the actions that are no longer needed because the document contains their changes.
pub fn report(layout: &Layout, mut document: Value) -> Result<(Value, Vec<String>)> {
    let (mut problems, mut superfluous) = (Vec::new(), Vec::new());
    for (name, overlay) in load(layout)? {
        let outcome = run(&mut document, &overlay).with_context(|| name.clone())?;
        let named = |text: &String| format!("{name}: {text}");
        problems.extend(outcome.problems.iter().map(named));
        superfluous.extend(outcome.superfluous.iter().map(named));
    }
    fail(&problems)?;
    sort_statuses(&mut document);
    extensible::open_responses(&mut document)?;
    Ok((document, superfluous))
}

fn fail(problems: &[String]) -> Result<()> {
    match problems {
        [] => Ok(()),
        [one] => bail!("{one}"),
        all => bail!(
            "{} actions cannot be applied:\n- {}",
            all.len(),
            all.join("\n- ")
        ),
    }
}

/// Sorts the statuses of each operation, because an overlay may have added one at the end.
///
/// Readers in JavaScript cannot keep another order: integer keys of its objects are always sorted.
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

/// Loads the overlays with their file names, in the order in which they apply.
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

/// Applies an overlay. Every action must match something, and so must every name in its target.
pub fn apply(document: &Value, overlay: &Overlay) -> Result<Value> {
    let mut document = document.clone();
    let outcome = run(&mut document, overlay)?;
    fail(&outcome.problems)?;
    Ok(document)
}

/// The result of the actions of an overlay.
#[derive(Debug, Default)]
struct Outcome {
    problems: Vec<String>,
    superfluous: Vec<String>,
}

fn run(document: &mut Value, overlay: &Overlay) -> Result<Outcome> {
    ensure!(
        overlay.overlay == "1.0.0" || overlay.overlay.starts_with("1.0."),
        "overlay version {:?} is not supported: use 1.0.0",
        overlay.overlay
    );
    ensure!(
        !overlay.actions.is_empty(),
        "an overlay needs at least one action"
    );
    let mut outcome = Outcome::default();
    for (index, action) in overlay.actions.iter().enumerate() {
        let named = format!("action {index}, target {}", action.target);
        let why = action.description.trim();
        match act(document, action) {
            Ok(true) => {}
            Ok(false) => outcome.superfluous.push(format!(
                "{named}: has no effect, the document already contains the change (it was added because: {why})"
            )),
            Err(error) => outcome.problems.push(format!("{named}: {error:#} (it was added because: {why})")),
        }
    }
    Ok(outcome)
}

/// Applies an action. Returns whether it changed anything.
fn act(document: &mut Value, action: &Action) -> Result<bool> {
    ensure!(
        !action.description.trim().is_empty(),
        "the description is missing: state why the document is wrong"
    );
    // A node to remove may be missing, a node to change may not.
    let paths = if action.remove {
        vec![action.target.clone()]
    } else {
        target::alternatives(&action.target)
    };
    // A set, so that a node selected twice is corrected once.
    let mut pointers: BTreeSet<Pointer> = BTreeSet::new();
    for path in paths {
        let found = target::pointers(document, &path)?;
        ensure!(
            !found.is_empty(),
            "{} matches nothing: the document changed, or the path is mistyped; the nearest is {}",
            if path == action.target {
                "the target"
            } else {
                &path
            },
            target::nearest(document, &path).unwrap_or_else(|| "unknown".to_owned())
        );
        pointers.extend(found.into_iter().map(Pointer::from));
    }
    if action.remove {
        // Backwards, so that the positions of array entries stay valid.
        for pointer in pointers.iter().rev() {
            remove(document, &pointer.text)?;
        }
        return Ok(true);
    }
    let Some(update) = &action.update else {
        bail!("the action has neither update nor remove");
    };
    let mut changed = false;
    for pointer in &pointers {
        let node = document
            .pointer_mut(&pointer.text)
            .with_context(|| format!("{} no longer exists", pointer.text))?;
        let before = node.clone();
        match (&mut *node, update) {
            (Value::Object(_), Value::Object(_)) => {
                check_additions(node, update, &pointer.text)?;
                merge(node, update);
            }
            (Value::Array(entries), Value::Array(more)) => append(entries, more),
            (Value::Array(entries), entry) => append(entries, std::slice::from_ref(entry)),
            (Value::Object(_), _) => bail!("{} is an object: the update must be one", pointer.text),
            _ => bail!(
                "{} is neither object nor array: target its parent",
                pointer.text
            ),
        }
        changed |= says_more(&before, node, update);
    }
    Ok(changed)
}

/// Rejects an addition of something that the document already has: an operation, a parameter, or a schema with other
/// content.
fn check_additions(node: &Value, update: &Value, at: &str) -> Result<()> {
    for (key, more) in fields(update) {
        let Some(known) = node.get(key) else { continue };
        let at = format!("{at}/{}", escape(key));
        ensure!(
            known.get("operationId").is_none() || more.get("operationId").is_none(),
            "the document already has the operation at {at}: remove it from the action, and set its name under \
             [operations] in openapi/names.toml"
        );
        let differs = |keyword: &str| {
            let (known, more) = (known.get(keyword), more.get(keyword));
            known.is_some() && more.is_some() && known != more
        };
        if let Some(keyword) = ["type", "enum"]
            .into_iter()
            .find(|keyword| differs(keyword))
        {
            bail!(
                "the document now describes {at}, with another {keyword}: {} there, {} here: remove this part of the action, or \
                 remove what the document contains in an earlier action",
                known[keyword],
                more[keyword]
            );
        }
        for parameter in entries(more) {
            let is_same = |known: &&Value| {
                known["name"].is_string()
                    && known["name"] == parameter["name"]
                    && known["in"] == parameter["in"]
            };
            ensure!(
                entries(known).iter().find(is_same).is_none(),
                "{at} already has {}: remove it from the action",
                parameter["name"]
            );
        }
        check_additions(known, more, &at)?;
    }
    Ok(())
}

/// Reports whether an update added more than its provenance.
fn says_more(before: &Value, after: &Value, update: &Value) -> bool {
    const SOURCE: &str = "x-provenance";
    if fields(update).all(|(key, _)| key == SOURCE) {
        return before != after;
    }
    let without = |node: &Value| {
        let mut node = node.clone();
        without_source(&mut node, SOURCE);
        node
    };
    without(before) != without(after)
}

fn without_source(node: &mut Value, source: &str) {
    match node {
        Value::Object(fields) => {
            fields.shift_remove(source);
            fields
                .values_mut()
                .for_each(|value| without_source(value, source));
        }
        Value::Array(entries) => entries
            .iter_mut()
            .for_each(|value| without_source(value, source)),
        _ => {}
    }
}

/// Merges objects, appends to arrays, and replaces everything else.
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
        (Value::Array(entries), Value::Array(more)) => append(entries, more),
        (node, update) => *node = update.clone(),
    }
}

/// Appends the entries that are missing.
fn append(entries: &mut Vec<Value>, more: &[Value]) {
    for entry in more {
        if !entries.contains(entry) {
            entries.push(entry.clone());
        }
    }
}

fn remove(document: &mut Value, pointer: &str) -> Result<()> {
    let (parent, last) = pointer
        .rsplit_once('/')
        .context("the document itself cannot be removed")?;
    let last = last.replace("~1", "/").replace("~0", "~");
    match document.pointer_mut(parent) {
        // Keeps the order of the other fields, which a plain `remove` does not.
        Some(Value::Object(fields)) => {
            fields.shift_remove(&last);
        }
        Some(Value::Array(entries)) => {
            let index: usize = last
                .parse()
                .with_context(|| format!("{pointer} is not an array entry"))?;
            ensure!(index < entries.len(), "{pointer} no longer exists");
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
    fn order_of_fields_is_kept() {
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
            (json!([{ "target": "$.a", "update": {} }]), "state why"),
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
