//! Compares the properties of an object.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Value, json};

use super::changes::{Changes, Child};
use super::context::SchemaContext;
use crate::diff::finding::SeverityOverride;
use crate::diff::rules::{Direction, Runtime};
use crate::diff::rust_type::rust_type;
use crate::diff::sunset;
use crate::document::Schema;

/// The minimum similarity of a name and its replacement.
const ALIKE: f32 = 0.6;
/// The maximum number of pairs of names that are compared.
const MOST_PAIRS: usize = 1_000;

impl<'a> Changes<'_, 'a> {
    pub(super) fn properties(
        &mut self,
        context: &SchemaContext,
        old: &Schema<'a>,
        new: &Schema<'a>,
    ) -> Result<Vec<Child<'a>>> {
        let mut children = Vec::new();
        let mut removed = Vec::new();
        let mut added = Vec::new();
        let mut undescribed: BTreeSet<&str> = old.required();
        undescribed.extend(new.required());
        let names: BTreeSet<&str> = new.properties().into_iter().collect();
        let (old_required, new_required) = (old.required(), new.required());
        for name in old.properties() {
            undescribed.remove(name);
            let Some(was) = old.property(self.schemas.old.root(), name)? else {
                continue;
            };
            if !names.contains(name) {
                removed.push((name, was));
                continue;
            }
            let Some(is) = new.property(self.schemas.new.root(), name)? else {
                continue;
            };
            let says = (old_required.contains(name), new_required.contains(name));
            let travels = (matters(context, &was), matters(context, &is));
            let required = (says.0 && travels.0, says.1 && travels.1);
            let mut child = context.child(&format!(".{name}"), required);
            child.unsent |= travels == (false, false);
            if says.0 != says.1 {
                let (from, to) = says;
                let pointer = if is.used_at.starts_with(&format!("{}/", new.pointer)) {
                    is.used_at.clone()
                } else {
                    // The property is inherited and shared with other schemas.
                    new.required_at(name)
                        .or_else(|| old.required_at(name))
                        .unwrap_or_else(|| is.used_at.clone())
                };
                let mut severity = child.severity();
                if required == (false, false) {
                    severity.runtime = Some(Runtime::Works);
                }
                self.presence(&child, pointer, from, to, severity);
            }
            children.push(Child {
                context: child,
                old: was,
                new: is,
            });
        }
        let before: BTreeSet<&str> = old.properties().into_iter().collect();
        for name in new.properties() {
            undescribed.remove(name);
            if !before.contains(name)
                && let Some(is) = new.property(self.schemas.new.root(), name)?
            {
                added.push((name, is));
            }
        }
        for name in undescribed {
            let (was, is) = (old_required.contains(name), new_required.contains(name));
            if was != is {
                let holder = if is { new } else { old };
                let pointer = holder.required_at(name).unwrap_or_default();
                let child = context.child(&format!(".{name}"), (was, is));
                self.presence(&child, pointer, was, is, child.severity());
            }
        }
        // A property may be required without being declared.
        for (name, _) in removed.iter().chain(&added) {
            let (was, is) = (old_required.contains(name), new_required.contains(name));
            let holder = if is { new } else { old };
            if was != is && !holder.properties().contains(name) {
                let pointer = holder.required_at(name).unwrap_or_default();
                let child = context.child(&format!(".{name}"), (was, is));
                self.presence(&child, pointer, was, is, child.severity());
            }
        }
        self.removed_and_added(context, (old, new), &removed, &added)?;
        self.renamed(context, &removed, &added)?;
        Ok(children)
    }

    fn presence(
        &mut self,
        context: &SchemaContext,
        pointer: String,
        was: bool,
        is: bool,
        severity: SeverityOverride,
    ) {
        let change = if is { "required" } else { "optional" };
        let id = format!("{}-property-became-{change}", side(context));
        let location = context.location(pointer);
        self.findings
            .add(&id, location, json!(was), json!(is), severity);
    }

    fn removed_and_added(
        &mut self,
        context: &SchemaContext,
        (old, new): (&Schema<'a>, &Schema<'a>),
        removed: &[(&str, Schema<'a>)],
        added: &[(&str, Schema<'a>)],
    ) -> Result<()> {
        let response = context.position.direction() == Direction::Response;
        for (name, was) in removed {
            let travels = matters(context, was);
            let required = old.required().contains(name) && travels;
            let is_promised = travels && sunset::is_ahead(was.get("x-sunset"));
            let id = match (response, required) {
                (false, _) if is_promised => "request-property-removed-before-sunset",
                (true, false) if is_promised => "response-property-removed-before-sunset",
                (false, _) if forbids_others(new) && travels => {
                    "request-property-removed-and-forbidden"
                }
                (false, _) => "request-property-removed",
                (true, true) => "response-required-property-removed",
                (true, false) => "response-optional-property-removed",
            };
            let mut child = context.child(&format!(".{name}"), (false, false));
            child.unsent |= !travels;
            let value = json!(rust_type(self.schemas.old, was)?);
            let location = child.location(was.used_at.clone());
            self.findings
                .add(id, location, value, Value::Null, child.severity());
        }
        for (name, is) in added {
            let travels = matters(context, is);
            let required = new.required().contains(name) && travels;
            let id = match (response, required) {
                // A property that was already required is only described now.
                (false, true) if !old.required().contains(name) => "new-required-request-property",
                (false, _) => "new-optional-request-property",
                (true, true) => "response-required-property-added",
                (true, false) => "response-optional-property-added",
            };
            let mut child = context.child(&format!(".{name}"), (false, false));
            child.unsent |= !travels;
            let value = json!(rust_type(self.schemas.new, is)?);
            let location = child.location(is.used_at.clone());
            self.findings
                .add(id, location, Value::Null, value, child.severity());
        }
        Ok(())
    }

    /// Suggests a new name for a removed property if exactly one fits.
    fn renamed(
        &mut self,
        context: &SchemaContext,
        removed: &[(&str, Schema<'a>)],
        added: &[(&str, Schema<'a>)],
    ) -> Result<()> {
        if removed.len() * added.len() > MOST_PAIRS {
            return Ok(());
        }
        let kinds: Vec<String> = added
            .iter()
            .map(|(_, is)| rust_type(self.schemas.new, is))
            .collect::<Result<_>>()?;
        for (name, was) in removed {
            let kind = rust_type(self.schemas.old, was)?;
            let mut fits = Vec::new();
            for ((other, is), is_kind) in added.iter().zip(&kinds) {
                let has_description = was.get("description").is_some()
                    && was.get("description") == is.get("description");
                if *is_kind == kind && (has_description || alike(name, other)) {
                    fits.push((*other, is));
                }
            }
            if let [(other, is)] = fits[..] {
                let id = format!("{}-property-renamed", side(context));
                let location = context.location(is.used_at.clone());
                self.findings
                    .add(&id, location, json!(name), json!(other), context.severity());
            }
        }
        Ok(())
    }
}

/// Reports whether a property is transferred in this direction.
fn matters(context: &SchemaContext, property: &Schema<'_>) -> bool {
    match context.position.direction() {
        Direction::Response => !property.is("writeOnly"),
        _ => !property.is("readOnly"),
    }
}

/// Reports whether undescribed properties are rejected.
fn forbids_others(schema: &Schema<'_>) -> bool {
    ["additionalProperties", "unevaluatedProperties"]
        .iter()
        .any(|key| schema.all(key).contains(&&Value::Bool(false)))
}

fn side(context: &SchemaContext) -> &'static str {
    match context.position.direction() {
        Direction::Response => "response",
        _ => "request",
    }
}

fn alike(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    similar::TextDiff::from_chars(&one, &other).ratio() >= ALIKE
}
