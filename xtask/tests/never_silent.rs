//! Checks that every edit of the contract is reported, and that a contract compared with itself has no findings.
//!
//! The crate `drift` compares OpenAPI documents by its own rules: whatever it considers incompatible must be reported by
//! one of our rules as well.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "every function here serves a test"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};
use xtask::diff::compare;
use xtask::layout::Layout;
use xtask::lock::{self, Lock};
use xtask::overlay;

static CONTRACT: LazyLock<Value> = LazyLock::new(|| {
    let layout = Layout::here().unwrap();
    overlay::contract(&layout).unwrap()
});

/// Every node of the contract that is not a description, by its pointer.
static NODES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut found = Vec::new();
    nodes(&CONTRACT, "", &mut found);
    found
});

fn nodes(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                // A property may have this name; then it is not a description.
                let told = matches!(key.as_str(), "description" | "summary" | "title");
                if !(told && value.is_string()) {
                    let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                    found.push(at.clone());
                    nodes(value, &at, found);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let at = format!("{at}/{index}");
                found.push(at.clone());
                nodes(item, &at, found);
            }
        }
        _ => {}
    }
}

/// Edits a node, in one of the ways that fit its type.
fn edit(document: &mut Value, at: &str, way: u8) {
    let node = document.pointer_mut(at).unwrap();
    if let Some(number) = node.as_f64().filter(|_| way <= 5) {
        *node = json!(number + 7.0);
        return;
    }
    match (node, way) {
        (Value::Bool(flag), 0..=5) => *flag = !*flag,
        (Value::String(text), 0..=5) => text.push_str("Edited"),
        (Value::Object(fields), 0..=2) => {
            fields.insert("edited".to_owned(), json!({"type": "string"}));
        }
        (Value::Array(items), 0..=2) => {
            let copy = items.first().cloned().unwrap_or_else(|| json!("edited"));
            items.push(match copy {
                Value::Object(mut fields) => {
                    fields.insert("name".to_owned(), json!("edited"));
                    Value::Object(fields)
                }
                _ => json!("edited"),
            });
        }
        (Value::Object(fields), 3..=5) if !fields.is_empty() => {
            let key = fields.keys().next_back().unwrap().clone();
            fields.shift_remove(&key);
        }
        (Value::Array(items), 3..=5) if items.len() > 1 => {
            items.remove(0);
        }
        // Remove the whole node.
        _ => {
            let (parent, key) = at.rsplit_once('/').unwrap();
            let key = key.replace("~1", "/").replace("~0", "~");
            match document.pointer_mut(parent).unwrap() {
                Value::Object(fields) => {
                    fields.shift_remove(&key);
                }
                Value::Array(items) => {
                    items.remove(key.parse().unwrap());
                }
                _ => unreachable!(),
            }
        }
    }
}

fn seed() -> RngSeed {
    match ProptestConfig::default().rng_seed {
        RngSeed::Random => RngSeed::Fixed(1),
        given @ RngSeed::Fixed(_) => given,
    }
}

/// Reports whether a removed keyword still applies, because the target of a reference next to it has it, too.
fn is_said_elsewhere(at: &str, edited: &Value) -> bool {
    let Some((schema, keyword)) = at.rsplit_once('/') else {
        return false;
    };
    let parts = CONTRACT.pointer(&format!("{schema}/allOf"));
    edited.pointer(at).is_none()
        && parts
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|part| part["$ref"].as_str()?.strip_prefix('#'))
            .filter_map(|target| CONTRACT.pointer(target))
            .any(|target| target.get(keyword) == CONTRACT.pointer(at))
}

proptest! {
    // The same edits in each run, so that an unrelated change does not hit a new failure by chance. PROPTEST_RNG_SEED tries
    // others.
    #![proptest_config(ProptestConfig {
        cases: 300,
        rng_seed: seed(),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_edit_is_reported(at in any::<Index>(), way in 0_u8..8) {
        let at = at.get(&NODES);
        let mut edited = CONTRACT.clone();
        edit(&mut edited, at, way);
        prop_assume!(without_descriptions(&edited) != without_descriptions(&CONTRACT));
        prop_assume!(!is_said_elsewhere(at, &edited));
        // A contract that is no longer readable is an error, which is also a report.
        if let Ok(findings) = compare(&CONTRACT, &edited) {
            prop_assert!(!findings.is_empty(), "{at}");
            let back = compare(&edited, &CONTRACT).unwrap();
            prop_assert!(!back.is_empty(), "{at}, taken back");
        }
    }

    #[test]
    fn incompatible_change_of_drift_is_found(at in any::<Index>(), way in 0_u8..8) {
        let at = at.get(&NODES);
        let mut edited = CONTRACT.clone();
        edit(&mut edited, at, way);
        if compare(&CONTRACT, &edited).is_ok() {
            agrees(&CONTRACT, &edited);
        }
    }
}

/// Compares our findings with those of `drift`, and returns how many changes `drift` considers incompatible.
#[track_caller]
fn agrees(old: &Value, new: &Value) -> usize {
    let incompatible = drift_says(old, new).unwrap_or_default();
    let findings = compare(old, new).unwrap();
    let ruled = findings.iter().any(|finding| {
        !matches!(
            finding.id.as_str(),
            "description-changed" | "info-changed" | "document-changed"
        )
    });
    assert!(
        ruled || incompatible.is_empty(),
        "{incompatible:#?} {findings:#?}"
    );
    incompatible.len()
}

#[test]
fn drift_agrees_on_every_patch_and_every_version() {
    let file = |name: &str| -> Value {
        let path = format!("{}/tests/diff/{name}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let base = file("base.json");
    let mut incompatible = 0;
    for case in file("rules.json").as_object().unwrap().values() {
        let patch: json_patch::Patch = serde_json::from_value(case["patch"].clone()).unwrap();
        let mut patched = base.clone();
        json_patch::patch(&mut patched, &patch).unwrap();
        incompatible += agrees(&base, &patched);
        incompatible += agrees(&patched, &base);
    }
    assert!(
        incompatible > 60,
        "drift found only {incompatible}: is it asked at all?"
    );
    let layout = Layout::here().unwrap();
    let documents: Vec<Value> = Lock::load(&layout)
        .unwrap()
        .versions
        .iter()
        .map(|version| lock::load_version(&layout, version).unwrap())
        .collect();
    for pair in documents.windows(2) {
        agrees(&pair[0], &pair[1]);
    }
}

fn without_descriptions(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, value)| {
                !(matches!(key.as_str(), "description" | "summary" | "title") && value.is_string())
            })
            .map(|(key, value)| (key.clone(), without_descriptions(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_descriptions).collect(),
        other => other.clone(),
    }
}

/// Returns the changes that the crate `drift` considers incompatible, or `None` if it cannot compare the documents.
fn drift_says(old: &Value, new: &Value) -> Option<Vec<String>> {
    let changes = catch_unwind(AssertUnwindSafe(|| drift::compare(old, new)))
        .ok()?
        .ok()?;
    Some(
        changes
            .into_iter()
            .flat_map(|change| change.changes)
            .filter(|change| {
                matches!(
                    change.class,
                    drift::ChangeClass::BackwardIncompatible
                        | drift::ChangeClass::ForwardIncompatible
                        | drift::ChangeClass::Incompatible
                )
            })
            .map(|change| format!("{} at {}", change.message, change.new_subpath))
            .collect(),
    )
}

#[test]
fn every_version_equals_itself() {
    let layout = Layout::here().unwrap();
    for version in Lock::load(&layout).unwrap().versions {
        let document = lock::load_version(&layout, &version).unwrap();
        assert_eq!(
            compare(&document, &document).unwrap(),
            [],
            "{}",
            version.name
        );
    }
    assert_eq!(compare(&CONTRACT, &CONTRACT).unwrap(), []);
}

#[test]
fn order_of_keys_is_not_a_change() {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                let mut keys: Vec<&String> = fields.keys().collect();
                keys.sort_by(|a, b| b.cmp(a));
                keys.into_iter()
                    .map(|key| (key.clone(), sorted(&fields[key])))
                    .collect()
            }
            Value::Array(items) => items.iter().map(sorted).collect(),
            other => other.clone(),
        }
    }
    assert_eq!(compare(&CONTRACT, &sorted(&CONTRACT)).unwrap(), []);
}
