//! Compares two schemas, wherever they stand and however deep they go.

mod properties;
mod values;

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use serde_json::{Value, json};

use super::finding::{Findings, Place, Verdict};
use super::rules::{Direction, Runtime, RustApi, Subject};
use super::rust_type::rust_type;
use crate::document::{Contract, SCHEMAS, Schema, entries, reference, references};

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

/// The schemas of two contracts, and what is known of their differences.
///
/// A shared schema is compared once for each way in which it is used. Every
/// other operation that leads to it is only noted down, so the time does not
/// grow with the number of operations times the size of what they share; and
/// nothing is compared by recursion that goes deeper than a schema is written.
pub(super) struct Schemas<'a> {
    pair: Pair<'a>,
    shared: Vec<Shared<'a>>,
    ids: HashMap<Use, usize>,
}

struct Pair<'a> {
    old: Contract<'a>,
    new: Contract<'a>,
    /// Components that are the same in both, with all that they refer to.
    same: HashSet<&'a str>,
}

/// A way in which a shared schema is used.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Use {
    old: String,
    new: String,
    subject: String,
    place: Subject,
    required: (bool, bool),
    ignored: bool,
}

/// A pair of schemas of which at least one is shared.
struct Shared<'a> {
    walk: Walk,
    old: Schema<'a>,
    new: Schema<'a>,
    /// Its findings, and the shared schemas that it leads to.
    known: Option<(Vec<usize>, Vec<usize>)>,
}

impl<'a> Schemas<'a> {
    pub(super) fn new(old: Contract<'a>, new: Contract<'a>) -> Self {
        Self {
            pair: Pair {
                same: unchanged(old, new),
                old,
                new,
            },
            shared: Vec::new(),
            ids: HashMap::new(),
        }
    }

    /// Compares two schemas and all that is in them.
    pub(super) fn compare(
        &mut self,
        walk: &Walk,
        old: &Schema<'a>,
        new: &Schema<'a>,
        findings: &mut Findings,
    ) -> Result<()> {
        let operation = walk.operation.clone();
        let mut comparison = Comparison {
            schemas: &self.pair,
            findings,
            shared: &mut self.shared,
            ids: &mut self.ids,
            leads_to: Vec::new(),
        };
        comparison.schema(walk.clone(), old, new)?;
        let mut open = std::mem::take(&mut comparison.leads_to);
        let mut seen = HashSet::new();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            if let Some((found, leads_to)) = &comparison.shared[id].known {
                for &finding in found {
                    comparison.findings.touch(finding, &operation);
                }
                open.extend(leads_to);
                continue;
            }
            let Shared { walk, old, new, .. } = &comparison.shared[id];
            let (walk, old, new) = (walk.clone(), old.clone(), new.clone());
            comparison.findings.take_added();
            comparison.inside(&walk, &old, &new)?;
            let leads_to = std::mem::take(&mut comparison.leads_to);
            open.extend(&leads_to);
            comparison.shared[id].known = Some((comparison.findings.take_added(), leads_to));
        }
        Ok(())
    }
}

struct Comparison<'s, 'a, 'f> {
    schemas: &'s Pair<'a>,
    findings: &'f mut Findings,
    shared: &'s mut Vec<Shared<'a>>,
    ids: &'s mut HashMap<Use, usize>,
    /// Shared schemas that were met and are not compared yet.
    leads_to: Vec<usize>,
}

impl<'a> Comparison<'_, 'a, '_> {
    fn schema(&mut self, mut walk: Walk, old: &Schema<'a>, new: &Schema<'a>) -> Result<()> {
        self.beside(&walk, old, new);
        if old.name.is_none() && new.name.is_none() {
            return self.inside(&walk, old, new);
        }
        if let Some(name) = new.name.filter(|_| old.name == new.name) {
            if self.schemas.same.contains(name) {
                return Ok(());
            }
            // Readers look a shared schema up by its name.
            name.clone_into(&mut walk.subject);
        }
        self.name(&walk, old, new);
        let way = Use {
            old: old.pointer.clone(),
            new: new.pointer.clone(),
            subject: walk.subject.clone(),
            place: walk.place,
            required: walk.required,
            ignored: walk.ignored,
        };
        let id = *self.ids.entry(way).or_insert_with(|| {
            self.shared.push(Shared {
                walk,
                old: old.clone(),
                new: new.clone(),
                known: None,
            });
            self.shared.len() - 1
        });
        self.leads_to.push(id);
        Ok(())
    }

    fn inside(&mut self, walk: &Walk, old: &Schema<'a>, new: &Schema<'a>) -> Result<()> {
        if !self.types(walk, old, new) {
            return Ok(());
        }
        self.format(walk, old, new);
        self.values(walk, old, new);
        self.bounds(walk, old, new);
        self.limits(walk, old, new);
        self.children(walk, old, new)?;
        for key in ["oneOf", "anyOf", "allOf"] {
            self.members(walk, old, new, key)?;
        }
        self.properties(walk, old, new)
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
        .map(|(name, value)| (name, references(value)))
        .collect();
    loop {
        let names: HashSet<&str> = same.keys().copied().collect();
        let count = same.len();
        same.retain(|_, leads_to| {
            leads_to.iter().all(|reference| {
                reference
                    .strip_prefix(SCHEMAS)
                    .is_some_and(|name| names.contains(name))
            })
        });
        if same.len() == count {
            return same.into_keys().collect();
        }
    }
}
