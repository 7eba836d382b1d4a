//! Compares which single values a schema allows: types, formats, enums, bounds.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::changes::{Changes, or_null};
use super::context::SchemaContext;
use super::pattern;
use super::rest::is_manifold;
use crate::diff::rules::{Direction, Runtime, RustApi};
use crate::document::Schema;

/// Upper and lower bounds: keyword, its flag for an exclusive bound, its name in rules, whether it is a lower bound.
const BOUNDS: [(&str, &str, &str, bool); 8] = [
    ("minimum", "exclusiveMinimum", "min", true),
    ("maximum", "exclusiveMaximum", "max", false),
    ("minLength", "", "min-length", true),
    ("maxLength", "", "max-length", false),
    ("minItems", "", "min-items", true),
    ("maxItems", "", "max-items", false),
    ("minProperties", "", "min-properties", true),
    ("maxProperties", "", "max-properties", false),
];

impl<'a> Changes<'_, 'a> {
    /// Compares the types. Returns false if they have nothing in common, so that nothing else can be compared.
    pub(super) fn types(
        &mut self,
        context: &SchemaContext,
        old: &Schema<'a>,
        new: &Schema<'a>,
    ) -> bool {
        let (before, now) = (old.types(), new.types());
        if before == now {
            return true;
        }
        let within = |inner: &BTreeSet<&str>, outer: &BTreeSet<&str>| {
            outer.is_empty()
                || inner.contains("nothing")
                || (!inner.is_empty()
                    && inner.iter().all(|name| {
                        outer.contains(name) || (*name == "integer" && outer.contains("number"))
                    }))
        };
        let aspect = if within(&before, &now) {
            "type-widened"
        } else if within(&now, &before) {
            "type-narrowed"
        } else {
            "type-changed"
        };
        let values = [&before, &now].map(|types| match types.len() {
            0 => json!("any"),
            _ => json!(types.iter().copied().collect::<Vec<_>>().join(" or ")),
        });
        let severity = self.severity_by_type(context, old, new);
        let mut location = Self::locate(context, (old, new), "type");
        if old.name != new.name {
            // A different schema is used here; neither of the two changed.
            location.pointer.clone_from(&new.used_at);
        }
        let comparable = aspect != "type-changed";
        if !comparable {
            location.explains = vec![
                old.used_at.clone(),
                old.pointer.clone(),
                new.used_at.clone(),
                new.pointer.clone(),
            ];
        }
        self.finish(context, aspect, location, values, severity);
        comparable
    }

    pub(super) fn format(&mut self, context: &SchemaContext, old: &Schema<'a>, new: &Schema<'a>) {
        let (before, now) = (old.get("format"), new.get("format"));
        let aspect = match (before, now) {
            (None, Some(_)) => "format-added",
            (Some(_), None) => "format-removed",
            _ => "format-changed",
        };
        if before == now || is_manifold(old, new, "format") {
            return;
        }
        let mut severity = self.severity_by_type(context, old, new);
        // The client does not check a format in a response unless it has a Rust type.
        if severity.rust_api == Some(RustApi::None)
            && context.position.direction() == Direction::Response
        {
            severity.runtime = Some(Runtime::Works);
        }
        let values = [or_null(before), or_null(now)];
        self.add_with(context, aspect, (old, new), "format", values, severity);
    }

    pub(super) fn values(&mut self, context: &SchemaContext, old: &Schema<'a>, new: &Schema<'a>) {
        let key = if new.get("const").is_some() || old.get("const").is_some() {
            "const"
        } else {
            "enum"
        };
        let list =
            |values: &[&Value]| -> Value { values.iter().map(|value| (*value).clone()).collect() };
        match (old.values(), new.values()) {
            (None, None) => {}
            (None, Some(now)) => {
                self.add(
                    context,
                    "enum-added",
                    (old, new),
                    key,
                    [Value::Null, list(&now)],
                );
            }
            (Some(before), None) => {
                self.add(
                    context,
                    "enum-removed",
                    (old, new),
                    key,
                    [list(&before), Value::Null],
                );
            }
            (Some(before), Some(now)) => {
                for value in before.iter().filter(|value| !now.contains(value)) {
                    let values = [(*value).clone(), Value::Null];
                    self.add(context, "enum-value-removed", (old, new), key, values);
                }
                for value in now.iter().filter(|value| !before.contains(value)) {
                    let values = [Value::Null, (*value).clone()];
                    self.add(context, "enum-value-added", (old, new), key, values);
                }
            }
        }
    }

    pub(super) fn bounds(&mut self, context: &SchemaContext, old: &Schema<'a>, new: &Schema<'a>) {
        for (keyword, exclusive, name, lower) in BOUNDS {
            let (before, now) = (
                bound(old, keyword, exclusive, lower),
                bound(new, keyword, exclusive, lower),
            );
            let change = match (&before, &now) {
                (None, None) => continue,
                (None, Some(_)) => "set",
                (Some(_), None) => "unset",
                (Some(before), Some(now)) => match before.compare(now, lower) {
                    std::cmp::Ordering::Less => "increased",
                    std::cmp::Ordering::Greater => "decreased",
                    std::cmp::Ordering::Equal => continue,
                },
            };
            let mut location = Self::locate(context, (old, new), keyword);
            if !exclusive.is_empty() {
                location.explains = vec![old.at(keyword), old.at(exclusive), new.at(exclusive)];
            }
            let values = [before, now].map(|bound| bound.map_or(Value::Null, Bound::shown));
            self.finish(
                context,
                &format!("{name}-{change}"),
                location,
                values,
                context.severity(),
            );
        }
    }

    pub(super) fn limits(&mut self, context: &SchemaContext, old: &Schema<'a>, new: &Schema<'a>) {
        for (key, changed, set, unset) in [
            (
                "multipleOf",
                "multiple-of-changed",
                "multiple-of-set",
                "multiple-of-unset",
            ),
            (
                "pattern",
                "pattern-changed",
                "pattern-added",
                "pattern-removed",
            ),
            ("not", "not-changed", "not-changed", "not-changed"),
            (
                "discriminator",
                "discriminator-changed",
                "discriminator-changed",
                "discriminator-changed",
            ),
        ] {
            let (before, now) = (old.get(key), new.get(key));
            if is_manifold(old, new, key) {
                continue;
            }
            let aspect = match (before, now) {
                (None, Some(_)) => set,
                (Some(_), None) => unset,
                (Some(Value::String(before)), Some(Value::String(now)))
                    if key == "pattern" && before != now =>
                {
                    pattern::change(before, now)
                }
                _ => changed,
            };
            if aspect == "pattern-rewritten" {
                // Nothing is reported here, so that the finding can be about the whole schema.
                continue;
            }
            if before != now {
                let mut severity = context.severity();
                if key == "multipleOf" {
                    severity = self.severity_by_type(context, old, new);
                    if severity.rust_api == Some(RustApi::None)
                        && context.position.direction() == Direction::Response
                    {
                        severity.runtime = Some(Runtime::Works);
                    }
                }
                let values = [or_null(before), or_null(now)];
                self.add_with(context, aspect, (old, new), key, values, severity);
            }
        }
        let unique = |schema: &Schema<'a>| schema.all("uniqueItems").contains(&&Value::Bool(true));
        let (before, now) = (unique(old), unique(new));
        if before != now {
            let aspect = if now {
                "unique-items-set"
            } else {
                "unique-items-unset"
            };
            self.add(
                context,
                aspect,
                (old, new),
                "uniqueItems",
                [json!(before), json!(now)],
            );
        }
    }
}

/// A bound, and whether it is exclusive.
#[derive(Debug, Clone, Copy)]
struct Bound {
    value: f64,
    exclusive: bool,
}

impl Bound {
    fn compare(&self, other: &Self, lower: bool) -> std::cmp::Ordering {
        // An exclusive lower bound is slightly higher, an exclusive upper one slightly lower.
        let step = |bound: &Self| bound.exclusive == lower;
        self.value
            .total_cmp(&other.value)
            .then_with(|| match (self.exclusive, other.exclusive) {
                (one, two) if one == two => std::cmp::Ordering::Equal,
                _ => step(self).cmp(&step(other)),
            })
    }

    fn shown(self) -> Value {
        #[expect(clippy::cast_possible_truncation, reason = "checked by the comparison")]
        let number = if self.value.fract() == 0.0 && self.value.abs() < 9e15 {
            json!(self.value as i64)
        } else {
            json!(self.value)
        };
        if self.exclusive {
            json!(format!("{number}, excluded"))
        } else {
            number
        }
    }
}

/// Returns the bound of a schema: the narrowest one of all its parts.
fn bound(schema: &Schema<'_>, keyword: &str, exclusive: &str, lower: bool) -> Option<Bound> {
    schema
        .parts()
        .flat_map(|(_, node)| bounds_of(node, keyword, exclusive))
        .max_by(|one, other| {
            let order = one.compare(other, lower);
            if lower { order } else { order.reverse() }
        })
}

fn bounds_of(node: &Value, keyword: &str, exclusive: &str) -> Vec<Bound> {
    let value = node.get(keyword).and_then(Value::as_f64);
    let flag = node.get(exclusive);
    let own = value.map(|value| Bound {
        value,
        exclusive: flag == Some(&json!(true)),
    });
    // OpenAPI 3.1: the exclusive bound is a separate number.
    let excluded = flag.and_then(Value::as_f64).map(|value| Bound {
        value,
        exclusive: true,
    });
    own.into_iter().chain(excluded).collect()
}
