//! The context of a comparison: the two contracts, and the findings.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Value, json};

use crate::diff::finding::{ChangeLocation, Findings, SeverityOverride};
use crate::diff::residual::for_readers;
use crate::diff::schema::{SchemaContext, Schemas};
use crate::document::{Contract, Node, escape, fields};

/// Two contracts, and the findings so far.
pub(super) struct Comparison<'a> {
    pub(super) old: Contract<'a>,
    pub(super) new: Contract<'a>,
    pub(super) schemas: Schemas<'a>,
    pub(super) findings: Findings,
    /// The nodes of the operations in both documents: before, and now.
    pub(super) operations: [Vec<&'a Value>; 2],
}

impl<'a> Comparison<'a> {
    pub(super) fn new(old: Contract<'a>, new: Contract<'a>) -> Self {
        Self {
            schemas: Schemas::new(old, new),
            old,
            new,
            findings: Findings::default(),
            operations: [Vec::new(), Vec::new()],
        }
    }

    pub(super) fn content(
        &mut self,
        context: &SchemaContext,
        before: &Node<'a>,
        after: &Node<'a>,
        (removed, added): (&str, &str),
    ) -> Result<()> {
        let list = |node: &Node<'a>| -> Vec<(String, Node<'a>)> {
            fields(&node.value["content"])
                .map(|(name, value)| {
                    let pointer = format!("{}/content/{}", node.pointer, escape(name));
                    (media_type(name), Node { pointer, value })
                })
                .collect()
        };
        let (old, new) = (list(before), list(after));
        let severity = context.severity();
        for (name, node) in missing(&old, &new) {
            let location = at(&context.operation, &context.subject, &node.pointer);
            self.findings
                .add(removed, location, json!(name), Value::Null, severity);
        }
        for (name, node) in missing(&new, &old) {
            let location = at(&context.operation, &context.subject, &node.pointer);
            self.findings
                .add(added, location, Value::Null, json!(name), severity);
        }
        for (name, was) in &old {
            if let Some((_, is)) = new.iter().find(|(other, _)| other == name) {
                let called = |node: &Node<'a>| node.pointer.rsplit('/').next().map(str::to_owned);
                if called(was) != called(is) {
                    let location = at(&context.operation, &context.subject, &is.pointer);
                    let [from, to] = [was, is]
                        .map(|node| json!(called(node).map(|name| name.replace("~1", "/"))));
                    self.add("document-rewritten", location, from, to);
                }
                self.schema_of(context, was, is)?;
                let place = (context.operation.as_str(), context.subject.as_str());
                self.rest(place, (was, is), &["schema"]);
            }
        }
        Ok(())
    }

    /// Compares the fields of two nodes that have no rules.
    pub(super) fn rest(
        &mut self,
        (operation, subject): (&str, &str),
        (old, new): (&Node<'a>, &Node<'a>),
        known: &[&str],
    ) {
        let keys: BTreeSet<&str> = fields(old.value)
            .chain(fields(new.value))
            .map(|(key, _)| key)
            .collect();
        for key in keys {
            let (was, is) = (old.value.get(key), new.value.get(key));
            if was == is {
                continue;
            }
            let holder = if is.is_some() { new } else { old };
            let pointer = format!("{}/{}", holder.pointer, escape(key));
            let id = match key {
                _ if known.contains(&key) => {
                    let is_plain = [was, is]
                        .iter()
                        .flatten()
                        .all(|value| !value.is_object() && !value.is_array());
                    let explained = self.findings.explained();
                    let is_explained = [&old.pointer, &new.pointer].into_iter().any(|at| {
                        explained.contains(at)
                            || explained.contains(&format!("{at}/{}", escape(key)))
                    });
                    if !is_plain || is_explained {
                        continue;
                    }
                    "document-rewritten"
                }
                "bearerFormat" => "documentation-changed",
                _ => for_readers(key).unwrap_or("document-changed"),
            };
            let location = at(operation, subject, &pointer);
            let [was, is] = [was, is].map(|value| value.cloned().unwrap_or(Value::Null));
            self.add(id, location, was, is);
        }
        self.findings.mark_explained(old.pointer.clone());
        self.findings.mark_explained(new.pointer.clone());
    }

    /// Compares the schemas under `schema`, or in the content of a parameter.
    pub(super) fn schema_of(
        &mut self,
        context: &SchemaContext,
        old: &Node<'a>,
        new: &Node<'a>,
    ) -> Result<()> {
        let schema = |contract: Contract<'a>, node: &Node<'a>| {
            let (holder, at) = match fields(&node.value["content"]).next() {
                Some((media, value)) => {
                    (value, format!("{}/content/{}", node.pointer, escape(media)))
                }
                None => (node.value, node.pointer.clone()),
            };
            // Without a schema any value is allowed.
            let value = holder.get("schema").unwrap_or(&Value::Null);
            contract.schema(value, format!("{at}/schema"))
        };
        let (old, new) = (schema(self.old, old)?, schema(self.new, new)?);
        self.schemas
            .compare(context, &old, &new, &mut self.findings)
    }

    pub(super) fn description(
        &mut self,
        operation: &str,
        subject: &str,
        (old, new): (&Node<'a>, &Node<'a>),
        key: &str,
    ) {
        let (before, after) = (&old.value[key], &new.value[key]);
        if before != after {
            let location = at(operation, subject, &format!("{}/{key}", new.pointer));
            self.add(
                "description-changed",
                location,
                before.clone(),
                after.clone(),
            );
        }
    }

    pub(super) fn add(&mut self, id: &str, location: ChangeLocation, old: Value, new: Value) {
        self.findings
            .add(id, location, old, new, SeverityOverride::default());
    }
}

/// Returns a location that explains no other pointers.
pub(super) fn at(operation: &str, subject: &str, pointer: &str) -> ChangeLocation {
    ChangeLocation {
        operation: operation.to_owned(),
        subject: subject.to_owned(),
        pointer: pointer.to_owned(),
        explains: Vec::new(),
    }
}

/// Returns the entries of one list whose key is not in the other list.
pub(super) fn missing<'v, K: PartialEq, V>(
    list: &'v [(K, V)],
    other: &'v [(K, V)],
) -> impl Iterator<Item = (&'v K, &'v V)> {
    list.iter()
        .filter(|(key, _)| other.iter().all(|(known, _)| known != key))
        .map(|(key, value)| (key, value))
}

/// Returns the content types of a body.
pub(super) fn media_types(node: &Node<'_>) -> Value {
    fields(&node.value["content"])
        .map(|(name, _)| name)
        .collect::<Vec<_>>()
        .into()
}

/// Normalises a media type: `charset=utf-8` is the default of JSON and text.
fn media_type(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let mut parts = lower.split(';').map(str::trim);
    let mut media = parts.next().unwrap_or_default().to_owned();
    let mut parameters: Vec<&str> = parts
        .filter(|part| !part.is_empty() && !matches!(*part, "charset=utf-8" | "charset=\"utf-8\""))
        .collect();
    parameters.sort_unstable();
    for parameter in parameters {
        media.push_str("; ");
        media.push_str(parameter);
    }
    media
}
