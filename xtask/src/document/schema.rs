//! One schema, with its references resolved and its `allOf` merged.
//!
//! Supports OpenAPI 3.0 and 3.1: `type` may be one name or several, null may be a type, `nullable` or a member of `anyOf`.
//! A schema that is split into several parts reads like a single one.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use super::node::{LONGEST_CHAIN, SCHEMAS, entries, escape, fields, reference, target};

/// Keywords that annotate a reference and leave its type as it is.
const ANNOTATIONS: [&str; 12] = [
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
    "externalDocs",
    "xml",
];

/// More parts than any hand-written schema has.
const MOST_PARTS: usize = 1_000;

/// A schema with its references resolved.
#[derive(Debug, Clone)]
pub struct Schema<'a> {
    /// The pointer where it is used.
    pub used_at: String,
    /// The pointer where it is defined: the same, or a component.
    pub pointer: String,
    /// Name of the component, if it is one.
    pub name: Option<&'a str>,
    /// The references that lead to it, with their annotations, outermost first.
    references: Vec<(String, &'a Value)>,
    /// Its parts: its own node first, then the members of `allOf`.
    parts: Vec<(String, &'a Value)>,
}

impl<'a> Schema<'a> {
    /// Returns the schema at a place, with its references resolved.
    ///
    /// # Errors
    ///
    /// If a reference points outside the document, to nothing, or in a circle.
    pub fn resolve(document: &'a Value, value: &'a Value, used_at: String) -> Result<Self> {
        let mut schema = Self {
            pointer: used_at.clone(),
            used_at: used_at.clone(),
            name: None,
            references: Vec::new(),
            parts: Vec::new(),
        };
        let mut beside = Vec::new();
        let (pointer, node) = schema.follow(document, value, used_at, &mut beside)?;
        if !beside.is_empty() {
            schema.name = None;
        }
        schema.pointer.clone_from(&pointer);
        schema.add_part(document, pointer, node)?;
        for (pointer, node) in beside {
            schema.add_part(document, pointer, node)?;
        }
        Ok(schema)
    }

    /// Follows references to the definition of a schema; `beside` collects keywords next to them that limit it.
    fn follow(
        &mut self,
        document: &'a Value,
        value: &'a Value,
        pointer: String,
        beside: &mut Vec<(String, &'a Value)>,
    ) -> Result<(String, &'a Value)> {
        let (mut pointer, mut node) = (pointer, value);
        for _ in 0..LONGEST_CHAIN {
            let (next, next_pointer) = if let Some(reference) = reference(node) {
                let target = target(document, reference)?;
                self.name = reference.strip_prefix(SCHEMAS);
                if is_3_1(document) && fields(node).any(|(key, _)| limits(key)) {
                    beside.push((pointer.clone(), node));
                }
                (target.value, target.pointer)
            } else if let Some((only, key)) = wrapped(node) {
                let next_pointer = format!("{pointer}/{key}");
                (only, next_pointer)
            } else {
                return Ok((pointer, node));
            };
            self.references
                .push((std::mem::replace(&mut pointer, next_pointer), node));
            node = next;
        }
        bail!("{pointer}: a chain of $ref does not end")
    }

    /// Adds a node and the members of its `allOf`, without duplicates.
    fn add_part(&mut self, document: &'a Value, pointer: String, node: &'a Value) -> Result<()> {
        let mut open = vec![(pointer, node)];
        while let Some((pointer, node)) = open.pop() {
            if self.parts.iter().any(|(known, _)| *known == pointer) {
                continue;
            }
            ensure!(
                self.parts.len() < MOST_PARTS,
                "{}: a schema of more than {MOST_PARTS} parts",
                self.used_at
            );
            let members = entries(&node["allOf"]).iter().enumerate();
            for (index, member) in members.rev() {
                let at = format!("{pointer}/allOf/{index}");
                // Only the schema as a whole has a name.
                let name = self.name;
                let mut beside = Vec::new();
                let found = self.follow(document, member, at, &mut beside)?;
                self.name = name;
                open.push(found);
                open.append(&mut beside);
            }
            self.parts.push((pointer, node));
        }
        Ok(())
    }

    /// Combines this schema with another one that the same value must match.
    fn and(mut self, other: Self) -> Self {
        if self.pointer != other.pointer {
            self.name = None;
        }
        self.references.extend(other.references);
        for part in other.parts {
            if !self.parts.iter().any(|(known, _)| *known == part.0) {
                self.parts.push(part);
            }
        }
        self
    }

    /// Returns the value of a keyword, from the reference or its target.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.holder(key).and_then(|(_, node)| node.get(key))
    }

    /// Returns the pointer of a keyword, or the pointer it would have.
    pub fn at(&self, key: &str) -> String {
        let at = self
            .holder(key)
            .map_or(self.pointer.as_str(), |(at, _)| at.as_str());
        format!("{at}/{}", escape(key))
    }

    fn holder(&self, key: &str) -> Option<&(String, &'a Value)> {
        self.references
            .iter()
            .filter(|_| ANNOTATIONS.contains(&key))
            .chain(&self.parts)
            .find(|(_, value)| value.get(key).is_some())
    }

    /// Returns the values of a keyword in all parts, without duplicates.
    pub fn all(&self, key: &str) -> Vec<&'a Value> {
        let mut found: Vec<&'a Value> = Vec::new();
        for value in self.parts.iter().filter_map(|(_, node)| node.get(key)) {
            if !found.contains(&value) {
                found.push(value);
            }
        }
        found
    }

    /// Returns its parts with their pointers.
    pub fn parts(&self) -> impl Iterator<Item = (&str, &'a Value)> {
        self.parts.iter().map(|(at, node)| (at.as_str(), *node))
    }

    /// Returns the nodes between its use and its definition, with their pointers.
    pub fn references(&self) -> impl Iterator<Item = (&str, &'a Value)> {
        self.references
            .iter()
            .map(|(at, node)| (at.as_str(), *node))
    }

    /// Returns a string that identifies it among all schemas of the document.
    pub fn identity(&self) -> String {
        let pointers: Vec<&str> = self.parts().map(|(at, _)| at).collect();
        pointers.join(" ")
    }

    /// Reports whether it is a reference, or merged from several parts.
    pub fn is_shared(&self) -> bool {
        self.parts.len() > 1
            || self
                .references
                .iter()
                .any(|(_, value)| reference(value).is_some())
    }

    /// Reports whether a flag is set.
    pub fn is(&self, flag: &str) -> bool {
        self.get(flag) == Some(&Value::Bool(true))
    }

    /// Reports whether no value can match it.
    pub fn is_nothing(&self) -> bool {
        self.parts().any(|(_, node)| node == &Value::Bool(false))
    }

    /// Returns its types, without null. An empty set means any type.
    pub fn types(&self) -> BTreeSet<&'a str> {
        if self.is_nothing() {
            return BTreeSet::from(["nothing"]);
        }
        let mut common: Option<BTreeSet<&'a str>> = None;
        for value in self.all("type") {
            let names = type_names(value);
            common = Some(match common {
                None => names,
                Some(known) => {
                    let fits = |name: &&str, others: &BTreeSet<&str>| {
                        others.contains(name) || (*name == "integer" && others.contains("number"))
                    };
                    let one = known.iter().filter(|name| fits(name, &names));
                    let other = names.iter().filter(|name| fits(name, &known));
                    let both: BTreeSet<&str> = one.chain(other).copied().collect();
                    if both.is_empty() {
                        BTreeSet::from(["nothing"])
                    } else {
                        both
                    }
                }
            });
        }
        common.unwrap_or_default()
    }

    /// Reports whether it may be null.
    pub fn nullable(&self) -> bool {
        let says_so = |node: &Value| {
            node.get("nullable") == Some(&Value::Bool(true))
                || ["anyOf", "oneOf"]
                    .iter()
                    .any(|key| entries(&node[*key]).iter().any(is_null))
        };
        let typed = self.all("type");
        self.references().any(|(_, node)| says_so(node))
            || self.parts.first().is_some_and(|(_, node)| says_so(node))
            || (!typed.is_empty() && typed.iter().all(|value| has_null(value)))
    }

    /// Returns the values it is limited to.
    pub fn values(&self) -> Option<Vec<&'a Value>> {
        let mut common: Option<Vec<&'a Value>> = None;
        for (_, node) in self.parts() {
            let known = node.get("enum").or_else(|| node.get("x-extensible-enum"));
            let values: Vec<&'a Value> = match (known, node.get("const")) {
                (_, Some(value)) => vec![value],
                (Some(Value::Array(values)), _) => values.iter().collect(),
                _ => continue,
            };
            common = Some(match common {
                None => values,
                Some(known) => known
                    .into_iter()
                    .filter(|value| values.contains(value))
                    .collect(),
            });
        }
        common
    }

    /// Returns the members of `oneOf` or `anyOf`, without null.
    pub fn members(&self, key: &str) -> Vec<(String, &'a Value)> {
        let at = self.at(key);
        entries(self.get(key).unwrap_or(&Value::Null))
            .iter()
            .enumerate()
            .filter(|(_, member)| !is_null(member))
            .map(|(index, member)| (format!("{at}/{index}"), member))
            .collect()
    }

    /// Reports whether any part describes properties.
    pub fn has_properties(&self) -> bool {
        self.parts()
            .any(|(_, node)| node.get("properties").is_some())
    }

    /// Returns the names of its properties, without duplicates.
    pub fn properties(&self) -> Vec<&'a str> {
        let mut known = std::collections::HashSet::new();
        self.parts()
            .flat_map(|(_, node)| fields(&node["properties"]))
            .map(|(name, _)| name)
            .filter(|name| known.insert(*name))
            .collect()
    }

    /// Returns a property, merged from all parts.
    pub fn property(&self, document: &'a Value, name: &str) -> Result<Option<Self>> {
        let mut found: Option<Self> = None;
        for (at, node) in self.parts() {
            if let Some(value) = node["properties"].get(name) {
                let at = format!("{at}/properties/{}", escape(name));
                let schema = Self::resolve(document, value, at)?;
                found = Some(match found {
                    Some(known) => known.and(schema),
                    None => schema,
                });
            }
        }
        Ok(found)
    }

    /// Returns the schema under a keyword, merged from all parts.
    pub fn child(&self, document: &'a Value, key: &str) -> Result<Option<Self>> {
        let mut found: Option<Self> = None;
        for (at, node) in self.parts() {
            if let Some(value) = node.get(key).filter(|value| value.is_object()) {
                let schema = Self::resolve(document, value, format!("{at}/{key}"))?;
                found = Some(match found {
                    Some(known) => known.and(schema),
                    None => schema,
                });
            }
        }
        Ok(found)
    }

    /// Returns the required names, whether they are described or not.
    pub fn required(&self) -> BTreeSet<&'a str> {
        self.parts()
            .flat_map(|(_, node)| entries(&node["required"]))
            .filter_map(Value::as_str)
            .collect()
    }
}

impl Schema<'_> {
    /// Returns the pointer of the entry that makes a name required.
    pub fn required_at(&self, name: &str) -> Option<String> {
        self.parts().find_map(|(at, node)| {
            let index = entries(&node["required"])
                .iter()
                .position(|entry| entry == name)?;
            Some(format!("{at}/required/{index}"))
        })
    }
}

fn is_3_1(document: &Value) -> bool {
    document["openapi"]
        .as_str()
        .is_some_and(|version| !version.starts_with("3.0"))
}

/// Reports whether a keyword next to a reference limits its values.
fn limits(key: &str) -> bool {
    key != "$ref" && !key.starts_with("x-") && !ANNOTATIONS.contains(&key)
}

fn type_names(value: &Value) -> BTreeSet<&str> {
    match value {
        Value::String(name) => BTreeSet::from([name.as_str()]),
        Value::Array(names) => {
            let names: BTreeSet<&str> = names.iter().filter_map(Value::as_str).collect();
            let others: BTreeSet<&str> = names
                .iter()
                .copied()
                .filter(|name| *name != "null")
                .collect();
            if others.is_empty() { names } else { others }
        }
        _ => BTreeSet::new(),
    }
}

fn has_null(kind: &Value) -> bool {
    kind == "null" || entries(kind).iter().any(|name| name == "null")
}

/// Reports whether a member only allows null.
fn is_null(member: &Value) -> bool {
    member["type"] == "null" || member.get("const") == Some(&Value::Null)
}

/// Returns the only member of `allOf`, `anyOf` or `oneOf` besides null, if all other keywords are annotations.
fn wrapped(schema: &Value) -> Option<(&Value, String)> {
    let key = ["allOf", "anyOf", "oneOf"]
        .into_iter()
        .find(|key| schema.get(*key).is_some())?;
    let mut members = entries(&schema[key])
        .iter()
        .enumerate()
        .filter(|(_, member)| key == "allOf" || !is_null(member));
    let (index, only) = members.next()?;
    (members.next().is_none()
        && fields(schema).all(|(other, _)| {
            other == key || other.starts_with("x-") || ANNOTATIONS.contains(&other)
        }))
    .then(|| (only, format!("{key}/{index}")))
}
