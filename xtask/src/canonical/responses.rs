//! Shares failures again that the previous version shares, so that overlays and other operations can refer to them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::log::{Kind, Log};
use super::places::schema_pointer;
use crate::document::{
    SCHEMAS, escape, fields, is_success, object, operations, reference, references,
};

const RESPONSES: &str = "#/components/responses/";

pub(super) fn share(document: &mut Value, previous: Option<&Value>, log: &mut Log) {
    let Some(previous) = previous else { return };
    write_out_unknown(document, previous);
    let before = shared(previous);
    // The places where each may be shared, by its name.
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for operation in operations(document) {
        for (status, response) in fields(&operation.value["responses"]) {
            if is_success(status) || reference(response).is_some() {
                continue;
            }
            if let Some(name) = before.get(&(operation.shape(), status.to_owned())) {
                places.entry(name).or_default().push(format!(
                    "{}/responses/{}",
                    operation.pointer(),
                    escape(status)
                ));
            }
        }
    }
    for (name, pointers) in places {
        let known = document["components"]["responses"].get(name).cloned();
        let Some(response) = known.or_else(|| most_common(document, &pointers)) else {
            continue;
        };
        for pointer in &pointers {
            let Some(here) = document.pointer_mut(pointer) else {
                continue;
            };
            if without_description(here) == without_description(&response) {
                *here = json!({ "$ref": format!("{RESPONSES}{name}") });
            }
        }
        log.add(
            Kind::Named,
            format!("/components/responses/{name}"),
            format!("{} equal responses", pointers.len()),
        );
        document["components"]["responses"][name] = response;
    }
    keep(document, previous, log);
}

/// Returns the shared failures of a document, by operation and status.
fn shared(document: &Value) -> BTreeMap<(String, String), &str> {
    let mut found = BTreeMap::new();
    for operation in operations(document) {
        for (status, response) in fields(&operation.value["responses"]) {
            if let Some(name) = reference(response).and_then(|name| name.strip_prefix(RESPONSES)) {
                found.insert((operation.shape(), status.to_owned()), name);
            }
        }
    }
    found
}

/// Inlines responses that are shared under an unknown name.
fn write_out_unknown(document: &mut Value, previous: &Value) {
    let theirs = object(&document["components"]["responses"]).clone();
    let known = object(&previous["components"]["responses"]);
    let pointers: Vec<String> = operations(document)
        .iter()
        .flat_map(|operation| {
            let at = operation.pointer();
            fields(&operation.value["responses"])
                .map(move |(status, _)| format!("{at}/responses/{}", escape(status)))
        })
        .collect();
    for pointer in pointers {
        let Some(response) = document.pointer_mut(&pointer) else {
            continue;
        };
        let name = reference(response).and_then(|name| name.strip_prefix(RESPONSES));
        if let Some(target) = name
            .filter(|name| !known.contains_key(*name))
            .and_then(|name| theirs.get(name))
        {
            *response = target.clone();
        }
    }
    if let Some(responses) = document
        .pointer_mut("/components/responses")
        .and_then(Value::as_object_mut)
    {
        responses.retain(|name, _| known.contains_key(name));
    }
}

fn most_common(document: &Value, pointers: &[String]) -> Option<Value> {
    let mut counted: Vec<(usize, &Value)> = Vec::new();
    for pointer in pointers {
        let response = document.pointer(pointer)?;
        match counted.iter_mut().find(|(_, other)| *other == response) {
            Some((count, _)) => *count += 1,
            None => counted.push((1, response)),
        }
    }
    // The first of those that are equally common.
    counted
        .into_iter()
        .rev()
        .max_by_key(|(count, _)| *count)
        .map(|(_, response)| response.clone())
}

fn without_description(response: &Value) -> Value {
    let mut response = response.clone();
    if let Some(fields) = response.as_object_mut() {
        fields.shift_remove("description");
    }
    response
}

/// Keeps what the document no longer shares, for the overlays that refer to it.
fn keep(document: &mut Value, previous: &Value, log: &mut Log) {
    for (name, response) in fields(&previous["components"]["responses"]) {
        if document["components"]["responses"].get(name).is_some() {
            continue;
        }
        document["components"]["responses"][name] = response.clone();
        log.add(
            Kind::Kept,
            format!("/components/responses/{name}"),
            "is left out",
        );
        let mut open = vec![response];
        while let Some(node) = open.pop() {
            for schema in references(node)
                .into_iter()
                .filter_map(|name| name.strip_prefix(SCHEMAS))
            {
                if document["components"]["schemas"].get(schema).is_none()
                    && let Some(known) = previous["components"]["schemas"].get(schema)
                {
                    document["components"]["schemas"][schema] = known.clone();
                    log.add(Kind::Kept, schema_pointer(schema), "is left out");
                    open.push(known);
                }
            }
        }
    }
}
