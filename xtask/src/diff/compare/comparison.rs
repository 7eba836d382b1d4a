//! What every part of a comparison needs: the two contracts, and where findings go.

use anyhow::Result;
use serde_json::{Value, json};

use crate::diff::finding::{ChangeLocation, Findings, SeverityOverride};
use crate::diff::schema::{SchemaContext, Schemas};
use crate::document::{Contract, Node, escape, fields};

/// Two contracts, and what was found so far.
pub(super) struct Comparison<'a> {
    pub(super) old: Contract<'a>,
    pub(super) new: Contract<'a>,
    pub(super) schemas: Schemas<'a>,
    pub(super) findings: Findings,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(old: Contract<'a>, new: Contract<'a>) -> Self {
        Self {
            schemas: Schemas::new(old, new),
            old,
            new,
            findings: Findings::default(),
        }
    }

    pub(super) fn content(
        &mut self,
        context: &SchemaContext,
        before: &Node<'a>,
        after: &Node<'a>,
        (removed, added): (&str, &str),
    ) -> Result<()> {
        let list = |node: &Node<'a>| -> Vec<(String, &'a Value)> {
            fields(&node.value["content"])
                .map(|(name, value)| (name.to_ascii_lowercase(), value))
                .collect()
        };
        let pointer = |node: &Node<'a>, name: &str| {
            let original = fields(&node.value["content"])
                .map(|(key, _)| key)
                .find(|key| key.eq_ignore_ascii_case(name));
            format!(
                "{}/content/{}",
                node.pointer,
                escape(original.unwrap_or(name))
            )
        };
        let (old, new) = (list(before), list(after));
        let severity = context.severity();
        for (name, _) in missing(&old, &new) {
            let location = at(&context.operation, &context.subject, &pointer(before, name));
            self.findings
                .add(removed, location, json!(name), Value::Null, severity);
        }
        for (name, _) in missing(&new, &old) {
            let location = at(&context.operation, &context.subject, &pointer(after, name));
            self.findings
                .add(added, location, Value::Null, json!(name), severity);
        }
        for (name, was) in &old {
            if let Some((_, is)) = new.iter().find(|(other, _)| other == name) {
                let was = Node {
                    pointer: pointer(before, name),
                    value: was,
                };
                let is = Node {
                    pointer: pointer(after, name),
                    value: is,
                };
                self.schema_of(context, &was, &is)?;
            }
        }
        Ok(())
    }

    /// Compares what stands under `schema`, or what the content of a parameter holds.
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
            // Without a schema anything goes.
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

/// A location whose change explains no other pointers.
pub(super) fn at(operation: &str, subject: &str, pointer: &str) -> ChangeLocation {
    ChangeLocation {
        operation: operation.to_owned(),
        subject: subject.to_owned(),
        pointer: pointer.to_owned(),
        explains: Vec::new(),
    }
}

/// The entries of one list whose key the other list does not have.
pub(super) fn missing<'v, K: PartialEq, V>(
    list: &'v [(K, V)],
    other: &'v [(K, V)],
) -> impl Iterator<Item = (&'v K, &'v V)> {
    list.iter()
        .filter(|(key, _)| other.iter().all(|(known, _)| known != key))
        .map(|(key, value)| (key, value))
}

/// The content types of a body.
pub(super) fn media_types(node: &Node<'_>) -> Value {
    fields(&node.value["content"])
        .map(|(name, _)| name)
        .collect::<Vec<_>>()
        .into()
}
