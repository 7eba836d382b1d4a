//! Findings, and how they are collected.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Result, ensure};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::escape::quoted;
use super::rules::{Direction, Level, Rule, Runtime, RustApi, rule};
use crate::document::hex;

/// The limit at which a comparison fails, before it uses up the machine's resources.
const MOST_WORK: usize = 500_000;

/// One change, its location, and its effects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The id of the rule.
    pub id: String,
    /// How severe it is for clients in general.
    pub level: Level,
    /// The level of the rule, if it was overridden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Overridden>,
    /// The direction in which the changed part is transferred.
    pub direction: Direction,
    /// The part of the contract.
    pub area: &'static str,
    /// The changed aspect of that part.
    pub kind: &'static str,
    /// How it changed.
    pub action: &'static str,
    /// The first affected operation, or an empty string.
    pub operation: String,
    /// All affected operations.
    pub operations: Vec<String>,
    /// JSON pointer of the change: in the new document, or in the old one if something was removed.
    pub location: String,
    /// The old value.
    pub old: Value,
    /// The new value.
    pub new: Value,
    /// Whether a released client keeps working.
    pub runtime: Runtime,
    /// The effect of regenerating on the Rust API.
    pub rust_api: RustApi,
    /// Identifies the change, independent of other changes in the document.
    pub fingerprint: String,
    /// A description of the change.
    pub text: String,
    /// What it is about, in the terms of the contract.
    #[serde(skip)]
    pub subject: String,
}

/// The original level of a finding with an overridden level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overridden {
    /// The level of the rule.
    pub rule: Level,
    /// Why that level does not apply here.
    pub reason: String,
}

/// The location of a change.
#[derive(Debug, Clone, Default)]
pub(super) struct ChangeLocation {
    pub(super) operation: String,
    pub(super) subject: String,
    pub(super) pointer: String,
    /// Other pointers of either document that this change explains.
    pub(super) explains: Vec<String>,
}

/// Replaces the severity of a rule if the comparison knows more than the table.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SeverityOverride {
    pub(super) level: Option<Level>,
    pub(super) runtime: Option<Runtime>,
    pub(super) rust_api: Option<RustApi>,
}

impl SeverityOverride {
    /// Returns the overrides for the body of a failure: clients check the status and do not decode the body.
    pub(super) fn ignored() -> Self {
        Self {
            level: None,
            runtime: Some(Runtime::Works),
            rust_api: Some(RustApi::None),
        }
    }

    /// Returns the overrides for a value that is not transferred in this direction: a read-only value is not sent.
    pub(super) fn unsent() -> Self {
        Self {
            level: Some(Level::Info),
            runtime: Some(Runtime::Works),
            rust_api: None,
        }
    }
}

/// Collects findings. The same change of a shared schema is one finding.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
    index: HashMap<[u8; 16], usize>,
    explained: BTreeSet<String>,
    /// The number of compared pairs of schemas.
    work: usize,
    /// The findings that were added since [`take_added`](Self::take_added) was last called.
    added: Vec<usize>,
}

impl Findings {
    pub(super) fn add(
        &mut self,
        id: &str,
        location: ChangeLocation,
        old: Value,
        new: Value,
        severity: SeverityOverride,
    ) {
        let Some(rule) = rule(id) else {
            // A typing error in this module. The golden tests use every rule.
            unreachable!("there is no rule {id}");
        };
        self.explained.extend(location.explains);
        let key = key(rule, &location.pointer, &old, &new);
        if let Some(&known) = self.index.get(&key) {
            let finding = &mut self.list[known];
            finding.level = finding.level.min(severity.level.unwrap_or(rule.level));
            finding.runtime = finding
                .runtime
                .min(severity.runtime.unwrap_or(rule.runtime));
            finding.rust_api = finding
                .rust_api
                .max(severity.rust_api.unwrap_or(rule.rust_api));
            self.added.push(known);
            self.attribute_to(known, &location.operation);
            return;
        }
        self.added.push(self.list.len());
        self.explained.insert(location.pointer.clone());
        self.index.insert(key, self.list.len());
        self.list.push(Finding {
            id: id.to_owned(),
            level: severity.level.unwrap_or(rule.level),
            overridden: None,
            direction: rule.direction,
            area: rule.area,
            kind: rule.kind,
            action: rule.action,
            operations: Some(location.operation.clone())
                .filter(|name| !name.is_empty())
                .into_iter()
                .collect(),
            operation: location.operation,
            fingerprint: fingerprint(rule, &location.subject, &old, &new),
            text: sentence(rule, &location.subject, &old, &new),
            location: location.pointer,
            old,
            new,
            runtime: severity.runtime.unwrap_or(rule.runtime),
            rust_api: severity.rust_api.unwrap_or(rule.rust_api),
            subject: location.subject,
        });
    }

    /// Adds an operation to a finding.
    ///
    /// Operations are compared in order, so only the last one needs to be checked.
    pub(super) fn attribute_to(&mut self, index: usize, operation: &str) {
        let operations = &mut self.list[index].operations;
        if !operation.is_empty() && operations.last().is_none_or(|last| last != operation) {
            operations.push(operation.to_owned());
        }
    }

    /// Returns the findings that were added since the last call.
    pub(super) fn take_added(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.added)
    }

    /// Returns the number of findings added since the last [`take_added`](Self::take_added), including known ones.
    pub(super) fn added(&self) -> usize {
        self.added.len()
    }

    /// Fails if a comparison takes more work than any hand-written contract.
    pub(super) fn count_work(&mut self, work: usize) -> Result<()> {
        self.work += work;
        ensure!(
            self.work + self.list.len() <= MOST_WORK,
            "more than {MOST_WORK} pairs of schemas and findings"
        );
        Ok(())
    }

    /// Marks a pointer as explained by findings elsewhere.
    pub(super) fn mark_explained(&mut self, pointer: String) {
        self.explained.insert(pointer);
    }

    /// Returns the pointers that a finding explains.
    pub(super) fn explained(&self) -> &BTreeSet<String> {
        &self.explained
    }

    /// Sorts by level, then by the order of operations, then by location.
    pub(super) fn sorted(mut self, order: &HashMap<String, usize>) -> Vec<Finding> {
        let position =
            |finding: &Finding| order.get(&finding.operation).copied().unwrap_or(usize::MAX);
        self.list.sort_by(|a, b| {
            (a.level, position(a), &a.location, &a.id, a.direction)
                .cmp(&(b.level, position(b), &b.location, &b.id, b.direction))
                .then_with(|| a.text.cmp(&b.text))
        });
        self.list
    }
}

/// Returns a key for the change: the same rule at the same place with the same values.
fn key(rule: &Rule, pointer: &str, old: &Value, new: &Value) -> [u8; 16] {
    let hash = hashed(&[&rule.id, pointer, &old.to_string(), &new.to_string()]);
    let mut key = [0; 16];
    key.copy_from_slice(&hash[..16]);
    key
}

/// Returns a fingerprint that depends on the change and not on its location.
fn fingerprint(rule: &Rule, subject: &str, old: &Value, new: &Value) -> String {
    let hash = hashed(&[&rule.id, subject, &old.to_string(), &new.to_string()]);
    hex(&hash)[..12].to_owned()
}

fn hashed(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().into()
}

fn sentence(rule: &Rule, subject: &str, old: &Value, new: &Value) -> String {
    let mut text = format!("{}: ", quoted(subject));
    let mut rest = rule.text;
    // A single pass, because a value may look like a placeholder: paths do.
    while let Some(at) = rest.find('{') {
        text.push_str(&rest[..at]);
        let (value, length) = if rest[at..].starts_with("{old}") {
            (old, 5)
        } else {
            (new, 5)
        };
        text.push_str(&shown(value));
        rest = &rest[at + length..];
    }
    text + rest
}

/// Formats a value for readers: short, and strings without quotes.
pub(super) fn shown(value: &Value) -> String {
    const LONGEST: usize = 100;
    let text = match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => format!("`{}`", quoted(text)),
        Value::Array(values) if values.iter().all(Value::is_string) => {
            let values: Vec<String> = values.iter().map(shown).collect();
            values.join(", ")
        }
        other => format!("`{}`", quoted(&other.to_string())),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    let mut short: String = text.chars().take(LONGEST).collect();
    short.push('…');
    // It was cut inside a value.
    if short.matches('`').count() % 2 == 1 {
        short.push('`');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_comparison_is_an_error() {
        let mut findings = Findings::default();
        findings.count_work(MOST_WORK).unwrap();
        let error = findings.count_work(1).unwrap_err().to_string();
        assert!(error.starts_with("more than 500000 pairs"), "{error}");
    }
}
