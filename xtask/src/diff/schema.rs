//! Compares two schemas, wherever they stand and however deep they go.

mod properties;
mod values;

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use serde_json::{Value, json};

use super::finding::{Findings, Place, Verdict};
use super::model::{Contract, Schema, each_reference, entries, reference};
use super::rules::{Direction, Runtime, RustApi, Subject};
use super::rust_type::rust_type;

/// Where a comparison of schemas is.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    pub(super) operation: String,
    /// What it is about, in the words of the contract.
    pub(super) subject: String,
    place: Subject,
    /// Whether the value is always there: before, and now.
    required: (bool, bool),
    /// The body of a failure, which the client reads without its types.
    ignored: bool,
}

impl Walk {
    pub(super) fn new(operation: &str, subject: String, place: Subject) -> Self {
        Self {
            operation: operation.to_owned(),
            subject,
            place,
            required: (false, false),
            ignored: false,
        }
    }

    pub(super) fn required(mut self, before: bool, now: bool) -> Self {
        self.required = (before, now);
        self
    }

    pub(super) fn ignored(mut self) -> Self {
        self.ignored = true;
        self
    }

    /// What is known of every finding here.
    pub(super) fn verdict(&self) -> Verdict {
        if self.ignored {
            super::compare::ignored()
        } else {
            Verdict::default()
        }
    }

    /// The walk one level down.
    fn into(&self, name: &str, required: (bool, bool)) -> Self {
        Self {
            subject: format!("{}{name}", self.subject),
            place: self.place.inner(),
            required,
            ..self.clone()
        }
    }
}

/// The schemas of two contracts.
pub(super) struct Schemas<'a> {
    old: Contract<'a>,
    new: Contract<'a>,
    /// Components that are the same in both, with all that they refer to.
    same: HashSet<&'a str>,
}

/// Pairs that were compared already on this walk.
type Seen = HashSet<(String, String, Subject)>;

impl<'a> Schemas<'a> {
    pub(super) fn new(old: Contract<'a>, new: Contract<'a>) -> Self {
        Self {
            same: unchanged(old, new),
            old,
            new,
        }
    }

    /// Compares two schemas and all that is in them.
    pub(super) fn compare(
        &self,
        walk: Walk,
        old: &Schema<'a>,
        new: &Schema<'a>,
        findings: &mut Findings,
    ) -> Result<()> {
        Comparison {
            schemas: self,
            findings,
            seen: Seen::new(),
        }
        .schema(walk, old, new)
    }
}

struct Comparison<'s, 'a, 'f> {
    schemas: &'s Schemas<'a>,
    findings: &'f mut Findings,
    seen: Seen,
}

impl<'a> Comparison<'_, 'a, '_> {
    fn schema(&mut self, mut walk: Walk, old: &Schema<'a>, new: &Schema<'a>) -> Result<()> {
        let here = walk.clone();
        if let Some(name) = new.name.filter(|_| old.name == new.name) {
            // Readers look a shared schema up by its name.
            name.clone_into(&mut walk.subject);
        }
        self.beside(&here, old, new);
        if old.name == new.name
            && new
                .name
                .is_some_and(|name| self.schemas.same.contains(name))
        {
            return Ok(());
        }
        let key = (old.pointer.clone(), new.pointer.clone(), walk.place);
        if !self.seen.insert(key) {
            return Ok(());
        }
        self.name(&here, old, new);
        if !self.types(&walk, old, new) {
            return Ok(());
        }
        self.format(&walk, old, new);
        self.values(&walk, old, new);
        self.bounds(&walk, old, new);
        self.limits(&walk, old, new);
        self.children(&walk, old, new)?;
        for key in ["oneOf", "anyOf", "allOf"] {
            self.members(&walk, old, new, key)?;
        }
        self.properties(&walk, old, new)
    }

    /// What may differ from one use of a schema to the next.
    fn beside(&mut self, walk: &Walk, old: &Schema<'a>, new: &Schema<'a>) {
        if old.nullable() != new.nullable() {
            let aspect = if new.nullable() {
                "became-nullable"
            } else {
                "became-not-nullable"
            };
            let mut verdict = self.by_type(walk, old, new);
            // What may be absent may be null as well, for this client.
            if walk.place.direction() == Direction::Response && walk.required == (false, false) {
                verdict.runtime = Some(Runtime::Works);
            }
            let key = if new.get("nullable").is_some() || old.get("nullable").is_some() {
                "nullable"
            } else {
                "type"
            };
            let (before, now) = (json!(old.nullable()), json!(new.nullable()));
            self.verdict(walk, aspect, (old, new), key, [before, now], verdict);
        }
        for (key, on, off) in [
            ("readOnly", "became-read-only", "became-not-read-only"),
            ("writeOnly", "became-write-only", "became-not-write-only"),
            ("deprecated", "schema-deprecated", "schema-reactivated"),
        ] {
            let (before, now) = (old.is(key), new.is(key));
            if before != now {
                let aspect = if now { on } else { off };
                self.add(walk, aspect, (old, new), key, [json!(before), json!(now)]);
            }
        }
        let (before, now) = (old.get("default"), new.get("default"));
        let aspect = match (before, now) {
            (None, Some(_)) => "default-value-added",
            (Some(_), None) => "default-value-removed",
            _ => "default-value-changed",
        };
        if before != now {
            self.add(
                walk,
                aspect,
                (old, new),
                "default",
                [or_null(before), or_null(now)],
            );
        }
        for key in ["title", "description"] {
            let (before, now) = (old.get(key), new.get(key));
            if before != now {
                let mut place = Self::place(walk, (old, new), key);
                if place.location.starts_with("/components/")
                    && let Some(name) = new.name
                {
                    name.clone_into(&mut place.subject);
                }
                self.findings.add(
                    "description-changed",
                    place,
                    or_null(before),
                    or_null(now),
                    Verdict::default(),
                );
            }
        }
    }

    fn name(&mut self, walk: &Walk, old: &Schema<'a>, new: &Schema<'a>) {
        if old.name == new.name {
            return;
        }
        let covers = old.references().chain(new.references()).collect();
        // Only what becomes a Rust type of its own has a name that callers see.
        let own = |schema: &Schema<'a>| schema.properties().is_some() || schema.values().is_some();
        let verdict = if own(old) || own(new) {
            walk.verdict()
        } else {
            Verdict {
                rust_api: Some(RustApi::None),
                ..walk.verdict()
            }
        };
        let place = Place {
            operation: walk.operation.clone(),
            subject: walk.subject.clone(),
            location: new.used_at.clone(),
            covers,
        };
        let name = |schema: &Schema<'a>| schema.name.map_or(Value::Null, |name| json!(name));
        self.findings
            .add("schema-name-changed", place, name(old), name(new), verdict);
    }

    /// Items, and the values of a map.
    fn children(&mut self, walk: &Walk, old: &Schema<'a>, new: &Schema<'a>) -> Result<()> {
        match (old.get("items"), new.get("items")) {
            (None, Some(now)) => {
                self.add(
                    walk,
                    "items-added",
                    (old, new),
                    "items",
                    [Value::Null, now.clone()],
                );
            }
            (Some(before), None) => {
                self.add(
                    walk,
                    "items-removed",
                    (old, new),
                    "items",
                    [before.clone(), Value::Null],
                );
            }
            (Some(before), Some(now)) => {
                let before = self.schemas.old.schema(before, old.at("items"))?;
                let now = self.schemas.new.schema(now, new.at("items"))?;
                self.schema(walk.into("[]", (true, true)), &before, &now)?;
            }
            (None, None) => {}
        }
        let key = "additionalProperties";
        let (before, now) = (old.get(key), new.get(key));
        let open = |value: Option<&Value>| value != Some(&json!(false));
        match (before, now) {
            (Some(before), Some(now)) if before.is_object() && now.is_object() => {
                let before = self.schemas.old.schema(before, old.at(key))?;
                let now = self.schemas.new.schema(now, new.at(key))?;
                self.schema(walk.into("{}", (true, true)), &before, &now)?;
            }
            _ if before == now => {}
            _ => {
                // From anything to something is narrower, and so is from something to nothing.
                let rank = |value: Option<&Value>| match value {
                    Some(value) if value.is_object() => 1,
                    _ if open(value) => 2,
                    _ => 0,
                };
                let values = [or_null(before), or_null(now)];
                match rank(before).cmp(&rank(now)) {
                    std::cmp::Ordering::Less => {
                        self.add(
                            walk,
                            "additional-properties-allowed",
                            (old, new),
                            key,
                            values,
                        );
                    }
                    std::cmp::Ordering::Greater => {
                        self.add(
                            walk,
                            "additional-properties-forbidden",
                            (old, new),
                            key,
                            values,
                        );
                    }
                    // Absent and true are the same.
                    std::cmp::Ordering::Equal => {}
                }
            }
        }
        Ok(())
    }

    fn members(
        &mut self,
        walk: &Walk,
        old: &Schema<'a>,
        new: &Schema<'a>,
        key: &str,
    ) -> Result<()> {
        let list = |schema: &Schema<'a>| -> Vec<(usize, &'a Value)> {
            entries(schema.get(key).unwrap_or(&Value::Null))
                .iter()
                .enumerate()
                .collect()
        };
        let (mut before, mut now) = (list(old), list(new));
        // The same member stays the same wherever it stands in the list, and so does a reference by the same name.
        let same: [fn(&Value, &Value) -> bool; 3] = [
            |before, now| reference(before).is_some() && reference(before) == reference(now),
            |before, now| before == now,
            |before, now| reference(before).is_none() && reference(now).is_none(),
        ];
        let mut pairs = Vec::new();
        for same in same {
            before.retain(|&(index, was)| {
                let Some(found) = now.iter().position(|&(_, is)| same(was, is)) else {
                    return true;
                };
                let (place, is) = now.remove(found);
                pairs.push(((index, was), (place, is)));
                false
            });
        }
        let called = |index: usize, value: &Value| {
            reference(value)
                .and_then(|reference| reference.rsplit('/').next())
                .map_or_else(|| format!("{key} {}", index + 1), str::to_owned)
        };
        for ((index, was), (place, is)) in pairs {
            let name = called(place, is);
            let was = self
                .schemas
                .old
                .schema(was, format!("{}/{index}", old.at(key)))?;
            let is = self
                .schemas
                .new
                .schema(is, format!("{}/{place}", new.at(key)))?;
            self.schema(walk.into(&format!(" ({name})"), walk.required), &was, &is)?;
        }
        let prefix = match key {
            "oneOf" => "one-of",
            "anyOf" => "any-of",
            _ => "all-of",
        };
        for (index, was) in before {
            let mut place = Self::place(walk, (old, new), key);
            place.location = format!("{}/{index}", old.at(key));
            let values = [json!(called(index, was)), Value::Null];
            self.finish(
                walk,
                &format!("{prefix}-removed"),
                place,
                values,
                walk.verdict(),
            );
        }
        for (index, is) in now {
            let mut place = Self::place(walk, (old, new), key);
            place.location = format!("{}/{index}", new.at(key));
            let values = [Value::Null, json!(called(index, is))];
            self.finish(
                walk,
                &format!("{prefix}-added"),
                place,
                values,
                walk.verdict(),
            );
        }
        Ok(())
    }

    /// The verdict where the Rust type at hand decides.
    fn by_type(&self, walk: &Walk, old: &Schema<'a>, new: &Schema<'a>) -> Verdict {
        let mut verdict = walk.verdict();
        let optional = |schema: &Schema<'a>, required: bool| schema.nullable() || !required;
        let same = rust_type(self.schemas.old, old).ok() == rust_type(self.schemas.new, new).ok()
            && optional(old, walk.required.0) == optional(new, walk.required.1);
        if same {
            verdict.rust_api = Some(RustApi::None);
        }
        verdict
    }

    fn add(
        &mut self,
        walk: &Walk,
        aspect: &str,
        schemas: (&Schema<'a>, &Schema<'a>),
        key: &str,
        values: [Value; 2],
    ) {
        self.verdict(walk, aspect, schemas, key, values, walk.verdict());
    }

    fn verdict(
        &mut self,
        walk: &Walk,
        aspect: &str,
        schemas: (&Schema<'a>, &Schema<'a>),
        key: &str,
        values: [Value; 2],
        verdict: Verdict,
    ) {
        let place = Self::place(walk, schemas, key);
        self.finish(walk, aspect, place, values, verdict);
    }

    fn finish(
        &mut self,
        walk: &Walk,
        aspect: &str,
        place: Place,
        [old, new]: [Value; 2],
        verdict: Verdict,
    ) {
        let id = format!("{}-{aspect}", walk.place.prefix());
        self.findings.add(&id, place, old, new, verdict);
    }

    fn place(walk: &Walk, (old, new): (&Schema<'a>, &Schema<'a>), key: &str) -> Place {
        // What is gone is looked up in the old document.
        let location = if new.get(key).is_none() && old.get(key).is_some() {
            old.at(key)
        } else {
            new.at(key)
        };
        Place {
            operation: walk.operation.clone(),
            subject: walk.subject.clone(),
            location,
            covers: vec![old.at(key), new.at(key)],
        }
    }
}

fn or_null(value: Option<&Value>) -> Value {
    value.cloned().unwrap_or(Value::Null)
}

/// The names of the components that did not change, and lead to none that did.
fn unchanged<'a>(old: Contract<'a>, new: Contract<'a>) -> HashSet<&'a str> {
    let before: HashMap<&str, &Value> = old.components("schemas").collect();
    let mut same: HashMap<&'a str, Vec<&'a str>> = new
        .components("schemas")
        .filter(|(name, value)| before.get(name) == Some(value))
        .map(|(name, value)| {
            let mut leads_to = Vec::new();
            each_reference(value, &mut |reference| leads_to.push(reference));
            (name, leads_to)
        })
        .collect();
    loop {
        let names: HashSet<&str> = same.keys().copied().collect();
        let count = same.len();
        same.retain(|_, leads_to| {
            leads_to.iter().all(|reference| {
                reference
                    .strip_prefix("#/components/schemas/")
                    .is_some_and(|name| names.contains(name))
            })
        });
        if same.len() == count {
            return same.into_keys().collect();
        }
    }
}
