//! Compares authentication: the schemes of the document, and the requirements of each operation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::comparison::{Comparison, at};
use crate::diff::finding::{ChangeLocation, SeverityOverride};
use crate::diff::rules::{Level, Runtime};
use crate::document::{Contract, Node, ResolvedOperation, entries, escape, fields};

/// The schemes that one alternative requires, each with its scopes.
type Alternative = BTreeMap<String, BTreeSet<String>>;

impl<'a> Comparison<'a> {
    pub(super) fn security_schemes(&mut self) {
        let before: BTreeMap<&str, &Value> = self.old.components("securitySchemes").collect();
        let after: BTreeMap<&str, &Value> = self.new.components("securitySchemes").collect();
        let renamed = renamed_schemes(self.old, self.new);
        let place = |name: &str| at("", &format!("security scheme {name}"), &pointer(name));
        for (name, value) in &before {
            let other = renamed
                .iter()
                .find(|(_, was)| *was == name)
                .map(|(is, _)| *is);
            let Some(now) = after.get(other.unwrap_or(name)) else {
                self.add(
                    "security-scheme-removed",
                    place(name),
                    essence(value),
                    Value::Null,
                );
                continue;
            };
            if let Some(other) = other {
                let location = at("", &format!("security scheme {name}"), &pointer(other));
                self.add(
                    "security-scheme-renamed",
                    location,
                    json!(name),
                    json!(other),
                );
            }
            let old_pointer = pointer(name);
            let name = other.unwrap_or(name);
            let (was, is) = (essence(value), essence(now));
            let (old_scopes, new_scopes) = (scopes(value), scopes(now));
            if was != is {
                self.add("security-scheme-changed", place(name), was, is);
            } else if old_scopes != new_scopes {
                self.add(
                    "security-scheme-scopes-changed",
                    place(name),
                    old_scopes,
                    new_scopes,
                );
            }
            self.rest(
                ("", &format!("security scheme {name}")),
                (
                    &Node {
                        pointer: old_pointer,
                        value,
                    },
                    &Node {
                        pointer: pointer(name),
                        value: now,
                    },
                ),
                &["type", "scheme", "in", "name", "flows", "openIdConnectUrl"],
            );
        }
        for (name, value) in &after {
            if !before.contains_key(name) && !renamed.contains_key(name) {
                self.add(
                    "security-scheme-added",
                    place(name),
                    Value::Null,
                    essence(value),
                );
            }
        }
    }

    pub(super) fn security(&mut self, old: &ResolvedOperation<'a>, new: &ResolvedOperation<'a>) {
        let name = new.name();
        let mut location = at(&name, &name, &new.security_pointer);
        location.explains = vec![old.security_pointer.clone()];
        let renamed = renamed_schemes(self.old, self.new);
        let before = alternatives(self.old, &old.security_pointer, &BTreeMap::new());
        let after = alternatives(self.new, &new.security_pointer, &renamed);
        // The order has no meaning, and names are compared with the schemes.
        self.findings.mark_explained(old.security_pointer.clone());
        self.findings.mark_explained(new.security_pointer.clone());
        let is_open = |list: &BTreeSet<Alternative>| {
            list.is_empty() || list.iter().any(Alternative::is_empty)
        };
        let words = |list: &BTreeSet<Alternative>| -> Value {
            list.iter()
                .filter(|one| !one.is_empty())
                .map(describe)
                .collect()
        };
        match (is_open(&before), is_open(&after)) {
            (true, false) => self.add(
                "endpoint-security-added",
                location,
                Value::Null,
                words(&after),
            ),
            (false, true) => self.add(
                "endpoint-security-removed",
                location,
                words(&before),
                Value::Null,
            ),
            (true, true) => self.optional(&location, &before, &after),
            (false, false) => self.alternatives(&location, &before, &after),
        }
    }

    /// Compares schemes that are optional.
    fn optional(
        &mut self,
        location: &ChangeLocation,
        before: &BTreeSet<Alternative>,
        after: &BTreeSet<Alternative>,
    ) {
        let harmless = SeverityOverride {
            level: Some(Level::Info),
            runtime: Some(Runtime::Works),
            rust_api: None,
        };
        for removed in before.difference(after).filter(|one| !one.is_empty()) {
            let id = "endpoint-security-alternative-removed";
            self.findings.add(
                id,
                location.clone(),
                json!(describe(removed)),
                Value::Null,
                harmless,
            );
        }
        for added in after.difference(before).filter(|one| !one.is_empty()) {
            let id = "endpoint-security-alternative-added";
            self.findings.add(
                id,
                location.clone(),
                Value::Null,
                json!(describe(added)),
                harmless,
            );
        }
    }

    fn alternatives(
        &mut self,
        location: &ChangeLocation,
        before: &BTreeSet<Alternative>,
        after: &BTreeSet<Alternative>,
    ) {
        let mut added: Vec<&Alternative> = after.difference(before).collect();
        for removed in before.difference(after) {
            if let Some(index) = added.iter().position(|is| satisfies(removed, is)) {
                let is = added.remove(index);
                self.add(
                    "endpoint-security-loosened",
                    location.clone(),
                    json!(describe(removed)),
                    json!(describe(is)),
                );
            } else if let Some(index) = added.iter().position(|is| satisfies(is, removed)) {
                let is = added.remove(index);
                self.add(
                    "endpoint-security-tightened",
                    location.clone(),
                    json!(describe(removed)),
                    json!(describe(is)),
                );
            } else {
                let id = "endpoint-security-alternative-removed";
                let mut severity = SeverityOverride::default();
                // Its users have another alternative.
                if after.iter().any(|is| satisfies(removed, is)) {
                    severity.level = Some(Level::Info);
                    severity.runtime = Some(Runtime::Works);
                }
                self.findings.add(
                    id,
                    location.clone(),
                    json!(describe(removed)),
                    Value::Null,
                    severity,
                );
            }
        }
        for is in added {
            let id = "endpoint-security-alternative-added";
            self.add(id, location.clone(), Value::Null, json!(describe(is)));
        }
    }
}

/// Reports whether credentials for one alternative suffice for the other.
fn satisfies(held: &Alternative, asked: &Alternative) -> bool {
    asked
        .iter()
        .all(|(scheme, scopes)| held.get(scheme).is_some_and(|held| scopes.is_subset(held)))
}

fn alternatives(
    contract: Contract<'_>,
    pointer: &str,
    renamed: &BTreeMap<&str, &str>,
) -> BTreeSet<Alternative> {
    let list = contract.root().pointer(pointer).unwrap_or(&Value::Null);
    entries(list)
        .iter()
        .map(|requirement| {
            fields(requirement)
                .map(|(scheme, scopes)| {
                    let scheme = *renamed.get(scheme).unwrap_or(&scheme);
                    let scopes = entries(scopes).iter().filter_map(Value::as_str);
                    (scheme.to_owned(), scopes.map(str::to_owned).collect())
                })
                .collect()
        })
        .collect()
}

/// Describes an alternative.
fn describe(alternative: &Alternative) -> String {
    let schemes: Vec<String> = alternative
        .iter()
        .map(|(scheme, scopes)| {
            if scopes.is_empty() {
                return scheme.clone();
            }
            let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
            format!("{scheme} ({})", scopes.join(", "))
        })
        .collect();
    schemes.join(" and ")
}

/// Returns the new names of schemes that are otherwise equal, with the old names.
fn renamed_schemes<'a>(old: Contract<'a>, new: Contract<'a>) -> BTreeMap<&'a str, &'a str> {
    let only = |one: Contract<'a>, other: Contract<'a>| -> Vec<(&'a str, Value)> {
        one.components("securitySchemes")
            .filter(|(name, _)| other.component("securitySchemes", name).is_none())
            .map(|(name, value)| (name, essence(value)))
            .collect()
    };
    let (removed, added) = (only(old, new), only(new, old));
    let mut renamed = BTreeMap::new();
    for (is, value) in &added {
        let fits: Vec<&str> = removed
            .iter()
            .filter(|(_, other)| other == value)
            .map(|(name, _)| *name)
            .collect();
        let twins = added.iter().filter(|(_, other)| other == value).count();
        if let ([was], 1) = (&fits[..], twins) {
            renamed.insert(*is, *was);
        }
    }
    renamed
}

/// Returns what matters to a client in a scheme. Names of headers and of HTTP schemes are case-insensitive.
fn essence(scheme: &Value) -> Value {
    let is_header = scheme["in"] == "header";
    let mut essence: Map<String, Value> = fields(scheme)
        .filter(|(key, _)| ["type", "scheme", "in", "name", "openIdConnectUrl"].contains(key))
        .map(|(key, value)| {
            let value = match value.as_str() {
                Some(text) if key == "scheme" || (key == "name" && is_header) => {
                    json!(text.to_ascii_lowercase())
                }
                _ => value.clone(),
            };
            (key.to_owned(), value)
        })
        .collect();
    let flows: Map<String, Value> = fields(&scheme["flows"])
        .filter(|(name, _)| !name.starts_with("x-"))
        .map(|(name, flow)| {
            let flow = fields(flow).filter(|(key, _)| *key != "scopes" && !key.starts_with("x-"));
            (
                name.to_owned(),
                flow.map(|(key, value)| (key.to_owned(), value.clone()))
                    .collect(),
            )
        })
        .collect();
    if !flows.is_empty() {
        essence.insert("flows".to_owned(), Value::Object(flows));
    }
    Value::Object(essence)
}

fn scopes(scheme: &Value) -> Value {
    let flows = fields(&scheme["flows"]).flat_map(|(_, flow)| fields(&flow["scopes"]));
    let names: BTreeSet<&str> = flows.map(|(scope, _)| scope).collect();
    names.into_iter().collect()
}

fn pointer(name: &str) -> String {
    format!("/components/securitySchemes/{}", escape(name))
}
