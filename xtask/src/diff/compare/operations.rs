//! Compares operations: which were added, removed or moved, and what changed in each.

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;
use serde_json::{Value, json};

use super::comparison::{Comparison, at};
use crate::diff::sunset;
use crate::document::{ResolvedOperation, escape};

/// Fields of an operation that have their own rules.
const OPERATION: [&str; 11] = [
    "operationId",
    "deprecated",
    "x-sunset",
    "tags",
    "summary",
    "description",
    "security",
    "parameters",
    "requestBody",
    "responses",
    "servers",
];

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
                // The rest of the operation is compared as well.
                let location = at(&name, &name, &new.node.pointer);
                self.add(
                    "endpoint-moved",
                    location,
                    json!(old.request()),
                    json!(new.request()),
                );
                pairs.push((old, new));
                continue;
            }
            let id = if sunset::is_ahead(old.node.value.get("x-sunset")) {
                "endpoint-removed-before-sunset"
            } else if old.is("deprecated") {
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
        let mut items = BTreeSet::new();
        for (old, new) in pairs {
            self.operation(old, new)?;
            for (nodes, operation) in self.operations.iter_mut().zip([old, new]) {
                nodes.push(operation.node.value);
                nodes.extend(
                    operation
                        .parameters
                        .iter()
                        .map(|parameter| parameter.node.value),
                );
            }
            if items.insert((old.path, new.path)) {
                self.path_item(old, new)?;
            }
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
        let (was, is) = (old.is("deprecated"), new.is("deprecated"));
        let sunset = |operation: &ResolvedOperation<'a>| operation.node.value.get("x-sunset");
        if was != is {
            let holder = if is { new } else { old };
            let id = match (is, sunset(holder).and_then(sunset::day)) {
                (true, Some(_)) => "endpoint-deprecated",
                (true, None) => "endpoint-deprecated-without-sunset",
                (false, _) => "endpoint-reactivated",
            };
            self.add(id, location("deprecated"), json!(was), json!(is));
        }
        if let Some(change) = sunset::change(sunset(old), sunset(new)) {
            let [before, after] =
                [old, new].map(|operation| operation.node.value["x-sunset"].clone());
            self.add(
                &format!("endpoint-{change}"),
                location("x-sunset"),
                before,
                after,
            );
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
        self.paging(old, new)?;
        self.operation_servers(old, new);
        self.rest((&name, &name), (&old.node, &new.node), &OPERATION);
        Ok(())
    }

    /// Compares the fields of a path that apply to all its operations.
    fn path_item(
        &mut self,
        old: &ResolvedOperation<'a>,
        new: &ResolvedOperation<'a>,
    ) -> Result<()> {
        const KNOWN: [&str; 13] = [
            "$ref",
            "parameters",
            "servers",
            "summary",
            "description",
            "get",
            "put",
            "post",
            "delete",
            "options",
            "head",
            "patch",
            "trace",
        ];
        let [before, after] = [(self.old, old), (self.new, new)].map(|(contract, operation)| {
            let at = format!("/paths/{}", escape(operation.path));
            contract.node(&contract.root()["paths"][operation.path], at)
        });
        let (before, after) = (before?, after?);
        let name = after.pointer.clone();
        for key in ["summary", "description"] {
            self.description("", &name, (&before, &after), key);
        }
        self.rest(("", &name), (&before, &after), &KNOWN);
        self.findings
            .mark_explained(format!("/paths/{}", escape(old.path)));
        self.findings
            .mark_explained(format!("/paths/{}", escape(new.path)));
        Ok(())
    }
}

/// Describes an operation by its method and path.
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
