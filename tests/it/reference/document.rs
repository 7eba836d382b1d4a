//! Looks up parts of an OpenAPI document: operations, their parameters and bodies, the targets of references.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "patch", "head", "options"];
const SCHEMAS: &str = "#/components/schemas/";

/// An OpenAPI 3.0 document.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) root: Value,
}

/// One operation of a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation<'a> {
    pub(crate) id: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) node: &'a Value,
}

/// Returns the folder of the contract.
pub(crate) fn openapi_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../openapi")
}

/// Reads a JSON file of the contract's folder.
pub(crate) fn read_json(name: &str) -> Result<Value, String> {
    serde_json::from_str(&read(name)?).map_err(|error| format!("{name}: {error}"))
}

fn read(name: &str) -> Result<String, String> {
    let path = openapi_folder().join(name);
    std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

impl Document {
    /// Loads the contract: the current version with all overlays.
    pub(crate) fn contract() -> Result<Self, String> {
        read_json("twipla-3as.json").map(|root| Self { root })
    }

    /// Loads the last version that was reconstructed from the reference page, because a document from the vendor may differ
    /// from the page.
    pub(crate) fn reconstructed() -> Result<Self, String> {
        let lock = read("openapi.lock")?;
        let files = lock
            .lines()
            .filter_map(|line| line.strip_prefix("file = \"")?.strip_suffix('"'));
        let mut last = Err("openapi.lock has no version that was reconstructed".to_owned());
        for file in files.filter(|file| {
            Path::new(file)
                .extension()
                .is_some_and(|kind| kind == "json")
        }) {
            let root = read_json(file)?;
            if root["info"].get("x-reconstructed").is_some() {
                last = Ok(Self { root });
            }
        }
        last
    }

    /// Returns all operations, in the order of the document.
    pub(crate) fn operations(&self) -> Vec<Operation<'_>> {
        let paths = entries(&self.root["paths"]);
        paths
            .flat_map(|(path, item)| entries(item).map(move |(method, node)| (path, method, node)))
            .filter(|(_, method, _)| METHODS.contains(method))
            .map(|(path, method, node)| Operation {
                id: node["operationId"].as_str().unwrap_or_default(),
                method,
                path,
                node,
            })
            .collect()
    }

    pub(crate) fn operation(&self, id: &str) -> Option<Operation<'_>> {
        self.operations()
            .into_iter()
            .find(|operation| operation.id == id)
    }

    /// Returns all named schemas.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = (&str, &Value)> {
        entries(&self.root["components"]["schemas"])
    }

    /// Returns the schema behind `$ref`, or behind an `allOf` of one `$ref`, or else the node itself.
    pub(crate) fn resolve<'a>(&'a self, node: &'a Value) -> &'a Value {
        schema_name(node)
            .and_then(|name| self.root["components"]["schemas"].get(name))
            .unwrap_or(node)
    }

    /// Returns the target of a reference, or the node itself.
    pub(crate) fn follow<'a>(&'a self, node: &'a Value) -> &'a Value {
        node.get("$ref")
            .and_then(Value::as_str)
            .and_then(|target| self.root.pointer(target.strip_prefix('#')?))
            .unwrap_or(node)
    }

    /// Returns the responses of an operation: status code, and response with its reference resolved.
    pub(crate) fn responses<'a>(
        &'a self,
        operation: &Operation<'a>,
    ) -> impl Iterator<Item = (&'a str, &'a Value)> {
        entries(&operation.node["responses"]).map(|(status, node)| (status, self.follow(node)))
    }

    /// Returns the schemas of the successful responses that have a body.
    pub(crate) fn success_bodies<'a>(&'a self, operation: &Operation<'a>) -> Vec<&'a Value> {
        let mut bodies: Vec<&Value> = self
            .responses(operation)
            .filter(|(status, _)| status.starts_with('2'))
            .filter_map(|(_, response)| body_schema(response))
            .collect();
        // If both 200 and 201 are listed, they have the same body.
        bodies.dedup();
        bodies
    }

    /// Returns the schemas of the failures.
    pub(crate) fn error_bodies<'a>(&'a self, operation: &Operation<'a>) -> Vec<&'a Value> {
        self.responses(operation)
            .filter(|(status, _)| !status.starts_with('2'))
            .filter_map(|(_, response)| body_schema(response))
            .collect()
    }
}

impl<'a> Operation<'a> {
    /// Returns the parameters of a location (`path`, `query`).
    pub(crate) fn parameters(&self, place: &str) -> Vec<&'a Value> {
        elements(&self.node["parameters"])
            .filter(|parameter| parameter["in"] == place)
            .collect()
    }

    /// Returns the schema of the request body.
    pub(crate) fn body(&self) -> Option<&'a Value> {
        body_schema(&self.node["requestBody"])
    }
}

/// Returns the name of the schema that a node refers to, by `$ref` or by an `allOf` of one `$ref`.
pub(crate) fn schema_name(node: &Value) -> Option<&str> {
    let reference = match node["allOf"].as_array().map(Vec::as_slice) {
        Some([only]) => &only["$ref"],
        _ => &node["$ref"],
    };
    reference.as_str()?.strip_prefix(SCHEMAS)
}

/// Reports whether the `required` list of an object schema contains the name.
pub(crate) fn requires(schema: &Value, name: &str) -> bool {
    elements(&schema["required"]).any(|required| required == name)
}

/// Returns the schema of the JSON content of a body or response.
pub(crate) fn body_schema(node: &Value) -> Option<&Value> {
    node["content"]["application/json"].get("schema")
}

/// Returns the entries of an object; none for anything else.
pub(crate) fn entries(node: &Value) -> impl Iterator<Item = (&str, &Value)> {
    node.as_object()
        .into_iter()
        .flat_map(Map::iter)
        .map(|(key, value)| (key.as_str(), value))
}

/// Returns the elements of an array; none for anything else.
pub(crate) fn elements(node: &Value) -> impl Iterator<Item = &Value> {
    node.as_array().into_iter().flatten()
}
