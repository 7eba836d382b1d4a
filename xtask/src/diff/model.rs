//! A contract as it is compared: operations with their parts, references resolved.
//!
//! Both OpenAPI 3.0 and 3.1 are read: a type may be one name or several, null
//! may be a type or `nullable`, an exclusive bound may be a flag or a number.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value};

use crate::normalise::is_success;

/// Methods of a path item.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// Keywords that may stand beside a reference without making another type of it.
const BESIDE: [&str; 10] = [
    "nullable",
    "description",
    "title",
    "summary",
    "default",
    "example",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// A readable OpenAPI document.
#[derive(Debug, Clone, Copy)]
pub struct Contract<'a> {
    root: &'a Value,
}

/// A node with its JSON pointer, after any reference.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// Where it stands.
    pub pointer: String,
    /// What it holds.
    pub value: &'a Value,
}

/// An operation and what belongs to it.
#[derive(Debug, Clone)]
pub struct Operation<'a> {
    /// Method in lower case.
    pub method: &'a str,
    /// Path template.
    pub path: &'a str,
    /// The operation object.
    pub node: Node<'a>,
    /// Its parameters, those of the path included.
    pub parameters: Vec<Parameter<'a>>,
    /// Its body.
    pub body: Option<Node<'a>>,
    /// Its responses by status, in order.
    pub responses: Vec<(&'a str, Node<'a>)>,
    /// What it must be called with: one of these, where there are any.
    pub security: BTreeSet<String>,
    /// Where that is written.
    pub security_pointer: String,
}

/// A parameter of an operation.
#[derive(Debug, Clone)]
pub struct Parameter<'a> {
    /// The parameter object.
    pub node: Node<'a>,
    /// Its name; names of headers are in lower case.
    pub name: String,
    /// path, query, header or cookie.
    pub location: &'a str,
}

/// A schema with its references resolved.
#[derive(Debug, Clone)]
pub struct Schema<'a> {
    /// Where it is used.
    pub used_at: String,
    /// Where it is defined: the same, or a component.
    pub pointer: String,
    /// Name of the component.
    pub name: Option<&'a str>,
    node: &'a Value,
    /// References with keywords beside them, outermost first.
    around: Vec<(String, &'a Value)>,
}

impl<'a> Contract<'a> {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// Where it is no OpenAPI 3 document, or a reference leads nowhere.
    pub fn read(root: &'a Value) -> Result<Self> {
        let version = match root.get("openapi") {
            Some(Value::String(version)) => version.as_str(),
            _ if root.get("swagger").is_some() => {
                bail!("this is a Swagger 2 document: convert it to OpenAPI 3 first")
            }
            _ => bail!("there is no `openapi: 3.…`: this is no OpenAPI document"),
        };
        ensure!(
            version.starts_with("3."),
            "OpenAPI {version} is not understood: 3.0 and 3.1 are"
        );
        ensure!(
            root.get("paths").is_some_and(Value::is_object) || version.starts_with("3.1"),
            "there are no `paths`: this is no OpenAPI document"
        );
        let contract = Self { root };
        let mut checked = Ok(());
        each_reference(root, &mut |reference| {
            if let (Ok(()), Err(error)) = (&checked, contract.target(reference)) {
                checked = Err(error);
            }
        });
        checked.map(|()| contract)
    }

    /// The whole document.
    pub fn root(self) -> &'a Value {
        self.root
    }

    /// `info.version`.
    pub fn version(self) -> &'a str {
        self.root["info"]["version"].as_str().unwrap_or_default()
    }

    /// The entries of a kind of components.
    pub fn components(self, kind: &str) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        fields(&self.root["components"][kind])
    }

    /// Every component with its kind and name.
    pub fn all_components(self) -> impl Iterator<Item = (&'a str, &'a str, &'a Value)> + use<'a> {
        fields(&self.root["components"]).flat_map(|(kind, entries)| {
            fields(entries).map(move |(name, value)| (kind, name, value))
        })
    }

    /// One component.
    pub fn component(self, kind: &str, name: &str) -> Option<&'a Value> {
        self.root["components"][kind].get(name)
    }

    /// Pointers of the components that some path leads to.
    pub fn used(self) -> BTreeSet<&'a str> {
        let mut used = BTreeSet::new();
        let mut open = vec![&self.root["paths"]];
        while let Some(node) = open.pop() {
            each_reference(node, &mut |reference| {
                if let Some(pointer) = reference.strip_prefix('#')
                    && used.insert(pointer)
                    && let Some(target) = self.root.pointer(pointer)
                {
                    open.push(target);
                }
            });
        }
        used
    }

    /// The operations, in the order of the document.
    pub fn operations(self) -> Result<Vec<Operation<'a>>> {
        let mut found = Vec::new();
        for (path, item) in fields(&self.root["paths"]) {
            let item = self.node(item, format!("/paths/{}", escape(path)))?;
            for (method, value) in fields(item.value) {
                if METHODS.contains(&method) && value.is_object() {
                    found.push(self.operation(path, method, value, &item)?);
                }
            }
        }
        Ok(found)
    }

    fn operation(
        self,
        path: &'a str,
        method: &'a str,
        value: &'a Value,
        item: &Node<'a>,
    ) -> Result<Operation<'a>> {
        let pointer = format!("{}/{method}", item.pointer);
        let mut parameters: Vec<Parameter<'a>> = Vec::new();
        for (owner, at) in [(value, &pointer), (item.value, &item.pointer)] {
            for (index, parameter) in entries(&owner["parameters"]).iter().enumerate() {
                let node = self.node(parameter, format!("{at}/parameters/{index}"))?;
                let location = node.value["in"].as_str().unwrap_or_default();
                let mut name = node.value["name"].as_str().unwrap_or_default().to_owned();
                if location == "header" {
                    name.make_ascii_lowercase();
                }
                // A parameter of the operation takes the place of one of the path.
                if !parameters
                    .iter()
                    .any(|other| other.name == name && other.location == location)
                {
                    parameters.push(Parameter {
                        node,
                        name,
                        location,
                    });
                }
            }
        }
        let body = value
            .get("requestBody")
            .map(|body| self.node(body, format!("{pointer}/requestBody")))
            .transpose()?;
        let responses = fields(&value["responses"])
            .filter(|(status, _)| !status.starts_with("x-"))
            .map(|(status, response)| {
                let at = format!("{pointer}/responses/{}", escape(status));
                Ok((status, self.node(response, at)?))
            })
            .collect::<Result<_>>()?;
        let (security, security_pointer) = match value.get("security") {
            Some(own) => (own, format!("{pointer}/security")),
            None => (&self.root["security"], "/security".to_owned()),
        };
        Ok(Operation {
            method,
            path,
            node: Node { pointer, value },
            parameters,
            body,
            responses,
            security: entries(security).iter().map(alternative).collect(),
            security_pointer,
        })
    }

    /// The node itself, or what its reference leads to.
    pub fn node(self, value: &'a Value, pointer: String) -> Result<Node<'a>> {
        let mut node = Node { pointer, value };
        for _ in 0..32 {
            let Some(reference) = node.value.get("$ref").and_then(Value::as_str) else {
                return Ok(node);
            };
            node = self.target(reference)?;
        }
        bail!("{}: a chain of $ref does not end", node.pointer)
    }

    /// The schema at a place, with its references resolved.
    pub fn schema(self, value: &'a Value, used_at: String) -> Result<Schema<'a>> {
        let mut schema = Schema {
            pointer: used_at.clone(),
            used_at,
            name: None,
            node: value,
            around: Vec::new(),
        };
        for _ in 0..32 {
            let (next, pointer) = if let Some(reference) = reference(schema.node) {
                let target = self.target(reference)?;
                schema.name = reference.strip_prefix("#/components/schemas/");
                (target.value, target.pointer)
            } else if let Some(only) = wrapped(schema.node) {
                (only, format!("{}/allOf/0", schema.pointer))
            } else {
                return Ok(schema);
            };
            schema
                .around
                .push((std::mem::replace(&mut schema.pointer, pointer), schema.node));
            schema.node = next;
        }
        bail!("{}: a chain of $ref does not end", schema.pointer)
    }

    fn target(self, reference: &str) -> Result<Node<'a>> {
        let pointer = reference.strip_prefix('#').with_context(|| {
            format!("$ref {reference:?} leads out of the document: bundle it first")
        })?;
        let value = self
            .root
            .pointer(pointer)
            .with_context(|| format!("$ref {reference:?} leads nowhere"))?;
        Ok(Node {
            pointer: pointer.to_owned(),
            value,
        })
    }
}

impl<'a> Operation<'a> {
    /// The operationId, or method and path where there is none.
    pub fn name(&self) -> String {
        match self.id() {
            "" => self.request(),
            id => id.to_owned(),
        }
    }

    /// The operationId; empty where there is none.
    pub fn id(&self) -> &'a str {
        self.node.value["operationId"].as_str().unwrap_or_default()
    }

    /// Method and path.
    pub fn request(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }

    /// Method and path, whatever the path parameters are called.
    pub fn shape(&self) -> String {
        let mut shape = self.method.to_owned();
        for segment in self.path.split('/') {
            shape.push('/');
            if segment.starts_with('{') && segment.ends_with('}') {
                shape.push_str("{}");
            } else {
                shape.push_str(segment);
            }
        }
        shape
    }

    /// Names of the path parameters, in the order of the path.
    pub fn path_names(&self) -> Vec<&'a str> {
        self.path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .collect()
    }

    /// Whether a flag of the operation is set.
    pub fn is(&self, flag: &str) -> bool {
        self.node.value[flag] == true
    }

    /// The response that stands for success: the first with a body, or else the first.
    pub fn success(&self) -> Option<&(&'a str, Node<'a>)> {
        let successes = || {
            self.responses
                .iter()
                .filter(|(status, _)| is_success(status))
        };
        successes()
            .find(|(_, response)| fields(&response.value["content"]).next().is_some())
            .or_else(|| successes().next())
    }
}

impl<'a> Schema<'a> {
    /// A keyword, as it stands beside the reference or in what it leads to.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.holder(key).1.get(key)
    }

    /// The pointer of a keyword, or of where it would stand.
    pub fn at(&self, key: &str) -> String {
        format!("{}/{}", self.holder(key).0, escape(key))
    }

    fn holder(&self, key: &str) -> (&str, &'a Value) {
        self.around
            .iter()
            .find(|(_, value)| BESIDE.contains(&key) && value.get(key).is_some())
            .map_or((self.pointer.as_str(), self.node), |(at, value)| {
                (at.as_str(), *value)
            })
    }

    /// Every pointer between where it is used and where it is defined.
    pub fn references(&self) -> impl Iterator<Item = String> {
        self.around.iter().map(|(at, value)| {
            let key = if value.get("$ref").is_some() {
                "$ref"
            } else {
                "allOf"
            };
            format!("{at}/{key}")
        })
    }

    /// Whether a flag is set.
    pub fn is(&self, flag: &str) -> bool {
        self.get(flag) == Some(&Value::Bool(true))
    }

    /// The types it names, without null; none means any.
    pub fn types(&self) -> BTreeSet<&'a str> {
        match self.get("type") {
            Some(Value::String(name)) => BTreeSet::from([name.as_str()]),
            Some(Value::Array(names)) => names
                .iter()
                .filter_map(Value::as_str)
                .filter(|name| *name != "null")
                .collect(),
            _ => BTreeSet::new(),
        }
    }

    /// Whether it may be null.
    pub fn nullable(&self) -> bool {
        self.around
            .iter()
            .map(|(_, value)| *value)
            .chain([self.node])
            .any(|value| value.get("nullable") == Some(&Value::Bool(true)))
            || entries(self.get("type").unwrap_or(&Value::Null))
                .iter()
                .any(|name| name == "null")
    }

    /// The values it is limited to.
    pub fn values(&self) -> Option<Vec<&'a Value>> {
        match (self.get("enum"), self.get("const")) {
            (Some(Value::Array(values)), _) => Some(values.iter().collect()),
            (_, Some(value)) => Some(vec![value]),
            _ => None,
        }
    }

    /// Its properties.
    pub fn properties(&self) -> Option<&'a Map<String, Value>> {
        self.get("properties").and_then(Value::as_object)
    }

    /// Whether a property is required.
    pub fn requires(&self, property: &str) -> bool {
        entries(self.get("required").unwrap_or(&Value::Null))
            .iter()
            .any(|name| name == property)
    }
}

/// A `$ref` of a schema.
pub fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str)
}

/// Calls `visit` with every `$ref` below a node. What examples hold is data.
pub fn each_reference<'a>(node: &'a Value, visit: &mut impl FnMut(&'a str)) {
    match node {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    _ if key == "example" || key == "examples" || key.starts_with("x-") => {}
                    Value::String(reference) if key == "$ref" => visit(reference),
                    _ => each_reference(value, visit),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                each_reference(item, visit);
            }
        }
        _ => {}
    }
}

/// The one member of an `allOf` that only carries what may stand beside a reference.
fn wrapped(schema: &Value) -> Option<&Value> {
    let [only] = entries(&schema["allOf"]) else {
        return None;
    };
    fields(schema)
        .all(|(key, _)| key == "allOf" || key.starts_with("x-") || BESIDE.contains(&key))
        .then_some(only)
}

/// The fields of an object; none of anything else.
pub fn fields(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value))
}

/// The entries of an array; none of anything else.
pub fn entries(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A key as a segment of a JSON pointer.
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// One alternative of a security requirement, in words.
fn alternative(requirement: &Value) -> String {
    let mut schemes: Vec<String> = fields(requirement)
        .map(|(scheme, scopes)| {
            let mut scopes: Vec<&str> = entries(scopes).iter().filter_map(Value::as_str).collect();
            scopes.sort_unstable();
            if scopes.is_empty() {
                scheme.to_owned()
            } else {
                format!("{scheme} ({})", scopes.join(", "))
            }
        })
        .collect();
    schemes.sort_unstable();
    if schemes.is_empty() {
        return "nothing".to_owned();
    }
    schemes.join(" and ")
}
