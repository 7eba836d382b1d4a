//! Renames named schemas to the known names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::log::{Kind, Log};
use super::lower::ANNOTATIONS;
use super::names::Names;
use super::places::{Known, children, component, roots};
use super::shape::{Shapes, is_scalar, named, peel};
use crate::document::{SCHEMAS, fields, is_rust_name, object, reference};

pub(super) fn rename_components(
    document: &mut Value,
    names: &Names,
    known: &Known<'_>,
    log: &mut Log,
) {
    let ours = ours(document, names, known);
    if !ours.is_empty() {
        for (theirs, name) in &ours {
            log.add(
                Kind::Renamed,
                format!("/components/schemas/{theirs}"),
                format!("is {name}"),
            );
        }
        rename(document, &ours);
    }
    dissolve(document, known, log);
}

/// Returns the names to change, with the new ones.
fn ours(document: &Value, names: &Names, known: &Known<'_>) -> BTreeMap<String, String> {
    let schemas = object(&document["components"]["schemas"]);
    let shapes = Shapes::of(document);
    let mut ours: BTreeMap<String, String> = BTreeMap::new();
    for theirs in schemas.keys() {
        if let Some(name) = names
            .schema(theirs)
            .filter(|name| *name != theirs && !schemas.contains_key(*name))
        {
            ours.insert(theirs.clone(), name.to_owned());
        }
    }
    // The name of a schema determines the place of the schemas inside it.
    loop {
        let mut votes: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for root in roots(document) {
            collect(root.schema, &root.place, known, &mut votes);
        }
        for (theirs, schema) in schemas {
            let name = ours.get(theirs).unwrap_or(theirs);
            if !known.schemas.contains_key(name.as_str()) {
                continue;
            }
            for child in children(schema) {
                let place = format!("{}/{}", component(name), child.step);
                collect(child.schema, &place, known, &mut votes);
            }
        }
        let before = ours.len();
        for theirs in schemas.keys() {
            let is_decided = ours.contains_key(theirs) || names.schema(theirs).is_some();
            if known.schemas.contains_key(theirs.as_str()) || is_decided {
                continue;
            }
            let is_free = |name: &str| {
                !schemas.contains_key(name) && ours.values().all(|other| other != name)
            };
            let here: Vec<&String> = votes
                .get(theirs.as_str())
                .into_iter()
                .flatten()
                .filter(|name| is_free(name))
                .collect();
            let equal: Vec<&str> = known
                .like(shapes.named(theirs))
                .into_iter()
                .filter(|name| is_free(name))
                .collect();
            let name = here
                .iter()
                .find(|name| equal.contains(&name.as_str()))
                .map(|name| name.as_str())
                .or(match (equal.as_slice(), here.as_slice()) {
                    ([only], _) => Some(*only),
                    (_, [only]) => Some(only.as_str()),
                    _ => None,
                });
            if let Some(name) = name {
                ours.insert(theirs.clone(), name.to_owned());
            } else if is_rust_name(theirs) {
                ours.insert(theirs.clone(), format!("Api{theirs}"));
            }
        }
        if ours.len() == before {
            return ours;
        }
    }
}

/// Collects the names of the previous version at the places where the schemas of this version are used.
fn collect<'a>(
    schema: &'a Value,
    place: &str,
    known: &Known<'_>,
    votes: &mut BTreeMap<&'a str, BTreeSet<String>>,
) {
    let at = known.at(place);
    let inner = peel(schema);
    if let Some(theirs) = named(inner) {
        votes.entry(theirs).or_default().extend(at.name);
        return;
    }
    let place = at
        .name
        .map_or_else(|| place.to_owned(), |name| component(&name));
    for child in children(inner) {
        collect(
            child.schema,
            &format!("{place}/{}", child.step),
            known,
            votes,
        );
    }
}

fn rename(document: &mut Value, ours: &BTreeMap<String, String>) {
    if let Some(schemas) = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    {
        *schemas = std::mem::take(schemas)
            .into_iter()
            .map(|(theirs, schema)| (ours.get(&theirs).cloned().unwrap_or(theirs), schema))
            .collect();
    }
    each_reference(document, &mut |node| {
        let name = reference(node).and_then(|name| name.strip_prefix(SCHEMAS));
        if let Some(name) = name.and_then(|theirs| ours.get(theirs)) {
            *node = json!({ "$ref": format!("{SCHEMAS}{name}") });
        }
    });
}

/// Inlines plain values that are new as named schemas: `Domain`, a string.
fn dissolve(document: &mut Value, known: &Known<'_>, log: &mut Log) {
    if known.schemas.is_empty() {
        return;
    }
    let mut plain: Map<String, Value> = Map::new();
    for (name, schema) in fields(&document["components"]["schemas"]) {
        let is_list = schema["type"] == "array" && !known.schemas.contains_key(name);
        if (is_scalar(schema) || is_list) && !known.schemas.contains_key(name) {
            plain.insert(name.to_owned(), schema.clone());
        }
    }
    if plain.is_empty() {
        return;
    }
    for name in plain.keys() {
        log.add(
            Kind::Resolved,
            format!("/components/schemas/{name}"),
            "a plain value is inlined where it is used",
        );
    }
    // A plain value may be inside a list, which is then plain as well.
    for _ in 0..2 {
        each_reference(document, &mut |node| {
            let name = reference(node).and_then(|name| name.strip_prefix(SCHEMAS));
            if let Some(schema) = name.and_then(|name| plain.get(name)) {
                *node = schema.clone();
            }
        });
    }
    if let Some(schemas) = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    {
        schemas.retain(|name, _| !plain.contains_key(name));
    }
    flatten(document);
}

/// Removes the wrapper of an annotated plain value.
fn flatten(node: &mut Value) {
    match node {
        Value::Object(fields) => fields.values_mut().for_each(flatten),
        Value::Array(entries) => entries.iter_mut().for_each(flatten),
        _ => return,
    }
    let Some([only]) = node["allOf"].as_array().map(Vec::as_slice) else {
        return;
    };
    if !is_scalar(only) && only["type"] != "array" {
        return;
    }
    let mut plain = only.clone();
    for (key, value) in
        fields(node).filter(|(key, _)| ANNOTATIONS.contains(key) || key.starts_with("x-"))
    {
        plain[key] = value.clone();
    }
    *node = plain;
}

/// Calls `change` with every reference. Examples contain data.
fn each_reference(node: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    if reference(node).is_some() {
        change(node);
        return;
    }
    match node {
        Value::Object(fields) => {
            for (key, value) in fields {
                if !matches!(key.as_str(), "example" | "examples" | "default") {
                    each_reference(value, change);
                }
            }
        }
        Value::Array(entries) => entries
            .iter_mut()
            .for_each(|entry| each_reference(entry, change)),
        _ => {}
    }
}
