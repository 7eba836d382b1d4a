//! Which operations came, went or moved, and what changed in each.

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;
use serde_json::{Value, json};

use super::comparison::{Comparison, at};
use crate::document::ResolvedOperation;

impl<'a> Comparison<'a> {
    pub(super) fn operations(
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
                let mut location = at(&name, &name, &new.node.pointer);
                location.explains = vec![old.node.pointer.clone(), new.node.pointer.clone()];
                self.add(
                    "endpoint-moved",
                    location,
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
                let location = at(&new.name(), &subject(new), &new.node.pointer);
                self.add(
                    "endpoint-added",
                    location,
                    Value::Null,
                    json!(new.request()),
                );
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
        let location = |key: &str| at(&name, &name, &format!("{}/{key}", new.node.pointer));
        if old.id() != new.id() {
            let mut location = location("operationId");
            location.subject = new.request();
            self.add(
                "endpoint-renamed",
                location,
                named(old.id()),
                named(new.id()),
            );
        }
        match (old.is("deprecated"), new.is("deprecated")) {
            (false, true) => {
                self.add(
                    "endpoint-deprecated",
                    location("deprecated"),
                    json!(false),
                    json!(true),
                );
            }
            (true, false) => {
                self.add(
                    "endpoint-reactivated",
                    location("deprecated"),
                    json!(true),
                    json!(false),
                );
            }
            _ => {}
        }
        if old.node.value["tags"] != new.node.value["tags"] {
            self.add(
                "endpoint-tags-changed",
                location("tags"),
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
        let mut location = at(&name, &name, &new.security_pointer);
        location.explains = vec![old.security_pointer.clone()];
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
                self.add("endpoint-security-added", location, Value::Null, list(new));
            }
            (false, true) => {
                self.add(
                    "endpoint-security-removed",
                    location,
                    list(old),
                    Value::Null,
                );
            }
            _ => {
                for gone in old.security.difference(&new.security) {
                    let id = "endpoint-security-alternative-removed";
                    self.add(id, location.clone(), json!(gone), Value::Null);
                }
                for added in new.security.difference(&old.security) {
                    let id = "endpoint-security-alternative-added";
                    self.add(id, location.clone(), Value::Null, json!(added));
                }
            }
        }
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
