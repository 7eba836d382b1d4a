//! Compares the parts of a schema: items, values of a map, members of `oneOf`, `anyOf` and `allOf`.

use anyhow::Result;
use serde_json::{Value, json};

use super::changes::{Changes, Child, or_null};
use super::context::SchemaContext;
use super::rest::is_manifold;
use crate::document::{SCHEMAS, Schema, reference};

/// Whether an old and a new member are the same.
type Same<'s> = dyn Fn(&Value, &Value) -> bool + 's;

impl<'a> Changes<'_, 'a> {
    /// Compares the items of lists and the values of maps.
    pub(super) fn children(
        &mut self,
        context: &SchemaContext,
        old: &Schema<'a>,
        new: &Schema<'a>,
    ) -> Result<Vec<Child<'a>>> {
        let mut children = Vec::new();
        let (old_root, new_root) = (self.schemas.old.root(), self.schemas.new.root());
        let key = "items";
        match (old.child(old_root, key)?, new.child(new_root, key)?) {
            (Some(before), Some(now)) => children.push(Child {
                context: context.child("[]", (true, true)),
                old: before,
                new: now,
            }),
            (before, now) => {
                let aspect = if now.is_some() {
                    "items-added"
                } else {
                    "items-removed"
                };
                if before.is_some() != now.is_some() {
                    let values = [or_null(old.get(key)), or_null(new.get(key))];
                    self.add(context, aspect, (old, new), key, values);
                }
            }
        }
        let key = "additionalProperties";
        // From any value to a schema is narrower, and so is from a schema to no value.
        let rank = |schema: &Schema<'a>| {
            schema
                .all(key)
                .into_iter()
                .map(|value| match value {
                    Value::Bool(false) => 0,
                    Value::Object(fields) if !fields.is_empty() => 1,
                    _ => 2,
                })
                .min()
                .unwrap_or(2)
        };
        let aspect = match rank(old).cmp(&rank(new)) {
            std::cmp::Ordering::Less => "additional-properties-allowed",
            std::cmp::Ordering::Greater => "additional-properties-forbidden",
            // A missing keyword, `true` and `{}` mean the same.
            std::cmp::Ordering::Equal => {
                if let (1, Some(before), Some(now)) = (
                    rank(old),
                    old.child(old_root, key)?,
                    new.child(new_root, key)?,
                ) {
                    children.push(Child {
                        context: context.child("{}", (true, true)),
                        old: before,
                        new: now,
                    });
                }
                return Ok(children);
            }
        };
        let values = [or_null(old.get(key)), or_null(new.get(key))];
        self.add(context, aspect, (old, new), key, values);
        Ok(children)
    }

    /// Compares the members of `oneOf` and `anyOf`.
    pub(super) fn members(
        &mut self,
        context: &SchemaContext,
        old: &Schema<'a>,
        new: &Schema<'a>,
        key: &str,
    ) -> Result<Vec<Child<'a>>> {
        if is_manifold(old, new, key) {
            return Ok(Vec::new());
        }
        let (mut before, mut now) = (old.members(key), new.members(key));
        // A member is the same wherever it is in the list, and so is a reference by the same name.
        let same: [&Same<'_>; 4] = [
            &|before, now| reference(before).is_some() && reference(before) == reference(now),
            &|before, now| before == now,
            &|before, now| match (component(before), component(now)) {
                (Some(before), Some(now)) => self.schemas.renamed(before, now),
                _ => false,
            },
            &|before, now| reference(before).is_none() && reference(now).is_none(),
        ];
        let mut pairs = Vec::new();
        for same in same {
            before.retain(|(at, was)| {
                let Some(found) = now.iter().position(|(_, is)| same(was, is)) else {
                    return true;
                };
                pairs.push(((at.clone(), *was), now.remove(found)));
                false
            });
        }
        // The last one on each side: inline in one document, a reference in the other.
        if let ([_], [_]) = (&before[..], &now[..])
            && reference(before[0].1).is_some() != reference(now[0].1).is_some()
        {
            pairs.extend(before.pop().zip(now.pop()));
        }
        let called = |at: &str, value: &Value| {
            let index = at
                .rsplit('/')
                .next()
                .and_then(|index| index.parse::<usize>().ok());
            reference(value)
                .and_then(|reference| reference.rsplit('/').next())
                .map_or_else(
                    || format!("{key} {}", index.unwrap_or_default() + 1),
                    str::to_owned,
                )
        };
        let mut children = Vec::new();
        for ((old_at, was), (new_at, is)) in pairs {
            let name = called(&new_at, is);
            children.push(Child {
                context: context.child(&format!(" ({name})"), context.required),
                old: self.schemas.old.schema(was, old_at)?,
                new: self.schemas.new.schema(is, new_at)?,
            });
        }
        let prefix = if key == "oneOf" { "one-of" } else { "any-of" };
        // Adding a choice limits the values, removing one widens them.
        if old.members(key).is_empty() != new.members(key).is_empty() {
            let list = |schema: &Schema<'a>| -> Value {
                schema
                    .members(key)
                    .iter()
                    .map(|(at, member)| called(at, member))
                    .collect()
            };
            let or_nothing = |value: Value| {
                if value == json!([]) {
                    Value::Null
                } else {
                    value
                }
            };
            let begins = old.members(key).is_empty();
            let aspect = if begins {
                "choice-added"
            } else {
                "choice-removed"
            };
            let values = [or_nothing(list(old)), or_nothing(list(new))];
            self.add(context, aspect, (old, new), key, values);
            return Ok(children);
        }
        for (aspect, members) in [("removed", before), ("added", now)] {
            for (at, member) in members {
                let value = json!(called(&at, member));
                let values = if aspect == "removed" {
                    [value, Value::Null]
                } else {
                    [Value::Null, value]
                };
                let location = context.location(at);
                let aspect = format!("{prefix}-{aspect}");
                self.finish(context, &aspect, location, values, context.severity());
            }
        }
        Ok(children)
    }
}

/// Returns the name of the component that a member refers to.
fn component(member: &Value) -> Option<&str> {
    reference(member)?.strip_prefix(SCHEMAS)
}
