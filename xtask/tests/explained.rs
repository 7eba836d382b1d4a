//! Checks that everything the overlays change has its provenance.

#![allow(clippy::unwrap_used, reason = "every function here serves a test")]

use serde_json::{Map, Value, json};
use xtask::canonical;
use xtask::document::fields;
use xtask::layout::Layout;
use xtask::overlay;

#[test]
fn overlay_changes_have_a_provenance() {
    let layout = Layout::here().unwrap();
    let (version, _) = canonical::current(&layout).unwrap();
    let contract = overlay::contract(&layout).unwrap();
    assert_eq!(unexplained_changes(&version, &contract), [""; 0]);

    let mut silent = contract;
    let schemas = &mut silent["components"]["schemas"];
    schemas["Package"]["properties"]["price"]["type"] = json!("string");
    schemas["Package"]["properties"]["trial"] = json!({ "type": "boolean" });
    schemas["Count"]["minimum"] = json!(-1);
    let complaints = unexplained_changes(&version, &silent);
    assert_eq!(complaints, ["Count", "Package.price", "Package.trial"]);
}

/// Returns schemas and fields that differ without a provenance.
fn unexplained_changes(version: &Value, contract: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, before) in fields(&version["components"]["schemas"]) {
        let after = &contract["components"]["schemas"][name];
        if after.get("x-provenance").is_some() {
            continue;
        }
        for (field, node) in fields(&after["properties"]) {
            let same = facts(node) == facts(&before["properties"][field]);
            if !same && node.get("x-provenance").is_none() {
                complaints.push(format!("{name}.{field}"));
            }
        }
        let own = |schema| {
            let mut own = facts(schema);
            own.remove("properties");
            own
        };
        if own(before) != own(after) {
            complaints.push(name.to_owned());
        }
    }
    complaints.sort();
    complaints
}

/// Returns the facts about the API in a node, without what is only for generators: `integer` for a number, known values as
/// `x-extensible-enum`, additional fields, and examples.
fn facts(node: &Value) -> Map<String, Value> {
    let mut facts = node.as_object().cloned().unwrap_or_default();
    for key in [
        "x-provenance",
        "x-secret",
        "example",
        "format",
        "multipleOf",
    ] {
        facts.remove(key);
    }
    if facts.get("additionalProperties") == Some(&json!(true)) {
        facts.remove("additionalProperties");
    }
    if let Some(values) = facts.remove("x-extensible-enum") {
        facts.insert("enum".to_owned(), values);
    }
    if facts.get("type") == Some(&json!("integer")) {
        facts.insert("type".to_owned(), json!("number"));
    }
    facts
}
