//! One schema, with its references resolved.
//!
//! Both OpenAPI 3.0 and 3.1 are read: `type` may be one name or several, null
//! may be a type or `nullable`.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use super::node::{LONGEST_CHAIN, entries, escape, fields, reference, target};
use super::schemas::SCHEMAS;

/// Keywords that annotate a reference and leave its type as it is.
const ANNOTATIONS: [&str; 10] = [
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
    /// The references on the way there, with their annotations, outermost first.
    references: Vec<(String, &'a Value)>,
}

impl<'a> Schema<'a> {
    /// The schema at a place, with its references resolved.
    ///
    /// # Errors
    ///
    /// Where a reference points outside the document, to nothing, or in a circle.
    pub fn resolve(document: &'a Value, value: &'a Value, used_at: String) -> Result<Self> {
        let mut schema = Self {
            pointer: used_at.clone(),
            used_at,
            name: None,
            node: value,
            references: Vec::new(),
        };
        for _ in 0..LONGEST_CHAIN {
            let (next, pointer) = if let Some(reference) = reference(schema.node) {
                let target = target(document, reference)?;
                schema.name = reference.strip_prefix(SCHEMAS);
                (target.value, target.pointer)
            } else if let Some(only) = wrapped(schema.node) {
                (only, format!("{}/allOf/0", schema.pointer))
            } else {
                return Ok(schema);
            };
            schema
                .references
                .push((std::mem::replace(&mut schema.pointer, pointer), schema.node));
            schema.node = next;
        }
        bail!("{}: a chain of $ref does not end", schema.pointer)
    }

    /// A keyword, of the reference or of what it names.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.holder(key).1.get(key)
    }

    /// The pointer of a keyword, or of where it would stand.
    pub fn at(&self, key: &str) -> String {
        format!("{}/{}", self.holder(key).0, escape(key))
    }

    fn holder(&self, key: &str) -> (&str, &'a Value) {
        self.references
            .iter()
            .find(|(_, value)| ANNOTATIONS.contains(&key) && value.get(key).is_some())
            .map_or((self.pointer.as_str(), self.node), |(at, value)| {
                (at.as_str(), *value)
            })
    }

    /// Every pointer between where it is used and where it is defined.
    pub fn references(&self) -> impl Iterator<Item = String> {
        self.references.iter().map(|(at, value)| {
            let key = if value.get("$ref").is_some() {
                "$ref"
            } else {
                "allOf"
            };
            format!("{at}/{key}")
        })
    }

    /// Whether a `$ref` leads to it.
    pub fn is_referred_to(&self) -> bool {
        self.references
            .iter()
            .any(|(_, value)| reference(value).is_some())
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
        self.references
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

/// The one member of an `allOf` whose only other keywords are annotations.
fn wrapped(schema: &Value) -> Option<&Value> {
    let [only] = entries(&schema["allOf"]) else {
        return None;
    };
    fields(schema)
        .all(|(key, _)| key == "allOf" || key.starts_with("x-") || ANNOTATIONS.contains(&key))
        .then_some(only)
}
