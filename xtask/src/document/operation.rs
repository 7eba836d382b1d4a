//! The operations of a document, as they are written.

use serde_json::Value;

use super::node::{entries, escape, fields};

/// Methods of a path item.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// An operation and its location.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    /// Its operationId, or an empty string.
    pub id: &'a str,
    /// Path template.
    pub path: &'a str,
    /// Method, in lower case.
    pub method: &'a str,
    /// The operation object.
    pub value: &'a Value,
    /// Parameters of the whole path item.
    pub shared: &'a [Value],
}

impl Operation<'_> {
    /// Returns the JSON pointer of the operation.
    pub fn pointer(&self) -> String {
        format!("/paths/{}/{}", escape(self.path), self.method)
    }

    /// Returns method and path.
    pub fn request(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }

    /// Returns method and path without the names of path parameters.
    pub fn shape(&self) -> String {
        format!("{} {}", self.method, path_shape(self.path))
    }
}

/// Returns the operations of a document, in its order.
pub fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut found = Vec::new();
    for (path, item) in fields(&document["paths"]) {
        for (method, value) in methods(item) {
            found.push(Operation {
                id: value["operationId"].as_str().unwrap_or_default(),
                path,
                method,
                value,
                shared: entries(&item["parameters"]),
            });
        }
    }
    found
}

/// Reports whether a key of a path item is a method.
pub fn is_method(key: &str) -> bool {
    METHODS.contains(&key)
}

/// Returns the operations of a path item by their methods.
pub(super) fn methods(item: &Value) -> impl Iterator<Item = (&str, &Value)> {
    fields(item).filter(|(key, _)| is_method(key))
}

/// Returns a path without the names of its parameters.
pub fn path_shape(path: &str) -> String {
    let segments: Vec<&str> = path
        .split('/')
        .map(|segment| {
            if segment.starts_with('{') && segment.ends_with('}') {
                "{}"
            } else {
                segment
            }
        })
        .collect();
    segments.join("/")
}

/// Reports whether a status is a success: 200 to 299, or the range `2XX`.
pub fn is_success(status: &str) -> bool {
    status.len() == 3 && status.starts_with('2')
}
