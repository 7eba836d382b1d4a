//! Normalises paths, and renames their parameters to the known names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::log::{Kind, Log};
use crate::document::{entries, fields, is_method, path_shape};

pub(super) fn name_paths(document: &mut Value, previous: Option<&Value>, log: &mut Log) {
    prefix(document, previous, log);
    let Some(previous) = previous else { return };
    let known: BTreeMap<String, &str> = fields(&previous["paths"])
        .map(|(path, _)| (path_shape(path), path))
        .collect();
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else {
        return;
    };
    let mut renamed = Map::new();
    for (theirs, mut item) in std::mem::take(paths) {
        // Two paths that only differ in the names of parameters are the same path, described twice.
        let ours = known
            .get(&path_shape(&theirs))
            .copied()
            .filter(|ours| *ours != theirs);
        let Some(ours) = ours.filter(|ours| !renamed.contains_key(*ours)) else {
            renamed.insert(theirs, item);
            continue;
        };
        let names: BTreeMap<&str, &str> = parameters(&theirs)
            .into_iter()
            .zip(parameters(ours))
            .collect();
        for operation in item
            .as_object_mut()
            .into_iter()
            .flatten()
            .filter(|(key, _)| is_method(key))
            .map(|(_, value)| value)
        {
            for parameter in operation
                .get_mut("parameters")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                let name = parameter["name"]
                    .as_str()
                    .filter(|_| parameter["in"] == "path");
                if let Some(ours) = name.and_then(|name| names.get(name)) {
                    parameter["name"] = json!(ours);
                }
            }
        }
        log.add(Kind::Renamed, "/paths", format!("{theirs} is {ours}"));
        renamed.insert(ours.to_owned(), item);
    }
    *paths = renamed;
}

/// Returns the names of the parameters of a path, in its order.
fn parameters(path: &str) -> Vec<&str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .collect()
}

/// Moves the path of the servers, which the client ignores, into every path.
fn prefix(document: &mut Value, previous: Option<&Value>, log: &mut Log) {
    let bases: Vec<(String, String)> = entries(&document["servers"]).iter().map(split).collect();
    let Some((_, base)) = bases.first().filter(|(_, base)| !base.is_empty()) else {
        return;
    };
    if bases.iter().any(|(_, other)| other != base) {
        log.refuse(
            "/servers",
            "the servers have different paths",
            "leave one kind of servers, by an overlay of the vendor's file",
        );
        return;
    }
    if previous.is_some_and(|previous| leads_away(document, previous, base)) {
        log.refuse(
            "/servers",
            &format!("{base} would start every path, and the previous version has the paths without it"),
            "remove it from the servers of the vendor's file; if the API moved, add it to the paths of the overlays \
             and of the file",
        );
        return;
    }
    log.add(
        Kind::Lowered,
        "/servers",
        format!("{base} starts every path"),
    );
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        *paths = std::mem::take(paths)
            .into_iter()
            .map(|(path, item)| (format!("{base}{path}"), item))
            .collect();
    }
    for (server, (host, _)) in document["servers"]
        .as_array_mut()
        .into_iter()
        .flatten()
        .zip(&bases)
    {
        server["url"] = json!(host);
        if let Some(fields) = server.as_object_mut() {
            fields.shift_remove("variables");
        }
    }
}

/// Reports whether the paths are already known without the path of the servers, and none is known with it.
fn leads_away(document: &Value, previous: &Value, base: &str) -> bool {
    let known: BTreeSet<String> = fields(&previous["paths"])
        .map(|(path, _)| path_shape(path))
        .collect();
    let has = |prefix: &str| {
        fields(&document["paths"])
            .any(|(path, _)| known.contains(&path_shape(&format!("{prefix}{path}"))))
    };
    has("") && !has(base)
}

/// Splits a server into host and path, with the defaults of its variables.
fn split(server: &Value) -> (String, String) {
    let mut url = server["url"].as_str().unwrap_or_default().to_owned();
    for (name, variable) in fields(&server["variables"]) {
        url = url.replace(
            &format!("{{{name}}}"),
            variable["default"].as_str().unwrap_or_default(),
        );
    }
    let start = url.find("://").map_or(0, |at| at + 3);
    let at = url[start..].find('/').map_or(url.len(), |at| start + at);
    let path = url[at..].trim_end_matches('/').to_owned();
    (url[..at].to_owned(), path)
}
