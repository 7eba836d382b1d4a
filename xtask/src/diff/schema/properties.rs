//! The properties of an object.

use anyhow::Result;
use serde_json::{Value, json};

use super::changes::{Changes, Child};
use super::context::SchemaContext;
use crate::diff::rules::{Direction, Runtime};
use crate::diff::rust_type::rust_type;
use crate::document::{Schema, escape};

/// Alike enough to be the same name written anew.
const ALIKE: f32 = 0.6;

impl<'a> Changes<'_, 'a> {
    pub(super) fn properties(
        &mut self,
        context: &SchemaContext,
        old: &Schema<'a>,
        new: &Schema<'a>,
    ) -> Result<Vec<Child<'a>>> {
        let mut children = Vec::new();
        let (before, now) = (old.properties(), new.properties());
        let response = context.position.direction() == Direction::Response;
        let inside = |name: &str| context.child(&format!(".{name}"), (false, false));
        let mut gone = Vec::new();
        let mut added = Vec::new();
        for (name, value) in before.into_iter().flatten() {
            let was = self.schemas.old.schema(value, property_at(old, name))?;
            let Some(value) = now.and_then(|all| all.get(name)) else {
                gone.push((name.as_str(), was));
                continue;
            };
            let is = self.schemas.new.schema(value, property_at(new, name))?;
            let required = (
                matters(context, &was) && old.requires(name),
                matters(context, &is) && new.requires(name),
            );
            if old.requires(name) != new.requires(name) {
                let change = if new.requires(name) {
                    "required"
                } else {
                    "optional"
                };
                let id = format!("{}-property-became-{change}", side(response));
                let mut severity = context.severity();
                if required == (false, false) {
                    severity.runtime = Some(Runtime::Works);
                }
                let mut location = Self::locate(&inside(name), (&was, &is), "");
                location.pointer.clone_from(&is.used_at);
                location.explains = vec![old.at("required"), new.at("required")];
                let values = [json!(old.requires(name)), json!(new.requires(name))];
                let [from, to] = values;
                self.findings.add(&id, location, from, to, severity);
            }
            children.push(Child {
                context: context.child(&format!(".{name}"), required),
                old: was,
                new: is,
            });
        }
        for (name, value) in now.into_iter().flatten() {
            if before.is_none_or(|all| !all.contains_key(name)) {
                let is = self.schemas.new.schema(value, property_at(new, name))?;
                added.push((name.as_str(), is));
            }
        }
        for (name, was) in &gone {
            let required = old.requires(name) && matters(context, was);
            let id = match (response, required) {
                (false, _) => "request-property-removed",
                (true, true) => "response-required-property-removed",
                (true, false) => "response-optional-property-removed",
            };
            let mut location = Self::locate(&inside(name), (was, was), "");
            location.pointer = property_at(old, name);
            location.explains = vec![old.at("required"), new.at("required")];
            let value = json!(rust_type(self.schemas.old, was)?);
            self.findings
                .add(id, location, value, Value::Null, context.severity());
        }
        for (name, is) in &added {
            let required = new.requires(name) && matters(context, is);
            let id = match (response, required) {
                (false, true) => "new-required-request-property",
                (false, false) => "new-optional-request-property",
                (true, true) => "response-required-property-added",
                (true, false) => "response-optional-property-added",
            };
            let mut location = Self::locate(&inside(name), (is, is), "");
            location.pointer = property_at(new, name);
            location.explains = vec![old.at("required"), new.at("required")];
            let value = json!(rust_type(self.schemas.new, is)?);
            self.findings
                .add(id, location, Value::Null, value, context.severity());
        }
        self.renamed(context, new, &gone, &added)?;
        Ok(children)
    }

    /// Suggests a new name for what went, where just one fits.
    fn renamed(
        &mut self,
        context: &SchemaContext,
        object: &Schema<'a>,
        gone: &[(&str, Schema<'a>)],
        added: &[(&str, Schema<'a>)],
    ) -> Result<()> {
        let response = context.position.direction() == Direction::Response;
        for (name, was) in gone {
            let kind = rust_type(self.schemas.old, was)?;
            let mut fits = Vec::new();
            for (other, is) in added {
                let told = was.get("description").is_some()
                    && was.get("description") == is.get("description");
                if rust_type(self.schemas.new, is)? == kind && (told || alike(name, other)) {
                    fits.push(*other);
                }
            }
            if let [other] = fits[..] {
                let id = format!("{}-property-renamed", side(response));
                let mut location = Self::locate(context, (object, object), "");
                location.pointer = property_at(object, other);
                self.findings
                    .add(&id, location, json!(name), json!(other), context.severity());
            }
        }
        Ok(())
    }
}

/// Whether a property travels at all in this direction.
fn matters(context: &SchemaContext, property: &Schema<'_>) -> bool {
    match context.position.direction() {
        Direction::Response => !property.is("writeOnly"),
        _ => !property.is("readOnly"),
    }
}

fn property_at(schema: &Schema<'_>, name: &str) -> String {
    format!("{}/{}", schema.at("properties"), escape(name))
}

fn side(response: bool) -> &'static str {
    if response { "response" } else { "request" }
}

fn alike(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    similar::TextDiff::from_chars(&one, &other).ratio() >= ALIKE
}
