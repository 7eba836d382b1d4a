//! What the overlays change says where it is known from.

#![allow(clippy::unwrap_used, reason = "every function here serves a test")]

use serde_json::{Map, Value, json};
use xtask::canonical;
use xtask::document::fields;
use xtask::layout::Layout;
use xtask::overlay;

#[test]
fn what_the_overlays_change_says_where_it_is_known_from() {
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

/// Schemas and fields that differ without saying why.
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

/// What a node says of the API. How it is written for generators says nothing: a whole number as `integer`, known values
/// as `x-extensible-enum`, that there may be more fields, and examples.
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
