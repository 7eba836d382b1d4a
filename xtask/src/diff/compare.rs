//! Compares two contracts, from the document down to each body and parameter.

mod request;
mod response;

use std::collections::{BTreeSet, HashMap};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::finding::{Finding, Findings, Place, Verdict};
use super::residual;
use super::rules::{Runtime, RustApi};
use super::schema::{Schemas, Walk};
use crate::document::{Contract, Node, ResolvedOperation, entries, escape, fields};

/// Every difference between two contracts, the worst first.
pub(super) fn compare(old: &Value, new: &Value) -> Result<Vec<Finding>> {
    let old = Contract::read(old).context("old")?;
    let new = Contract::read(new).context("new")?;
    let before = old.operations().context("old")?;
    let after = new.operations().context("new")?;
    let mut order: HashMap<String, usize> = HashMap::new();
    for operation in after.iter().chain(&before) {
        let next = order.len();
        order.entry(operation.name()).or_insert(next);
    }
    let mut comparison = Comparison {
        schemas: Schemas::new(old, new),
        old,
        new,
        findings: Findings::default(),
    };
    comparison.document();
    comparison.operations(&before, &after)?;
    comparison.components();
    let mut findings = comparison.findings;
    residual::report(old.root(), new.root(), &mut findings);
    Ok(findings.sorted(&order))
}

struct Comparison<'a> {
    old: Contract<'a>,
    new: Contract<'a>,
    schemas: Schemas<'a>,
    findings: Findings,
}

impl<'a> Comparison<'a> {
    fn document(&mut self) {
        let servers = |contract: Contract<'a>| -> Vec<(String, String)> {
            entries(&contract.root()["servers"])
                .iter()
                .enumerate()
                .map(|(index, server)| {
                    let url = server["url"].as_str().unwrap_or_default().to_owned();
                    (url, format!("/servers/{index}"))
                })
                .collect()
        };
        let (before, after) = (servers(self.old), servers(self.new));
        for (url, location) in missing(&before, &after) {
            let place = at("", &format!("server {url}"), location);
            self.add("server-removed", place, json!(url), Value::Null);
        }
        for (url, location) in missing(&after, &before) {
            let place = at("", &format!("server {url}"), location);
            self.add("server-added", place, Value::Null, json!(url));
        }
        let tags = |contract: Contract<'a>| -> Vec<(String, String)> {
            entries(&contract.root()["tags"])
                .iter()
                .enumerate()
                .filter_map(|(index, tag)| {
                    Some((tag["name"].as_str()?.to_owned(), format!("/tags/{index}")))
                })
                .collect()
        };
        let (before, after) = (tags(self.old), tags(self.new));
        for (name, location) in missing(&before, &after) {
            let place = at("", &format!("tag {name}"), location);
            self.add("tag-removed", place, json!(name), Value::Null);
        }
        for (name, location) in missing(&after, &before) {
            let place = at("", &format!("tag {name}"), location);
            self.add("tag-added", place, Value::Null, json!(name));
        }
        let before: Vec<_> = self.old.components("securitySchemes").collect();
        let after: Vec<_> = self.new.components("securitySchemes").collect();
        let scheme = |name: &str| {
            at(
                "",
                &format!("security scheme {name}"),
                &format!("/components/securitySchemes/{}", escape(name)),
            )
        };
        for (name, value) in &before {
            match after.iter().find(|(other, _)| other == name) {
                None => self.add(
                    "security-scheme-removed",
                    scheme(name),
                    spoken(value),
                    Value::Null,
                ),
                Some((_, now)) if spoken(value) != spoken(now) => {
                    self.add(
                        "security-scheme-changed",
                        scheme(name),
                        spoken(value),
                        spoken(now),
                    );
                }
                Some(_) => {}
            }
        }
        for (name, value) in missing(&after, &before) {
            self.add(
                "security-scheme-added",
                scheme(name),
                Value::Null,
                spoken(value),
            );
        }
    }

    fn operations(
        &mut self,
        before: &[ResolvedOperation<'a>],
        after: &[ResolvedOperation<'a>],
    ) -> Result<()> {
        let mut left: Vec<&ResolvedOperation<'a>> = Vec::new();
        let by_shape: HashMap<String, &ResolvedOperation<'a>> = after
            .iter()
            .map(|operation| (operation.shape(), operation))
            .collect();
        let mut taken: BTreeSet<&str> = BTreeSet::new();
        let mut pairs = Vec::new();
        for old in before {
            match by_shape.get(&old.shape()) {
                Some(new) => {
                    taken.insert(&new.node.pointer);
                    pairs.push((old, *new));
                }
                None => left.push(old),
            }
        }
        for old in left {
            let moved = after.iter().find(|new| {
                !old.id().is_empty()
                    && new.id() == old.id()
                    && !taken.contains(new.node.pointer.as_str())
            });
            let name = old.name();
            if let Some(new) = moved {
                taken.insert(&new.node.pointer);
                let mut place = at(&name, &name, &new.node.pointer);
                place.covers = vec![old.node.pointer.clone(), new.node.pointer.clone()];
                self.add(
                    "endpoint-moved",
                    place,
                    json!(old.request()),
                    json!(new.request()),
                );
                pairs.push((old, new));
                continue;
            }
            let id = if old.is("deprecated") {
                "endpoint-removed-after-deprecation"
            } else {
                "endpoint-removed"
            };
            self.add(
                id,
                at(&name, &subject(old), &old.node.pointer),
                json!(old.request()),
                Value::Null,
            );
        }
        for new in after {
            if !taken.contains(new.node.pointer.as_str()) {
                let place = at(&new.name(), &subject(new), &new.node.pointer);
                self.add("endpoint-added", place, Value::Null, json!(new.request()));
            }
        }
        for (old, new) in pairs {
            self.operation(old, new)?;
        }
        Ok(())
    }

    fn operation(
        &mut self,
        old: &ResolvedOperation<'a>,
        new: &ResolvedOperation<'a>,
    ) -> Result<()> {
        let name = new.name();
        let place = |key: &str| at(&name, &name, &format!("{}/{key}", new.node.pointer));
        if old.id() != new.id() {
            let mut place = place("operationId");
            place.subject = new.request();
            self.add("endpoint-renamed", place, named(old.id()), named(new.id()));
        }
        match (old.is("deprecated"), new.is("deprecated")) {
            (false, true) => {
                self.add(
                    "endpoint-deprecated",
                    place("deprecated"),
                    json!(false),
                    json!(true),
                );
            }
            (true, false) => {
                self.add(
                    "endpoint-reactivated",
                    place("deprecated"),
                    json!(true),
                    json!(false),
                );
            }
            _ => {}
        }
        if old.node.value["tags"] != new.node.value["tags"] {
            self.add(
                "endpoint-tags-changed",
                place("tags"),
                old.node.value["tags"].clone(),
                new.node.value["tags"].clone(),
            );
        }
        for key in ["summary", "description"] {
            self.description(&name, &name, (&old.node, &new.node), key);
        }
        self.security(old, new);
        self.parameters(old, new)?;
        self.body(old, new)?;
        self.responses(old, new)?;
        self.paging(old, new)
    }

    fn security(&mut self, old: &ResolvedOperation<'a>, new: &ResolvedOperation<'a>) {
        let name = new.name();
        let mut place = at(&name, &name, &new.security_pointer);
        place.covers = vec![old.security_pointer.clone()];
        let open = |operation: &ResolvedOperation<'a>| {
            operation.security.is_empty() || operation.security.contains("nothing")
        };
        let list = |operation: &ResolvedOperation<'a>| -> Value {
            operation
                .security
                .iter()
                .filter(|alternative| *alternative != "nothing")
                .cloned()
                .collect()
        };
        match (open(old), open(new)) {
            (true, false) => {
                self.add("endpoint-security-added", place, Value::Null, list(new));
            }
            (false, true) => {
                self.add("endpoint-security-removed", place, list(old), Value::Null);
            }
            _ => {
                for gone in old.security.difference(&new.security) {
                    let id = "endpoint-security-alternative-removed";
                    self.add(id, place.clone(), json!(gone), Value::Null);
                }
                for added in new.security.difference(&old.security) {
                    let id = "endpoint-security-alternative-added";
                    self.add(id, place.clone(), Value::Null, json!(added));
                }
            }
        }
    }

    fn content(
        &mut self,
        walk: &Walk,
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
        let verdict = walk.verdict();
        for (name, _) in missing(&old, &new) {
            let place = at(&walk.operation, &walk.subject, &pointer(before, name));
            self.findings
                .add(removed, place, json!(name), Value::Null, verdict);
        }
        for (name, _) in missing(&new, &old) {
            let place = at(&walk.operation, &walk.subject, &pointer(after, name));
            self.findings
                .add(added, place, Value::Null, json!(name), verdict);
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
                self.schema_of(walk, &was, &is)?;
            }
        }
        Ok(())
    }

    /// Compares what stands under `schema`, or what the content of a parameter holds.
    fn schema_of(&mut self, walk: &Walk, old: &Node<'a>, new: &Node<'a>) -> Result<()> {
        let schema = |contract: Contract<'a>, node: &Node<'a>| {
            let (holder, at) = match fields(&node.value["content"]).next() {
                Some((media, content)) => (
                    content,
                    format!("{}/content/{}", node.pointer, escape(media)),
                ),
                None => (node.value, node.pointer.clone()),
            };
            // Without a schema anything goes.
            let value = holder.get("schema").unwrap_or(&Value::Null);
            contract.schema(value, format!("{at}/schema"))
        };
        let (old, new) = (schema(self.old, old)?, schema(self.new, new)?);
        self.schemas.compare(walk, &old, &new, &mut self.findings)
    }

    /// Components that came or went: findings about their users say why, the others are listed.
    fn components(&mut self) {
        for (contract, other, gone) in [(self.old, self.new, true), (self.new, self.old, false)] {
            let used = contract.used();
            for (kind, name, value) in contract.all_components() {
                if kind == "securitySchemes" || other.component(kind, name).is_some() {
                    continue;
                }
                let location = format!("/components/{kind}/{}", escape(name));
                if used.contains(location.as_str()) {
                    self.findings.cover(location);
                } else if kind == "schemas" {
                    let place = at("", &format!("schema {name}"), &location);
                    if gone {
                        self.add("schema-removed", place, value.clone(), Value::Null);
                    } else {
                        self.add("schema-added", place, Value::Null, value.clone());
                    }
                }
            }
        }
    }

    fn description(
        &mut self,
        operation: &str,
        subject: &str,
        (old, new): (&Node<'a>, &Node<'a>),
        key: &str,
    ) {
        let (before, after) = (&old.value[key], &new.value[key]);
        if before != after {
            let place = at(operation, subject, &format!("{}/{key}", new.pointer));
            self.add("description-changed", place, before.clone(), after.clone());
        }
    }

    fn add(&mut self, id: &str, place: Place, old: Value, new: Value) {
        self.findings.add(id, place, old, new, Verdict::default());
    }
}

/// What a client that tells failures by their status makes of a change in their bodies.
pub(super) fn ignored() -> Verdict {
    Verdict {
        runtime: Some(Runtime::Works),
        rust_api: Some(RustApi::None),
    }
}

fn at(operation: &str, subject: &str, location: &str) -> Place {
    Place {
        operation: operation.to_owned(),
        subject: subject.to_owned(),
        location: location.to_owned(),
        covers: Vec::new(),
    }
}

/// An operation with the request that it is.
fn subject(operation: &ResolvedOperation<'_>) -> String {
    match operation.id() {
        "" => operation.request(),
        id => format!("{id} ({})", operation.request()),
    }
}

fn named(id: &str) -> Value {
    if id.is_empty() {
        Value::Null
    } else {
        json!(id)
    }
}

/// The entries of one list whose key the other list does not have.
fn missing<'v, K: PartialEq, V>(
    list: &'v [(K, V)],
    other: &'v [(K, V)],
) -> impl Iterator<Item = (&'v K, &'v V)> {
    list.iter()
        .filter(|(key, _)| other.iter().all(|(known, _)| known != key))
        .map(|(key, value)| (key, value))
}

/// A node without what is only said about it.
fn spoken(value: &Value) -> Value {
    fields(value)
        .filter(|(key, _)| *key != "description" && !key.starts_with("x-"))
        .map(|(key, value)| (key.to_owned(), value.clone()))
        .collect()
}

fn media_types(node: &Node<'_>) -> Value {
    fields(&node.value["content"])
        .map(|(name, _)| name)
        .collect::<Vec<_>>()
        .into()
}
