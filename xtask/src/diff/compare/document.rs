//! What stands beside the operations: servers, tags, security schemes, components.

use serde_json::{Value, json};

use super::comparison::{Comparison, at, missing};
use crate::document::{Contract, entries, escape, fields};

impl<'a> Comparison<'a> {
    pub(super) fn document(&mut self) {
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
        for (url, pointer) in missing(&before, &after) {
            let location = at("", &format!("server {url}"), pointer);
            self.add("server-removed", location, json!(url), Value::Null);
        }
        for (url, pointer) in missing(&after, &before) {
            let location = at("", &format!("server {url}"), pointer);
            self.add("server-added", location, Value::Null, json!(url));
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
        for (name, pointer) in missing(&before, &after) {
            let location = at("", &format!("tag {name}"), pointer);
            self.add("tag-removed", location, json!(name), Value::Null);
        }
        for (name, pointer) in missing(&after, &before) {
            let location = at("", &format!("tag {name}"), pointer);
            self.add("tag-added", location, Value::Null, json!(name));
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
                    without_docs(value),
                    Value::Null,
                ),
                Some((_, now)) if without_docs(value) != without_docs(now) => {
                    self.add(
                        "security-scheme-changed",
                        scheme(name),
                        without_docs(value),
                        without_docs(now),
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
                without_docs(value),
            );
        }
    }

    /// Components that came or went: findings about their users say why, the others are listed.
    pub(super) fn components(&mut self) {
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
}

/// A node without its descriptions and extensions.
fn without_docs(value: &Value) -> Value {
    fields(value)
        .filter(|(key, _)| *key != "description" && !key.starts_with("x-"))
        .map(|(key, value)| (key.to_owned(), value.clone()))
        .collect()
}
