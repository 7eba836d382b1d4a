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

    /// Components that came or went: findings about their users say why, the others are listed.
    pub(super) fn components(&mut self) {
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
}

/// A node without what is only said about it.
fn spoken(value: &Value) -> Value {
    fields(value)
        .filter(|(key, _)| *key != "description" && !key.starts_with("x-"))
        .map(|(key, value)| (key.to_owned(), value.clone()))
        .collect()
}
