//! Renames operations and tags to the known names.

use std::collections::BTreeMap;

use heck::ToSnakeCase as _;
use serde_json::{Value, json};

use super::log::{Kind, Log};
use super::names::Names;
use crate::document::{Operation, entries, operations};

pub(super) fn name_operations(
    document: &mut Value,
    names: &Names,
    previous: Option<&Value>,
    log: &mut Log,
) {
    let known: BTreeMap<String, Operation<'_>> = previous
        .into_iter()
        .flat_map(operations)
        .map(|operation| (operation.shape(), operation))
        .collect();
    let tags = known_tags(document, &known);
    let mut ids: Vec<(String, String)> = Vec::new();
    for operation in operations(document) {
        let at = operation.pointer();
        let request = operation.request();
        let known = known.get(&operation.shape()).map(|known| known.id);
        let id = match (names.operation(operation.id, &request), known) {
            (Some(ours), _) => ours.to_owned(),
            (None, Some(ours)) if !ours.is_empty() => ours.to_owned(),
            _ if !may_be_method(operation.id) => derived(operation),
            _ => operation.id.to_snake_case(),
        };
        if id != operation.id {
            let theirs = if operation.id.is_empty() {
                "without an id"
            } else {
                operation.id
            };
            log.add(
                Kind::Renamed,
                format!("{at}/operationId"),
                format!("{request}, {theirs}, is {id}"),
            );
        }
        if !id.starts_with(|first: char| first.is_ascii_lowercase()) {
            log.refuse(
                &format!("{request} {at}/operationId"),
                &format!("{:?} gives no name for a method", operation.id),
                "name it under [operations] in openapi/names.toml",
            );
        }
        if let Some((other, _)) = ids.iter().find(|(_, other)| *other == id) {
            log.refuse(
                &format!("{request} {at}/operationId"),
                &format!("{id} is also the id of the operation at {other}"),
                "name one of them by method and path under [operations] in openapi/names.toml",
            );
        }
        ids.push((at, id));
    }
    for (at, id) in ids {
        let Some(operation) = document.pointer_mut(&at) else {
            continue;
        };
        set_id(operation, &id);
        if entries(&operation["tags"]).is_empty() {
            log.add(
                Kind::Renamed,
                format!("{at}/tags"),
                "has no tag, and is grouped with \"other\"",
            );
            operation["tags"] = json!(["other"]);
        }
    }
    rename_tags(document, &tags, log);
}

/// Sets the id, as the first field if it is new.
fn set_id(operation: &mut Value, id: &str) {
    if let Some(fields) = operation.as_object_mut() {
        if fields.contains_key("operationId") {
            fields.insert("operationId".to_owned(), json!(id));
        } else {
            fields.shift_insert(0, "operationId".to_owned(), json!(id));
        }
    }
}

/// Reports whether an id is usable as the name of a method.
fn may_be_method(id: &str) -> bool {
    let name = id.to_snake_case();
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && syn::parse_str::<syn::Ident>(&name).is_ok()
}

/// Derives a name from method and path: `get_things_by_id`.
fn derived(operation: Operation<'_>) -> String {
    let mut words = vec![operation.method.to_owned()];
    for segment in operation.path.split('/') {
        let is_version = segment
            .strip_prefix('v')
            .is_some_and(|rest| rest.parse::<u32>().is_ok());
        if segment.is_empty() || is_version || segment == "3as" {
            continue;
        }
        match segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            Some(parameter) => words.push(format!("by_{}", parameter.to_snake_case())),
            None => words.push(segment.to_snake_case()),
        }
    }
    words.join("_")
}

/// Matches the vendor's tags with ours, by their operations.
fn known_tags(
    document: &Value,
    known: &BTreeMap<String, Operation<'_>>,
) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    for operation in operations(document) {
        let Some(known) = known.get(&operation.shape()) else {
            continue;
        };
        let theirs = operation.value["tags"].get(0).and_then(Value::as_str);
        let ours = known.value["tags"].get(0).and_then(Value::as_str);
        if let (Some(theirs), Some(ours)) = (theirs, ours) {
            tags.entry(theirs.to_owned())
                .or_insert_with(|| ours.to_owned());
        }
    }
    // A tag that is already known keeps its name, even if an operation moved to it.
    let ours: Vec<String> = tags.values().cloned().collect();
    tags.retain(|theirs, name| !ours.contains(theirs) && theirs != name);
    tags
}

fn rename_tags(document: &mut Value, tags: &BTreeMap<String, String>, log: &mut Log) {
    for (theirs, ours) in tags {
        log.add(Kind::Renamed, "/tags", format!("{theirs} is {ours}"));
    }
    let rename = |tag: &mut Value| {
        if let Some(ours) = tag.as_str().and_then(|theirs| tags.get(theirs)) {
            *tag = json!(ours);
        }
    };
    for tag in document
        .get_mut("tags")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(name) = tag.get_mut("name") {
            rename(name);
        }
    }
    let pointers: Vec<String> = operations(document)
        .iter()
        .map(Operation::pointer)
        .collect();
    for pointer in pointers {
        let tags = document
            .pointer_mut(&format!("{pointer}/tags"))
            .and_then(Value::as_array_mut);
        for tag in tags.into_iter().flatten() {
            rename(tag);
        }
    }
}
