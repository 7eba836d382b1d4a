//! Finds the files to edit for a new or changed operation.

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::document::operations;
use crate::layout::Layout;

/// Returns the facade's file of an operation and its test; for a new one, those of the operation with the nearest path.
pub(super) fn files(layout: &Layout, contract: &Value, id: &str) -> String {
    let known = facade(layout, id);
    let is_new = known.is_none();
    let resource = known.or_else(|| {
        nearest(contract, id)
            .into_iter()
            .find_map(|id| facade(layout, id))
    });
    let mut files = vec!["crates/twipla/src/operations.rs".to_owned()];
    if let Some(resource) = &resource {
        files.push(layout.show(resource).to_string());
    }
    let vectors = format!("tests/vectors/operations/{id}.json");
    if is_new {
        files.push("tests/it/coverage.rs".to_owned());
        files.push(format!("{vectors} (new)"));
    } else {
        let test = resource.as_deref().and_then(Path::file_name);
        let test = test.map(|name| layout.root().join("tests/it").join(name));
        if let Some(test) = test.filter(|test| test.exists()) {
            files.push(layout.show(&test).to_string());
        }
        files.push(vectors);
    }
    format!("{id}: {}", files.join(", "))
}

/// Returns the file of the facade that calls an operation, apart from the list of all operations.
fn facade(layout: &Layout, id: &str) -> Option<PathBuf> {
    let call = format!("operations::{id}(");
    let mut open = vec![layout.root().join("crates/twipla/src")];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if fs::read_to_string(&path).is_ok_and(|text| text.contains(&call)) {
                found.push(path);
            }
        }
    }
    // A resource comes before shared files, and the resource itself before its builder.
    found.sort_by_key(|path: &PathBuf| {
        let apart = !path
            .parent()
            .is_some_and(|folder| folder.ends_with("resources"));
        (apart, path.as_os_str().len(), path.clone())
    });
    found.into_iter().next()
}

/// Returns the other operations, sorted by how much of their path they share with this one.
fn nearest<'a>(contract: &'a Value, id: &str) -> Vec<&'a str> {
    let all = operations(contract);
    let Some(path) = all.iter().find(|other| other.id == id).map(|one| one.path) else {
        return Vec::new();
    };
    let in_common = |other: &str| {
        path.split('/')
            .zip(other.split('/'))
            .take_while(|(ours, theirs)| ours == theirs)
            .count()
    };
    let mut others: Vec<_> = all.iter().filter(|other| other.id != id).collect();
    others.sort_by_key(|other| (Reverse(in_common(other.path)), other.path.len()));
    others.into_iter().map(|other| other.id).collect()
}
