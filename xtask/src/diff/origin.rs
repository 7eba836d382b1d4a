//! Maps a node of a canonical form to the original document.
//!
//! The canonical form renames schemas, merges `allOf`, and moves parameters of a path into its operations. A pointer into
//! it is therefore resolved in the original document: paths by their shape, parameters by their name, and schemas by their
//! users, regardless of names.

use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::Value;

use crate::document::{Node, entries, escape, fields, path_shape, reference, resolve_at, segments};

/// The maximum nesting of `allOf`.
const DEEPEST: usize = 16;

/// An original document and its canonical form.
pub(super) struct Origin<'a> {
    written: &'a Value,
    canonical: &'a Value,
    /// Components of the canonical form, and the original nodes.
    components: HashMap<String, Node<'a>>,
}

/// How far a pointer was resolved.
struct Found<'a> {
    node: Node<'a>,
    /// The number of keys that were not found.
    left: usize,
}

impl<'a> Origin<'a> {
    pub(super) fn new(written: &'a Value, canonical: &'a Value) -> Self {
        let mut origin = Self {
            written,
            canonical,
            components: HashMap::new(),
        };
        for (component, user) in users(canonical) {
            let user = origin.find(&user);
            if user.left == 0 {
                origin.components.insert(component, user.node);
            }
        }
        origin
    }

    /// Returns the pointer of the node in the original document, or of the nearest node around it.
    pub(super) fn of(&self, pointer: &str) -> String {
        self.find(pointer).node.pointer
    }

    fn find(&self, pointer: &str) -> Found<'a> {
        let keys = segments(pointer);
        match &keys[..] {
            [paths, path, method, parameters, index, rest @ ..]
                if paths == "paths" && parameters == "parameters" =>
            {
                self.parameter(path, method, index, rest)
            }
            [components, kind, name, rest @ ..] if components == "components" => {
                let direct = self.walk(self.root(), &keys);
                let component = format!("/components/{}/{}", escape(kind), escape(name));
                let used = self.components.get(&component);
                match used.map(|node| self.walk(node.clone(), rest)) {
                    Some(used) if used.left <= direct.left => used,
                    _ => direct,
                }
            }
            _ => self.walk(self.root(), &keys),
        }
    }

    /// Resolves a node in a parameter, which the operation or its path may have, in another order.
    fn parameter(&self, path: &str, method: &str, index: &str, rest: &[String]) -> Found<'a> {
        let list = &self.canonical["paths"][path][method]["parameters"];
        let index = index.parse().unwrap_or(usize::MAX);
        let wanted = entries(list).get(index).unwrap_or(&Value::Null);
        let keys = ["paths", path, method].map(str::to_owned);
        let mut operation = self.walk(self.root(), &keys);
        let item = self.walk(self.root(), &keys[..2]);
        for owner in [&operation.node, &item.node] {
            for (index, parameter) in entries(&owner.value["parameters"]).iter().enumerate() {
                let pointer = format!("{}/parameters/{index}", owner.pointer);
                let Ok(node) = resolve_at(self.written, parameter, pointer) else {
                    continue;
                };
                if is_same_parameter(node.value, wanted) {
                    return self.walk(node, rest);
                }
            }
        }
        operation.left += rest.len() + 2;
        operation
    }

    fn root(&self) -> Node<'a> {
        Node {
            pointer: String::new(),
            value: self.written,
        }
    }

    /// Follows keys as far as they exist.
    fn walk(&self, node: Node<'a>, keys: &[String]) -> Found<'a> {
        self.step(node, keys, 0, &mut HashSet::new())
    }

    fn step(
        &self,
        node: Node<'a>,
        keys: &[String],
        depth: usize,
        seen: &mut HashSet<(String, usize)>,
    ) -> Found<'a> {
        let Some((key, rest)) = keys.split_first() else {
            return Found { node, left: 0 };
        };
        let inside = resolve_at(self.written, node.value, node.pointer.clone()).unwrap_or(node);
        let mut best = match child(&inside, key) {
            Some(child) => self.step(child, rest, depth, seen),
            None => Found {
                left: keys.len(),
                node: inside.clone(),
            },
        };
        // Each part is searched once: parts may refer to each other in many ways.
        if best.left == 0 || depth == DEEPEST || !seen.insert((inside.pointer.clone(), keys.len()))
        {
            return best;
        }
        for list in ["allOf", "anyOf", "oneOf"] {
            for (index, part) in entries(&inside.value[list]).iter().enumerate() {
                let part = Node {
                    pointer: format!("{}/{list}/{index}", inside.pointer),
                    value: part,
                };
                let found = self.step(part, keys, depth + 1, seen);
                if found.left < best.left {
                    best = found;
                }
            }
        }
        best
    }
}

/// Returns the child with this key. Paths are matched by their shape.
fn child<'a>(node: &Node<'a>, key: &str) -> Option<Node<'a>> {
    let at = |name: &str, value| Node {
        pointer: format!("{}/{}", node.pointer, escape(name)),
        value,
    };
    if let Some(value) = node.value.get(key) {
        return Some(at(key, value));
    }
    if let Some(value) = key
        .parse::<usize>()
        .ok()
        .and_then(|index| node.value.get(index))
    {
        return Some(at(key, value));
    }
    if node.pointer == "/paths" {
        let (path, value) =
            fields(node.value).find(|(path, _)| path_shape(path) == path_shape(key))?;
        return Some(at(path, value));
    }
    None
}

/// Reports whether two parameters are the same. Names of headers are case-insensitive.
fn is_same_parameter(one: &Value, other: &Value) -> bool {
    let name = |parameter: &Value| {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        if parameter["in"] == "header" {
            name.to_ascii_lowercase()
        } else {
            name
        }
    };
    one["in"] == other["in"] && name(one) == name(other)
}

/// Returns each component that the paths use, with the first reference to it: in the paths, or in an earlier component.
fn users(document: &Value) -> Vec<(String, String)> {
    let mut users = Vec::new();
    let mut known = HashSet::new();
    let mut open = VecDeque::from(["/paths".to_owned()]);
    while let Some(mut pointer) = open.pop_front() {
        let mut found = Vec::new();
        if let Some(node) = document.pointer(&pointer) {
            collect_references(node, &mut pointer, &mut found);
        }
        for (target, user) in found {
            if known.insert(target.clone()) {
                open.push_back(target.clone());
                users.push((target, user));
            }
        }
    }
    users
}

/// Collects the references in a node, and their pointers.
fn collect_references(node: &Value, pointer: &mut String, found: &mut Vec<(String, String)>) {
    if let Some(target) = reference(node).and_then(|reference| reference.strip_prefix('#')) {
        found.push((target.to_owned(), pointer.clone()));
    }
    let length = pointer.len();
    for (key, value) in fields(node) {
        pointer.push('/');
        pointer.push_str(&escape(key));
        collect_references(value, pointer, found);
        pointer.truncate(length);
    }
    for (index, value) in entries(node).iter().enumerate() {
        pointer.push('/');
        pointer.push_str(&index.to_string());
        collect_references(value, pointer, found);
        pointer.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn leads(written: &Value, canonical: &Value, expected: &[(&str, &str)]) {
        let origin = Origin::new(written, canonical);
        for (pointer, want) in expected {
            assert_eq!(origin.of(pointer), *want, "{pointer}");
        }
    }

    fn canonical() -> Value {
        json!({
            "paths": { "/things/{id}": { "get": {
                "parameters": [
                    { "name": "id", "in": "path" },
                    { "name": "x-trace", "in": "header", "schema": { "type": "string" } },
                ],
                "responses": { "200": { "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/Thing" },
                } } } },
            } } },
            "components": { "schemas": {
                "Thing": { "properties": { "part": { "$ref": "#/components/schemas/Part" }, "id": {} } },
                "Part": { "properties": { "whole": { "$ref": "#/components/schemas/Thing" }, "size": { "nullable": true } } },
            } },
        })
    }

    #[test]
    fn pointer_into_an_unchanged_part_is_kept() {
        let document = canonical();
        for pointer in [
            "",
            "/paths/~1things~1{id}/get/parameters/1/schema/type",
            "/components/schemas/Part/properties/size/nullable",
        ] {
            let origin = Origin::new(&document, &document);
            // Resolving follows references, and still ends at the component's own pointer.
            assert_eq!(origin.of(pointer), pointer);
        }
    }

    #[test]
    fn schemas_are_found_by_their_users_and_parameters_by_name() {
        let written = json!({
            "paths": { "/things/{thingId}": {
                "parameters": [
                    { "name": "X-Trace", "in": "header", "schema": { "type": "string" } },
                    { "$ref": "#/components/parameters/id" },
                ],
                "get": { "responses": { "200": { "content": { "application/json": { "schema": {
                    "allOf": [
                        { "$ref": "#/components/schemas/Base" },
                        { "properties": { "part": { "properties": { "size": { "type": ["string", "null"] } } } } },
                    ],
                } } } } } },
            } },
            "components": {
                "parameters": { "id": { "name": "id", "in": "path" } },
                // Another schema is called Thing here.
                "schemas": { "Base": { "properties": { "id": {} } }, "Thing": { "properties": {} } },
            },
        });
        let item = "/paths/~1things~1{thingId}";
        let schema = format!("{item}/get/responses/200/content/application~1json/schema");
        leads(
            &written,
            &canonical(),
            &[
                (
                    "/paths/~1things~1{id}/get/parameters/1/schema/type",
                    &format!("{item}/parameters/0/schema/type"),
                ),
                (
                    "/paths/~1things~1{id}/get/parameters/0",
                    "/components/parameters/id",
                ),
                (
                    "/components/schemas/Thing/properties/id",
                    "/components/schemas/Base/properties/id",
                ),
                (
                    "/components/schemas/Part/properties/size/nullable",
                    &format!("{schema}/allOf/1/properties/part/properties/size"),
                ),
                (
                    "/components/schemas/Part/properties/new",
                    &format!("{schema}/allOf/1/properties/part/properties"),
                ),
                ("/paths/~1things~1{id}/post", item),
                ("/components/schemas/Gone", "/components/schemas"),
            ],
        );
    }

    #[test]
    fn circular_schemas_terminate() {
        let written = json!({
            "paths": { "/a": { "get": { "requestBody": { "$ref": "#/components/schemas/A" } } } },
            "components": { "schemas": { "A": { "allOf": [{ "$ref": "#/components/schemas/A" }] } } },
        });
        leads(
            &written,
            &written,
            &[(
                "/components/schemas/A/properties/a",
                "/components/schemas/A",
            )],
        );
    }
}
