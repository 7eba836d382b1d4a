//! Compares two schemas, wherever they stand and however deep they go.

mod annotations;
mod changes;
mod parts;
mod properties;
mod values;

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use serde_json::Value;

pub(super) use self::changes::Walk;

use self::changes::{Changes, Pair};
use super::finding::Findings;
use super::rules::Subject;
use crate::document::{Contract, SCHEMAS, Schema, references};

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
            changes: Changes {
                schemas: &self.pair,
                findings,
            },
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
                    comparison.changes.findings.touch(finding, &operation);
                }
                open.extend(leads_to);
                continue;
            }
            let Shared { walk, old, new, .. } = &comparison.shared[id];
            let (walk, old, new) = (walk.clone(), old.clone(), new.clone());
            comparison.changes.findings.take_added();
            comparison.inside(&walk, &old, &new)?;
            let leads_to = std::mem::take(&mut comparison.leads_to);
            open.extend(&leads_to);
            comparison.shared[id].known =
                Some((comparison.changes.findings.take_added(), leads_to));
        }
        Ok(())
    }
}

struct Comparison<'s, 'a> {
    changes: Changes<'s, 'a>,
    shared: &'s mut Vec<Shared<'a>>,
    ids: &'s mut HashMap<Use, usize>,
    /// Shared schemas that were met and are not compared yet.
    leads_to: Vec<usize>,
}

impl<'a> Comparison<'_, 'a> {
    fn schema(&mut self, mut walk: Walk, old: &Schema<'a>, new: &Schema<'a>) -> Result<()> {
        self.changes.beside(&walk, old, new);
        if old.name.is_none() && new.name.is_none() {
            return self.inside(&walk, old, new);
        }
        if let Some(name) = new.name.filter(|_| old.name == new.name) {
            if self.changes.schemas.same.contains(name) {
                return Ok(());
            }
            // Readers look a shared schema up by its name.
            name.clone_into(&mut walk.subject);
        }
        self.changes.name(&walk, old, new);
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
        let changes = &mut self.changes;
        if !changes.types(walk, old, new) {
            return Ok(());
        }
        changes.format(walk, old, new);
        changes.values(walk, old, new);
        changes.bounds(walk, old, new);
        changes.limits(walk, old, new);
        let mut children = changes.children(walk, old, new)?;
        for key in ["oneOf", "anyOf", "allOf"] {
            children.extend(changes.members(walk, old, new, key)?);
        }
        children.extend(changes.properties(walk, old, new)?);
        for child in children {
            self.schema(child.walk, &child.old, &child.new)?;
        }
        Ok(())
    }
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
