//! A whole contract: its operations with everything they refer to.

use std::collections::{BTreeSet, HashSet};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::node::{Node, entries, escape, fields, place_of, references, resolve_at, target};
use super::operation::{is_success, methods, path_shape};
use super::schema::Schema;

/// An OpenAPI 3.0 or 3.1 document whose references all resolve.
#[derive(Debug, Clone, Copy)]
pub struct Contract<'a> {
    root: &'a Value,
}

/// An operation with everything that applies to it.
#[derive(Debug, Clone)]
pub struct ResolvedOperation<'a> {
    /// Method in lower case.
    pub method: &'a str,
    /// Path template.
    pub path: &'a str,
    /// The operation object.
    pub node: Node<'a>,
    /// Its parameters, including those of the path.
    pub parameters: Vec<Parameter<'a>>,
    /// Its body.
    pub body: Option<Node<'a>>,
    /// Its responses by status, in order.
    pub responses: Vec<(&'a str, Node<'a>)>,
    /// Its servers: its own list, the one of its path, or the one of the document.
    pub servers: Node<'a>,
    /// The alternative security requirements; empty if there are none.
    pub security: BTreeSet<String>,
    /// The pointer of the security requirements.
    pub security_pointer: String,
}

/// A parameter of an operation.
#[derive(Debug, Clone)]
pub struct Parameter<'a> {
    /// The parameter object.
    pub node: Node<'a>,
    /// Its name, in lower case for headers.
    pub name: String,
    /// path, query, header or cookie.
    pub location: &'a str,
}

impl<'a> Contract<'a> {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// If it is not an OpenAPI 3 document, or a reference cannot be resolved.
    pub fn read(root: &'a Value) -> Result<Self> {
        let version = match root.get("openapi") {
            Some(Value::String(version)) => version.as_str(),
            _ if root.get("swagger").is_some() => {
                bail!("unsupported Swagger 2 document: convert it to OpenAPI 3 first")
            }
            _ => bail!("not a valid OpenAPI document: expected `openapi: 3.…`"),
        };
        ensure!(
            version.starts_with("3."),
            "unsupported OpenAPI version {version}: expected 3.0 or 3.1"
        );
        ensure!(
            root.get("paths").is_some_and(Value::is_object) || version.starts_with("3.1"),
            "not a valid OpenAPI document: expected `paths`"
        );
        let mut known = HashSet::new();
        for reference in references(root) {
            if !known.insert(reference) {
                continue;
            }
            target(root, reference)
                .with_context(|| place_of(root, reference, "").unwrap_or_default())?;
        }
        Ok(Self { root })
    }

    /// The whole document.
    pub fn root(self) -> &'a Value {
        self.root
    }

    /// `info.version`.
    pub fn version(self) -> &'a str {
        self.root["info"]["version"].as_str().unwrap_or_default()
    }

    /// Returns the components of a kind.
    pub fn components(self, kind: &str) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        fields(&self.root["components"][kind])
    }

    /// Returns every component with its kind and name.
    pub fn all_components(self) -> impl Iterator<Item = (&'a str, &'a str, &'a Value)> + use<'a> {
        fields(&self.root["components"]).flat_map(|(kind, entries)| {
            fields(entries).map(move |(name, value)| (kind, name, value))
        })
    }

    /// Returns one component.
    pub fn component(self, kind: &str, name: &str) -> Option<&'a Value> {
        self.root["components"][kind].get(name)
    }

    /// Returns pointers of the components that some path or webhook refers to.
    pub fn used(self) -> BTreeSet<&'a str> {
        self.reached(vec![&self.root["paths"], &self.root["webhooks"]])
    }

    /// Returns pointers of the components that these nodes refer to.
    pub fn reached(self, mut open: Vec<&'a Value>) -> BTreeSet<&'a str> {
        let mut used = BTreeSet::new();
        while let Some(node) = open.pop() {
            for reference in references(node) {
                if let Some(pointer) = reference.strip_prefix('#')
                    && used.insert(pointer)
                    && let Some(target) = self.root.pointer(pointer)
                {
                    open.push(target);
                }
            }
        }
        used
    }

    /// Returns the operations, in the order of the document.
    pub fn operations(self) -> Result<Vec<ResolvedOperation<'a>>> {
        let mut found = Vec::new();
        for (path, item) in fields(&self.root["paths"]) {
            let item = self.node(item, format!("/paths/{}", escape(path)))?;
            for (method, value) in methods(item.value) {
                if value.is_object() {
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
    ) -> Result<ResolvedOperation<'a>> {
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
                // A parameter of the operation replaces one of the path.
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
        let own = [(value, &pointer), (item.value, &item.pointer)];
        let servers = own
            .into_iter()
            .find_map(|(owner, at)| Some((owner.get("servers")?, format!("{at}/servers"))))
            .unwrap_or((&self.root["servers"], "/servers".to_owned()));
        Ok(ResolvedOperation {
            servers: Node {
                value: servers.0,
                pointer: servers.1,
            },
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

    /// Returns the node itself, or the target of its reference.
    ///
    /// # Errors
    ///
    /// If a reference points outside the document, to nothing, or in a circle.
    pub fn node(self, value: &'a Value, pointer: String) -> Result<Node<'a>> {
        resolve_at(self.root, value, pointer)
    }

    /// Returns the schema at a place, with its references resolved.
    ///
    /// # Errors
    ///
    /// As for [`Contract::node`].
    pub fn schema(self, value: &'a Value, used_at: String) -> Result<Schema<'a>> {
        Schema::resolve(self.root, value, used_at)
    }
}

impl<'a> ResolvedOperation<'a> {
    /// Returns the operationId, or method and path if there is none.
    pub fn name(&self) -> String {
        match self.id() {
            "" => self.request(),
            id => id.to_owned(),
        }
    }

    /// Returns the operationId, or an empty string.
    pub fn id(&self) -> &'a str {
        self.node.value["operationId"].as_str().unwrap_or_default()
    }

    /// Returns method and path.
    pub fn request(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }

    /// Returns method and path without the names of path parameters.
    pub fn shape(&self) -> String {
        format!("{} {}", self.method, path_shape(self.path))
    }

    /// Returns the names of the path parameters, in the order of the path.
    pub fn path_names(&self) -> Vec<&'a str> {
        self.path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .collect()
    }

    /// Reports whether a flag of the operation is set.
    pub fn is(&self, flag: &str) -> bool {
        self.node.value[flag] == true
    }

    /// Returns the main successful response: the first with a body, or else the first.
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

/// Describes one alternative of a security requirement.
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
