//! Compares two schemas at any place and depth.

mod annotations;
mod changes;
mod context;
mod parts;
mod pattern;
mod properties;
mod rest;
mod values;

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use serde_json::Value;

pub(super) use self::context::SchemaContext;

use self::changes::{Changes, Pair};
use super::finding::Findings;
use super::rules::SchemaPosition;
use crate::document::{Contract, SCHEMAS, Schema, references};

/// Longer paths of properties are cut, such as `a.next.next.…` of circular schemas.
const LONGEST_SUBJECT: usize = 200;

/// The schemas of two contracts, and the known differences between them.
///
/// A shared schema is compared once for each kind of use. Other operations that use it are only added to its findings, so
/// that the time does not grow with the number of operations times the size of shared schemas. No recursion goes deeper
/// than a schema is nested in the document.
pub(super) struct Schemas<'a> {
    pair: Pair<'a>,
    shared: Vec<SharedSchema<'a>>,
    ids: HashMap<SchemaUse, usize>,
}

/// A kind of use of a shared schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct SchemaUse {
    old: String,
    new: String,
    position: SchemaPosition,
    required: (bool, bool),
    ignored: bool,
    unsent: bool,
}

/// A pair of schemas of which at least one is shared.
struct SharedSchema<'a> {
    context: SchemaContext,
    old: Schema<'a>,
    new: Schema<'a>,
    /// Its findings, and the shared schemas that it refers to.
    result: Option<(Vec<usize>, Vec<usize>)>,
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

    /// Compares two schemas, including nested ones.
    pub(super) fn compare(
        &mut self,
        context: &SchemaContext,
        old: &Schema<'a>,
        new: &Schema<'a>,
        findings: &mut Findings,
    ) -> Result<()> {
        let operation = context.operation.clone();
        let mut comparison = Comparison {
            changes: Changes {
                schemas: &self.pair,
                findings,
            },
            shared: &mut self.shared,
            ids: &mut self.ids,
            references: Vec::new(),
        };
        comparison.schema(context.clone(), old, new)?;
        let mut open = std::mem::take(&mut comparison.references);
        let mut seen = HashSet::new();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            if let Some((found, references)) = &comparison.shared[id].result {
                for &finding in found {
                    comparison
                        .changes
                        .findings
                        .attribute_to(finding, &operation);
                }
                open.extend(references);
                continue;
            }
            let SharedSchema {
                context, old, new, ..
            } = &comparison.shared[id];
            let (context, old, new) = (context.clone(), old.clone(), new.clone());
            comparison.changes.findings.take_added();
            comparison.inside(&context, &old, &new)?;
            let references = std::mem::take(&mut comparison.references);
            open.extend(&references);
            comparison.shared[id].result =
                Some((comparison.changes.findings.take_added(), references));
        }
        Ok(())
    }
}

struct Comparison<'s, 'a> {
    changes: Changes<'s, 'a>,
    shared: &'s mut Vec<SharedSchema<'a>>,
    ids: &'s mut HashMap<SchemaUse, usize>,
    /// Shared schemas that were referred to and are not compared yet.
    references: Vec<usize>,
}

impl<'a> Comparison<'_, 'a> {
    fn schema(
        &mut self,
        mut context: SchemaContext,
        old: &Schema<'a>,
        new: &Schema<'a>,
    ) -> Result<()> {
        self.changes.compare_annotations(&context, old, new);
        // Without a reference it cannot be circular.
        if !old.is_shared() && !new.is_shared() {
            return self.inside(&context, old, new);
        }
        if let Some(name) = new.name.filter(|_| old.name == new.name)
            && self.changes.schemas.same.contains(name)
        {
            return Ok(());
        }
        let renamed = self.changes.compare_names(&context, old, new);
        let is_same = old.name == new.name || renamed;
        let is_long = context.subject.len() > LONGEST_SUBJECT;
        if let Some(name) = new.name.filter(|_| is_same || is_long) {
            // The subject of findings in a shared schema is its name.
            name.clone_into(&mut context.subject);
        }
        let schema_use = SchemaUse {
            old: old.identity(),
            new: new.identity(),
            position: context.position,
            required: context.required,
            ignored: context.ignored,
            unsent: context.unsent,
        };
        let id = *self.ids.entry(schema_use).or_insert_with(|| {
            self.shared.push(SharedSchema {
                context,
                old: old.clone(),
                new: new.clone(),
                result: None,
            });
            self.shared.len() - 1
        });
        self.references.push(id);
        Ok(())
    }

    fn inside(
        &mut self,
        context: &SchemaContext,
        old: &Schema<'a>,
        new: &Schema<'a>,
    ) -> Result<()> {
        let changes = &mut self.changes;
        changes
            .findings
            .count_work(old.parts().count() + new.parts().count())?;
        changes.explain(old);
        changes.explain(new);
        let found = changes.findings.added();
        if !changes.types(context, old, new) {
            return Ok(());
        }
        changes.format(context, old, new);
        changes.values(context, old, new);
        changes.bounds(context, old, new);
        changes.limits(context, old, new);
        let mut children = changes.children(context, old, new)?;
        for key in ["oneOf", "anyOf"] {
            children.extend(changes.members(context, old, new, key)?);
        }
        children.extend(changes.properties(context, old, new)?);
        changes.rest(context, old, new);
        if changes.findings.added() == found {
            changes.rewritten(context, old, new);
        }
        for child in children {
            self.schema(child.context, &child.old, &child.new)?;
        }
        Ok(())
    }
}

/// Returns the names of the components that did not change and refer to none that did.
fn unchanged<'a>(old: Contract<'a>, new: Contract<'a>) -> HashSet<&'a str> {
    let before: HashMap<&str, &Value> = old.components("schemas").collect();
    let mut same: HashSet<&'a str> = HashSet::new();
    let mut users: HashMap<&'a str, Vec<&'a str>> = HashMap::new();
    let mut changed: Vec<&'a str> = Vec::new();
    for (name, value) in new.components("schemas") {
        same.insert(name);
        if before.get(name) != Some(&value) {
            changed.push(name);
        }
        for reference in references(value) {
            match reference.strip_prefix(SCHEMAS) {
                Some(part) if new.component("schemas", part).is_some() => {
                    users.entry(part).or_default().push(name);
                }
                // Only references to whole components are followed.
                _ => changed.push(name),
            }
        }
    }
    while let Some(name) = changed.pop() {
        if same.remove(name) {
            changed.extend(users.get(name).into_iter().flatten());
        }
    }
    same
}
