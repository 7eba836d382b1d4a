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
            let facts = |node| without(node, &["x-provenance", "x-secret"]);
            let same = facts(node) == facts(&before["properties"][field]);
            if !same && node.get("x-provenance").is_none() {
                complaints.push(format!("{name}.{field}"));
            }
        }
        let own = |schema| without(schema, &["properties"]);
        if own(before) != own(after) {
            complaints.push(name.to_owned());
        }
    }
    complaints.sort();
    complaints
}

fn without(node: &Value, names: &[&str]) -> Map<String, Value> {
    fields(node)
        .filter(|(name, _)| !names.contains(name))
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
}
