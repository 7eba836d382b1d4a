//! What a schema is made of: items, values of a map, members of `oneOf`, `anyOf` and `allOf`.

use anyhow::Result;
use serde_json::{Value, json};

use super::changes::{Changes, Child, or_null};
use super::context::SchemaContext;
use crate::document::{SCHEMAS, Schema, entries, reference};

impl<'a> Changes<'_, 'a> {
    /// Items, and the values of a map.
    pub(super) fn children(
        &mut self,
        context: &SchemaContext,
        old: &Schema<'a>,
        new: &Schema<'a>,
    ) -> Result<Vec<Child<'a>>> {
        let mut children = Vec::new();
        match (old.get("items"), new.get("items")) {
            (None, Some(now)) => {
                self.add(
                    context,
                    "items-added",
                    (old, new),
                    "items",
                    [Value::Null, now.clone()],
                );
            }
            (Some(before), None) => {
                self.add(
                    context,
                    "items-removed",
                    (old, new),
                    "items",
                    [before.clone(), Value::Null],
                );
            }
            (Some(before), Some(now)) => {
                let before = self.schemas.old.schema(before, old.at("items"))?;
                let now = self.schemas.new.schema(now, new.at("items"))?;
                children.push(Child {
                    context: context.child("[]", (true, true)),
                    old: before,
                    new: now,
                });
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
                children.push(Child {
                    context: context.child("{}", (true, true)),
                    old: before,
                    new: now,
                });
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
                            context,
                            "additional-properties-allowed",
                            (old, new),
                            key,
                            values,
                        );
                    }
                    std::cmp::Ordering::Greater => {
                        self.add(
                            context,
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
        Ok(children)
    }

    pub(super) fn members(
        &mut self,
        context: &SchemaContext,
        old: &Schema<'a>,
        new: &Schema<'a>,
        key: &str,
    ) -> Result<Vec<Child<'a>>> {
        let list = |schema: &Schema<'a>| -> Vec<(usize, &'a Value)> {
            entries(schema.get(key).unwrap_or(&Value::Null))
                .iter()
                .enumerate()
                .collect()
        };
        let (mut before, mut now) = (list(old), list(new));
        // The same member stays the same wherever it stands in the list, and so does a reference by the same name.
        let same: [&dyn Fn(&Value, &Value) -> bool; 4] = [
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
            before.retain(|&(index, was)| {
                let Some(found) = now.iter().position(|&(_, is)| same(was, is)) else {
                    return true;
                };
                let (found, is) = now.remove(found);
                pairs.push(((index, was), (found, is)));
                false
            });
        }
        let called = |index: usize, value: &Value| {
            reference(value)
                .and_then(|reference| reference.rsplit('/').next())
                .map_or_else(|| format!("{key} {}", index + 1), str::to_owned)
        };
        let mut children = Vec::new();
        for ((before, was), (after, is)) in pairs {
            let name = called(after, is);
            let was = self
                .schemas
                .old
                .schema(was, format!("{}/{before}", old.at(key)))?;
            let is = self
                .schemas
                .new
                .schema(is, format!("{}/{after}", new.at(key)))?;
            children.push(Child {
                context: context.child(&format!(" ({name})"), context.required),
                old: was,
                new: is,
            });
        }
        let prefix = match key {
            "oneOf" => "one-of",
            "anyOf" => "any-of",
            _ => "all-of",
        };
        for (index, was) in before {
            let mut location = Self::locate(context, (old, new), key);
            location.pointer = format!("{}/{index}", old.at(key));
            let values = [json!(called(index, was)), Value::Null];
            self.finish(
                context,
                &format!("{prefix}-removed"),
                location,
                values,
                context.severity(),
            );
        }
        for (index, is) in now {
            let mut location = Self::locate(context, (old, new), key);
            location.pointer = format!("{}/{index}", new.at(key));
            let values = [Value::Null, json!(called(index, is))];
            self.finish(
                context,
                &format!("{prefix}-added"),
                location,
                values,
                context.severity(),
            );
        }
        Ok(children)
    }
}

/// The name of the component that a member refers to.
fn component(member: &Value) -> Option<&str> {
    reference(member)?.strip_prefix(SCHEMAS)
}
