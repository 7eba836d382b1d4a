//! Compares what is outside of operations: servers, tags, security schemes, components.

use serde_json::{Value, json};

use super::comparison::{Comparison, at, missing};
use crate::document::{Contract, entries, escape};

impl<'a> Comparison<'a> {
    pub(super) fn document(&mut self) {
        self.document_servers();
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
        for (name, pointer) in missing(&before, &after) {
            let location = at("", &format!("tag {name}"), pointer);
            self.add("tag-removed", location, json!(name), Value::Null);
        }
        for (name, pointer) in missing(&after, &before) {
            let location = at("", &format!("tag {name}"), pointer);
            self.add("tag-added", location, Value::Null, json!(name));
        }
        self.security_schemes();
    }

    /// Lists added and removed components that no finding about their users explains.
    pub(super) fn components(&mut self) {
        self.uncompared();
        for (contract, other, gone) in [(self.old, self.new, true), (self.new, self.old, false)] {
            let used = contract.used();
            for (kind, name, value) in contract.all_components() {
                if kind == "securitySchemes" || other.component(kind, name).is_some() {
                    continue;
                }
                let pointer = format!("/components/{kind}/{}", escape(name));
                if used.contains(pointer.as_str()) {
                    self.findings.mark_explained(pointer);
                } else if kind == "schemas" {
                    let location = at("", &format!("schema {name}"), &pointer);
                    if gone {
                        self.add("schema-removed", location, value.clone(), Value::Null);
                    } else {
                        self.add("schema-added", location, Value::Null, value.clone());
                    }
                }
            }
        }
    }

    /// Compares the schemas of both documents that no operation uses.
    fn uncompared(&mut self) {
        let mut roots = self.operations.clone();
        roots[0].push(&self.old.root()["webhooks"]);
        roots[1].push(&self.new.root()["webhooks"]);
        let [before, after] = roots;
        let (before, after) = (self.old.reached(before), self.new.reached(after));
        for (name, was) in self.old.components("schemas") {
            let pointer = format!("/components/schemas/{}", escape(name));
            if let Some(is) = self.new.component("schemas", name)
                && was != is
                && !before.contains(pointer.as_str())
                && !after.contains(pointer.as_str())
            {
                let location = at("", &format!("schema {name}"), &pointer);
                self.add("schema-changed", location, was.clone(), is.clone());
            }
        }
    }
}
