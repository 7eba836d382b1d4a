//! The contract as two documents, one for each host.
//!
//! Generators treat the servers of a single operation differently: some ignore them, some hard-code them. A client of one
//! host has a single base URL in all of them.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Value, json};

use crate::document::{entries, is_method, references, target};

/// The hosts, by the names of their files.
pub const HOSTS: [&str; 2] = ["management", "data"];

/// Returns the operations of one host, with its servers and credentials at the top level of the document.
pub fn document_of(contract: &Value, host: &str) -> Result<Value> {
    let mut document = contract.clone();
    let is_of_host = |operation: &Value| (operation["x-server"] == "data") == (host == "data");
    let (mut servers, mut security) = (Value::Null, Value::Null);
    let mut tags = BTreeSet::new();
    if let Some(paths) = document["paths"].as_object_mut() {
        for item in paths.values_mut().filter_map(Value::as_object_mut) {
            item.retain(|key, operation| !is_method(key) || is_of_host(operation));
            for operation in item.values_mut().filter_map(Value::as_object_mut) {
                tags.extend(operation.get("tags").map(Value::to_string));
                if host == "data" {
                    servers = operation.shift_remove("servers").unwrap_or(servers);
                    security = operation.shift_remove("security").unwrap_or(security);
                }
            }
        }
        paths.retain(|_, item| {
            item.as_object()
                .is_some_and(|item| item.keys().any(|key| is_method(key)))
        });
    }
    if host == "data" {
        document["servers"] = servers;
        document["security"] = security;
    }
    let title = document["info"]["title"].as_str().unwrap_or_default();
    document["info"]["title"] = json!(format!("{title}: {host}"));
    if let Some(declared) = document["tags"].as_array_mut() {
        declared.retain(|tag| tags.contains(&json!([tag["name"]]).to_string()));
    }
    drop_unused(&mut document)?;
    Ok(document)
}

/// Removes the schemas, responses and credentials that no operation of this host refers to.
fn drop_unused(document: &mut Value) -> Result<()> {
    let mut used = BTreeSet::new();
    let mut open = vec![&document["paths"]];
    while let Some(node) = open.pop() {
        for reference in references(node) {
            if used.insert(reference.to_owned()) {
                open.push(target(document, reference)?.value);
            }
        }
    }
    let schemes = credentials(document);
    if let Some(components) = document["components"].as_object_mut() {
        for (kind, named) in components {
            if let Some(named) = named.as_object_mut() {
                named.retain(|name, _| {
                    used.contains(&format!("#/components/{kind}/{name}")) || schemes.contains(name)
                });
            }
        }
    }
    Ok(())
}

/// Returns the names of the credentials in use.
fn credentials(document: &Value) -> BTreeSet<String> {
    let mut lists = vec![&document["security"]];
    if let Some(paths) = document["paths"].as_object() {
        let operations = paths.values().filter_map(Value::as_object).flatten();
        lists.extend(operations.map(|(_, operation)| &operation["security"]));
    }
    let alternatives = lists.into_iter().flat_map(entries);
    alternatives
        .filter_map(Value::as_object)
        .flat_map(|alternative| alternative.keys().cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_in_exactly_one_host_document() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/twipla-3as.json");
        let contract: Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let [management, data] = HOSTS.map(|host| document_of(&contract, host).unwrap());
        let ids = |document: &Value| -> Vec<String> {
            let all = crate::document::operations(document);
            all.iter()
                .map(|operation| operation.id.to_owned())
                .collect()
        };
        let all: BTreeSet<_> = ids(&contract).into_iter().collect();
        let both = [ids(&management), ids(&data)].concat();
        assert_eq!(both.len(), all.len());
        assert_eq!(both.into_iter().collect::<BTreeSet<_>>(), all);
        assert_eq!(management["servers"], contract["servers"]);
        for document in [&management, &data] {
            assert!(!document["paths"].to_string().contains("\"servers\""));
        }
        assert_eq!(
            data["servers"][0]["url"],
            "https://lb-api.visitor-analytics.io/api"
        );
        assert_eq!(data["security"], json!([{ "apiKey": [] }]));
        assert!(data["components"]["schemas"].get("Website").is_none());
        assert!(
            data["components"]["securitySchemes"]
                .get("partnerToken")
                .is_none()
        );
    }
}
